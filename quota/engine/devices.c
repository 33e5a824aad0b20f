#include "quota/engine/devices.h"

#include <string.h>

#include "quota/engine/device_match.h"
#include "quota/engine/device_measure.h"

#define REFUSED_BY_GATE                                                                            \
    "Workload uses DRA resources but the KueueDRAIntegration feature gate is not enabled"
#define REFUSED_CLAIM "KueueDRAIntegration feature does not support use of resource claims"
#define REFUSED_CLAIM_REQUEUE "DRA resource claims not supported"
#define NANO ((__int128)1000000000)

struct device_problem {
    struct device_problem *next;
    const char *text;
};

void device_reading_begin(struct device_reading *reading, const struct engine *engine,
                          const char *namespace, struct arena *arena)
{
    *reading = (struct device_reading){ .engine = engine, .namespace = namespace, .arena = arena };
}

/* ---- problems ---- */

/* Each text counts once. */
static void problem_add(struct device_reading *r, const char *text)
{
    struct device_problem **at = &r->first;

    for (; *at; at = &(*at)->next)
        if (strcmp((*at)->text, text) == 0)
            return;
    *at = ARENA_NEW(r->arena, struct device_problem);
    (*at)->text = text;
}

static const char *problems_text(const struct device_reading *r)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;

    if (!r->first)
        return NULL;
    if (!r->first->next)
        return r->first->text;
    for (const struct device_problem *p = r->first; p; p = p->next)
        strbuf_printf(&text, "%s%s", p == r->first ? "[" : ", ", p->text);
    strbuf_putc(&text, ']');
    return arena_dup(r->arena, strbuf_view(&text));
}

const char *device_reading_refusal(const struct device_reading *reading)
{
    const struct engine_gates *gates = &reading->engine->options.gates;

    if (!gates->dra_integration)
        return reading->refers && gates->dra_reject_when_off ? REFUSED_BY_GATE : NULL;
    return reading->names_claim ? REFUSED_CLAIM : problems_text(reading);
}

const char *device_refusal_of_requeue(const char *refusal)
{
    return strcmp(refusal, REFUSED_CLAIM) == 0 ? REFUSED_CLAIM_REQUEUE : refusal;
}

/* ---- what is charged ---- */

static void charge(struct device_reading *r, struct device_requests *out, const char *resource,
                   int64_t amount)
{
    struct resource_quantity *grown;

    for (size_t i = 0; i < out->added.count; i++) {
        struct quantity *present = &out->added.items[i].quantity;

        if (strcmp(out->added.items[i].name, resource) != 0)
            continue;
        *present = quantity_of(amount_add(quantity_ceil(*present), amount), QUANTITY_DECIMAL);
        return;
    }
    grown = ARENA_ARRAY(r->arena, out->added.count + 1, struct resource_quantity);
    if (out->added.count > 0)
        memcpy(grown, out->added.items, out->added.count * sizeof(*grown));
    grown[out->added.count] =
        (struct resource_quantity){ resource, quantity_of(amount, QUANTITY_DECIMAL) };
    out->added.items = grown;
    out->added.count++;
}

static bool lists_class(const struct device_mapping *mapping, const char *class_)
{
    for (size_t i = 0; i < mapping->class_count; i++)
        if (strcmp(mapping->classes[i], class_) == 0)
            return true;
    return false;
}

static const struct device_mapping *mapping_of(const struct engine *engine, const char *class_)
{
    for (size_t i = 0; i < engine->options.device_mapping_count; i++)
        if (lists_class(&engine->options.device_mappings[i], class_))
            return &engine->options.device_mappings[i];
    return NULL;
}

/* ---- claims ---- */

struct claim_place { /* of the claim being read, for messages */
    const char *path, *pod_set, *claim_template;
};

static void claim_invalid(struct device_reading *r, const struct claim_place *place,
                          const char *detail)
{
    problem_add(r, arena_format(r->arena, "%s: Invalid value: ResourceClaimTemplate %s: %s",
                                place->path, place->claim_template, detail));
}

static void claim_fails(struct device_reading *r, const struct claim_place *place,
                        const char *detail)
{
    problem_add(r, arena_format(r->arena, "%s: Internal error: ResourceClaimTemplate %s: %s",
                                place->path, place->claim_template, detail));
}

/* The devices that pass the selectors of the request, of its class, and those that are in 'filter'
 * already; NULL: one of them is no expression, which is told. */
