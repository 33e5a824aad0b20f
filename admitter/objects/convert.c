#include "admitter/objects/convert.h"

#include <string.h>
#include "admitter/objects/names.h"
#include "admitter/objects/topology_assignment.h"
#include "admitter/objects/tree.h"
#include "quota/base/mem.h"

/* ---- moves ---- */

/* Rename a member; null and "" are not carried over. A member of the new name is none that the old
 * version knows, so it goes. */
static void rename_member(json_t *object, const char *from, const char *to)
{
    json_t *value = json_object_get(object, from);

    json_object_del(object, to);
    if (!value)
        return;
    if (!json_is_null(value) && !(json_is_string(value) && json_string_length(value) == 0))
        json_object_set(object, to, value);
    json_object_del(object, from);
}

static void drop_null(json_t *object, const char *key)
{
    if (json_is_null(json_object_get(object, key)))
        json_object_del(object, key);
}

static void set_if_absent(json_t *object, const char *key, json_t *value)
{
    if (json_object_get(object, key))
        json_decref(value);
    else
        json_object_set_new(object, key, value);
}

static json_t *object_make(json_t *parent, const char *key)
{
    json_t *value = json_object_get(parent, key);

    if (!json_is_object(value)) {
        value = json_object();
        json_object_set_new(parent, key, value);
    }
    return value;
}

static void drop_consumption(json_t *object)
{
    json_object_del(json_at(object, "status", "fairSharing", NULL), "admissionFairSharingStatus");
}

/* v1beta1 writes these even when they are zero. */
static void put_counters(json_t *status)
{
    set_if_absent(status, "pendingWorkloads", json_integer(0));
    set_if_absent(status, "reservingWorkloads", json_integer(0));
    set_if_absent(status, "admittedWorkloads", json_integer(0));
}

/* ---- ClusterQueue ---- */

static void replace_word(json_t *object, const char *key, const char *old_word,
                         const char *new_word)
{
    if (strcmp(json_string_at(object, key), old_word) == 0)
        json_object_set_new(object, key, json_string(new_word));
}

/* A list of names replaces a strategy given at the same time. */
static void checks_to_strategy(json_t *spec)
{
    json_t *names = json_object_get(spec, "admissionChecks"), *list, *name;
    size_t i;

    if (json_array_size(names) > 0) {
        list = json_array();
        json_array_foreach(names, i, name)
            json_array_append_new(list, json_pack("{s:O}", "name", name));
        json_object_set_new(spec, "admissionChecksStrategy",
                            json_pack("{s:o}", "admissionChecks", list));
    }
    json_object_del(spec, "admissionChecks");
}

static int cluster_queue_up(json_t *object, const struct object_gates *gates, struct err *e)
{
    json_t *spec = json_object_get(object, "spec"), *status = json_object_get(object, "status");
    json_t *fungibility = json_object_get(spec, "flavorFungibility");

    (void)gates, (void)e;
    rename_member(spec, "cohort", "cohortName");
    json_object_del(spec, "concurrentAdmissionPolicy");
    checks_to_strategy(spec);
    replace_word(fungibility, "whenCanBorrow", "Borrow", "MayStopSearch");
    replace_word(fungibility, "whenCanPreempt", "Preempt", "MayStopSearch");
    json_object_del(status, "pendingWorkloadsStatus");
    drop_null(status, "flavorsReservation");
    drop_null(status, "flavorsUsage");
    drop_consumption(object);
    return 0;
}

static int cluster_queue_down(json_t *object, const struct object_gates *gates, struct err *e)
{
    json_t *spec = json_object_get(object, "spec"), *status = object_make(object, "status");

    (void)gates, (void)e;
    rename_member(spec, "cohortName", "cohort");
    json_object_del(spec, "admissionChecks");
    json_object_del(spec, "concurrentAdmissionPolicy");
    set_if_absent(status, "flavorsReservation", json_null());
    set_if_absent(status, "flavorsUsage", json_null());
    json_object_set_new(status, "pendingWorkloadsStatus", json_null());
    put_counters(status);
    return 0;
}

/* ---- LocalQueue, Cohort ---- */

static int local_queue_up(json_t *object, const struct object_gates *gates, struct err *e)
{
    json_t *status = json_object_get(object, "status");

    (void)gates, (void)e;
    rename_member(status, "flavorUsage", "flavorsUsage");
    json_object_del(status, "flavors");
    return 0;
}

static int local_queue_down(json_t *object, const struct object_gates *gates, struct err *e)
{
    json_t *status = object_make(object, "status");

    (void)gates, (void)e;
    rename_member(status, "flavorsUsage", "flavorUsage");
    json_object_del(status, "flavors");
    set_if_absent(status, "flavorUsage", json_null());
    put_counters(status);
    return 0;
}

