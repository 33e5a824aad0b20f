/* model.h - the facts that the engine decides on, as plain structs.
 *
 * One struct per thing that administrators and users declare. Whoever builds one (a decoder of
 * Kubernetes objects, the case reader, a test) owns its memory, usually in an arena; every engine
 * call copies what it keeps, so all pointers here are borrowed for the length of that call. Text is
 * NUL-terminated; a NULL text means "absent" unless said otherwise. Lists are (pointer, count).
 * Times are nanoseconds since 1970 (quota/base/clock.h), TIME_NONE when absent. Field names follow
 * spec/fields/; rules: spec/scheduling.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "quota/base/clock.h"
#include "quota/base/quantity.h"

/* ---- labels, taints, affinity (spec/scheduling.md 1.12) ---- */

struct label {
    const char *key, *value;
};

enum selector_operator {
    SELECTOR_IN,
    SELECTOR_NOT_IN,
    SELECTOR_EXISTS,
    SELECTOR_DOES_NOT_EXIST,
    SELECTOR_GT,
    SELECTOR_LT,
    SELECTOR_INVALID
};

struct label_requirement {
    const char *key;
    enum selector_operator operator;
    const char *operator_text; /* as written, for messages */
    const char **values;
    size_t value_count;
};

struct label_selector {
    bool present; /* absent matches nothing; present and empty matches everything */
    struct label *labels;
    size_t label_count;
    struct label_requirement *requirements;
    size_t requirement_count;
};

struct taint {
    const char *key, *value, *effect; /* value "" when absent */
    const char *time_added;           /* RFC 3339 or NULL */
};

struct toleration {
    const char *key, *operator, * value, *effect; /* "" when absent */
    const char *seconds;                          /* tolerationSeconds as text, or NULL */
};

/* One term of required node affinity; matchFields are dropped by the decoder. */
struct node_selector_term {
    struct label_requirement *expressions;
    size_t expression_count;
};

/* ---- pods (spec/scheduling.md 1.2 - 1.4, 3.9) ---- */

struct resource_quantity {
    const char *name;
    struct quantity quantity;
};

struct resource_list {
    struct resource_quantity *items;
    size_t count;
};

/* DRA input of one pod set (1.10): 'replaced' are the extended resources recognised as backed by
 * devices, 'added' the logical resources that stand for them, per pod. */
struct device_requests {
    const char **replaced;
    size_t replaced_count;
    struct resource_list added;
};

struct container {
    const char *name;
    struct resource_list requests, limits;
    bool is_sidecar;    /* an init container with restartPolicy Always */
    const char *ports;  /* canonical JSON of ports, or NULL: part of the equivalence hash only */
    const char *claims; /* canonical JSON of resources.claims, or NULL */
};

/* One entry of resourceClaims: it names a ResourceClaim or a ResourceClaimTemplate. */
struct pod_claim {
    const char *claim, *claim_template; /* NULL when absent */
};

struct pod_template {
    struct container *containers, *init_containers;
    size_t container_count, init_container_count;
    bool has_pod_resources; /* spec.resources was given */
    struct resource_list pod_requests, pod_limits;
    struct resource_list overhead;
    const char *runtime_class;
    struct label *node_selector;
    size_t node_selector_count;
    struct node_selector_term *affinity_terms; /* required node affinity */
    size_t affinity_term_count;
    bool has_required_affinity;
    struct toleration *tolerations;
    size_t toleration_count;
    bool has_priority;
    int32_t priority;
    const char *affinity;        /* canonical JSON of the whole affinity, or NULL */
    const char *topology_spread; /* canonical JSON of topologySpreadConstraints, or NULL */
    const char *resource_claims; /* canonical JSON of resourceClaims, or NULL */
    struct pod_claim *claims;    /* what it says */
    size_t claim_count;
};

struct topology_request {
    bool present;
    const char *required, *preferred; /* topology level labels */
    bool has_unconstrained, unconstrained;
    const char *slice_required;
    int32_t slice_size; /* 0: absent */
    const char *pod_set_group;
    const char *pod_index_label, *sub_group_index_label;
    int32_t sub_group_count;       /* 0: absent */
    const char *slice_constraints; /* canonical JSON, or NULL */
};

struct pod_set {
    const char *name;
    int32_t count;
    int32_t min_count; /* -1: absent */
    struct topology_request topology;
    struct pod_template pod;
};

/* ---- Workload (spec/fields/workload.md) ---- */

enum condition_status { CONDITION_ABSENT, CONDITION_FALSE, CONDITION_TRUE, CONDITION_UNKNOWN };

struct condition {
    const char *type;
    enum condition_status status;
    const char *reason, *message;
    int64_t transition; /* lastTransitionTime */
    int64_t observed_generation;
};

