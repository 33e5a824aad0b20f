/* elastic.h - elastic jobs while they run: old slices end, pods are let through their gate.
 *
 * The pods of an elastic job carry the name of their chain of slices and wait at a scheduling gate.
 * As many as the newest admitted slice counts are let through. Pods are watched only once there is
 * such a chain. Engine thread. Rules: spec/integrations.md 1.20, spec/lifecycle.md 11.2 and
 * 11.3. */
#pragma once

#include "admitter/loop/writes.h"

/* What the ungater must know of a pod. Texts live in the event. */
struct pod_facts {
    const char *chain, *pod_set; /* "" when it is in none */
    const char *injected;        /* pod_set_info.h */
    bool is_gated, is_over;
};
void pod_facts_read(const json_t *pod, struct arena *arena, struct pod_facts *facts);

void handle_pod(struct loop *loop, struct loop_event *event); /* ends the event */
/* A Workload has changed, or is about to go. */
void chain_of_workload_changed(struct loop *loop, struct workload_record *record);
void step_chain(struct loop *loop, struct dirty_link *link);
void pod_write_done(struct loop *loop, struct write_op *op);
void chains_destroy(struct loop *loop);

/* A slice has its quota: the one it replaces has done its part. */
void slice_finish_replaced(struct loop *loop, const struct workload_record *record);