static int cohort_up(json_t *object, const struct object_gates *gates, struct err *e)
{
    (void)gates, (void)e;
    drop_consumption(object);
    return 0;
}

static int cohort_down(json_t *object, const struct object_gates *gates, struct err *e)
{
    (void)object, (void)gates, (void)e;
    return 0;
}

/* ---- Workload ---- */

static void priority_class_up(json_t *spec)
{
    const char *source = json_string_at(spec, "priorityClassSource");
    json_t *name = json_object_get(spec, "priorityClassName");
    const char *group = NULL, *kind = NULL;

    json_object_del(spec, "priorityClassRef");
    if (strcmp(source, PRIORITY_SOURCE_WORKLOAD) == 0) {
        group = PRIORITY_GROUP_WORKLOAD;
        kind = PRIORITY_KIND_WORKLOAD;
    } else if (strcmp(source, PRIORITY_SOURCE_POD) == 0) {
        group = PRIORITY_GROUP_POD;
        kind = PRIORITY_KIND_POD;
    }
    if (group)
        json_object_set_new(
            spec, "priorityClassRef",
            json_pack("{s:s, s:s, s:O*}", "group", group, "kind", kind, "name", name));
    json_object_del(spec, "priorityClassSource");
    json_object_del(spec, "priorityClassName");
}

static void priority_class_down(json_t *spec)
{
    const json_t *ref = json_object_get(spec, "priorityClassRef");
    const char *group = json_string_at(ref, "group"), *kind = json_string_at(ref, "kind");
    const char *source = NULL;

    json_object_del(spec, "priorityClassSource");
    json_object_del(spec, "priorityClassName");
    if (strcmp(group, PRIORITY_GROUP_WORKLOAD) == 0 && strcmp(kind, PRIORITY_KIND_WORKLOAD) == 0)
        source = PRIORITY_SOURCE_WORKLOAD;
    else if (strcmp(group, PRIORITY_GROUP_POD) == 0 && strcmp(kind, PRIORITY_KIND_POD) == 0)
        source = PRIORITY_SOURCE_POD;
    if (source) {
        json_object_set_new(spec, "priorityClassSource", json_string(source));
        json_object_set_new(spec, "priorityClassName", json_string(json_string_at(ref, "name")));
    }
    json_object_del(spec, "priorityClassRef");
}

/* Packed when there are gates to say how, else unpacked. */
static int convert_assignments(json_t *object, const struct object_gates *gates, struct err *e)
{
    json_t *assignment;
    size_t i;

    json_array_foreach(json_at(object, "status", "admission", "podSetAssignments", NULL), i,
                       assignment) {
        const json_t *before = json_object_get(assignment, "topologyAssignment");
        json_t *after;

        if (!json_is_object(before))
            continue;
        after = gates ? topology_assignment_pack(before, gates->encode_by_host_prefix, e)
                      : topology_assignment_unpack(before, e);
        if (!after)
            return err_wrap(e, "status.admission.podSetAssignments[%zu].topologyAssignment", i);
        json_object_set_new(assignment, "topologyAssignment", after);
    }
    return 0;
}

/* What v1beta1 does not have. */
static void drop_gates(json_t *object)
{
    json_t *pod_set;
    size_t i;

    json_object_del(json_object_get(object, "spec"), "preemptionGates");
    json_object_del(json_object_get(object, "status"), "preemptionGates");
    json_array_foreach(json_at(object, "spec", "podSets", NULL), i, pod_set)
        json_object_del(json_object_get(pod_set, "topologyRequest"),
                        "podsetSliceRequiredTopologyConstraints");
}

static int workload_up(json_t *object, const struct object_gates *gates, struct err *e)
{
    drop_gates(object);
    priority_class_up(json_object_get(object, "spec"));
    rename_member(json_object_get(object, "status"), "accumulatedPastExexcutionTimeSeconds",
                  "accumulatedPastExecutionTimeSeconds");
    return convert_assignments(object, gates, e);
}

static int workload_down(json_t *object, const struct object_gates *gates, struct err *e)
{
    (void)gates;
    drop_gates(object);
    priority_class_down(json_object_get(object, "spec"));
    rename_member(json_object_get(object, "status"), "accumulatedPastExecutionTimeSeconds",
                  "accumulatedPastExexcutionTimeSeconds");
    return convert_assignments(object, NULL, e);
}

/* ---- MultiKueueCluster ---- */