struct resource_flavor_use { /* one entry of podSetAssignments[].flavors / resourceUsage */
    const char *resource;
    const char *flavor; /* NULL: the resource has usage but no flavor */
    bool has_usage;
    struct quantity usage; /* total of the pod set */
};

struct pod_set_assignment {
    const char *pod_set;
    struct resource_flavor_use *uses;
    size_t use_count;
    int32_t count;                   /* -1: absent */
    const char *topology_assignment; /* JSON, or NULL */
    const char *delayed_topology;    /* "Pending", "Ready" or NULL */
};

struct admission {
    const char *cluster_queue; /* NULL: no admission */
    struct pod_set_assignment *pod_sets;
    size_t pod_set_count;
};

enum check_state { CHECK_PENDING, CHECK_READY, CHECK_RETRY, CHECK_REJECTED };

struct admission_check_state {
    const char *name;
    enum check_state state;
    const char *message;
    int64_t transition;
    int32_t requeue_after_seconds; /* -1: absent */
    int32_t retry_count;           /* -1: absent */
    const char *pod_set_updates;   /* JSON array, or NULL */
};

struct pod_count {
    const char *pod_set;
    int32_t count;
};

struct workload {
    const char *namespace, *name, *uid;
    int64_t generation;
    int64_t created; /* metadata.creationTimestamp */
    bool deleting;
    const char *queue_name; /* "" when absent */
    bool has_priority;
    int32_t priority;
    const char *priority_class_group, *priority_class_kind, *priority_class_name;
    bool active;                       /* spec.active, default true */
    int32_t maximum_execution_seconds; /* 0: absent */
    struct pod_set *pod_sets;
    size_t pod_set_count;
    struct condition *conditions;
    size_t condition_count;
    struct admission admission;
    int32_t requeue_count; /* status.requeueState.count, 0 when absent */
    int64_t requeue_at;    /* TIME_NONE when absent */
    struct pod_count *reclaimable;
    size_t reclaimable_count;
    struct admission_check_state *checks;
    size_t check_count;
    const char *priority_boost;     /* annotation kueue.x-k8s.io/priority-boost */
    const char *admission_gated_by; /* annotation kueue.x-k8s.io/admission-gated-by */
    const char *allowed_flavors; /* annotation kueue.x-k8s.io/workload-allowed-resource-flavors */
    const char
        *slice_replacement_for; /* annotation kueue.x-k8s.io/workload-slice-replacement-for */
    bool is_variant_parent;     /* label kueue.x-k8s.io/concurrent-admission-parent */
    bool has_closed_preemption_gate;
    bool owned_by_single_pod; /* 3.1, gate SkipReassignmentForPodOwnedWorkloads */
    const char *job_uid;      /* label kueue.x-k8s.io/job-uid */
    const char **unhealthy_nodes;
    size_t unhealthy_node_count;
};

/* ---- queues, cohorts, flavors ---- */

struct resource_quota {
    const char *resource;
    struct quantity nominal;
    bool has_borrowing, has_lending;
    struct quantity borrowing, lending;
};

struct flavor_quotas {
    const char *flavor;
    struct resource_quota *resources;
    size_t resource_count;
};

struct resource_group {
    const char **covered_resources;
    size_t covered_count;
    struct flavor_quotas *flavors; /* scan order */
    size_t flavor_count;
};

enum stop_policy { STOP_NONE, STOP_HOLD, STOP_HOLD_AND_DRAIN };
enum queueing_strategy { QUEUE_BEST_EFFORT_FIFO, QUEUE_STRICT_FIFO };
enum preemption_policy {
    PREEMPT_NEVER,
    PREEMPT_LOWER_PRIORITY,
    PREEMPT_LOWER_OR_NEWER_EQUAL_PRIORITY,
    PREEMPT_ANY
};
enum fungibility_policy { FUNGIBILITY_MAY_STOP_SEARCH, FUNGIBILITY_TRY_NEXT_FLAVOR };
enum fungibility_preference {
    PREFERENCE_NONE,
    PREFERENCE_BORROWING_OVER_PREEMPTION,
    PREFERENCE_PREEMPTION_OVER_BORROWING
};

struct admission_check_rule { /* one entry of admissionChecksStrategy.admissionChecks */
    const char *name;
    const char **on_flavors; /* empty: all */
    size_t on_flavor_count;
};

