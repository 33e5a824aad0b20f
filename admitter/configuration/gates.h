/* gates.h - the feature gates: names, stages, defaults, dependencies, what they switch here.
 *
 * A plain value that configuration.c fills while loading; read-only afterwards, so any thread may
 * look. Rules: spec/config.md 6; table: spec/config.md 7. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "admitter/rules/settings.h"
#include "quota/base/arena.h"
#include "quota/base/err.h"
#include "quota/base/str.h"

enum gate { /* in the order of the table in the specification */
            /* quota, scheduling, preemption */
            GATE_PARTIAL_ADMISSION,
            GATE_FLAVOR_FUNGIBILITY,
            GATE_FLAVOR_FUNGIBILITY_PRESERVE_SCAN_PROGRESS,
            GATE_PRIORITY_SORTING_WITHIN_COHORT,
            GATE_FAIR_SHARING_PREEMPT_WITHIN_NOMINAL,
            GATE_FAIR_SHARING_PRIORITIZE_NON_BORROWING,
            GATE_ADMISSION_FAIR_SHARING,
            GATE_PRIORITY_BOOST,
            GATE_PRIORITIZE_PREEMPTOR_WORKLOADS,
            GATE_RECOMPUTE_ASSIGNMENT_UPON_PREEMPTION_TARGETS_OVERLAP,
            GATE_SCHEDULING_EQUIVALENCE_HASHING,
            GATE_QUOTA_CHECK_STRATEGY,
            GATE_RECLAIMABLE_PODS,
            GATE_CONCURRENT_ADMISSION,
            GATE_SCHEDULER_LIBRARY_INTEGRATION,
            GATE_VECTORIZED_RESOURCE_REQUESTS,
            /* topology */
            GATE_TOPOLOGY_AWARE_SCHEDULING,
            GATE_TAS_PROFILE_MIXED,
            GATE_TAS_BALANCED_PLACEMENT,
            GATE_TAS_MULTI_LAYER_TOPOLOGY,
            GATE_TAS_RESPECT_NODE_AFFINITY_PREFERRED,
            GATE_TAS_HANDLE_OVERLAPPING_FLAVORS,
            GATE_TAS_RECOMPUTE_ASSIGNMENT_WITHIN_SCHEDULING_CYCLE,
            GATE_TAS_FAILED_NODE_REPLACEMENT,
            GATE_TAS_FAILED_NODE_REPLACEMENT_FAIL_FAST,
            GATE_TAS_REPLACE_NODE_ON_POD_TERMINATION,
            GATE_TAS_REPLACE_NODE_DUE_TO_NOT_READY_OVER_FIXED_TIME,
            GATE_TAS_REPLACE_NODE_ON_NODE_TAINTS,
            GATE_SKIP_REASSIGNMENT_FOR_POD_OWNED_WORKLOADS,
            GATE_TAS_ASSIGNMENTS_ENCODING_BY_HOSTNAME_PREFIX,
            GATE_TAS_VALIDATE_WORKLOAD_SLICE_SIZE,
            GATE_TAS_CACHE_NODE_MATCH_RESULTS,
            GATE_TAS_CACHING_REMAINING_RESOURCES,
            GATE_TAS_CACHE_TOPOLOGY_TREE,
            /* several clusters, admission checks */
            GATE_MULTIKUEUE,
            GATE_MULTIKUEUE_ADAPTERS_FOR_CUSTOM_JOBS,
            GATE_MULTIKUEUE_KUBECONFIG_PATH_VALIDATION,
            GATE_MULTIKUEUE_CLUSTER_PROFILE,
            GATE_MULTIKUEUE_INCREMENTAL_DISPATCHER_CONFIG,
            GATE_MULTIKUEUE_INCREMENTAL_DISPATCHER_RESPECT_CONFIG_ORDER,
            GATE_MULTIKUEUE_ORCHESTRATED_PREEMPTION,
            GATE_MULTIKUEUE_MANAGER_QUOTA_AUTOMATION,
            GATE_MULTIKUEUE_REMOTE_SPEC_SYNC,
            GATE_CLEANUP_PROVISIONING_REQUESTS_ON_EVICTION,
            GATE_REJECT_UPDATES_TO_CQ_WITH_INVALID_ON_FLAVORS,
            /* life of Workloads, job kinds */
            GATE_DISABLE_WAIT_FOR_PODS_READY,
            GATE_ELASTIC_JOBS_VIA_WORKLOAD_SLICES,
            GATE_ELASTIC_JOBS_VIA_WORKLOAD_SLICES_WITH_TAS,
            GATE_ADMISSION_GATED_BY,
            GATE_FAILURE_RECOVERY_POLICY,
            GATE_FINISH_ORPHANED_WORKLOADS,
            GATE_FAST_QUOTA_RELEASE_IN_POD_INTEGRATION,
            GATE_WORKLOAD_PRIORITY_CLASS_DEFAULTING,
            GATE_WORKLOAD_IDENTIFIER_ANNOTATIONS,
            GATE_SHORT_WORKLOAD_NAMES,
            GATE_ASSIGN_QUEUE_LABELS_FOR_PODS,
            GATE_MANAGED_JOBS_NAMESPACE_SELECTOR_ALWAYS_RESPECTED,
            GATE_SPARK_APPLICATION_INTEGRATION,
            GATE_DEFER_RAY_SERVICE_FINALIZATION_FOR_REDIS_CLEANUP,
            GATE_LWS_IMMUTABLE_GROUP_SIZE,
            GATE_POD_INTEGRATION_VALIDATE_GROUP_OWNER,
            GATE_VALIDATE_RAY_AND_SPARK_JOB_UPDATES,
            GATE_SKIP_ANCESTOR_CHECK_FOR_DELETED_WORKLOADS,
            GATE_REMOVE_FINALIZERS_WITH_STRICT_PATCH,
            GATE_WORKLOAD_REQUEST_USE_MERGE_PATCH,
            GATE_WORKLOAD_VALIDATE_RESOURCES_ARE_NON_NEGATIVE,
            GATE_WORKLOAD_VALIDATION_FOR_POD_SET_METADATA,
            /* dynamic resource allocation */
            GATE_KUEUE_DRA_INTEGRATION,
            GATE_KUEUE_DRA_INTEGRATION_EXTENDED_RESOURCE,
            GATE_KUEUE_DRA_INTEGRATION_PARTITIONABLE_DEVICES,
            GATE_KUEUE_DRA_INTEGRATION_CONSUMABLE_CAPACITY,
            GATE_KUEUE_DRA_REJECT_WORKLOADS_WHEN_DRA_DISABLED,
            /* observability, servers */
            GATE_VISIBILITY_ON_DEMAND,
            GATE_LOCAL_QUEUE_METRICS,
            GATE_METRICS_FOR_COHORTS,
            GATE_METRIC_FOR_WORKLOAD_CREATION_LATENCY,
            GATE_CUSTOM_METRIC_LABELS,
            GATE_UNADMITTED_WORKLOADS_OBSERVABILITY,
            GATE_UNADMITTED_WORKLOADS_EXPLICIT_STATUS,
            GATE_TLS_OPTIONS,
            GATE_COUNT
};

