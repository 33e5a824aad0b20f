#include "admitter/configuration/gates.h"

#include <string.h>
#include "quota/base/mem.h"

#define NEEDS_MAX 2

enum gate_stage { GATE_ALPHA, GATE_BETA, GATE_GA, GATE_DEPRECATED };

/* 'needs': gate numbers plus one, so that what is left out is 0. */
struct gate_row {
    const char *name;
    bool on;
    enum gate_stage stage;
    unsigned needs[NEEDS_MAX];
};

#define NEED(gate) ((unsigned)(gate) + 1)
#define TAS NEED(GATE_TOPOLOGY_AWARE_SCHEDULING)
#define REPLACEMENT NEED(GATE_TAS_FAILED_NODE_REPLACEMENT)
#define SLICES NEED(GATE_ELASTIC_JOBS_VIA_WORKLOAD_SLICES)
#define DRA NEED(GATE_KUEUE_DRA_INTEGRATION)
#define FUNGIBILITY NEED(GATE_FLAVOR_FUNGIBILITY)
#define OBSERVED NEED(GATE_UNADMITTED_WORKLOADS_OBSERVABILITY)

/* clang-format off */
static const struct gate_row rows[GATE_COUNT] = {
    [GATE_PARTIAL_ADMISSION] = { "PartialAdmission", true, GATE_BETA, { 0 } },
    [GATE_FLAVOR_FUNGIBILITY] = { "FlavorFungibility", true, GATE_BETA, { 0 } },
    [GATE_FLAVOR_FUNGIBILITY_PRESERVE_SCAN_PROGRESS] =
        { "FlavorFungibilityPreserveScanProgress", true, GATE_BETA, { FUNGIBILITY } },
    [GATE_PRIORITY_SORTING_WITHIN_COHORT] =
        { "PrioritySortingWithinCohort", true, GATE_BETA, { 0 } },
    [GATE_FAIR_SHARING_PREEMPT_WITHIN_NOMINAL] =
        { "FairSharingPreemptWithinNominal", true, GATE_BETA, { 0 } },
    [GATE_FAIR_SHARING_PRIORITIZE_NON_BORROWING] =
        { "FairSharingPrioritizeNonBorrowing", true, GATE_BETA, { 0 } },
    [GATE_ADMISSION_FAIR_SHARING] = { "AdmissionFairSharing", true, GATE_BETA, { 0 } },
    [GATE_PRIORITY_BOOST] = { "PriorityBoost", false, GATE_ALPHA, { 0 } },
    [GATE_PRIORITIZE_PREEMPTOR_WORKLOADS] =
        { "PrioritizePreemptorWorkloads", false, GATE_ALPHA, { 0 } },
    [GATE_RECOMPUTE_ASSIGNMENT_UPON_PREEMPTION_TARGETS_OVERLAP] =
        { "RecomputeAssignmentUponPreemptionTargetsOverlap", true, GATE_BETA, { 0 } },
    [GATE_SCHEDULING_EQUIVALENCE_HASHING] =
        { "SchedulingEquivalenceHashing", true, GATE_BETA, { 0 } },
    [GATE_QUOTA_CHECK_STRATEGY] = { "QuotaCheckStrategy", true, GATE_BETA, { 0 } },
    [GATE_RECLAIMABLE_PODS] = { "ReclaimablePods", true, GATE_BETA, { 0 } },
    [GATE_CONCURRENT_ADMISSION] = { "ConcurrentAdmission", false, GATE_ALPHA, { 0 } },
    [GATE_SCHEDULER_LIBRARY_INTEGRATION] =
        { "SchedulerLibraryIntegration", false, GATE_ALPHA, { 0 } },
    [GATE_VECTORIZED_RESOURCE_REQUESTS] = { "VectorizedResourceRequests", true, GATE_BETA, { 0 } },
    [GATE_TOPOLOGY_AWARE_SCHEDULING] = { "TopologyAwareScheduling", true, GATE_BETA, { 0 } },
    [GATE_TAS_PROFILE_MIXED] = { "TASProfileMixed", true, GATE_BETA, { TAS } },
    [GATE_TAS_BALANCED_PLACEMENT] = { "TASBalancedPlacement", false, GATE_ALPHA, { TAS } },
    [GATE_TAS_MULTI_LAYER_TOPOLOGY] = { "TASMultiLayerTopology", true, GATE_BETA, { TAS } },
    [GATE_TAS_RESPECT_NODE_AFFINITY_PREFERRED] =
        { "TASRespectNodeAffinityPreferred", false, GATE_ALPHA, { TAS } },
    [GATE_TAS_HANDLE_OVERLAPPING_FLAVORS] =
        { "TASHandleOverlappingFlavors", true, GATE_BETA, { TAS } },
    [GATE_TAS_RECOMPUTE_ASSIGNMENT_WITHIN_SCHEDULING_CYCLE] =
        { "TASRecomputeAssignmentWithinSchedulingCycle", true, GATE_BETA, { TAS } },
    [GATE_TAS_FAILED_NODE_REPLACEMENT] = { "TASFailedNodeReplacement", true, GATE_BETA, { TAS } },
    [GATE_TAS_FAILED_NODE_REPLACEMENT_FAIL_FAST] =
        { "TASFailedNodeReplacementFailFast", true, GATE_BETA, { TAS, REPLACEMENT } },
    [GATE_TAS_REPLACE_NODE_ON_POD_TERMINATION] =
        { "TASReplaceNodeOnPodTermination", true, GATE_BETA, { TAS, REPLACEMENT } },
    [GATE_TAS_REPLACE_NODE_DUE_TO_NOT_READY_OVER_FIXED_TIME] =
        { "TASReplaceNodeDueToNotReadyOverFixedTime", false, GATE_DEPRECATED,
          { TAS, REPLACEMENT } },
    [GATE_TAS_REPLACE_NODE_ON_NODE_TAINTS] =
        { "TASReplaceNodeOnNodeTaints", true, GATE_BETA, { TAS } },
    [GATE_SKIP_REASSIGNMENT_FOR_POD_OWNED_WORKLOADS] =
        { "SkipReassignmentForPodOwnedWorkloads", true, GATE_BETA, { 0 } },
    [GATE_TAS_ASSIGNMENTS_ENCODING_BY_HOSTNAME_PREFIX] =
        { "TASAssignmentsEncodingByHostnamePrefix", true, GATE_BETA, { 0 } },
    [GATE_TAS_VALIDATE_WORKLOAD_SLICE_SIZE] =
        { "TASValidateWorkloadSliceSize", true, GATE_BETA, { 0 } },
    [GATE_TAS_CACHE_NODE_MATCH_RESULTS] = { "TASCacheNodeMatchResults", true, GATE_BETA, { 0 } },
    [GATE_TAS_CACHING_REMAINING_RESOURCES] =
        { "TASCachingRemainingResources", true, GATE_BETA, { 0 } },
    [GATE_TAS_CACHE_TOPOLOGY_TREE] = { "TASCacheTopologyTree", true, GATE_BETA, { 0 } },
    [GATE_MULTIKUEUE] = { "MultiKueue", true, GATE_BETA, { 0 } },
    [GATE_MULTIKUEUE_ADAPTERS_FOR_CUSTOM_JOBS] =
        { "MultiKueueAdaptersForCustomJobs", true, GATE_BETA, { 0 } },
    [GATE_MULTIKUEUE_KUBECONFIG_PATH_VALIDATION] =
        { "MultiKueueKubeConfigPathValidation", true, GATE_BETA, { 0 } },
    [GATE_MULTIKUEUE_CLUSTER_PROFILE] = { "MultiKueueClusterProfile", false, GATE_ALPHA, { 0 } },
    [GATE_MULTIKUEUE_INCREMENTAL_DISPATCHER_CONFIG] =
        { "MultiKueueIncrementalDispatcherConfig", true, GATE_BETA, { 0 } },
    [GATE_MULTIKUEUE_INCREMENTAL_DISPATCHER_RESPECT_CONFIG_ORDER] =
        { "MultiKueueIncrementalDispatcherRespectConfigOrder", true, GATE_BETA, { 0 } },
    [GATE_MULTIKUEUE_ORCHESTRATED_PREEMPTION] =
        { "MultiKueueOrchestratedPreemption", false, GATE_ALPHA, { 0 } },
    [GATE_MULTIKUEUE_MANAGER_QUOTA_AUTOMATION] =
        { "MultiKueueManagerQuotaAutomation", false, GATE_ALPHA, { 0 } },
    [GATE_MULTIKUEUE_REMOTE_SPEC_SYNC] = { "MultiKueueRemoteSpecSync", true, GATE_BETA, { 0 } },
    [GATE_CLEANUP_PROVISIONING_REQUESTS_ON_EVICTION] =
        { "CleanupProvisioningRequestsOnEviction", true, GATE_BETA, { 0 } },
    [GATE_REJECT_UPDATES_TO_CQ_WITH_INVALID_ON_FLAVORS] =
        { "RejectUpdatesToCQWithInvalidOnFlavors", false, GATE_ALPHA, { 0 } },
    [GATE_DISABLE_WAIT_FOR_PODS_READY] = { "DisableWaitForPodsReady", false, GATE_ALPHA, { 0 } },
    [GATE_ELASTIC_JOBS_VIA_WORKLOAD_SLICES] =
        { "ElasticJobsViaWorkloadSlices", true, GATE_BETA, { 0 } },
    [GATE_ELASTIC_JOBS_VIA_WORKLOAD_SLICES_WITH_TAS] =
        { "ElasticJobsViaWorkloadSlicesWithTAS", false, GATE_ALPHA, { SLICES, TAS } },
    [GATE_ADMISSION_GATED_BY] = { "AdmissionGatedBy", true, GATE_BETA, { 0 } },
    [GATE_FAILURE_RECOVERY_POLICY] = { "FailureRecoveryPolicy", false, GATE_ALPHA, { 0 } },
    [GATE_FINISH_ORPHANED_WORKLOADS] = { "FinishOrphanedWorkloads", true, GATE_BETA, { 0 } },
    [GATE_FAST_QUOTA_RELEASE_IN_POD_INTEGRATION] =
        { "FastQuotaReleaseInPodIntegration", false, GATE_ALPHA, { 0 } },
    [GATE_WORKLOAD_PRIORITY_CLASS_DEFAULTING] =
        { "WorkloadPriorityClassDefaulting", true, GATE_BETA, { 0 } },
    [GATE_WORKLOAD_IDENTIFIER_ANNOTATIONS] =
        { "WorkloadIdentifierAnnotations", true, GATE_BETA, { 0 } },
    [GATE_SHORT_WORKLOAD_NAMES] = { "ShortWorkloadNames", false, GATE_ALPHA, { 0 } },
    [GATE_ASSIGN_QUEUE_LABELS_FOR_PODS] = { "AssignQueueLabelsForPods", true, GATE_BETA, { 0 } },
    [GATE_MANAGED_JOBS_NAMESPACE_SELECTOR_ALWAYS_RESPECTED] =
        { "ManagedJobsNamespaceSelectorAlwaysRespected", true, GATE_GA, { 0 } },
    [GATE_SPARK_APPLICATION_INTEGRATION] =
        { "SparkApplicationIntegration", false, GATE_ALPHA, { 0 } },
    [GATE_DEFER_RAY_SERVICE_FINALIZATION_FOR_REDIS_CLEANUP] =
        { "DeferRayServiceFinalizationForRedisCleanup", true, GATE_BETA, { 0 } },
    [GATE_LWS_IMMUTABLE_GROUP_SIZE] = { "LWSImmutableGroupSize", true, GATE_BETA, { 0 } },
    [GATE_POD_INTEGRATION_VALIDATE_GROUP_OWNER] =
        { "PodIntegrationValidateGroupOwner", true, GATE_BETA, { 0 } },
    [GATE_VALIDATE_RAY_AND_SPARK_JOB_UPDATES] =
        { "ValidateRayAndSparkJobUpdates", true, GATE_BETA, { 0 } },
    [GATE_SKIP_ANCESTOR_CHECK_FOR_DELETED_WORKLOADS] =
        { "SkipAncestorCheckForDeletedWorkloads", true, GATE_BETA, { 0 } },
    [GATE_REMOVE_FINALIZERS_WITH_STRICT_PATCH] =
        { "RemoveFinalizersWithStrictPatch", true, GATE_BETA, { 0 } },
    [GATE_WORKLOAD_REQUEST_USE_MERGE_PATCH] =
        { "WorkloadRequestUseMergePatch", false, GATE_ALPHA, { 0 } },
    [GATE_WORKLOAD_VALIDATE_RESOURCES_ARE_NON_NEGATIVE] =
        { "WorkloadValidateResourcesAreNonNegative", true, GATE_BETA, { 0 } },
    [GATE_WORKLOAD_VALIDATION_FOR_POD_SET_METADATA] =
        { "WorkloadValidationForPodSetMetadata", true, GATE_BETA, { 0 } },
    [GATE_KUEUE_DRA_INTEGRATION] = { "KueueDRAIntegration", true, GATE_BETA, { 0 } },
    [GATE_KUEUE_DRA_INTEGRATION_EXTENDED_RESOURCE] =
        { "KueueDRAIntegrationExtendedResource", true, GATE_BETA, { DRA } },
    [GATE_KUEUE_DRA_INTEGRATION_PARTITIONABLE_DEVICES] =
        { "KueueDRAIntegrationPartitionableDevices", true, GATE_BETA, { DRA } },
    [GATE_KUEUE_DRA_INTEGRATION_CONSUMABLE_CAPACITY] =
        { "KueueDRAIntegrationConsumableCapacity", false, GATE_ALPHA, { DRA } },
    [GATE_KUEUE_DRA_REJECT_WORKLOADS_WHEN_DRA_DISABLED] =
        { "KueueDRARejectWorkloadsWhenDRADisabled", true, GATE_BETA, { 0 } },
    [GATE_VISIBILITY_ON_DEMAND] = { "VisibilityOnDemand", true, GATE_BETA, { 0 } },
    [GATE_LOCAL_QUEUE_METRICS] = { "LocalQueueMetrics", true, GATE_BETA, { 0 } },
    [GATE_METRICS_FOR_COHORTS] = { "MetricsForCohorts", true, GATE_BETA, { 0 } },
    [GATE_METRIC_FOR_WORKLOAD_CREATION_LATENCY] =
        { "MetricForWorkloadCreationLatency", true, GATE_BETA, { 0 } },
    [GATE_CUSTOM_METRIC_LABELS] = { "CustomMetricLabels", false, GATE_ALPHA, { 0 } },
    [GATE_UNADMITTED_WORKLOADS_OBSERVABILITY] =
        { "UnadmittedWorkloadsObservability", true, GATE_BETA, { 0 } },
    [GATE_UNADMITTED_WORKLOADS_EXPLICIT_STATUS] =
        { "UnadmittedWorkloadsExplicitStatus", false, GATE_BETA, { OBSERVED } },
    [GATE_TLS_OPTIONS] = { "TLSOptions", true, GATE_GA, { 0 } },
};
/* clang-format on */

