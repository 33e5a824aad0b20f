/* Deep copies of facts into an arena of the engine. A list copied from count 0 is NULL. */
#include <stdlib.h>
#include <string.h>

#include "quota/engine/engine_private.h"

void record_free(void *record)
{
    if (!record)
        return;
    arena_finish(record);
    free(record);
}

static void *copy_items(struct arena *a, const void *items, size_t count, size_t size)
{
    void *copy;

    if (count == 0)
        return NULL;
    copy = arena_array(a, count, size);
    memcpy(copy, items, count * size);
    return copy;
}
#define COPY_ITEMS(a, items, count) copy_items((a), (items), (count), sizeof(*(items)))

static const char **copy_names(struct arena *a, const char **from, size_t count)
{
    const char **to = COPY_ITEMS(a, from, count);

    for (size_t i = 0; i < count; i++)
        to[i] = arena_strdup(a, from[i]);
    return to;
}

static struct label *copy_labels(struct arena *a, const struct label *from, size_t count)
{
    struct label *to = COPY_ITEMS(a, from, count);

    for (size_t i = 0; i < count; i++)
        to[i] = (struct label){ arena_strdup(a, from[i].key), arena_strdup(a, from[i].value) };
    return to;
}

static struct resource_list copy_resources(struct arena *a, const struct resource_list *from)
{
    struct resource_list to = { COPY_ITEMS(a, from->items, from->count), from->count };

    for (size_t i = 0; i < to.count; i++)
        to.items[i].name = arena_strdup(a, from->items[i].name);
    return to;
}

static struct taint *copy_taints(struct arena *a, const struct taint *from, size_t count)
{
    struct taint *to = COPY_ITEMS(a, from, count);

    for (size_t i = 0; i < count; i++)
        to[i] =
            (struct taint){ arena_strdup(a, from[i].key), arena_strdup(a, from[i].value),
                            arena_strdup(a, from[i].effect), arena_strdup(a, from[i].time_added) };
    return to;
}

static struct toleration *copy_tolerations(struct arena *a, const struct toleration *from,
                                           size_t count)
{
    struct toleration *to = COPY_ITEMS(a, from, count);

    for (size_t i = 0; i < count; i++)
        to[i] =
            (struct toleration){ arena_strdup(a, from[i].key), arena_strdup(a, from[i].operator),
                                 arena_strdup(a, from[i].value), arena_strdup(a, from[i].effect),
                                 arena_strdup(a, from[i].seconds) };
    return to;
}

void copy_flavor(struct arena *a, const struct resource_flavor *from, struct resource_flavor *to)
{
    *to = *from;
    to->name = arena_strdup(a, from->name);
    to->node_labels = copy_labels(a, from->node_labels, from->node_label_count);
    to->taints = copy_taints(a, from->taints, from->taint_count);
    to->tolerations = copy_tolerations(a, from->tolerations, from->toleration_count);
    to->topology = arena_strdup(a, from->topology);
}

static void copy_flavor_quotas(struct arena *a, const struct flavor_quotas *from,
                               struct flavor_quotas *to)
{
    to->flavor = arena_strdup(a, from->flavor);
    to->resources = COPY_ITEMS(a, from->resources, from->resource_count);
    for (size_t i = 0; i < from->resource_count; i++)
        to->resources[i].resource = arena_strdup(a, from->resources[i].resource);
}

static struct resource_group *copy_groups(struct arena *a, const struct resource_group *from,
                                          size_t count)
{
    struct resource_group *to = COPY_ITEMS(a, from, count);

    for (size_t i = 0; i < count; i++) {
        to[i].covered_resources = copy_names(a, from[i].covered_resources, from[i].covered_count);
        to[i].flavors = COPY_ITEMS(a, from[i].flavors, from[i].flavor_count);
        for (size_t k = 0; k < from[i].flavor_count; k++)
            copy_flavor_quotas(a, &from[i].flavors[k], &to[i].flavors[k]);
    }
    return to;
}

