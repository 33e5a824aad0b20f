/* Admission fair sharing: what each LocalQueue consumed lately (spec/scheduling.md 6.3 - 6.6). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/decimal.h"
#include "quota/engine/engine_private.h"
#include "quota/engine/figures.h"
#include "quota/engine/scaled.h"

struct fair_row {
    uint32_t resource;
    __int128 nano;
};
struct fair_rows {
    struct fair_row *items;
    size_t count, capacity;
};
struct penalty { /* 6.5 */
    const struct item *item;
    struct fair_rows amounts;
};
struct fair_ledger {
    struct fair_rows consumed; /* C */
    struct penalty *penalties; /* P */
    size_t penalty_count, penalty_capacity;
    int64_t updated;
    struct fair_rows order; /* C + P as the heap last saw it */
    struct quantity order_weight;
};

bool fair_is_enabled(const struct engine *engine)
{
    return engine->options.admission_fair_sharing && engine->options.gates.admission_fair_sharing;
}

static bool applies_to(const struct engine *engine, const struct local_queue_record *queue)
{
    return fair_is_enabled(engine) && queue && queue->cluster_queue &&
           queue->cluster_queue->copy.usage_based_admission;
}

/* ---- rows ---- */

static void rows_add(struct fair_rows *rows, uint32_t resource, __int128 nano)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->items[i].resource == resource) {
            rows->items[i].nano += nano;
            return;
        }
    rows->items = mem_grow(rows->items, rows->count, &rows->capacity, sizeof(*rows->items));
    rows->items[rows->count++] = (struct fair_row){ resource, nano };
}

static void rows_clear(struct fair_rows *rows)
{
    free(rows->items);
    *rows = (struct fair_rows){ 0 };
}

static __int128 amount_nano(const struct engine *engine, uint32_t resource, int64_t amount)
{
    const char *name = intern_text(engine->resource_names, resource);

    return (__int128)amount * (resource_is_cpu(str_of(name)) ? 1000000 : 1000000000);
}

/* ---- ledgers ---- */

static struct fair_ledger *ledger_of(struct local_queue_record *queue)
{
    if (!queue->ledger) {
        queue->ledger = mem_alloc(sizeof(*queue->ledger));
        queue->ledger->updated = TIME_NONE;
        queue->ledger->order_weight = queue->weight;
    }
    return queue->ledger;
}

void fair_ledger_destroy(struct fair_ledger *ledger)
{
    if (!ledger)
        return;
    for (size_t i = 0; i < ledger->penalty_count; i++)
        rows_clear(&ledger->penalties[i].amounts);
    free(ledger->penalties);
    rows_clear(&ledger->consumed);
    rows_clear(&ledger->order);
    free(ledger);
}

static void order_update(struct local_queue_record *queue)
{
    struct fair_ledger *ledger = ledger_of(queue);

    ledger->order.count = 0;
    ledger->order_weight = queue->weight;
    for (size_t i = 0; i < ledger->consumed.count; i++)
        rows_add(&ledger->order, ledger->consumed.items[i].resource,
                 ledger->consumed.items[i].nano);
    for (size_t p = 0; p < ledger->penalty_count; p++)
        for (size_t i = 0; i < ledger->penalties[p].amounts.count; i++)
            rows_add(&ledger->order, ledger->penalties[p].amounts.items[i].resource,
                     ledger->penalties[p].amounts.items[i].nano);
}

void fair_ledger_seed(struct engine *engine, struct local_queue_record *queue,
                      const struct local_queue *facts)
{
    struct fair_ledger *ledger;

    if (!fair_is_enabled(engine))
        return;
    ledger = ledger_of(queue);
    ledger->updated = facts->has_consumed ? facts->consumed_updated : engine->now;
    rows_clear(&ledger->consumed);
    for (size_t i = 0; facts->has_consumed && i < facts->consumed.count; i++)
        rows_add(&ledger->consumed, catalog_resource(engine, facts->consumed.items[i].name),
                 facts->consumed.items[i].quantity.nano);
    order_update(queue);
    if (applies_to(engine, queue))
        pending_heap_rebuild(queue->cluster_queue);
}

/* ---- order (6.4) ---- */

static __int128 resource_weight(const struct engine *engine, uint32_t resource)
{
    const char *name = intern_text(engine->resource_names, resource);

    for (size_t i = 0; i < engine->options.resource_weight_count; i++)
        if (strcmp(engine->options.resource_weights[i].resource, name) == 0)
            return engine->options.resource_weights[i].weight.nano;
    return 1000000000;
}

static struct decimal weighted_sum(const struct engine *engine, const struct fair_ledger *ledger,
                                   __int128 times)
{
    struct decimal sum = { { 0 } };

    for (size_t i = 0; i < ledger->order.count; i++)
        sum = decimal_add(sum,
                          decimal_product(resource_weight(engine, ledger->order.items[i].resource),
                                          ledger->order.items[i].nano, times));
    return sum;
}

