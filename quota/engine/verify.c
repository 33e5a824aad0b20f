/* Does everything that is kept up step by step still equal what it stands for? (section 10) */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"

/* ---- usage ---- */

static int64_t held_by(const struct item_list *list, uint32_t fr)
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

static int queue_usage_verify(const struct engine *engine, const struct cluster_queue_record *queue,
                              struct err *e)
{
    for (uint32_t fr = 0; fr < queue->node.cell_count; fr++) {
        int64_t held = amount_add(held_by(&queue->reserving, fr), held_by(&queue->evicted, fr));

        if (held != queue->node.cells[fr].usage)
            return err_set(e, ERR_INVALID,
                           "ClusterQueue %s: usage of %s in flavor %s is %lld, workloads hold %lld",
                           queue->name, fr_resource_name(engine, fr), fr_flavor_name(engine, fr),
                           (long long)queue->node.cells[fr].usage, (long long)held);
    }
    return 0;
}

static int cohort_usage_verify(const struct engine *engine, const struct cohort_record *cohort,
                               struct err *e)
{
    for (uint32_t fr = 0; fr < cohort->node.cell_count; fr++) {
        int64_t sum = 0, subtree = cohort->node.cells[fr].nominal;
        bool saturated = false; /* a child has forgotten how much of its usage it passed on */

        for (size_t i = 0; i < cohort->node.child_count; i++) {
            const struct cell *cell = node_cell(cohort->node.children[i], fr);
            int64_t beyond = amount_sub(cell->usage, cell->local);

            saturated = saturated || cell->usage == AMOUNT_UNLIMITED;
            sum = amount_add(sum, beyond > 0 ? beyond : 0);
            subtree = amount_add(subtree, amount_sub(cell->subtree, cell->local));
        }
        if ((!saturated && sum != cohort->node.cells[fr].usage) ||
            subtree != cohort->node.cells[fr].subtree)
            return err_set(e, ERR_INVALID,
                           "Cohort %s: %s in flavor %s: usage %lld of %lld, children say %lld of "
                           "%lld",
                           cohort->name, fr_resource_name(engine, fr), fr_flavor_name(engine, fr),
                           (long long)cohort->node.cells[fr].usage,
                           (long long)cohort->node.cells[fr].subtree, (long long)sum,
                           (long long)subtree);
    }
    return 0;
}

/* ---- places ---- */

static bool is_linked(const struct cluster_queue_record *queue, const struct item *parked)
{
    return (parked->kin_previous ? parked->kin_previous->kin_next : queue->parked) == parked;
}

static int item_place_verify(const struct engine *engine, const struct item *item, struct err *e)
{
    const struct cluster_queue_record *queue = item_queue(item);
    bool queued = item->local_queue && local_queue_is_open(item->local_queue) &&
                  item_is_admissible(engine, item) && !item->reservation;
    bool heap = item->place == ITEM_HEAP, parked = item->place == ITEM_PARKED;

    if (queued != (heap || parked))
        return err_set(e, ERR_INVALID, "Workload %s: place %d, but %s to be queued", item->key,
                       item->place, queued ? "ought" : "ought not");
    if (heap != (item->heap_place != HEAP_ABSENT) ||
        (heap && queue->heap.items[item->heap_place] != item))
        return err_set(e, ERR_INVALID, "Workload %s: not where the heap has it", item->key);
    if (parked && !is_linked(queue, item))
        return err_set(e, ERR_INVALID, "Workload %s: not among the parked", item->key);
    if ((item->place == ITEM_RESERVING) != (item->reservation != NULL))
        return err_set(e, ERR_INVALID, "Workload %s: place %d and reservation disagree", item->key,
                       item->place);
    return 0;
}

static int parked_verify(const struct cluster_queue_record *queue, struct err *e)
{
    size_t count = 0;

    for (const struct item *i = queue->parked; i && count <= queue->parked_count; i = i->kin_next)
        count++;
    if (count != queue->parked_count)
        return err_set(e, ERR_INVALID, "ClusterQueue %s: %zu parked, not %zu", queue->name, count,
                       queue->parked_count);
    return 0;
}

static int list_verify(const struct cluster_queue_record *queue, const struct item_list *list,
                       bool evicted, struct err *e)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct item *item = list->items[i];

        if (!item->reservation || item->reservation->queue != queue ||
            item->reservation->is_evicted != evicted)
            return err_set(e, ERR_INVALID, "ClusterQueue %s: %s is in the wrong list", queue->name,
                           item->key);
        if (i > 0 && !preempted_before(list->items[i - 1], item))
            return err_set(e, ERR_INVALID, "ClusterQueue %s: %s is out of preemption order",
                           queue->name, item->key);
    }
    return 0;
}

static int queue_verify(const struct engine *engine, const struct cluster_queue_record *queue,
                        struct err *e)
{
    bool ready = queue->exists && queue->is_active && queue->heap.count > 0;

    if (ready != (queue->ready_place != HEAP_ABSENT))
        return err_set(e, ERR_INVALID, "ClusterQueue %s: offers heads wrongly", queue->name);
    if (!queue->order_is_stale && !heap_is_ordered(&queue->heap))
        return err_set(e, ERR_INVALID, "ClusterQueue %s: heap out of order", queue->name);
    if (queue_usage_verify(engine, queue, e) < 0 || parked_verify(queue, e) < 0)
        return -1;
    if (list_verify(queue, &queue->reserving, false, e) < 0)
        return -1;
    return list_verify(queue, &queue->evicted, true, e);
}

static int sample_verify(const struct engine *engine, const struct local_queue_record *queue,
                         struct err *e)
{
    bool planned = heap_contains(&engine->samples, queue);

    if (queue->sample_at !=
            (fair_is_enabled(engine) ? fair_sample_due(engine, queue) : TIME_NONE) ||
        planned != (queue->sample_at != TIME_NONE))
        return err_set(e, ERR_INVALID, "LocalQueue %s: sampled at the wrong time", queue->key);
    return 0;
}

int engine_verify(const struct engine *engine, struct err *e)
{
    struct map_entry entry;

    trees_settle(engine);
    if (engine->journal.count > 0 || engine->journal.recording)
        return err_set(e, ERR_INVALID, "the journal is not empty");
    for (size_t n = 0; map_next(engine->cluster_queues, &n, &entry);)
        if (queue_verify(engine, entry.value, e) < 0)
            return -1;
    for (size_t n = 0; map_next(engine->cohorts, &n, &entry);) {
        const struct cohort_record *cohort = entry.value;

        if (!cohort->node.is_cyclic && cohort_usage_verify(engine, cohort, e) < 0)
            return -1;
    }
    for (size_t n = 0; map_next(engine->items, &n, &entry);)
        if (item_place_verify(engine, entry.value, e) < 0)
            return -1;
    for (size_t n = 0; map_next(engine->local_queues, &n, &entry);)
        if (sample_verify(engine, entry.value, e) < 0)
            return -1;
    return 0;
}
