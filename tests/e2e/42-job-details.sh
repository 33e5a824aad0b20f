#!/usr/bin/env bash
# Batch Jobs beside the straight way: partial admission, prebuilt Workloads, gates, classes, updates of checks, restarts.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=api.sh
. "$(dirname "$0")/api.sh"
parts=job:batch/job,webhook:batch/job
api_stage 'leaderElection: {leaderElect: false}
objectRetentionPolicies: {workloads: {afterDeactivatedByKueue: 1s}}' --components $parts
make resourceflavors '{apiVersion: kueue.x-k8s.io/v1beta2, kind: ResourceFlavor, metadata: {name: spot}, spec: {nodeLabels: {instance-type: spot}, tolerations: [{key: spot-taint, operator: Exists, effect: NoSchedule}]}}'

# ---- partial admission ----
submit part '.metadata.annotations = {"kueue.x-k8s.io/job-min-parallelism": "2"} | .spec.parallelism = 5 | .spec.completions = 10'
check "a minimum reaches the Workload" soon holds workloads "$w" '.spec.podSets[0] | .count == 5 and .minCount == 2'
admit "$w" 3
check "fewer pods start" soon holds jobs part '.spec.suspend == false and .spec.parallelism == 3 and .spec.completions == 10'
check "and the Job stays so" always holds jobs part '.spec.suspend == false'
set_conditions "$w" "$(condition Evicted True Preempted 'make room')"
check "an eviction restores the count" soon holds jobs part '.spec.suspend == true and .spec.parallelism == 5 and .spec.completions == 10'
check "the Workload is the same" holds workloads "$w" '.metadata.deletionTimestamp == null'

submit sync '.metadata.annotations = {"kueue.x-k8s.io/job-min-parallelism": "2", "kueue.x-k8s.io/job-completions-equal-parallelism": "true"} | .spec.parallelism = 5 | .spec.completions = 5 | .spec.completionMode = "Indexed"'
soon holds workloads "$w" true
admit "$w" 3
check "completions follow the parallelism" soon holds jobs sync '.spec.suspend == false and .spec.parallelism == 3 and .spec.completions == 3'
set_conditions "$w" "$(condition Evicted True NodeFailures 'node is gone')"
check "both ways" soon holds jobs sync '.spec.suspend == true and .spec.parallelism == 5 and .spec.completions == 5'

# ---- what an eviction leaves behind ----
submit out
soon holds workloads "$w" true
admit "$w"
soon holds jobs out '.spec.suspend == false'
set_conditions "$w" "$(condition Evicted True PodsReadyTimeout 'too slow')"
check "other evictions do not requeue at once" soon holds workloads "$w" "$(has_condition Requeued False PodsReadyTimeout 'too slow') and $(has_condition QuotaReserved False PendingEvaluation 'too slow')"
set_conditions "$w" "$(condition Evicted True DeactivatedDueToRequeuingLimitExceeded 'too often')"
merge workloads "$w" '{"spec": {"active": false}}'
check "a Job deactivated by the controller is deleted in time" soon gone jobs out
check "with an Event" soon event out Deleted 'Deleted job: deactivation retention period expired'
submit user
soon holds workloads "$w" true
set_conditions "$w" "$(condition Evicted True Deactivated 'The workload is deactivated')"
merge workloads "$w" '{"spec": {"active": false}}'
check "one deactivated by a person is not" bash -c 'sleep 1.2'
check "(it is there)" holds jobs user '.metadata.deletionTimestamp == null'

