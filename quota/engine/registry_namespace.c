/* Namespaces: their labels, and the LimitRanges that hold in them. */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"
#include "quota/engine/selector.h"

struct namespace_record *namespace_get(struct engine *engine, const char *name)
{
    struct namespace_record *record = map_get(engine->namespaces, str_of(name));

    if (!record) {
        record = mem_alloc(sizeof(*record));
        record->name = mem_dup(name);
        map_put(engine->namespaces, str_of(name), record);
    }
    return record;
}

/* CQs whose selector matches now and did not before get their workloads back (3.10). A namespace
 * that was not there ('old' NULL) matched nothing: its workloads may have been read before it
 * was. */
static void selectors_recheck(struct engine *engine, const struct namespace_labels *old,
                              const struct namespace_record *record, int64_t now)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(engine->cluster_queues, &at, &entry);) {
        struct cluster_queue_record *queue = entry.value;
        const struct label_selector *selector = &queue->copy.namespace_selector;

        if (!queue->exists || queue->parked_count == 0)
            continue;
        if (!(old && selector_matches(selector, old->labels, old->label_count)) &&
            selector_matches(selector, record->labels.labels, record->labels.label_count))
            tree_unpark(engine, &queue->node, now);
    }
}

static bool labels_same(const struct namespace_labels *a, const struct namespace_labels *b)
{
    if (a->label_count != b->label_count)
        return false;
    for (size_t i = 0; i < a->label_count; i++)
        if (strcmp(a->labels[i].key, b->labels[i].key) != 0 ||
            strcmp(a->labels[i].value, b->labels[i].value) != 0)
            return false;
    return true;
}

void engine_namespace_put(struct engine *engine, const struct namespace_labels *labels, int64_t now)
{
    struct namespace_record *record = namespace_get(engine, labels->name);
    struct namespace_labels old = record->labels;
    struct arena old_memory = record->facts;
    bool was_there = record->exists;

    engine->now = now;
    if (was_there && labels_same(&old, labels))
        return;
    arena_init(&record->facts);
    copy_namespace(&record->facts, labels, &record->labels);
    record->exists = true;
    selectors_recheck(engine, was_there ? &old : NULL, record, now);
    arena_finish(&old_memory);
}

void engine_namespace_remove(struct engine *engine, const char *name, int64_t now)
{
    struct namespace_record *record = map_get(engine->namespaces, str_of(name));

    engine->now = now;
    if (!record)
        return;
    record->exists = false;
    record->labels = (struct namespace_labels){ 0 };
    arena_finish(&record->facts);
}

/* ---- LimitRanges ---- */

static void summary_update(struct namespace_record *record)
{
    struct map_entry *sorted = map_sorted(record->limits);
    size_t count = map_count(record->limits);
    const struct limit_range **ranges = mem_array(count + 1, sizeof(*ranges));

    for (size_t i = 0; i < count; i++)
        ranges[i] = &((struct limits_record *)sorted[i].value)->copy;
    arena_finish(&record->summary_memory);
    memset(&record->summary, 0, sizeof(record->summary));
    limits_merge(ranges, count, &record->summary_memory, &record->summary);
    free(ranges);
    free(sorted);
}

/* Workloads without reservation see the new limits at once (1.2). */
static void limits_users_refresh(struct engine *engine, const struct namespace_record *record)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(engine->items, &at, &entry);) {
        struct item *item = entry.value;

        if (item->namespace == record && !item->reservation)
            item_shapes_move(engine, item);
    }
}

void engine_limit_range_put(struct engine *engine, const struct limit_range *limits, int64_t now)
{
    struct namespace_record *record = namespace_get(engine, limits->namespace);
    struct limits_record *copy = mem_alloc(sizeof(*copy));

    engine->now = now;
    if (!record->limits)
        record->limits = map_create();
    copy_limit_range(&copy->facts, limits, &copy->copy);
    record_free(map_put(record->limits, str_of(limits->name), copy));
    summary_update(record);
    limits_users_refresh(engine, record);
}

void engine_limit_range_remove(struct engine *engine, const char *namespace, const char *name,
                               int64_t now)
{
    struct namespace_record *record = map_get(engine->namespaces, str_of(namespace));
    struct limits_record *limits =
        record && record->limits ? map_remove(record->limits, str_of(name)) : NULL;

    engine->now = now;
    if (!limits)
        return;
    record_free(limits);
    summary_update(record);
    limits_users_refresh(engine, record);
}

static void namespace_free(struct namespace_record *record)
{
    struct map_entry entry;

    if (record->limits)
        for (size_t at = 0; map_next(record->limits, &at, &entry);)
            record_free(entry.value);
    map_destroy(record->limits);
    arena_finish(&record->summary_memory);
    arena_finish(&record->facts);
    free(record->name);
    free(record);
}

void namespaces_finish(struct engine *engine)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(engine->namespaces, &at, &entry);)
        namespace_free(entry.value);
    map_destroy(engine->namespaces);
}
