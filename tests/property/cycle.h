/* cycle.h - the operations that let the engine decide, and what follows from its decisions. */
#pragma once

#include "tests/property/play.h"

void cycle_run(struct play *play);
/* No write of this cycle succeeds: afterwards all is as it was. */
void cycle_fail(struct play *play);
/* All writes are answered, all evictions end, time passes, until nothing changes any more: nobody who
 * could start is forgotten, and workloads of one priority do not preempt each other for ever (but with
 * admission fair sharing, where the order of a queue and who may preempt in it disagree: 6.4, 5.3).
 *
 * That it comes to rest at all is promised only where preemptors go first (gate
 * PrioritizePreemptorWorkloads, without fair sharing). Otherwise the rules themselves can put a victim
 * before its preemptor, over and over: one that borrows less (4.8), whose share is lower (6.2), or whose
 * LocalQueue used less (6.4). */
void cycle_settle(struct play *play);

/* ---- steps of these, for single workloads ---- */
void cycle_eviction_end(struct play *play, int workload);
/* The engine sees the reservation in the stored object; a second time, that its checks are ready. */
void cycle_write_answer(struct play *play, int workload);
void cycle_pass(struct play *play, int64_t seconds);
