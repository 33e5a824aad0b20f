#!/usr/bin/env bash
# Elastic Jobs: slices while they run, pods at their gate, evictions; alone, and with the scheduler.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=api.sh
. "$(dirname "$0")/api.sh"
plain='leaderElection: {leaderElect: false}'
api_stage "$plain" --components job:batch/job,webhook:batch/job,elastic
make resourceflavors '{apiVersion: kueue.x-k8s.io/v1beta2, kind: ResourceFlavor, metadata: {name: spot}, spec: {nodeLabels: {instance-type: spot}}}'
elastic='.metadata.annotations["kueue.x-k8s.io/elastic-job"] = "true"'
# slice JOB GENERATION: the name of the Workload made for it
slice() { echo "job-$1-$(printf 'Job\nbatch\n%s\n%s\n%s' "$1" "$(get jobs "$1" .metadata.uid)" "$2" | sha1sum | cut -c1-5)"; }
scale() { merge jobs "$1" "{\"spec\": {\"parallelism\": $2, \"completions\": 9}}"; }
generation() { get jobs "$1" .metadata.generation; }
# pod NAME JOB SLICE: as the Job controller makes it from the template
pod() {
    show jobs "$2" | jq -c --arg n "$1" '.spec.template | {apiVersion: "v1", kind: "Pod", metadata: (.metadata + {name: $n, namespace: "t"}), spec: .spec}' >"$work/pod"
    api POST /api/v1/namespaces/t/pods "$(cat "$work/pod")" >"$work/made" || { cat "$work/made"; return 1; }
}
gated() { api GET "/api/v1/namespaces/t/pods/$1" | jq -e 'any(.spec.schedulingGates[]?; .name == "kueue.x-k8s.io/elastic-job")' >/dev/null; }
free() { ! gated "$1"; }

# ---- one slice ----
make jobs "$(job_of e "$elastic | .spec.completions = 9")"
one=$(slice e 1)
check "pods will wait at a gate" holds jobs e '.spec.suspend == true and .spec.template.spec.schedulingGates == [{name: "kueue.x-k8s.io/elastic-job"}]'
check "the first slice" soon holds workloads "$one" '.metadata.annotations == {"kueue.x-k8s.io/elastic-job": "true", "kueue.x-k8s.io/workload-slice-name": "'"$one"'"} and .spec.podSets[0].count == 3
    and .spec.podSets[0].template.spec.schedulingGates == [{name: "kueue.x-k8s.io/elastic-job"}]'
scale e 4
check "grows in place without quota" soon holds workloads "$one" '.spec.podSets[0].count == 4'
admit "$one" 4
check "starts the Job" soon holds jobs e '.spec.suspend == false and (.spec.template.metadata.annotations | .["kueue.x-k8s.io/workload-slice-name"] == "'"$one"'" and .["kueue.x-k8s.io/workload"] == "'"$one"'")'
for i in a b c d f; do pod "pod-$i" e; done
for i in a b c d; do check "pod $i passes the gate" soon free "pod-$i"; done
check "one too many does not" always gated pod-f
scale e 2
check "shrinks in place with quota" soon holds workloads "$one" '.spec.podSets[0].count == 2'
check "and the Job runs on" holds jobs e '.spec.suspend == false'

# ---- two slices ----
scale e 5
two=$(slice e "$(generation e)")
check "growth is a slice of its own" soon holds workloads "$two" '.metadata.annotations == {"kueue.x-k8s.io/elastic-job": "true", "kueue.x-k8s.io/workload-slice-name": "'"$one"'", "kueue.x-k8s.io/workload-slice-replacement-for": "t/'"$one"'"} and .spec.podSets[0].count == 5'
check "the Job runs on" always holds jobs e '.spec.suspend == false'
scale e 6
check "the waiting slice follows in place" soon holds workloads "$two" '.spec.podSets[0].count == 6'
admit "$two" 6
check "the old one ends" soon holds workloads "$one" "$(has_condition Finished True WorkloadSliceReplaced 'Replaced to accommodate a new workload slice')"
check "and is let go" soon holds workloads "$one" '(.metadata.finalizers // []) == []'
check "the pod that waited passes" soon free pod-f
check "the new one stays" always holds workloads "$two" '.metadata.deletionTimestamp == null and (.status.conditions | all(.type != "Finished"))'

