/* bucket.h - a token bucket: so many at once, then one per period. Pure; time is an argument. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    unsigned burst, tokens;
    int64_t refill_ms; /* one token comes back after so long */
    int64_t since_ms;  /* tokens are counted up to here */
};

void bucket_init(struct bucket *b, unsigned burst, int64_t refill_ms, int64_t now_ms);
bool bucket_take(struct bucket *b, int64_t now_ms); /* false: empty */
bool bucket_is_full(struct bucket *b, int64_t now_ms);
