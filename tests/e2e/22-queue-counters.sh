#!/usr/bin/env bash
# Counters and usage in the status of ClusterQueues and LocalQueues while another program plays the scheduler and writes
# reservations itself.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=objects.sh
. "$(dirname "$0")/objects.sh"
bare_stage core,webhooks-core
objects_begin

counts() { field '[.status | .pendingWorkloads // 0, .reservingWorkloads // 0, .admittedWorkloads // 0]' "$@"; }
# Flavors and resources in their order: alpha(cpu=3+0 memory=0+0) ...; the second number is borrowed.
usage() { # LIST OBJECT...
    get "${@:2}" | jq -r --arg list "$1" '[.status[$list][]? | "\(.name)(\([.resources[] | "\(.name)=\(.total)" + (if has("borrowed") then "+\(.borrowed)" else "" end)] | join(" ")))"] | join(" ")'
}

{
    flavor_yaml zeta
    flavor_yaml alpha
    cat <<'END'
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: ClusterQueue
metadata: {name: team}
spec:
  cohortName: pool
  namespaceSelector: {}
  resourceGroups:
    - coveredResources: [memory, cpu]
      flavors:
        - {name: zeta, resources: [{name: memory, nominalQuota: 2Gi}, {name: cpu, nominalQuota: 3}]}
        - {name: alpha, resources: [{name: memory, nominalQuota: 2Gi}, {name: cpu, nominalQuota: 3}]}
END
    cluster_queue_yaml alone zeta
    local_queue_yaml a team
    local_queue_yaml b team
    local_queue_yaml alone alone
    for i in 1 2 3 4; do workload_yaml "a$i" a 2; done
    workload_yaml b1 b 1
    workload_yaml alone alone 12
} | apply

expect "all wait" "[5,0,0]" counts clusterqueue/team
expect "each in its LocalQueue" "[4,0,0]" counts localqueue/a
expect "and the other" "[1,0,0]" counts localqueue/b
expect "flavors in the order of the spec, resources by name, zeros too" "zeta(cpu=0+0 memory=0+0) alpha(cpu=0+0 memory=0+0)" usage flavorsReservation clusterqueue/team
expect "a LocalQueue has the same rows" "zeta(cpu=0 memory=0) alpha(cpu=0 memory=0)" usage flavorsReservation localqueue/a
expect "admitted usage, too" "zeta(cpu=0 memory=0) alpha(cpu=0 memory=0)" usage flavorsUsage localqueue/a

reserve a1 team zeta 2
reserve a2 team zeta 2 True
edit_status workload/a3 "{\"status\": {\"admission\": {\"clusterQueue\": \"team\", \"podSetAssignments\": [{\"name\": \"main\", \"count\": 1, \"flavors\": {\"cpu\": \"alpha\", \"memory\": \"alpha\"}, \"resourceUsage\": {\"cpu\": \"2500m\", \"memory\": \"3Gi\"}}]},
    \"conditions\": [{\"type\": \"QuotaReserved\", \"status\": \"True\", \"reason\": \"QuotaReserved\", \"message\": \"m\", \"lastTransitionTime\": \"$(date -u +%FT%TZ)\"}]}}"
reserve b1 team zeta 1 True
reserve alone alone zeta 12
# Without checks the controller admits what holds a reservation.
expect "reserved means admitted without checks" "True Admitted: The workload is admitted" condition Admitted workload/a1
expect "counted" "[1,4,4]" counts clusterqueue/team
expect "by LocalQueue" "[1,3,3]" counts localqueue/a
expect "by the other" "[0,1,1]" counts localqueue/b
expect "reservations" "zeta(cpu=5+2 memory=0+0) alpha(cpu=2500m+0 memory=3Gi+1Gi)" usage flavorsReservation clusterqueue/team
expect "admitted" "zeta(cpu=5+2 memory=0+0) alpha(cpu=2500m+0 memory=3Gi+1Gi)" usage flavorsUsage clusterqueue/team
expect "of one LocalQueue" "zeta(cpu=4 memory=0) alpha(cpu=2500m memory=3Gi)" usage flavorsReservation localqueue/a
expect "nothing is borrowed without a cohort" "zeta(cpu=12+0)" usage flavorsReservation clusterqueue/alone

# A check that is not ready keeps a reservation from being admitted.
check_yaml gate example.com/check | apply
check_is gate True
edit clusterqueue/alone '{"spec": {"admissionChecksStrategy": {"admissionChecks": [{"name": "gate"}]}}}'
workload_yaml checked alone 3 | apply
expect "the check is asked for" "[gate,Pending]" field '[.status.admissionChecks[0] | .name, .state]' workload/checked
reserve checked alone zeta 3
expect "reserving and not admitted" "[0,2,1]" counts clusterqueue/alone
expect "reservation and usage differ" "zeta(cpu=15+0)" usage flavorsReservation clusterqueue/alone
expect "usage is that of the admitted" "zeta(cpu=12+0)" usage flavorsUsage clusterqueue/alone
expect "for the LocalQueue as well" "[0,2,1]" counts localqueue/alone

