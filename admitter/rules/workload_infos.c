#include <string.h>
#include "admitter/jobs/job_facts.h"
#include "admitter/objects/json_read.h"
#include "admitter/jobs/pod_set_info.h"
#include "admitter/rules/job_rules.h"
#include "admitter/rules/job_slices.h"
#include "admitter/objects/names.h"
#include "quota/base/mem.h"

#define DNS_LABEL_LIMIT 63

struct build {
    const struct workload_facts *workload;
    const struct loop_settings *settings;
    flavor_find_fn *flavor;
    void *context;
};

static bool is_dns_label(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && length <= DNS_LABEL_LIMIT &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == length && text[0] != '-' &&
           text[length - 1] != '-';
}

static bool seen_before(const json_t *flavors, const char *resource, const char *flavor)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)flavors, key, value) {
        if (strcmp(key, resource) == 0)
            return false;
        if (json_is_string(value) && strcmp(json_string_value(value), flavor) == 0)
            return true;
    }
    return false;
}

static int add_flavors(const struct build *b, const json_t *assignment, struct pod_set_info *info,
                       struct err *e)
{
    const json_t *flavors = json_object_get(assignment, "flavors");
    const json_t *labels, *tolerations;
    const char *resource;
    json_t *name, *toleration;
    size_t i;

    json_object_foreach((json_t *)(uintptr_t)flavors, resource, name) {
        if (!json_is_string(name) || seen_before(flavors, resource, json_string_value(name)))
            continue;
        if (!b->flavor(b->context, json_string_value(name), &labels, &tolerations))
            return err_set(e, ERR_NOT_FOUND, "ResourceFlavor \"%s\" not found",
                           json_string_value(name));
        json_object_update(info->node_selector, (json_t *)(uintptr_t)labels);
        json_array_foreach(tolerations, i, toleration)
            json_array_append(info->tolerations, toleration);
    }
    return 0;
}

static void put(json_t *map, const char *key, const char *value)
{
    json_object_set_new(map, key, json_string(value));
}

static bool has_level(const json_t *request)
{
    return json_object_get(request, "required") || json_object_get(request, "preferred") ||
           json_object_get(request, "unconstrained");
}

static void add_names(const struct build *b, const json_t *pod_set, const json_t *assignment,
                      struct pod_set_info *info)
{
    const json_t *object = b->workload->object;
    const char *cluster_queue =
        json_string_at(json_at(object, "status", "admission", NULL), "clusterQueue");

    if (b->settings->jobs.topology_aware) {
        if (json_object_get(assignment, "topologyAssignment")) {
            if (!has_level(json_object_get(pod_set, "topologyRequest")))
                put(info->annotations, ANNOTATION_POD_SET_UNCONSTRAINED_TOPOLOGY, "true");
            json_array_append_new(info->gates,
                                  json_pack("{s:s}", "name", SCHEDULING_GATE_TOPOLOGY));
        }
        put(info->annotations, ANNOTATION_WORKLOAD, b->workload->name);
    }
    if (b->settings->jobs.elastic_slices && job_object_is_elastic(object))
        put(info->annotations, ANNOTATION_SLICE_NAME, slice_chain(object));
    put(info->labels, LABEL_POD_SET, info->name);
    if (*object_label(object, LABEL_MULTIKUEUE_ORIGIN))
        put(info->labels, LABEL_MULTIKUEUE_WORKER_POD, "true");
    if (!b->settings->jobs.queue_labels_for_pods)
        return;
    put(info->labels, LABEL_LOCAL_QUEUE_NAME,
        json_string_at(json_object_get(object, "spec"), "queueName"));
    if (is_dns_label(cluster_queue))
        put(info->labels, LABEL_CLUSTER_QUEUE_NAME, cluster_queue);
}

static int merge_update(const json_t *update, struct pod_set_info *info, struct err *e)
{
    if (pod_set_map_merge(info->annotations, json_object_get(update, "annotations"), "annotations",
                          e) < 0 ||
        pod_set_map_merge(info->labels, json_object_get(update, "labels"), "labels", e) < 0 ||
        pod_set_map_merge(info->node_selector, json_object_get(update, "nodeSelector"),
                          "nodeSelector", e) < 0)
        return -1;
    pod_set_tolerations_merge(info->tolerations, json_object_get(update, "tolerations"));
    return 0;
}

static int add_updates(const struct build *b, struct pod_set_info *info, struct err *e)
{
    json_t *check, *update;
    size_t i, k;

    json_array_foreach(json_at(b->workload->object, "status", "admissionChecks", NULL), i, check) {
        json_array_foreach(json_object_get(check, "podSetUpdates"), k, update) {
            if (strcmp(json_string_at(update, "name"), info->name) != 0)
                continue;
            if (merge_update(update, info, e) < 0)
                return err_wrap(e, "in admission check \"%s\"", json_string_at(check, "name"));
            break;
        }
    }
    return 0;
}

int workload_infos(const struct workload_facts *workload, const struct loop_settings *settings,
                   flavor_find_fn *flavor, void *context, struct pod_set_info *infos, struct err *e)
{
    const json_t *assignments =
        json_at(workload->object, "status", "admission", "podSetAssignments", NULL);
    const json_t *pod_sets = json_at(workload->object, "spec", "podSets", NULL);
    struct build b = { workload, settings, flavor, context };

    for (size_t i = 0; i < workload->pod_set_count; i++)
        pod_set_info_init(&infos[i], workload->pod_sets[i].name, workload->pod_sets[i].count);
    if (json_array_size(assignments) != workload->pod_set_count)
        return err_set(e, ERR_INVALID, "invalid podset infos: expecting %zu podset, got %zu",
                       workload->pod_set_count, json_array_size(assignments));
    for (size_t i = 0; i < workload->pod_set_count; i++) {
        const json_t *assignment = json_array_get(assignments, i);

        infos[i].name = json_string_at(assignment, "name");
        infos[i].count = (int32_t)json_integer_at(assignment, "count", infos[i].count);
        if (add_flavors(&b, assignment, &infos[i], e) < 0)
            return -1;
        add_names(&b, json_array_get(pod_sets, i), assignment, &infos[i]);
        if (add_updates(&b, &infos[i], e) < 0)
            return -1;
    }
    return 0;
}
