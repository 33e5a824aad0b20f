#include <string.h>
#include "admitter/objects/admission_gates.h"
#include "admitter/objects/condition.h"
#include "admitter/objects/names.h"
#include "admitter/objects/tree.h"
#include "admitter/objects/workload_validate_private.h"
#include "quota/base/mem.h"

/* spec/api.md 3.7, first table: the object that is being written. Updates: workload_update.c. */

#define RESERVED_RESOURCE "the key is reserved for internal kueue use"
#define NEGATIVE "must be greater than or equal to 0"

const json_t *workload_pod_sets(const json_t *object)
{
    return json_at(object, "spec", "podSets", NULL);
}

bool workload_is_elastic(const json_t *object, const struct object_gates *gates)
{
    return gates->elastic_slices &&
           strcmp(object_annotation(object, ANNOTATION_ELASTIC_JOB), "true") == 0;
}

/* ---- pod sets ---- */

static void check_resource_list(const json_t *list, const struct object_gates *gates,
                                const char *path, struct field_errors *errors)
{
    struct quantity quantity;
    char text[QUANTITY_TEXT];
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)list, name, value) {
        const char *at = field_path(errors, "%s[%s]", path, name);

        if (strcmp(name, RESOURCE_PODS) == 0)
            field_error_invalid_text(errors, at, name, RESERVED_RESOURCE);
        if (gates->resources_are_non_negative && tree_quantity(value, &quantity) &&
            quantity.nano < 0)
            field_error_invalid_text(errors, at, quantity_print(quantity, text), NEGATIVE);
    }
}

static void check_resources(const json_t *holder, const struct object_gates *gates,
                            const char *path, struct field_errors *errors)
{
    const json_t *resources = json_object_get(holder, "resources");

    check_resource_list(json_object_get(resources, "requests"), gates,
                        field_path(errors, "%s.resources.requests", path), errors);
    check_resource_list(json_object_get(resources, "limits"), gates,
                        field_path(errors, "%s.resources.limits", path), errors);
}

static void check_containers(const json_t *spec, const char *list, const struct object_gates *gates,
                             const char *path, struct field_errors *errors)
{
    json_t *container;
    size_t i;

    json_array_foreach(json_object_get(spec, list), i, container)
        check_resources(container, gates, field_path(errors, "%s.%s[%zu]", path, list, i), errors);
}

static void check_slice_size(const json_t *request, const char *path, struct field_errors *errors)
{
    const char *at = field_path(errors, "%s.podSetSliceSize", path);
    bool has_topology = *json_string_at(request, "podSetSliceRequiredTopology") != '\0';
    bool has_size = tree_has(request, "podSetSliceSize");
    int64_t size = json_integer_at(request, "podSetSliceSize", 1);

    if (has_topology && !has_size)
        field_error_required(errors, at,
                             "must be set when podSetSliceRequiredTopology is specified");
    if (size <= 0)
        field_error_invalid_int(errors, at, size, "must be greater than 0");
    if (!has_topology && has_size)
        field_error_forbidden(errors, at,
                              "may not be set when podSetSliceRequiredTopology is not specified");
}

static void check_topology_request(const json_t *request, const char *path,
                                   struct field_errors *errors)
{
    json_t *constraint;
    size_t i;

    if (!json_is_object(request))
        return;
    check_slice_size(request, path, errors);
    json_array_foreach(json_object_get(request, "podsetSliceRequiredTopologyConstraints"), i,
                       constraint) {
        int64_t size = json_integer_at(constraint, "size", 0);

        if (size <= 0)
            field_error_invalid_int(
                errors,
                field_path(errors, "%s.podsetSliceRequiredTopologyConstraints[%zu].size", path, i),
                size, "must be greater than 0");
    }
}

static void check_pod_set(const json_t *pod_set, const struct object_gates *gates, const char *path,
                          struct field_errors *errors)
{
    const json_t *pod_template = json_object_get(pod_set, "template");
    const json_t *metadata = json_object_get(pod_template, "metadata");
    const json_t *spec = json_object_get(pod_template, "spec");
    const char *spec_path = field_path(errors, "%s.template.spec", path);

