/* Admission fair sharing: consumption decays with time and is sampled (spec/scheduling.md 6.6). */
#include <string.h>

#include "quota/engine/fair_ledger.h"
#include "quota/engine/scaled.h"

static void admitted_rows(const struct engine *engine, const struct local_queue_record *queue,
                          struct fair_rows *rows)
{
    for (size_t i = 0; i < queue->usage_count; i++) {
        uint32_t resource = engine->frs[queue->usage[i].fr].resource;

        fair_rows_add(rows, resource, fair_amount_nano(engine, resource, queue->usage[i].admitted));
    }
}

void fair_decay(struct engine *engine, struct local_queue_record *queue, int64_t now)
{
    struct fair_ledger *ledger = queue->ledger;
    int64_t elapsed =
        ledger->updated == TIME_NONE || now < ledger->updated ? 0 : now - ledger->updated;
    double alpha = decay_alpha(elapsed, engine->options.usage_half_life);
    struct fair_rows used = { 0 };

    ledger->updated = now;
    if (engine->options.usage_half_life == 0) {
        fair_rows_clear(&ledger->consumed);
        return;
    }
    for (size_t i = 0; i < ledger->consumed.count; i++)
        ledger->consumed.items[i].nano =
            quantity_scale(ledger->consumed.items[i].nano, 1.0 - alpha);
    admitted_rows(engine, queue, &used);
    for (size_t i = 0; i < used.count; i++)
        fair_rows_add(&ledger->consumed, used.items[i].resource,
                      quantity_scale(used.items[i].nano, alpha));
    fair_rows_clear(&used);
}

static bool is_worth_sampling(const struct local_queue_record *queue)
{
    return queue->ledger && (queue->ledger->consumed.count > 0 || queue->admitted > 0);
}

int64_t fair_sample_due(const struct engine *engine, const struct local_queue_record *queue)
{
    if (!fair_applies_to(engine, queue) || !is_worth_sampling(queue) ||
        queue->ledger->updated == TIME_NONE)
        return TIME_NONE;
    return queue->ledger->updated + engine->options.usage_sampling_interval;
}

bool sample_before(const void *a, const void *b, void *context)
{
    const struct local_queue_record *left = a, *right = b;

    (void)context;
    if (left->sample_at != right->sample_at)
        return left->sample_at < right->sample_at;
    return strcmp(left->key, right->key) < 0;
}

void fair_plan(struct engine *engine, struct local_queue_record *queue)
{
    int64_t due;

    if (!fair_is_enabled(engine))
        return;
    due = fair_sample_due(engine, queue);
    if (due == queue->sample_at)
        return;
    heap_remove(&engine->samples, queue);
    queue->sample_at = due;
    if (due != TIME_NONE)
        heap_push(&engine->samples, queue);
}

void fair_plan_all(struct engine *engine, struct cluster_queue_record *queue)
{
    for (struct local_queue_record *l = queue->local_queues; l; l = l->next)
        fair_plan(engine, l);
}

/* The idle time before the first admission counts as sampled. */
static void wake(const struct engine *engine, const struct local_queue_record *queue)
{
    struct fair_ledger *ledger = queue->ledger;
    int64_t interval = engine->options.usage_sampling_interval, idle;

    if (!ledger || ledger->consumed.count > 0 || ledger->updated == TIME_NONE)
        return;
    idle = engine->now - ledger->updated;
    if (idle >= 2 * interval) /* otherwise the sample may just be due */
        ledger->updated += idle / interval * interval;
}

void fair_admitted(struct engine *engine, struct local_queue_record *queue, int sign)
{
    queue->admitted += sign;
    if (sign > 0 && queue->admitted == 1)
        wake(engine, queue);
    fair_plan(engine, queue);
}

int64_t fair_next_due(const struct engine *engine)
{
    const struct local_queue_record *next = heap_peek(&engine->samples);

    return next ? next->sample_at : TIME_NONE;
}

void fair_sample(struct engine *engine, int64_t now)
{
    struct local_queue_record *queue;

    while ((queue = heap_peek(&engine->samples)) && queue->sample_at <= now) {
        fair_decay(engine, queue, now);
        fair_plan(engine, queue);
        fair_order_refresh(engine, queue->cluster_queue);
        local_queue_changed(engine, queue);
    }
}
