#!/usr/bin/env bash
# Metrics right after what they count: the API server alone, the test plays the job controllers.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=api.sh
. "$(dirname "$0")/api.sh"
# shellcheck source=scrape.sh
. "$(dirname "$0")/scrape.sh"
metrics_options='enableClusterQueueResources: true'
api_stage 'leaderElection: {leaderElect: false}
fairSharing: {preemptionStrategies: [LessThanOrEqualToFinalShare, LessThanInitialShare]}' --components core,scheduler,webhooks-core

flavor f
# ---- queues without workloads ----
cq a 5 'cohortName: co, preemption: {withinClusterQueue: LowerPriority, reclaimWithinCohort: Any}'
lq qa a
shows 'kueue_cluster_queue_status{cluster_queue="a",status="active"}' 1
shows 'kueue_cluster_queue_status{cluster_queue="a",status="pending"}' 0
shows 'kueue_cluster_queue_status{cluster_queue="a",status="terminating"}' 0
shows 'kueue_local_queue_status{active="True",name="qa",namespace="t"}' 1
shows 'kueue_pending_workloads{cluster_queue="a",status="active"}' 0
shows 'kueue_pending_workloads{cluster_queue="a",status="inadmissible"}' 0
shows 'kueue_cluster_queue_nominal_quota{cluster_queue="a",cohort="co",flavor="f",resource="cpu"}' 5
shows 'kueue_cluster_queue_borrowing_limit{cluster_queue="a",cohort="co",flavor="f",resource="cpu"}' +Inf
shows 'kueue_cluster_queue_lending_limit{cluster_queue="a",cohort="co",flavor="f",resource="cpu"}' +Inf
shows 'kueue_cluster_queue_resource_reservation{cluster_queue="a",cohort="co",flavor="f",resource="cpu"}' 0
shows 'kueue_cluster_queue_resource_pending{cluster_queue="a",resource="cpu"}' 0
shows 'kueue_cluster_queue_info{cluster_queue="a",parent_cohort="co",root_cohort="co"}' 1
shows 'kueue_cohort_info{cohort="co",parent_cohort="",root_cohort="co"}' 1
shows 'kueue_cohort_subtree_quota{cohort="co",flavor="f",resource="cpu"}' 5
shows 'kueue_cluster_queue_weighted_share{cluster_queue="a",cohort="co"}' 0

# ---- admission ----
make workloadpriorityclasses '{apiVersion: kueue.x-k8s.io/v1beta2, kind: WorkloadPriorityClass, metadata: {name: high}, value: 1000}'
wl one qa 3
check "one is admitted" soon holds workloads one "$(is_true Admitted)"
shows 'kueue_quota_reserved_workloads_total{cluster_queue="a",priority_class=""}' 1
shows 'kueue_quota_reserved_wait_time_seconds_count{cluster_queue="a",priority_class=""}' 1
shows 'kueue_admitted_workloads_total{cluster_queue="a",priority_class=""}' 1
shows 'kueue_admission_wait_time_seconds_count{cluster_queue="a",priority_class=""}' 1
shows 'kueue_local_queue_quota_reserved_workloads_total{name="qa",namespace="t",priority_class=""}' 1
shows 'kueue_local_queue_admitted_workloads_total{name="qa",namespace="t",priority_class=""}' 1
shows 'kueue_local_queue_admission_wait_time_seconds_count{name="qa",namespace="t",priority_class=""}' 1
shows 'kueue_cohort_subtree_admitted_workloads_total{cohort="co",priority_class=""}' 1
shows 'kueue_cohort_subtree_admitted_active_workloads{cohort="co"}' 1
shows 'kueue_cohort_subtree_resource_reservations{cohort="co",flavor="f",resource="cpu"}' 3
shows 'kueue_reserving_active_workloads{cluster_queue="a"}' 1
shows 'kueue_admitted_active_workloads{cluster_queue="a"}' 1
shows 'kueue_local_queue_admitted_active_workloads{name="qa",namespace="t"}' 1
shows 'kueue_local_queue_resource_usage{flavor="f",name="qa",namespace="t",resource="cpu"}' 3
shows 'kueue_cluster_queue_resource_usage{cluster_queue="a",cohort="co",flavor="f",resource="cpu"}' 3
shows 'kueue_admission_attempts_total{result="success"}' 1
shows 'kueue_admission_checks_wait_time_seconds_count{cluster_queue="a",priority_class=""}' none

