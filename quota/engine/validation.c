#include "quota/engine/validation.h"

#include <stdlib.h>

#include "quota/base/mem.h"
#include "quota/engine/selector.h"

#define OVER_LIMIT "requests must not exceed its limits"
#define OVER_MAXIMUM "requests must not be above the limitRange max"
#define UNDER_MINIMUM "requests must not be below the limitRange min"

static const struct quantity *list_get(struct resource_list list, const char *name)
{
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.items[i].name, name) == 0)
            return &list.items[i].quantity;
    return NULL;
}

/* Which names of 'a' are greater than in 'b'? Only names that both have count. */
typedef bool greater_fn(const char *name, struct quantity a, struct quantity b);

static bool greater_as_amounts(const char *name, struct quantity a, struct quantity b)
{
    return amount_of_request(str_of(name), a) > amount_of_request(str_of(name), b);
}

static bool greater_exactly(const char *name, struct quantity a, struct quantity b)
{
    (void)name;
    return quantity_compare(a, b) > 0;
}

static bool any_greater(struct resource_list a, struct resource_list b, greater_fn *greater)
{
    for (size_t i = 0; i < a.count; i++) {
        const struct quantity *other = list_get(b, a.items[i].name);

        if (other && greater(a.items[i].name, a.items[i].quantity, *other))
            return true;
    }
    return false;
}

static int name_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The greater names as a JSON array, sorted; NULL when there is none. */
static const char *names_greater(struct resource_list a, struct resource_list b,
                                 greater_fn *greater, struct arena *arena)
{
    const char **names = ARENA_ARRAY(arena, a.count + 1, const char *);
    AUTO_STRBUF struct strbuf text = { 0 };
    size_t count = 0;

    for (size_t i = 0; i < a.count; i++) {
        const struct quantity *other = list_get(b, a.items[i].name);

        if (other && greater(a.items[i].name, a.items[i].quantity, *other))
            names[count++] = a.items[i].name;
    }
    if (count == 0)
        return NULL;
    qsort(names, count, sizeof(*names), name_order);
    for (size_t i = 0; i < count; i++) {
        strbuf_putc(&text, i ? ',' : '[');
        strbuf_json(&text, str_of(names[i]));
    }
    strbuf_putc(&text, ']');
    return arena_dup(arena, strbuf_view(&text));
}

static void report(struct problems *problems, const char *path, const char *names,
                   const char *detail, struct arena *a)
{
    if (names)
        problems_add(problems, arena_format(a, "%s: Invalid value: %s: %s", path, names, detail),
                     a);
}

/* ---- row 7: requests within limits ---- */

static bool containers_exceed(const struct container *containers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (any_greater(containers[i].requests, containers[i].limits, greater_as_amounts))
            return true;
    return false;
}

bool pod_exceeds_limits(const struct pod_template *pod)
{
    return containers_exceed(pod->init_containers, pod->init_container_count) ||
           containers_exceed(pod->containers, pod->container_count) ||
           (pod->has_pod_resources &&
            any_greater(pod->pod_requests, pod->pod_limits, greater_as_amounts));
}

static void containers_over_limit(const struct container *containers, size_t count,
                                  const char *path, struct problems *problems, struct arena *a)
{
    for (size_t i = 0; i < count; i++)
        report(problems, arena_format(a, "%s[%zu]", path, i),
               names_greater(containers[i].requests, containers[i].limits, greater_as_amounts, a),
               OVER_LIMIT, a);
}

static void pod_over_limit(const struct pod_template *pod, size_t index, struct problems *problems,
                           struct arena *a)
{
    const char *spec = arena_format(a, "spec.podSets[%zu].template.spec", index);

    containers_over_limit(pod->init_containers, pod->init_container_count,
                          arena_format(a, "%s.initContainers", spec), problems, a);
    containers_over_limit(pod->containers, pod->container_count,
                          arena_format(a, "%s.containers", spec), problems, a);
    if (pod->has_pod_resources)
        report(problems, arena_format(a, "%s.resources", spec),
               names_greater(pod->pod_requests, pod->pod_limits, greater_as_amounts, a), OVER_LIMIT,
               a);
}

