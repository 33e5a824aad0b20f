#!/usr/bin/env bash
# Finalizers and deletion of ClusterQueues, LocalQueues, flavors, checks and topologies, without any garbage collector; the
# webhooks do not run, so that the controllers have to see to the finalizers.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=objects.sh
. "$(dirname "$0")/objects.sh"
bare_stage core
objects_begin

finalizers() { field '.metadata.finalizers // []' "$@"; }
waits() { condition QuotaReserved "workload/$1" "${@:2}"; }
ours='[kueue.x-k8s.io/resource-in-use]'
{
    cat <<'END'
apiVersion: kueue.x-k8s.io/v1beta2
kind: Topology
metadata: {name: racks}
spec: {levels: [{nodeLabel: example.com/rack}]}
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: Cohort
metadata: {name: pool}
END
    flavor_yaml one
    flavor_yaml two
    flavor_yaml rack "nodeLabels: {a: b}, topologyName: racks"
    check_yaml gate example.com/check
    check_yaml other example.com/check
    cluster_queue_yaml a "one two" "admissionChecksStrategy: {admissionChecks: [{name: gate}]}"
    cluster_queue_yaml b "two" "cohortName: pool"
    cluster_queue_yaml c "rack"
    local_queue_yaml a a
    local_queue_yaml a2 a
    local_queue_yaml b b
} | apply
for c in gate other; do check_is $c True; done

expect "a ClusterQueue is active" "True Ready: Can admit new workloads" condition Active clusterqueue/a
expect "and protected" "$ours" finalizers clusterqueue/a
expect "a flavor is" "$ours" finalizers resourceflavor/one
expect "a check is" "$ours" finalizers admissioncheck/gate
expect "a topology is" "$ours" finalizers topology/racks
check "a LocalQueue is not" test "$(finalizers localqueue/a)" = "[]"
check "a Cohort is not" test "$(finalizers cohort/pool)" = "[]"
edit resourceflavor/one '{"metadata": {"finalizers": ["example.com/mine"]}}'
expect "what somebody takes away comes back beside others" '[example.com/mine,kueue.x-k8s.io/resource-in-use]' finalizers resourceflavor/one
edit resourceflavor/one '{"metadata": {"finalizers": ["kueue.x-k8s.io/resource-in-use"]}}'

# Flavors, checks and topologies in use.
remove resourceflavor/one
remove resourceflavor/two
remove admissioncheck/gate
remove admissioncheck/other
remove topology/racks
expect "a check that nobody names goes at once" no is_there admissioncheck/other
in_use() { echo "$(is_there resourceflavor/one) $(is_there resourceflavor/two)"; }
stays "flavors in use stay" "yes yes" in_use
check "so does a check" test "$(is_there admissioncheck/gate)" = yes
check "so does a topology" test "$(is_there topology/racks)" = yes
check "their ClusterQueue is active as before" test "$(condition Active clusterqueue/a)" = "True Ready: Can admit new workloads"
patch_with json-patch+json "" '[{"op": "remove", "path": "/spec/resourceGroups/0/flavors/1"}]' clusterqueue/a
stays "a flavor of two queues waits for both" yes is_there resourceflavor/two
remove clusterqueue/b
expect "the ClusterQueue without workloads goes" no is_there clusterqueue/b
expect "and its last flavor with it" no is_there resourceflavor/two
edit clusterqueue/a '{"spec": {"admissionChecksStrategy": null}}'
expect "a check goes when its ClusterQueue drops it" no is_there admissioncheck/gate
remove resourceflavor/rack
stays "a flavor with a topology stays with its ClusterQueue" yes is_there resourceflavor/rack
remove clusterqueue/c
racks() { echo "$(is_there clusterqueue/c) $(is_there resourceflavor/rack)"; }
expect "ClusterQueue, flavor" "no no" racks
expect "and topology go one after another" no is_there topology/racks