/* Gates of the API server's library, known by name because its registry is shared. */
static const char *const foreign[] = {
    "APIResponseCompression",
    "APIServerIdentity",
    "APIServerTracing",
    "APIServingWithRoutine",
    "AggregatedDiscoveryRemoveBetaType",
    "AllowParsingUserUIDFromCertAuth",
    "AllowUnsafeMalformedObjectDeletion",
    "AnonymousAuthConfigurableEndpoints",
    "AuthorizeWithSelectors",
    "BtreeWatchCache",
    "CBORServingAndStorage",
    "ConcurrentWatchObjectDecode",
    "ConsistentListFromCache",
    "ConstrainedImpersonation",
    "ContextualLogging",
    "CoordinatedLeaderElection",
    "DeclarativeValidation",
    "DeclarativeValidationTakeover",
    "DetectCacheInconsistency",
    "KMSv1",
    "ListFromCacheSnapshot",
    "LoggingAlphaOptions",
    "LoggingBetaOptions",
    "MutatingAdmissionPolicy",
    "OpenAPIEnums",
    "RemoteRequestHeaderUID",
    "ResilientWatchCacheInitialization",
    "StorageVersionAPI",
    "StorageVersionHash",
    "StreamingCollectionEncodingToJSON",
    "StreamingCollectionEncodingToProtobuf",
    "StrictCostEnforcementForVAP",
    "StrictCostEnforcementForWebhooks",
    "StructuredAuthenticationConfiguration",
    "StructuredAuthenticationConfigurationEgressSelector",
    "StructuredAuthorizationConfiguration",
    "TokenRequestServiceAccountUIDValidation",
    "UnauthenticatedHTTP2DOSMitigation",
    "UnknownVersionInteroperabilityProxy",
    "WatchCacheInitializationPostStartHook",
    "WatchList",
};