struct cluster_queue {
    const char *name;
    const char *cohort; /* "" when absent */
    int64_t generation;
    bool deleting;
    struct resource_group *groups;
    size_t group_count;
    enum queueing_strategy strategy;
    struct label_selector namespace_selector;
    enum stop_policy stop_policy;
    enum preemption_policy within_cluster_queue; /* default Never */
    enum preemption_policy reclaim_within_cohort;
    enum preemption_policy borrow_within_cohort; /* Never or LowerPriority */
    bool has_borrow_threshold;
    int32_t borrow_threshold;                 /* maxPriorityThreshold */
    enum fungibility_policy when_can_borrow;  /* default MayStopSearch */
    enum fungibility_policy when_can_preempt; /* default TryNextFlavor */
    enum fungibility_preference preference;
    struct admission_check_rule *checks;
    size_t check_count;
    bool has_weight;
    struct quantity weight;     /* fairSharing.weight, default 1 */
    bool usage_based_admission; /* admissionScope.admissionMode UsageBasedAdmissionFairSharing */
    bool ignore_undeclared;     /* quotaCheckStrategy IgnoreUndeclared */
    const char *concurrent_admission; /* JSON of concurrentAdmissionPolicy, or NULL */
};

struct cohort {
    const char *name, *parent; /* parent "" when absent */
    struct resource_group *groups;
    size_t group_count;
    bool has_weight;
    struct quantity weight;
};

struct local_queue {
    const char *namespace, *name, *cluster_queue; /* cluster_queue "" when absent */
    int64_t created;
    enum stop_policy stop_policy;
    bool has_weight;
    struct quantity weight;
    /* status.fairSharing.admissionFairSharingStatus, the seed after a restart (6.6) */
    bool has_consumed;
    struct resource_list consumed;
    int64_t consumed_updated;
};

struct resource_flavor {
    const char *name;
    struct label *node_labels;
    size_t node_label_count;
    struct taint *taints;
    size_t taint_count;
    struct toleration *tolerations;
    size_t toleration_count;
    const char *topology; /* topologyName or NULL */
};

struct admission_check {
    const char *name, *controller;
    bool active; /* condition Active=True */
};

struct topology {
    const char *name;
    const char **levels; /* node labels from coarse to fine */
    size_t level_count;
};

struct namespace_labels {
    const char *name;
    struct label *labels;
    size_t label_count;
};

enum limit_type { LIMIT_CONTAINER, LIMIT_POD };
struct limit_range_item {
    enum limit_type type;
    struct resource_list max, min, defaults, default_requests, max_ratio;
};
struct limit_range {
    const char *namespace, *name;
    struct limit_range_item *items; /* Container and Pod items only */
    size_t item_count;
};

struct runtime_class {
    const char *name;
    struct resource_list overhead; /* overhead.podFixed */
};

/* ---- devices (spec/scheduling.md 1.10, spec/lifecycle.md 14) ---- */

struct device_class {
    const char *name;
    const char *extended_resource; /* extendedResourceName or NULL */
    int64_t created;
    const char **selectors; /* CEL expressions, all of which a device must satisfy */
    size_t selector_count;
};

/* One entry of a ResourceClaimTemplate's spec.spec.devices.requests. */
struct device_request {
    bool is_exact;         /* 'exactly' is given; the members below are its */
    bool has_alternatives; /* firstAvailable is given */
    const char *device_class;
    const char *allocation_mode; /* "ExactCount" when absent */
    int64_t count;               /* 1 when absent */
    bool admin_access;
    const char **selectors; /* as of a class */
    size_t selector_count;
    struct resource_list capacities; /* capacity.requests */
};
struct claim_template {
    const char *namespace, *name;
    struct device_request *requests;
    size_t request_count;
};

enum attribute_type {
    ATTRIBUTE_UNKNOWN,
    ATTRIBUTE_BOOL,
    ATTRIBUTE_INT,
    ATTRIBUTE_TEXT,
    ATTRIBUTE_VERSION
};
struct device_attribute { /* a name without a domain has that of the driver */
    const char *domain, *name;
    enum attribute_type type;
    bool boolean;
    int64_t integer;
    const char *text; /* also of a version */
};
struct device_capacity {
    const char *domain, *name;
    struct quantity value; /* all there is */
    /* requestPolicy: how much of it one request gets */
    bool has_default, has_range, has_maximum;
    struct quantity by_default;
    struct quantity *valid; /* validValues; empty: any, or the range */
    size_t valid_count;
    struct quantity minimum, maximum, step; /* validRange; step 0: none */
};
struct counter_use { /* what a device takes of a counter that several share */
    const char *counter;
    struct quantity value;
};
struct device {
    const char *driver;
    struct device_attribute *attributes;
    size_t attribute_count;
    struct device_capacity *capacities;
    size_t capacity_count;
    struct counter_use *counters;
    size_t counter_count;
    bool allows_multiple; /* allowMultipleAllocations */
};
struct device_slice {
    const char *name, *driver, *pool;
    int64_t generation, slice_count; /* of the pool: resourceSliceCount */
    struct device *devices;
    size_t device_count;
};
