/* adjust.c - the part of requests.h that turns a template into the copy that is charged (1.2). */
#include "quota/engine/requests.h"

#include "quota/base/mem.h"

static const struct quantity *list_find(struct resource_list list, const char *name)
{
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.items[i].name, name) == 0)
            return &list.items[i].quantity;
    return NULL;
}

/* ---- LimitRanges ---- */

/* 'keep' < 0: the smaller value stays; > 0: the larger; 0: the first one seen. */
static void list_merge(struct resource_list *into, struct resource_list from, int keep,
                       struct arena *a)
{
    struct resource_quantity *items =
        ARENA_ARRAY(a, into->count + from.count, struct resource_quantity);
    struct resource_list merged = { items, into->count };

    for (size_t i = 0; i < into->count; i++)
        items[i] = into->items[i];
    for (size_t i = 0; i < from.count; i++) {
        struct quantity *old = (struct quantity *)list_find(merged, from.items[i].name);
        int order = old ? quantity_compare(from.items[i].quantity, *old) : 0;

        if (!old)
            items[merged.count++] = from.items[i];
        else if ((keep < 0 && order < 0) || (keep > 0 && order > 0))
            *old = from.items[i].quantity;
    }
    *into = merged;
}

static void item_merge(struct limit_range_item *into, const struct limit_range_item *from,
                       struct arena *a)
{
    list_merge(&into->max, from->max, -1, a);
    list_merge(&into->max_ratio, from->max_ratio, -1, a);
    list_merge(&into->min, from->min, 1, a);
    list_merge(&into->defaults, from->defaults, 0, a);
    list_merge(&into->default_requests, from->default_requests, 0, a);
}

void limits_merge(const struct limit_range *const *ranges, size_t count, struct arena *a,
                  struct limit_summary *summary)
{
    *summary = (struct limit_summary){ .pod.type = LIMIT_POD };
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < ranges[i]->item_count; j++) {
            const struct limit_range_item *item = &ranges[i]->items[j];
            bool is_pod = item->type == LIMIT_POD;

            *(is_pod ? &summary->has_pod : &summary->has_container) = true;
            item_merge(is_pod ? &summary->pod : &summary->container, item, a);
        }
    }
}

/* ---- templates ---- */

/* Is there a name in 'from' that 'into' lacks? */
static bool list_lacks(struct resource_list into, struct resource_list from)
{
    for (size_t i = 0; i < from.count; i++)
        if (!list_find(into, from.items[i].name))
            return true;
    return false;
}

static void list_fill(struct resource_list *into, struct resource_list from, struct arena *a)
{
    if (list_lacks(*into, from))
        list_merge(into, from, 0, a);
}

/* Steps 2 and 3 for one pair of lists; 'defaults' is NULL without a summary. */
static void lists_adjust(struct resource_list *requests, struct resource_list *limits,
                         const struct limit_range_item *defaults, struct arena *a)
{
    if (defaults) {
        list_fill(limits, defaults->defaults, a);
        list_fill(requests, defaults->default_requests, a);
    }
    list_fill(requests, *limits, a);
}

static bool lists_need(struct resource_list requests, struct resource_list limits,
                       const struct limit_range_item *defaults)
{
    return list_lacks(requests, limits) ||
           (defaults && (list_lacks(limits, defaults->defaults) ||
                         list_lacks(requests, defaults->default_requests)));
}

static bool containers_need(const struct container *containers, size_t count,
                            const struct limit_range_item *defaults)
{
    for (size_t i = 0; i < count; i++)
        if (lists_need(containers[i].requests, containers[i].limits, defaults))
            return true;
    return false;
}

static struct container *containers_adjust(const struct container *containers, size_t count,
                                           const struct limit_range_item *defaults, struct arena *a)
{
    struct container *copy = ARENA_ARRAY(a, count, struct container);

    for (size_t i = 0; i < count; i++) {
        copy[i] = containers[i];
        lists_adjust(&copy[i].requests, &copy[i].limits, defaults, a);
    }
    return copy;
}

/* What has to change in one template. */
struct adjustment {
    const struct limit_range_item *container, *pod; /* NULL without a summary */
    bool overhead, init, regular, pod_level;
};

static bool overhead_needed(const struct pod_template *pod,
                            const struct runtime_class *runtime_class)
{
    return runtime_class && pod->runtime_class && *pod->runtime_class && pod->overhead.count == 0 &&
           runtime_class->overhead.count > 0;
}

static struct adjustment adjustment_of(const struct pod_template *pod,
                                       const struct limit_summary *limits,
                                       const struct runtime_class *runtime_class)
{
    struct adjustment todo = {
        .container = limits && limits->has_container ? &limits->container : NULL,
        .pod = limits && limits->has_pod ? &limits->pod : NULL,
        .overhead = overhead_needed(pod, runtime_class),
    };

    todo.init = containers_need(pod->init_containers, pod->init_container_count, todo.container);
    todo.regular = containers_need(pod->containers, pod->container_count, todo.container);
    todo.pod_level =
        pod->has_pod_resources && lists_need(pod->pod_requests, pod->pod_limits, todo.pod);
    return todo;
}

const struct pod_template *pod_adjust(const struct pod_template *pod,
                                      const struct limit_summary *limits,
                                      const struct runtime_class *runtime_class, struct arena *a)
{
    struct adjustment todo = adjustment_of(pod, limits, runtime_class);
    struct pod_template *copy;

    if (!todo.overhead && !todo.init && !todo.regular && !todo.pod_level)
        return pod;
    copy = ARENA_NEW(a, struct pod_template);
    *copy = *pod;
    if (todo.overhead)
        copy->overhead = runtime_class->overhead;
    if (todo.init)
        copy->init_containers =
            containers_adjust(pod->init_containers, pod->init_container_count, todo.container, a);
    if (todo.regular)
        copy->containers =
            containers_adjust(pod->containers, pod->container_count, todo.container, a);
    if (todo.pod_level)
        lists_adjust(&copy->pod_requests, &copy->pod_limits, todo.pod, a);
    return copy;
}
