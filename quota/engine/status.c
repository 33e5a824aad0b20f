/* What the status of queues and cohorts shows, and lists for people. */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"
#include "quota/engine/share.h"

static struct engine *engine_mutable(const struct engine *engine)
{
    return (struct engine *)(uintptr_t)engine;
}

static void share_report(const struct engine *engine, const struct node *node,
                         struct queue_status *status)
{
    struct share share;

    if (!engine->options.fair_sharing || node->is_cyclic)
        return;
    share = share_of(engine_mutable(engine), node);
    status->has_weighted_share = true;
    status->weighted_share = share_reported(&share);
}

/* ---- usage rows ---- */

struct row_list {
    struct flavor_resource_usage *rows;
    size_t count, declared; /* the first ones are of the spec */
    bool *done;             /* by FR */
};

static struct row_list rows_begin(const struct engine *engine, struct arena *a)
{
    return (struct row_list){
        .rows = ARENA_ARRAY(a, engine->fr_count + 1, struct flavor_resource_usage),
        .done = ARENA_ARRAY(a, engine->fr_count + 1, bool),
    };
}

static void rows_end(const struct row_list *list, struct queue_status *status)
{
    status->usage = list->rows;
    status->usage_count = list->count;
    status->removed_count = list->count - list->declared;
}

static struct flavor_resource_usage *row_new(const struct engine *engine, struct row_list *list,
                                             uint32_t fr)
{
    struct flavor_resource_usage *row = &list->rows[list->count++];

    list->done[fr] = true;
    row->flavor = fr_flavor_name(engine, fr);
    row->resource = fr_resource_name(engine, fr);
    return row;
}

static int64_t above(int64_t usage, int64_t nominal)
{
    int64_t over = amount_sub(usage, nominal);

    return over > 0 ? over : 0;
}

static void queue_row(const struct engine *engine, const struct cluster_queue_record *queue,
                      struct row_list *list, uint32_t fr)
{
    const struct cell *cell = node_cell(&queue->node, fr);
    struct flavor_resource_usage *row;

    if (list->done[fr])
        return;
    row = row_new(engine, list, fr);
    row->nominal = cell->nominal;
    row->total = cell->usage;
    row->admitted = fr < queue->admitted_capacity ? queue->admitted[fr] : 0;
    if (!queue->node.parent)
        return;
    row->borrowed = above(row->total, row->nominal);
    row->admitted_borrowed = above(row->admitted, row->nominal);
}

static void queue_rows(const struct engine *engine, const struct cluster_queue_record *queue,
                       struct arena *a, struct queue_status *status)
{
    struct row_list list = rows_begin(engine, a);

    for (size_t g = 0; g < queue->group_count; g++)
        for (size_t f = 0; f < queue->groups[g].flavor_count; f++)
            for (size_t r = 0; r < queue->groups[g].resource_count; r++)
                queue_row(engine, queue, &list, queue->groups[g].flavors[f].frs[r]);
    list.declared = list.count;
    for (uint32_t fr = 0; fr < queue->node.cell_count; fr++)
        if (queue->node.cells[fr].usage != 0)
            queue_row(engine, queue, &list, fr);
    rows_end(&list, status);
}

bool engine_cluster_queue_status(const struct engine *engine, const char *name, struct arena *arena,
                                 struct queue_status *status)
{
    const struct cluster_queue_record *queue = cluster_queue_find(engine, name);

    *status = (struct queue_status){ 0 };
    if (!queue || !queue->exists)
        return false;
    trees_settle(engine);
    status->activity = (struct queue_activity){ queue->is_active, queue->activity_reason,
                                                arena_strdup(arena, queue->activity_message) };
    status->pending_active = (int64_t)queue->heap.count;
    status->pending = status->pending_active + (int64_t)queue->parked_count;
    status->reserving = (int64_t)(queue->reserving.count + queue->evicted.count);
    status->admitted = queue->admitted_count;
    queue_rows(engine, queue, arena, status);
    share_report(engine, &queue->node, status);
    return true;
}

static void local_row(const struct engine *engine, const struct local_queue_record *queue,
                      struct row_list *list, uint32_t fr)
{
    struct flavor_resource_usage *row;