static int multikueue_cluster_up(json_t *object, const struct object_gates *gates, struct err *e)
{
    json_t *spec = json_object_get(object, "spec"), *source;
    json_t *kube_config = json_object_get(spec, "kubeConfig");

    (void)gates, (void)e;
    if (!spec)
        return 0;
    source = json_object();
    if (*json_string_at(kube_config, "location"))
        json_object_set(source, "kubeConfig", kube_config);
    if (tree_has(spec, "clusterProfileRef"))
        json_object_set(source, "clusterProfileRef", json_object_get(spec, "clusterProfileRef"));
    json_object_del(spec, "kubeConfig");
    json_object_del(spec, "clusterProfileRef");
    json_object_set_new(spec, "clusterSource", source);
    return 0;
}

static int multikueue_cluster_down(json_t *object, const struct object_gates *gates, struct err *e)
{
    json_t *spec = json_object_get(object, "spec");
    json_t *source = json_object_get(spec, "clusterSource");

    (void)gates, (void)e;
    if (!spec)
        return 0;
    json_object_del(spec, "clusterProfileRef");
    if (tree_has(source, "kubeConfig"))
        json_object_set(spec, "kubeConfig", json_object_get(source, "kubeConfig"));
    else
        json_object_set_new(spec, "kubeConfig",
                            json_pack("{s:s, s:s}", "location", "", "locationType", ""));
    if (tree_has(source, "clusterProfileRef"))
        json_object_set(spec, "clusterProfileRef", json_object_get(source, "clusterProfileRef"));
    json_object_del(spec, "clusterSource");
    return 0;
}

/* ---- the table ---- */

typedef int conversion(json_t *object, const struct object_gates *gates, struct err *e);

static const struct {
    const char *kind;
    conversion *up;   /* v1beta1 to v1beta2 */
    conversion *down; /* v1beta2 to v1beta1 */
} conversions[] = {
    { "ClusterQueue", cluster_queue_up, cluster_queue_down },
    { "LocalQueue", local_queue_up, local_queue_down },
    { "Cohort", cohort_up, cohort_down },
    { "Workload", workload_up, workload_down },
    { "MultiKueueCluster", multikueue_cluster_up, multikueue_cluster_down },
};

const char *const *object_convert_kinds(void)
{
    static const char *const kinds[] = { "ClusterQueue", "LocalQueue",        "Cohort",
                                         "Workload",     "MultiKueueCluster", NULL };

    return kinds;
}

static bool is_version(const char *api_version)
{
    return strcmp(api_version, KUEUE_V1BETA1) == 0 || strcmp(api_version, KUEUE_V1BETA2) == 0;
}

int object_convert(json_t *object, const char *desired_api_version,
                   const struct object_gates *gates, struct err *e)
{
    const char *from = json_string_at(object, "apiVersion"), *kind = json_string_at(object, "kind");
    bool up = strcmp(desired_api_version, KUEUE_V1BETA2) == 0;

    if (!is_version(from))
        return err_set(e, ERR_INVALID, "apiVersion: Unsupported value: \"%s\"", from);
    if (!is_version(desired_api_version))
        return err_set(e, ERR_INVALID, "desiredAPIVersion: Unsupported value: \"%s\"",
                       desired_api_version);
    if (strcmp(from, desired_api_version) == 0)
        return err_set(e, ERR_INVALID, "conversion is not allowed between same type %s, Kind=%s",
                       from, kind);
    for (size_t i = 0; i < ARRAY_COUNT(conversions); i++) {
        if (strcmp(conversions[i].kind, kind) != 0)
            continue;
        if ((up ? conversions[i].up : conversions[i].down)(object, gates, e) < 0)
            return -1;
        json_object_set_new(object, "apiVersion", json_string(desired_api_version));
        return 0;
    }
    return err_set(e, ERR_INVALID, "kind: Unsupported value: \"%s\"", kind);
}

static int dump_into(struct strbuf *out, const json_t *object, struct err *e)
{
    AUTO_FREE char *text = json_dumps(object, JSON_COMPACT);

    if (!text)
        return err_set(e, ERR_NOMEM, "object");
    strbuf_puts(out, text);
    return 0;
}

int object_convert_bytes(void *context, struct str object, const char *from, const char *to,
                         struct strbuf *out, struct arena *arena, struct err *e)
{
    const char *desired = arena_format(arena, KUEUE_GROUP "/%s", to);
    json_error_t problem;
    json_t *tree = json_loadb(object.text, object.length, 0, &problem);
    int result;

    (void)from;
    if (!tree)
        return err_set(e, ERR_INVALID, "object: %s at byte %d", problem.text, problem.position);
    result = object_convert(tree, desired, context, e);
    if (result == 0)
        result = dump_into(out, tree, e);
    json_decref(tree);
    return result;
}
