#!/usr/bin/env bash
# Hold and HoldAndDrain on ClusterQueues and LocalQueues, and resuming; the test plays scheduler and jobs.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=objects.sh
. "$(dirname "$0")/objects.sh"
bare_stage core,webhooks-core
objects_begin

quota() { condition QuotaReserved "workload/$1"; }
evicted() { condition Evicted "workload/$1"; }
requeued() { condition Requeued "workload/$1"; }
admitted() { condition Admitted "workload/$1"; }
# What a job's reconciler does when the pods of an evicted workload are gone.
give_up() { # WORKLOAD REASON
    local at
    at=$(date -u +%FT%TZ)
    edit_status "workload/$1" "{\"status\": {\"admission\": null, \"conditions\": [
        {\"type\": \"Evicted\", \"status\": \"True\", \"reason\": \"$2\", \"message\": \"m\", \"lastTransitionTime\": \"$at\"},
        {\"type\": \"QuotaReserved\", \"status\": \"False\", \"reason\": \"PendingEvaluation\", \"message\": \"m\", \"lastTransitionTime\": \"$at\"},
        {\"type\": \"Admitted\", \"status\": \"False\", \"reason\": \"NoReservation\", \"message\": \"The workload has no reservation\", \"lastTransitionTime\": \"$at\"},
        {\"type\": \"Requeued\", \"status\": \"False\", \"reason\": \"$2\", \"message\": \"m\", \"lastTransitionTime\": \"$at\"}]}}"
}

# One ClusterQueue per policy and owner of the policy; in each a waiting, a reserving and an admitted workload.
{
    flavor_yaml one
    check_yaml gate example.com/check
    for q in ch cd lh ld; do
        cluster_queue_yaml $q one
        local_queue_yaml $q $q
        for w in waits reserves runs; do workload_yaml $q-$w $q 1; done
    done
} | apply
check_is gate True
for q in ch cd lh ld; do reserve $q-runs $q one 1; done
for q in ch cd lh ld; do expect "$q: admitted" "True Admitted: The workload is admitted" admitted $q-runs; done
for q in ch cd lh ld; do edit clusterqueue/$q '{"spec": {"admissionChecksStrategy": {"admissionChecks": [{"name": "gate"}]}}}'; done
for q in ch cd lh ld; do expect "$q: asked for the check" "[Pending]" field '[.status.admissionChecks[]?.state]' workload/$q-reserves; done
for q in ch cd lh ld; do reserve $q-reserves $q one 1; done
all='[.status | .pendingWorkloads // 0, .reservingWorkloads // 0, .admittedWorkloads // 0]'
for q in ch cd lh ld; do expect "$q: one of each" "[1,2,1]" field "$all" clusterqueue/$q; done
check "without a scheduler a waiting workload has no conditions" test "$(field '.status.conditions // []' workload/ch-waits)" = "[]"

edit clusterqueue/ch '{"spec": {"stopPolicy": "Hold"}}'
edit clusterqueue/cd '{"spec": {"stopPolicy": "HoldAndDrain"}}'
edit localqueue/lh '{"spec": {"stopPolicy": "Hold"}}'
edit localqueue/ld '{"spec": {"stopPolicy": "HoldAndDrain"}}'

expect "Hold, waiting" "False Suspended: ClusterQueue ch is inactive" quota ch-waits
expect "Hold, reserving" "False Suspended: ClusterQueue ch is inactive" quota ch-reserves
expect "its admission is gone" null field '.status.admission' workload/ch-reserves
expect "it has never been admitted" "False NoReservation: The workload has no reservation" admitted ch-reserves
expect "the ClusterQueue" "[2,1,1]" field "$all" clusterqueue/ch
stays "Hold, admitted" "True Admitted: The workload is admitted" admitted ch-runs
check "not evicted" test -z "$(evicted ch-runs)"

expect "HoldAndDrain, waiting" "False Suspended: ClusterQueue cd is inactive" quota cd-waits
expect "HoldAndDrain, reserving" "False Suspended: ClusterQueue cd is inactive" quota cd-reserves
expect "HoldAndDrain, admitted" "True ClusterQueueStopped: The ClusterQueue is stopped" evicted cd-runs
check "it keeps its quota until its pods are gone" test "$(quota cd-runs)" = "True QuotaReserved: m"
check "the eviction is counted" test "$(field '.status.schedulingStats.evictions' workload/cd-runs)" = '[{count:1,reason:ClusterQueueStopped,underlyingCause:}]'

expect "LocalQueue Hold, waiting" "False Suspended: LocalQueue lh is inactive" quota lh-waits
expect "LocalQueue Hold, reserving" "False Suspended: LocalQueue lh is inactive" quota lh-reserves
stays "LocalQueue Hold, admitted" "True Admitted: The workload is admitted" admitted lh-runs
check "not evicted" test -z "$(evicted lh-runs)"
expect "nothing waits in it" "[0,1,1]" field "$all" localqueue/lh

expect "LocalQueue HoldAndDrain, waiting" "False Suspended: LocalQueue ld is inactive" quota ld-waits
expect "LocalQueue HoldAndDrain, reserving" "False Suspended: LocalQueue ld is inactive" quota ld-reserves
expect "LocalQueue HoldAndDrain, admitted" "True LocalQueueStopped: The LocalQueue is stopped" evicted ld-runs

events() { kubectl get events -A -o json | jq -r '[.items[] | select(.involvedObject.kind == "Workload") | "\(.type) \(.involvedObject.name) \(.reason): \(.message) (\(.reportingComponent))"] | sort | join("|")'; }
expect "evictions are told" "Normal cd-runs EvictedDueToClusterQueueStopped: The ClusterQueue is stopped (kueue-workload-controller)|Normal ld-runs EvictedDueToLocalQueueStopped: The LocalQueue is stopped (kueue-workload-controller)" \
    bash -c "$(declare -f events); events | tr '|' '\n' | grep Evicted | paste -sd '|'"

# Hold becomes HoldAndDrain.
edit clusterqueue/ch '{"spec": {"stopPolicy": "HoldAndDrain"}}'
expect "from Hold to HoldAndDrain" "True ClusterQueueStopped: The ClusterQueue is stopped" evicted ch-runs
edit localqueue/lh '{"spec": {"stopPolicy": "HoldAndDrain"}}'
expect "the same for a LocalQueue" "True LocalQueueStopped: The LocalQueue is stopped" evicted lh-runs

# The jobs stop; the workloads stay out of the queue until it resumes.
give_up ch-runs ClusterQueueStopped
give_up lh-runs LocalQueueStopped
expect "given up" "[3,0,0]" field "$all" clusterqueue/ch
expect "why it waits" "False Suspended: ClusterQueue ch is inactive" quota ch-runs
stays "not requeued while stopped" "False ClusterQueueStopped: m" requeued ch-runs
edit clusterqueue/ch '{"spec": {"stopPolicy": "None"}}'
edit localqueue/lh '{"spec": {"stopPolicy": "None"}}'
expect "resumed" "True ClusterQueueRestarted: The ClusterQueue was restarted after being stopped" requeued ch-runs
expect "waits for the scheduler again" "False PendingEvaluation: Workload is pending evaluation in the scheduling queue" quota ch-runs
expect "those that waited, too" "False PendingEvaluation: Workload is pending evaluation in the scheduling queue" quota ch-waits
expect "LocalQueue resumed" "True LocalQueueRestarted: The LocalQueue was restarted after being stopped" requeued lh-runs
expect "its counters" "[3,0,0]" field "$all" localqueue/lh
check "Evicted stays" test "$(evicted ch-runs)" = "True ClusterQueueStopped: m"

# Both at once: the LocalQueue is looked at first.
workload_yaml both cd 1 | apply
edit localqueue/cd '{"spec": {"stopPolicy": "Hold"}}'
expect "both stopped" "False Suspended: LocalQueue cd is inactive" quota both
edit clusterqueue/cd '{"spec": {"stopPolicy": "None"}}'
stays "one resumes" "False Suspended: LocalQueue cd is inactive" quota both
edit localqueue/cd '{"spec": {"stopPolicy": "None"}}'
expect "both resume" "False PendingEvaluation: Workload is pending evaluation in the scheduling queue" quota both
expect "all is active" "True Ready: Can submit new workloads to localQueue" condition Active localqueue/cd

# With a scheduler nothing is reserved while stopped, and everything afterwards.
sluice_stop one >/dev/null
sluice_start one --components core,webhooks-core,scheduler --ledger :memory:
{ cluster_queue_yaml live one; local_queue_yaml live live; workload_yaml live live 1; } | apply
expect "admitted" "True Admitted: The workload is admitted" admitted live
edit clusterqueue/live '{"spec": {"stopPolicy": "Hold"}}'
workload_yaml late live 1 | apply
expect "held" "False Suspended: ClusterQueue live is inactive" quota late
settles "nothing is reserved" "[1,1,1]" field "$all" clusterqueue/live
edit clusterqueue/live '{"spec": {"stopPolicy": "None"}}'
expect "resumed" "True Admitted: The workload is admitted" admitted late
edit localqueue/live '{"spec": {"stopPolicy": "Hold"}}'
workload_yaml later live 1 | apply
expect "held by the LocalQueue" "False Suspended: LocalQueue live is inactive" quota later
edit localqueue/live '{"spec": {"stopPolicy": "None"}}'
expect "resumed" "True Admitted: The workload is admitted" admitted later
edit clusterqueue/live '{"spec": {"stopPolicy": "HoldAndDrain"}}'
expect "drained" "True ClusterQueueStopped: The ClusterQueue is stopped" evicted late
give_up late ClusterQueueStopped
edit clusterqueue/live '{"spec": {"stopPolicy": "None"}}'
expect "admitted again" "True Admitted: The workload is admitted" admitted late
expect "Evicted is over" "False QuotaReserved: Previously: m" evicted late
