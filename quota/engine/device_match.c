#include "quota/engine/device_match.h"

#include <stdlib.h>
#include <string.h>

int device_filter_add(struct device_filter *filter, const char *const *texts, size_t count,
                      struct arena *a, struct err *e)
{
    const struct cel_node **grown =
        ARENA_ARRAY(a, filter->count + count + 1, const struct cel_node *);

    if (filter->count > 0)
        memcpy(grown, filter->selectors, filter->count * sizeof(const struct cel_node *));
    filter->selectors = grown;
    for (size_t i = 0; i < count; i++) {
        if (cel_parse(texts[i], a, &grown[filter->count], e) < 0)
            return err_wrap(e, "CEL compilation failed");
        filter->count++;
    }
    return 0;
}

static bool passes(const struct device_filter *filter, const struct device *device, struct arena *a)
{
    for (size_t i = 0; i < filter->count; i++)
        if (!cel_selects(filter->selectors[i], device, a))
            return false;
    return true;
}

static bool slice_counts(const struct device_filter *filter,
                         const struct device_slice_record *record)
{
    return (record->is_complete || !filter->complete_pools) &&
           (!filter->driver || strcmp(record->copy.driver, filter->driver) == 0);
}

const struct device **device_match(const struct engine *engine, const struct device_filter *filter,
                                   struct arena *a, size_t *count)
{
    struct map_entry *slices = map_sorted(engine->device_slices);
    size_t slice_count = map_count(engine->device_slices), room = 0;
    const struct device **found;

    for (size_t i = 0; i < slice_count; i++)
        room += ((struct device_slice_record *)slices[i].value)->copy.device_count;
    found = ARENA_ARRAY(a, room + 1, const struct device *);
    *count = 0;
    for (size_t i = 0; i < slice_count; i++) {
        const struct device_slice_record *record = slices[i].value;

        for (size_t k = 0; slice_counts(filter, record) && k < record->copy.device_count; k++)
            if (passes(filter, &record->copy.devices[k], a))
                found[(*count)++] = &record->copy.devices[k];
    }
    free(slices);
    return found;
}
