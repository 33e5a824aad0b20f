#include "admitter/metrics/metrics_private.h"

#include "quota/base/clock.h"

/* Seconds of a duration; none is negative. */
static double seconds(int64_t nanoseconds)
{
    return nanoseconds > 0 ? (double)nanoseconds / 1e9 : 0;
}

static const char *text(const char *value)
{
    return value ? value : "";
}

static struct metrics_owner owner_of(const struct metrics_workload *workload)
{
    return (struct metrics_owner){ .cluster_queue = workload->cluster_queue,
                                   .namespace = workload->namespace,
                                   .local_queue = workload->local_queue,
                                   .workload = workload->custom };
}

static bool has_local_queue(const struct metrics_workload *workload)
{
    return workload->local_queue && *workload->local_queue &&
           metrics_wants(workload->namespace, workload->local_queue);
}

/* The same for the ClusterQueue (labels: queue, class) and the LocalQueue. */
static void both(enum metrics_id cluster, enum metrics_id local, enum metrics_verb verb,
                 const struct metrics_workload *workload, double value)
{
    struct metrics_owner owner = owner_of(workload);

    metrics_emit(cluster, verb, &owner,
                 BASE(text(workload->cluster_queue), text(workload->priority_class)), value);
    if (has_local_queue(workload))
        metrics_emit(
            local, verb, &owner,
            BASE(workload->local_queue, text(workload->namespace), text(workload->priority_class)),
            value);
}

/* ---- scheduler ---- */

void metrics_cycle(size_t heads, bool success, int64_t duration)
{
    const struct metrics_owner nobody = { 0 };
    const char *result = success ? "success" : "inadmissible";

    if (heads == 0)
        return;
    metrics_emit(METRIC_ATTEMPTS, VERB_ADD, &nobody, BASE(result), 1);
    metrics_emit(METRIC_ATTEMPT_DURATION, VERB_OBSERVE, &nobody, BASE(result), seconds(duration));
}

void metrics_preemption_skips(const char *cluster_queue, int64_t count)
{
    metrics_emit(METRIC_PREEMPTION_SKIPS, VERB_SET,
                 &(struct metrics_owner){ .cluster_queue = cluster_queue }, BASE(cluster_queue),
                 (double)count);
}

void metrics_recomputation(const char *cluster_queue, const char *result)
{
    metrics_emit(METRIC_RECOMPUTATIONS, VERB_ADD,
                 &(struct metrics_owner){ .cluster_queue = cluster_queue },
                 BASE(cluster_queue, result), 1);
}

/* ---- admission ---- */

void metrics_workload_reserved(const struct metrics_workload *workload, int64_t waited)
{
    both(METRIC_RESERVED_TOTAL, METRIC_LOCAL_QUEUE_RESERVED_TOTAL, VERB_ADD, workload, 1);
    both(METRIC_RESERVED_WAIT, METRIC_LOCAL_QUEUE_RESERVED_WAIT, VERB_OBSERVE, workload,
         seconds(waited));
}

void metrics_workload_admitted(const struct metrics_workload *workload, int64_t waited,
                               int64_t checks_waited)
{
    both(METRIC_ADMITTED_TOTAL, METRIC_LOCAL_QUEUE_ADMITTED_TOTAL, VERB_ADD, workload, 1);
    both(METRIC_ADMISSION_WAIT, METRIC_LOCAL_QUEUE_ADMISSION_WAIT, VERB_OBSERVE, workload,
         seconds(waited));
    if (checks_waited >= 0)
        both(METRIC_CHECKS_WAIT, METRIC_LOCAL_QUEUE_CHECKS_WAIT, VERB_OBSERVE, workload,
             seconds(checks_waited));
}

void metrics_cohort_admitted(const char *cohort, const char *priority_class)
{
    metrics_emit(METRIC_COHORT_ADMITTED_TOTAL, VERB_ADD,
                 &(struct metrics_owner){ .cohort = cohort }, BASE(cohort, text(priority_class)),
                 1);
}

void metrics_workload_ready(const struct metrics_workload *workload, int64_t waited,
                            int64_t since_admitted)
{
    both(METRIC_READY_WAIT, METRIC_LOCAL_QUEUE_READY_WAIT, VERB_OBSERVE, workload, seconds(waited));
    both(METRIC_ADMITTED_UNTIL_READY, METRIC_LOCAL_QUEUE_ADMITTED_UNTIL_READY, VERB_OBSERVE,
         workload, seconds(since_admitted));
}

void metrics_workload_created(const struct metrics_workload *workload, const char *job_kind,
                              int64_t latency)
{
    struct metrics_owner owner = owner_of(workload);

    metrics_emit(METRIC_CREATION_LATENCY, VERB_OBSERVE, &owner, BASE(job_kind), seconds(latency));
}

void metrics_gate_removed(const char *gate, const char *cluster_queue, bool is_group,
                          int64_t waited)
{
    metrics_emit(METRIC_GATE_REMOVAL, VERB_OBSERVE,
                 &(struct metrics_owner){ .cluster_queue = cluster_queue },
                 BASE(gate, cluster_queue, is_group ? "true" : "false"), seconds(waited));
}

/* ---- end, eviction, preemption ---- */

void metrics_workload_finished(const struct metrics_workload *workload, int64_t executed)
{
    both(METRIC_FINISHED_TOTAL, METRIC_LOCAL_QUEUE_FINISHED_TOTAL, VERB_ADD, workload, 1);
    if (executed >= 0)
        both(METRIC_EXECUTION, METRIC_LOCAL_QUEUE_EXECUTION, VERB_OBSERVE, workload,
             seconds(executed));
}

void metrics_workload_evicted(const struct metrics_workload *workload,
                              const struct metrics_eviction *eviction)
{
    struct metrics_owner owner = owner_of(workload);
    const char *queue = text(workload->cluster_queue), *class = text(workload->priority_class);
    const char *reason = text(eviction->reason), *cause = text(eviction->cause);

    metrics_emit(METRIC_EVICTED_TOTAL, VERB_ADD, &owner, BASE(queue, reason, cause, class), 1);
    if (has_local_queue(workload))
        metrics_emit(METRIC_LOCAL_QUEUE_EVICTED_TOTAL, VERB_ADD, &owner,
                     BASE(workload->local_queue, text(workload->namespace), reason, cause, class),
                     1);
    if (eviction->is_first)
        metrics_emit(METRIC_EVICTED_ONCE, VERB_ADD, &owner, BASE(queue, reason, cause, class), 1);
    if (eviction->was_ready >= 0)
        metrics_emit(METRIC_READY_TO_EVICTED, VERB_OBSERVE, &owner, BASE(queue, reason, cause),
                     seconds(eviction->was_ready));
}

void metrics_eviction_done(const char *cluster_queue, const char *reason, int64_t latency)
{
    metrics_emit(METRIC_EVICTION_LATENCY, VERB_OBSERVE,
                 &(struct metrics_owner){ .cluster_queue = cluster_queue },
                 BASE(text(cluster_queue), text(reason)), seconds(latency));
}

void metrics_preempted(const char *preempting_cluster_queue, const char *reason)
{
    metrics_emit(METRIC_PREEMPTED_TOTAL, VERB_ADD,
                 &(struct metrics_owner){ .cluster_queue = preempting_cluster_queue },
                 BASE(text(preempting_cluster_queue), text(reason)), 1);
}
