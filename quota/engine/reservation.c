/* Who holds quota: usage of ClusterQueues and LocalQueues, and the order of preemption. */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"

bool preempted_before(const struct item *a, const struct item *b)
{
    int order;

    if (a->priority != b->priority)
        return a->priority < b->priority;
    if (a->reservation->reserved_at != b->reservation->reserved_at)
        return a->reservation->reserved_at > b->reservation->reserved_at;
    order = strcmp(item_uid(a), item_uid(b));
    return order != 0 ? order < 0 : strcmp(a->key, b->key) < 0;
}

/* ---- ordered lists ---- */

static size_t list_place(const struct item_list *list, const struct item *item)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (preempted_before(list->items[middle], item))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void list_insert(struct item_list *list, struct item *item)
{
    size_t place = list_place(list, item);

    list->items = mem_grow(list->items, list->count, &list->capacity, sizeof(struct item *));
    memmove(&list->items[place + 1], &list->items[place],
            (list->count - place) * sizeof(struct item *));
    list->items[place] = item;
    list->count++;
}

static void list_remove(struct item_list *list, const struct item *item)
{
    size_t place = list_place(list, item);

    if (place == list->count || list->items[place] != item)
        return;
    list->count--;
    memmove(&list->items[place], &list->items[place + 1],
            (list->count - place) * sizeof(struct item *));
}

/* ---- counters ---- */

static void admitted_count(struct engine *engine, struct item *item, int sign)
{
    struct reservation *held = item->reservation;
    struct cluster_queue_record *queue = held->queue;

    queue->admitted_count += sign;
    if (item->local_queue)
        fair_admitted(engine, item->local_queue, sign);
    for (size_t i = 0; i < held->usage_count; i++) {
        uint32_t fr = held->usage[i].fr;
        int64_t amount = held->usage[i].amount;

        if (fr >= queue->admitted_capacity) {
            queue->admitted = mem_resize(queue->admitted, fr + 1, sizeof(*queue->admitted));
            memset(&queue->admitted[queue->admitted_capacity], 0,
                   (fr + 1 - queue->admitted_capacity) * sizeof(*queue->admitted));
            queue->admitted_capacity = fr + 1;
        }
        queue->admitted[fr] = sign > 0 ? amount_add(queue->admitted[fr], amount)
                                       : amount_sub(queue->admitted[fr], amount);
        if (item->local_queue) {
            struct local_queue_usage *row = local_usage_row(item->local_queue, fr);

            row->admitted =
                sign > 0 ? amount_add(row->admitted, amount) : amount_sub(row->admitted, amount);
        }
    }
}

static void local_count(struct item *item, int sign)
{
    struct reservation *held = item->reservation;

    if (!item->local_queue)
        return;
    item->local_queue->reserving += sign;
    for (size_t i = 0; i < held->usage_count; i++) {
        struct local_queue_usage *row = local_usage_row(item->local_queue, held->usage[i].fr);

        row->reserved = sign > 0 ? amount_add(row->reserved, held->usage[i].amount)
                                 : amount_sub(row->reserved, held->usage[i].amount);
    }
}

void reservation_file(struct engine *engine, struct item *item)
{
    struct reservation *held = item->reservation;

    if (!held || held->is_superseded)
        return;
    held->is_evicted = item->evicted;
    held->is_admitted = item->admitted;
    held->counts_not_ready = !item->pods_ready;
    list_insert(held->is_evicted ? &held->queue->evicted : &held->queue->reserving, item);
    if (held->is_admitted)
        admitted_count(engine, item, 1);
    local_count(item, 1);
    engine->not_ready_count += held->counts_not_ready;
    queue_changed(engine, held->queue);
    tree_changed(engine, &held->queue->node);
    if (item->local_queue)
        local_queue_changed(engine, item->local_queue);
}

void reservation_unfile(struct engine *engine, struct item *item)
{
    struct reservation *held = item->reservation;

    if (!held || held->is_superseded)
        return;
    list_remove(held->is_evicted ? &held->queue->evicted : &held->queue->reserving, item);
    if (held->is_admitted)
        admitted_count(engine, item, -1);
    local_count(item, -1);
    engine->not_ready_count -= held->counts_not_ready;
    queue_changed(engine, held->queue);
    if (item->local_queue)
        local_queue_changed(engine, item->local_queue);
}

/* ---- making and dropping ---- */

/* ---- slices (4.11) ---- */

static void usage_charge(struct engine *engine, const struct reservation *held)
{
    for (size_t i = 0; i < held->usage_count; i++)
        usage_add(&engine->journal, &held->queue->node, held->usage[i].fr, held->usage[i].amount);
}

/* Usage that ran into the largest amount has lost what it is the sum of. */
static bool is_saturated(const struct node *node, uint32_t fr)
{
    for (bool is_cyclic = node->is_cyclic; node; node = is_cyclic ? NULL : node->parent)
        if (node_cell(node, fr)->usage == AMOUNT_UNLIMITED)
            return true;
    return false;
}

static int64_t list_usage(const struct item_list *list, uint32_t fr)
{
    int64_t sum = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct reservation *held = list->items[i]->reservation;

        for (size_t k = 0; k < held->usage_count; k++)
            if (held->usage[k].fr == fr)
                sum = amount_add(sum, held->usage[k].amount);
    }
    return sum;
}

/* The holder is unfiled: what the lists hold is what stays. */
static void usage_release(struct engine *engine, const struct reservation *held)
{
    struct cluster_queue_record *queue = held->queue;

    for (size_t i = 0; i < held->usage_count; i++) {
        uint32_t fr = held->usage[i].fr;

        if (!is_saturated(&queue->node, fr)) {
            usage_remove(&engine->journal, &queue->node, fr, held->usage[i].amount);
            continue;
        }
        node_cell_grow(&queue->node, fr)->usage =
            amount_add(list_usage(&queue->reserving, fr), list_usage(&queue->evicted, fr));
        tree_touch(engine, &queue->node);
    }
}