# ---- waiting ----
wl big qa 4
shows 'kueue_pending_workloads{cluster_queue="a",status="inadmissible"}' 1
shows 'kueue_local_queue_pending_workloads{name="qa",namespace="t",status="inadmissible"}' 1
shows 'kueue_cluster_queue_resource_pending{cluster_queue="a",resource="cpu"}' 4
shows 'kueue_pending_scheduling_hashes{cluster_queue="a",status="inadmissible"}' 1
shows 'kueue_unadmitted_workloads{cluster_queue="a",reason="NoReservation",underlying_cause="WaitingForQuota"}' 1
shows 'kueue_local_queue_unadmitted_workloads{cluster_queue="a",name="qa",namespace="t",reason="NoReservation",underlying_cause="WaitingForQuota"}' 1
shows 'kueue_admission_attempts_total{result="inadmissible"}' 1

make workloads '{apiVersion: kueue.x-k8s.io/v1beta2, kind: Workload, metadata: {name: odd, namespace: t}, spec: {queueName: qa, podSets: [{name: main, count: 1,
    template: {spec: {restartPolicy: Never, containers: [{name: c, image: i, resources: {requests: {cpu: 1, example.com/odd: 7}, limits: {example.com/odd: 7}}}]}}}]}}'
shows 'kueue_cluster_queue_resource_pending{cluster_queue="a",resource="example.com/odd"}' 7
drop workloads odd
shows 'kueue_cluster_queue_resource_pending{cluster_queue="a",resource="example.com/odd"}' none
shows 'kueue_cluster_queue_resource_pending{cluster_queue="a",resource="cpu"}' 4

# ---- preemption ----
wl urgent qa 4 'priority: 1000, priorityClassRef: {group: kueue.x-k8s.io, kind: WorkloadPriorityClass, name: high}'
check "one is evicted" soon holds workloads one "$(is_true Evicted)"
shows 'kueue_evicted_workloads_total{cluster_queue="a",priority_class="",reason="Preempted",underlying_cause=""}' 1
shows 'kueue_local_queue_evicted_workloads_total{name="qa",namespace="t",priority_class="",reason="Preempted",underlying_cause=""}' 1
shows 'kueue_evicted_workloads_once_total{cluster_queue="a",priority_class="",reason="Preempted",underlying_cause=""}' 1
shows 'kueue_preempted_workloads_total{preempting_cluster_queue="a",reason="InClusterQueue"}' 1
release one
check "urgent is admitted" soon holds workloads urgent "$(is_true Admitted)"
shows 'kueue_workload_eviction_latency_seconds_count{cluster_queue="a",reason="Preempted"}' 1
shows 'kueue_admitted_workloads_total{cluster_queue="a",priority_class="high"}' 1
shows 'kueue_pending_workloads{cluster_queue="a",status="inadmissible"}' 2

# ---- the end of a workload ----
end urgent
shows 'kueue_finished_workloads_total{cluster_queue="a",priority_class="high"}' 1
shows 'kueue_local_queue_finished_workloads_total{name="qa",namespace="t",priority_class="high"}' 1
shows 'kueue_execution_time_seconds_count{cluster_queue="a",priority_class="high"}' 1
shows 'kueue_finished_workloads{cluster_queue="a"}' 1
shows 'kueue_local_queue_finished_workloads{name="qa",namespace="t"}' 1
check "one is admitted again, or big" soon value_is 'kueue_reserving_active_workloads{cluster_queue="a"}' 1
drop workloads urgent
shows 'kueue_finished_workloads{cluster_queue="a"}' 0

