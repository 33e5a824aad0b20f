/* measure.h - samples of durations, their spread, and a yardstick from the same run.
 *
 * A benchmark prints microseconds for people and ratios for comparison between machines: to the
 * yardstick, and from one size to the next. Nothing here judges. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t measure_now(void); /* nanoseconds, monotonic */
/* Nanoseconds that this thread has used a processor: what the rest of the machine does stays out.
 * The time that reading the clock itself takes is subtracted once per call. */
int64_t measure_cpu(void);
bool measure_quickly(void); /* BENCH_QUICK is set: small sizes, few rounds */

struct samples { /* zeroed: empty */
    double *ns;
    size_t count, capacity;
};
void samples_add(struct samples *samples, double ns);
/* The duration below which 'share' of the samples lie: 0.5 is the median. Sorts; 0 without any. */
double samples_at(struct samples *samples, double share);
void samples_finish(struct samples *samples);

/* Nanoseconds for one pop and one push on a binary heap of 'size' random 64-bit numbers: what any
 * queue of that size costs on this machine. Median of some thousands. */
double yardstick_heap(size_t size);
