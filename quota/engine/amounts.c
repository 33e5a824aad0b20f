/* amounts.c - the part of requests.h that counts pods: rows, scaling, reserved view, priority. */
#include "quota/engine/requests.h"

#include "quota/base/mem.h"

void amounts_add(struct amounts *amounts, const char *resource, int64_t amount, struct arena *a)
{
    size_t at = 0;
    int order = -1;
    struct resource_amount *items;

    while (at < amounts->count &&
           (order = resource_order(amounts->items[at].resource, resource)) < 0)
        at++;
    if (at < amounts->count && order == 0) {
        amounts->items[at].amount = amount_add(amounts->items[at].amount, amount);
        return;
    }
    items = ARENA_ARRAY(a, amounts->count + 1, struct resource_amount);
    if (amounts->count) {
        memcpy(items, amounts->items, at * sizeof(*items));
        memcpy(items + at + 1, amounts->items + at, (amounts->count - at) * sizeof(*items));
    }
    items[at] = (struct resource_amount){ .resource = resource, .amount = amount };
    amounts->items = items;
    amounts->count++;
}

static struct resource_amount *amounts_row(struct amounts amounts, const char *resource)
{
    for (size_t i = 0; i < amounts.count; i++)
        if (resource_order(amounts.items[i].resource, resource) == 0)
            return &amounts.items[i];
    return NULL;
}

int64_t amounts_get(struct amounts amounts, const char *resource)
{
    const struct resource_amount *row = amounts_row(amounts, resource);

    return row ? row->amount : 0;
}

/* ---- pod counts (1.5) ---- */

/* Reclaimed pods of a pod set by name; 0 when absent. Never above 'count', never negative. */
static int32_t reclaimable_pods(const struct workload *workload, const struct pod_set *pod_set)
{
    for (size_t i = 0; i < workload->reclaimable_count; i++) {
        const struct pod_count *row = &workload->reclaimable[i];

        if (strcmp(row->pod_set, pod_set->name) != 0)
            continue;
        if (row->count < 0)
            return 0;
        return row->count < pod_set->count ? row->count : pod_set->count;
    }
    return 0;
}

int32_t effective_count(const struct workload *workload, const struct pod_set *pod_set,
                        const struct engine_gates *gates)
{
    return gates->reclaimable_pods ? pod_set->count - reclaimable_pods(workload, pod_set)
                                   : pod_set->count;
}

int64_t amount_scale(int64_t per_pod, int32_t pods)
{
    return amount_mul(per_pod, pods < 0 ? 0 : pods);
}

int64_t amount_rescale(int64_t total, int32_t count, int32_t pods)
{
    return amount_scale(count > 0 ? total / count : total, pods);
}

struct amounts amounts_scale(struct amounts per_pod, int32_t pods, struct arena *a)
{
    struct amounts out = { ARENA_ARRAY(a, per_pod.count + 1, struct resource_amount),
                           per_pod.count };

    for (size_t i = 0; i < per_pod.count; i++) {
        out.items[i] = per_pod.items[i];
        out.items[i].amount = amount_scale(per_pod.items[i].amount, pods);
    }
    return out;
}

/* ---- the reserved view (1.9) ---- */

static const struct pod_set *pod_set_named(const struct workload *workload, const char *name)
{
    for (size_t i = 0; i < workload->pod_set_count; i++)
        if (strcmp(workload->pod_sets[i].name, name) == 0)
            return &workload->pod_sets[i];
    return NULL;
}

static struct amounts assignment_amounts(const struct pod_set_assignment *assignment,
                                         struct arena *a)
{
    struct amounts out = { NULL, 0 };

    for (size_t i = 0; i < assignment->use_count; i++) {
        const struct resource_flavor_use *use = &assignment->uses[i];

        if (use->has_usage)
            amounts_add(&out, use->resource, amount_of_request(str_of(use->resource), use->usage),
                        a);
    }
    for (size_t i = 0; i < assignment->use_count; i++) {
        struct resource_amount *row = amounts_row(out, assignment->uses[i].resource);

        if (row && assignment->uses[i].flavor)
            row->flavor = assignment->uses[i].flavor;
    }
    return out;
}

static void amounts_shrink(struct amounts amounts, int32_t count, int32_t remaining)
{
    for (size_t i = 0; i < amounts.count; i++)
        amounts.items[i].amount = amount_rescale(amounts.items[i].amount, count, remaining);
}

static struct pod_set_amounts reserved_one(const struct workload *workload,
                                           const struct pod_set_assignment *assignment,
                                           const struct engine_gates *gates, struct arena *a)
{
    const struct pod_set *pod_set = pod_set_named(workload, assignment->pod_set);
    struct pod_set_amounts out = {
        .name = assignment->pod_set,
        .count = assignment->count >= 0 ? assignment->count
                 : pod_set              ? pod_set->count
                                        : 0,
        .amounts = assignment_amounts(assignment, a),
    };
    int32_t remaining = pod_set ? effective_count(workload, pod_set, gates) : out.count;

    if (remaining < out.count) {
        amounts_shrink(out.amounts, out.count, remaining);
        out.count = remaining;
    }
    return out;
}

struct pod_set_amounts *reserved_view(const struct workload *workload,
                                      const struct engine_gates *gates, struct arena *a,
                                      size_t *count)
{
    const struct admission *admission = &workload->admission;
    struct pod_set_amounts *out =
        ARENA_ARRAY(a, admission->pod_set_count + 1, struct pod_set_amounts);

    for (size_t i = 0; i < admission->pod_set_count; i++)
        out[i] = reserved_one(workload, &admission->pod_sets[i], gates, a);
    *count = admission->pod_set_count;
    return out;
}

/* ---- what the API shows (0.2) ---- */

static bool resource_is_bytes(const char *resource)
{
    return strcmp(resource, "memory") == 0 || strcmp(resource, "ephemeral-storage") == 0 ||
           strncmp(resource, "hugepages-", strlen("hugepages-")) == 0;
}

struct quantity amount_quantity(const char *resource, int64_t amount)
{
    bool large = amount >= 1024 || amount <= -1024;

    if (resource_is_cpu(str_of(resource)))
        return quantity_milli(amount);
    if (resource_is_bytes(resource) && large && amount % 1024 == 0)
        return quantity_of(amount, QUANTITY_BINARY);
    return quantity_of(amount, QUANTITY_DECIMAL);
}

/* ---- priority (1.11) ---- */

static int64_t priority_boost(const struct workload *workload, const struct engine_gates *gates)
{
    int64_t boost = 0;

    if (!gates->priority_boost || !workload->priority_boost)
        return 0;
    if (!str_to_int64(str_of(workload->priority_boost), &boost) || boost < INT32_MIN ||
        boost > INT32_MAX)
        return 0;
    return boost;
}

int64_t effective_priority(const struct workload *workload, const struct engine_gates *gates)
{
    return (workload->has_priority ? workload->priority : 0) + priority_boost(workload, gates);
}
