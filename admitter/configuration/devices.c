#include "admitter/configuration/object.h"

#include <ctype.h>
#include <string.h>
#include "quota/base/mem.h"
#include "quota/engine/cel.h"

#define MAPPINGS_MAX 16
#define CLASSES_MAX 8
#define NAME_MAX_BYTES 253
#define DRIVER_MAX_BYTES 63

/* ---- rule 7 ---- */

void configuration_validate_transformations(struct reading *r)
{
    static const char *const supported[] = { "Replace", "Retain" };
    const struct given_rows *rows = &r->object.resources.transformations;
    const struct transformation_row *items = rows->items;

    for (size_t i = 0; i < rows->count; i++) {
        const char *path = field_path(&r->errors, "resources.transformations[%zu]", i);
        const char *strategy = items[i].strategy, *input = items[i].input ? items[i].input : "";

        if (strategy && strcmp(strategy, "Replace") != 0 && strcmp(strategy, "Retain") != 0)
            field_error_not_supported(&r->errors, field_path(&r->errors, "%s.strategy", path),
                                      strategy, supported, ARRAY_COUNT(supported));
        for (size_t k = 0; k < i; k++) {
            if (strcmp(items[k].input ? items[k].input : "", input) == 0) {
                field_error_duplicate_text(&r->errors, field_path(&r->errors, "%s.input", path),
                                           input);
                break;
            }
        }
    }
}

/* ---- rule 8 ---- */

static const char *text_of(const char *text)
{
    return text ? text : "";
}

static void check_name(struct reading *r, const char *path, const char *name)
{
    field_check_qualified_name(&r->errors, path, name);
    if (strlen(name) > NAME_MAX_BYTES)
        field_error_invalid_text(&r->errors, path, name, "must not exceed 253 characters");
}

static bool has_class(const struct given_texts *classes, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(classes->items[i], name) == 0)
            return true;
    return false;
}

/* The counter of a mapping's first source; NULL when that is none. */
static const char *first_counter(const struct device_mapping_row *mapping)
{
    const struct device_source_row *sources = mapping->sources.items;

    return mapping->sources.count > 0 && sources[0].counter.given ? text_of(sources[0].counter.name)
                                                                  : NULL;
}

/* A class may stand in two mappings only when both count, and count different things. */
static void check_shared_class(struct reading *r, const char *path, const char *name, size_t index)
{
    const struct device_mapping_row *mappings = r->object.resources.device_mappings.items;
    const char *own = first_counter(&mappings[index]);

    for (size_t i = 0; i < index; i++) {
        const char *other = first_counter(&mappings[i]);

        if (!has_class(&mappings[i].classes, mappings[i].classes.count, name))
            continue;
        if (!own || !other)
            field_error_invalid_text(&r->errors, path, name,
                                     "device class already mapped to resource %s",
                                     text_of(mappings[i].name));
        else if (strcmp(own, other) == 0)
            field_error_invalid_text(&r->errors, path, name,
                                     "device class already has a counter source for counter \"%s\"",
                                     own);
    }
}

static void check_classes(struct reading *r, const char *path, size_t index)
{
    const struct device_mapping_row *mappings = r->object.resources.device_mappings.items;
    const struct given_texts *classes = &mappings[index].classes;

    path = field_path(&r->errors, "%s.deviceClassNames", path);
    if (classes->count == 0)
        field_error_required(&r->errors, path, "at least one device class name is required");
    if (classes->count > CLASSES_MAX)
        configuration_too_many(r, path, classes->count, CLASSES_MAX);
    for (size_t i = 0; i < classes->count; i++) {
        const char *item = field_path(&r->errors, "%s[%zu]", path, i);

        check_name(r, item, classes->items[i]);
        if (has_class(classes, i, classes->items[i]))
            field_error_duplicate_text(&r->errors, item, classes->items[i]);
        else
            check_shared_class(r, item, classes->items[i], index);
    }
}

static bool is_identifier(const char *text)
{
    if (!isalpha((unsigned char)*text) && *text != '_')
        return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && *text != '_')
            return false;
    return true;
}

/* A C identifier, with a domain and "/" in front of it or not. */
static void check_capacity_name(struct reading *r, const char *path, const char *name)
{
    const char *slash = strchr(name, '/');

    if (slash)
        field_check_dns_subdomain(
            &r->errors, path, arena_dup(r->arena, (struct str){ name, (size_t)(slash - name) }));
    if (!is_identifier(slash ? slash + 1 : name))
        field_error_invalid_text(
            &r->errors, path, name,
            "a valid C identifier must start with "
            "alphabetic character or '_', followed by a string of alphanumeric "
            "characters or '_'");
}

