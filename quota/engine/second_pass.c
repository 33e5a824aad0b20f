/* Reserving workloads that need one more decision: the delayed topology (spec/scheduling.md 3.12).
 * Only a topology room can make that decision, so without its hooks nobody is queued here. */
#include "quota/engine/cycle.h"
#include "quota/engine/hooks.h"

/* 1 s x 2^(n-1), at most 30 s; n counts from 1. */
static int64_t second_pass_delay(unsigned attempt)
{
    int64_t delay = NANOSECONDS_PER_SECOND, most = 30 * NANOSECONDS_PER_SECOND;

    while (attempt-- > 1 && delay < most)
        delay *= 2;
    return delay < most ? delay : most;
}

static void plan(struct engine *engine, struct item *item, int64_t now)
{
    if (item->second_pass_tries < UINT8_MAX)
        item->second_pass_tries++;
    item->second_pass_at = now + second_pass_delay(item->second_pass_tries);
    heap_push(&engine->second_pass, item);
}

void second_pass_follow(struct engine *engine, struct item *item, const struct workload *workload,
                        int64_t now)
{
    const struct engine_hooks *hooks = engine->hooks;
    bool lost_a_node = workload->unhealthy_node_count > 0;
    bool wanted = hooks && hooks->wants_second_pass && hooks->second_pass && item->reservation &&
                  !item->evicted && !item->on_hold &&
                  (!lost_a_node || engine->options.gates.tas_failed_node_replacement) &&
                  hooks->wants_second_pass(hooks->context, workload);

    if (wanted && !heap_contains(&engine->second_pass, item))
        plan(engine, item, now);
    if (wanted)
        return;
    heap_remove(&engine->second_pass, item);
    item->second_pass_tries = 0;
    item->second_pass_at = TIME_NONE;
}

bool second_pass_is_due(const struct engine *engine, int64_t now)
{
    const struct item *item = heap_peek(&engine->second_pass);

    return item && item->second_pass_at <= now;
}

static void decide(struct cycle *cycle, struct item *item, struct decision *decision)
{
    const struct engine_hooks *hooks = cycle->engine->hooks;
    enum second_pass_end end;

    *decision =
        (struct decision){ .namespace = arena_strdup(cycle->a, item->namespace->name),
                           .name = arena_strdup(cycle->a, item_name(item)),
                           .uid = arena_strdup(cycle->a, item_uid(item)),
                           .cluster_queue = arena_strdup(cycle->a, item->reservation->queue->name),
                           .outcome = OUTCOME_PENDING,
                           .reason = "",
                           .message = "",
                           .flavors_considered = "",
                           .second_pass = true };
    end = hooks->second_pass(hooks->context, item->namespace->name, item_name(item),
                             &decision->admission, &decision->message, cycle->a);
    if (end == SECOND_PASS_DONE) {
        decision->outcome = item->admitted ? OUTCOME_ADMITTED : OUTCOME_RESERVED;
        decision->write_status = true;
        item->second_pass_tries = 0;
    } else if (end == SECOND_PASS_HOPELESS &&
               cycle->engine->options.gates.tas_failed_node_fail_fast) {
        decision->evicts_for_failed_node = true;
    } else {
        plan(cycle->engine, item, cycle->now);
    }
}

size_t second_pass_run(struct cycle *cycle, struct decision **decisions)
{
    struct engine *engine = cycle->engine;
    size_t count = 0;

    *decisions = ARENA_ARRAY(cycle->a, engine->second_pass.count + 1, struct decision);
    while (second_pass_is_due(engine, cycle->now))
        decide(cycle, heap_pop(&engine->second_pass), &(*decisions)[count++]);
    return count;
}
