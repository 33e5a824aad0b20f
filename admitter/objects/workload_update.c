#include <string.h>
#include "admitter/objects/admission_gates.h"
#include "admitter/objects/condition.h"
#include "admitter/objects/names.h"
#include "admitter/objects/tree.h"
#include "admitter/objects/workload_validate_private.h"

/* spec/api.md 3.7, second table: what an update may not do. */

#define IMMUTABLE "field is immutable"

/* ---- pod sets ---- */

static bool pod_set_same(const json_t *before, json_t *after, const struct object_gates *gates)
{
    json_t *lowered;
    bool same;

    if (tree_same(before, after))
        return true;
    if (!gates->elastic_slices ||
        json_integer_at(after, "count", 1) >= json_integer_at(before, "count", 1))
        return false;
    lowered = json_copy((json_t *)before);
    json_object_set_new(lowered, "count", json_integer(json_integer_at(after, "count", 1)));
    same = tree_same(lowered, after);
    json_decref(lowered);
    return same;
}

static void check_pod_sets(const json_t *old_object, const json_t *object,
                           const struct object_gates *gates, struct field_errors *errors)
{
    const json_t *before = workload_pod_sets(old_object), *after = workload_pod_sets(object);
    json_t *pod_set;
    size_t i;

    if (!condition_true(old_object, "QuotaReserved"))
        return;
    if (json_array_size(before) != json_array_size(after)) {
        field_error_invalid_json(errors, "spec.podSets", after, IMMUTABLE);
        return;
    }
    json_array_foreach(after, i, pod_set)
        if (!pod_set_same(json_array_get(before, i), pod_set, gates))
            field_error_invalid_json(errors, field_path(errors, "spec.podSets.%zu", i), pod_set,
                                     IMMUTABLE);
}

/* ---- reclaimable pods ---- */

/* An elastic Workload whose pod set is below what was admitted. */
static bool is_scaled_down(const json_t *object, const char *name, const struct object_gates *gates)
{
    const json_t *assignments = json_at(object, "status", "admission", "podSetAssignments", NULL);
    const json_t *pod_set = workload_pod_set(object, name);

    return workload_is_elastic(object, gates) && pod_set &&
           json_integer_at(pod_set, "count", 1) <
               json_integer_at(tree_entry(assignments, "name", name), "count", 0);
}

static void check_reclaimable(const json_t *old_object, const json_t *object,
                              const struct object_gates *gates, struct field_errors *errors)
{
    const json_t *after = json_at(object, "status", "reclaimablePods", NULL);
    json_t *old_entry;
    size_t i;

    if (!condition_true(old_object, "QuotaReserved") || !condition_true(object, "QuotaReserved"))
        return;
    json_array_foreach(json_at(old_object, "status", "reclaimablePods", NULL), i, old_entry) {
        const char *name = json_string_at(old_entry, "name");
        const json_t *entry = tree_entry(after, "name", name);
        int64_t before = json_integer_at(old_entry, "count", 0);
        int64_t count = json_integer_at(entry, "count", 0);

        if (is_scaled_down(object, name, gates))
            continue;
        if (!entry)
            field_error_required(errors, field_path(errors, "status.reclaimablePods[%s]", name),
                                 "cannot be removed");
        else if (count < before)
            field_error_invalid_int(errors,
                                    field_path(errors, "status.reclaimablePods[%s].count", name),
                                    count, "cannot be less than %lld", (long long)before);
    }
}

/* ---- admission ---- */

/* A copy without what may change while topology is being assigned. */
static json_t *without_topology(const json_t *admission)
{
    json_t *copy = json_deep_copy(admission), *assignment;
    size_t i;

    json_array_foreach(json_object_get(copy, "podSetAssignments"), i, assignment) {
        json_object_del(assignment, "topologyAssignment");
        json_object_del(assignment, "delayedTopologyRequest");
    }
    return copy;
}

static bool admission_same(const json_t *before, const json_t *after,
                           const struct object_gates *gates)
{
    json_t *left, *right;
    bool same;

    if (tree_same(before, after))
        return true;
    if (!gates->topology_aware)
        return false;
    left = without_topology(before);
    right = without_topology(after);
    same = tree_same(left, right);
    json_decref(left);
    json_decref(right);
    return same;
}

static void check_admission(const json_t *old_object, const json_t *object,
                            const struct object_gates *gates, struct field_errors *errors)
{
    const json_t *before = json_at(old_object, "status", "admission", NULL);
    const json_t *after = json_at(object, "status", "admission", NULL);

    if (json_is_object(before) && json_is_object(after) && !admission_same(before, after, gates))
        field_error_invalid_json(errors, "status.admission", after, IMMUTABLE);
}

/* ---- checks and clusters ---- */

static bool is_ready(const json_t *check)
{
    return strcmp(json_string_at(check, "state"), "Ready") == 0;
}

static void check_pod_set_updates(const json_t *old_object, const json_t *object,
                                  struct field_errors *errors)
{
    const json_t *after = json_at(object, "status", "admissionChecks", NULL);
    json_t *old_check;
    size_t i;

    json_array_foreach(json_at(old_object, "status", "admissionChecks", NULL), i, old_check) {
        const json_t *check = tree_entry(after, "name", json_string_at(old_check, "name"));
        const json_t *updates = json_object_get(check, "podSetUpdates");

        if (check && is_ready(old_check) && is_ready(check) &&
            !tree_same(json_object_get(old_check, "podSetUpdates"), updates))
            field_error_invalid_json(
                errors, field_path(errors, "status.admissionChecks[%zu].podSetUpdates", i), updates,
                IMMUTABLE);
    }
}

static void check_cluster_name(const json_t *old_object, const json_t *object,
                               struct field_errors *errors)
{
    const json_t *old_status = json_object_get(old_object, "status");
    const char *name = json_string_at(json_object_get(object, "status"), "clusterName");

    if (*json_string_at(old_status, "clusterName") || !*name ||
        *object_annotation(object, ANNOTATION_SLICE_REPLACEMENT_FOR) ||
        tree_list_has(json_object_get(old_status, "nominatedClusterNames"), name))
        return;
    field_error_invalid_text(errors, "status.clusterName", name,
                             "when setting clusterName it must be one of the "
                             "nominatedClusterNames");
}

void workload_update_validate(const json_t *old_object, const json_t *object,
                              const struct object_gates *gates, struct field_errors *errors)
{
    check_pod_sets(old_object, object, gates, errors);
    check_reclaimable(old_object, object, gates, errors);
    check_admission(old_object, object, gates, errors);
    check_pod_set_updates(old_object, object, errors);
    check_cluster_name(old_object, object, errors);
    if (gates->admission_gated_by)
        admission_gates_check_update(object_annotation(old_object, ANNOTATION_ADMISSION_GATED_BY),
                                     object_annotation(object, ANNOTATION_ADMISSION_GATED_BY),
                                     errors);
}
