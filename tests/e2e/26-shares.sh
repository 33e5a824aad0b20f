#!/usr/bin/env bash
# The share of ClusterQueues and Cohorts under fair sharing, and what LocalQueues consumed under admission fair sharing.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=objects.sh
. "$(dirname "$0")/objects.sh"
bare_stage core,webhooks-core
objects_begin

share() { field '.status.fairSharing' "$@"; }
cohort_yaml() { printf -- '---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: Cohort\nmetadata: {name: %s}\nspec: {%s}\n' "$1" "${2:-}"; }
{
    flavor_yaml one
    cohort_yaml root
    cohort_yaml left "parentName: root"
    cohort_yaml right "parentName: root"
    cohort_yaml single
    cluster_queue_yaml a one "cohortName: left"
    cluster_queue_yaml b one "cohortName: left
  fairSharing: {weight: \"2\"}"
    cluster_queue_yaml c one "cohortName: right"
    cluster_queue_yaml zero one "cohortName: right
  fairSharing: {weight: \"0\"}"
    cluster_queue_yaml alone one
    for q in a b c zero alone; do local_queue_yaml $q $q; workload_yaml $q $q 1; done
} | apply
reserve a a one 15
reserve b b one 15
reserve zero zero one 11
reserve alone alone one 12
expect "counted" 1 field '.status.admittedWorkloads' clusterqueue/a
stays "without fair sharing no share is shown" "null" share clusterqueue/a
check "nor by a Cohort" test "$(share cohort/left)" = null
check "nor by a LocalQueue" test "$(share localqueue/a)" = null

# With both kinds. left lends 20 of root's 40: a borrows 5 of 40, b as much with twice the weight.
sluice_stop one >/dev/null
sluice_configure one "$hook" 'leaderElection: {leaderElect: false}
fairSharing: {preemptionStrategies: [LessThanOrEqualToFinalShare]}
admissionFairSharing: {usageHalfLifeTime: 10s, usageSamplingInterval: 1s}'
sluice_start one --components core,webhooks-core --ledger :memory:
expect "a share" "{weightedShare:125}" share clusterqueue/a
expect "twice the weight, half the share" "{weightedShare:63}" share clusterqueue/b
expect "nothing borrowed" "{weightedShare:0}" share clusterqueue/c
exact_share() { get "$1" | grep -oE '"weightedShare": ?[0-9]+' | grep -oE '[0-9]+$'; } # jq rounds
expect "borrowing with weight 0" 9223372036854775807 exact_share clusterqueue/zero
expect "without a cohort nothing is borrowed" "{weightedShare:0}" share clusterqueue/alone
expect "a cohort that borrows" "{weightedShare:250}" share cohort/left
expect "one that does not" "{weightedShare:0}" share cohort/right
expect "the root" "{weightedShare:0}" share cohort/root
expect "one without members" "{weightedShare:0}" share cohort/single

edit clusterqueue/b '{"spec": {"fairSharing": {"weight": "4"}}}'
expect "the weight changes" "{weightedShare:32}" share clusterqueue/b
edit cohort/left '{"spec": {"fairSharing": {"weight": "2"}}}'
expect "that of a cohort" "{weightedShare:125}" share cohort/left
edit workload/a '{"spec": {"active": false}}'
expect "the usage goes" "{weightedShare:0}" share clusterqueue/a
expect "also for the cohort" "{weightedShare:0}" share cohort/left

# Admission fair sharing.
consumed() { field '.status.fairSharing | [.weightedShare, (.admissionFairSharingStatus | .consumedResources, (.lastUpdate | type))]' "$@"; }
expect "every LocalQueue has the block" "[0,{},string]" consumed localqueue/c
{
    cluster_queue_yaml usage one "admissionScope: {admissionMode: UsageBasedAdmissionFairSharing}"
    local_queue_yaml usage usage
    workload_yaml usage usage 4
} | apply
expect "nothing used yet" "[0,{},string]" consumed localqueue/usage
reserve usage usage one 4
used() { field '.status.fairSharing.admissionFairSharingStatus.consumedResources.cpu // "0"' localqueue/usage; }
is_used() { [ "$(used)" != 0 ]; }
check "usage is sampled" eventually 5 is_used
first=$(used)
has_grown() { [ "$(used)" != "$first" ]; }
check "again and again" eventually 5 has_grown
sluice_stop one >/dev/null
last=$(used)
sluice_start one --components core,webhooks-core --ledger :memory:
grows_from() { awk -v a="$1" -v b="$(used)" 'function n(t) { return t ~ /m$/ ? t / 1000 : t ~ /u$/ ? t / 1e6 : t ~ /n$/ ? t / 1e9 : t + 0 } BEGIN { exit !(n(b) >= n(a)) }'; }
sleep 1.2
check "the next process goes on from what was written" grows_from "$last"

# And off again.
sluice_stop one >/dev/null
sluice_configure one "$hook"
sluice_start one --components core,webhooks-core --ledger :memory:
expect "the share is taken back" null share clusterqueue/b
expect "that of a cohort" null share cohort/left
expect "that of a LocalQueue" null share localqueue/usage