# ---- starting ----
submit clash '.spec.template.spec.nodeSelector = {"instance-type": "other"}'
soon holds workloads "$w" true
admit "$w"
check "a node selector that contradicts the flavor's ends the Workload" soon holds workloads "$w" "$(has_condition Finished True FailedToStart 'invalid admission check PodSetUpdate: conflict for nodeSelector: conflict for key=instance-type, value1=other, value2=spot')"
submit updates
soon holds workloads "$w" true
reserve "$w"
status workloads "$w" '{"admissionChecks": [{"name": "one", "state": "Pending", "message": "not yet", "lastTransitionTime": "2026-01-01T00:00:00Z"}, {"name": "two", "state": "Ready", "message": "fine", "lastTransitionTime": "2026-01-01T00:00:00Z"}, {"name": "three", "state": "Pending", "message": "nor I", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}'
check "what the checks say is reported" soon event updates UpdatedAdmissionCheck 'one: not yet; three: nor I'
status workloads "$w" '{"admissionChecks": [{"name": "one", "state": "Ready", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z", "podSetUpdates": [{"name": "main", "labels": {"l": "1"}, "annotations": {"a": "2"}, "nodeSelector": {"n": "3"}, "tolerations": [{"key": "t", "operator": "Exists"}]}]}]}'
set_conditions "$w" "$(condition Admitted True Admitted)"
check "their updates reach the template" soon holds jobs updates '.spec.suspend == false and (.spec.template | .metadata.labels.l == "1" and .metadata.annotations.a == "2" and .spec.nodeSelector == {n: "3", "instance-type": "spot"} and (.spec.tolerations | length) == 2)'
submit contrary
soon holds workloads "$w" true
reserve "$w"
status workloads "$w" '{"admissionChecks": [{"name": "one", "state": "Ready", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z", "podSetUpdates": [{"name": "main", "nodeSelector": {"instance-type": "3"}}]}]}'
set_conditions "$w" "$(condition Admitted True Admitted)"
check "contradicting ones end it" soon holds workloads "$w" "$(has_condition Finished True FailedToStart 'in admission check \"one\": invalid admission check PodSetUpdate: conflict for nodeSelector: conflict for key=instance-type, value1=spot, value2=3')"

# ---- classes ----
submit class '.metadata.labels += {"kueue.x-k8s.io/priority-class": "later"}'
check "a class that is not there is reported" soon event class WorkloadPriorityClassNotFound 'WorkloadPriorityClass "later" not found' Warning
check "and waited for" gone workloads "$w"
make workloadpriorityclasses '{apiVersion: kueue.x-k8s.io/v1beta2, kind: WorkloadPriorityClass, metadata: {name: later}, value: 7}'
check "until it is there" soon holds workloads "$w" '.spec.priority == 7'
api POST /apis/scheduling.k8s.io/v1/priorityclasses '{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: pods}, value: 33}' >/dev/null
submit pods '.spec.template.spec.priorityClassName = "pods"'
check "the pods' own class counts" soon holds workloads "$w" '.spec.priority == 33 and .spec.priorityClassRef == {group: "scheduling.k8s.io", kind: "PriorityClass", name: "pods"}'

# ---- gates ----
submit gated '.metadata.annotations = {"kueue.x-k8s.io/admission-gated-by": "a.b/c,a.b/d"}'
check "admission gates are copied" soon holds workloads "$w" '.metadata.annotations["kueue.x-k8s.io/admission-gated-by"] == "a.b/c,a.b/d"'
merge jobs gated '{"metadata": {"annotations": {"kueue.x-k8s.io/admission-gated-by": "a.b/d"}}}'
check "and follow" soon holds workloads "$w" '.metadata.annotations["kueue.x-k8s.io/admission-gated-by"] == "a.b/d"'
check "with an Event" soon event gated UpdatedWorkload 'Updated workload AdmissionGatedBy to "a.b/d"'
merge jobs gated '{"metadata": {"annotations": {"kueue.x-k8s.io/admission-gated-by": null}}}'
check "until they are gone" soon holds workloads "$w" '.metadata.annotations["kueue.x-k8s.io/admission-gated-by"] == null'