static bool decimal_is_zero(struct decimal d)
{
    for (int i = 0; i < DECIMAL_LIMBS; i++)
        if (d.limb[i] != 0)
            return false;
    return true;
}

/* usage_a / weight_a against usage_b / weight_b, multiplied out. */
static int ledgers_compare(const struct engine *engine, const struct fair_ledger *a,
                           const struct fair_ledger *b)
{
    __int128 a_weight = a->order_weight.nano, b_weight = b->order_weight.nano;
    struct decimal difference;

    if (a_weight <= 0 || b_weight <= 0)
        return (a_weight <= 0) - (b_weight <= 0);
    difference = decimal_add(weighted_sum(engine, a, b_weight), weighted_sum(engine, b, -a_weight));
    if (decimal_is_negative(difference))
        return -1;
    return decimal_is_zero(difference) ? 0 : 1;
}

int fair_order(const struct engine *engine, const struct local_queue_record *a,
               const struct local_queue_record *b)
{
    static const struct fair_ledger nothing = { .order_weight = { 1000000000, QUANTITY_DECIMAL } };

    if (a == b)
        return 0;
    return ledgers_compare(engine, a->ledger ? a->ledger : &nothing,
                           b->ledger ? b->ledger : &nothing);
}

bool fair_has_penalties(const struct engine *engine, const struct cluster_queue_record *queue)
{
    if (!fair_is_enabled(engine))
        return false;
    for (const struct local_queue_record *l = queue->local_queues; l; l = l->next)
        if (l->ledger && l->ledger->penalty_count > 0)
            return true;
    return false;
}

void fair_order_refresh(struct engine *engine, struct cluster_queue_record *queue)
{
    if (!fair_is_enabled(engine))
        return;
    for (struct local_queue_record *l = queue->local_queues; l; l = l->next)
        order_update(l);
    pending_heap_rebuild(queue);
}

/* ---- penalties (6.5) ---- */

static void penalty_remove(struct fair_ledger *ledger, size_t place)
{
    rows_clear(&ledger->penalties[place].amounts);
    ledger->penalties[place] = ledger->penalties[--ledger->penalty_count];
}

static size_t penalty_find(const struct fair_ledger *ledger, const struct item *item)
{
    size_t i = 0;

    while (i < ledger->penalty_count && ledger->penalties[i].item != item)
        i++;
    return i;
}

void fair_penalty_drop(struct engine *engine, struct item *item)
{
    struct fair_ledger *ledger = item->local_queue ? item->local_queue->ledger : NULL;
    size_t place;

    if (!ledger)
        return;
    place = penalty_find(ledger, item);
    if (place == ledger->penalty_count)
        return;
    penalty_remove(ledger, place);
    if (item->local_queue->cluster_queue)
        fair_order_refresh(engine, item->local_queue->cluster_queue);
}

static void penalty_rows(struct engine *engine, const struct item *item, struct fair_rows *rows)
{
    const struct cluster_queue_record *queue = item_queue(item);
    bool covered_only = engine->options.gates.quota_check_strategy && queue->copy.ignore_undeclared;
    double alpha =
        decay_alpha(engine->options.usage_sampling_interval, engine->options.usage_half_life);

    for (uint32_t i = 0; i < item->pod_set_count; i++) {
        const struct pod_set_use *use = &item->pod_sets[i];

        for (size_t k = 0; k < use->shape->requests.count; k++) {
            const struct resource_amount *row = &use->shape->requests.items[k];
            uint32_t resource = catalog_resource(engine, row->resource);

            if (!covered_only || queue_group_of(queue, resource))
                rows_add(rows, resource,
                         amount_nano(engine, resource, amount_scale(row->amount, use->effective)));
        }
    }
    for (size_t i = 0; i < rows->count; i++)
        rows->items[i].nano = quantity_scale(rows->items[i].nano, alpha);
}

void fair_penalty_push(struct engine *engine, struct item *item)
{
    struct fair_ledger *ledger;
    struct penalty penalty = { .item = item };
    size_t place;

    if (!applies_to(engine, item->local_queue))
        return;
    ledger = ledger_of(item->local_queue);
    place = penalty_find(ledger, item);
    if (place < ledger->penalty_count)
        penalty_remove(ledger, place);
    penalty_rows(engine, item, &penalty.amounts);
    ledger->penalties = mem_grow(ledger->penalties, ledger->penalty_count,
                                 &ledger->penalty_capacity, sizeof(*ledger->penalties));
    ledger->penalties[ledger->penalty_count++] = penalty;
    fair_order_refresh(engine, item_queue(item));
}

/* ---- settlement and sampling (6.6) ---- */