/* Where a gate's value goes. */
static const struct {
    enum gate gate;
    size_t offset;
} targets[] = {
#define TARGET(gate, member)                                                                       \
    {                                                                                              \
        gate, offsetof(struct loop_settings, member)                                               \
    }
    TARGET(GATE_PARTIAL_ADMISSION, jobs.partial_admission),
    TARGET(GATE_TOPOLOGY_AWARE_SCHEDULING, jobs.topology_aware),
    TARGET(GATE_TAS_MULTI_LAYER_TOPOLOGY, jobs.multi_layer_topology),
    TARGET(GATE_ELASTIC_JOBS_VIA_WORKLOAD_SLICES, jobs.elastic_slices),
    TARGET(GATE_ADMISSION_GATED_BY, jobs.admission_gated_by),
    TARGET(GATE_WORKLOAD_IDENTIFIER_ANNOTATIONS, jobs.identifier_annotations),
    TARGET(GATE_WORKLOAD_PRIORITY_CLASS_DEFAULTING, jobs.priority_class_defaulting),
    TARGET(GATE_MULTIKUEUE, jobs.multikueue),
    TARGET(GATE_ASSIGN_QUEUE_LABELS_FOR_PODS, jobs.queue_labels_for_pods),
    TARGET(GATE_SHORT_WORKLOAD_NAMES, jobs.short_workload_names),
    TARGET(GATE_FINISH_ORPHANED_WORKLOADS, jobs.finish_orphaned),
    TARGET(GATE_RECLAIMABLE_PODS, jobs.reclaimable_pods),
    TARGET(GATE_SKIP_ANCESTOR_CHECK_FOR_DELETED_WORKLOADS, jobs.skip_ancestor_check_for_deleted),
    TARGET(GATE_PARTIAL_ADMISSION, objects.partial_admission),
    TARGET(GATE_TOPOLOGY_AWARE_SCHEDULING, objects.topology_aware),
    TARGET(GATE_ELASTIC_JOBS_VIA_WORKLOAD_SLICES, objects.elastic_slices),
    TARGET(GATE_ADMISSION_GATED_BY, objects.admission_gated_by),
    TARGET(GATE_WORKLOAD_VALIDATION_FOR_POD_SET_METADATA, objects.pod_set_metadata),
    TARGET(GATE_WORKLOAD_VALIDATE_RESOURCES_ARE_NON_NEGATIVE, objects.resources_are_non_negative),
    TARGET(GATE_TAS_VALIDATE_WORKLOAD_SLICE_SIZE, objects.slice_size),
    TARGET(GATE_TAS_ASSIGNMENTS_ENCODING_BY_HOSTNAME_PREFIX, objects.encode_by_host_prefix),
    TARGET(GATE_PRIORITY_BOOST, objects.priority_boost),
    TARGET(GATE_CONCURRENT_ADMISSION, objects.concurrent_admission),
    TARGET(GATE_REJECT_UPDATES_TO_CQ_WITH_INVALID_ON_FLAVORS, objects.reject_invalid_on_flavors),
    TARGET(GATE_PARTIAL_ADMISSION, engine.gates.partial_admission),
    TARGET(GATE_FLAVOR_FUNGIBILITY, engine.gates.flavor_fungibility),
    TARGET(GATE_FLAVOR_FUNGIBILITY_PRESERVE_SCAN_PROGRESS, engine.gates.preserve_scan_progress),
    TARGET(GATE_PRIORITY_SORTING_WITHIN_COHORT, engine.gates.priority_sorting_within_cohort),
    TARGET(GATE_FAIR_SHARING_PREEMPT_WITHIN_NOMINAL,
           engine.gates.fair_sharing_preempt_within_nominal),
    TARGET(GATE_FAIR_SHARING_PRIORITIZE_NON_BORROWING,
           engine.gates.fair_sharing_prioritize_non_borrowing),
    TARGET(GATE_PRIORITIZE_PREEMPTOR_WORKLOADS, engine.gates.prioritize_preemptor_workloads),
    TARGET(GATE_RECOMPUTE_ASSIGNMENT_UPON_PREEMPTION_TARGETS_OVERLAP,
           engine.gates.recompute_on_overlap),
    TARGET(GATE_SCHEDULING_EQUIVALENCE_HASHING, engine.gates.equivalence_hashing),
    TARGET(GATE_ADMISSION_FAIR_SHARING, engine.gates.admission_fair_sharing),
    TARGET(GATE_RECLAIMABLE_PODS, engine.gates.reclaimable_pods),
    TARGET(GATE_QUOTA_CHECK_STRATEGY, engine.gates.quota_check_strategy),
    TARGET(GATE_PRIORITY_BOOST, engine.gates.priority_boost),
    TARGET(GATE_ADMISSION_GATED_BY, engine.gates.admission_gated_by),
    TARGET(GATE_UNADMITTED_WORKLOADS_OBSERVABILITY, engine.gates.unadmitted_observability),
    TARGET(GATE_UNADMITTED_WORKLOADS_EXPLICIT_STATUS, engine.gates.unadmitted_explicit_status),
    TARGET(GATE_ELASTIC_JOBS_VIA_WORKLOAD_SLICES, engine.gates.elastic_slices),
    TARGET(GATE_CONCURRENT_ADMISSION, engine.gates.concurrent_admission),
    TARGET(GATE_MULTIKUEUE_ORCHESTRATED_PREEMPTION, engine.gates.orchestrated_preemption),
    TARGET(GATE_TOPOLOGY_AWARE_SCHEDULING, engine.gates.topology_aware),
    TARGET(GATE_TAS_RECOMPUTE_ASSIGNMENT_WITHIN_SCHEDULING_CYCLE, engine.gates.tas_recompute),
    TARGET(GATE_TAS_FAILED_NODE_REPLACEMENT, engine.gates.tas_failed_node_replacement),
    TARGET(GATE_TAS_FAILED_NODE_REPLACEMENT_FAIL_FAST, engine.gates.tas_failed_node_fail_fast),
    TARGET(GATE_KUEUE_DRA_INTEGRATION, engine.gates.dra_integration),
    TARGET(GATE_KUEUE_DRA_INTEGRATION_EXTENDED_RESOURCE, engine.gates.dra_extended_resources),
    TARGET(GATE_KUEUE_DRA_REJECT_WORKLOADS_WHEN_DRA_DISABLED, engine.gates.dra_reject_when_off),
    TARGET(GATE_UNADMITTED_WORKLOADS_OBSERVABILITY, unadmitted_observability),
    TARGET(GATE_UNADMITTED_WORKLOADS_EXPLICIT_STATUS, unadmitted_explicit_status),
    TARGET(GATE_FINISH_ORPHANED_WORKLOADS, finish_orphaned),
    TARGET(GATE_ADMISSION_GATED_BY, admission_gated_by),
    TARGET(GATE_SKIP_REASSIGNMENT_FOR_POD_OWNED_WORKLOADS, skip_reassignment_for_pods),
#undef TARGET
};

