/* ClusterQueues: as declared, and as their place in the tree. */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"

struct cluster_queue_record *cluster_queue_find(const struct engine *engine, const char *name)
{
    return map_get(engine->cluster_queues, str_of(name));
}

struct cluster_queue_record *cluster_queue_get(struct engine *engine, const char *name)
{
    struct cluster_queue_record *queue = cluster_queue_find(engine, name);

    if (!queue) {
        queue = mem_alloc(sizeof(*queue));
        queue->name = mem_dup(name);
        node_init(&queue->node, queue->name, false);
        queue->ready_place = HEAP_ABSENT;
        queue->last_unpark_cycle = -1;
        heap_init(&queue->heap, HEAP_PLACE(struct item, heap_place), item_before, engine);
        map_put(engine->cluster_queues, str_of(name), queue);
    }
    return queue;
}

static void queue_free(struct cluster_queue_record *queue)
{
    arena_finish(&queue->facts);
    arena_finish(&queue->activity_memory);
    heap_finish(&queue->heap);
    id_map_destroy(queue->marks);
    id_map_destroy(queue->alike);
    free(queue->reserving.items);
    free(queue->evicted.items);
    free(queue->admitted);
    node_finish(&queue->node);
    free(queue->name);
    free(queue);
}

void cluster_queue_release(struct engine *engine, struct cluster_queue_record *queue)
{
    if (queue->exists || queue->local_queues || queue->holder_count > 0)
        return;
    map_remove(engine->cluster_queues, str_of(queue->name));
    tree_forget(engine, &queue->node);
    changed_forget_queue(engine, queue);
    queue_free(queue);
}

const struct quota_group *queue_group_of(const struct cluster_queue_record *queue,
                                         uint32_t resource)
{
    for (size_t g = 0; g < queue->group_count; g++)
        for (size_t r = 0; r < queue->groups[g].resource_count; r++)
            if (queue->groups[g].resources[r] == resource)
                return &queue->groups[g];
    return NULL;
}

static void group_number(struct engine *engine, struct arena *a, const struct resource_group *from,
                         struct quota_group *to)
{
    to->resource_count = from->covered_count;
    to->flavor_count = from->flavor_count;
    to->resources = ARENA_ARRAY(a, from->covered_count + 1, uint32_t);
    to->flavors = ARENA_ARRAY(a, from->flavor_count + 1, struct group_flavor);
    for (size_t r = 0; r < from->covered_count; r++)
        to->resources[r] = catalog_resource(engine, from->covered_resources[r]);
    for (size_t f = 0; f < from->flavor_count; f++) {
        to->flavors[f].flavor = catalog_flavor(engine, from->flavors[f].flavor);
        to->flavors[f].frs = ARENA_ARRAY(a, from->covered_count + 1, uint32_t);
        for (size_t r = 0; r < from->covered_count; r++)
            to->flavors[f].frs[r] = catalog_fr(engine, to->flavors[f].flavor, to->resources[r]);
    }
}

static void groups_number(struct engine *engine, struct cluster_queue_record *queue)
{
    struct arena *a = &queue->facts;

    queue->group_count = queue->copy.group_count;
    queue->groups = ARENA_ARRAY(a, queue->group_count + 1, struct quota_group);
    for (size_t g = 0; g < queue->group_count; g++)
        group_number(engine, a, &queue->copy.groups[g], &queue->groups[g]);
    queue->covers_pods = queue_group_of(queue, engine->pods_resource) != NULL;
}

static void queue_move(struct engine *engine, struct cluster_queue_record *queue,
                       struct cohort_record *cohort)
{
    struct node *node = &queue->node, *old = node->parent;

    if (old == (cohort ? &cohort->node : NULL))
        return;
    tree_quota_changed(engine, node);
    heap_remove(&engine->unpark_due, node);
    node->unpark_at = TIME_NONE;
    node_attach(node, cohort ? &cohort->node : NULL);
    node->is_cyclic = cohort && cohort->node.is_cyclic;
    if (!old)
        return;
    tree_touch(engine, old);
    tree_generation_grow(engine, old);
    tree_unpark(engine, old, engine->now); /* what the queue borrowed there is free */
    cohort_release(engine, node_cohort(old));
}

