#!/usr/bin/env bash
# Each cause of an eviction has its reason and underlying cause in the counters.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=api.sh
. "$(dirname "$0")/api.sh"
# shellcheck source=scrape.sh
. "$(dirname "$0")/scrape.sh"
api_stage 'leaderElection: {leaderElect: false}
waitForPodsReady: {timeout: 5s, recoveryTimeout: 1s, requeuingStrategy: {backoffLimitCount: 1, backoffBaseSeconds: 1}}' --components core,scheduler

# counted CLUSTER-QUEUE REASON CAUSE N: total, first times and the LocalQueue's.
counted() {
    shows "kueue_evicted_workloads_total{cluster_queue=\"$1\",priority_class=\"\",reason=\"$2\",underlying_cause=\"$3\"}" "$4"
    shows "kueue_evicted_workloads_once_total{cluster_queue=\"$1\",priority_class=\"\",reason=\"$2\",underlying_cause=\"$3\"}" "${5:-$4}"
    shows "kueue_local_queue_evicted_workloads_total{name=\"$1\",namespace=\"t\",priority_class=\"\",reason=\"$2\",underlying_cause=\"$3\"}" "$4"
}
queue_of() { cq "$1" 5 "${2:-}" && lq "$1" "$1"; }
started() { check "$1 is admitted" soon holds workloads "$1" "$(is_true Admitted)"; [ -n "${2:-}" ] || set_conditions "$1" "$(condition PodsReady True Started)"; }

flavor f
# Its check is listed by one write while another reserves its quota: that is one attempt, however long the first one takes.
check_active someone
queue_of awaits 'admissionChecksStrategy: {admissionChecks: [{name: someone}]}'
wl first awaits 1
check "quota is reserved beside the list of checks" soon holds workloads first "$(is_true QuotaReserved)"
shows 'kueue_admission_attempts_total{result="success"}' 1

queue_of stopped
wl a stopped 1
started a
merge clusterqueues stopped '{"spec": {"stopPolicy": "HoldAndDrain"}}'
counted stopped ClusterQueueStopped "" 1
shows 'kueue_pods_ready_to_evicted_time_seconds_count{cluster_queue="stopped",reason="ClusterQueueStopped",underlying_cause=""}' 1
queue_of drained
wl b drained 1
started b
merge localqueues drained '{"spec": {"stopPolicy": "HoldAndDrain"}}'
counted drained LocalQueueStopped "" 1

queue_of slow
wl c slow 1
started c unready
wl d slow 1 'maximumExecutionTimeSeconds: 1'
started d
counted slow PodsReadyTimeout WaitForStart 1
counted slow Deactivated MaximumExecutionTimeExceeded 1
release c
started c unready
check "the second time it is given up" soon holds workloads c '.spec.active == false'
counted slow Deactivated RequeuingLimitExceeded 1
shows 'kueue_workload_eviction_latency_seconds_count{cluster_queue="slow",reason="PodsReadyTimeout"}' 1
release c
shows 'kueue_workload_eviction_latency_seconds_count{cluster_queue="slow",reason="DeactivatedDueToRequeuingLimitExceeded"}' 1

check_active retry
queue_of checked 'admissionChecksStrategy: {admissionChecks: [{name: retry}]}'
wl e checked 1
check "its check is listed" soon holds workloads e '.status.admissionChecks | length == 1'
say_check() { status workloads "$1" "{\"admissionChecks\": [{\"name\": \"retry\", \"state\": \"$2\", \"message\": \"\", \"lastTransitionTime\": \"$(date -u +%FT%TZ)\"}]}"; }
say_check e Retry
counted checked AdmissionCheck "" 1
release e
check "it holds quota again" soon holds workloads e "$(is_true QuotaReserved)"
say_check e Rejected
counted checked Deactivated AdmissionCheck 1
