#!/usr/bin/env bash
# The reconciler of batch Jobs alone: the test writes what the scheduler and the Job controller would write.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=api.sh
. "$(dirname "$0")/api.sh"
api_stage 'integrations: {labelKeysToCopy: [copied, absent]}
leaderElection: {leaderElect: false}' --components job:batch/job,webhook:batch/job

make resourceflavors '{apiVersion: kueue.x-k8s.io/v1beta2, kind: ResourceFlavor, metadata: {name: spot}, spec: {nodeLabels: {instance-type: spot}, tolerations: [{key: spot-taint, operator: Exists, effect: NoSchedule}]}}'
make workloadpriorityclasses '{apiVersion: kueue.x-k8s.io/v1beta2, kind: WorkloadPriorityClass, metadata: {name: high}, value: 1000}'
make workloadpriorityclasses '{apiVersion: kueue.x-k8s.io/v1beta2, kind: WorkloadPriorityClass, metadata: {name: low}, value: 10}'

# ---- a Job's life ----
submit a '.metadata.labels += {copied: "yes", "kueue.x-k8s.io/max-exec-time-seconds": "600"} | .metadata.annotations = {"provreq.kueue.x-k8s.io/p": "1", other: "2"}
    | .spec.template.spec.containers[0].env = [{name: "X", value: "1"}, {name: "Y", value: "2"}, {name: "X", value: "3"}]'
check "a Workload is made under the computed name" soon holds workloads "$w" true
check "with its metadata" holds workloads "$w" '.metadata.labels == {copied: "yes", "kueue.x-k8s.io/job-uid": "'"$(get jobs a .metadata.uid)"'"}
    and .metadata.annotations == {"provreq.kueue.x-k8s.io/p": "1"} and .metadata.finalizers == ["kueue.x-k8s.io/resource-in-use"]
    and .metadata.ownerReferences == [{apiVersion: "batch/v1", kind: "Job", name: "a", uid: "'"$(get jobs a .metadata.uid)"'", controller: true, blockOwnerDeletion: true}]'
check "with its spec" holds workloads "$w" '.spec.queueName == "q" and .spec.priority == 0 and .spec.active == true and .spec.maximumExecutionTimeSeconds == 600 and .spec.priorityClassRef == null
    and (.spec.podSets | length) == 1 and (.spec.podSets[0] | .name == "main" and .count == 3 and .minCount == null and .topologyRequest == {podIndexLabel: "batch.kubernetes.io/job-completion-index"}
    and .template.metadata.labels == {"batch.kubernetes.io/job-name": "a"} and .template.metadata.annotations == {note: "x"}
    and .template.spec.containers[0].env == [{name: "X", value: "3"}, {name: "Y", value: "2"}])'
check "and an Event" soon event a CreatedWorkload "Created Workload: t/$w"
check "the pods are not ready yet" soon holds workloads "$w" "$(has_condition PodsReady False WaitForStart 'Not all pods are ready or succeeded')"
reserve "$w"
check "a reservation alone does not start it" always holds jobs a '.spec.suspend == true'
set_conditions "$w" "$(condition Admitted True Admitted)"
check "the admission does" soon holds jobs a '.spec.suspend == false'
check "with everything of the flavor and the queue" holds jobs a '.spec.template | .spec.nodeSelector == {"instance-type": "spot"} and .spec.tolerations == [{key: "spot-taint", operator: "Exists", effect: "NoSchedule"}]
    and .metadata.annotations == {note: "x", "kueue.x-k8s.io/workload": "'"$w"'"} and .metadata.labels["kueue.x-k8s.io/podset"] == "main" and .metadata.labels["kueue.x-k8s.io/local-queue-name"] == "q" and .metadata.labels["kueue.x-k8s.io/cluster-queue-name"] == "cq"'
