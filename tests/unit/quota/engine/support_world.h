/* support_world.h - small worlds for engine tests, in a line per thing.
 *
 * One namespace "ns", one flavor "f" and whole cores of cpu unless said otherwise. Each
 * ClusterQueue gets a LocalQueue of the same name. Quotas read "nominal,borrowing,lending" with "-"
 * for absent; several flavors and resources: "f1/cpu=4,-,- f2/cpu=0". */
#pragma once

#include "quota/engine/engine.h"

struct world {
    struct engine *engine;
    struct engine_options options;
    struct arena facts;  /* what was put */
    struct arena answer; /* of the last question */
    int64_t now;
    struct cycle_result cycle;
    int count; /* workloads made so far */
};

/* seconds on the world's clock */
int64_t at(int64_t seconds);

void world_options(struct world *world); /* defaults; change them before world_begin */
void world_begin(struct world *world);
void world_end(struct world *world); /* verifies the invariants */
/* A test's set-up and teardown: *state is a world of the default options. */
int world_setup(void **state);
int world_teardown(void **state);

void world_flavor(struct world *world, const char *name, const char *label, const char *value);
void world_cohort(struct world *world, const char *name, const char *parent, const char *quota);
/* 'rules', separated by blanks: within=, reclaim=, borrow=LowerPriority[:threshold], strict,
 * stopped, weight=, canborrow=TryNext, canpreempt=MayStop, prefer=borrow|preempt, ignore, afs,
 * generation=, check= (one, without anything said of flavors) */
void world_queue(struct world *world, const char *name, const char *cohort, const char *quota,
                 const char *rules);
struct workload *world_workload(struct world *world, const char *queue, const char *name,
                                int priority, const char *requests);
/* Reserving since 'since' seconds; requests as "cpu@f=4". */
void world_holds(struct world *world, const char *queue, const char *name, int priority,
                 const char *requests, int since);
/* Waiting; requests as "cpu=4" per pod, one pod. */
void world_waits(struct world *world, const char *queue, const char *name, int priority,
                 const char *requests, int created);
void world_finish(struct world *world, const char *name);
void world_condition(struct world *world, struct workload *workload, const char *type, bool is_true,
                     const char *reason, int64_t since);
void world_pass(struct world *world, int64_t seconds);

/* One cycle as text: "p Admitted; q Pending NoFit..." - per decision the name, the outcome, victims
 * as victim:reason. */
const char *world_cycle(struct world *world);
const struct decision *world_decision(const struct world *world, const char *name);
/* "heap: a b; parked: c" */
const char *world_pending(struct world *world, const char *queue);
