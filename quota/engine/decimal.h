/* decimal.h - exact sums of products of quantities.
 *
 * A transformation multiplies up to three quantities of 27 + 93 bits; no 128-bit number holds that.
 * Values here are whole numbers of 10^-27 units in 384 bits, two's complement, so that products and
 * any sensible number of sums stay exact. Pure; any thread. Rule: spec/scheduling.md 1.4. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DECIMAL_LIMBS 6
struct decimal {
    uint64_t limb[DECIMAL_LIMBS]; /* lowest first */
};

/* a x b x c, each in billionths (quantity.h nano), each within 120 bits. */
struct decimal decimal_product(__int128 a, __int128 b, __int128 c);
struct decimal decimal_add(struct decimal a, struct decimal b);
bool decimal_is_negative(struct decimal d);
/* The value times 10^milli_digits (0 or 3), rounded up, clamped to int64. */
int64_t decimal_round_up(struct decimal d, int milli_digits);
