#include "admitter/metrics/table.h"

#include "quota/base/mem.h"

static const double exponential[] = { 1,   2.5, 5,    10,   20,   40,    80,    160,
                                      320, 640, 1280, 2560, 5120, 10240, 20480, 40960 };
static const double usual[] = { 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10 };
static const double creation[] = {
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24
};

static const struct metrics_buckets exp14 = { exponential, 14 };
static const struct metrics_buckets exp16 = { exponential, 16 };
static const struct metrics_buckets def = { usual, ARRAY_COUNT(usual) };
static const struct metrics_buckets wcl = { creation, ARRAY_COUNT(creation) };

/* clang-format off */
const struct metrics_row metrics_table[METRICS_COUNT] = {
    [METRIC_ATTEMPTS] = {
        "kueue_admission_attempts_total", METRIC_COUNTER, NULL,
        { "result" }, 0, WHEN_ALWAYS,
        "Scheduling cycles that had a workload to decide on, by result.",
    },
    [METRIC_ATTEMPT_DURATION] = {
        "kueue_admission_attempt_duration_seconds", METRIC_HISTOGRAM, &def,
        { "result" }, 0, WHEN_ALWAYS,
        "How long such a cycle took.",
    },
    [METRIC_PREEMPTION_SKIPS] = {
        "kueue_admission_cycle_preemption_skips", METRIC_GAUGE, NULL,
        { "cluster_queue" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "Preemptions left out in the last cycle that left any out, because of others in it.",
    },
    [METRIC_RECOMPUTATIONS] = {
        "kueue_preemption_target_recomputations_total", METRIC_COUNTER, NULL,
        { "cluster_queue", "result" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "Times victims were chosen again because an earlier entry of the cycle took them.",
    },
    [METRIC_PENDING] = {
        "kueue_pending_workloads", METRIC_GAUGE, NULL,
        { "cluster_queue", "status" }, CUSTOM_CLUSTER_QUEUE | CUSTOM_WORKLOAD, WHEN_ALWAYS,
        "Workloads that wait: active ones are in the queue, inadmissible ones wait for a change.",
    },
    [METRIC_HASHES] = {
        "kueue_pending_scheduling_hashes", METRIC_GAUGE, NULL,
        { "cluster_queue", "status" }, CUSTOM_CLUSTER_QUEUE, WHEN_HASHES,
        "Kinds of waiting workloads that differ for the scheduler.",
    },
    [METRIC_LOCAL_QUEUE_PENDING] = {
        "kueue_local_queue_pending_workloads", METRIC_GAUGE, NULL,
        { "name", "namespace", "status" }, CUSTOM_LOCAL_QUEUE, WHEN_LOCAL,
        "Workloads of a LocalQueue that wait.",
    },
    [METRIC_RESOURCE_PENDING] = {
        "kueue_cluster_queue_resource_pending", METRIC_GAUGE, NULL,
        { "cluster_queue", "resource" }, CUSTOM_CLUSTER_QUEUE, WHEN_RESOURCES,
        "What waiting workloads request of a resource.",
    },
    [METRIC_FINISHED] = {
        "kueue_finished_workloads", METRIC_GAUGE, NULL,
        { "cluster_queue" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "Finished workloads that still exist.",
    },
    [METRIC_LOCAL_QUEUE_FINISHED] = {
        "kueue_local_queue_finished_workloads", METRIC_GAUGE, NULL,
        { "name", "namespace" }, CUSTOM_LOCAL_QUEUE, WHEN_LOCAL,
        "Finished workloads of a LocalQueue that still exist.",
    },
    [METRIC_UNADMITTED] = {
        "kueue_unadmitted_workloads", METRIC_GAUGE, NULL,
        { "cluster_queue", "reason", "underlying_cause" }, CUSTOM_CLUSTER_QUEUE, WHEN_UNADMITTED,
        "Workloads that are not admitted, by reason.",
    },
    [METRIC_LOCAL_QUEUE_UNADMITTED] = {
        "kueue_local_queue_unadmitted_workloads", METRIC_GAUGE, NULL,
        { "name", "namespace", "cluster_queue", "reason", "underlying_cause" },
        CUSTOM_LOCAL_QUEUE, WHEN_LOCAL_UNADMITTED,
        "Workloads of a LocalQueue that are not admitted, by reason.",
    },
    [METRIC_RESERVED_TOTAL] = {
        "kueue_quota_reserved_workloads_total", METRIC_COUNTER, NULL,
        { "cluster_queue", "priority_class" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "Quota reservations made.",
    },
    [METRIC_RESERVED_WAIT] = {
        "kueue_quota_reserved_wait_time_seconds", METRIC_HISTOGRAM, &exp14,
        { "cluster_queue", "priority_class" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "From creation or requeueing to the reservation of quota.",
    },
    [METRIC_LOCAL_QUEUE_RESERVED_TOTAL] = {
        "kueue_local_queue_quota_reserved_workloads_total", METRIC_COUNTER, NULL,
        { "name", "namespace", "priority_class" }, CUSTOM_LOCAL_QUEUE, WHEN_LOCAL,
        "Quota reservations made for a LocalQueue.",
    },
    [METRIC_LOCAL_QUEUE_RESERVED_WAIT] = {
        "kueue_local_queue_quota_reserved_wait_time_seconds", METRIC_HISTOGRAM, &exp14,
        { "name", "namespace", "priority_class" }, CUSTOM_LOCAL_QUEUE, WHEN_LOCAL,
        "From creation or requeueing to the reservation of quota.",
    },
    [METRIC_ADMITTED_TOTAL] = {
        "kueue_admitted_workloads_total", METRIC_COUNTER, NULL,
        { "cluster_queue", "priority_class" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "Admissions of workloads.",
    },
    [METRIC_ADMISSION_WAIT] = {
        "kueue_admission_wait_time_seconds", METRIC_HISTOGRAM, &exp16,
        { "cluster_queue", "priority_class" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "From creation or requeueing to admission.",
    },
    [METRIC_LOCAL_QUEUE_ADMITTED_TOTAL] = {
        "kueue_local_queue_admitted_workloads_total", METRIC_COUNTER, NULL,
        { "name", "namespace", "priority_class" }, CUSTOM_LOCAL_QUEUE | CUSTOM_WORKLOAD, WHEN_LOCAL,
        "Admissions of a LocalQueue.",
    },
    [METRIC_LOCAL_QUEUE_ADMISSION_WAIT] = {
        "kueue_local_queue_admission_wait_time_seconds", METRIC_HISTOGRAM, &exp14,
        { "name", "namespace", "priority_class" }, CUSTOM_LOCAL_QUEUE | CUSTOM_WORKLOAD, WHEN_LOCAL,
        "From creation or requeueing to admission.",
    },
    [METRIC_CHECKS_WAIT] = {
        "kueue_admission_checks_wait_time_seconds", METRIC_HISTOGRAM, &exp14,
        { "cluster_queue", "priority_class" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "From the reservation of quota to admission.",
    },
    [METRIC_LOCAL_QUEUE_CHECKS_WAIT] = {
        "kueue_local_queue_admission_checks_wait_time_seconds", METRIC_HISTOGRAM, &exp14,
        { "name", "namespace", "priority_class" }, CUSTOM_LOCAL_QUEUE, WHEN_LOCAL,
        "From the reservation of quota to admission.",
    },
    [METRIC_COHORT_ADMITTED_TOTAL] = {
        "kueue_cohort_subtree_admitted_workloads_total", METRIC_COUNTER, NULL,
        { "cohort", "priority_class" }, CUSTOM_COHORT, WHEN_ALWAYS,
        "Admissions anywhere below a cohort.",
    },
    [METRIC_READY_WAIT] = {
        "kueue_ready_wait_time_seconds", METRIC_HISTOGRAM, &exp14,
        { "cluster_queue", "priority_class" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "From creation or requeueing to all pods being ready.",
    },
    [METRIC_ADMITTED_UNTIL_READY] = {
        "kueue_admitted_until_ready_wait_time_seconds", METRIC_HISTOGRAM, &exp14,
        { "cluster_queue", "priority_class" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "From admission to all pods being ready.",
    },
    [METRIC_LOCAL_QUEUE_READY_WAIT] = {
        "kueue_local_queue_ready_wait_time_seconds", METRIC_HISTOGRAM, &exp14,
        { "name", "namespace", "priority_class" }, CUSTOM_LOCAL_QUEUE, WHEN_LOCAL,
        "From creation or requeueing to all pods being ready.",
    },
    [METRIC_LOCAL_QUEUE_ADMITTED_UNTIL_READY] = {
        "kueue_local_queue_admitted_until_ready_wait_time_seconds", METRIC_HISTOGRAM, &exp14,
        { "name", "namespace", "priority_class" }, CUSTOM_LOCAL_QUEUE, WHEN_LOCAL,
        "From admission to all pods being ready.",
    },
    [METRIC_CREATION_LATENCY] = {
        "kueue_workload_creation_latency_seconds", METRIC_HISTOGRAM, &wcl,
        { "job_kind" }, CUSTOM_LOCAL_QUEUE, WHEN_CREATION,
        "From the creation of a job to that of its Workload.",
    },
    [METRIC_GATE_REMOVAL] = {
        "kueue_pod_scheduling_gate_removal_seconds", METRIC_HISTOGRAM, &def,
        { "name", "cluster_queue", "is_group" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "From admission to the removal of a scheduling gate from a pod.",
    },
    [METRIC_DISPATCHED] = {
        "multikueue_workloads_dispatched_total", METRIC_COUNTER, NULL,
        { "cluster_queue", "cluster" }, 0, WHEN_ALWAYS,
        "Copies of workloads made in worker clusters.",
    },
    [METRIC_REMOTE_ADMITTED] = {
        "multikueue_workloads_admitted_total", METRIC_COUNTER, NULL,
        { "cluster_queue", "cluster" }, 0, WHEN_ALWAYS,
        "Workloads admitted in a worker cluster.",
    },
    [METRIC_FINISHED_TOTAL] = {
        "kueue_finished_workloads_total", METRIC_COUNTER, NULL,
        { "cluster_queue", "priority_class" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "Workloads that ended.",
    },
    [METRIC_LOCAL_QUEUE_FINISHED_TOTAL] = {
        "kueue_local_queue_finished_workloads_total", METRIC_COUNTER, NULL,
        { "name", "namespace", "priority_class" }, CUSTOM_LOCAL_QUEUE, WHEN_LOCAL,
        "Workloads of a LocalQueue that ended.",
    },
    [METRIC_EXECUTION] = {
        "kueue_execution_time_seconds", METRIC_HISTOGRAM, &exp16,
        { "cluster_queue", "priority_class" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "How long workloads that ended had been admitted, over all admissions.",
    },
    [METRIC_LOCAL_QUEUE_EXECUTION] = {
        "kueue_local_queue_execution_time_seconds", METRIC_HISTOGRAM, &exp16,
        { "name", "namespace", "priority_class" }, CUSTOM_LOCAL_QUEUE, WHEN_LOCAL,
        "How long workloads that ended had been admitted, over all admissions.",
    },
    [METRIC_EVICTED_TOTAL] = {
        "kueue_evicted_workloads_total", METRIC_COUNTER, NULL,
        { "cluster_queue", "reason", "underlying_cause", "priority_class" },
        CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "Evictions of admitted or reserving workloads.",
    },
    [METRIC_LOCAL_QUEUE_EVICTED_TOTAL] = {
        "kueue_local_queue_evicted_workloads_total", METRIC_COUNTER, NULL,
        { "name", "namespace", "reason", "underlying_cause", "priority_class" },
        CUSTOM_LOCAL_QUEUE, WHEN_LOCAL,
        "Evictions of a LocalQueue's workloads.",
    },
    [METRIC_EVICTED_ONCE] = {
        "kueue_evicted_workloads_once_total", METRIC_COUNTER, NULL,
        { "cluster_queue", "reason", "underlying_cause", "priority_class" },
        CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "Evictions, each workload counted once per reason and cause.",
    },
    [METRIC_READY_TO_EVICTED] = {
        "kueue_pods_ready_to_evicted_time_seconds", METRIC_HISTOGRAM, &exp14,
        { "cluster_queue", "reason", "underlying_cause" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "How long the pods of evicted workloads had been ready.",
    },
    [METRIC_EVICTION_LATENCY] = {
        "kueue_workload_eviction_latency_seconds", METRIC_HISTOGRAM, &exp14,
        { "cluster_queue", "reason" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "From the start of an eviction to the release of quota.",
    },
    [METRIC_PREEMPTED_TOTAL] = {
        "kueue_preempted_workloads_total", METRIC_COUNTER, NULL,
        { "preempting_cluster_queue", "reason" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "Preemptions, by the queue that gained and why it may.",
    },
    [METRIC_RESERVING] = {
        "kueue_reserving_active_workloads", METRIC_GAUGE, NULL,
        { "cluster_queue" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "Workloads that hold quota.",
    },
    [METRIC_ADMITTED] = {
        "kueue_admitted_active_workloads", METRIC_GAUGE, NULL,
        { "cluster_queue" }, CUSTOM_CLUSTER_QUEUE | CUSTOM_WORKLOAD, WHEN_ALWAYS,
        "Workloads that are admitted and not finished.",
    },
    [METRIC_LOCAL_QUEUE_RESERVING] = {
        "kueue_local_queue_reserving_active_workloads", METRIC_GAUGE, NULL,
        { "name", "namespace" }, CUSTOM_LOCAL_QUEUE, WHEN_LOCAL,
        "Workloads of a LocalQueue that hold quota.",
    },
    [METRIC_LOCAL_QUEUE_ADMITTED] = {
        "kueue_local_queue_admitted_active_workloads", METRIC_GAUGE, NULL,
        { "name", "namespace" }, CUSTOM_LOCAL_QUEUE | CUSTOM_WORKLOAD, WHEN_LOCAL,
        "Workloads of a LocalQueue that are admitted and not finished.",
    },
    [METRIC_STATUS] = {
        "kueue_cluster_queue_status", METRIC_GAUGE, NULL,
        { "cluster_queue", "status" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "1 for the state a ClusterQueue is in: pending, active or terminating.",
    },
    [METRIC_LOCAL_QUEUE_STATUS] = {
        "kueue_local_queue_status", METRIC_GAUGE, NULL,
        { "name", "namespace", "active" }, CUSTOM_LOCAL_QUEUE, WHEN_LOCAL,
        "1 for the status of a LocalQueue's condition Active.",
    },
    [METRIC_RESERVATION] = {
        "kueue_cluster_queue_resource_reservation", METRIC_GAUGE, NULL,
        { "cohort", "cluster_queue", "flavor", "resource" }, CUSTOM_CLUSTER_QUEUE, WHEN_RESOURCES,
        "Quota that is reserved.",
    },
    [METRIC_USAGE] = {
        "kueue_cluster_queue_resource_usage", METRIC_GAUGE, NULL,
        { "cohort", "cluster_queue", "flavor", "resource" }, CUSTOM_CLUSTER_QUEUE, WHEN_RESOURCES,
        "Quota that admitted workloads use.",
    },
    [METRIC_NOMINAL] = {
        "kueue_cluster_queue_nominal_quota", METRIC_GAUGE, NULL,
        { "cohort", "cluster_queue", "flavor", "resource" }, CUSTOM_CLUSTER_QUEUE, WHEN_RESOURCES,
        "Nominal quota.",
    },
    [METRIC_BORROWING] = {
        "kueue_cluster_queue_borrowing_limit", METRIC_GAUGE, NULL,
        { "cohort", "cluster_queue", "flavor", "resource" }, CUSTOM_CLUSTER_QUEUE, WHEN_RESOURCES,
        "How much may be borrowed, +Inf without a limit.",
    },
    [METRIC_LENDING] = {
        "kueue_cluster_queue_lending_limit", METRIC_GAUGE, NULL,
        { "cohort", "cluster_queue", "flavor", "resource" }, CUSTOM_CLUSTER_QUEUE, WHEN_RESOURCES,
        "How much may be lent, +Inf without a limit.",
    },
    [METRIC_SHARE] = {
        "kueue_cluster_queue_weighted_share", METRIC_GAUGE, NULL,
        { "cluster_queue", "cohort" }, CUSTOM_CLUSTER_QUEUE, WHEN_RESOURCES,
        "Share of borrowed quota over weight, NaN for weight 0 while borrowing.",
    },
    [METRIC_LOCAL_QUEUE_RESERVATION] = {
        "kueue_local_queue_resource_reservation", METRIC_GAUGE, NULL,
        { "name", "namespace", "flavor", "resource" }, CUSTOM_LOCAL_QUEUE, WHEN_LOCAL,
        "Quota that workloads of a LocalQueue hold.",
    },
    [METRIC_LOCAL_QUEUE_USAGE] = {
        "kueue_local_queue_resource_usage", METRIC_GAUGE, NULL,
        { "name", "namespace", "flavor", "resource" }, CUSTOM_LOCAL_QUEUE, WHEN_LOCAL,
        "Quota that admitted workloads of a LocalQueue use.",
    },
    [METRIC_LOCAL_QUEUE_FAIR_USAGE] = {
        "kueue_local_queue_admission_fair_sharing_usage", METRIC_GAUGE, NULL,
        { "name", "namespace", "cluster_queue" }, CUSTOM_LOCAL_QUEUE, WHEN_LOCAL,
        "Weighted usage that orders LocalQueues in admission fair sharing.",
    },
    [METRIC_COHORT_SHARE] = {
        "kueue_cohort_weighted_share", METRIC_GAUGE, NULL,
        { "cohort" }, CUSTOM_COHORT, WHEN_ALWAYS,
        "Share of borrowed quota over weight.",
    },
    [METRIC_COHORT_QUOTA] = {
        "kueue_cohort_subtree_quota", METRIC_GAUGE, NULL,
        { "cohort", "flavor", "resource" }, CUSTOM_COHORT, WHEN_ALWAYS,
        "Quota of a cohort and everything below it.",
    },
    [METRIC_COHORT_RESERVATIONS] = {
        "kueue_cohort_subtree_resource_reservations", METRIC_GAUGE, NULL,
        { "cohort", "flavor", "resource" }, CUSTOM_COHORT, WHEN_ALWAYS,
        "Quota reserved anywhere below a cohort.",
    },
    [METRIC_COHORT_ADMITTED] = {
        "kueue_cohort_subtree_admitted_active_workloads", METRIC_GAUGE, NULL,
        { "cohort" }, CUSTOM_CLUSTER_QUEUE, WHEN_ALWAYS,
        "Workloads admitted anywhere below a cohort.",
    },
    [METRIC_COHORT_INFO] = {
        "kueue_cohort_info", METRIC_GAUGE, NULL,
        { "cohort", "parent_cohort", "root_cohort" }, CUSTOM_COHORT, WHEN_COHORTS,
        "1; where a cohort stands in its tree.",
    },
    [METRIC_INFO] = {
        "kueue_cluster_queue_info", METRIC_GAUGE, NULL,
        { "cluster_queue", "parent_cohort", "root_cohort" }, CUSTOM_CLUSTER_QUEUE, WHEN_COHORTS,
        "1; where a ClusterQueue stands in its tree.",
    },
};
/* clang-format on */

size_t metrics_base_count(const struct metrics_row *row)
{
    size_t count = 0;

    while (count < METRICS_LABELS_MAX && row->labels[count])
        count++;
    return count;
}
