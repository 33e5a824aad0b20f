#!/usr/bin/env bash
# Condition Active of ClusterQueues and LocalQueues: every reason, several at once, and what becomes of them as flavors,
# checks and topologies come and go.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=objects.sh
. "$(dirname "$0")/objects.sh"
bare_stage core,webhooks-core
objects_begin

active() { condition Active "clusterqueue/$1"; }
ready="True Ready: Can admit new workloads"
refused="Can't admit new workloads"

{
    flavor_yaml one
    flavor_yaml two
    flavor_yaml rack "nodeLabels: {a: b}, topologyName: racks"
    check_yaml good example.com/check
    check_yaml idle example.com/check
    check_yaml lazy example.com/check
    check_yaml mk-b kueue.x-k8s.io/multikueue
    check_yaml mk-a kueue.x-k8s.io/multikueue
    check_yaml provision kueue.x-k8s.io/provisioning-request
} | apply
for c in good mk-a mk-b provision; do check_is $c True; done
check_is lazy False

checks() { printf 'admissionChecksStrategy: {admissionChecks: [%s]}' "$1"; }
{
    cluster_queue_yaml ready "one two" "$(checks "{name: good}")"
    cluster_queue_yaml held one "stopPolicy: Hold"
    cluster_queue_yaml drained one "stopPolicy: HoldAndDrain"
    cluster_queue_yaml flavors "zeta one alpha"
    cluster_queue_yaml missing one "$(checks "{name: zeta}, {name: good}, {name: alpha}")"
    cluster_queue_yaml inactive one "$(checks "{name: lazy}, {name: good}, {name: idle}")"
    cluster_queue_yaml several one "$(checks "{name: mk-b}, {name: mk-a}")"
    cluster_queue_yaml partly "one two" "$(checks "{name: mk-a, onFlavors: [one]}")"
    cluster_queue_yaml wholly "one two" "$(checks "{name: mk-a, onFlavors: [two, one]}")"
    cluster_queue_yaml both one "$(checks "{name: provision}, {name: mk-b}")"
    cluster_queue_yaml racks rack
    cluster_queue_yaml racks-elsewhere rack "$(checks "{name: mk-a}")"
    cluster_queue_yaml everything "beta one rack alpha" "stopPolicy: Hold
  $(checks "{name: zeta}, {name: idle}, {name: mk-b, onFlavors: [one]}, {name: mk-a}, {name: provision}")"
    cluster_queue_yaml trouble "alpha rack" "$(checks "{name: zeta}, {name: idle}")"
    cluster_queue_yaml bare "" | sed 's/resourceGroups: .*/resourceGroups: []/'
} | apply

expect "all is there" "$ready" active ready
expect "no flavors at all" "$ready" active bare
expect "Hold" "False Stopped: $refused: is stopped." active held
expect "HoldAndDrain" "False Stopped: $refused: is stopped." active drained
expect "missing flavors in their order" "False FlavorNotFound: $refused: references missing ResourceFlavor(s): zeta,alpha." active flavors
expect "missing checks, sorted" "False AdmissionCheckNotFound: $refused: references missing AdmissionCheck(s): alpha,zeta." active missing
expect "inactive checks, sorted" "False AdmissionCheckInactive: $refused: references inactive AdmissionCheck(s): idle,lazy." active inactive
expect "two MultiKueue checks" "False MultipleMultiKueueAdmissionChecks: $refused: Cannot use multiple MultiKueue AdmissionChecks on the same ClusterQueue, found: mk-a,mk-b." active several
expect "MultiKueue for some flavors" "False MultiKueueAdmissionCheckAppliedPerFlavor: $refused: Cannot specify MultiKueue AdmissionCheck per flavor, found: mk-a." active partly
expect "MultiKueue for each flavor by name" "$ready" active wholly
expect "MultiKueue beside ProvisioningRequest" "False MultiKueueWithProvisioningRequest: $refused: Cannot use both MultiKueue and ProvisioningRequest AdmissionChecks together, found: mk-b, provision." active both
expect "no topology" "False TopologyNotFound: $refused: there is no Topology \"racks\" for TAS flavor \"rack\"." active racks
expect "topologies do not matter with MultiKueue" "$ready" active racks-elsewhere
expect "one after another" "False Stopped: $refused: is stopped, references missing ResourceFlavor(s): beta,alpha, references missing AdmissionCheck(s): zeta, references inactive AdmissionCheck(s): idle, Cannot use multiple MultiKueue AdmissionChecks on the same ClusterQueue, found: mk-a,mk-b, Cannot specify MultiKueue AdmissionCheck per flavor, found: mk-b, Cannot use both MultiKueue and ProvisioningRequest AdmissionChecks together, found: mk-a, provision." active everything
expect "the first one gives the reason" "False FlavorNotFound: $refused: references missing ResourceFlavor(s): alpha, references missing AdmissionCheck(s): zeta, references inactive AdmissionCheck(s): idle, there is no Topology \"racks\" for TAS flavor \"rack\"." active trouble

