/* decode.h - JSON bytes of Kubernetes objects to the structs of quota/engine/model.h.
 *
 * Every function reads one object, in v1beta1 or v1beta2 where the kind has both (an absent
 * apiVersion is v1beta2), applies the defaults that the API server's schema would, and fills *out.
 * Texts and lists live in the arena. 'meta' may be NULL. Unknown members are skipped; a member that
 * is read and has the wrong type, or a value outside its set, is ERR_INVALID with a text that names
 * the path, what was expected and the value ("spec.podSets[0].count: expected an integer, got
 * \"two\""). null counts as absent. Pure; any thread.
 * Rules: spec/fields/, spec/api.md 2 (conversion), quota/engine/model.h (what each field means). */
#pragma once

#include "quota/base/arena.h"
#include "quota/base/err.h"
#include "quota/base/str.h"
#include "admitter/objects/object_meta.h"
#include "quota/engine/model.h"

/* ---- kueue.x-k8s.io ---- */
MUST_USE int workload_decode(struct str json, struct arena *a, struct workload *out,
                             struct object_meta *meta, struct err *e);
MUST_USE int cluster_queue_decode(struct str json, struct arena *a, struct cluster_queue *out,
                                  struct object_meta *meta, struct err *e);
MUST_USE int cohort_decode(struct str json, struct arena *a, struct cohort *out,
                           struct object_meta *meta, struct err *e);
MUST_USE int local_queue_decode(struct str json, struct arena *a, struct local_queue *out,
                                struct object_meta *meta, struct err *e);
MUST_USE int resource_flavor_decode(struct str json, struct arena *a, struct resource_flavor *out,
                                    struct object_meta *meta, struct err *e);
MUST_USE int admission_check_decode(struct str json, struct arena *a, struct admission_check *out,
                                    struct object_meta *meta, struct err *e);
MUST_USE int topology_decode(struct str json, struct arena *a, struct topology *out,
                             struct object_meta *meta, struct err *e);

/* WorkloadPriorityClass and scheduling.k8s.io PriorityClass. */
struct priority_class {
    const char *name;
    int32_t value;
    bool global_default;    /* PriorityClass only */
    const char *preemption; /* PriorityClass preemptionPolicy, "PreemptLowerPriority" by default */
};
MUST_USE int workload_priority_class_decode(struct str json, struct arena *a,
                                            struct priority_class *out, struct object_meta *meta,
                                            struct err *e);
MUST_USE int priority_class_decode(struct str json, struct arena *a, struct priority_class *out,
                                   struct object_meta *meta, struct err *e);

struct provisioning_request_config {
    const char *name, *class_name;
    struct label *parameters;
    size_t parameter_count;
    const char **managed_resources;
    size_t managed_resource_count;
    int32_t backoff_limit_count, backoff_base_seconds, backoff_max_seconds;
    const char *merge_policy;    /* podSetMergePolicy or NULL */
    struct label *node_selector; /* podSetUpdates: key and valueFromProvisioningClassDetail */
    size_t node_selector_count;
};
MUST_USE int provisioning_request_config_decode(struct str json, struct arena *a,
                                                struct provisioning_request_config *out,
                                                struct object_meta *meta, struct err *e);

struct multikueue_config {
    const char *name;
    const char **clusters;
    size_t cluster_count;
    const char *quota_management; /* "Manual", "Automated" or NULL */
};
MUST_USE int multikueue_config_decode(struct str json, struct arena *a,
                                      struct multikueue_config *out, struct object_meta *meta,
                                      struct err *e);

struct multikueue_cluster {
    const char *name;
    const char *location;        /* of the kubeconfig; NULL when absent */
    bool location_is_path;       /* locationType Path; else Secret */
    const char *cluster_profile; /* NULL when absent */
    bool active;                 /* condition Active=True */
};
MUST_USE int multikueue_cluster_decode(struct str json, struct arena *a,
                                       struct multikueue_cluster *out, struct object_meta *meta,
                                       struct err *e);

/* ---- core kinds ---- */
MUST_USE int namespace_decode(struct str json, struct arena *a, struct namespace_labels *out,
                              struct object_meta *meta, struct err *e);
MUST_USE int limit_range_decode(struct str json, struct arena *a, struct limit_range *out,
                                struct object_meta *meta, struct err *e);
MUST_USE int runtime_class_decode(struct str json, struct arena *a, struct runtime_class *out,
                                  struct object_meta *meta, struct err *e);

/* ---- resource.k8s.io ---- */
MUST_USE int device_class_decode(struct str json, struct arena *a, struct device_class *out,
                                 struct object_meta *meta, struct err *e);
MUST_USE int claim_template_decode(struct str json, struct arena *a, struct claim_template *out,
                                   struct object_meta *meta, struct err *e);
MUST_USE int device_slice_decode(struct str json, struct arena *a, struct device_slice *out,
                                 struct object_meta *meta, struct err *e);

/* A PodTemplateSpec on its own ({"metadata":…, "spec":…}), and a whole v1 Pod. */
MUST_USE int pod_template_decode(struct str json, struct arena *a, struct pod_template *out,
                                 struct err *e);
/* Metadata of any object, nothing else. */
MUST_USE int object_meta_decode(struct str json, struct arena *a, struct object_meta *out,
                                struct err *e);
/* apiVersion and kind of any object; "" when absent. */
MUST_USE int object_type_decode(struct str json, struct arena *a, const char **api_version,
                                const char **kind, struct err *e);