check "and an Event says by whom" soon event a Started 'Admitted by clusterQueue cq'
status jobs a "{\"startTime\": \"$(date -u +%FT%TZ)\", \"active\": 3, \"ready\": 2}"
check "pods that are not all ready are waited for" always holds workloads "$w" "$(has_condition PodsReady False WaitForStart 'Not all pods are ready or succeeded')"
status jobs a '{"ready": 3}'
check "ready pods" soon holds workloads "$w" "$(has_condition PodsReady True Started 'All pods reached readiness and the workload is running')"
status jobs a '{"ready": 2}'
check "a pod that fails" soon holds workloads "$w" "$(has_condition PodsReady False WaitForRecovery 'At least one pod has failed, waiting for recovery')"
status jobs a '{"ready": 3}'
check "and comes back" soon holds workloads "$w" "$(has_condition PodsReady True Recovered 'All pods reached readiness and the workload is running')"
status jobs a '{"ready": 1, "succeeded": 2, "active": 1, "uncountedTerminatedPods": {}}'
check "pods that have ended are given back" soon holds workloads "$w" '.status.reclaimablePods == [{name: "main", count: 2}]'
check "and count as ready" holds workloads "$w" "$(is_true PodsReady)"

set_conditions "$w" "$(condition Evicted True Preempted 'make room')"
check "an eviction suspends it" soon holds jobs a '.spec.suspend == true'
check "with the message as an Event" soon event a Stopped 'make room'
check "it keeps its quota while pods run" always holds workloads "$w" "$(is_true QuotaReserved)"
status jobs a '{"active": 0, "ready": 0}'
check "then it gives it back" soon holds workloads "$w" "$(has_condition QuotaReserved False PendingEvaluation 'make room') and $(has_condition Requeued True Preempted 'make room') and (.status.admission == null) and any(.status.conditions[]; .type == \"Admitted\" and .status == \"False\")"
check "its template is as it was" soon holds jobs a '.metadata.annotations["kueue.x-k8s.io/stopping"] == null and (.spec.template | (.spec.nodeSelector // {}) == {} and (.spec.tolerations // []) == [] and .metadata.annotations == {note: "x"}
    and (.metadata.labels | keys == ["batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name", "controller-uid", "job-name"])) and .status.startTime == null'
set_conditions "$w" "$(condition Evicted False QuotaReserved)"
admit "$w"
check "and starts again" soon holds jobs a '.spec.suspend == false'
status jobs a "{\"startTime\": \"$(date -u +%FT%TZ)\", \"active\": 0, \"succeeded\": 3, \"uncountedTerminatedPods\": {}, \"completionTime\": \"$(date -u +%FT%TZ)\", \"conditions\": [$(condition SuccessCriteriaMet True CompletionsReached), $(condition Complete True CompletionsReached 'Reached expected number of succeeded pods')]}"
check "the end of the Job ends the Workload" soon holds workloads "$w" "$(has_condition Finished True Succeeded 'Reached expected number of succeeded pods')"
check "which is let go" soon holds workloads "$w" '(.metadata.finalizers // []) == []'
check "and reported" soon event a FinishedWorkload "Workload 't/$w' is declared finished"

submit b
soon holds workloads "$w" true
admit "$w"
soon holds jobs b '.spec.suspend == false'
status jobs b "{\"startTime\": \"$(date -u +%FT%TZ)\", \"conditions\": [$(condition FailureTarget True BackoffLimitExceeded 'too often'), $(condition Failed True BackoffLimitExceeded 'too often')]}"
check "a failed Job" soon holds workloads "$w" "$(has_condition Finished True Failed 'too often')"

# ---- how quick ----
make jobs "$(job_of quick)"
w=$(workload_of quick)
say "Workload after $(took holds workloads "$w" true) ms"
admit "$w"
say "unsuspended after $(took holds jobs quick '.spec.suspend == false') ms"

