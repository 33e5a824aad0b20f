/* Admission fair sharing: the order of LocalQueues, and penalties (spec/scheduling.md 6.3 - 6.6).
 */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/decimal.h"
#include "quota/engine/fair_ledger.h"
#include "quota/engine/scaled.h"

bool fair_is_enabled(const struct engine *engine)
{
    return engine->options.admission_fair_sharing && engine->options.gates.admission_fair_sharing;
}

bool fair_applies_to(const struct engine *engine, const struct local_queue_record *queue)
{
    return fair_is_enabled(engine) && queue && queue->cluster_queue &&
           queue->cluster_queue->copy.usage_based_admission;
}

/* ---- rows ---- */

void fair_rows_add(struct fair_rows *rows, uint32_t resource, __int128 nano)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->items[i].resource == resource) {
            rows->items[i].nano += nano;
            return;
        }
    rows->items = mem_grow(rows->items, rows->count, &rows->capacity, sizeof(*rows->items));
    rows->items[rows->count++] = (struct fair_row){ resource, nano };
}

void fair_rows_clear(struct fair_rows *rows)
{
    free(rows->items);
    *rows = (struct fair_rows){ 0 };
}

__int128 fair_amount_nano(const struct engine *engine, uint32_t resource, int64_t amount)
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
        fair_rows_clear(&ledger->penalties[i].amounts);
    free(ledger->penalties);
    fair_rows_clear(&ledger->consumed);
    fair_rows_clear(&ledger->order);
    free(ledger);
}

static void order_update(struct local_queue_record *queue)
{
    struct fair_ledger *ledger = ledger_of(queue);

    ledger->order.count = 0;
    ledger->order_weight = queue->weight;
    for (size_t i = 0; i < ledger->consumed.count; i++)
        fair_rows_add(&ledger->order, ledger->consumed.items[i].resource,
                      ledger->consumed.items[i].nano);
    for (size_t p = 0; p < ledger->penalty_count; p++)
        for (size_t i = 0; i < ledger->penalties[p].amounts.count; i++)
            fair_rows_add(&ledger->order, ledger->penalties[p].amounts.items[i].resource,
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
    fair_rows_clear(&ledger->consumed);
    for (size_t i = 0; facts->has_consumed && i < facts->consumed.count; i++)
        fair_rows_add(&ledger->consumed, catalog_resource(engine, facts->consumed.items[i].name),
                      facts->consumed.items[i].quantity.nano);
    order_update(queue);
    if (fair_applies_to(engine, queue))
        queue->cluster_queue->order_is_stale = true;
}

/* ---- order (6.4) ---- */

__int128 fair_resource_weight(const struct engine *engine, uint32_t resource)
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
        sum = decimal_add(
            sum, decimal_product(fair_resource_weight(engine, ledger->order.items[i].resource),
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

void fair_order_refresh(struct engine *engine, struct cluster_queue_record *queue)
{
    if (!fair_is_enabled(engine) || !queue)
        return;
    for (struct local_queue_record *l = queue->local_queues; l; l = l->next)
        order_update(l);
    queue->order_is_stale = true;
}

/* ---- penalties (6.5) ---- */

static void penalty_remove(struct fair_ledger *ledger, size_t place)
{
    fair_rows_clear(&ledger->penalties[place].amounts);
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
    order_update(item->local_queue);
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
                fair_rows_add(
                    rows, resource,
                    fair_amount_nano(engine, resource, amount_scale(row->amount, use->effective)));
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

    if (!fair_applies_to(engine, item->local_queue))
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

void fair_settle(struct engine *engine, struct item *item, int64_t now)
{
    struct local_queue_record *queue = item->local_queue;
    struct fair_ledger *ledger = queue ? queue->ledger : NULL;
    size_t place;

    if (!ledger || !fair_applies_to(engine, queue))
        return;
    place = penalty_find(ledger, item);
    if (place == ledger->penalty_count)
        return;
    fair_decay(engine, queue, now);
    for (size_t i = 0; i < ledger->penalties[place].amounts.count; i++)
        fair_rows_add(&ledger->consumed, ledger->penalties[place].amounts.items[i].resource,
                      ledger->penalties[place].amounts.items[i].nano);
    penalty_remove(ledger, place);
    fair_plan(engine, queue);
    fair_order_refresh(engine, queue->cluster_queue);
    local_queue_changed(engine, queue);
}
