/* Names to small numbers: flavors, resources, and the pairs of both that carry quota (FR). */
#include <stdlib.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"

struct flavor_record *catalog_flavor(struct engine *engine, const char *name)
{
    uint32_t id = intern_put(engine->flavor_names, str_of(name));

    if (id >= engine->flavor_capacity) {
        uint32_t capacity = id < 8 ? 16 : id * 2;

        engine->flavors = mem_resize(engine->flavors, capacity, sizeof(struct flavor_record *));
        for (uint32_t i = engine->flavor_capacity; i < capacity; i++)
            engine->flavors[i] = NULL;
        engine->flavor_capacity = capacity;
    }
    if (!engine->flavors[id]) {
        engine->flavors[id] = mem_alloc(sizeof(struct flavor_record));
        engine->flavors[id]->id = id;
    }
    return engine->flavors[id];
}

uint32_t catalog_resource(struct engine *engine, const char *name)
{
    return intern_put(engine->resource_names, str_of(name));
}

static uint32_t fr_number(struct engine *engine, uint32_t flavor, uint32_t resource)
{
    engine->frs =
        mem_grow(engine->frs, engine->fr_count, &engine->fr_capacity, sizeof(*engine->frs));
    engine->frs[engine->fr_count] = (struct fr_names){ flavor, resource };
    return engine->fr_count++;
}

uint32_t catalog_fr(struct engine *engine, struct flavor_record *flavor, uint32_t resource)
{
    if (resource >= flavor->fr_capacity) {
        uint32_t capacity = resource + 4;

        flavor->fr_by_resource =
            mem_resize(flavor->fr_by_resource, capacity, sizeof(*flavor->fr_by_resource));
        for (uint32_t i = flavor->fr_capacity; i < capacity; i++)
            flavor->fr_by_resource[i] = 0;
        flavor->fr_capacity = capacity;
    }
    if (flavor->fr_by_resource[resource] == 0)
        flavor->fr_by_resource[resource] = fr_number(engine, flavor->id, resource) + 1;
    return flavor->fr_by_resource[resource] - 1;
}

const char *fr_flavor_name(const struct engine *engine, uint32_t fr)
{
    return intern_text(engine->flavor_names, engine->frs[fr].flavor);
}

const char *fr_resource_name(const struct engine *engine, uint32_t fr)
{
    return intern_text(engine->resource_names, engine->frs[fr].resource);
}

void catalog_finish(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->flavor_capacity; i++) {
        if (!engine->flavors[i])
            continue;
        arena_finish(&engine->flavors[i]->facts);
        free(engine->flavors[i]->fr_by_resource);
        free(engine->flavors[i]);
    }
    free(engine->flavors);
    free(engine->frs);
    intern_destroy(engine->flavor_names);
}
