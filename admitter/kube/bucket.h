/* bucket.h - a token bucket: so many at once, then one per period. Pure; time is an argument, in
 * any one unit that the caller keeps to. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    unsigned burst, tokens;
    int64_t period; /* one token comes back after so long */
    int64_t since;  /* tokens are counted up to here */
};

void bucket_init(struct bucket *b, unsigned burst, int64_t period, int64_t now);
bool bucket_take(struct bucket *b, int64_t now); /* false: empty */
bool bucket_is_full(struct bucket *b, int64_t now);
/* How long until an empty one has a token again. */
int64_t bucket_wait(const struct bucket *b, int64_t now);
