#include "quota/engine/requests.h"

#include "quota/base/mem.h"
#include "quota/engine/decimal.h"

/* ---- order (0.3) ---- */

uint64_t resource_hash(const char *resource)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (const char *c = resource; *c; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    return hash;
}

int resource_order(const char *a, const char *b)
{
    uint64_t left = resource_hash(a), right = resource_hash(b);

    if (left != right)
        return left < right ? -1 : 1;
    return strcmp(a, b);
}

/* ---- one pod (1.3) ---- */

/* Sums stay far inside 128 bits whatever the input: beyond this nothing fits anywhere. */
#define NANO_CAP ((__int128)1 << 110)

static __int128 nano_add(__int128 a, __int128 b)
{
    __int128 sum = a + b;

    return sum > NANO_CAP ? NANO_CAP : sum < -NANO_CAP ? -NANO_CAP : sum;
}

static const struct quantity *list_get(struct resource_list list, const char *name)
{
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.items[i].name, name) == 0)
            return &list.items[i].quantity;
    return NULL;
}

static __int128 list_nano(struct resource_list list, const char *name)
{
    const struct quantity *q = list_get(list, name);

    return q ? q->nano : 0;
}

/* A list that has room for what is to come. */
static void names_collect(struct resource_list *all, struct resource_list list)
{
    for (size_t i = 0; i < list.count; i++)
        if (!list_get(*all, list.items[i].name))
            all->items[all->count++] = list.items[i];
}

static struct resource_list pod_names(const struct pod_template *pod, struct arena *a)
{
    struct resource_list all = { NULL, 0 };
    size_t room = pod->pod_requests.count + pod->overhead.count;

    for (size_t i = 0; i < pod->container_count; i++)
        room += pod->containers[i].requests.count;
    for (size_t i = 0; i < pod->init_container_count; i++)
        room += pod->init_containers[i].requests.count;
    all.items = ARENA_ARRAY(a, room + 1, struct resource_quantity);
    for (size_t i = 0; i < pod->container_count; i++)
        names_collect(&all, pod->containers[i].requests);
    for (size_t i = 0; i < pod->init_container_count; i++)
        names_collect(&all, pod->init_containers[i].requests);
    return all;
}

static __int128 containers_nano(const struct pod_template *pod, const char *name)
{
    __int128 regular = 0, sidecars = 0, peak = 0;

    for (size_t i = 0; i < pod->container_count; i++)
        regular = nano_add(regular, list_nano(pod->containers[i].requests, name));
    for (size_t i = 0; i < pod->init_container_count; i++) {
        const struct container *init = &pod->init_containers[i];
        __int128 candidate = nano_add(sidecars, list_nano(init->requests, name));

        if (init->is_sidecar) {
            regular = nano_add(regular, list_nano(init->requests, name));
            sidecars = candidate;
        }
        if (candidate > peak)
            peak = candidate;
    }
    return regular > peak ? regular : peak;
}

static bool is_pod_level_resource(const char *name)
{
    return strcmp(name, "cpu") == 0 || strcmp(name, "memory") == 0 ||
           strncmp(name, "hugepages-", strlen("hugepages-")) == 0;
}

static struct quantity *list_slot(struct resource_list *list, const struct resource_quantity *like)
{
    struct quantity *slot = (struct quantity *)list_get(*list, like->name);

    if (slot)
        return slot;
    list->items[list->count] =
        (struct resource_quantity){ like->name, { 0, like->quantity.format } };
    return &list->items[list->count++].quantity;
}

struct resource_list pod_total(const struct pod_template *pod, struct arena *a)
{
    struct resource_list total = pod_names(pod, a);

    for (size_t i = 0; i < total.count; i++)
        total.items[i].quantity.nano = containers_nano(pod, total.items[i].name);
    for (size_t i = 0; pod->has_pod_resources && i < pod->pod_requests.count; i++)
        if (is_pod_level_resource(pod->pod_requests.items[i].name))
            *list_slot(&total, &pod->pod_requests.items[i]) = pod->pod_requests.items[i].quantity;
    for (size_t i = 0; i < pod->overhead.count; i++) {
        struct quantity *slot = list_slot(&total, &pod->overhead.items[i]);

        slot->nano = nano_add(slot->nano, pod->overhead.items[i].quantity.nano);
    }
    return total;
}

/* ---- exclusion, transformation, DRA (1.4) ---- */

struct generated {
    const char *name;
    struct decimal value;
};

/* What a pod costs while it is being worked out: kept quantities and generated products. */
struct draft {
    struct resource_list kept;
    struct generated *generated;
    size_t generated_count;
};

static bool name_is_excluded(const char *name, const struct engine_options *options)
{
    for (size_t i = 0; i < options->exclude_prefix_count; i++)
        if (strncmp(name, options->exclude_prefixes[i], strlen(options->exclude_prefixes[i])) == 0)
            return true;
    return false;
}