    if (list->done[fr])
        return;
    row = row_new(engine, list, fr);
    for (size_t i = 0; i < queue->usage_count; i++)
        if (queue->usage[i].fr == fr) {
            row->total = queue->usage[i].reserved;
            row->admitted = queue->usage[i].admitted;
        }
}

static void local_rows(const struct engine *engine, const struct local_queue_record *queue,
                       struct arena *a, struct queue_status *status)
{
    const struct cluster_queue_record *target = queue->cluster_queue;
    struct row_list list = rows_begin(engine, a);

    for (size_t g = 0; target && g < target->group_count; g++)
        for (size_t f = 0; f < target->groups[g].flavor_count; f++)
            for (size_t r = 0; r < target->groups[g].resource_count; r++)
                local_row(engine, queue, &list, target->groups[g].flavors[f].frs[r]);
    list.declared = list.count;
    for (size_t i = 0; i < queue->usage_count; i++)
        if (queue->usage[i].reserved != 0)
            local_row(engine, queue, &list, queue->usage[i].fr);
    rows_end(&list, status);
}

/* A LocalQueue counts its workloads, whether its ClusterQueue exists or not (3.1). */
static int64_t local_pending(const struct engine *engine, const struct local_queue_record *queue)
{
    int64_t count = 0;

    if (queue->stop_policy != STOP_NONE || (queue->cluster_queue && queue->cluster_queue->exists))
        return queue->pending;
    for (const struct item *item = queue->items; item; item = item->queue_next)
        count += !item->reservation && item_is_admissible(engine, item);
    return count;
}

bool engine_local_queue_status(const struct engine *engine, const char *namespace, const char *name,
                               struct arena *arena, struct queue_status *status)
{
    const struct local_queue_record *queue = local_queue_find(engine, namespace, name);

    *status = (struct queue_status){ 0 };
    if (!queue || !queue->exists)
        return false;
    status->pending = local_pending(engine, queue);
    status->pending_active = queue->pending_active;
    status->reserving = queue->reserving;
    status->admitted = queue->admitted;
    local_rows(engine, queue, arena, status);
    return true;
}

static int64_t reserved_below(const struct node *cohort, uint32_t fr)
{
    struct node *root = (struct node *)(uintptr_t)cohort;
    int64_t sum = 0;

    if (cohort->is_cyclic)
        return 0;
    for (struct node *node = root; node; node = tree_next(root, node))
        if (!node->is_cohort)
            sum = amount_add(sum, node_cell(node, fr)->usage);
    return sum;
}

bool engine_cohort_status(const struct engine *engine, const char *name, struct arena *arena,
                          struct queue_status *status)
{
    const struct cohort_record *cohort = cohort_find(engine, name);
    struct row_list list;

    *status = (struct queue_status){ 0 };
    if (!cohort)
        return false;
    trees_settle(engine);
    list = rows_begin(engine, arena);
    for (uint32_t fr = 0; fr < cohort->node.cell_count; fr++) {
        const struct cell *cell = &cohort->node.cells[fr];
        struct flavor_resource_usage *row;

        if (!cell->known && cell->usage == 0)
            continue;
        row = row_new(engine, &list, fr);
        row->nominal = cell->subtree;
        row->total = cell->usage;
        row->borrowed = cohort->node.parent ? above(cell->usage, cell->subtree) : 0;
        row->reserved_below = reserved_below(&cohort->node, fr);
    }
    list.declared = list.count;
    rows_end(&list, status);
    share_report(engine, &cohort->node, status);
    return true;
}

/* ---- names ---- */

static const char **map_names(const struct map *map, bool (*wanted)(const void *value),
                              struct arena *a, size_t *count)
{
    struct map_entry *sorted = map_sorted(map);
    size_t all = map_count(map);
    const char **names = ARENA_ARRAY(a, all + 1, const char *);

    *count = 0;
    for (size_t i = 0; i < all; i++)
        if (wanted(sorted[i].value))
            names[(*count)++] = arena_strdup(a, sorted[i].key.text);
    free(sorted);
    return names;
}

