#!/usr/bin/env bash
# Batch Jobs with feature gates off, other settings, and what is left over from earlier Jobs.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=api.sh
. "$(dirname "$0")/api.sh"
parts=job:batch/job,webhook:batch/job
plain='leaderElection: {leaderElect: false}'
custom='customLabels: [{name: team, sourceLabelKey: team, sourceKind: Workload, trackedValues: [a, b]}, {name: cost, sourceAnnotationKey: cost, sourceKind: Workload, trackedValues: [a, b]}]'
metrics_options=$custom
api_stage "$plain" --components $parts --feature-gates CustomMetricLabels=true,ShortWorkloadNames=true
make resourceflavors '{apiVersion: kueue.x-k8s.io/v1beta2, kind: ResourceFlavor, metadata: {name: spot}}'

# ---- gates that are on ----
long=$(printf 'n%.0s' {1..60})
make jobs "$(job_of "$long" '.metadata.labels.team = "a" | .metadata.annotations = {cost: "b", other: "c"}')"
w=job-$(printf 'n%.0s' {1..53})-$(printf 'Job\nbatch\n%s\n%s' "$long" "$(get jobs "$long" .metadata.uid)" | sha1sum | cut -c1-5)
check "names can be kept short" soon holds workloads "$w" true
check "what custom metric labels read is copied" holds workloads "$w" '.metadata.labels.team == "a" and .metadata.annotations == {cost: "b"}'

metrics_options=
# ---- gates that are off ----
api_restart "$plain" --components $parts --feature-gates PartialAdmission=false,ReclaimablePods=false,AssignQueueLabelsForPods=false,UnadmittedWorkloadsObservability=false,DisableWaitForPodsReady=true,AdmissionGatedBy=false,TopologyAwareScheduling=false,TASProfileMixed=false,TASFailedNodeReplacement=false,TASFailedNodeReplacementFailFast=false,TASReplaceNodeOnPodTermination=false,TASReplaceNodeOnNodeTaints=false,TASMultiLayerTopology=false,TASHandleOverlappingFlavors=false,TASRecomputeAssignmentWithinSchedulingCycle=false
submit off '.metadata.annotations = {"kueue.x-k8s.io/job-min-parallelism": "2", "kueue.x-k8s.io/admission-gated-by": "a.b/c"}'
check "no minimum, no topology, no gate" soon holds workloads "$w" '.spec.podSets[0].minCount == null and .spec.podSets[0].topologyRequest == null and .metadata.annotations == null'
admit "$w"
check "no queue labels and no Workload's name on pods" soon holds jobs off '.spec.suspend == false and (.spec.template.metadata | .labels["kueue.x-k8s.io/podset"] == "main" and .labels["kueue.x-k8s.io/local-queue-name"] == null and .annotations == {note: "x"})'
status jobs off "{\"startTime\": \"$(date -u +%FT%TZ)\", \"active\": 1, \"ready\": 1, \"succeeded\": 2, \"uncountedTerminatedPods\": {}}"
check "no reclaimable pods, no readiness" always holds workloads "$w" '.status.reclaimablePods == null and all(.status.conditions[]; .type != "PodsReady")'
set_conditions "$w" "$(condition Evicted True Preempted 'make room')"
soon holds jobs off '.spec.suspend == true'
status jobs off '{"active": 0, "ready": 0}'
check "the older reason" soon holds workloads "$w" "$(has_condition QuotaReserved False Pending 'make room')"

# ---- after a Job of the same name ----
api_restart "$plain" --components $parts
submit again
old=$w
soon holds workloads "$old" "$(has_condition PodsReady False WaitForStart 'Not all pods are ready or succeeded')"
sluice_kill one
bare_unregister
api DELETE "$(at jobs again)" '{"propagationPolicy": "Background"}' application/json >/dev/null
submit again '.spec.suspend = true'
api_restart "$plain" --components $parts
check "the new Job gets its own Workload" soon holds workloads "$w" true
check "and the old one goes" soon gone workloads "$old"
check "with an Event" soon event again DeletedWorkload "Deleted not matching Workload: t/$old"
