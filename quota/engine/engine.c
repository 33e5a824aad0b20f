/* The engine as a whole: its beginning and end, time, and answers to failed writes. */
#include "quota/engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"
#include "quota/engine/hooks.h"

static bool backoff_before(const void *a, const void *b, void *context)
{
    const struct item *left = a, *right = b;

    (void)context;
    if (left->requeue_at != right->requeue_at)
        return left->requeue_at < right->requeue_at;
    return strcmp(left->key, right->key) < 0;
}

static bool second_pass_before(const void *a, const void *b, void *context)
{
    const struct item *left = a, *right = b;

    (void)context;
    if (left->second_pass_at != right->second_pass_at)
        return left->second_pass_at < right->second_pass_at;
    return strcmp(left->key, right->key) < 0;
}

static void maps_create(struct engine *engine)
{
    engine->cohorts = map_create();
    engine->cluster_queues = map_create();
    engine->local_queues = map_create();
    engine->namespaces = map_create();
    engine->checks = map_create();
    engine->topologies = map_create();
    engine->runtime_classes = map_create();
    engine->device_classes = map_create();
    engine->claim_templates = map_create();
    engine->device_slices = map_create();
    engine->device_matches = map_create();
    engine->items = map_create_borrowing();
    engine->texts = map_create_borrowing();
}

struct engine *engine_create(const struct engine_options *options)
{
    struct engine *engine = mem_alloc(sizeof(*engine));

    copy_options(&engine->options_memory, options, &engine->options);
    if (engine->options.usage_sampling_interval <= 0)
        engine->options.usage_sampling_interval = 300 * NANOSECONDS_PER_SECOND;
    engine->flavor_names = intern_create();
    engine->shapes = shape_store_create(&engine->options);
    engine->resource_names = shape_store_resources(engine->shapes);
    engine->pods_resource = catalog_resource(engine, "pods");
    maps_create(engine);
    heap_init(&engine->unpark_due, HEAP_PLACE(struct node, due_place), unpark_before, NULL);
    heap_init(&engine->backoffs, HEAP_PLACE(struct item, backoff_place), backoff_before, NULL);
    heap_init(&engine->second_pass, HEAP_PLACE(struct item, second_place), second_pass_before,
              NULL);
    heap_init(&engine->samples, HEAP_PLACE(struct local_queue_record, sample_place), sample_before,
              NULL);
    return engine;
}

void engine_destroy(struct engine *engine)
{
    if (!engine)
        return;
    items_finish(engine);
    local_queues_finish(engine);
    cluster_queues_finish(engine);
    cohorts_finish(engine);
    namespaces_finish(engine);
    environment_finish(engine);
    devices_finish(engine);
    shape_store_destroy(engine->shapes);
    catalog_finish(engine);
    map_destroy(engine->texts);
    heap_finish(&engine->unpark_due);
    heap_finish(&engine->backoffs);
    heap_finish(&engine->second_pass);
    heap_finish(&engine->samples);
    changed_finish(engine);
    free(engine->dirty);
    free(engine->share_rows);
    free(engine->ready);
    free(engine->journal.entries);
    arena_finish(&engine->call);
    arena_finish(&engine->options_memory);
    free(engine);
}

void engine_hooks_set(struct engine *engine, const struct engine_hooks *hooks)
{
    engine->hooks = hooks;
}

/* ---- time ---- */

static int64_t sooner(int64_t a, int64_t b)
{
    if (a == TIME_NONE || b == TIME_NONE)
        return a == TIME_NONE ? b : a;
    return a < b ? a : b;
}

int64_t engine_next_requeue(const struct engine *engine)
{
    const struct node *node = heap_peek(&engine->unpark_due);
    const struct item *item = heap_peek(&engine->backoffs);
    const struct item *second = heap_peek(&engine->second_pass);
    int64_t due = node ? node->unpark_at : TIME_NONE;

    due = sooner(due, item ? item->requeue_at : TIME_NONE);
    return sooner(due, second ? second->second_pass_at : TIME_NONE);
}

int64_t engine_next_due(const struct engine *engine)
{
    return sooner(engine_next_requeue(engine), fair_next_due(engine));
}

static void batches_run(struct engine *engine, int64_t now)
{
    struct node *node;

    while ((node = heap_peek(&engine->unpark_due)) && node->unpark_at <= now) {
        heap_pop(&engine->unpark_due);
        node->unpark_at = TIME_NONE;
        pending_unpark_tree(engine, node);
    }
}

static void backoffs_run(struct engine *engine, int64_t now)
{
    struct item *item;

    while ((item = heap_peek(&engine->backoffs)) && item->requeue_at <= now) {
        heap_pop(&engine->backoffs);
        pending_backoff_end(engine, item);
    }
}

void engine_advance(struct engine *engine, int64_t now)
{
    engine->now = now;
    if (engine->options.hold_batches)
        return;
    fair_sample(engine, now);
    backoffs_run(engine, now);
    batches_run(engine, now);
}

/* ---- failed writes ---- */

void engine_admission_failed(struct engine *engine, const char *namespace, const char *name,
                             bool gone, int64_t now)
{
    struct item *item = item_find(engine, namespace, name);

    engine->now = now;
    if (!item || !item->reservation || !item->reservation->is_assumed)
        return;
    /* Others may have been parked for want of what is given back here, this one's equals
     * included. */
    tree_unpark(engine, &item->reservation->queue->node, now);
    reservation_unfile(engine, item);
    reservation_drop(engine, item);
    fair_penalty_drop(engine, item);
    item->reserved = item->admitted = false;
    if (!gone)
        pending_requeue(engine, item, WHY_FAILED_AFTER_NOMINATION, "");
}

void engine_eviction_failed(struct engine *engine, const char *namespace, const char *name,
                            bool refused, int64_t now)
{
    struct item *item = item_find(engine, namespace, name);

    engine->now = now;
    if (!item || !item->reservation)
        return;
    item->reservation->eviction_issued = false;
    item->reservation->eviction_refused |= refused;
}