static bool queue_exists(const void *value)
{
    return ((const struct cluster_queue_record *)value)->exists;
}

static bool any(const void *value)
{
    return value != NULL;
}

const char **engine_cluster_queue_names(const struct engine *engine, struct arena *arena,
                                        size_t *count)
{
    return map_names(engine->cluster_queues, queue_exists, arena, count);
}

const char **engine_cohort_names(const struct engine *engine, struct arena *arena, size_t *count)
{
    return map_names(engine->cohorts, any, arena, count);
}

const char *engine_cohort_parent(const struct engine *engine, const char *name)
{
    const struct cohort_record *cohort = cohort_find(engine, name);

    return cohort && cohort->node.parent ? cohort->node.parent->name : "";
}

/* ---- workloads ---- */

enum place engine_workload_place(const struct engine *engine, const char *namespace,
                                 const char *name)
{
    const struct item *item = item_find(engine, namespace, name);

    if (!item)
        return PLACE_UNKNOWN;
    switch (item->place) {
    case ITEM_HEAP:
        return PLACE_HEAP;
    case ITEM_PARKED:
        return PLACE_PARKED;
    case ITEM_INFLIGHT:
        return PLACE_INFLIGHT;
    case ITEM_RESERVING:
        return PLACE_RESERVING;
    default:
        return PLACE_NOT_QUEUED;
    }
}

static int serving_compare(const void *a, const void *b, void *context)
{
    const struct item *left = *(struct item *const *)a, *right = *(struct item *const *)b;

    if (item_before(left, right, context))
        return -1;
    return item_before(right, left, context) ? 1 : 0;
}

static int key_compare(const void *a, const void *b)
{
    return strcmp((*(struct item *const *)a)->key, (*(struct item *const *)b)->key);
}

static void queued_fill(const struct item *item, struct queued_workload *queued, struct arena *a)
{
    *queued = (struct queued_workload){
        .namespace = arena_strdup(a, item->namespace->name),
        .name = arena_strdup(a, item_name(item)),
        .local_queue = arena_strdup(a, item->local_queue->name),
        .priority = item->priority,
        .created = item->created,
        .parked = item->place == ITEM_PARKED,
    };
}

struct queued_workload *engine_queue_list(const struct engine *engine, const char *cluster_queue,
                                          struct arena *arena, size_t *count)
{
    const struct cluster_queue_record *queue = cluster_queue_find(engine, cluster_queue);
    struct queued_workload *list;
    struct item **items;
    size_t n = 0;

    *count = 0;
    if (!queue)
        return NULL;
    items = mem_array(queue->heap.count + queue->parked_count + 1, sizeof(struct item *));
    for (size_t i = 0; i < queue->heap.count; i++)
        items[n++] = queue->heap.items[i];
    qsort_r(items, n, sizeof(struct item *), serving_compare, engine_mutable(engine));
    for (struct item *item = queue->parked; item; item = item->kin_next)
        items[n++] = item;
    qsort(items + queue->heap.count, queue->parked_count, sizeof(struct item *), key_compare);
    list = ARENA_ARRAY(arena, n + 1, struct queued_workload);
    for (size_t i = 0; i < n; i++)
        queued_fill(items[i], &list[i], arena);
    free(items);
    *count = n;
    return list;
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **engine_reserving_list(const struct engine *engine, const char *cluster_queue,
                                   struct arena *arena, size_t *count)
{
    const struct cluster_queue_record *queue = cluster_queue_find(engine, cluster_queue);
    const char **keys;

    *count = 0;
    if (!queue)
        return NULL;
    keys = ARENA_ARRAY(arena, queue->reserving.count + queue->evicted.count + 1, const char *);
    for (size_t i = 0; i < queue->reserving.count; i++)
        keys[(*count)++] = arena_strdup(arena, queue->reserving.items[i]->key);
    for (size_t i = 0; i < queue->evicted.count; i++)
        keys[(*count)++] = arena_strdup(arena, queue->evicted.items[i]->key);
    qsort(keys, *count, sizeof(*keys), name_compare);
    return keys;
}