struct gates {
    bool on[GATE_COUNT];
    bool given[GATE_COUNT];     /* named by the flag or the file */
    int8_t all_alpha, all_beta; /* -1: not given; else the value of AllAlpha, AllBeta */
};

/* What the table says. 'name' is static text. */
const char *gate_name(enum gate gate);
/* Does switching it change anything in this program? */
bool gate_has_effect(enum gate gate);

void gates_default(struct gates *gates);

/* One gate by name; "AllAlpha" and "AllBeta" stand for every gate of that stage that is not given
 * by itself. Names that belong to the API server's own library are accepted and change nothing.
 * ERR_INVALID: an unknown name, or a locked gate set to the other value. */
MUST_USE int gates_set(struct gates *gates, struct str name, bool value, struct err *e);

/* The value of --feature-gates: "A=true,B=false". ERR_INVALID names the entry: no "=", a value that
 * is no boolean (1, t, true, TRUE, True and their opposites are), and what gates_set refuses. */
MUST_USE int gates_parse(struct gates *gates, struct str text, struct err *e);

/* Once all are set: an enabled gate needs those it depends on. ERR_INVALID names the first that
 * lacks some, and all that it lacks. */
MUST_USE int gates_check(const struct gates *gates, struct err *e);

/* For those who try things out: 'flag', and behind it "X=false" for every gate X that it does not
 * name and that needs one it switches off. A flag that gates_parse refuses stays as it is. */
void gates_flag_complete(struct str flag, struct strbuf *out);

/* Put the gates into the settings of the loop, the engine and the job kinds. */
void gates_apply(const struct gates *gates, struct loop_settings *settings);
