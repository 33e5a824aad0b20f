/* share.h - dominant resource shares, compared exactly (spec/scheduling.md 5.6).
 *
 * Engine thread. A share is kept as the fraction borrowed / lendable and the node's weight; two of
 * them are compared by multiplying out in 192 bits, so that no rounding ever decides. */
#pragma once

#include "quota/engine/engine_private.h"

struct share {
    uint64_t borrowed, lendable; /* of the dominant resource; 0 / 1 when nothing counts */
    uint64_t weight;             /* billionths */
    bool is_borrowing;           /* over the subtree quota on some FR */
};

struct share share_of(struct engine *engine, const struct node *node);
int share_compare(const struct share *a, const struct share *b); /* <0, 0, >0 */
bool share_is_infinite(const struct share *share);
/* As status.fairSharing.weightedShare: rounded up, INT64_MAX for infinity. */
int64_t share_reported(const struct share *share);