static const struct device *const *matching(struct device_reading *r,
                                            const struct claim_place *place,
                                            const struct device_request *request,
                                            struct device_filter *filter, size_t *count)
{
    const struct device_class_record *class_ =
        map_get(r->engine->device_classes, str_of(request->device_class));
    const struct device *const *found;
    struct err e = { 0 };

    if (class_)
        device_filter_add(filter, class_->copy.selectors, class_->copy.selector_count, r->arena);
    device_filter_add(filter, request->selectors, request->selector_count, r->arena);
    found = device_match(r->engine, filter, r->arena, count, &e);
    if (!found)
        claim_invalid(r, place, e.text);
    return found;
}

static bool is_taken(const struct device_reading *r, const struct device *device)
{
    for (size_t i = 0; i < r->taken_count; i++)
        if (r->taken[i] == device)
            return true;
    return false;
}

/* A request that selects wants devices that are there, and that no request before it has got. */
static void take_selected(struct device_reading *r, const struct claim_place *place,
                          const struct device_request *request)
{
    struct device_filter filter = { 0 };
    const struct device *const *found, **grown;
    size_t count, got = 0;

    found = matching(r, place, request, &filter, &count);
    if (!found)
        return;
    grown = ARENA_ARRAY(r->arena, r->taken_count + count + 1, const struct device *);
    if (r->taken_count > 0)
        memcpy(grown, r->taken, r->taken_count * sizeof(const struct device *));
    for (size_t i = 0; i < count && (int64_t)got < request->count; i++)
        if (!is_taken(r, found[i]))
            grown[r->taken_count + got++] = found[i];
    r->taken = grown;
    r->taken_count += got;
    if ((int64_t)got < request->count)
        claim_fails(r, place,
                    arena_format(r->arena,
                                 "insufficient matching devices for CEL selector in DeviceClass "
                                 "%s: %zu device(s) match in the cluster but %lld requested",
                                 request->device_class, got, (long long)request->count));
}

/* ---- counters and capacities ---- */

/* The words for what cannot be measured. */
static void measure_fails(struct device_reading *r, const struct claim_place *place,
                          enum measure problem, const char *name, bool by_capacity)
{
    if (problem == MEASURE_UNSATISFIED)
        claim_invalid(r, place,
                      arena_format(r->arena,
                                   "capacity request cannot be satisfied by any matched device's "
                                   "RequestPolicy for dimension \"%s\"",
                                   name));
    else if (by_capacity)
        claim_fails(
            r, place,
            arena_format(r->arena, "matched devices have no capacity dimension \"%s\"", name));
    else
        claim_fails(r, place,
                    arena_format(
                        r->arena,
                        "matched devices have no consumesCounters entry for counter \"%s\"", name));
}

static void charge_measure(struct device_reading *r, const struct claim_place *place,
                           const struct device_request *request,
                           const struct device_mapping *mapping,
                           const struct device_measure *measure, struct device_requests *out)
{
    struct device_filter filter = { .driver = measure->driver, .complete_pools = true };
    const struct device *const *found;
    enum measure result;
    int64_t most;
    size_t count;

    device_filter_add(&filter, &measure->selector, 1, r->arena);
    found = matching(r, place, request, &filter, &count);
    if (!found)
        return;
    if (!mapping->by_capacity && (int64_t)count < request->count) {
        claim_fails(r, place,
                    arena_format(r->arena,
                                 "insufficient matching devices for counter driver: %zu device(s) "
                                 "of %s match in the cluster but %lld requested",
                                 count, measure->driver, (long long)request->count));
        return;
    }
    result = mapping->by_capacity
                 ? device_capacity_most(found, count, measure->name, &request->capacities, &most)
                 : device_counter_most(found, count, measure->name, &most);
    if (result == MEASURE_OK)
        charge(r, out, mapping->resource, amount_mul(most, request->count));
    else
        measure_fails(r, place, result, measure->name, mapping->by_capacity);
}

/* Every mapping that lists the class is charged for what it measures. */
static void charge_measures(struct device_reading *r, const struct claim_place *place,
                            const struct device_request *request, struct device_requests *out)
{
    for (size_t i = 0; i < r->engine->options.device_mapping_count; i++) {
        const struct device_mapping *mapping = &r->engine->options.device_mappings[i];

        for (size_t k = 0;
             lists_class(mapping, request->device_class) && k < mapping->measure_count; k++)
            charge_measure(r, place, request, mapping, &mapping->measures[k], out);
    }
}