static void draft_exclude(struct draft *draft, const struct engine_options *options)
{
    size_t kept = 0;

    for (size_t i = 0; i < draft->kept.count; i++)
        if (!name_is_excluded(draft->kept.items[i].name, options))
            draft->kept.items[kept++] = draft->kept.items[i];
    draft->kept.count = kept;
}

static const struct resource_transformation *transformation_of(const char *input,
                                                               const struct engine_options *options)
{
    for (size_t i = 0; i < options->transformation_count; i++)
        if (strcmp(options->transformations[i].input, input) == 0)
            return &options->transformations[i];
    return NULL;
}

static void draft_generate(struct draft *draft, const char *name, struct decimal value)
{
    for (size_t i = 0; i < draft->generated_count; i++) {
        if (strcmp(draft->generated[i].name, name) == 0) {
            draft->generated[i].value = decimal_add(draft->generated[i].value, value);
            return;
        }
    }
    draft->generated[draft->generated_count++] = (struct generated){ name, value };
}

#define NANO_ONE ((__int128)1000000000)

static void draft_transform_one(struct draft *draft, const struct resource_quantity *input,
                                const struct resource_transformation *rule)
{
    const struct quantity *times =
        rule->multiply_by ? list_get(draft->kept, rule->multiply_by) : NULL;

    for (size_t i = 0; i < rule->outputs.count; i++)
        draft_generate(draft, rule->outputs.items[i].name,
                       decimal_product(input->quantity.nano, times ? times->nano : NANO_ONE,
                                       rule->outputs.items[i].quantity.nano));
}

static void draft_transform(struct draft *draft, const struct engine_options *options,
                            struct arena *a)
{
    size_t outputs = 0, kept = 0;

    for (size_t i = 0; i < options->transformation_count; i++)
        outputs += options->transformations[i].outputs.count;
    draft->generated = ARENA_ARRAY(a, outputs + 1, struct generated);
    for (size_t i = 0; i < draft->kept.count; i++) {
        const struct resource_transformation *rule =
            transformation_of(draft->kept.items[i].name, options);

        if (rule)
            draft_transform_one(draft, &draft->kept.items[i], rule);
    }
    for (size_t i = 0; i < draft->kept.count; i++) {
        const struct resource_transformation *rule =
            transformation_of(draft->kept.items[i].name, options);

        if (!rule || !rule->replace)
            draft->kept.items[kept++] = draft->kept.items[i];
    }
    draft->kept.count = kept;
}

static bool devices_replace(const struct device_requests *devices, const char *name)
{
    for (size_t i = 0; i < devices->replaced_count; i++)
        if (strcmp(devices->replaced[i], name) == 0)
            return true;
    return false;
}

/* ---- integers ---- */

static int64_t decimal_amount(const char *name, struct decimal value)
{
    return decimal_round_up(value, resource_is_cpu(str_of(name)) ? 3 : 0);
}

static int64_t not_negative(int64_t amount)
{
    return amount < 0 ? 0 : amount;
}

static const struct generated *draft_generated(const struct draft *draft, const char *name)
{
    for (size_t i = 0; i < draft->generated_count; i++)
        if (strcmp(draft->generated[i].name, name) == 0)
            return &draft->generated[i];
    return NULL;
}

static struct decimal generated_value(const struct generated *generated)
{
    return decimal_is_negative(generated->value) ? (struct decimal){ { 0 } } : generated->value;
}

static int64_t kept_amount(const struct draft *draft, const struct resource_quantity *kept)
{
    const struct generated *more = draft_generated(draft, kept->name);

    if (!more)
        return not_negative(amount_of_request(str_of(kept->name), kept->quantity));
    return not_negative(decimal_amount(
        kept->name, decimal_add(decimal_product(kept->quantity.nano, NANO_ONE, NANO_ONE),
                                generated_value(more))));
}

static void draft_amounts(const struct draft *draft, const struct device_requests *devices,
                          struct amounts *out, struct arena *a)
{
    for (size_t i = 0; i < draft->kept.count; i++)
        if (!devices || !devices_replace(devices, draft->kept.items[i].name))
            amounts_add(out, draft->kept.items[i].name, kept_amount(draft, &draft->kept.items[i]),
                        a);
    for (size_t i = 0; i < draft->generated_count; i++)
        if (!list_get(draft->kept, draft->generated[i].name) &&
            !(devices && devices_replace(devices, draft->generated[i].name)))
            amounts_add(
                out, draft->generated[i].name,
                decimal_amount(draft->generated[i].name, generated_value(&draft->generated[i])), a);
    for (size_t i = 0; devices && i < devices->added.count; i++) {
        const struct resource_quantity *device = &devices->added.items[i];

        amounts_add(out, device->name,
                    not_negative(amount_of_request(str_of(device->name), device->quantity)), a);
    }
}

struct amounts pod_requests(const struct pod_template *pod, const struct engine_options *options,
                            const struct device_requests *devices, struct arena *a)
{
    struct draft draft = { .kept = pod_total(pod, a) };
    struct amounts out = { NULL, 0 };

    draft_exclude(&draft, options);
    draft_transform(&draft, options, a);
    draft_amounts(&draft, devices, &out, a);
    return out;
}