# A ClusterQueue goes when nothing holds its quota.
check_yaml gate example.com/check | apply
check_is gate True
{
    workload_yaml admitted a 1
    workload_yaml waiting a2 1
} | apply
reserve admitted a one 1
expect "admitted" "True Admitted: The workload is admitted" condition Admitted workload/admitted
edit clusterqueue/a '{"spec": {"admissionChecksStrategy": {"admissionChecks": [{"name": "gate"}]}}}'
workload_yaml reserving a 1 | apply
expect "a check is asked for" "[Pending]" field '[.status.admissionChecks[]?.state]' workload/reserving
reserve reserving a one 1
expect "two hold quota" "[1,2,1]" field '[.status | .pendingWorkloads, .reservingWorkloads, .admittedWorkloads]' clusterqueue/a
edit clusterqueue/a '{"metadata": {"finalizers": ["example.com/mine", "kueue.x-k8s.io/resource-in-use"]}}'
remove clusterqueue/a
expect "it is terminating" "False Terminating: Can't admit new workloads; clusterQueue is terminating" condition Active clusterqueue/a
expect "what is not admitted loses its reservation" "False Suspended: ClusterQueue a is inactive" waits reserving
expect "and its admission" null field '.status.admission' workload/reserving
expect "that shows" "[1,1]" field '[.status | .reservingWorkloads, .admittedWorkloads]' clusterqueue/a
expect "what waits is told" "False Suspended: ClusterQueue a is inactive" waits waiting
expect "and the LocalQueue" "False ClusterQueueIsInactive: Can't submit new workloads to clusterQueue" condition Active localqueue/a
check "the admitted workload keeps running" test "$(condition Admitted workload/admitted)" = "True Admitted: The workload is admitted"
stays "and keeps the ClusterQueue" '[example.com/mine,kueue.x-k8s.io/resource-in-use]' finalizers clusterqueue/a
edit clusterqueue/a '{"spec": {"stopPolicy": "Hold"}}'
stays "terminating it remains" "False Terminating: Can't admit new workloads; clusterQueue is terminating" condition Active clusterqueue/a
edit workload/admitted '{"spec": {"active": false}}'
expect "only ours goes in the end" '[example.com/mine]' finalizers clusterqueue/a
expect "the counters are right" "[0,0]" field '[.status | .reservingWorkloads // 0, .admittedWorkloads // 0]' clusterqueue/a
edit clusterqueue/a '{"metadata": {"finalizers": []}}'
expect "it is gone" no is_there clusterqueue/a
expect "LocalQueues stay" "False ClusterQueueDoesNotExist: Can't submit new workloads to clusterQueue" condition Active localqueue/a
expect "what waits is told" "False Misconfigured: ClusterQueue a doesn't exist" waits waiting
cluster_queue_yaml a one | apply
expect "the next one of that name is protected" "$ours" finalizers clusterqueue/a
expect "and takes over what waits" "2" field '.status.pendingWorkloads' clusterqueue/a

# LocalQueues.
{ workload_yaml held a2 1; workload_yaml runs a2 1; } | apply
reserve runs a one 1
expect "admitted" "True Admitted: The workload is admitted" condition Admitted workload/runs
edit clusterqueue/a '{"spec": {"admissionChecksStrategy": {"admissionChecks": [{"name": "gate"}]}}}'
expect "asked for the check" "[Pending]" field '[.status.admissionChecks[]?.state]' workload/held
reserve held a one 1
remove localqueue/a2
expect "a LocalQueue is gone at once" no is_there localqueue/a2
expect "what is not admitted loses its reservation and is told" "False Misconfigured: LocalQueue a2 doesn't exist" waits held
expect "what waits, too" "False Misconfigured: LocalQueue a2 doesn't exist" waits waiting
stays "admitted ones are left alone" "True Admitted: The workload is admitted" condition Admitted workload/runs
settles "and hold their quota" 1 field '.status.reservingWorkloads' clusterqueue/a
local_queue_yaml a2 a | apply
expect "a LocalQueue made again counts them" "[2,1,1]" field '[.status | .pendingWorkloads, .reservingWorkloads, .admittedWorkloads]' localqueue/a2

# In quick succession.
for i in 1 2 3; do
    { flavor_yaml quick; cluster_queue_yaml quick quick; } | apply
    remove clusterqueue/quick
    remove resourceflavor/quick
done
both_gone() { echo "$(is_there clusterqueue/quick) $(is_there resourceflavor/quick)"; }
expect "made and deleted at once" "no no" both_gone
remove cohort/pool
expect "a Cohort goes at once" no is_there cohort/pool
