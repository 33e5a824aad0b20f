/* Reserving workloads that need one more decision: the delayed topology (spec/scheduling.md 3.12).
 * Only a topology room can make that decision, so without its hook nobody is queued here. */
#include "quota/engine/engine_private.h"
#include "quota/engine/hooks.h"

void second_pass_follow(struct engine *engine, struct item *item, const struct workload *workload,
                        int64_t now)
{
    bool wanted = engine->hooks && engine->hooks->wants_second_pass && item->reservation &&
                  !item->evicted && !item->on_hold &&
                  engine->hooks->wants_second_pass(engine->hooks->context, workload);

    if (!wanted) {
        heap_remove(&engine->second_pass, item);
        item->second_pass_tries = 0;
        item->second_pass_at = TIME_NONE;
        return;
    }
    if (heap_contains(&engine->second_pass, item))
        return;
    item->second_pass_at = now + second_pass_delay(item->second_pass_tries);
    heap_push(&engine->second_pass, item);
}

/* 1 s x 2^(n-1), at most 30 s. */
int64_t second_pass_delay(unsigned tries)
{
    int64_t delay = NANOSECONDS_PER_SECOND;

    while (tries-- > 0 && delay < 30 * NANOSECONDS_PER_SECOND)
        delay *= 2;
    return delay < 30 * NANOSECONDS_PER_SECOND ? delay : 30 * NANOSECONDS_PER_SECOND;
}