/* Looked at elsewhere: configuration.c, metrics.c. */
static const enum gate used_elsewhere[] = {
    GATE_KUEUE_DRA_INTEGRATION_PARTITIONABLE_DEVICES,
    GATE_KUEUE_DRA_INTEGRATION_CONSUMABLE_CAPACITY,
    GATE_DISABLE_WAIT_FOR_PODS_READY,
    GATE_LOCAL_QUEUE_METRICS,
    GATE_METRICS_FOR_COHORTS,
    GATE_METRIC_FOR_WORKLOAD_CREATION_LATENCY,
    GATE_CUSTOM_METRIC_LABELS,
    GATE_SPARK_APPLICATION_INTEGRATION,
    GATE_MANAGED_JOBS_NAMESPACE_SELECTOR_ALWAYS_RESPECTED,
    GATE_TLS_OPTIONS,
};

const char *gate_name(enum gate gate)
{
    return rows[gate].name;
}

bool gate_has_effect(enum gate gate)
{
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++)
        if (targets[i].gate == gate)
            return true;
    for (size_t i = 0; i < ARRAY_COUNT(used_elsewhere); i++)
        if (used_elsewhere[i] == gate)
            return true;
    return false;
}

void gates_default(struct gates *gates)
{
    *gates = (struct gates){ .all_alpha = -1, .all_beta = -1 };
    for (unsigned i = 0; i < GATE_COUNT; i++)
        gates->on[i] = rows[i].on;
}