static void admitted_rows(const struct engine *engine, const struct local_queue_record *queue,
                          struct fair_rows *rows)
{
    for (size_t i = 0; i < queue->usage_count; i++) {
        uint32_t resource = engine->frs[queue->usage[i].fr].resource;

        rows_add(rows, resource, amount_nano(engine, resource, queue->usage[i].admitted));
    }
}

/* C becomes decay(C, U, elapsed). */
static void consumed_decay(struct engine *engine, struct local_queue_record *queue, int64_t now)
{
    struct fair_ledger *ledger = ledger_of(queue);
    int64_t elapsed =
        ledger->updated == TIME_NONE || now < ledger->updated ? 0 : now - ledger->updated;
    double alpha = decay_alpha(elapsed, engine->options.usage_half_life);
    struct fair_rows used = { 0 };

    ledger->updated = now;
    if (engine->options.usage_half_life == 0) {
        rows_clear(&ledger->consumed);
        return;
    }
    for (size_t i = 0; i < ledger->consumed.count; i++)
        ledger->consumed.items[i].nano =
            quantity_scale(ledger->consumed.items[i].nano, 1.0 - alpha);
    admitted_rows(engine, queue, &used);
    for (size_t i = 0; i < used.count; i++)
        rows_add(&ledger->consumed, used.items[i].resource,
                 quantity_scale(used.items[i].nano, alpha));
    rows_clear(&used);
}

void fair_wake(struct engine *engine, struct local_queue_record *queue)
{
    struct fair_ledger *ledger = queue->ledger;
    int64_t interval = engine->options.usage_sampling_interval, idle;

    if (!ledger || ledger->consumed.count > 0 || ledger->updated == TIME_NONE || interval <= 0)
        return;
    idle = engine->now - ledger->updated;
    if (idle >= 2 * interval) /* otherwise the sample may just be due */
        ledger->updated += idle / interval * interval;
}

void fair_settle(struct engine *engine, struct item *item, int64_t now)
{
    struct local_queue_record *queue = item->local_queue;
    struct fair_ledger *ledger = queue ? queue->ledger : NULL;
    size_t place;

    if (!ledger || !applies_to(engine, queue))
        return;
    place = penalty_find(ledger, item);
    if (place == ledger->penalty_count)
        return;
    consumed_decay(engine, queue, now);
    for (size_t i = 0; i < ledger->penalties[place].amounts.count; i++)
        rows_add(&ledger->consumed, ledger->penalties[place].amounts.items[i].resource,
                 ledger->penalties[place].amounts.items[i].nano);
    penalty_remove(ledger, place);
    fair_order_refresh(engine, queue->cluster_queue);
    local_queue_changed(engine, queue);
}

static bool is_worth_sampling(const struct local_queue_record *queue)
{
    return queue->ledger && (queue->ledger->consumed.count > 0 || queue->admitted > 0);
}

static int64_t sample_due(const struct engine *engine, const struct local_queue_record *queue)
{
    if (!applies_to(engine, queue) || !is_worth_sampling(queue) ||
        queue->ledger->updated == TIME_NONE)
        return TIME_NONE;
    return queue->ledger->updated + engine->options.usage_sampling_interval;
}

int64_t fair_next_due(const struct engine *engine)
{
    struct map_entry entry;
    int64_t due = TIME_NONE;

    if (!fair_is_enabled(engine))
        return TIME_NONE;
    for (size_t at = 0; map_next(engine->local_queues, &at, &entry);) {
        int64_t own = sample_due(engine, entry.value);

        if (own != TIME_NONE && (due == TIME_NONE || own < due))
            due = own;
    }
    return due;
}

void fair_sample(struct engine *engine, int64_t now)
{
    struct map_entry entry;

    if (!fair_is_enabled(engine))
        return;
    for (size_t at = 0; map_next(engine->local_queues, &at, &entry);) {
        struct local_queue_record *queue = entry.value;
        int64_t due = sample_due(engine, queue);

        if (due == TIME_NONE || due > now)
            continue;
        consumed_decay(engine, queue, now);
        fair_order_refresh(engine, queue->cluster_queue);
        local_queue_changed(engine, queue);
    }
}

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
        sum += (double)resource_weight(engine, rows->items[i].resource) / 1e9 *
               ((double)rows->items[i].nano / 1e9);
    return sum;
}

bool engine_local_queue_fair_usage(const struct engine *engine, const char *namespace,
                                   const char *name, double *usage)
{
    const struct local_queue_record *queue = local_queue_find(engine, namespace, name);

    if (!queue || !queue->exists || !applies_to(engine, queue))
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
            rows_add(&sum, queue->ledger->penalties[p].amounts.items[i].resource,
                     queue->ledger->penalties[p].amounts.items[i].nano);
    rows_report(engine, &sum, arena, penalty);
    rows_clear(&sum);
}
