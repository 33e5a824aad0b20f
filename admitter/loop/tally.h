/* tally.h - how many Workloads wait for which reason, and how many finished ones still exist.
 *
 * A Workload is in at most one group at a time. The gauges of a group follow its size: that of its
 * ClusterQueue, and that of its LocalQueue when there is such a queue. Engine thread.
 * Rules: spec/operations.md 1.3 (finished), 1.8. */
#pragma once

#include "admitter/loop/loop_private.h"

struct tally_group {
    bool is_finished; /* otherwise waiting, and these say why: */
    const char *reason, *cause;
    const char *cluster_queue; /* "": not known, so counted nowhere */
    const char *queue_key;     /* "ns/name" of its LocalQueue, NULL without one */
};
/* The Workload belongs to this group now, NULL: to none. */
void tally_move(struct loop *loop, struct workload_record *record, const struct tally_group *group);
/* Write the gauges of a ClusterQueue or ("ns/name") a LocalQueue again; with two NULLs all. */
void tallies_show(struct loop *loop, const char *cluster_queue, const char *queue_key);
void tallies_destroy(struct map *tallies);
