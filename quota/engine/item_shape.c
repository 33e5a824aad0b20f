/* The pod sets of a workload as shapes, and what follows from them. */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/devices.h"

static struct shape_surroundings
surroundings_of(const struct engine *engine, const struct item *item, const struct pod_set *pod_set)
{
    const struct limit_summary *limits = &item->namespace->summary;

    return (struct shape_surroundings){
        .limits = limits->has_container || limits->has_pod ? limits : NULL,
        .runtime_class = runtime_class_find(engine, pod_set->pod.runtime_class),
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

/* Why its devices cannot be charged; true when that is something else than before. */
static bool refusal_set(struct item *item, const char *refusal)
{
    const char *present = item->extra ? item->extra->device_refusal : NULL;

    if ((!present && !refusal) || (present && refusal && strcmp(present, refusal) == 0))
        return false;
    if (!item->extra)
        item->extra = mem_alloc(sizeof(*item->extra));
    free(item->extra->device_refusal);
    item->extra->device_refusal = refusal ? mem_dup(refusal) : NULL;
    return true;
}

static struct shape *shape_here(struct engine *engine, const struct item *item,
                                struct device_reading *reading, size_t index,
                                const struct pod_set *pod_set)
{
    struct shape_surroundings around = surroundings_of(engine, item, pod_set);

    around.devices =
        device_reading_pod_set(reading, index, pod_set, around.limits, around.runtime_class);
    return shape_intern(engine->shapes, pod_set, &around);
}

static void equivalence_update(struct engine *engine, struct item *item)
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

void item_shapes_set(struct engine *engine, struct item *item, const struct workload *workload)
{
    struct pod_set_use *old = item->pod_sets, old_one = item->one;
    size_t old_count = item->pod_set_count;
    AUTO_ARENA struct arena answers = ARENA_INIT;
    struct device_reading reading;

    if (old == &item->one)
        old = &old_one;
    uses_make(item, workload->pod_set_count);
    device_reading_begin(&reading, engine, item->namespace->name, &answers);
    for (size_t i = 0; i < workload->pod_set_count; i++) {
        const struct pod_set *pod_set = &workload->pod_sets[i];

        item->pod_sets[i].shape = shape_here(engine, item, &reading, i, pod_set);
        item->pod_sets[i].count = pod_set->count;
        item->pod_sets[i].effective = effective_count(workload, pod_set, &engine->options.gates);
    }
    for (size_t i = 0; i < old_count; i++)
        shape_unref(engine->shapes, old[i].shape);
    if (old != &old_one)
        free(old);
    refusal_set(item, device_reading_refusal(&reading));
    equivalence_update(engine, item);
}

static bool shapes_replace(struct engine *engine, struct item *item)
{
    AUTO_ARENA struct arena answers = ARENA_INIT;
    struct device_reading reading;
    bool changed = false;

    device_reading_begin(&reading, engine, item->namespace->name, &answers);
    for (uint32_t i = 0; i < item->pod_set_count; i++) {
        struct shape *old = item->pod_sets[i].shape;

        item->pod_sets[i].shape = shape_here(engine, item, &reading, i, old->pod_set);
        changed = changed || item->pod_sets[i].shape != old;
        shape_unref(engine->shapes, old);
    }
    return refusal_set(item, device_reading_refusal(&reading)) || changed;
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
        equivalence_update(engine, item);
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
