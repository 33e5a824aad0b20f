#include "admitter/objects/admission.h"

#include <string.h>
#include "admitter/objects/names.h"
#include "admitter/objects/tree.h"
#include "quota/base/mem.h"

#define WEBHOOK_PATH(verb, name) "/" verb "-kueue-x-k8s-io-v1beta2-" name

void object_gates_default(struct object_gates *gates)
{
    *gates = (struct object_gates){ .partial_admission = true,
                                    .topology_aware = true,
                                    .elastic_slices = true,
                                    .admission_gated_by = true,
                                    .pod_set_metadata = true,
                                    .resources_are_non_negative = true,
                                    .slice_size = true,
                                    .encode_by_host_prefix = true };
}

const struct object_admission *object_admissions(size_t *count)
{
    static const struct object_admission admissions[] = {
        { "ClusterQueue", "clusterqueues", WEBHOOK_PATH("mutate", "clusterqueue"),
          WEBHOOK_PATH("validate", "clusterqueue"), cluster_queue_set_defaults,
          cluster_queue_validate },
        { "Cohort", "cohorts", NULL, WEBHOOK_PATH("validate", "cohort"), NULL, cohort_validate },
        { "ResourceFlavor", "resourceflavors", WEBHOOK_PATH("mutate", "resourceflavor"),
          WEBHOOK_PATH("validate", "resourceflavor"), resource_flavor_set_defaults,
          resource_flavor_validate },
        { "Workload", "workloads", WEBHOOK_PATH("mutate", "workload"),
          WEBHOOK_PATH("validate", "workload"), workload_set_defaults, workload_validate },
    };

    *count = ARRAY_COUNT(admissions);
    return admissions;
}

/* ---- defaults (spec/api.md 3.3) ---- */

/* True when it was missing. */
static bool add_finalizer(json_t *object)
{
    json_t *metadata = json_object_get(object, "metadata");
    json_t *finalizers = json_object_get(metadata, "finalizers");

    if (!json_is_object(metadata) || tree_list_has(finalizers, FINALIZER_RESOURCE_IN_USE))
        return false;
    if (!json_is_array(finalizers)) {
        finalizers = json_array();
        json_object_set_new(metadata, "finalizers", finalizers);
    }
    json_array_append_new(finalizers, json_string(FINALIZER_RESOURCE_IN_USE));
    return true;
}

static void canonical_flavor(json_t *flavor)
{
    json_t *quota;
    size_t i;

    json_array_foreach(json_object_get(flavor, "resources"), i, quota) {
        tree_canonical(quota, "nominalQuota");
        tree_canonical(quota, "borrowingLimit");
        tree_canonical(quota, "lendingLimit");
    }
}

void cluster_queue_set_defaults(json_t *object, const struct object_gates *gates)
{
    json_t *group, *flavor;
    size_t i, k;

    (void)gates;
    if (!add_finalizer(object))
        return;
    json_array_foreach(json_at(object, "spec", "resourceGroups", NULL), i, group)
        json_array_foreach(json_object_get(group, "flavors"), k, flavor)
            canonical_flavor(flavor);
    tree_canonical(json_at(object, "spec", "fairSharing", NULL), "weight");
}

void resource_flavor_set_defaults(json_t *object, const struct object_gates *gates)
{
    (void)gates;
    add_finalizer(object);
}

static void canonical_list(json_t *list)
{
    const char *resource;
    json_t *value;

    json_object_foreach(list, resource, value)
        tree_canonical(list, resource);
}

/* What holds "resources": a container or a pod's spec. */
static void canonical_resources(json_t *holder)
{
    canonical_list(json_at(holder, "resources", "requests", NULL));
    canonical_list(json_at(holder, "resources", "limits", NULL));
}

static void canonical_pod_set(json_t *pod_set)
{
    static const char *const lists[] = { "initContainers", "containers" };
    json_t *spec = json_at(pod_set, "template", "spec", NULL), *container;
    size_t i, k;

    canonical_resources(spec);
    canonical_list(json_object_get(spec, "overhead"));
    for (k = 0; k < ARRAY_COUNT(lists); k++)
        json_array_foreach(json_object_get(spec, lists[k]), i, container)
            canonical_resources(container);
}

void workload_set_defaults(json_t *object, const struct object_gates *gates)
{
    json_t *list = json_at(object, "spec", "podSets", NULL), *pod_set;
    bool changed = false;
    size_t i;

    if (gates->partial_admission)
        return;
    json_array_foreach(list, i, pod_set)
        changed |= json_object_del(pod_set, "minCount") == 0;
    if (changed)
        json_array_foreach(list, i, pod_set)
            canonical_pod_set(pod_set);
}