static void copy_selector(struct arena *a, const struct label_selector *from,
                          struct label_selector *to)
{
    *to = *from;
    to->labels = copy_labels(a, from->labels, from->label_count);
    to->requirements = COPY_ITEMS(a, from->requirements, from->requirement_count);
    for (size_t i = 0; i < from->requirement_count; i++) {
        const struct label_requirement *r = &from->requirements[i];

        to->requirements[i].key = arena_strdup(a, r->key);
        to->requirements[i].operator_text = arena_strdup(a, r->operator_text);
        to->requirements[i].values = copy_names(a, r->values, r->value_count);
    }
}

void copy_cluster_queue(struct arena *a, const struct cluster_queue *from, struct cluster_queue *to)
{
    *to = *from;
    to->name = arena_strdup(a, from->name);
    to->cohort = arena_strdup(a, from->cohort ? from->cohort : "");
    to->groups = copy_groups(a, from->groups, from->group_count);
    copy_selector(a, &from->namespace_selector, &to->namespace_selector);
    to->checks = COPY_ITEMS(a, from->checks, from->check_count);
    for (size_t i = 0; i < from->check_count; i++) {
        to->checks[i].name = arena_strdup(a, from->checks[i].name);
        to->checks[i].on_flavors =
            copy_names(a, from->checks[i].on_flavors, from->checks[i].on_flavor_count);
    }
    to->concurrent_admission = arena_strdup(a, from->concurrent_admission);
}

void copy_cohort(struct arena *a, const struct cohort *from, struct cohort *to)
{
    *to = *from;
    to->name = arena_strdup(a, from->name);
    to->parent = arena_strdup(a, from->parent ? from->parent : "");
    to->groups = copy_groups(a, from->groups, from->group_count);
}

void copy_namespace(struct arena *a, const struct namespace_labels *from,
                    struct namespace_labels *to)
{
    *to = (struct namespace_labels){ arena_strdup(a, from->name),
                                     copy_labels(a, from->labels, from->label_count),
                                     from->label_count };
}

void copy_limit_range(struct arena *a, const struct limit_range *from, struct limit_range *to)
{
    *to = (struct limit_range){ arena_strdup(a, from->namespace), arena_strdup(a, from->name),
                                COPY_ITEMS(a, from->items, from->item_count), from->item_count };
    for (size_t i = 0; i < from->item_count; i++) {
        const struct limit_range_item *item = &from->items[i];

        to->items[i].max = copy_resources(a, &item->max);
        to->items[i].min = copy_resources(a, &item->min);
        to->items[i].defaults = copy_resources(a, &item->defaults);
        to->items[i].default_requests = copy_resources(a, &item->default_requests);
        to->items[i].max_ratio = copy_resources(a, &item->max_ratio);
    }
}

void copy_runtime_class(struct arena *a, const struct runtime_class *from, struct runtime_class *to)
{
    to->name = arena_strdup(a, from->name);
    to->overhead = copy_resources(a, &from->overhead);
}

void copy_topology(struct arena *a, const struct topology *from, struct topology *to)
{
    *to = (struct topology){ arena_strdup(a, from->name),
                             copy_names(a, from->levels, from->level_count), from->level_count };
}

void copy_check(struct arena *a, const struct admission_check *from, struct admission_check *to)
{
    *to = (struct admission_check){ arena_strdup(a, from->name),
                                    arena_strdup(a, from->controller ? from->controller : ""),
                                    from->active };
}

void copy_device_class(struct arena *a, const struct device_class *from, struct device_class *to)
{
    *to = (struct device_class){ arena_strdup(a, from->name),
                                 arena_strdup(a, from->extended_resource), from->created,
                                 copy_names(a, from->selectors, from->selector_count),
                                 from->selector_count };
}