# ---- edits ----
submit e
soon holds workloads "$w" "$(has_condition PodsReady False WaitForStart 'Not all pods are ready or succeeded')"
uid=$(get workloads "$w" .metadata.uid)
merge jobs e '{"spec": {"parallelism": 2, "template": {"spec": {"tolerations": [{"key": "k", "operator": "Exists"}]}}}}'
check "an edit reaches the Workload in place" soon holds workloads "$w" '.spec.podSets[0].count == 2 and .spec.podSets[0].template.spec.tolerations[0].key == "k" and .metadata.uid == "'"$uid"'"'
check "with an Event" soon event e UpdatedWorkload "Updated not matching Workload for suspended job: t/$w"
merge jobs e '{"metadata": {"labels": {"kueue.x-k8s.io/queue-name": "other"}}}'
check "another queue" soon holds workloads "$w" '.spec.queueName == "other"'
merge jobs e '{"metadata": {"labels": {"kueue.x-k8s.io/priority-class": "high"}}}'
check "a priority class" soon holds workloads "$w" '.spec.priority == 1000 and .spec.priorityClassRef == {group: "kueue.x-k8s.io", kind: "WorkloadPriorityClass", name: "high"}'
check "with an Event" soon event e UpdatedWorkload "Updated workload priority class: t/$w"
merge jobs e '{"metadata": {"labels": {"kueue.x-k8s.io/max-exec-time-seconds": "60"}}}'
check "a maximum execution time" soon holds workloads "$w" '.spec.maximumExecutionTimeSeconds == 60'
merge jobs e '{"metadata": {"labels": {"kueue.x-k8s.io/max-exec-time-seconds": null}}}'
check "and none" soon holds workloads "$w" '.spec.maximumExecutionTimeSeconds == null'
check "always the same Workload" holds workloads "$w" '.metadata.uid == "'"$uid"'"'
reserve "$w" 2
merge jobs e '{"spec": {"parallelism": 1}}'
check "with quota it is made anew" soon holds workloads "$w" '.metadata.uid != "'"$uid"'" and .spec.podSets[0].count == 1'
check "with an Event" soon event e DeletedWorkload "Deleted not matching Workload: t/$w"
admit "$w" 1
soon holds jobs e '.spec.suspend == false'
uid=$(get workloads "$w" .metadata.uid)
merge jobs e '{"metadata": {"labels": {"kueue.x-k8s.io/priority-class": "low"}}}'
check "a running Job changes its class" soon holds workloads "$w" '.spec.priority == 10 and .metadata.uid == "'"$uid"'"'
merge jobs e '{"spec": {"parallelism": 2}}'
check "a running Job that grows is stopped" soon event e Stopped 'No matching Workload; restoring pod templates according to existent Workload'
check "and gets a new Workload" soon holds workloads "$w" '.metadata.uid != "'"$uid"'" and .spec.podSets[0].count == 2'
check "suspended and restored" soon holds jobs e '.spec.suspend == true and (.spec.template.spec.nodeSelector // {}) == {}'
merge jobs e '{"spec": {"suspend": false}}'
check "a Job somebody starts without admission is stopped" soon event e Stopped 'Not admitted by cluster queue'
check "at once" soon holds jobs e '.spec.suspend == true'
status jobs e '{"active": 1}'
merge jobs e '{"spec": {"suspend": false}}'
soon holds jobs e '.spec.suspend == true and .metadata.annotations["kueue.x-k8s.io/stopping"] == "true"'
admit "$w" 2
check "an admission meanwhile waits for its pods to go" always holds jobs e '.spec.suspend == true'
status jobs e '{"active": 0}'
check "and starts it" soon holds jobs e '.spec.suspend == false and .metadata.annotations["kueue.x-k8s.io/stopping"] == null'
merge jobs e '{"spec": {"suspend": true}}'
check "an admitted Job somebody suspends is started" soon holds jobs e '.spec.suspend == false'

# ---- deletion ----
uid=$(get workloads "$w" .metadata.uid)
drop workloads "$w"
check "a deleted Workload stops the Job" soon event e Stopped 'Workload is deleted'
check "and is made again" soon holds workloads "$w" '.metadata.uid != "'"$uid"'" and .metadata.deletionTimestamp == null'
check "while the Job is suspended" holds jobs e '.spec.suspend == true'
api DELETE "$(at jobs e)" '{"propagationPolicy": "Background"}' application/json >/dev/null
check "a deleted Job finishes its Workload" soon holds workloads "$w" "$(has_condition Finished True OwnerNotFound "The workload's owner no longer exists") and (.metadata.finalizers // []) == []"
