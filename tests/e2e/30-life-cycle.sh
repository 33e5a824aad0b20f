#!/usr/bin/env bash
# The life of a Workload without jobs: conditions, reasons, messages and Events, one by one (spec/lifecycle.md, spec/api.md 5).
# shellcheck source=workloads.sh
. "$(dirname "$0")/workloads.sh"

api_stage "$alone
objectRetentionPolicies: {workloads: {afterFinished: 1s}}" --components core,webhooks-core,scheduler
flavor default
cluster_queue q 4
cluster_queue elsewhere 4 '.spec.namespaceSelector = {matchLabels: {team: "other"}}'

# ---- reserved and admitted at once ----
begin=$(now_ms)
workload_make a q 3
becomes "quota is reserved" a "$(cond QuotaReserved True QuotaReserved 'Quota reserved in ClusterQueue q')"
say "reserved $(($(now_ms) - begin)) ms after its creation, two requests of the test included"
check "and admitted in the same write" wl a "$(cond Admitted True Admitted 'The workload is admitted')"
check "the admission names the flavor and the usage" wl a '.status.admission == {clusterQueue: "q", podSetAssignments: [{name: "main", count: 1, flavors: {cpu: "default"}, resourceUsage: {cpu: "3"}}]}'
check "conditions carry the generation" wl a 'all(.status.conditions[]; .observedGeneration == 1)'
check "no requests are left" wl a '(.status.resourceRequests // []) == []'
check "QuotaReserved is an Event" soon event_like a 'Normal QuotaReserved: Quota reserved in ClusterQueue q, wait time since queued was [0-9]+s'
check "Admitted is one" soon event_like a 'Normal Admitted: Admitted by ClusterQueue q, wait time since reservation was 0s'

# ---- why others wait ----
short="couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor default, 2 more needed"
workload_make b q 3
workload_make too-big q 9
workload_make no-resource q 1 '.spec.podSets[0].template.spec.containers[0].resources.requests = {"example.com/gpu": "1"}'
workload_make lost nowhere 1
workload_make outside elsewhere 1
workload_make above-limit q 1 '.spec.podSets[0].template.spec.containers[0].resources.limits = {cpu: "500m"}'
workload_make tolerant q 3
becomes "missing quota is told in numbers" b "$(cond QuotaReserved False WaitingForQuota "$short")"
becomes "without a reservation it is not admitted" b "$(cond Admitted False NoReservation 'The workload has no reservation')"
becomes "what it asks for is shown" b '.status.resourceRequests == [{name: "main", resources: {cpu: "3"}}]'
tells "the reason is an Event" b Warning WaitingForQuota "$short"
becomes "an equal one is not evaluated again" tolerant '(condition_of("QuotaReserved") // {reason: "none"}).reason | . == "none" or . == "WaitingForQuota"'
becomes "more than the queue can ever give" too-big "$(cond QuotaReserved False ExceedsMaxQuota "couldn't assign flavors to pod set main: insufficient quota for cpu in flavor default, previously considered podsets requests (0) + current podset request (9) > maximum capacity (4)")"
becomes "a resource that no group covers" no-resource "$(cond QuotaReserved False NoMatchingFlavor "couldn't assign flavors to pod set main: resource example.com/gpu unavailable in ClusterQueue")"
becomes "a LocalQueue that does not exist" lost "$(cond QuotaReserved False Misconfigured "LocalQueue nowhere doesn't exist")"
becomes "says so without any other condition of admission being true" lost "$(cond Admitted False NoReservation)"
becomes "a namespace that does not match" outside "$(cond QuotaReserved False Misconfigured "workload namespace doesn't match ClusterQueue selector")"
becomes "requests above limits" above-limit "$(cond QuotaReserved False Misconfigured 'resources validation failed: spec.podSets[0].template.spec.containers[0]: Invalid value: ["cpu"]: requests must not exceed its limits')"
local_queue nowhere missing
becomes "a ClusterQueue that does not exist" lost "$(cond QuotaReserved False Misconfigured "ClusterQueue missing doesn't exist")"
for name in b too-big no-resource lost outside above-limit tolerant; do drop workloads $name; done

# ---- finished, retained, deleted ----
workload_make next q 2
becomes "another waits" next "$(cond QuotaReserved False WaitingForQuota)"
status a 'condition("Finished"; "True"; "Succeeded"; "done")'
becomes "the quota of a finished one is given on" next "$(cond Admitted True)"

check "a finished one is deleted after its retention" soon gone workloads a
tells "with an Event" a Normal Deleted 'Deleted finished workload due to elapsed retention'
workload_make held q 1 '.metadata.finalizers = ["kueue.x-k8s.io/resource-in-use"]'
drop workloads held
check "a deleted one without an owner loses the finalizer" soon gone workloads held
workload_make orphan q 1 '.metadata |= . + {labels: {"kueue.x-k8s.io/job-uid": "u"}, finalizers: ["example.com/look", "kueue.x-k8s.io/resource-in-use"]}'
becomes "an orphan is finished" orphan "$(cond Finished True OwnerNotFound "The workload's owner no longer exists")"
becomes "let go" orphan '.metadata.finalizers == ["example.com/look"]'
merge workloads orphan '{"metadata": {"finalizers": null}}'
check "and deleted after its retention" soon gone workloads orphan

