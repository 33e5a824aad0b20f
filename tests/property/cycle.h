/* cycle.h - the operations that let the engine decide, and what follows from its decisions. */
#pragma once

#include "tests/property/play.h"

void cycle_run(struct play *play);
/* No write of this cycle succeeds: afterwards all is as it was. */
void cycle_fail(struct play *play);
/* All writes are answered, all evictions end, time passes, until nothing changes any more: it has to
 * come to rest, without two workloads of one priority taking turns, and with nobody forgotten. No rest is
 * promised with admission fair sharing, where the LocalQueue that used less goes before a higher priority
 * of the same ClusterQueue, which then preempts it (6.4). */
void cycle_settle(struct play *play);

/* ---- steps of these, for single workloads ---- */
void cycle_eviction_end(struct play *play, int workload);
/* The engine sees the reservation in the stored object; a second time, that its checks are ready. */
void cycle_write_answer(struct play *play, int workload);
void cycle_pass(struct play *play, int64_t seconds);
