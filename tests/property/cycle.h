/* cycle.h - the operations that let the engine decide, and what follows from its decisions. */
#pragma once

#include "tests/property/play.h"

void cycle_run(struct play *play);
/* No write of this cycle succeeds: afterwards all is as it was. */
void cycle_fail(struct play *play);
/* All writes are answered, all evictions end, time passes, until nothing changes any more: nobody
 * who could start is forgotten, and two workloads of one priority do not preempt each other.
 *
 * The latter holds without fair sharing and admission fair sharing only: with these, the rules that
 * put a queue or tree in order (6.2, 6.4) and those that say who may preempt (5.3, 5.5) can
 * disagree, so that a victim starts again before its preemptor. And that the world comes to rest at
 * all is promised only where preemptors go first, too (gate PrioritizePreemptorWorkloads): else a
 * victim that borrows less goes before its preemptor (4.8). */
void cycle_settle(struct play *play);

/* ---- steps of these, for single workloads ---- */
void cycle_eviction_end(struct play *play, int workload);
/* The engine sees the reservation in the stored object; a second time, that its checks are
 * ready. */
void cycle_write_answer(struct play *play, int workload);
void cycle_pass(struct play *play, int64_t seconds);