    if (gates->pod_set_metadata) {
        field_check_labels(errors, field_path(errors, "%s.template.metadata.labels", path),
                           json_object_get(metadata, "labels"));
        field_check_annotations(errors,
                                field_path(errors, "%s.template.metadata.annotations", path),
                                json_object_get(metadata, "annotations"));
    }
    check_containers(spec, "initContainers", gates, spec_path, errors);
    check_containers(spec, "containers", gates, spec_path, errors);
    check_resources(spec, gates, spec_path, errors);
    if (gates->slice_size)
        check_topology_request(json_object_get(pod_set, "topologyRequest"),
                               field_path(errors, "%s.topologyRequest", path), errors);
}

static void check_pod_sets(const json_t *object, const struct object_gates *gates,
                           struct field_errors *errors)
{
    int64_t variable = 0;
    json_t *pod_set;
    size_t i;

    json_array_foreach(workload_pod_sets(object), i, pod_set) {
        check_pod_set(pod_set, gates, field_path(errors, "spec.podSets[%zu]", i), errors);
        variable += tree_has(pod_set, "minCount");
    }
    if (variable > 1)
        field_error_invalid_int(errors, "spec.podSets", variable,
                                "at most one podSet can use minCount");
    if (variable > 0 && workload_is_elastic(object, gates))
        field_error_invalid_int(errors, "spec.podSets", variable,
                                "partial admission and elastic job cannot be used together");
}

/* ---- admission ---- */

static bool is_reserved_without_admission(const json_t *object)
{
    return object && condition_true(object, "QuotaReserved") &&
           !tree_has(json_object_get(object, "status"), "admission");
}

static const char *pod_set_name(const json_t *entry)
{
    const char *name = json_string_at(entry, "name");

    return *name ? name : POD_SET_DEFAULT_NAME;
}

json_t *workload_pod_set(const json_t *object, const char *name)
{
    json_t *pod_set;
    size_t i;

    json_array_foreach(workload_pod_sets(object), i, pod_set)
        if (strcmp(pod_set_name(pod_set), name) == 0)
            return pod_set;
    return NULL;
}

static void check_assignment(const json_t *object, const json_t *assignment, const char *path,
                             struct field_errors *errors)
{
    int64_t count = json_integer_at(assignment, "count", 0);
    struct quantity usage;
    const char *resource;
    json_t *value;

    if (!workload_pod_set(object, pod_set_name(assignment)))
        field_error_not_found(errors, field_path(errors, "%s.name", path),
                              pod_set_name(assignment));
    json_object_foreach(json_object_get(assignment, "resourceUsage"), resource, value) {
        int64_t amount;

        if (count <= 0 || !tree_quantity(value, &usage))
            continue;
        amount = amount_of_request(str_of(resource), usage);
        if (amount % count != 0)
            field_error_invalid_int(errors,
                                    field_path(errors, "%s.resourceUsage[%s]", path, resource),
                                    amount, "is not a multiple of %lld", (long long)count);
    }
}

static void check_admission(const json_t *old_object, const json_t *object,
                            struct field_errors *errors)
{
    const json_t *admission = json_at(object, "status", "admission", NULL);
    json_t *assignment;
    size_t i;

    if (!condition_true(object, "QuotaReserved"))
        return;
    if (!admission || json_is_null(admission)) {
        if (!is_reserved_without_admission(old_object))
            field_error_required(errors, "status.admission",
                                 "must be set while the QuotaReserved condition is true");
        return;
    }
    json_array_foreach(json_object_get(admission, "podSetAssignments"), i, assignment)
        check_assignment(object, assignment,
                         field_path(errors, "status.admission.podSetAssignments[%zu]", i), errors);
}

