#!/usr/bin/env bash
# Every metric appears under its name, with its type, labels and buckets: metrics.table against a scrape, after a bit of
# everything has happened, with custom labels of all four kinds of objects.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=api.sh
. "$(dirname "$0")/api.sh"
# shellcheck source=scrape.sh
. "$(dirname "$0")/scrape.sh"
metrics_options='enableClusterQueueResources: true, customLabels: [{name: cq_team, sourceLabelKey: team}, {name: co_team, sourceLabelKey: team, sourceKind: Cohort},
  {name: lq_team, sourceAnnotationKey: team, sourceKind: LocalQueue}, {name: wl_size, sourceLabelKey: size, sourceKind: Workload, trackedValues: [small, large]}]'
api_stage 'leaderElection: {leaderElect: false}
featureGates: {CustomMetricLabels: true}
fairSharing: {preemptionStrategies: [LessThanOrEqualToFinalShare, LessThanInitialShare]}
admissionFairSharing: {usageHalfLifeTime: 60s, usageSamplingInterval: 1s}
waitForPodsReady: {timeout: 5m}' --components core,scheduler,job:batch/job

labelled='labels: {team: red}'
flavor f
kubectl create -f - >/dev/null <<END
{apiVersion: kueue.x-k8s.io/v1beta2, kind: Cohort, metadata: {name: co, $labelled}}
END
check_active c
cq q 6 'cohortName: co, preemption: {withinClusterQueue: LowerPriority, reclaimWithinCohort: Any}, admissionScope: {admissionMode: UsageBasedAdmissionFairSharing}' '' "$labelled"
lq lq-q q '' 'annotations: {team: green}'
wl small lq-q 1 '' 'labels: {size: small}'
wl odd lq-q 1 '' 'labels: {size: odd}'
wl large lq-q 5 '' 'labels: {size: large}'
check "two run" soon value_is 'kueue_reserving_active_workloads{cluster_queue="q",custom_cq_team="red"}' 2
shows 'kueue_admitted_active_workloads{cluster_queue="q",custom_cq_team="red",custom_wl_size="small"}' 1
shows 'kueue_admitted_active_workloads{cluster_queue="q",custom_cq_team="red",custom_wl_size="kueue.x-k8s.io/_UNTRACKED_VALUE_"}' 1
shows 'kueue_pending_workloads{cluster_queue="q",custom_cq_team="red",custom_wl_size="large",status="inadmissible"}' 1
shows 'kueue_pending_workloads{cluster_queue="q",custom_cq_team="red",custom_wl_size="large",status="active"}' 0
shows 'kueue_local_queue_admitted_workloads_total{custom_lq_team="green",custom_wl_size="small",name="lq-q",namespace="t",priority_class=""}' 1
shows 'kueue_cohort_subtree_quota{cohort="co",custom_co_team="red",flavor="f",resource="cpu"}' 6
drop workloads large # it would take the place of the small one
end small
shows 'kueue_admitted_active_workloads{cluster_queue="q",custom_cq_team="red",custom_wl_size="small"}' none
wl urgent lq-q 6 'priority: 9'
check "odd is preempted" soon holds workloads odd "$(is_true Evicted)"
release odd
check "for urgent" soon holds workloads urgent "$(is_true Admitted)"
end urgent

# ---- a check, and a job whose pods become ready ----
cq checked 9 'cohortName: co, admissionChecksStrategy: {admissionChecks: [{name: c}]}'
lq lq-c checked
wl held lq-c 1
check "held waits for its check" soon holds workloads held '.status.admissionChecks | length == 1'
status workloads held '{"admissionChecks": [{"name": "c", "state": "Ready", "message": "", "lastTransitionTime": "2024-01-01T00:00:00Z"}]}'
check "and is admitted" soon holds workloads held "$(is_true Admitted)"
submit job '.spec.suspend = true | .metadata.labels["kueue.x-k8s.io/queue-name"] = "lq-c"'
check "a Job's Workload waits for its check" soon holds workloads "$w" '.status.admissionChecks | length == 1'
status workloads "$w" '{"admissionChecks": [{"name": "c", "state": "Ready", "message": "", "lastTransitionTime": "2024-01-01T00:00:00Z"}]}'
check "the Job starts" soon holds jobs job '.spec.suspend == false'
status jobs job '{"startTime": "2024-01-01T00:00:00Z", "active": 3, "ready": 3}'
check "its pods are ready" soon holds workloads "$w" "$(is_true PodsReady)"
merge workloads "$w" '{"spec": {"active": false}}'
shows 'kueue_pods_ready_to_evicted_time_seconds_count{cluster_queue="checked",custom_cq_team="",reason="Deactivated",underlying_cause=""}' 1