void reservation_supersede(struct engine *engine, struct item *old)
{
    reservation_unfile(engine, old);
    usage_release(engine, old->reservation);
    old->reservation->is_superseded = true;
}

/* The new slice lost its quota before the old one was finished: the old one counts again. */
static void superseded_restore(struct engine *engine, const struct item *item)
{
    struct item *old = item->extra && item->extra->slice_for
                           ? map_get(engine->items, str_of(item->extra->slice_for))
                           : NULL;

    if (!old || old == item || !old->reservation || !old->reservation->is_superseded)
        return;
    old->reservation->is_superseded = false;
    usage_charge(engine, old->reservation);
    reservation_file(engine, old);
}

static void usage_sum(struct reservation *held)
{
    for (size_t i = 0; i < held->row_count; i++) {
        size_t k = 0;

        while (k < held->usage_count && held->usage[k].fr != held->rows[i].fr)
            k++;
        if (k == held->usage_count)
            held->usage[held->usage_count++] = (struct fr_amount){ held->rows[i].fr, 0 };
        held->usage[k].amount = amount_add(held->usage[k].amount, held->rows[i].amount);
    }
}

static struct reservation *reservation_make(struct engine *engine,
                                            struct cluster_queue_record *queue,
                                            const struct hold_row *rows, size_t count)
{
    struct reservation *held =
        mem_alloc(sizeof(*held) + count * (sizeof(*rows) + sizeof(struct fr_amount)));

    held->queue = queue;
    queue->holder_count++;
    held->usage = (struct fr_amount *)(held + 1);
    held->rows = (struct hold_row *)(held->usage + count);
    held->row_count = count;
    if (count > 0)
        memcpy(held->rows, rows, count * sizeof(*rows));
    usage_sum(held);
    usage_charge(engine, held);
    return held;
}

void reservation_drop(struct engine *engine, struct item *item)
{
    struct reservation *held = item->reservation;
    struct cluster_queue_record *queue;

    if (!held)
        return;
    queue = held->queue;
    if (!held->is_superseded)
        usage_release(engine, held);
    queue->own_generation = ++engine->generation;
    item->reservation = NULL;
    item->place = ITEM_NOWHERE;
    queue->holder_count--;
    free(held);
    superseded_restore(engine, item);
    queue_changed(engine, queue);
    tree_changed(engine, &queue->node);
    cluster_queue_release(engine, queue);
}

void reservation_assume(struct engine *engine, struct item *item,
                        struct cluster_queue_record *queue, const struct hold_row *rows,
                        size_t row_count, int64_t now)
{
    item->reservation = reservation_make(engine, queue, rows, row_count);
    item->reservation->reserved_at = now;
    item->reservation->is_assumed = true;
    item->place = ITEM_RESERVING;
    reservation_file(engine, item);
}

/* ---- status.admission ---- */

static uint32_t pod_set_index(const struct item *item, const char *name, size_t guess)
{
    for (uint32_t i = 0; i < item->pod_set_count; i++)
        if (strcmp(item->pod_sets[i].shape->pod_set->name, name) == 0)
            return i;
    return (uint32_t)guess;
}

static size_t rows_read(struct engine *engine, const struct item *item,
                        const struct workload *workload, struct hold_row **rows)
{
    size_t sets, count = 0, total = 0;
    struct pod_set_amounts *view =
        reserved_view(workload, &engine->options.gates, &engine->call, &sets);

    for (size_t i = 0; i < sets; i++)
        total += view[i].amounts.count;
    *rows = ARENA_ARRAY(&engine->call, total + 1, struct hold_row);
    for (size_t i = 0; i < sets; i++)
        for (size_t k = 0; k < view[i].amounts.count; k++) {
            const struct resource_amount *row = &view[i].amounts.items[k];

            if (!row->flavor)
                continue;
            (*rows)[count++] =
                (struct hold_row){ pod_set_index(item, view[i].name, i),
                                   catalog_fr(engine, catalog_flavor(engine, row->flavor),
                                              catalog_resource(engine, row->resource)),
                                   row->amount };
        }
    return count;
}

static bool rows_equal(const struct reservation *held, const struct hold_row *rows, size_t count)
{
    if (held->row_count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (held->rows[i].pod_set != rows[i].pod_set || held->rows[i].fr != rows[i].fr ||
            held->rows[i].amount != rows[i].amount)
            return false;
    return true;
}

void reservation_read(struct engine *engine, struct item *item, const struct workload *workload,
                      int64_t reserved_at)
{
    struct cluster_queue_record *queue =
        cluster_queue_get(engine, workload->admission.cluster_queue);
    struct hold_row *rows;
    size_t count = rows_read(engine, item, workload, &rows);
    struct reservation *held = item->reservation;
    bool issued = held && held->eviction_issued, refused = held && held->eviction_refused;

    if (held && held->is_superseded)
        return;
    if (!held || held->queue != queue || !rows_equal(held, rows, count)) {
        reservation_drop(engine, item);
        queue = cluster_queue_get(engine, workload->admission.cluster_queue);
        held = item->reservation = reservation_make(engine, queue, rows, count);
        held->eviction_issued = issued;
        held->eviction_refused = refused;
    } else {
        queue->own_generation = ++engine->generation; /* taken out and put in again, for 4.6 */
    }
    held->is_assumed = false;
    held->reserved_at = reserved_at;
    item->place = ITEM_RESERVING;
}
