#!/usr/bin/env bash
# How much is written: queue statuses are coalesced, an idle controller writes nothing, and edits of others lose nothing.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=objects.sh
. "$(dirname "$0")/objects.sh"
bare_stage core,webhooks-core
objects_begin

{ flavor_yaml one; cluster_queue_yaml q one; local_queue_yaml q q; } | apply
expect "ready" "True Ready: Can submit new workloads to localQueue" condition Active localqueue/q

# A change shows soon, one after another.
for i in 1 2 3 4 5; do
    begin=$(now_ms)
    workload_yaml "single-$i" q 1 | apply
    expect "workload $i is counted" "$i" field '.status.pendingWorkloads' clusterqueue/q
    took="${took:-} $(($(now_ms) - begin))"
done
say "a new workload was seen in the status after$took ms, kubectl included"

# Many workloads, few writes.
body='{"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "Workload", "metadata": {"name": "w@"}, "spec": {"queueName": "q", "podSets": [{"name": "main", "count": 1, "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}]}}}]}}'
before=$(queue_writes) begin=$(date +%s)
many 1 1000 POST "$(url workload)" "$body"
expect "all are counted" "[1005,1005]" bash -c "curl -s $(url clusterqueue/q) $(url localqueue/q) | jq -sc '[.[].status.pendingWorkloads]'"
seconds=$(($(date +%s) - begin + 1)) count=$(($(queue_writes) - before))
say "$count writes of queue statuses in $seconds s for 1000 workloads"
check "at most one per queue and second, and a few at the start" test "$count" -le $((2 * (seconds + 12)))
before=$(queue_writes) begin=$(date +%s)
many 1 1000 DELETE "$(url workload)/w@"
expect "all are gone" 5 field '.status.pendingWorkloads' clusterqueue/q
seconds=$(($(date +%s) - begin + 1)) count=$(($(queue_writes) - before))
check "deletions are no different ($count in $seconds s)" test "$count" -le $((2 * (seconds + 12)))

# Idle.
own='[a-z]+queues|cohorts|workloads|resourceflavors|admissionchecks|topologies|events'
written() { writes "$own" '[a-z]*'; }
before=$(at_rest written)
sleep 3
check "an idle controller writes nothing" test "$(written)" = "$before"
sluice_stop one >/dev/null
sluice_start one --components core,webhooks-core,scheduler --ledger :memory:
expect "a scheduler starts what waits" 5 field '.status.admittedWorkloads' clusterqueue/q
workload_yaml parked q 9 | apply
expect "and parks what does not fit" WaitingForQuota field '.status.conditions[0].reason' workload/parked
before=$(at_rest written)
sleep 3
check "idle it writes nothing either" test "$(written)" = "$before"

# More refusals at once than the server takes in the time that a write has.
refused=${body/'"queueName"'/'"priority": @, "queueName"'}
many 1 600 POST "$(url workload)" "$(sed 's/"w@"/"r@"/; s/"cpu": "1"/"cpu": "100"/' <<<"$refused")"
all_told() { [ "$(get workload | jq '[.items[] | select(any(.status.conditions[]?; .reason == "ExceedsMaxQuota"))] | length')" = 600 ]; }
check "every refused workload is told" eventually 60 all_told
many 1 600 DELETE "$(url workload)/r@"

# Edits of others while the status changes all the time.
edits() { # FIRST LAST
    local i
    for ((i = $1; i <= $2; i++)); do soon edit clusterqueue/q "{\"metadata\": {\"annotations\": {\"a$i\": \"x\"}}}"; done
}
edits 1 40 &
first=$!
edits 41 80 &
second=$!
for i in $(seq 1 20); do soon edit clusterqueue/q "{\"spec\": {\"resourceGroups\": [{\"coveredResources\": [\"cpu\"], \"flavors\": [{\"name\": \"one\", \"resources\": [{\"name\": \"cpu\", \"nominalQuota\": \"$((10 + i))\"}]}]}]}}"; done
many 1 100 POST "$(url workload)" "$body"
soon edit clusterqueue/q '{"metadata": {"labels": {"team": "x"}}, "spec": {"stopPolicy": "Hold", "cohortName": "pool"}}'
wait $first $second
check "no edit is lost" test "$(field '[(.metadata.annotations | length), .metadata.labels.team, .spec.stopPolicy, .spec.cohortName, .spec.resourceGroups[0].flavors[0].resources[0].nominalQuota]' clusterqueue/q)" = "[80,x,Hold,pool,30]"
expect "and the last one is observed" "true" field '.metadata.generation == .status.conditions[0].observedGeneration' clusterqueue/q
expect "the protection is in its place" '[kueue.x-k8s.io/resource-in-use]' field '.metadata.finalizers' clusterqueue/q