void copy_claim_template(struct arena *a, const struct claim_template *from,
                         struct claim_template *to)
{
    *to = (struct claim_template){ arena_strdup(a, from->namespace), arena_strdup(a, from->name),
                                   COPY_ITEMS(a, from->requests, from->request_count),
                                   from->request_count };
    for (size_t i = 0; i < from->request_count; i++) {
        to->requests[i].device_class = arena_strdup(a, from->requests[i].device_class);
        to->requests[i].allocation_mode = arena_strdup(a, from->requests[i].allocation_mode);
        to->requests[i].selectors =
            copy_names(a, from->requests[i].selectors, from->requests[i].selector_count);
        to->requests[i].capacities = copy_resources(a, &from->requests[i].capacities);
    }
}

static void copy_device(struct arena *a, const struct device *from, struct device *to)
{
    *to = *from;
    to->driver = arena_strdup(a, from->driver);
    to->attributes = COPY_ITEMS(a, from->attributes, from->attribute_count);
    for (size_t i = 0; i < from->attribute_count; i++) {
        to->attributes[i].domain = arena_strdup(a, from->attributes[i].domain);
        to->attributes[i].name = arena_strdup(a, from->attributes[i].name);
        to->attributes[i].text = arena_strdup(a, from->attributes[i].text);
    }
    to->capacities = COPY_ITEMS(a, from->capacities, from->capacity_count);
    for (size_t i = 0; i < from->capacity_count; i++) {
        to->capacities[i].domain = arena_strdup(a, from->capacities[i].domain);
        to->capacities[i].name = arena_strdup(a, from->capacities[i].name);
        to->capacities[i].valid =
            COPY_ITEMS(a, from->capacities[i].valid, from->capacities[i].valid_count);
    }
    to->counters = COPY_ITEMS(a, from->counters, from->counter_count);
    for (size_t i = 0; i < from->counter_count; i++)
        to->counters[i].counter = arena_strdup(a, from->counters[i].counter);
}

void copy_device_slice(struct arena *a, const struct device_slice *from, struct device_slice *to)
{
    *to = *from;
    to->name = arena_strdup(a, from->name);
    to->driver = arena_strdup(a, from->driver);
    to->pool = arena_strdup(a, from->pool);
    to->devices = ARENA_ARRAY(a, from->device_count + 1, struct device);
    for (size_t i = 0; i < from->device_count; i++)
        copy_device(a, &from->devices[i], &to->devices[i]);
}

void copy_options(struct arena *a, const struct engine_options *from, struct engine_options *to)
{
    *to = *from;
    to->resource_weights = COPY_ITEMS(a, from->resource_weights, from->resource_weight_count);
    for (size_t i = 0; i < from->resource_weight_count; i++)
        to->resource_weights[i].resource = arena_strdup(a, from->resource_weights[i].resource);
    to->exclude_prefixes = copy_names(a, from->exclude_prefixes, from->exclude_prefix_count);
    to->transformations = COPY_ITEMS(a, from->transformations, from->transformation_count);
    for (size_t i = 0; i < from->transformation_count; i++) {
        const struct resource_transformation *t = &from->transformations[i];

        to->transformations[i].input = arena_strdup(a, t->input);
        to->transformations[i].multiply_by = arena_strdup(a, t->multiply_by);
        to->transformations[i].outputs = copy_resources(a, &t->outputs);
    }
    to->device_mappings = COPY_ITEMS(a, from->device_mappings, from->device_mapping_count);
    for (size_t i = 0; i < from->device_mapping_count; i++) {
        const struct device_mapping *m = &from->device_mappings[i];

        to->device_mappings[i].resource = arena_strdup(a, m->resource);
        to->device_mappings[i].classes = copy_names(a, m->classes, m->class_count);
        to->device_mappings[i].measures = COPY_ITEMS(a, m->measures, m->measure_count);
        for (size_t k = 0; k < m->measure_count; k++)
            to->device_mappings[i].measures[k] =
                (struct device_measure){ arena_strdup(a, m->measures[k].name),
                                         arena_strdup(a, m->measures[k].driver),
                                         arena_strdup(a, m->measures[k].selector) };
    }
}