# ---- the same for people ----
state() { curl -fsS "http://127.0.0.1:$(metrics_port one)/debug/state" | jq -e "$1" >/dev/null; }
check "the state has the form of a simulation's end" state 'keys_unsorted == ["clusterQueues", "cohorts", "waiting", "idle"] and (.clusterQueues[0] | keys_unsorted == ["name", "active", "queue", "parked", "reserving", "usage"]
    and .name == "a" and (.usage[0] | keys_unsorted == ["flavor", "resource", "reserved", "borrowed"]))'
check "who holds quota and who waits for what" soon state '.clusterQueues[0] as $q | $q.reserving + $q.parked | sort == ["t/big", "t/one"]'
check "and for what" soon state '.clusterQueues[0].parked as $parked | .cohorts[0].name == "co" and (.waiting | map({workload, clusterQueue, reason}) | any(. == {workload: $parked[0], clusterQueue: "a", reason: "WaitingForQuota"}))'

# ---- stop, deactivation ----
merge clusterqueues a '{"spec": {"stopPolicy": "Hold"}}'
shows 'kueue_cluster_queue_status{cluster_queue="a",status="pending"}' 1
shows 'kueue_local_queue_status{active="False",name="qa",namespace="t"}' 1
shows 'kueue_pending_workloads{cluster_queue="a",status="inadmissible"}' 1
merge clusterqueues a '{"spec": {"stopPolicy": "None"}}'
shows 'kueue_cluster_queue_status{cluster_queue="a",status="active"}' 1

# ---- admission checks ----
check_active c
cq b 5 'cohortName: co, admissionChecksStrategy: {admissionChecks: [{name: c}]}'
lq qb b
wl checked qb 1
check "checked has quota" soon holds workloads checked "$(is_true QuotaReserved)"
shows 'kueue_unadmitted_workloads{cluster_queue="b",reason="UnsatisfiedAdmissionChecks",underlying_cause=""}' 1
shows 'kueue_quota_reserved_workloads_total{cluster_queue="b",priority_class=""}' 1
shows 'kueue_admitted_workloads_total{cluster_queue="b",priority_class=""}' none
shows 'kueue_cluster_queue_resource_reservation{cluster_queue="b",cohort="co",flavor="f",resource="cpu"}' 1
shows 'kueue_cluster_queue_resource_usage{cluster_queue="b",cohort="co",flavor="f",resource="cpu"}' 0
check "the check is listed" soon holds workloads checked '.status.admissionChecks | length == 1'
status workloads checked '{"admissionChecks": [{"name": "c", "state": "Ready", "message": "", "lastTransitionTime": "2024-01-01T00:00:00Z"}]}'
check "checked is admitted" soon holds workloads checked "$(is_true Admitted)"
shows 'kueue_admitted_workloads_total{cluster_queue="b",priority_class=""}' 1
shows 'kueue_admission_checks_wait_time_seconds_count{cluster_queue="b",priority_class=""}' 1
shows 'kueue_local_queue_admission_checks_wait_time_seconds_count{name="qb",namespace="t",priority_class=""}' 1
shows 'kueue_unadmitted_workloads{cluster_queue="b",reason="UnsatisfiedAdmissionChecks",underlying_cause=""}' none
merge workloads checked '{"spec": {"active": false}}'
shows 'kueue_evicted_workloads_total{cluster_queue="b",priority_class="",reason="Deactivated",underlying_cause=""}' 1
release checked

# ---- moving and going ----
shows 'kueue_cohort_subtree_quota{cohort="co",flavor="f",resource="cpu"}' 10
merge clusterqueues b '{"spec": {"cohortName": "other"}}'
shows 'kueue_cluster_queue_nominal_quota{cluster_queue="b",cohort="other",flavor="f",resource="cpu"}' 5
shows 'kueue_cluster_queue_nominal_quota{cluster_queue="b",cohort="co",flavor="f",resource="cpu"}' none
shows 'kueue_cohort_subtree_quota{cohort="co",flavor="f",resource="cpu"}' 5
drop localqueues qb
check "nothing is left of LocalQueue qb" soon not_shown 'name="qb"'
drop clusterqueues b
check "nothing is left of ClusterQueue b" soon not_shown 'cluster_queue="b"'
check "nor of its implicit cohort" soon not_shown 'cohort="other"'
