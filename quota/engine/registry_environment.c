/* What queues and workloads refer to: flavors, topologies, checks, runtime classes. */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"

/* ---- flavors ---- */

static bool labels_equal(const struct label *a, size_t a_count, const struct label *b,
                         size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (strcmp(a[i].key, b[i].key) != 0 || strcmp(a[i].value, b[i].value) != 0)
            return false;
    return true;
}

static bool text_equal(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool taints_equal(const struct resource_flavor *a, const struct resource_flavor *b)
{
    if (a->taint_count != b->taint_count)
        return false;
    for (size_t i = 0; i < a->taint_count; i++)
        if (!text_equal(a->taints[i].key, b->taints[i].key) ||
            !text_equal(a->taints[i].value, b->taints[i].value) ||
            !text_equal(a->taints[i].effect, b->taints[i].effect))
            return false;
    return true;
}

static bool tolerations_equal(const struct resource_flavor *a, const struct resource_flavor *b)
{
    if (a->toleration_count != b->toleration_count)
        return false;
    for (size_t i = 0; i < a->toleration_count; i++)
        if (!text_equal(a->tolerations[i].key, b->tolerations[i].key) ||
            !text_equal(a->tolerations[i].value, b->tolerations[i].value) ||
            !text_equal(a->tolerations[i].operator, b->tolerations[i].operator) ||
            !text_equal(a->tolerations[i].effect, b->tolerations[i].effect))
            return false;
    return true;
}

static bool queue_uses_flavor(const struct cluster_queue_record *queue,
                              const struct flavor_record *flavor)
{
    for (size_t g = 0; g < queue->group_count; g++)
        for (size_t f = 0; f < queue->groups[g].flavor_count; f++)
            if (queue->groups[g].flavors[f].flavor == flavor)
                return true;
    return false;
}

/* Does a new version of the flavor let in other pods than the old one? */
static bool flavor_serves_alike(const struct resource_flavor *a, const struct resource_flavor *b)
{
    return labels_equal(a->node_labels, a->node_label_count, b->node_labels, b->node_label_count) &&
           taints_equal(a, b) && tolerations_equal(a, b);
}

static void flavor_users_refresh(struct engine *engine, struct flavor_record *flavor, bool unpark,
                                 int64_t now)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(engine->cluster_queues, &at, &entry);) {
        struct cluster_queue_record *queue = entry.value;

        if (!queue_uses_flavor(queue, flavor))
            continue;
        activity_update(engine, queue, now);
        if (unpark)
            tree_unpark(engine, &queue->node, now);
    }
}

void engine_flavor_put(struct engine *engine, const struct resource_flavor *flavor, int64_t now)
{
    struct flavor_record *record = catalog_flavor(engine, flavor->name);
    bool changed = !record->exists || !flavor_serves_alike(&record->copy, flavor) ||
                   !text_equal(record->copy.topology, flavor->topology);
    bool unpark = record->exists && !flavor_serves_alike(&record->copy, flavor);

    if (!changed)
        return;
    arena_reset(&record->facts);
    copy_flavor(&record->facts, flavor, &record->copy);
    record->exists = true;
    flavor_users_refresh(engine, record, unpark, now);
}

void engine_flavor_remove(struct engine *engine, const char *name, int64_t now)
{
    uint32_t id = intern_find(engine->flavor_names, str_of(name));
    struct flavor_record *record = id != 0 ? engine->flavors[id] : NULL;

    if (!record || !record->exists)
        return;
    record->exists = false;
    flavor_users_refresh(engine, record, false, now);
    arena_finish(&record->facts);
    memset(&record->copy, 0, sizeof(record->copy));
}

/* ---- topologies ---- */

const struct topology *topology_find(const struct engine *engine, const char *name)
{
    struct topology_record *record = name ? map_get(engine->topologies, str_of(name)) : NULL;

    return record ? &record->copy : NULL;
}