# ---- deactivation ----
edit next '.spec.active = false'
becomes "a deactivated one is evicted" next "$(cond Evicted True Deactivated 'The workload is deactivated')"
check "and counted" wl next '.status.schedulingStats.evictions == [{reason: "Deactivated", underlyingCause: "", count: 1}]'
check "holding its reservation until its job has stopped" wl next "$(cond QuotaReserved True)"
tells "with an Event" next Normal EvictedDueToDeactivated 'The workload is deactivated'
workload_make quick q 4
becomes "its quota is free at once" quick "$(cond Admitted True)"
evicted_job_stops next
becomes "then it says why it waits" next "$(cond QuotaReserved False Deactivated 'The workload is deactivated')"
check "without an admission" wl next '.status | has("admission") | not'
drop workloads quick
status next 'condition("Requeued"; "False"; "Deactivated"; "The workload is deactivated")'
edit next '.spec.active = true'
becomes "activated again it is queued" next "$(cond Requeued True Reactivated 'The workload was reactivated')"
becomes "and admitted" next "$(cond Admitted True)"
check "what evicted it is history" wl next "$(cond Evicted False QuotaReserved 'Previously: The workload is deactivated')"
workload_make idle q 4 '.spec.active = false'
becomes "one that never ran is marked" idle "$(cond Evicted True Deactivated)"
becomes "and says why it waits" idle "$(cond QuotaReserved False Deactivated)"
check "without an Event" no_event idle EvictedDueToDeactivated
drop workloads idle
status next 'condition("DeactivationTarget"; "True"; "ByTest"; "the test wants it")'
becomes "anybody may order a deactivation" next ".spec.active == false and $(cond Evicted True DeactivatedDueToByTest 'The workload is deactivated due to the test wants it')"
becomes "the order is taken away, cause and reason are kept apart" next '(condition_of("DeactivationTarget") == null) and any(.status.schedulingStats.evictions[]; . == {reason: "Deactivated", underlyingCause: "ByTest", count: 1})'
tells "with an Event" next Normal EvictedDueToDeactivatedDueToByTest "The workload is deactivated due to the test wants it"
drop workloads next

# ---- execution time ----
workload_make brief q 1 '.spec.maximumExecutionTimeSeconds = 1'
becomes "an execution time that is used up deactivates" brief ".spec.active == false and $(cond Evicted True DeactivatedDueToMaximumExecutionTimeExceeded 'The workload is deactivated due to exceeding the maximum execution time')"
tells "with a warning" brief Warning MaximumExecutionTimeExceeded 'The maximum execution time (1s) exceeded'
drop workloads brief

# ---- admission gates, hold ----
workload_make gated q 1 '.metadata.annotations = {"kueue.x-k8s.io/admission-gated-by": "example.com/one,example.com/two"}'
becomes "a gate holds it" gated "$(cond QuotaReserved False AdmissionGated 'Admission is gated by: example.com/one,example.com/two')"
tells "with an Event" gated Normal AdmissionGated 'Workload admission is gated by: example.com/one,example.com/two'
edit gated '.metadata.annotations["kueue.x-k8s.io/admission-gated-by"] = "example.com/two"'
becomes "the message follows the gates" gated "$(cond QuotaReserved False AdmissionGated 'Admission is gated by: example.com/two')"
edit gated 'del(.metadata.annotations)'
becomes "without gates it goes in" gated "$(cond Admitted True)"
tells "with an Event" gated Normal AdmissionGateCleared 'Admission gate cleared, workload is now admissible'
drop workloads gated
workload_make busy q 4
becomes "the queue is full" busy "$(cond Admitted True)"
workload_make on-hold q 1
becomes "one waits" on-hold "$(cond QuotaReserved False WaitingForQuota)"
status on-hold 'condition("QuotaReserved"; "False"; "OnHold"; "Job is on hold")'
drop workloads busy
sleep 1.5
check "one on hold is left alone" always wl on-hold "$(cond QuotaReserved False OnHold 'Job is on hold')"
status on-hold 'condition("QuotaReserved"; "False"; "PendingEvaluation"; "Workload no longer on hold; waiting for quota reservation")'
becomes "until it is released" on-hold "$(cond Admitted True)"
drop workloads on-hold

# ---- priority classes ----
create workloadpriorityclasses WorkloadPriorityClass '{"metadata": {"name": "high"}, "value": 100}'
workload_make ranked q 1 '.spec += {priority: 100, priorityClassRef: {group: "kueue.x-k8s.io", kind: "WorkloadPriorityClass", name: "high"}}'
becomes "a class" ranked "$(cond Admitted True)"
merge workloadpriorityclasses high '{"value": 200}'
becomes "whose value changes reaches its Workloads" ranked '.spec.priority == 200'

# ---- reclaimable pods ----
workload_make wide q 1 '.spec.podSets[0].count = 3'
becomes "three pods" wide "$(cond Admitted True)"
workload_make third q 2
becomes "leave no room for two more" third "$(cond QuotaReserved False WaitingForQuota)"
status wide '.status.reclaimablePods = [{name: "main", count: 2}]'
becomes "reclaimable pods give their quota back" third "$(cond Admitted True)"

