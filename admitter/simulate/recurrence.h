/* recurrence.h - notices when a simulation has nothing new to show any more.
 *
 * Two things can go on for ever while nobody waits for an event (spec/simulate.md, "What one cycle
 * does": until nothing can change):
 * - a head that fails and stays at the front of its queue gives the same cycle over and over;
 * - workloads may take the quota from each other in turn (spec/scheduling.md 5.7 protects nobody).
 * Cycles are told apart by what was decided and by what is due how far ahead. The usage history of
 * admission fair sharing (6.6) is left out: it drifts without an end. */
#pragma once

#include "quota/engine/engine.h"

/* So many cycles in a row have to be as they were in a row before. */
#define RECURRENCE_STRETCH 256

struct id_map;

struct recurrence {
    struct id_map *seen; /* cycles since something last changed */
    size_t repeats;      /* how many of them in a row were there before */
    size_t repeats_enough;
    struct id_map *stretches; /* every stretch of cycles so far */
    uint64_t ring[RECURRENCE_STRETCH], stretch, oldest_weight;
    size_t cycles;
    int64_t last; /* time of the cycle before */
    bool endless;
};

/* 'repeats_enough': a scan of flavors that starts at a later one each time is back at its start
 * after so many cycles. */
void recurrence_init(struct recurrence *r, size_t repeats_enough);
void recurrence_finish(struct recurrence *r);

/* A cycle was run at 'now'. 'changed': quota was reserved or released, or an eviction begun.
 * 'outlook': equal for equal workloads with something due equally far ahead. */
void recurrence_cycle(struct recurrence *r, const struct cycle_result *result, bool changed,
                      int64_t now, uint64_t outlook);
/* Something happened between cycles: heads that failed may fare better now. */
void recurrence_event(struct recurrence *r);

/* The heads that are left have all been seen to fail; only an event can change that. */
bool recurrence_is_stuck(const struct recurrence *r);
/* The last RECURRENCE_STRETCH cycles repeat earlier ones, and so will all that follow. */
bool recurrence_is_endless(const struct recurrence *r);
