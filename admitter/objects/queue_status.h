/* queue_status.h - status subresources of ClusterQueue, LocalQueue and Cohort from the engine's
 * answer.
 *
 * Each function makes a whole new status out of the old one and what the engine says; the caller
 * writes it only when status_differs. Conditions keep their transition times as spec/api.md 4.1 has
 * it; conditions and members that this program does not know stay. Trees in (borrowed, may be
 * NULL), new reference out. Pure; the clock is an argument. Rules: spec/api.md 4.2, 4.3, 4.5. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "quota/engine/engine.h"

/* 'has_cohort' is whether spec.cohortName is set: without one nothing is ever borrowed. Flavors are
 * listed in the order of 'status', at most 64, those that the queue does not name any more left
 * out; the resources of each sorted by name, zeros included. fairSharing appears only when the
 * engine gives a weighted share. */
json_t *cluster_queue_status_build(const json_t *old_status, const struct queue_status *status,
                                   bool has_cohort, int64_t generation, int64_t now);

/* What a LocalQueue's condition Active depends on, besides its counters. */
struct local_queue_facts {
    bool stopped; /* its own stopPolicy is not None */
    bool cluster_queue_exists;
    bool cluster_queue_active; /* condition Active of the ClusterQueue is True */
    bool has_fair_sharing;     /* admission fair sharing is configured: write the block below */
    struct resource_list consumed;
    int64_t consumed_updated;
};
/* Is that condition True? */
bool local_queue_is_active(const struct local_queue_facts *facts);
/* 'status' is the engine's answer; NULL when it knows no such queue (all counters 0). */
json_t *local_queue_status_build(const json_t *old_status, const struct queue_status *status,
                                 const struct local_queue_facts *facts, int64_t generation,
                                 int64_t now);

json_t *cohort_status_build(const json_t *old_status, const struct queue_status *status);

/* Is there anything to write? Absent and empty count as equal. */
bool status_differs(const json_t *old_status, const json_t *new_status);
