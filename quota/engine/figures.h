/* figures.h - numbers about queues and cohorts that gauges show and no decision needs.
 *
 * Engine thread; nothing is changed. Lists live in the caller's arena. Floating point is for
 * people: what decides is compared exactly elsewhere. Rules: spec/operations.md 1.3, 1.6. */
#pragma once

#include "quota/engine/engine.h"

/* The weighted share before rounding (5.6): INFINITY for weight 0 while borrowing. False when fair
 * sharing is off, there is no such node, or its cohorts form a cycle. */
bool engine_cluster_queue_share(const struct engine *engine, const char *name, double *share);
bool engine_cohort_share(const struct engine *engine, const char *name, double *share);

/* Declared limits, in the order of the ClusterQueue's groups; AMOUNT_UNLIMITED when absent. */
struct quota_limits {
    const char *flavor, *resource;
    int64_t nominal, borrowing, lending;
};
struct quota_limits *engine_cluster_queue_limits(const struct engine *engine, const char *name,
                                                 struct arena *arena, size_t *count);

/* Total requests of the workloads that wait in a ClusterQueue; what the queue covers appears with 0
 * too. Costs a walk over all of them. */
struct pending_demand {
    const char *resource;
    int64_t amount;
};
struct pending_demand *engine_pending_demand(const struct engine *engine, const char *name,
                                             struct arena *arena, size_t *count);
/* Different kinds of workloads (3.9) that wait in it. Costs a walk over the parked ones. */
struct pending_kinds {
    int64_t active, inadmissible;
};
struct pending_kinds engine_pending_kinds(const struct engine *engine, const char *name);

/* ---- place in the tree ---- */
struct tree_place {
    const char *parent, *root; /* both "" for a ClusterQueue without cohort */
    bool is_cyclic;            /* no root then */
};
/* False: no such node. An implicit cohort is one. */
bool engine_cluster_queue_place(const struct engine *engine, const char *name,
                                struct tree_place *place);
bool engine_cohort_place(const struct engine *engine, const char *name, struct tree_place *place);
/* Admitted workloads anywhere below a cohort; 0 when there is none of that name. */
int64_t engine_cohort_admitted(const struct engine *engine, const char *name);

/* ---- admission fair sharing (6.4, 6.5) ---- */
/* What orders the LocalQueue: weighted consumption and pending penalties over its weight; INFINITY
 * for a weight of 0. False when admission fair sharing is not in effect for it. */
bool engine_local_queue_fair_usage(const struct engine *engine, const char *namespace,
                                   const char *name, double *usage);
/* The sum of its pending penalties. */
void engine_local_queue_penalty(const struct engine *engine, const char *namespace,
                                const char *name, struct arena *arena,
                                struct resource_list *penalty);