static void set_stage(struct gates *gates, enum gate_stage stage, bool value)
{
    for (unsigned i = 0; i < GATE_COUNT; i++)
        if (rows[i].stage == stage && !gates->given[i])
            gates->on[i] = value;
}

static bool is_foreign(struct str name)
{
    for (size_t i = 0; i < ARRAY_COUNT(foreign); i++)
        if (str_is(name, foreign[i]))
            return true;
    return false;
}

static int set_one(struct gates *gates, enum gate gate, bool value, struct err *e)
{
    if (rows[gate].stage == GATE_GA && value != rows[gate].on)
        return err_set(e, ERR_INVALID, "cannot set feature gate %s to %s, feature is locked to %s",
                       rows[gate].name, value ? "true" : "false", rows[gate].on ? "true" : "false");
    gates->on[gate] = value;
    gates->given[gate] = true;
    return 0;
}

int gates_set(struct gates *gates, struct str name, bool value, struct err *e)
{
    for (unsigned i = 0; i < GATE_COUNT; i++)
        if (str_is(name, rows[i].name))
            return set_one(gates, (enum gate)i, value, e);
    if (str_is(name, "AllAlpha")) {
        gates->all_alpha = value ? 1 : 0;
        set_stage(gates, GATE_ALPHA, value);
        return 0;
    }
    if (str_is(name, "AllBeta")) {
        gates->all_beta = value ? 1 : 0;
        set_stage(gates, GATE_BETA, value);
        return 0;
    }
    if (is_foreign(name))
        return 0;
    return err_set(e, ERR_INVALID, "unrecognized feature gate: %.*s", STR_ARGS(name));
}