static void topology_users_refresh(struct engine *engine, const char *name, bool unpark,
                                   int64_t now)
{
    for (uint32_t id = 0; id < engine->flavor_capacity; id++) {
        struct flavor_record *flavor = engine->flavors[id];

        if (flavor && flavor->exists && flavor->copy.topology &&
            strcmp(flavor->copy.topology, name) == 0)
            flavor_users_refresh(engine, flavor, unpark, now);
    }
}

void engine_topology_put(struct engine *engine, const struct topology *topology, int64_t now)
{
    struct topology_record *record = mem_alloc(sizeof(*record)), *old;

    copy_topology(&record->facts, topology, &record->copy);
    old = map_put(engine->topologies, str_of(topology->name), record);
    topology_users_refresh(engine, topology->name, !old, now);
    record_free(old);
}

void engine_topology_remove(struct engine *engine, const char *name, int64_t now)
{
    struct topology_record *record = map_remove(engine->topologies, str_of(name));

    if (record)
        topology_users_refresh(engine, name, false, now);
    record_free(record);
}

/* ---- admission checks ---- */

static void check_free(struct named_check *check)
{
    if (!check)
        return;
    arena_finish(&check->facts);
    free(check);
}

static void check_users_refresh(struct engine *engine, const char *name, int64_t now)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(engine->cluster_queues, &at, &entry);) {
        struct cluster_queue_record *queue = entry.value;

        for (size_t i = 0; i < queue->copy.check_count; i++)
            if (strcmp(queue->copy.checks[i].name, name) == 0) {
                activity_update(engine, queue, now);
                break;
            }
    }
}

void engine_check_put(struct engine *engine, const struct admission_check *check, int64_t now)
{
    struct named_check *record = mem_alloc(sizeof(*record));

    copy_check(&record->facts, check, &record->copy);
    check_free(map_put(engine->checks, str_of(check->name), record));
    check_users_refresh(engine, check->name, now);
}

void engine_check_remove(struct engine *engine, const char *name, int64_t now)
{
    check_free(map_remove(engine->checks, str_of(name)));
    check_users_refresh(engine, name, now);
}

/* ---- runtime classes ---- */

const struct runtime_class *runtime_class_find(const struct engine *engine, const char *name)
{
    struct runtime_class_record *record =
        name && *name ? map_get(engine->runtime_classes, str_of(name)) : NULL;

    return record ? &record->copy : NULL;
}

static bool item_names_class(const struct item *item, const char *name)
{
    for (uint32_t i = 0; i < item->pod_set_count; i++) {
        const char *class_ = item->pod_sets[i].shape->pod_set->pod.runtime_class;

        if (class_ && strcmp(class_, name) == 0)
            return true;
    }
    return false;
}

static void runtime_class_users_refresh(struct engine *engine, const char *name)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(engine->items, &at, &entry);)
        if (item_names_class(entry.value, name))
            item_shapes_move(engine, entry.value);
}

void engine_runtime_class_put(struct engine *engine, const struct runtime_class *class_,
                              int64_t now)
{
    struct runtime_class_record *record = mem_alloc(sizeof(*record)), *old;

    engine->now = now;
    copy_runtime_class(&record->facts, class_, &record->copy);
    old = map_put(engine->runtime_classes, str_of(class_->name), record);
    runtime_class_users_refresh(engine, class_->name);
    record_free(old);
}

void engine_runtime_class_remove(struct engine *engine, const char *name, int64_t now)
{
    struct runtime_class_record *record = map_remove(engine->runtime_classes, str_of(name));

    engine->now = now;
    if (record)
        runtime_class_users_refresh(engine, name);
    record_free(record);
}

void environment_finish(struct engine *engine)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(engine->topologies, &at, &entry);)
        record_free(entry.value);
    for (size_t at = 0; map_next(engine->checks, &at, &entry);)
        check_free(entry.value);
    for (size_t at = 0; map_next(engine->runtime_classes, &at, &entry);)
        record_free(entry.value);
    map_destroy(engine->topologies);
    map_destroy(engine->checks);
    map_destroy(engine->runtime_classes);
}