/* ---- requests ---- */

static void read_exact(struct device_reading *r, const struct claim_place *place,
                       const struct device_request *request, struct device_requests *out)
{
    const struct device_mapping *mapping = mapping_of(r->engine, request->device_class);

    if (!mapping) {
        problem_add(r, arena_format(r->arena,
                                    "%s: Not found: \"DeviceClass %s is not mapped in DRA "
                                    "configuration for podset %s\"",
                                    place->path, request->device_class, place->pod_set));
    } else if (mapping->measure_count > 0) {
        charge_measures(r, place, request, out);
    } else {
        if (request->selector_count > 0)
            take_selected(r, place, request);
        charge(r, out, mapping->resource, request->count);
    }
}

static void read_request(struct device_reading *r, const struct claim_place *place,
                         const struct device_request *request, struct device_requests *out)
{
    if (request->has_alternatives)
        claim_invalid(r, place, "FirstAvailable device selection is not supported");
    else if (!request->is_exact)
        claim_invalid(r, place, "Exactly must be set if FirstAvailable is nil");
    else if (request->admin_access)
        return; /* looks at devices without taking them */
    else if (strcmp(request->allocation_mode, "All") == 0)
        claim_invalid(r, place, "AllocationMode 'All' is not supported");
    else if (strcmp(request->allocation_mode, "ExactCount") != 0)
        claim_invalid(
            r, place,
            arena_format(r->arena, "unsupported allocation mode: %s", request->allocation_mode));
    else
        read_exact(r, place, request, out);
}

static void read_template(struct device_reading *r, const struct claim_place *place,
                          struct device_requests *out)
{
    const struct claim_template_record *found =
        namespaced_find(r->engine->claim_templates, r->namespace, place->claim_template);

    if (!found) {
        problem_add(r, arena_format(r->arena,
                                    "%s: Internal error: ResourceClaimTemplate %s: "
                                    "resourceclaimtemplates.resource.k8s.io \"%s\" not found",
                                    place->path, place->claim_template, place->claim_template));
        return;
    }
    for (size_t i = 0; i < found->copy.request_count; i++)
        read_request(r, place, &found->copy.requests[i], out);
}

static void read_claims(struct device_reading *r, size_t index, const struct pod_set *pod_set,
                        struct device_requests *out)
{
    const struct pod_template *pod = &pod_set->pod;

    r->taken_count = 0;
    for (size_t i = 0; i < pod->claim_count; i++) {
        struct claim_place place = { .pod_set = pod_set->name,
                                     .claim_template = pod->claims[i].claim_template };

        r->refers |= pod->claims[i].claim || pod->claims[i].claim_template;
        r->names_claim |= pod->claims[i].claim != NULL;
        if (!r->engine->options.gates.dra_integration || !place.claim_template)
            continue;
        place.path = arena_format(r->arena,
                                  "spec.podSets[%zu].template.spec.resourceClaims[%zu]."
                                  "resourceClaimTemplateName",
                                  index, i);
        read_template(r, &place, out);
    }
}

/* ---- resources that a class stands for ---- */

/* The newest of those that name it; of equally new ones the first by name. */
static const struct device_class *class_behind(const struct engine *engine, const char *resource)
{
    const struct device_class *best = NULL;
    struct map_entry entry;

    for (size_t at = 0; map_next(engine->device_classes, &at, &entry);) {
        const struct device_class *class_ = &((struct device_class_record *)entry.value)->copy;

        if (!class_->extended_resource || strcmp(class_->extended_resource, resource) != 0)
            continue;
        if (!best || class_->created > best->created ||
            (class_->created == best->created && strcmp(class_->name, best->name) < 0))
            best = class_;
    }
    return best;
}

static __int128 whole_pieces(struct device_reading *r, const char *path,
                             const struct container *container, const char *resource)
{
    for (size_t i = 0; i < container->requests.count; i++) {
        struct quantity quantity = container->requests.items[i].quantity;
        char text[QUANTITY_TEXT];

        if (strcmp(container->requests.items[i].name, resource) != 0 || quantity.nano <= 0)
            continue;
        if (quantity.nano % NANO == 0)
            return quantity.nano / NANO;
        problem_add(r, arena_format(r->arena,
                                    "%s.resources.requests[%s]: Invalid value: \"%s\": extended "
                                    "resource quantity must be an integer",
                                    path, resource, quantity_print(quantity, text)));
    }
    return 0;
}

