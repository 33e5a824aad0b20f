#include "admitter/objects/decode.h"
#include "admitter/objects/objects_private.h"

struct document {
    struct object_meta meta;
    struct device_slice slice;
};

/* ---- devices ---- */

static void set_text(struct decoder *d, struct device_attribute *attribute,
                     enum attribute_type type)
{
    decode_text(d, &attribute->text);
    if (attribute->text)
        attribute->type = type;
}

static void string_read(struct decoder *d, void *target)
{
    set_text(d, target, ATTRIBUTE_TEXT);
}

static void version_read(struct decoder *d, void *target)
{
    set_text(d, target, ATTRIBUTE_VERSION);
}

static void int_read(struct decoder *d, void *target)
{
    struct device_attribute *attribute = target;

    if (decode_absent(d))
        return;
    decode_int64(d, &attribute->integer);
    attribute->type = ATTRIBUTE_INT;
}

static void bool_read(struct decoder *d, void *target)
{
    struct device_attribute *attribute = target;

    if (decode_absent(d))
        return;
    decode_bool(d, &attribute->boolean);
    attribute->type = ATTRIBUTE_BOOL;
}

static void attribute_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("string", string_read),
        DECODE_WHOLE("version", version_read),
        DECODE_WHOLE("int", int_read),
        DECODE_WHOLE("bool", bool_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void default_read(struct decoder *d, void *target)
{
    struct device_capacity *capacity = target;

    if (decode_absent(d))
        return;
    decode_quantity(d, &capacity->by_default);
    capacity->has_default = true;
}

static void valid_read(struct decoder *d, void *target)
{
    struct device_capacity *capacity = target;

    capacity->valid =
        decode_list(d, sizeof(struct quantity), decode_quantity, &capacity->valid_count);
}

static void maximum_read(struct decoder *d, void *target)
{
    struct device_capacity *capacity = target;

    if (decode_absent(d))
        return;
    decode_quantity(d, &capacity->maximum);
    capacity->has_maximum = true;
}

static void range_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("min", decode_quantity, struct device_capacity, minimum),
        DECODE_WHOLE("max", maximum_read),
        DECODE_FIELD("step", decode_quantity, struct device_capacity, step),
        DECODE_END,
    };
    struct device_capacity *capacity = target;

    if (decode_absent(d))
        return;
    capacity->has_range = true;
    decode_record(d, fields, capacity);
}

static void policy_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("default", default_read),
        DECODE_WHOLE("validValues", valid_read),
        DECODE_WHOLE("validRange", range_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void capacity_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("value", decode_quantity, struct device_capacity, value),
        DECODE_WHOLE("requestPolicy", policy_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void counter_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("value", decode_quantity, struct counter_use, value),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

struct counter_set {
    struct counter_use *counters;
    size_t count;
};

static void counters_read(struct decoder *d, void *target)
{
    struct counter_set *set = target;

    set->counters = decode_map(d, sizeof(struct counter_use), counter_read, &set->count);
}

static void counter_set_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("counters", counters_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

/* Whose counters they are does not matter for what they cost. */
static void counter_sets_read(struct decoder *d, void *target)
{
    struct device *device = target;
    size_t set_count, room = 0;
    struct counter_set *sets =
        decode_list(d, sizeof(struct counter_set), counter_set_read, &set_count);

    for (size_t i = 0; i < set_count; i++)
        room += sets[i].count;
    device->counters = ARENA_ARRAY(d->arena, room + 1, struct counter_use);
    for (size_t i = 0; i < set_count; i++)
        for (size_t k = 0; k < sets[i].count; k++)
            device->counters[device->counter_count++] = sets[i].counters[k];
}

static void attributes_read(struct decoder *d, void *target)
{
    struct device *device = target;

    device->attributes =
        decode_map(d, sizeof(struct device_attribute), attribute_read, &device->attribute_count);
}

static void capacities_read(struct decoder *d, void *target)
{
    struct device *device = target;

    device->capacities =
        decode_map(d, sizeof(struct device_capacity), capacity_read, &device->capacity_count);
}

static void device_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("attributes", attributes_read),
        DECODE_WHOLE("capacity", capacities_read),
        DECODE_WHOLE("consumesCounters", counter_sets_read),
        DECODE_FIELD("allowMultipleAllocations", decode_bool, struct device, allows_multiple),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

/* ---- the slice ---- */

static void devices_read(struct decoder *d, void *target)
{
    struct device_slice *slice = target;

    slice->devices = decode_list(d, sizeof(struct device), device_read, &slice->device_count);
}

static void pool_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("name", decode_text, struct device_slice, pool),
        DECODE_FIELD("generation", decode_int64, struct device_slice, generation),
        DECODE_FIELD("resourceSliceCount", decode_int64, struct device_slice, slice_count),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void spec_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("driver", decode_text, struct device_slice, driver),
        DECODE_WHOLE("pool", pool_read),
        DECODE_WHOLE("devices", devices_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

/* "domain/name", or a name in the driver's own domain. */
static void name_split(struct arena *a, const char *driver, const char **domain, const char **name)
{
    struct str head, tail;
    bool qualified = str_cut(str_of(*domain), '/', &head, &tail);

    *name = qualified ? arena_dup(a, tail) : *domain;
    *domain = qualified ? arena_dup(a, head) : driver;
}

static void names_complete(struct arena *a, struct device_slice *slice)
{
    for (size_t i = 0; i < slice->device_count; i++) {
        struct device *device = &slice->devices[i];

        device->driver = slice->driver;
        for (size_t k = 0; k < device->attribute_count; k++)
            name_split(a, slice->driver, &device->attributes[k].domain,
                       &device->attributes[k].name);
        for (size_t k = 0; k < device->capacity_count; k++)
            name_split(a, slice->driver, &device->capacities[k].domain,
                       &device->capacities[k].name);
    }
}

int device_slice_decode(struct str json, struct arena *a, struct device_slice *out,
                        struct object_meta *meta, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("metadata", object_meta_read, struct document, meta),
        DECODE_FIELD("spec", spec_read, struct document, slice),
        DECODE_END,
    };
    struct document document = { .slice = { .driver = "", .pool = "" } };

    if (document_decode(json, a, fields, &document.meta, meta, e) < 0)
        return -1;
    document.slice.name = document.meta.name;
    names_complete(a, &document.slice);
    *out = document.slice;
    return 0;
}
