/* What claims refer to: DeviceClasses, ResourceClaimTemplates and the devices themselves (1.10). */
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/device_match.h"
#include "quota/engine/engine_private.h"

/* ---- who is concerned ---- */

/* What a change may concern: the claims of one template, or a class and a resource it stands for.
 */
struct device_news {
    const char *namespace, *claim_template; /* NULL: every claim */
    const char *resources[2];               /* NULL: none */
};

static bool claims_concern(const struct pod_template *pod, const struct device_news *news)
{
    if (!news->claim_template)
        return pod->claim_count > 0;
    for (size_t i = 0; i < pod->claim_count; i++)
        if (pod->claims[i].claim_template &&
            strcmp(pod->claims[i].claim_template, news->claim_template) == 0)
            return true;
    return false;
}

static bool requests_concern(const struct container *containers, size_t count,
                             const struct device_news *news)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < containers[i].requests.count; k++)
            for (size_t n = 0; n < ARRAY_COUNT(news->resources); n++)
                if (news->resources[n] &&
                    strcmp(containers[i].requests.items[k].name, news->resources[n]) == 0)
                    return true;
    return false;
}

static bool item_is_concerned(const struct item *item, const struct device_news *news)
{
    if (item->reservation ||
        (news->namespace && strcmp(item->namespace->name, news->namespace) != 0))
        return false;
    for (uint32_t i = 0; i < item->pod_set_count; i++) {
        const struct shape *shape = item->pod_sets[i].shape;
        const struct pod_template *pod = shape->adjusted;

        if (claims_concern(&shape->pod_set->pod, news) ||
            requests_concern(pod->containers, pod->container_count, news) ||
            requests_concern(pod->init_containers, pod->init_container_count, news))
            return true;
    }
    return false;
}

static void users_refresh(struct engine *engine, const struct device_news *news)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(engine->items, &at, &entry);)
        if (item_is_concerned(entry.value, news))
            item_shapes_move(engine, entry.value);
}

/* ---- DeviceClasses ---- */

static const char *extended_of(const struct device_class_record *record)
{
    return record ? record->copy.extended_resource : NULL;
}

static void class_changed(struct engine *engine, struct device_class_record *old,
                          const struct device_class_record *now)
{
    struct device_news news = { .resources = { extended_of(old), extended_of(now) } };

    engine->extended_resource_count += extended_of(now) != NULL;
    engine->extended_resource_count -= extended_of(old) != NULL;
    users_refresh(engine, &news);
    record_free(old);
}

void engine_device_class_put(struct engine *engine, const struct device_class *class_, int64_t now)
{
    struct device_class_record *record = mem_alloc(sizeof(*record));

    engine->now = now;
    copy_device_class(&record->facts, class_, &record->copy);
    class_changed(engine, map_put(engine->device_classes, str_of(class_->name), record), record);
}

void engine_device_class_remove(struct engine *engine, const char *name, int64_t now)
{
    struct device_class_record *record = map_remove(engine->device_classes, str_of(name));

    engine->now = now;
    if (record)
        class_changed(engine, record, NULL);
}

/* ---- ResourceClaimTemplates ---- */

void engine_claim_template_put(struct engine *engine, const struct claim_template *claim_template,
                               int64_t now)
{
    struct claim_template_record *record = mem_alloc(sizeof(*record));
    AUTO_FREE char *key = mem_format("%s/%s", claim_template->namespace, claim_template->name);
    struct device_news news = { .namespace = claim_template->namespace,
                                .claim_template = claim_template->name };

    engine->now = now;
    copy_claim_template(&record->facts, claim_template, &record->copy);
    record_free(map_put(engine->claim_templates, str_of(key), record));
    users_refresh(engine, &news);
}

void engine_claim_template_remove(struct engine *engine, const char *namespace, const char *name,
                                  int64_t now)
{
    AUTO_FREE char *key = mem_format("%s/%s", namespace, name);
    struct claim_template_record *record = map_remove(engine->claim_templates, str_of(key));
    struct device_news news = { .namespace = namespace, .claim_template = name };

    engine->now = now;
    if (record)
        users_refresh(engine, &news);
    record_free(record);
}

/* ---- ResourceSlices ---- */

static bool same_pool(const struct device_slice *a, const struct device_slice *b)
{
    return strcmp(a->pool, b->pool) == 0 && strcmp(a->driver, b->driver) == 0;
}

/* Which slices of the pool of 'one' count: those of the latest generation, when all are there. */
static void pool_update(struct engine *engine, const struct device_slice *one)
{
    struct map_entry entry;
    int64_t latest = INT64_MIN, count = 0;

    for (size_t at = 0; map_next(engine->device_slices, &at, &entry);) {
        const struct device_slice *slice = &((struct device_slice_record *)entry.value)->copy;

        if (!same_pool(slice, one) || slice->generation < latest)
            continue;
        count = slice->generation == latest ? count + 1 : 1;
        latest = slice->generation;
    }
    for (size_t at = 0; map_next(engine->device_slices, &at, &entry);) {
        struct device_slice_record *record = entry.value;

        if (same_pool(&record->copy, one))
            record->is_complete =
                record->copy.generation == latest && record->copy.slice_count == count;
    }
}

static void slice_changed(struct engine *engine, struct device_slice_record *old,
                          const struct device_slice_record *now)
{
    device_matches_drop(engine);
    if (now)
        pool_update(engine, &now->copy);
    if (old)
        pool_update(engine, &old->copy);
    record_free(old);
}

void engine_device_slice_put(struct engine *engine, const struct device_slice *slice, int64_t now)
{
    struct device_slice_record *record = mem_alloc(sizeof(*record));

    engine->now = now;
    copy_device_slice(&record->facts, slice, &record->copy);
    slice_changed(engine, map_put(engine->device_slices, str_of(slice->name), record), record);
}

void engine_device_slice_remove(struct engine *engine, const char *name, int64_t now)
{
    struct device_slice_record *record = map_remove(engine->device_slices, str_of(name));

    engine->now = now;
    if (record)
        slice_changed(engine, record, NULL);
}

void engine_devices_changed(struct engine *engine, int64_t now)
{
    struct device_news news = { 0 };

    engine->now = now;
    users_refresh(engine, &news);
}

void devices_finish(struct engine *engine)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(engine->device_classes, &at, &entry);)
        record_free(entry.value);
    for (size_t at = 0; map_next(engine->claim_templates, &at, &entry);)
        record_free(entry.value);
    for (size_t at = 0; map_next(engine->device_slices, &at, &entry);)
        record_free(entry.value);
    device_matches_drop(engine);
    map_destroy(engine->device_matches);
    map_destroy(engine->device_slices);
    map_destroy(engine->device_classes);
    map_destroy(engine->claim_templates);
}