static __int128 pieces_of_pod(struct device_reading *r, const char *path,
                              const struct pod_template *pod, const char *resource)
{
    __int128 sum = 0, peak = 0;

    for (size_t i = 0; i < pod->container_count; i++)
        sum += whole_pieces(r, arena_format(r->arena, "%s.containers[%zu]", path, i),
                            &pod->containers[i], resource);
    for (size_t i = 0; i < pod->init_container_count; i++) {
        __int128 one = whole_pieces(r, arena_format(r->arena, "%s.initContainers[%zu]", path, i),
                                    &pod->init_containers[i], resource);

        if (one > peak)
            peak = one;
    }
    return sum > peak ? sum : peak;
}

static void replace(struct device_reading *r, struct device_requests *out, const char *resource)
{
    const char **grown = ARENA_ARRAY(r->arena, out->replaced_count + 1, const char *);

    if (out->replaced_count > 0)
        memcpy(grown, out->replaced, out->replaced_count * sizeof(*grown));
    grown[out->replaced_count++] = resource;
    out->replaced = grown;
}

static void read_extended(struct device_reading *r, const char *path,
                          const struct pod_template *pod, const char *resource,
                          struct device_requests *out)
{
    const struct device_class *class_ = class_behind(r->engine, resource);
    const struct device_mapping *mapping = class_ ? mapping_of(r->engine, class_->name) : NULL;
    __int128 pieces;

    if (!class_)
        return;
    if (mapping && mapping->measure_count > 0) {
        problem_add(r, arena_format(r->arena,
                                    "%s: Invalid value: extended resource %s resolves to "
                                    "DeviceClass %s with %s configured; use ResourceClaimTemplates "
                                    "with CEL selectors for %s-based quota",
                                    path, resource, class_->name,
                                    mapping->by_capacity ? "capacity sources" : "counters",
                                    mapping->by_capacity ? "capacity" : "counter"));
        return;
    }
    pieces = pieces_of_pod(r, path, pod, resource);
    if (pieces > INT64_MAX)
        problem_add(r, arena_format(r->arena,
                                    "%s: Invalid value: \"%s\": total extended resource quantity "
                                    "overflows int64",
                                    path, resource));
    if (pieces == 0 || pieces > INT64_MAX)
        return;
    replace(r, out, resource);
    charge(r, out, mapping ? mapping->resource : resource, (int64_t)pieces);
}

static bool is_replaced(const struct device_requests *out, const char *resource)
{
    for (size_t i = 0; i < out->replaced_count; i++)
        if (strcmp(out->replaced[i], resource) == 0)
            return true;
    return false;
}

static void read_container(struct device_reading *r, const char *path,
                           const struct pod_template *pod, const struct container *container,
                           struct device_requests *out)
{
    for (size_t i = 0; i < container->requests.count; i++)
        if (!is_replaced(out, container->requests.items[i].name))
            read_extended(r, path, pod, container->requests.items[i].name, out);
}

static void read_resources(struct device_reading *r, size_t index, const struct pod_template *pod,
                           struct device_requests *out)
{
    const char *path = arena_format(r->arena, "spec.podSets[%zu].template.spec", index);

    for (size_t i = 0; i < pod->container_count; i++)
        read_container(r, path, pod, &pod->containers[i], out);
    for (size_t i = 0; i < pod->init_container_count; i++)
        read_container(r, path, pod, &pod->init_containers[i], out);
}

/* ---- the whole ---- */

const struct device_requests *device_reading_pod_set(struct device_reading *reading, size_t index,
                                                     const struct pod_set *pod_set,
                                                     const struct limit_summary *limits,
                                                     const struct runtime_class *runtime_class)
{
    const struct engine *engine = reading->engine;
    bool extends = engine->extended_resource_count > 0 && engine->options.gates.dra_integration &&
                   engine->options.gates.dra_extended_resources;
    struct device_requests *out;

    if (pod_set->pod.claim_count == 0 && !extends)
        return NULL;
    out = ARENA_NEW(reading->arena, struct device_requests);
    read_claims(reading, index, pod_set, out);
    if (extends)
        read_resources(reading, index,
                       pod_adjust(&pod_set->pod, limits, runtime_class, reading->arena), out);
    return out->added.count + out->replaced_count > 0 ? out : NULL;
}
