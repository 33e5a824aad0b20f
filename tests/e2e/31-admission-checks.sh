#!/usr/bin/env bash
# Admission checks in two phases, the test being their controllers (spec/admission-checks.md 2 to 8).
# shellcheck source=workloads.sh
. "$(dirname "$0")/workloads.sh"
api_stage "" --components core,webhooks-core,scheduler
flavor default
flavor spot
admission_check a
admission_check b
admission_check only-spot
cluster_queue q 10 '.spec.admissionChecksStrategy.admissionChecks = [{name: "b"}, {name: "a"}]'
names() { printf '[.status.admissionChecks[]?.name] == %s' "$1"; }

# ---- which checks, and when they admit ----
workload_make w q 4
becomes "quota is reserved first" w "$(cond QuotaReserved True) and $(cond Admitted False UnsatisfiedAdmissionChecks 'The workload has not all checks ready')"
becomes "the checks are listed by name, pending" w '[.status.admissionChecks[] | {name, state, message}] == [{name: "a", state: "Pending", message: ""}, {name: "b", state: "Pending", message: ""}]'
workload_make pending q 8
becomes "a pending one has the checks of the whole queue, too" pending "$(names '["a", "b"]') and $(cond QuotaReserved False WaitingForQuota)"
becomes "and still shows what it asks for" pending '.status.resourceRequests == [{name: "main", resources: {cpu: "8"}}]'
tells "and why it waits, as an Event" pending Warning WaitingForQuota "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor default, 2 more needed"
drop workloads pending
status w 'check("a"; "Ready"; "fine")'
check "one Ready check is not enough" always wl w "$(cond Admitted False UnsatisfiedAdmissionChecks)"
status w 'check("b"; "Ready"; "fine") | .status.admissionChecks[1].podSetUpdates = [{name: "main", labels: {x: "y"}}]'
becomes "all of them admit" w "$(cond Admitted True Admitted 'The workload is admitted')"
check "with an Event" soon event_like w 'Normal Admitted: Admitted by ClusterQueue q, wait time since reservation was [0-9]+s'
status w 'check("a"; "Pending"; "thinking again")'
check "a check that is Pending again un-admits nobody" always wl w "$(cond Admitted True)"

# ---- Retry ----
status w 'check("a"; "Retry"; "later")'
becomes "Retry evicts" w "$(cond Evicted True AdmissionCheck 'Evicted due to AdmissionCheck in Retry state: "a" (later)')"
tells "with an Event" w Normal EvictedDueToAdmissionCheck 'Evicted due to AdmissionCheck in Retry state: "a" (later)'
becomes "and resets every check" w '(check_of("a") | .state == "Pending" and .retryCount == 1 and .message == "Reset to Pending after eviction. Previously: Retry") and (check_of("b") | .state == "Pending" and (has("retryCount") or has("podSetUpdates") | not) and .message == "Reset to Pending after eviction. Previously: Ready")'
becomes "one eviction is counted, no requeue" w '.status.schedulingStats.evictions == [{reason: "AdmissionCheck", underlyingCause: "", count: 1}] and (.status.requeueState // {}) == {}'
status w 'condition("Requeued"; "False"; "AdmissionCheck"; "x")'
evicted_job_stops w
becomes "it is queued again at once" w "$(cond Requeued True BackoffFinished 'The workload backoff was finished')"
becomes "and gets quota" w "$(cond QuotaReserved True) and $(cond Evicted False QuotaReserved)"
begin=$(date +%s)
status w 'check("a"; "Retry"; "") | .status.admissionChecks[0].requeueAfterSeconds = 4'
becomes "a delay becomes requeueAt" w '.status.requeueState.requeueAt == text_of((check_of("a").lastTransitionTime | fromdate) + 4)'
becomes "then it is evicted, both retries counted" w "$(cond Evicted True AdmissionCheck 'Evicted due to AdmissionCheck in Retry state: "a"') and check_of(\"a\").retryCount == 2 and .status.schedulingStats.evictions[0].count == 2"
check "and not before that time" wl w "(condition_of(\"Evicted\").lastTransitionTime | fromdate) >= $((begin + 4))"
evicted_job_stops w
becomes "requeueAt goes when it has passed" w '.status.requeueState.requeueAt == null'
becomes "it gets quota" w "$(cond QuotaReserved True)"
status w 'check("a"; "Retry"; "one") | check("b"; "Retry"; "")'
becomes "several are named in order" w "$(cond Evicted True AdmissionCheck 'Evicted due to AdmissionChecks in Retry state: "a" (one); "b"')"
evicted_job_stops w
becomes "it gets quota again" w "$(cond QuotaReserved True)"

