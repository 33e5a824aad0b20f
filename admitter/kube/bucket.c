#include "admitter/kube/bucket.h"

void bucket_init(struct bucket *b, unsigned burst, int64_t refill_ms, int64_t now_ms)
{
    *b = (struct bucket){ burst, burst, refill_ms, now_ms };
}

static void refill(struct bucket *b, int64_t now_ms)
{
    int64_t fresh = (now_ms - b->since_ms) / b->refill_ms;

    if (fresh <= 0)
        return;
    b->since_ms += fresh * b->refill_ms;
    b->tokens = fresh >= (int64_t)(b->burst - b->tokens) ? b->burst : b->tokens + (unsigned)fresh;
}

bool bucket_take(struct bucket *b, int64_t now_ms)
{
    refill(b, now_ms);
    if (b->tokens == 0)
        return false;
    if (b->tokens == b->burst)
        b->since_ms = now_ms; /* a full bucket gains nothing by waiting */
    b->tokens--;
    return true;
}

bool bucket_is_full(struct bucket *b, int64_t now_ms)
{
    refill(b, now_ms);
    return b->tokens == b->burst;
}
