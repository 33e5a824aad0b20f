#include "quota/engine/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"
#include "quota/engine/share.h"

/* ---- shares ---- */

static bool node_share(const struct engine *engine, const struct node *node, double *value)
{
    struct share share;

    if (!engine->options.fair_sharing || node->is_cyclic)
        return false;
    trees_settle(engine);
    share = share_of((struct engine *)(uintptr_t)engine, node);
    if (share.borrowed == 0)
        *value = 0;
    else if (share_is_infinite(&share))
        *value = INFINITY;
    else
        *value =
            (double)share.borrowed * 1000.0 / (double)share.lendable / ((double)share.weight / 1e9);
    return true;
}

bool engine_cluster_queue_share(const struct engine *engine, const char *name, double *share)
{
    const struct cluster_queue_record *queue = cluster_queue_find(engine, name);

    return queue && queue->exists && node_share(engine, &queue->node, share);
}

bool engine_cohort_share(const struct engine *engine, const char *name, double *share)
{
    const struct cohort_record *cohort = cohort_find(engine, name);

    return cohort && node_share(engine, &cohort->node, share);
}

/* ---- limits ---- */

static int64_t limit_shown(int64_t limit)
{
    return limit == LIMIT_ABSENT ? AMOUNT_UNLIMITED : limit;
}

static size_t limit_count(const struct cluster_queue_record *queue)
{
    size_t count = 0;

    for (size_t g = 0; g < queue->group_count; g++)
        count += queue->groups[g].flavor_count * queue->groups[g].resource_count;
    return count;
}

static size_t group_limits(const struct engine *engine, const struct cluster_queue_record *queue,
                           const struct quota_group *group, struct quota_limits *limits)
{
    size_t count = 0;

    for (size_t f = 0; f < group->flavor_count; f++)
        for (size_t r = 0; r < group->resource_count; r++) {
            uint32_t fr = group->flavors[f].frs[r];
            const struct cell *cell = node_cell(&queue->node, fr);

            limits[count++] =
                (struct quota_limits){ fr_flavor_name(engine, fr), fr_resource_name(engine, fr),
                                       cell->nominal, limit_shown(cell->borrowing),
                                       limit_shown(cell->lending) };
        }
    return count;
}

struct quota_limits *engine_cluster_queue_limits(const struct engine *engine, const char *name,
                                                 struct arena *arena, size_t *count)
{
    const struct cluster_queue_record *queue = cluster_queue_find(engine, name);
    struct quota_limits *limits;

    *count = 0;
    if (!queue || !queue->exists)
        return NULL;
    limits = ARENA_ARRAY(arena, limit_count(queue) + 1, struct quota_limits);
    for (size_t g = 0; g < queue->group_count; g++)
        *count += group_limits(engine, queue, &queue->groups[g], limits + *count);
    return limits;
}

/* ---- what waits ---- */

struct demand_list {
    struct pending_demand *rows;
    size_t count, capacity;
};

static void demand_add(struct demand_list *list, const char *resource, int64_t amount)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->rows[i].resource, resource) == 0) {
            list->rows[i].amount = amount_add(list->rows[i].amount, amount);
            return;
        }
    list->rows = mem_grow(list->rows, list->count, &list->capacity, sizeof(*list->rows));
    list->rows[list->count++] = (struct pending_demand){ resource, amount };
}

static void demand_of(struct demand_list *list, const struct item *item)
{
    for (uint32_t i = 0; i < item->pod_set_count; i++) {
        const struct pod_set_use *use = &item->pod_sets[i];

        for (size_t k = 0; k < use->shape->requests.count; k++)
            demand_add(list, use->shape->requests.items[k].resource,
                       amount_mul(use->shape->requests.items[k].amount, use->effective));
    }
}

static void demand_covered(struct demand_list *list, const struct engine *engine,
                           const struct cluster_queue_record *queue)
{
    for (size_t g = 0; g < queue->group_count; g++)
        for (size_t r = 0; r < queue->groups[g].resource_count; r++)
            demand_add(list, intern_text(engine->resource_names, queue->groups[g].resources[r]), 0);
}

struct pending_demand *engine_pending_demand(const struct engine *engine, const char *name,
                                             struct arena *arena, size_t *count)
{
    const struct cluster_queue_record *queue = cluster_queue_find(engine, name);
    struct demand_list list = { 0 };
    struct pending_demand *rows;

    if (queue) {
        demand_covered(&list, engine, queue);
        for (size_t i = 0; i < queue->heap.count; i++)
            demand_of(&list, queue->heap.items[i]);
        for (struct item *item = queue->parked; item; item = item->kin_next)
            demand_of(&list, item);
    }
    *count = list.count;
    rows = ARENA_ARRAY(arena, list.count + 1, struct pending_demand);
    for (size_t i = 0; i < list.count; i++)
        rows[i] = (struct pending_demand){ arena_strdup(arena, list.rows[i].resource),
                                           list.rows[i].amount };
    free(list.rows);
    return rows;
}

static int64_t parked_kinds(const struct cluster_queue_record *queue)
{
    struct id_map *kinds = id_map_create();
    int64_t count;

    for (struct item *item = queue->parked; item; item = item->kin_next)
        id_map_put(kinds, item->equivalence, item);
    count = (int64_t)id_map_count(kinds);
    id_map_destroy(kinds);
    return count;
}

struct pending_kinds engine_pending_kinds(const struct engine *engine, const char *name)
{
    const struct cluster_queue_record *queue = cluster_queue_find(engine, name);

    if (!queue)
        return (struct pending_kinds){ 0, 0 };
    return (struct pending_kinds){ queue->alike ? (int64_t)id_map_count(queue->alike) : 0,
                                   parked_kinds(queue) };
}

/* ---- place in the tree ---- */

static void node_place(const struct node *node, struct tree_place *place)
{
    const struct node *root = node;

    *place = (struct tree_place){ node->parent ? node->parent->name : "", "", node->is_cyclic };
    while (!node->is_cyclic && root->parent)
        root = root->parent;
    if (!node->is_cyclic && (node->is_cohort || node->parent))
        place->root = root->name;
}

bool engine_cluster_queue_place(const struct engine *engine, const char *name,
                                struct tree_place *place)
{
    const struct cluster_queue_record *queue = cluster_queue_find(engine, name);

    if (!queue || !queue->exists)
        return false;
    node_place(&queue->node, place);
    return true;
}

bool engine_cohort_place(const struct engine *engine, const char *name, struct tree_place *place)
{
    const struct cohort_record *cohort = cohort_find(engine, name);

    if (!cohort)
        return false;
    node_place(&cohort->node, place);
    return true;
}

int64_t engine_cohort_admitted(const struct engine *engine, const char *name)
{
    const struct cohort_record *cohort = cohort_find(engine, name);
    struct node *root;
    int64_t count = 0;

    if (!cohort || cohort->node.is_cyclic)
        return 0;
    root = (struct node *)(uintptr_t)&cohort->node;
    for (struct node *node = root; node; node = tree_next(root, node))
        if (!node->is_cohort)
            count += node_queue(node)->admitted_count;
    return count;
}
