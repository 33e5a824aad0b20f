#!/usr/bin/env bash
# Admission fair sharing alive: what LocalQueues consumed is sampled, decays, orders the queue, and outlives a restart.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=api.sh
. "$(dirname "$0")/api.sh"
# shellcheck source=scrape.sh
. "$(dirname "$0")/scrape.sh"
settings='leaderElection: {leaderElect: false}
admissionFairSharing: {usageHalfLifeTime: 2s, usageSamplingInterval: 1s, resourceWeights: {cpu: 2}}'
api_stage "$settings" --components core,scheduler

afs() { curl -fsS -m 5 "http://127.0.0.1:$(metrics_port one)/debug/afs"; }
afs_is() { afs | jq -e "$1" >/dev/null; }
# consumed QUEUE: of its status, in thousandths; empty when there is none.
consumed() { show localqueues "$1" | jq -r '.status.fairSharing.admissionFairSharingStatus.consumedResources.cpu // "0" | if endswith("m") then .[:-1] | tonumber elif endswith("u") then (.[:-1] | tonumber) / 1000
    elif endswith("n") then (.[:-1] | tonumber) / 1000000 else tonumber * 1000 end | floor'; }
grows() { [ "$(consumed "$1")" -gt "$2" ]; }
falls() { [ "$(consumed "$1")" -lt "$2" ]; }
admitted() { holds workloads "$1" "$(is_true Admitted)"; }

flavor f
check_active c
cq q 4 'admissionScope: {admissionMode: UsageBasedAdmissionFairSharing}'
lq a q
lq b q
check "a fresh queue has an empty record" soon holds localqueues a '.status.fairSharing | .weightedShare == 0 and .admissionFairSharingStatus.consumedResources == {} and .admissionFairSharingStatus.lastUpdate != null'
check "also for people" soon afs_is '."t/a" == {consumed: {}, penalty: {}}'
wl first a 4
check "first is admitted" soon admitted first
check "its use is sampled" soon grows a 1000
check "with the time of the sample" holds localqueues a '.status.fairSharing.admissionFairSharingStatus.lastUpdate[:19] + "Z" | fromdate | now - . < 60'
check "and known to people" soon afs_is '."t/a".consumed.cpu != null'
value_above() { awk -v v="$(series "$1")" -v n="$2" 'BEGIN {exit !(v != "" && v > n)}'; }
check "and a gauge, weighted" soon value_above 'kueue_local_queue_admission_fair_sharing_usage{cluster_queue="q",name="a",namespace="t"}' 2
check "and grows on" soon grows a 2500
check "nothing of it for the other queue" holds localqueues b '.status.fairSharing.admissionFairSharingStatus.consumedResources == {}'

# ---- the order ----
wl of-a a 4
wl of-b b 4
wait_both() { holds workloads of-a "$1" && holds workloads of-b "$1"; }
check "both wait" soon wait_both '.status.conditions | any(.type == "QuotaReserved" and .status == "False")'
end first
check "the queue that consumed less is first" soon admitted of-b
check "the other waits" not admitted of-a
most=$(consumed a)
check "what was consumed decays" soon falls a "$((most * 3 / 4))"

# ---- a restart ----
sluice_kill one
kept=$(consumed a)
api_restart "${settings/usageHalfLifeTime: 2s/usageHalfLifeTime: 1h}" --components core,scheduler
check "the record outlives a restart" soon afs_is '."t/a".consumed.cpu != null and ."t/b".consumed.cpu != null'
check "with its value" test "$(consumed a)" -le "$kept" -a "$(consumed a)" -ge $((kept * 9 / 10))
api_restart "$settings" --components core,scheduler
end of-b
check "and the queue goes on" soon admitted of-a

# ---- penalties ----
cq p 4 'admissionScope: {admissionMode: UsageBasedAdmissionFairSharing}, admissionChecksStrategy: {admissionChecks: [{name: c}]}'
lq pa p
wl checked pa 2
check "it holds quota" soon holds workloads checked "$(is_true QuotaReserved)"
# 2 cpu x (1 - 0.5^(1/2))
check "the penalty is there until it is admitted" soon afs_is '."t/pa" == {consumed: {}, penalty: {cpu: "585786437n"}}'
check "the check is listed" soon holds workloads checked '.status.admissionChecks | length == 1'
status workloads checked '{"admissionChecks": [{"name": "c", "state": "Ready", "message": "", "lastTransitionTime": "2024-01-01T00:00:00Z"}]}'
check "admitted" soon admitted checked
check "then it is consumption" soon afs_is '."t/pa" | .penalty == {} and .consumed.cpu != null'
wl dropped pa 2
check "another one" soon afs_is '."t/pa".penalty != {}'
drop workloads dropped
check "goes with its workload" soon afs_is '."t/pa".penalty == {}'