# LocalQueues.
{
    local_queue_yaml to-ready ready
    local_queue_yaml to-racks racks
    local_queue_yaml to-nowhere nowhere
    local_queue_yaml stopped nowhere "stopPolicy: Hold"
    local_queue_yaml drained ready "stopPolicy: HoldAndDrain"
    local_queue_yaml aimless x | sed "s,clusterQueue: x,,"
} | apply
local_active() { condition Active "localqueue/$1"; }
expect "a LocalQueue that is ready" "True Ready: Can submit new workloads to localQueue" local_active to-ready
expect "its ClusterQueue is inactive" "False ClusterQueueIsInactive: Can't submit new workloads to clusterQueue" local_active to-racks
expect "its ClusterQueue does not exist" "False ClusterQueueDoesNotExist: Can't submit new workloads to clusterQueue" local_active to-nowhere
expect "it names none" "False ClusterQueueDoesNotExist: Can't submit new workloads to clusterQueue" local_active aimless
expect "its own stop policy comes first" "False Stopped: LocalQueue is stopped" local_active stopped
expect "HoldAndDrain as well" "False Stopped: LocalQueue is stopped" local_active drained

# What was missing comes, what was there goes.
cat <<END | apply
apiVersion: kueue.x-k8s.io/v1beta2
kind: Topology
metadata: {name: racks}
spec: {levels: [{nodeLabel: example.com/rack}]}
END
expect "the topology appears" "$ready" active racks
expect "and its LocalQueue follows" "True Ready: Can submit new workloads to localQueue" local_active to-racks
{ flavor_yaml zeta; flavor_yaml alpha; } | apply
expect "the flavors appear" "$ready" active flavors
{ check_yaml zeta example.com/check; check_yaml alpha example.com/check; } | apply
expect "the checks appear, and are inactive" "False AdmissionCheckInactive: $refused: references inactive AdmissionCheck(s): alpha,zeta." active missing
for c in zeta alpha idle lazy; do check_is $c True; done
expect "the checks become active" "$ready" active missing
expect "so do those of others" "$ready" active inactive
check_is lazy False
expect "a check becomes inactive" "False AdmissionCheckInactive: $refused: references inactive AdmissionCheck(s): lazy." active inactive
cluster_queue_yaml nowhere one | apply
expect "the ClusterQueue of a LocalQueue appears" "True Ready: Can submit new workloads to localQueue" local_active to-nowhere
edit clusterqueue/nowhere '{"spec": {"stopPolicy": "Hold"}}'
expect "and is stopped" "False ClusterQueueIsInactive: Can't submit new workloads to clusterQueue" local_active to-nowhere
remove clusterqueue/nowhere
expect "and goes" "False ClusterQueueDoesNotExist: Can't submit new workloads to clusterQueue" local_active to-nowhere
# By force, under running queues.
force() { # KIND/NAME
    remove "$1"
    edit "$1" '{"metadata": {"finalizers": []}}'
}
force topology/racks
expect "the topology is gone" "False TopologyNotFound: $refused: there is no Topology \"racks\" for TAS flavor \"rack\"." active racks
force resourceflavor/two
expect "a flavor is gone" "False FlavorNotFound: $refused: references missing ResourceFlavor(s): two." active ready
expect "its rows stay" "[one,two]" field '[.status.flavorsUsage[].name]' clusterqueue/ready
flavor_yaml two | apply
expect "and there again" "$ready" active ready
force admissioncheck/good
expect "a check is gone" "False AdmissionCheckNotFound: $refused: references missing AdmissionCheck(s): good." active ready
check_yaml good example.com/check | apply
check_is good True
expect "and there again" "$ready" active ready
edit localqueue/aimless '{"spec": {"clusterQueue": "ready"}}'
expect "a LocalQueue is aimed later" "True Ready: Can submit new workloads to localQueue" local_active aimless

# Generations and times.
stamp() { field '[.metadata.generation, (.status.conditions[0] | .observedGeneration, .lastTransitionTime)]' "$1"; }
before=$(stamp clusterqueue/ready)
sleep 1.1
edit clusterqueue/ready '{"spec": {"preemption": {"withinClusterQueue": "LowerPriority"}}}'
expect "an edit is observed, the time stays" "${before//1,1/2,2}" stamp clusterqueue/ready
edit clusterqueue/held '{"spec": {"stopPolicy": "None"}}'
expect "a stopped ClusterQueue resumes" "$ready" active held
check "and the time moves with the status" test "$(field '.status.conditions[0].lastTransitionTime' clusterqueue/held)" != "$(field '.metadata.creationTimestamp' clusterqueue/held)"
before=$(stamp localqueue/to-ready)
edit localqueue/to-ready '{"spec": {"fairSharing": {"weight": "2"}}}'
expect "an edit of a LocalQueue is observed" "${before//1,1/2,2}" stamp localqueue/to-ready

# Conditions of others are left alone, and nobody's spec is touched.
edit_status clusterqueue/ready '{"status": {"conditions": [{"type": "Mine", "status": "True", "reason": "R", "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}'
expect "our condition comes back beside a foreign one" "[Active,Mine]" field '[.status.conditions[].type] | sort' clusterqueue/ready
check "only the status is ours" test "$(kubectl get clusterqueues,localqueues,resourceflavors,admissionchecks,topologies -A -o json --show-managed-fields |
    jq '[.items[].metadata.managedFields[] | select(.manager == "kueue" and .fieldsV1["f:spec"])] | length')" = 0
check "nothing is told in Events" test "$(kubectl get events -A -o json | jq '.items | length')" = 0
