#!/usr/bin/env bash
# The part "core" alone: another program reserves quota. And what the observability gates change (spec/lifecycle.md 10).
# shellcheck source=workloads.sh
. "$(dirname "$0")/workloads.sh"
api_stage "" --components core,webhooks-core
flavor default
admission_check a
cluster_queue q 10
cluster_queue checked 10 '.spec.admissionChecksStrategy.admissionChecks = [{name: "a"}]'

workload_make w q 4
check "nobody decides: no condition at all" always wl w '(.status.conditions // []) == []'
reserve w q 4
becomes "a reservation written by another program admits" w "$(cond Admitted True Admitted 'The workload is admitted')"
check "with an Event" soon event_like w 'Normal Admitted: Admitted by ClusterQueue q, wait time since reservation was [0-9]+s'
check "by the Workload's controller" test "$(api GET "$(at events)" | jq -r '.items[] | select(.regarding.name == "w" and .reason == "Admitted") | .reportingController')" = kueue-workload-controller
counts() { holds clusterqueues "$1" ".status.reservingWorkloads == $2 and .status.admittedWorkloads == $3 and .status.pendingWorkloads == $4"; }
check "the queue counts it" soon counts q 1 1 0
edit w '.spec.active = false'
becomes "deactivated it is evicted" w "$(cond Evicted True Deactivated) and $(cond QuotaReserved True)"
check "and not counted any more" soon counts q 0 0 0
evicted_job_stops w
becomes "stopped it says why" w "$(cond QuotaReserved False Deactivated 'The workload is deactivated') and $(cond Admitted False NoReservation)"
edit w '.spec.active = true'
becomes "activated it waits for a scheduler" w "$(cond QuotaReserved False PendingEvaluation 'Workload is pending evaluation in the scheduling queue')"
check "and is pending" soon counts q 0 0 1
reserve w q 4
status w 'condition("Evicted"; "False"; "QuotaReserved"; "Previously: The workload is deactivated")'
becomes "it is admitted a second time" w "$(cond Admitted True)"
status w 'condition("Admitted"; "True"; "Admitted"; "The workload is admitted") | (.status.conditions[] | select(.type == "Admitted")).lastTransitionTime = seconds_ago(100)'
stop_policy clusterqueues q HoldAndDrain
becomes "a drained queue evicts it" w "$(cond Evicted True ClusterQueueStopped)"
merge workloads w/status "$(api GET "$(at workloads w)" | jq -c "$filters"'condition("QuotaReserved"; "False"; "Pending"; "By test") | {status: {conditions: .status.conditions}}')"
becomes "a reservation that is half taken away is taken away" w "$(cond Admitted False NoReservation) and .status.admission == null"
becomes "and the time it ran is added up" w '.status.accumulatedPastExecutionTimeSeconds | . >= 100 and . < 200'

workload_make c checked 4
becomes "a check is listed before there is quota" c '[.status.admissionChecks[].name] == ["a"] and condition_of("Admitted") == null'
reserve c checked 4
becomes "and open after" c "$(cond Admitted False UnsatisfiedAdmissionChecks 'The workload has not all checks ready')"
status c 'check("a"; "Ready"; "")'
becomes "Ready admits" c "$(cond Admitted True)"
status c 'condition("Finished"; "True"; "Succeeded"; "done")'
check "finished it is counted no more" soon counts checked 0 0 0

# ---- many at once: what one write has said is not taken back before the watch shows it ----
for i in $(seq 20); do
    workload_make "gated-$i" checked 1 '.metadata.annotations = {"kueue.x-k8s.io/admission-gated-by": "example.com/one"}'
done
all_say() { api GET "$(at workloads)" | jq -e "$filters"' [.items[] | select(.metadata.name | startswith("gated-"))] | length == 20 and all(.[]; condition_of("QuotaReserved").message == "'"$1"'")' >/dev/null; }
check "all gated ones say so" soon all_say "Admission is gated by: example.com/one"
for i in $(seq 20); do
    api PATCH "$(at workloads "gated-$i")" '{"metadata": {"annotations": null}}' application/merge-patch+json >/dev/null &
    opened[i]=$!
done
wait "${opened[@]}"
check "opened they all say that" soon all_say "AdmissionGatedBy cleared, waiting for quota reservation"
check "and keep to it" always all_say "AdmissionGatedBy cleared, waiting for quota reservation"

# ---- the gates off and on ----
api_restart "" --components core,webhooks-core --feature-gates UnadmittedWorkloadsObservability=false
stop_policy clusterqueues q None
becomes "legacy: resuming changes no text" w "$(cond QuotaReserved False)"
workload_make legacy-lost nowhere 1
becomes "legacy: a missing queue makes inadmissible" legacy-lost "$(cond QuotaReserved False Inadmissible "LocalQueue nowhere doesn't exist")"
stop_policy localqueues q Hold
workload_make legacy-held q 1
becomes "legacy: so does a stopped one" legacy-held "$(cond QuotaReserved False Inadmissible 'LocalQueue q is inactive')"
stop_policy localqueues q None
workload_make legacy-off q 1 '.spec.active = false'
becomes "legacy: deactivated" legacy-off "$(cond Evicted True Deactivated)"
check "legacy: which is no reason to wait" always wl legacy-off '(condition_of("QuotaReserved").reason // "") != "Deactivated"'
workload_make legacy-gated q 1 '.metadata.annotations = {"kueue.x-k8s.io/admission-gated-by": "example.com/one"}'
becomes "legacy: gates keep their reason" legacy-gated "$(cond QuotaReserved False AdmissionGated 'Admission is gated by: example.com/one')"
edit legacy-gated 'del(.metadata.annotations)'
becomes "legacy: without them it is pending" legacy-gated "$(cond QuotaReserved False Pending 'AdmissionGatedBy cleared, waiting for quota reservation')"
workload_make legacy-checked checked 1
reserve legacy-checked checked 1
# The truth value does not change, so nothing is written.
check "legacy: an open check writes no condition" always wl legacy-checked 'condition_of("Admitted") == null'

api_restart "" --components core,webhooks-core --feature-gates UnadmittedWorkloadsExplicitStatus=true
workload_make explicit q 1
becomes "explicit: a fresh one says that it waits" explicit "$(cond QuotaReserved False PendingEvaluation 'Workload is pending evaluation in the scheduling queue')"
becomes "explicit: and is not admitted" explicit "$(cond Admitted False NoReservation)"