static int parse_entry(struct gates *gates, struct str entry, struct err *e)
{
    struct str name, text;
    bool value;

    if (!str_cut(entry, '=', &name, &text))
        return err_set(e, ERR_INVALID, "missing bool value for %.*s", STR_ARGS(entry));
    name = str_trim(name);
    text = str_trim(text);
    if (!str_to_bool(text, &value))
        return err_set(e, ERR_INVALID,
                       "invalid value of %.*s=%.*s, err: parsing \"%.*s\": invalid syntax",
                       STR_ARGS(name), STR_ARGS(text), STR_ARGS(text));
    return gates_set(gates, name, value, e);
}

int gates_parse(struct gates *gates, struct str text, struct err *e)
{
    struct str entry, rest = text;

    while (rest.length > 0) {
        struct str tail;

        str_cut(rest, ',', &entry, &tail);
        rest = tail;
        entry = str_trim(entry);
        if (entry.length > 0 && parse_entry(gates, entry, e) < 0)
            return -1;
    }
    return 0;
}

/* Names of the disabled gates that this one needs, between blanks. */
static void add_missing(const struct gates *gates, enum gate gate, struct strbuf *out)
{
    for (size_t i = 0; i < NEEDS_MAX; i++) {
        unsigned need = rows[gate].needs[i];

        if (need == 0 || gates->on[need - 1])
            continue;
        if (out->length > 0)
            strbuf_putc(out, ' ');
        strbuf_puts(out, rows[need - 1].name);
    }
}

void gates_flag_complete(struct str flag, struct strbuf *out)
{
    struct gates gates;

    gates_default(&gates);
    strbuf_str(out, flag);
    if (gates_parse(&gates, flag, NULL) < 0)
        return;
    for (unsigned i = 0; i < GATE_COUNT; i++) {
        AUTO_STRBUF struct strbuf missing = STRBUF_INIT;

        add_missing(&gates, (enum gate)i, &missing);
        if (gates.on[i] && !gates.given[i] && missing.length > 0)
            strbuf_printf(out, ",%s=false", rows[i].name);
    }
}

int gates_check(const struct gates *gates, struct err *e)
{
    for (unsigned i = 0; i < GATE_COUNT; i++) {
        AUTO_STRBUF struct strbuf missing = STRBUF_INIT;

        if (!gates->on[i])
            continue;
        add_missing(gates, (enum gate)i, &missing);
        if (missing.length > 0)
            return err_set(e, ERR_INVALID,
                           "%s is enabled, but depends on features that are disabled: [%s]",
                           rows[i].name, missing.text);
    }
    return 0;
}

void gates_apply(const struct gates *gates, struct loop_settings *settings)
{
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++)
        *(bool *)((char *)settings + targets[i].offset) = gates->on[targets[i].gate];
}