/* ---- reclaimable pods and checks ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **pod_set_names(const json_t *object, bool sorted, struct arena *a, size_t *count)
{
    const json_t *list = workload_pod_sets(object);
    const char **names = ARENA_ARRAY(a, json_array_size(list) + 1, const char *);

    *count = json_array_size(list);
    for (size_t i = 0; i < *count; i++)
        names[i] = pod_set_name(json_array_get(list, i));
    if (sorted)
        qsort(names, *count, sizeof(*names), by_name);
    return names;
}

static void check_reclaimable(const json_t *old_object, const json_t *object,
                              const struct object_gates *gates, struct field_errors *errors)
{
    const json_t *before = json_at(old_object, "status", "reclaimablePods", NULL);
    json_t *entry;
    size_t i, known;

    json_array_foreach(json_at(object, "status", "reclaimablePods", NULL), i, entry) {
        const char *name = json_string_at(entry, "name");
        const json_t *pod_set = workload_pod_set(object, name);
        int64_t count = json_integer_at(entry, "count", 0);
        int64_t most = json_integer_at(pod_set, "count", 1);
        bool unchanged = json_integer_at(tree_entry(before, "name", name), "count", -1) == count;

        if (!pod_set) {
            const char **names = pod_set_names(object, false, errors->arena, &known);

            field_error_not_supported(errors,
                                      field_path(errors, "status.reclaimablePods[%s].name", name),
                                      name, names, known);
        } else if (count > most && !(unchanged && workload_is_elastic(object, gates))) {
            field_error_invalid_int(errors,
                                    field_path(errors, "status.reclaimablePods[%s].count", name),
                                    count, "should be less or equal to %lld", (long long)most);
        }
    }
}

static void check_update_entry(const json_t *object, const json_t *update, const char *path,
                               struct field_errors *errors)
{
    json_t *toleration;
    size_t i, known;

    if (!workload_pod_set(object, json_string_at(update, "name"))) {
        const char **names = pod_set_names(object, true, errors->arena, &known);

        field_error_not_supported(errors, field_path(errors, "%s.name", path),
                                  json_string_at(update, "name"), names, known);
    }
    json_array_foreach(json_object_get(update, "tolerations"), i, toleration)
        if (*json_string_at(toleration, "key"))
            field_check_qualified_name(errors,
                                       field_path(errors, "%s.tolerations[%zu].key", path, i),
                                       json_string_at(toleration, "key"));
    field_check_annotations(errors, field_path(errors, "%s.annotations", path),
                            json_object_get(update, "annotations"));
    field_check_labels(errors, field_path(errors, "%s.nodeSelector", path),
                       json_object_get(update, "nodeSelector"));
    field_check_labels(errors, field_path(errors, "%s.labels", path),
                       json_object_get(update, "labels"));
}

static void check_admission_checks(const json_t *object, struct field_errors *errors)
{
    json_t *check, *update;
    size_t i, k;

    json_array_foreach(json_at(object, "status", "admissionChecks", NULL), i, check)
        json_array_foreach(json_object_get(check, "podSetUpdates"), k, update)
            check_update_entry(
                object, update,
                field_path(errors, "status.admissionChecks[%zu].podSetUpdates[%zu]", i, k), errors);
}

/* ---- annotations ---- */

/* As Go's ParseInt(text, 10, 32): an optional sign, then digits only. */
static bool is_int32(const char *text)
{
    int64_t value;

    return str_to_int64(str_of(text), &value) && value >= INT32_MIN && value <= INT32_MAX;
}

static void check_priority_boost(const json_t *object, struct field_errors *errors)
{
    const char *path = "metadata.annotations[" ANNOTATION_PRIORITY_BOOST "]";
    const json_t *annotations = json_at(object, "metadata", "annotations", NULL);
    const char *value = json_string_at(annotations, ANNOTATION_PRIORITY_BOOST);

    if (!json_object_get(annotations, ANNOTATION_PRIORITY_BOOST))
        return;
    if (!*value)
        field_error_invalid_text(errors, path, value,
                                 "must be a valid signed integer; use \"0\" explicitly, empty "
                                 "string is not allowed");
    else if (!is_int32(value))
        field_error_invalid_text(errors, path, value, "must be a valid signed integer");
}

void workload_validate(const json_t *old_object, const json_t *object,
                       const struct object_gates *gates, struct field_errors *errors)
{
    check_pod_sets(object, gates, errors);
    check_admission(old_object, object, errors);
    field_check_conditions(errors, "status.conditions",
                           json_at(object, "status", "conditions", NULL));
    check_reclaimable(old_object, object, gates, errors);
    check_admission_checks(object, errors);
    if (gates->admission_gated_by)
        admission_gates_check(object_annotation(object, ANNOTATION_ADMISSION_GATED_BY), errors);
    if (gates->priority_boost)
        check_priority_boost(object, errors);
    if (old_object)
        workload_update_validate(old_object, object, gates, errors);
}
