/* scaled.h - quantities times a fraction, the way resource lists are decayed.
 *
 * Pure. Rule: spec/scheduling.md 6.5: the shortest decimal form of the double is multiplied exactly
 * with the decimal quantity, and the product is cut toward zero to billionths. The doubles come
 * from pow(), which the rule prescribes; everything after that is exact. */
#pragma once

#include <stdint.h>

/* 1 - 0.5^(elapsed / half_life); 0 when half_life is 0. Nanoseconds. */
double decay_alpha(int64_t elapsed, int64_t half_life);
/* A quantity in billionths times 'factor', cut toward zero. 'factor' is finite, not negative. */
__int128 quantity_scale(__int128 nano, double factor);