static void check_driver(struct reading *r, const char *path, const char *driver)
{
    if (!*driver) {
        field_error_required(&r->errors, path, "must be specified");
        return;
    }
    if (strlen(driver) > DRIVER_MAX_BYTES)
        field_error_invalid_text(&r->errors, path, driver, "must not exceed 63 characters");
    field_check_dns_subdomain(&r->errors, path, driver);
}

static void check_expression(struct reading *r, const char *path, const char *expression)
{
    const struct cel_node *parsed;
    struct err e = { 0 };

    if (!*expression)
        field_error_required(&r->errors, path, "must be specified");
    else if (cel_parse(expression, r->arena, &parsed, &e) < 0)
        field_error_invalid_text(&r->errors, path, expression, "CEL compilation failed: %s",
                                 e.text);
}

static void check_device_source(struct reading *r, const char *path,
                                const struct device_source *source, bool counts)
{
    const char *name = text_of(source->name), *name_path = field_path(&r->errors, "%s.name", path);

    if (!*name)
        field_error_required(&r->errors, name_path, "must be specified");
    else if (counts)
        field_check_dns_label(&r->errors, name_path, name);
    else
        check_capacity_name(r, name_path, name);
    check_driver(r, field_path(&r->errors, "%s.driver", path), text_of(source->driver));
    check_expression(r, field_path(&r->errors, "%s.deviceSelector.cel.expression", path),
                     text_of(source->selector.cel.expression));
}

static void check_source(struct reading *r, const char *path,
                         const struct device_source_row *source)
{
    const bool *on = r->out->gates.on;

    if (!source->counter.given && !source->capacity.given)
        field_error_required(&r->errors, path, "exactly one source type must be set per entry");
    else if (source->counter.given && source->capacity.given)
        field_error_invalid_text(&r->errors, path, "counter+capacity",
                                 "exactly one source type must be set per entry");
    else if (source->counter.given && !on[GATE_KUEUE_DRA_INTEGRATION_PARTITIONABLE_DEVICES])
        field_error_invalid_text(
            &r->errors, field_path(&r->errors, "%s.counter", path), text_of(source->counter.name),
            "counter sources require KueueDRAIntegrationPartitionableDevices to be enabled");
    else if (source->capacity.given && !on[GATE_KUEUE_DRA_INTEGRATION_CONSUMABLE_CAPACITY])
        field_error_invalid_text(
            &r->errors, field_path(&r->errors, "%s.capacity", path), text_of(source->capacity.name),
            "capacity sources require KueueDRAIntegrationConsumableCapacity to be enabled");
    else if (source->counter.given)
        check_device_source(r, field_path(&r->errors, "%s.counter", path), &source->counter, true);
    else
        check_device_source(r, field_path(&r->errors, "%s.capacity", path), &source->capacity,
                            false);
}

static void check_sources(struct reading *r, const char *path, const struct given_rows *rows)
{
    const struct device_source_row *sources = rows->items;
    bool counts = false, measures = false;

    path = field_path(&r->errors, "%s.sources", path);
    for (size_t i = 0; i < rows->count; i++) {
        check_source(r, field_path(&r->errors, "%s[%zu]", path, i), &sources[i]);
        counts |= sources[i].counter.given;
        measures |= sources[i].capacity.given;
    }
    if (counts && measures)
        field_error_invalid_omitted(&r->errors, path,
                                    "cannot mix counter and capacity sources in the same mapping");
}

void configuration_validate_devices(struct reading *r)
{
    const struct given_rows *rows = &r->object.resources.device_mappings;
    const struct device_mapping_row *mappings = rows->items;

    if (rows->count > MAPPINGS_MAX)
        configuration_too_many(r, "resources.deviceClassMappings", rows->count, MAPPINGS_MAX);
    for (size_t i = 0; i < rows->count; i++) {
        const char *path = field_path(&r->errors, "resources.deviceClassMappings[%zu]", i);
        const char *name = text_of(mappings[i].name);
        const char *name_path = field_path(&r->errors, "%s.name", path);

        check_name(r, name_path, name);
        for (size_t k = 0; k < i; k++)
            if (strcmp(text_of(mappings[k].name), name) == 0)
                field_error_duplicate_text(&r->errors, name_path, name);
        check_classes(r, path, i);
        check_sources(r, path, &mappings[i].sources);
    }
}
