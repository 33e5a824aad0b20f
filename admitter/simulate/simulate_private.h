/* simulate_private.h - the world as the files of the simulator see it, and nobody else. */
#pragma once

#include "admitter/simulate/world.h"
#include "quota/base/map.h"

struct simulate_world {
    const struct simulate_facts *facts;
    const struct loop_settings *settings;
    struct engine *engine;
    struct simulate_workload *workloads; /* sorted by key */
    size_t count;
    struct map *by_key;         /* "namespace/name" -> workload */
    struct map *cluster_queues; /* "namespace/localqueue" -> name of its ClusterQueue */
    struct heap due;
    /* Over all that is due: sums, modulo 2^64, of a number for each workload and of its due time
     * multiplied by that number. Together with the clock they say how far ahead everything is. */
    uint64_t due_numbers, due_moments;
    struct simulate_workload **evicting;
    size_t evicting_count, evicting_capacity;
    struct arena arena;
    int64_t now;
    bool steps;
    simulate_happening_fn *happened; /* or NULL */
    void *happened_context;
};

/* The ClusterQueue that the workload's LocalQueue points to, "" without a LocalQueue. */
const char *simulate_cluster_queue(const struct simulate_world *world,
                                   const struct workload *workload, struct arena *arena);
/* When a workload without quota that is held back queues again; TIME_NONE: it is not, or nothing
 * that happens here ends it. */
int64_t simulate_requeue_due(const struct simulate_world *world,
                             const struct simulate_workload *workload);
/* That time has come: its status says so. */
void simulate_requeue(const struct simulate_world *world, struct simulate_workload *workload);
/* QuotaReserved is True and there is an admission. */
bool simulate_has_reservation(const struct simulate_workload *workload);
/* The same for one that is active: a deactivated workload holds nothing, even before its
 * reservation is taken away. */
bool simulate_is_reserving(const struct simulate_workload *workload);