static bool queue_same(const struct cluster_queue_record *queue, const struct cluster_queue *facts)
{
    return queue->exists && facts->generation != 0 && queue->copy.generation == facts->generation &&
           queue->copy.deleting == facts->deleting;
}

/* Everything that names the queue through a LocalQueue is offered to it. */
static void queue_workloads_push(struct engine *engine, struct cluster_queue_record *queue)
{
    for (struct local_queue_record *l = queue->local_queues; l; l = l->next) {
        local_queue_changed(engine, l);
        if (!local_queue_is_open(l))
            continue;
        for (struct item *item = l->items; item; item = item->queue_next)
            pending_push(engine, item);
    }
}

static void queue_copy(struct engine *engine, struct cluster_queue_record *queue,
                       const struct cluster_queue *facts)
{
    bool has_cohort = facts->cohort && *facts->cohort;

    arena_reset(&queue->facts);
    copy_cluster_queue(&queue->facts, facts, &queue->copy);
    groups_number(engine, queue);
    queue->node.weight = weight_nano(facts->has_weight, facts->weight);
    quotas_declare(engine, &queue->node, queue->copy.groups, queue->copy.group_count);
    queue_move(engine, queue, has_cohort ? cohort_get(engine, facts->cohort) : NULL);
    tree_touch(engine, &queue->node);
    tree_generation_grow(engine, &queue->node);
}

void engine_cluster_queue_put(struct engine *engine, const struct cluster_queue *facts, int64_t now)
{
    struct cluster_queue_record *queue = cluster_queue_get(engine, facts->name);
    bool is_new = !queue->exists, was_usage_based = queue->copy.usage_based_admission;

    engine->now = now;
    if (queue_same(queue, facts))
        return;
    queue->exists = true;
    queue_copy(engine, queue, facts);
    if (is_new)
        queue->usage_based_order = facts->usage_based_admission &&
                                   engine->options.admission_fair_sharing &&
                                   engine->options.gates.admission_fair_sharing;
    if (queue->copy.usage_based_admission != was_usage_based)
        fair_plan_all(engine, queue);
    activity_update(engine, queue, now);
    if (is_new)
        queue_workloads_push(engine, queue);
    tree_unpark(engine, &queue->node, now);
    queue_changed(engine, queue);
    tree_quota_changed(engine, &queue->node);
}

static void queue_workloads_pull(struct engine *engine, struct cluster_queue_record *queue)
{
    for (struct local_queue_record *l = queue->local_queues; l; l = l->next) {
        local_queue_changed(engine, l);
        for (struct item *item = l->items; item; item = item->queue_next)
            pending_remove(engine, item);
    }
}

void engine_cluster_queue_remove(struct engine *engine, const char *name, int64_t now)
{
    struct cluster_queue_record *queue = cluster_queue_find(engine, name);

    engine->now = now;
    if (!queue || !queue->exists)
        return;
    queue_workloads_pull(engine, queue);
    queue->exists = queue->is_active = queue->node.in_snapshot = false;
    queue_changed(engine, queue);
    pending_marks_drop(queue);
    pending_ready_update(engine, queue);
    node_undeclare(&queue->node);
    queue_move(engine, queue, NULL);
    tree_touch(engine, &queue->node);
    tree_generation_grow(engine, &queue->node);
    arena_reset(&queue->facts);
    memset(&queue->copy, 0, sizeof(queue->copy));
    fair_plan_all(engine, queue);
    queue->groups = NULL;
    queue->group_count = 0;
    cluster_queue_release(engine, queue);
}

void cluster_queues_finish(struct engine *engine)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(engine->cluster_queues, &at, &entry);)
        queue_free(entry.value);
    map_destroy(engine->cluster_queues);
}
