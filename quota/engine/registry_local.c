/* LocalQueues, and the workloads that name them. */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"

struct local_queue_record *local_queue_find(const struct engine *engine, const char *namespace,
                                            const char *name)
{
    return namespaced_find(engine->local_queues, namespace, name);
}

struct local_queue_record *local_queue_get(struct engine *engine, const char *namespace,
                                           const char *name)
{
    struct local_queue_record *queue = local_queue_find(engine, namespace, name);

    if (queue)
        return queue;
    queue = mem_alloc(sizeof(*queue));
    queue->key = mem_format("%s/%s", namespace, name);
    queue->name = queue->key + strlen(namespace) + 1;
    queue->namespace = namespace_get(engine, namespace);
    queue->weight = quantity_of(1, QUANTITY_DECIMAL);
    queue->sample_at = TIME_NONE;
    queue->sample_place = HEAP_ABSENT;
    map_put(engine->local_queues, str_of(queue->key), queue);
    return queue;
}

bool local_queue_is_open(const struct local_queue_record *queue)
{
    return queue->exists && queue->stop_policy == STOP_NONE && queue->cluster_queue &&
           queue->cluster_queue->exists;
}

static void queue_link(struct local_queue_record *queue, struct cluster_queue_record *target)
{
    queue->cluster_queue = target;
    if (!target)
        return;
    queue->previous = NULL;
    queue->next = target->local_queues;
    if (queue->next)
        queue->next->previous = queue;
    target->local_queues = queue;
}

static void queue_unlink(struct engine *engine, struct local_queue_record *queue)
{
    struct cluster_queue_record *target = queue->cluster_queue;

    if (!target)
        return;
    if (queue->previous)
        queue->previous->next = queue->next;
    else
        target->local_queues = queue->next;
    if (queue->next)
        queue->next->previous = queue->previous;
    queue->cluster_queue = NULL;
    queue->next = queue->previous = NULL;
    cluster_queue_release(engine, target);
}

static void queue_free(struct local_queue_record *queue)
{
    fair_ledger_destroy(queue->ledger);
    free(queue->usage);
    free(queue->key);
    free(queue);
}

void local_queue_release(struct engine *engine, struct local_queue_record *queue)
{
    if (queue->exists || queue->items)
        return;
    queue_unlink(engine, queue);
    map_remove(engine->local_queues, str_of(queue->key));
    changed_forget_local_queue(engine, queue);
    queue_free(queue);
}

static void queue_pull(struct engine *engine, struct local_queue_record *queue)
{
    for (struct item *item = queue->items; item; item = item->queue_next)
        pending_remove(engine, item);
}

static void queue_push(struct engine *engine, struct local_queue_record *queue)
{
    for (struct item *item = queue->items; item; item = item->queue_next)
        pending_push(engine, item);
}

/* Only waiting workloads change sides: a reservation stays where it was made. */
static void queue_retarget(struct engine *engine, struct local_queue_record *queue,
                           const char *cluster_queue)
{
    struct cluster_queue_record *target =
        cluster_queue && *cluster_queue ? cluster_queue_get(engine, cluster_queue) : NULL;

    if (queue->cluster_queue == target)
        return;
    queue_pull(engine, queue);
    queue_unlink(engine, queue);
    queue_link(queue, target);
}

void engine_local_queue_put(struct engine *engine, const struct local_queue *facts, int64_t now)
{
    struct local_queue_record *queue = local_queue_get(engine, facts->namespace, facts->name);
    struct quantity weight = facts->has_weight ? facts->weight : quantity_of(1, QUANTITY_DECIMAL);
    const struct cluster_queue_record *old_target = queue->cluster_queue;
    bool is_new = !queue->exists, was_open = local_queue_is_open(queue), is_open, reweighted;

    engine->now = now;
    reweighted = quantity_compare(queue->weight, weight) != 0;
    queue->exists = true;
    queue->stop_policy = facts->stop_policy;
    queue->weight = weight;
    queue->created = facts->created;
    queue_retarget(engine, queue, facts->cluster_queue);
    if (is_new)
        fair_ledger_seed(engine, queue, facts);
    fair_plan(engine, queue);
    is_open = local_queue_is_open(queue);
    if (was_open && !is_open)
        queue_pull(engine, queue);
    if (is_open && (!was_open || queue->cluster_queue != old_target))
        queue_push(engine, queue);
    if (reweighted)
        fair_order_refresh(engine, queue->cluster_queue);
    local_queue_changed(engine, queue);
}

void engine_local_queue_remove(struct engine *engine, const char *namespace, const char *name,
                               int64_t now)
{
    struct local_queue_record *queue = local_queue_find(engine, namespace, name);

    engine->now = now;
    if (!queue || !queue->exists)
        return;
    queue_pull(engine, queue);
    queue->exists = false;
    fair_ledger_destroy(queue->ledger);
    queue->ledger = NULL;
    fair_plan(engine, queue);
    queue->weight = quantity_of(1, QUANTITY_DECIMAL);
    local_queue_changed(engine, queue);
    local_queue_release(engine, queue);
}

void local_queues_finish(struct engine *engine)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(engine->local_queues, &at, &entry);)
        queue_free(entry.value);
    map_destroy(engine->local_queues);
}

/* ---- usage of a LocalQueue, as its status shows it ---- */

struct local_queue_usage *local_usage_row(struct local_queue_record *queue, uint32_t fr)
{
    for (size_t i = 0; i < queue->usage_count; i++)
        if (queue->usage[i].fr == fr)
            return &queue->usage[i];
    queue->usage =
        mem_grow(queue->usage, queue->usage_count, &queue->usage_capacity, sizeof(*queue->usage));
    queue->usage[queue->usage_count] = (struct local_queue_usage){ .fr = fr };
    return &queue->usage[queue->usage_count++];
}
