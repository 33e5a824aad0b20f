/* window.h - how many writes may be in flight: one more per window of good answers, half when the
 * server says stop, fails, or answers twice as slowly as it can.
 *
 * An answer to something sent before the last halving says nothing new and is not held against the
 * window again. Pure; the clock is an argument. One owner thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WINDOW_MIN 16u
#define WINDOW_MAX 64u

struct window {
    unsigned size;
    unsigned good;        /* good answers since it last grew or shrank */
    int64_t latency_ns;   /* smoothed over about 8 answers; 0: none yet */
    int64_t best_ns[2];   /* lowest smoothed latency of this period and the one before; 0: none */
    int64_t period_ns;    /* when this period began */
    int64_t halved_at_ns; /* INT64_MIN: never */
};

void window_init(struct window *w);
void window_good(struct window *w, int64_t sent_at_ns, int64_t now_ns);
/* 'refused': the server said 429; then the window may shrink to 1, else to WINDOW_MIN. */
void window_bad(struct window *w, bool refused, int64_t sent_at_ns, int64_t now_ns);