const char *validation_resources(const struct pod_template *const *pods, size_t count,
                                 struct arena *a)
{
    struct problems problems = { 0 };

    for (size_t i = 0; i < count; i++)
        pod_over_limit(pods[i], i, &problems, a);
    if (problems.count == 0)
        return NULL;
    return arena_format(a, "resources validation failed: %s", problems_join(&problems, a));
}

/* ---- row 8: LimitRange ---- */

/* Per name the larger (sign > 0) or smaller of request and limit; where one is absent, the
 * other. */
static struct resource_list extremes(const struct container *container, int sign, struct arena *a)
{
    struct resource_list out = { ARENA_ARRAY(
                                     a, container->requests.count + container->limits.count + 1,
                                     struct resource_quantity),
                                 0 };

    for (size_t i = 0; i < container->requests.count; i++) {
        const struct resource_quantity *request = &container->requests.items[i];
        const struct quantity *limit = list_get(container->limits, request->name);
        bool take = limit && quantity_compare(*limit, request->quantity) * sign > 0;

        out.items[out.count++] =
            (struct resource_quantity){ request->name, take ? *limit : request->quantity };
    }
    for (size_t i = 0; i < container->limits.count; i++)
        if (!list_get(container->requests, container->limits.items[i].name))
            out.items[out.count++] = container->limits.items[i];
    return out;
}

static void bounds_check(struct resource_list largest, struct resource_list smallest,
                         const struct limit_range_item *bounds, const char *path,
                         struct problems *problems, struct arena *a)
{
    report(problems, path, names_greater(largest, bounds->max, greater_exactly, a), OVER_MAXIMUM,
           a);
    report(problems, path, names_greater(bounds->min, smallest, greater_exactly, a), UNDER_MINIMUM,
           a);
}

static void containers_bounds(const struct container *containers, size_t count,
                              const struct limit_range_item *bounds, const char *path,
                              struct problems *problems, struct arena *a)
{
    for (size_t i = 0; i < count; i++)
        bounds_check(extremes(&containers[i], 1, a), extremes(&containers[i], -1, a), bounds,
                     arena_format(a, "%s[%zu]", path, i), problems, a);
}

static void pod_bounds(const struct pod_template *pod, size_t index,
                       const struct limit_summary *limits, struct problems *problems,
                       struct arena *a)
{
    const char *spec = arena_format(a, "spec.podSets[%zu].template.spec", index);

    if (limits->has_container) {
        containers_bounds(pod->init_containers, pod->init_container_count, &limits->container,
                          arena_format(a, "%s.initContainers", spec), problems, a);
        containers_bounds(pod->containers, pod->container_count, &limits->container,
                          arena_format(a, "%s.containers", spec), problems, a);
    }
    if (limits->has_pod) {
        struct resource_list total = pod_total(pod, a);

        bounds_check(total, total, &limits->pod, spec, problems, a);
    }
}

bool pod_violates_limit_range(const struct pod_template *pod, const struct limit_summary *limits,
                              struct arena *a)
{
    struct problems problems = { 0 };

    if (!limits || (!limits->has_container && !limits->has_pod))
        return false;
    pod_bounds(pod, 0, limits, &problems, a);
    return problems.count > 0;
}

const char *validation_limit_range(const struct pod_template *const *pods, size_t count,
                                   const struct limit_summary *limits, struct arena *a)
{
    struct problems problems = { 0 };

    for (size_t i = 0; limits && i < count; i++)
        pod_bounds(pods[i], i, limits, &problems, a);
    if (problems.count == 0)
        return NULL;
    return arena_format(a, "resources didn't satisfy LimitRange constraints: %s",
                        problems_join(&problems, a));
}
