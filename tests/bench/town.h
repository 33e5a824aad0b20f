/* town.h - the engine's world of the benchmarks: 1,000 ClusterQueues in 100 cohorts, and as many
 * pending workloads of one known shape as asked for.
 *
 * Every ClusterQueue has a LocalQueue, one flavor and quota for cpu and memory. A workload is one
 * pod set of one pod with one container, named as a Job controller names it, with a uid of 36
 * characters. One thread. */
#pragma once

#include "quota/engine/engine.h"

enum { TOWN_QUEUES = 1000, TOWN_COHORTS = 100 };

struct town {
    struct engine *engine;
    struct arena answer; /* of the last cycle */
    struct cycle_result cycle;
    int64_t now;
    uint64_t created; /* workloads so far; also the next one's number */
};

/* 'cores': the nominal quota of each queue. */
void town_open(struct town *town, int64_t cores);
void town_close(struct town *town);
void town_queue(struct town *town, unsigned queue, int64_t cores); /* put again, with other quota */

struct town_workload {
    unsigned queue;
    uint64_t number;
    int32_t priority;
    int64_t milli_cpu;
    bool holds; /* reserving since the town's now */
};
void town_put(struct town *town, const struct town_workload *workload);
/* A new pending one; 'milli_cpu' decides its shape. */
void town_create(struct town *town, unsigned queue, int64_t milli_cpu);
void town_remove(struct town *town, uint64_t number);
void town_cycle(struct town *town);
/* Let the batched un-parking of 1 s happen. */
void town_settle(struct town *town);