# ---- prebuilt Workloads ----
prebuilt() {
    jq -nc --arg n "$1" '{apiVersion: "kueue.x-k8s.io/v1beta2", kind: "Workload", metadata: {name: $n, namespace: "t"}, spec: {queueName: "q", podSets: [{name: "main", count: 3, template: {spec: {restartPolicy: "Never",
        containers: [{name: "c", image: "i:1", imagePullPolicy: "IfNotPresent", terminationMessagePath: "/dev/termination-log", terminationMessagePolicy: "File", resources: {requests: {cpu: "1000m"}}}]}}}]}} | '"${2:-.}"
}
make workloads "$(prebuilt one)"
make jobs "$(job_of pre '.metadata.annotations = {"kueue.x-k8s.io/prebuilt-workload-name": "one"}')"
check "a prebuilt Workload is taken over" soon holds workloads one '.metadata.ownerReferences[0] == {apiVersion: "batch/v1", kind: "Job", name: "pre", uid: "'"$(get jobs pre .metadata.uid)"'", controller: true, blockOwnerDeletion: true} and .metadata.labels["kueue.x-k8s.io/job-uid"] == "'"$(get jobs pre .metadata.uid)"'"'
check "and nothing made" gone workloads "$(workload_of pre)"
admit one
check "it starts the Job" soon holds jobs pre '.spec.suspend == false'
status jobs pre "{\"startTime\": \"$(date -u +%FT%TZ)\", \"succeeded\": 3, \"uncountedTerminatedPods\": {}, \"completionTime\": \"$(date -u +%FT%TZ)\", \"conditions\": [$(condition SuccessCriteriaMet True CompletionsReached), $(condition Complete True CompletionsReached 'all done')]}"
check "and ends with it" soon holds workloads one "$(has_condition Finished True Succeeded 'all done')"
check "which is reported" soon event pre FinishedWorkload "Workload 't/one' is declared finished"
make jobs "$(job_of late '.metadata.annotations = {"kueue.x-k8s.io/prebuilt-workload-name": "two"}')"
check "one that is not there yet is waited for" always holds jobs late '.spec.suspend == true'
make workloads "$(prebuilt two)"
check "and taken over when it comes" soon holds workloads two '.metadata.ownerReferences[0].name == "late"'
make jobs "$(job_of thief '.metadata.annotations = {"kueue.x-k8s.io/prebuilt-workload-name": "two"}')"
check "but not from another Job" always holds workloads two '(.metadata.ownerReferences | length) == 1 and .metadata.ownerReferences[0].name == "late"'
merge jobs thief '{"spec": {"suspend": false}}'
check "a running Job without its Workload is stopped" soon event thief Stopped 'missing workload'
make workloads "$(prebuilt odd '.spec.podSets[0].count = 2')"
make jobs "$(job_of odd '.metadata.annotations = {"kueue.x-k8s.io/prebuilt-workload-name": "odd"}')"
check "a Workload that differs is out of sync" soon holds workloads odd "$(has_condition Finished True OutOfSync 'The prebuilt workload is out of sync with its user job')"
check "the Job stays suspended" holds jobs odd '.spec.suspend == true'

# ---- more than one Workload ----
submit two
soon holds workloads "$w" true
made_for() { # made_for NAME JOB FILTER: a Workload that the Job controls
    prebuilt "$1" ".metadata.ownerReferences = [{apiVersion: \"batch/v1\", kind: \"Job\", name: \"$2\", uid: \"$(get jobs "$2" .metadata.uid)\", controller: true, blockOwnerDeletion: true}] | .metadata.finalizers = [\"kueue.x-k8s.io/resource-in-use\"] | $3"
}
make workloads "$(made_for surplus two '.spec.podSets[0].count = 7')"
check "a second Workload that differs is deleted" soon gone workloads surplus
check "with an Event" soon event two DeletedWorkload "Deleted not matching Workload: t/surplus"
check "the first stays" holds workloads "$w" '.metadata.deletionTimestamp == null'
make workloads "$(made_for twin two .)"
check "so is one that does not differ" soon gone workloads twin
make workloads "$(made_for plain two 'del(.metadata.ownerReferences[0].controller)')"
check "and one that the Job owns without controlling it" soon gone workloads plain

# ---- the name is taken ----
make jobs "$(job_of taken '.spec.suspend = true | del(.metadata.labels)')"
w=$(workload_of taken)
make workloads "$(prebuilt "$w" '.spec.podSets[0].count = 7')"
merge jobs taken '{"metadata": {"labels": {"kueue.x-k8s.io/queue-name": "q"}}}'
check "a foreign Workload of the name is reported" soon event taken WorkloadNameConflict "Workload t/$w exists already and is not owned by this Job" Warning
check "and left alone" holds workloads "$w" '.spec.podSets[0].count == 7 and .metadata.ownerReferences == null'
drop workloads "$w"
check "when it is gone the Job gets its own" soon holds workloads "$w" '.metadata.ownerReferences[0].name == "taken"'

# ---- while nobody looks ----
submit before
soon holds workloads "$w" true
before=$w
sluice_kill one
bare_unregister
submit running '.spec.suspend = false'
running=$w
admit "$before"
api_restart 'leaderElection: {leaderElect: false}' --components $parts
check "a Job made while the controller was down is stopped" soon event running Stopped 'Missing Workload; unable to restore pod templates'
check "and gets its Workload" soon holds workloads "$running" true
check "an admission written then starts its Job" soon holds jobs before '.spec.suspend == false'
