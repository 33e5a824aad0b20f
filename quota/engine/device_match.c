#include "quota/engine/device_match.h"

#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/cel.h"

#define REMEMBERED_MOST 1000 /* answers; then all are forgotten */

struct match {
    size_t count;
    const struct device *devices[];
};

void device_filter_add(struct device_filter *filter, const char *const *selectors, size_t count,
                       struct arena *a)
{
    const char **grown = ARENA_ARRAY(a, filter->count + count + 1, const char *);

    for (size_t i = 0; i < filter->count; i++)
        grown[i] = filter->selectors[i];
    for (size_t i = 0; i < count; i++)
        grown[filter->count + i] = selectors[i];
    filter->selectors = grown;
    filter->count += count;
}

/* ---- what is remembered ---- */

/* Texts are put with their lengths, so that no two filters look alike. */
static void filter_key(const struct device_filter *filter, struct strbuf *key)
{
    strbuf_printf(key, "%c%zu:%s", filter->complete_pools ? '!' : '.',
                  filter->driver ? strlen(filter->driver) + 1 : 0,
                  filter->driver ? filter->driver : "");
    for (size_t i = 0; i < filter->count; i++)
        strbuf_printf(key, "%zu:%s", strlen(filter->selectors[i]), filter->selectors[i]);
}

void device_matches_drop(struct engine *engine)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(engine->device_matches, &at, &entry);)
        free(entry.value);
    map_destroy(engine->device_matches);
    engine->device_matches = map_create();
}

/* ---- matching ---- */

static const struct cel_node **parse(const struct device_filter *filter, struct arena *a,
                                     struct err *e)
{
    const struct cel_node **parsed = ARENA_ARRAY(a, filter->count + 1, const struct cel_node *);

    for (size_t i = 0; i < filter->count; i++)
        if (cel_parse(filter->selectors[i], a, &parsed[i], e) < 0) {
            err_wrap(e, "CEL compilation failed");
            return NULL;
        }
    return parsed;
}

static bool passes(const struct cel_node *const *selectors, size_t count,
                   const struct device *device, struct arena *a)
{
    for (size_t i = 0; i < count; i++)
        if (!cel_selects(selectors[i], device, a))
            return false;
    return true;
}

static bool slice_counts(const struct device_filter *filter,
                         const struct device_slice_record *record)
{
    return (record->is_complete || !filter->complete_pools) &&
           (!filter->driver || strcmp(record->copy.driver, filter->driver) == 0);
}

static struct match *match_make(const struct engine *engine, const struct device_filter *filter,
                                const struct cel_node *const *selectors, struct arena *a)
{
    struct map_entry *slices = map_sorted(engine->device_slices);
    size_t slice_count = map_count(engine->device_slices), room = 0;
    struct match *match;

    for (size_t i = 0; i < slice_count; i++)
        room += ((struct device_slice_record *)slices[i].value)->copy.device_count;
    match = mem_alloc(sizeof(*match) + room * sizeof(const struct device *));
    for (size_t i = 0; i < slice_count; i++) {
        const struct device_slice_record *record = slices[i].value;

        for (size_t k = 0; slice_counts(filter, record) && k < record->copy.device_count; k++)
            if (passes(selectors, filter->count, &record->copy.devices[k], a))
                match->devices[match->count++] = &record->copy.devices[k];
    }
    free(slices);
    return match;
}

const struct device *const *device_match(const struct engine *engine,
                                         const struct device_filter *filter, struct arena *a,
                                         size_t *count, struct err *e)
{
    struct engine *memory = (struct engine *)(uintptr_t)engine; /* logically const */
    AUTO_STRBUF struct strbuf key = STRBUF_INIT;
    const struct cel_node **selectors;
    struct match *match;

    filter_key(filter, &key);
    match = map_get(engine->device_matches, strbuf_view(&key));
    if (!match) {
        selectors = parse(filter, a, e);
        if (!selectors)
            return NULL;
        if (map_count(engine->device_matches) >= REMEMBERED_MOST)
            device_matches_drop(memory);
        match = match_make(engine, filter, selectors, a);
        map_put(memory->device_matches, strbuf_view(&key), match);
    }
    *count = match->count;
    return match->devices;
}