# ---- Rejected ----
status w 'check("a"; "Retry"; "no matter") | check("b"; "Rejected"; "quota exceeded")'
becomes "Rejected deactivates" w ".spec.active == false and $(cond Evicted True DeactivatedDueToAdmissionCheck 'The workload is deactivated due to AdmissionCheck in Rejected state: "b" (quota exceeded)')"
tells "with a warning" w Warning AdmissionCheckRejected 'Deactivated due to AdmissionCheck in Rejected state: "b" (quota exceeded)'
tells "and the eviction" w Normal EvictedDueToDeactivatedDueToAdmissionCheck 'The workload is deactivated due to AdmissionCheck in Rejected state: "b" (quota exceeded)'
becomes "cause and reason are kept apart" w 'any(.status.schedulingStats.evictions[]; . == {reason: "Deactivated", underlyingCause: "AdmissionCheck", count: 1})'
becomes "the order is gone, the checks start afresh" w 'condition_of("DeactivationTarget") == null and all(.status.admissionChecks[]; .state == "Pending")'
evicted_job_stops w
becomes "it is deactivated, not waiting" w "$(cond QuotaReserved False Deactivated) and .status.admission == null"
drop workloads w

# ---- a pending one whose check failed ----
workload_make full q 10
becomes "one holds everything" full "$(cond QuotaReserved True)"
workload_make failed q 2
becomes "another waits" failed "$(cond QuotaReserved False WaitingForQuota) and $(names '["a", "b"]')"
status failed 'check("a"; "Rejected"; "never")'
drop workloads full
becomes "it is not scheduled" failed "$(cond QuotaReserved False PendingEvaluation 'The workload has failed admission checks')"
drop workloads failed

# ---- checks of some flavors; edits of the queue ----
cluster_queue mixed 2 '.spec.resourceGroups[0].flavors += [{name: "spot", resources: [{name: "cpu", nominalQuota: "10"}]}]
    | .spec.admissionChecksStrategy.admissionChecks = [{name: "a"}, {name: "only-spot", onFlavors: ["spot"]}]'
workload_make small mixed 2
becomes "the check of another flavor is not asked for" small "$(names '["a"]') and $(cond QuotaReserved True)"
status small 'check("a"; "Ready"; "")'
becomes "so this one is admitted" small "$(cond Admitted True)"
workload_make large mixed 8
becomes "on that flavor it is" large "$(names '["a", "only-spot"]') and .status.admission.podSetAssignments[0].flavors.cpu == \"spot\""
merge clusterqueues mixed '{"spec": {"admissionChecksStrategy": {"admissionChecks": [{"name": "b"}, {"name": "only-spot", "onFlavors": ["spot"]}]}}}'
becomes "a renamed check is exchanged" large "$(names '["b", "only-spot"]')"
becomes "for admitted ones as well" small "$(names '["b"]') and $(cond Admitted True)"
status large 'check("b"; "Retry"; "") | check("only-spot"; "Ready"; "")'
becomes "evicted" large "$(cond Evicted True AdmissionCheck)"
merge clusterqueues mixed '{"spec": {"stopPolicy": "Hold"}}'
evicted_job_stops large
becomes "without a flavor the check of the flavor is forgotten" large "$(names '["b"]') and check_of(\"b\").retryCount == 1"
merge clusterqueues mixed '{"spec": {"admissionChecksStrategy": {"admissionChecks": [{"name": "b"}, {"name": "a", "onFlavors": ["spot", "default"]}]}}}'
becomes "a check that lists every flavor is asked for all the same" large "$(names '["a", "b"]')"
merge clusterqueues mixed '{"spec": {"admissionChecksStrategy": null, "stopPolicy": "None"}}'
becomes "without checks the list is empty and it is admitted" large "$(names '[]') and $(cond Admitted True)"

# ---- a check that is not active holds the queue ----
merge admissionchecks a/status '{"status": {"conditions": [{"type": "Active", "status": "False", "reason": "Off", "message": "off", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}'
workload_make held q 1
becomes "an inactive check holds back" held "$(cond QuotaReserved False Suspended 'ClusterQueue q is inactive')"
merge admissionchecks a/status '{"status": {"conditions": [{"type": "Active", "status": "True", "reason": "On", "message": "on", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}'
becomes "until it is active" held "$(cond QuotaReserved True)"