# ---- two heads of one cycle after the same victim ----
cq lender 0 'cohortName: two'
lq lq-v lender
flavors='[{name: f, resources: [{name: cpu, nominalQuota: 3}]}, {name: late, resources: [{name: cpu, nominalQuota: 0}]}]'
for name in left right; do
    make clusterqueues "{apiVersion: kueue.x-k8s.io/v1beta2, kind: ClusterQueue, metadata: {name: $name}, spec: {cohortName: two, namespaceSelector: {}, preemption: {reclaimWithinCohort: Any},
        resourceGroups: [{coveredResources: [cpu], flavors: [{name: f, resources: [{name: cpu, nominalQuota: 3}]}]}]}}"
    lq "lq-$name" "$name"
done
wl victim lq-v 6
check "the victim borrows" soon holds workloads victim "$(is_true Admitted)"
for name in left right; do merge clusterqueues "$name" "{\"spec\": {\"resourceGroups\": [{\"coveredResources\": [\"cpu\"], \"flavors\": $(sed 's/\([a-z]\w*\)/"\1"/gi' <<<"$flavors")}]}}"; done
inactive() { holds clusterqueues left '.status.conditions | any(.type == "Active" and .status == "False")' && holds clusterqueues right '.status.conditions | any(.type == "Active" and .status == "False")'; }
check "both queues wait for a flavor" soon inactive
wl wl-left lq-left 3
wl wl-right lq-right 3
check "both Workloads wait" soon value_is 'kueue_pending_workloads{cluster_queue="right",custom_cq_team="",custom_wl_size="",status="inadmissible"}' 1
flavor late
check "the victim goes" soon holds workloads victim "$(is_true Evicted)"
check "the second one thinks again" soon bash -c 'curl -s "$1" | grep -q ^kueue_preemption_target_recomputations_total' - "http://127.0.0.1:$(metrics_port one)/metrics"

# ---- the table ----
# row NAME TYPE LABELS CUSTOM: the declared type, the labels of every series, and the buckets of the first.
labels_of() { tr , '\n' <<<"$3$(grep -q CQ <<<"$4" && echo ,custom_cq_team)$(grep -q CO <<<"$4" && echo ,custom_co_team)$(grep -q LQ <<<"$4" && echo ,custom_lq_team)$(grep -q WL <<<"$4" && echo ,custom_wl_size),replica_role" | sort | tr '\n' ' '; }
row() {
    local name=$1 type=$2 wanted found suffix='' declared
    case $2 in counter | gauge) ;; *) type=histogram suffix=_count ;; esac
    declared=$(awk -v n="$name" '$1 == "#" && $2 == "TYPE" && $3 == n {print $4}' "$work/scrape")
    [ "$declared" = "$type" ] || { echo "type \"$declared\", wanted $type"; return 1; }
    grep -q "^# HELP $name ..........*" "$work/scrape" || { echo "no help"; return 1; }
    wanted=$(labels_of "$@")
    found=$(grep "^$name$suffix{" "$work/scrape" | sed -E 's/="([^"\\]|\\.)*"//g; s/^[^{]*\{(.*)\}.*/\1/' | sort -u | while read -r line; do tr , '\n' <<<"$line" | sort | tr '\n' ' '; echo; done)
    [ "$found" = "$wanted" ] || { echo "labels $found, wanted $wanted"; return 1; }
    [ -n "$suffix" ] || return 0
    wanted=$(awk -v s="$2" '$1 == "buckets" && $2 == s {$1 = $2 = ""; print}' "$root/tests/e2e/metrics.table" | xargs)
    found=$(grep "^${name}_bucket{" "$work/scrape" | sed -E 's/.*le="([^"]*)".*/\1/' | awk '{print} $1 == "+Inf" {exit}' | xargs)
    [ "$found" = "$wanted +Inf" ] || { echo "buckets $found, wanted $wanted +Inf"; return 1; }
}
# Some series come with the next sample only.
fresh() {
    scrape >"$work/scrape"
    "$@" >"$work/seen"
}
while read -r name type labels custom rare; do
    case $name in '#'* | buckets) continue ;; esac
    [ -n "$rare" ] || check "$name" soon fresh row "$name" "$type" "$labels" "$custom"
done <"$root/tests/e2e/metrics.table"
for name in rest_client_requests_total workqueue_adds_total workqueue_depth controller_runtime_reconcile_total controller_runtime_webhook_requests_total controller_runtime_webhook_latency_seconds process_cpu_seconds_total process_resident_memory_bytes process_open_fds; do
    check "$name" grep -q "^# TYPE $name " "$work/scrape"
done
unknown=$(awk '$1 == "#" && $2 == "TYPE" && $3 ~ /^(kueue|multikueue)_/ {print $3}' "$work/scrape" | grep -vxF -f <(awk '{print $1}' "$root/tests/e2e/metrics.table"; echo kueue_build_info) || true)
check "nothing else calls itself Kueue's: $unknown" test -z "$unknown"
