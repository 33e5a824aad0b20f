/* workload_rules.h - the life of a Workload as one pure step: what has to change in it now?
 *
 * The step works on a private tree of the Workload (metadata, spec without templates, status), does
 * the first thing that is due and says so; the caller writes the difference and steps again when
 * the write has come back. Nothing here reads a clock or the network. Rules:
 * spec/admission-checks.md 5, spec/lifecycle.md, spec/api.md 5. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "admitter/rules/settings.h"
#include "quota/base/arena.h"

/* What the step must know of the queues; texts are borrowed. */
struct workload_surroundings {
    bool local_queue_exists, cluster_queue_exists;
    bool local_queue_deleting, cluster_queue_deleting;
    enum stop_policy local_queue_stop, cluster_queue_stop;
    const char *local_queue, *cluster_queue; /* names; cluster_queue "" when unknown */
    const char **required_checks;            /* for the present state, see spec/api.md 5.6 */
    size_t required_check_count;
    bool know_required_checks; /* false: the ClusterQueue is unknown, leave the list alone */
    const char *wait_reason,
        *wait_message;        /* of the engine for a Workload without quota; "" nothing to say */
    const char *not_requeued; /* its devices cannot be charged: the message of Requeued=False; "" */
};

#define STEP_EVENTS 3
struct step_event {
    bool warning;
    const char *reason, *note;
};

enum step_write {
    STEP_NOTHING,
    STEP_STATUS,    /* the tree's status changed */
    STEP_SPEC,      /* the tree's spec changed: spec.active */
    STEP_FINALIZER, /* our finalizer is to be removed */
    STEP_DELETE,    /* the Workload is to be deleted (retention) */
};

struct step_result {
    enum step_write write;
    struct step_event
        events[STEP_EVENTS]; /* to post once the write succeeded; texts in the arena */
    unsigned event_count;
    unsigned may_cause; /* bits of enum life_event: what the rule behind this write may do */
    int64_t next;       /* look again at this time; TIME_NONE: only when something changes */
    bool evicts;        /* this write is an eviction of a Workload that holds an admission */
    const char *eviction_reason, *eviction_cause;
};

void workload_step(json_t *workload, const struct loop_settings *settings,
                   const struct workload_surroundings *around, int64_t now, uint64_t random,
                   struct arena *arena, struct step_result *result);

/* spec.active, true when absent. */
bool workload_is_active(const json_t *workload);
