#!/usr/bin/env bash
# What stopped, deleted and resumed queues do to Workloads (spec/lifecycle.md 6, spec/api.md 4.2 to 4.4).
# shellcheck source=workloads.sh
. "$(dirname "$0")/workloads.sh"
api_stage "" --components core,webhooks-core,scheduler
flavor default
admission_check a
cluster_queue q 10                                                                          # admits at once
cluster_queue r 10 '.spec.admissionChecksStrategy.admissionChecks = [{name: "a"}]' # reserves only
stops() { # the job of an evicted one has stopped
    status "$1" '(condition_of("Evicted")) as $e | condition("Requeued"; "False"; $e.reason; $e.message)'
    evicted_job_stops "$1"
}

for pair in localqueues/LocalQueue clusterqueues/ClusterQueue; do
    kind=${pair%/*} name=${pair#*/}
    workload_make running q 1
    workload_make reserved r 1
    becomes "$name: one runs" running "$(cond Admitted True)"
    becomes "$name: one has quota only" reserved "$(cond QuotaReserved True) and $(cond Admitted False)"
    stop_policy $kind q Hold
    stop_policy $kind r Hold
    becomes "$name: Hold takes the reservation" reserved "$(cond QuotaReserved False Suspended) and .status.admission == null and $(cond Admitted False NoReservation)"
    becomes "$name: and says why it waits now" reserved "$(cond QuotaReserved False Suspended "$name r is inactive")"
    check "$name: without an eviction" wl reserved 'condition_of("Evicted") == null and (.status.schedulingStats.evictions // []) == []'
    workload_make late q 1
    becomes "$name: Hold lets nobody in" late "$(cond QuotaReserved False Suspended "$name q is inactive")"
    check "$name: Hold leaves running ones" always wl running "$(cond Admitted True) and condition_of(\"Evicted\") == null"
    stop_policy $kind q HoldAndDrain
    becomes "$name: HoldAndDrain evicts them" running "$(cond Evicted True "${name}Stopped" "The $name is stopped") and $(cond QuotaReserved True)"
    tells "$name: with an Event" running Normal "EvictedDueTo${name}Stopped" "The $name is stopped"
    becomes "$name: and counts" running ".status.schedulingStats.evictions == [{reason: \"${name}Stopped\", underlyingCause: \"\", count: 1}]"
    stops running
    becomes "$name: stopped, it says why it waits" running "$(cond QuotaReserved False Suspended "$name q is inactive")"
    stop_policy $kind q None
    stop_policy $kind r None
    becomes "$name: resumed, it is queued again" running "$(cond Requeued True "${name}Restarted" "The $name was restarted after being stopped")"
    becomes "$name: and admitted" running "$(cond Admitted True)"
    becomes "$name: so is the late one" late "$(cond Admitted True)"
    becomes "$name: the other gets its reservation" reserved "$(cond QuotaReserved True)"
    for one in running reserved late; do drop workloads $one; done
    for one in running reserved late; do check "$name: $one is gone" soon gone workloads $one; done
done

# ---- deleted LocalQueue ----
workload_make running q 1
workload_make reserved r 1
becomes "one runs" running "$(cond Admitted True)"
becomes "one has quota only" reserved "$(cond QuotaReserved True)"
drop localqueues q
drop localqueues r
becomes "a reservation goes with its LocalQueue" reserved "$(cond QuotaReserved False Misconfigured "LocalQueue r doesn't exist") and .status.admission == null"
check "an admitted one stays" always wl running "$(cond Admitted True) and condition_of(\"Evicted\") == null"
local_queue q q
local_queue r r
becomes "a new LocalQueue brings the reservation back" reserved "$(cond QuotaReserved True)"

# ---- deleted ClusterQueue ----
drop clusterqueues r
becomes "a reservation goes with its ClusterQueue" reserved "$(cond QuotaReserved False Misconfigured) and .status.admission == null"
check "which is gone then" soon gone clusterqueues r
becomes "a pending one says so" reserved "$(cond QuotaReserved False Misconfigured "ClusterQueue r doesn't exist")"
drop clusterqueues q
check "an admitted one keeps its ClusterQueue" always wl running "$(cond Admitted True)"
check "that cannot go yet" soon holds clusterqueues q '.metadata.deletionTimestamp != null and any(.status.conditions[]; .type == "Active" and .reason == "Terminating")'
status running 'condition("Finished"; "True"; "Succeeded"; "done")'
check "until it has finished" soon gone clusterqueues q

# ---- equal ones are parked together, and each says what is missing ----
cluster_queue few 1
workload_make taken few 1
becomes "one takes it all" taken "$(cond Admitted True)"
stop_policy clusterqueues few Hold
for i in 1 2 3 4; do workload_make "equal-$i" few 1; done
equal_ones_say() { api GET "$(at workloads)" | jq -e "$filters"' [.items[] | select(.metadata.name | startswith("equal-"))] | length == 4 and all(.[]; condition_of("QuotaReserved").reason == "'"$1"'")' >/dev/null; }
check "in a stopped queue they are suspended" soon equal_ones_say Suspended
stop_policy clusterqueues few None
check "in an open one all of them say that quota is missing" soon equal_ones_say WaitingForQuota
check "and go on saying so" always equal_ones_say WaitingForQuota