# ---- eviction ----
status jobs e "{\"startTime\": \"$(date -u +%FT%TZ)\", \"active\": 1}"
set_conditions "$two" "$(condition Evicted True Preempted 'make room')"
check "an eviction stops the Job" soon holds jobs e '.spec.suspend == true'
check "with its quota while pods run" always holds workloads "$two" "$(is_true QuotaReserved)"
status jobs e '{"active": 0}'
check "and gives it back" soon holds workloads "$two" "$(has_condition QuotaReserved False PendingEvaluation 'make room')"
check "the gate stays" soon holds jobs e '(.spec.template.spec.nodeSelector // {}) == {} and .spec.template.spec.schedulingGates == [{name: "kueue.x-k8s.io/elastic-job"}]'
scale e 3
check "it shrinks while it waits" soon holds workloads "$two" '.spec.podSets[0].count == 3'
set_conditions "$two" "$(condition Evicted False QuotaReserved)"
admit "$two" 3
check "and starts again" soon holds jobs e '.spec.suspend == false'
status jobs e "{\"startTime\": \"$(date -u +%FT%TZ)\", \"active\": 0, \"succeeded\": 9, \"uncountedTerminatedPods\": {}, \"completionTime\": \"$(date -u +%FT%TZ)\", \"conditions\": [$(condition SuccessCriteriaMet True CompletionsReached), $(condition Complete True CompletionsReached 'all done')]}"
check "to its end" soon holds workloads "$two" "$(has_condition Finished True Succeeded 'all done')"
check "which lets it go" soon holds workloads "$two" '(.metadata.finalizers // []) == []'
check "with an Event" soon event e FinishedWorkload "Workload 't/$two' is declared finished"

# ---- with the scheduler ----
api_restart "$plain" --ledger :memory:
make clusterqueues '{apiVersion: kueue.x-k8s.io/v1beta2, kind: ClusterQueue, metadata: {name: cq}, spec: {namespaceSelector: {}, resourceGroups: [{coveredResources: [cpu], flavors: [{name: spot, resources: [{name: cpu, nominalQuota: 5}]}]}]}}'
make localqueues '{apiVersion: kueue.x-k8s.io/v1beta2, kind: LocalQueue, metadata: {name: q, namespace: t}, spec: {clusterQueue: cq}}'
make jobs "$(job_of s "$elastic | .spec.completions = 9")"
one=$(slice s 1)
check "the scheduler admits the first slice" soon holds jobs s '.spec.suspend == false'
scale s 5
two=$(slice s "$(generation s)")
check "and the second for the difference" soon holds workloads "$two" "$(is_true Admitted)"
check "the first has done its part" soon holds workloads "$one" "$(has_condition Finished True WorkloadSliceReplaced "Replaced to accommodate a workload (UID: $(get workloads "$two" .metadata.uid), JobUID: $(get jobs s .metadata.uid)) due to workload slice aggregation")"
check "the queue counts it once" soon holds clusterqueues cq '.status.flavorsUsage[0].resources[0].total == "5" and .status.admittedWorkloads == 1'
scale s 7
three=$(slice s "$(generation s)")
check "what does not fit waits" soon holds workloads "$three" "any(.status.conditions[]; .type == \"QuotaReserved\" and .status == \"False\")"
check "while the Job runs" always holds jobs s '.spec.suspend == false'
merge clusterqueues cq '{"spec": {"resourceGroups": [{"coveredResources": ["cpu"], "flavors": [{"name": "spot", "resources": [{"name": "cpu", "nominalQuota": 7}]}]}]}}'
check "until there is room" soon holds workloads "$three" "$(is_true Admitted)"