# Finished, deactivated, deleted, reclaimable.
edit_status workload/a1 "{\"status\": {\"conditions\": [{\"type\": \"QuotaReserved\", \"status\": \"True\", \"reason\": \"QuotaReserved\", \"message\": \"m\", \"lastTransitionTime\": \"$(date -u +%FT%TZ)\"}, {\"type\": \"Finished\", \"status\": \"True\", \"reason\": \"Succeeded\", \"message\": \"m\", \"lastTransitionTime\": \"$(date -u +%FT%TZ)\"}]}}"
expect "a finished one counts no more" "[1,3,3]" counts clusterqueue/team
edit workload/a2 '{"spec": {"active": false}}'
expect "nor does a deactivated one" "[1,2,2]" counts clusterqueue/team
expect "its quota is free" "zeta(cpu=1+0 memory=0+0) alpha(cpu=2500m+0 memory=3Gi+1Gi)" usage flavorsReservation clusterqueue/team
edit_status workload/b1 '{"status": {"reclaimablePods": [{"name": "main", "count": 1}]}}'
expect "reclaimed pods give theirs back" "zeta(cpu=0+0 memory=0+0) alpha(cpu=2500m+0 memory=3Gi+1Gi)" usage flavorsUsage clusterqueue/team
expect "the workload still counts" "[0,1,1]" counts localqueue/b
remove workload/a3
expect "a deleted one is gone" "[1,1,1]" counts clusterqueue/team
expect "with its usage" "zeta(cpu=0+0 memory=0+0) alpha(cpu=0+0 memory=0+0)" usage flavorsReservation clusterqueue/team

# Evicted: counted until the reservation is given up.
workload_yaml evicted a 1 | apply
reserve evicted team alpha 1 True
expect "admitted" "[1,2,2]" counts clusterqueue/team
evicted='{"type": "Evicted", "status": "True", "reason": "Preempted", "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z"}'
patch_with json-patch+json /status "[{\"op\": \"add\", \"path\": \"/status/conditions/-\", \"value\": $evicted}]" workload/evicted
stays "an evicted workload holds its quota" "[1,2,2]" counts clusterqueue/team
edit_status workload/evicted "{\"status\": {\"admission\": null, \"conditions\": [$evicted, {\"type\": \"QuotaReserved\", \"status\": \"False\", \"reason\": \"Pending\", \"message\": \"m\", \"lastTransitionTime\": \"2026-01-01T00:00:00Z\"}]}}"
expect "until it is given up" "[2,1,1]" counts clusterqueue/team

# Flavors of a queue change under its workloads.
workload_yaml moved a 1 | apply
reserve moved team zeta 1 True
expect "on the old flavor" "zeta(cpu=1+0 memory=0+0) alpha(cpu=0+0 memory=0+0)" usage flavorsUsage clusterqueue/team
patch_with json-patch+json "" '[{"op": "remove", "path": "/spec/resourceGroups/0/flavors/0"}]' clusterqueue/team
expect "a removed flavor is not listed" "alpha(cpu=0+0 memory=0+0)" usage flavorsUsage clusterqueue/team
expect "nor by the LocalQueue" "alpha(cpu=0 memory=0)" usage flavorsReservation localqueue/a
expect "its workload counts on" "[2,2,2]" counts clusterqueue/team

# LocalQueues.
edit localqueue/a '{"spec": {"stopPolicy": "Hold"}}'
expect "nothing waits in a stopped LocalQueue" "[0,1,1]" counts localqueue/a
expect "nor for its ClusterQueue" "[0,2,2]" counts clusterqueue/team
edit localqueue/a '{"spec": {"stopPolicy": "None"}}'
expect "it all comes back" "[2,1,1]" counts localqueue/a
expect "also for its ClusterQueue" "[2,2,2]" counts clusterqueue/team
edit clusterqueue/team '{"spec": {"stopPolicy": "Hold"}}'
expect "the ClusterQueue stops" "False Stopped: Can't admit new workloads: is stopped." condition Active clusterqueue/team
stays "a stopped ClusterQueue keeps what waits" "[2,2,2]" counts clusterqueue/team
remove localqueue/a
expect "without its LocalQueue a workload waits nowhere" "[0,2,2]" counts clusterqueue/team
local_queue_yaml a team | apply
expect "a LocalQueue made again finds its workloads" "[2,1,1]" counts localqueue/a
local_queue_yaml nowhere nowhere | apply
workload_yaml lost nowhere 1 | apply
expect "without a ClusterQueue there are no rows" "[]" field '.status.flavorsReservation // []' localqueue/nowhere
expect "what waits without a ClusterQueue counts for the LocalQueue" "[1,0,0]" counts localqueue/nowhere
edit workload/lost '{"spec": {"active": false}}'
expect "unless it may not wait" "[0,0,0]" counts localqueue/nowhere

# Everything is found again by the next process.
both() { echo "$(counts clusterqueue/team) $(usage flavorsReservation clusterqueue/team)"; }
expect "what there is to be found" "[2,2,2] alpha(cpu=0+0 memory=0+0)" both
versions() { kubectl get clusterqueues,localqueues,resourceflavors -A -o json | jq -c '[.items[].metadata.resourceVersion]'; }
at=$(at_rest versions)
sluice_stop one >/dev/null
sluice_start one --components core,webhooks-core --ledger :memory:
stays "a new process counts the same" "[2,2,2] alpha(cpu=0+0 memory=0+0)" both
check "and has nothing to write" test "$(versions)" = "$at"
