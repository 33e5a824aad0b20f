/* The pod sets of a workload as shapes, and what follows from them. */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"

static struct shape_surroundings surroundings_of(const struct engine *engine,
                                                 const struct item *item,
                                                 const struct pod_set *pod_set,
                                                 const struct device_requests *devices)
{
    const struct limit_summary *limits = &item->namespace->summary;

    return (struct shape_surroundings){
        .limits = limits->has_container || limits->has_pod ? limits : NULL,
        .runtime_class = runtime_class_find(engine, pod_set->pod.runtime_class),
        .devices = devices,
        .allowed_flavors = engine->options.gates.concurrent_admission && item->extra
                               ? item->extra->allowed_flavors
                               : NULL,
    };
}

static void uses_make(struct item *item, size_t count)
{
    item->pod_set_count = (uint32_t)count;
    item->pod_sets = count == 1 ? &item->one : mem_array(count + 1, sizeof(*item->pod_sets));
}

static const struct device_requests *devices_of(const struct engine *engine,
                                                const struct workload *workload, size_t i)
{
    const struct device_requests *devices = workload->devices ? &workload->devices[i] : NULL;

    if (!devices || !engine->options.gates.dra_integration ||
        devices->added.count + devices->replaced_count == 0)
        return NULL;
    return devices;
}

void item_shapes_set(struct engine *engine, struct item *item, const struct workload *workload)
{
    struct pod_set_use *old = item->pod_sets, old_one = item->one;
    size_t old_count = item->pod_set_count;

    if (old == &item->one)
        old = &old_one;
    uses_make(item, workload->pod_set_count);
    for (size_t i = 0; i < workload->pod_set_count; i++) {
        const struct pod_set *pod_set = &workload->pod_sets[i];
        const struct device_requests *devices = devices_of(engine, workload, i);
        struct shape_surroundings around = surroundings_of(engine, item, pod_set, devices);

        item->pod_sets[i].shape = shape_intern(engine->shapes, pod_set, &around);
        item->pod_sets[i].count = pod_set->count;
        item->pod_sets[i].effective = effective_count(workload, pod_set, &engine->options.gates);
    }
    for (size_t i = 0; i < old_count; i++)
        shape_unref(engine->shapes, old[i].shape);
    if (old != &old_one)
        free(old);
    item_equivalence_update(engine, item);
}

static bool shapes_replace(struct engine *engine, struct item *item)
{
    bool changed = false;

    for (uint32_t i = 0; i < item->pod_set_count; i++) {
        struct shape *old = item->pod_sets[i].shape;
        struct shape_surroundings around =
            surroundings_of(engine, item, old->pod_set, old->has_devices ? &old->devices : NULL);

        item->pod_sets[i].shape = shape_move(engine->shapes, old, &around);
        changed = changed || item->pod_sets[i].shape != old;
        shape_unref(engine->shapes, old);
    }
    return changed;
}

/* A waiting workload that asks for something else now is looked at anew, parked or not. */
void item_shapes_move(struct engine *engine, struct item *item)
{
    bool in_heap = item->place == ITEM_HEAP;

    if (in_heap)
        pending_remove_quietly(engine, item);
    if (shapes_replace(engine, item)) {
        if (item->place == ITEM_PARKED)
            pending_remove_quietly(engine, item);
        item_equivalence_update(engine, item);
        in_heap = true;
    }
    if (in_heap)
        pending_push(engine, item);
}

void item_shapes_drop(struct engine *engine, struct item *item)
{
    for (uint32_t i = 0; i < item->pod_set_count; i++)
        shape_unref(engine->shapes, item->pod_sets[i].shape);
    if (item->pod_sets != &item->one)
        free(item->pod_sets);
    item->pod_sets = NULL;
    item->pod_set_count = 0;
}

void item_equivalence_update(struct engine *engine, struct item *item)
{
    struct shape_count few[8] = { 0 }, *counts = few;

    item->equivalence = 0;
    if (!engine->options.gates.equivalence_hashing)
        return;
    if (item->pod_set_count > ARRAY_COUNT(few))
        counts = mem_array(item->pod_set_count, sizeof(*counts));
    for (uint32_t i = 0; i < item->pod_set_count; i++)
        counts[i] = (struct shape_count){ item->pod_sets[i].shape->equivalence,
                                          item->pod_sets[i].effective };
    item->equivalence = equivalence_hash(item->priority, counts, item->pod_set_count);
    if (counts != few)
        free(counts);
}
