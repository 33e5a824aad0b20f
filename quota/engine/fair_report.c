/* Admission fair sharing as the status of a LocalQueue and the gauges show it (6.4 - 6.6). */
#include <math.h>

#include "quota/engine/fair_ledger.h"
#include "quota/engine/figures.h"

/* ---- status.fairSharing.admissionFairSharingStatus ---- */

static void rows_report(const struct engine *engine, const struct fair_rows *rows,
                        struct arena *arena, struct resource_list *list)
{
    list->count = rows->count;
    list->items = ARENA_ARRAY(arena, rows->count + 1, struct resource_quantity);
    for (size_t i = 0; i < rows->count; i++) {
        list->items[i].name =
            arena_strdup(arena, intern_text(engine->resource_names, rows->items[i].resource));
        list->items[i].quantity = (struct quantity){ rows->items[i].nano, QUANTITY_DECIMAL };
    }
}

bool engine_local_queue_consumed(const struct engine *engine, const char *namespace,
                                 const char *name, struct arena *arena,
                                 struct resource_list *consumed, int64_t *updated)
{
    const struct local_queue_record *queue = local_queue_find(engine, namespace, name);

    *consumed = (struct resource_list){ 0 };
    *updated = TIME_NONE;
    if (!queue || !queue->exists || !queue->ledger || !fair_is_enabled(engine))
        return false;
    *updated = queue->ledger->updated;
    rows_report(engine, &queue->ledger->consumed, arena, consumed);
    return true;
}

/* ---- for gauges and people (figures.h) ---- */

static double resource_units(const struct engine *engine, const struct fair_rows *rows)
{
    double sum = 0;

    for (size_t i = 0; i < rows->count; i++)
        sum += (double)fair_resource_weight(engine, rows->items[i].resource) / 1e9 *
               ((double)rows->items[i].nano / 1e9);
    return sum;
}

bool engine_local_queue_fair_usage(const struct engine *engine, const char *namespace,
                                   const char *name, double *usage)
{
    const struct local_queue_record *queue = local_queue_find(engine, namespace, name);

    if (!queue || !queue->exists || !fair_applies_to(engine, queue))
        return false;
    *usage = queue->ledger ? resource_units(engine, &queue->ledger->consumed) : 0;
    for (size_t i = 0; queue->ledger && i < queue->ledger->penalty_count; i++)
        *usage += resource_units(engine, &queue->ledger->penalties[i].amounts);
    *usage =
        queue->weight.nano <= 0 ? (double)INFINITY : *usage / ((double)queue->weight.nano / 1e9);
    return true;
}

void engine_local_queue_penalty(const struct engine *engine, const char *namespace,
                                const char *name, struct arena *arena,
                                struct resource_list *penalty)
{
    const struct local_queue_record *queue = local_queue_find(engine, namespace, name);
    struct fair_rows sum = { 0 };

    for (size_t p = 0; queue && queue->ledger && p < queue->ledger->penalty_count; p++)
        for (size_t i = 0; i < queue->ledger->penalties[p].amounts.count; i++)
            fair_rows_add(&sum, queue->ledger->penalties[p].amounts.items[i].resource,
                          queue->ledger->penalties[p].amounts.items[i].nano);
    rows_report(engine, &sum, arena, penalty);
    fair_rows_clear(&sum);
}
