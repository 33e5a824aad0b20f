/* Trees under change: which must be recomputed, which contain cycles, who else is concerned. */
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"

void tree_touch(struct engine *engine, struct node *node)
{
    if (node->is_dirty)
        return;
    node->is_dirty = true;
    engine->dirty = mem_grow(engine->dirty, engine->dirty_count, &engine->dirty_capacity,
                             sizeof(*engine->dirty));
    engine->dirty[engine->dirty_count++] = node;
}

static void settle_all(struct engine *engine)
{
    for (size_t i = 0; i < engine->dirty_count; i++) {
        struct node *node = engine->dirty[i];

        if (!node->is_dirty)
            continue;
        node->is_dirty = false;
        if (!node->is_cyclic)
            tree_settle(tree_root(node));
    }
    engine->dirty_count = 0;
}

void trees_settle(const struct engine *engine)
{
    if (engine->dirty_count > 0)
        settle_all((struct engine *)(uintptr_t)engine);
}

void tree_forget(struct engine *engine, struct node *node)
{
    heap_remove(&engine->unpark_due, node);
    for (size_t i = 0; i < engine->dirty_count; i++)
        if (engine->dirty[i] == node)
            engine->dirty[i--] = engine->dirty[--engine->dirty_count];
}

/* After an edge between cohorts changed. Nodes that leave a cycle are recomputed and marked. */
static void cyclic_mark(struct engine *engine, struct node *node)
{
    bool cyclic = tree_is_cyclic(node);

    if (node->is_cyclic == cyclic)
        return;
    node->is_cyclic = cyclic;
    tree_touch(engine, node);
    if (!cyclic)
        node->mark = engine->walk_mark;
    if (!node->is_cohort)
        queue_changed(engine, node_queue(node));
}

void cyclic_marks_update(struct engine *engine)
{
    struct map_entry entry;

    engine->walk_mark++;
    for (size_t at = 0; map_next(engine->cohorts, &at, &entry);)
        cyclic_mark(engine, &((struct cohort_record *)entry.value)->node);
    for (size_t at = 0; map_next(engine->cluster_queues, &at, &entry);)
        cyclic_mark(engine, &((struct cluster_queue_record *)entry.value)->node);
    for (size_t at = 0; map_next(engine->cohorts, &at, &entry);) {
        struct node *node = &((struct cohort_record *)entry.value)->node;

        if (node->mark == engine->walk_mark)
            tree_unpark(engine, node, engine->now);
    }
}

uint64_t queue_generation(const struct cluster_queue_record *queue)
{
    const struct node *node = &queue->node;
    uint64_t generation = queue->own_generation;

    if (node->is_cyclic)
        return generation;
    while (node->parent)
        node = node->parent;
    return node->generation > generation ? node->generation : generation;
}

void tree_generation_grow(struct engine *engine, struct node *node)
{
    if (!node->is_cyclic)
        tree_root(node)->generation = ++engine->generation;
    else if (!node->is_cohort)
        node_queue(node)->own_generation = ++engine->generation;
}

bool unpark_before(const void *a, const void *b, void *context)
{
    const struct node *left = a, *right = b;

    (void)context;
    if (left->unpark_at != right->unpark_at)
        return left->unpark_at < right->unpark_at;
    return strcmp(left->name, right->name) < 0;
}

void tree_unpark(struct engine *engine, struct node *node, int64_t now)
{
    if (node->is_cyclic)
        return;
    node = tree_root(node);
    if (node->unpark_at != TIME_NONE || (!node->is_cohort && !node_queue(node)->exists))
        return;
    node->unpark_at = now + engine->options.requeue_batch;
    heap_push(&engine->unpark_due, node);
}

void tree_changed(struct engine *engine, struct node *node)
{
    if (node->is_cyclic)
        return;
    for (; node; node = node->parent)
        if (node->is_cohort)
            cohort_changed(engine, node_cohort(node));
}

/* What a queue borrows is weighed against what its tree can lend (5.6). */
void tree_quota_changed(struct engine *engine, struct node *node)
{
    struct node *root;

    tree_changed(engine, node);
    if (!engine->options.fair_sharing || node->is_cyclic)
        return;
    root = tree_root(node);
    if (!root->is_cohort || node_cohort(root)->is_wholly_changed)
        return;
    for (struct node *n = root; n; n = tree_next(root, n))
        if (n->is_cohort)
            cohort_changed(engine, node_cohort(n));
        else
            queue_changed(engine, node_queue(n));
    node_cohort(root)->is_wholly_changed = true;
}
