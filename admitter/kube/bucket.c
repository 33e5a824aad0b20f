#include "admitter/kube/bucket.h"

void bucket_init(struct bucket *b, unsigned burst, int64_t period, int64_t now)
{
    *b = (struct bucket){ burst, burst, period, now };
}

static void refill(struct bucket *b, int64_t now)
{
    int64_t fresh = (now - b->since) / b->period;

    if (fresh <= 0)
        return;
    b->since += fresh * b->period;
    b->tokens = fresh >= (int64_t)(b->burst - b->tokens) ? b->burst : b->tokens + (unsigned)fresh;
}

bool bucket_take(struct bucket *b, int64_t now)
{
    refill(b, now);
    if (b->tokens == 0)
        return false;
    if (b->tokens == b->burst)
        b->since = now; /* a full bucket gains nothing by waiting */
    b->tokens--;
    return true;
}

bool bucket_is_full(struct bucket *b, int64_t now)
{
    refill(b, now);
    return b->tokens == b->burst;
}

int64_t bucket_wait(const struct bucket *b, int64_t now)
{
    int64_t passed = now - b->since;

    return passed < b->period ? b->period - passed : 0;
}
