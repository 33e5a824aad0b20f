#!/usr/bin/env bash
# Preemption as other programs see it: victims, preemptor, Events, the way back (spec/scheduling.md 5.8, 4.14).
# shellcheck source=workloads.sh
. "$(dirname "$0")/workloads.sh"
api_stage "" --components core,webhooks-core,scheduler
flavor default
cluster_queue q 4
uid() { get workloads "$1" .metadata.uid; }

# ---- within a ClusterQueue ----
workload_make low q 2 '.metadata.labels = {"kueue.x-k8s.io/job-uid": "low-job"} | .metadata.ownerReferences = [{apiVersion: "batch/v1", kind: "Job", name: "low", uid: "low-job"}]'
workload_make middle q 2 '.spec.priority = 5'
becomes "two run" low "$(cond Admitted True)"
becomes "two run" middle "$(cond Admitted True)"
workload_make high q 2 '.spec.priority = 10 | .metadata.labels = {"kueue.x-k8s.io/job-uid": "high-job"} | .metadata.ownerReferences = [{apiVersion: "batch/v1", kind: "Job", name: "high", uid: "high-job"}]'
why="Preempted to accommodate a workload (UID: $(uid high), JobUID: high-job) due to prioritization in the ClusterQueue; preemptor path: /q; preemptee path: /q"
ranks="preemptor effective priority: 10 (base: 10, boost: 0); preemptee effective priority: 0 (base: 0, boost: 0)"
becomes "the lowest is preempted" low "$(cond Preempted True InClusterQueue "$why") and $(cond Evicted True Preempted "$why")"
check "Preempted carries no generation, Evicted does" wl low '(condition_of("Preempted") | has("observedGeneration") | not) and condition_of("Evicted").observedGeneration == 1'
check "it keeps its quota until its pods are gone" wl low "$(cond QuotaReserved True) and $(cond Admitted True)"
check "one eviction is counted" wl low '.status.schedulingStats.evictions == [{reason: "Preempted", underlyingCause: "", count: 1}]'
short="couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor default, 2 more needed"
becomes "the preemptor says whom it waits for" high "$(cond QuotaReserved False WaitingForPreemptedWorkloads "$short. Pending the preemption of 1 workload(s)")"
tells "the victim's eviction is an Event" low Normal EvictedDueToPreempted "$why"
tells "its preemption is one" low Normal Preempted "$why; $ranks"
tells "the preemptor's is one" high Normal PreemptedWorkload "Preempted workload t/low (UID: $(uid low)) in ClusterQueue q; $ranks"
tells "and its waiting" high Warning WaitingForPreemptedWorkloads "$short. Pending the preemption of 1 workload(s)"
check "nobody else is touched" always wl middle "$(cond Admitted True)"
evicted_job_stops low
becomes "the preemptor starts when the quota is free" high "$(cond Admitted True)"
becomes "the victim waits" low "$(cond QuotaReserved False WaitingForQuota) and $(cond Evicted True Preempted)"
drop workloads high
becomes "and comes back when there is room" low "$(cond Admitted True) and $(cond Evicted False QuotaReserved "Previously: $why") and $(cond Preempted False QuotaReserved "Previously: $why")"
check "without a generation on Preempted" wl low 'condition_of("Preempted") | has("observedGeneration") | not'
workload_make equal q 2 '.spec.priority = 0'
becomes "equal priority preempts nobody" equal "$(cond QuotaReserved False WaitingForQuota "$short")"
drop workloads equal
drop workloads low
drop workloads middle

# ---- reclaiming in a cohort ----
cluster_queue left 2 '.spec.cohortName = "both"'
cluster_queue right 2 '.spec.cohortName = "both"'
for i in 1 2 3 4; do workload_make "left-$i" left 1; done
for i in 1 2 3 4; do becomes "left borrows ($i)" "left-$i" "$(cond Admitted True)"; done
workload_make mine right 2
borrowers() { api GET "$(at workloads)" | jq -e "$filters"' [.items[] | select(condition_of("Preempted") | .status == "True" and .reason == "InCohortReclamation"
    and (.message | test("due to reclamation within the cohort; preemptor path: /both/right; preemptee path: /both/left$")))] | length == 2' >/dev/null; }
check "two borrowers are preempted, with both paths" soon borrowers
becomes "the lender says so" mine "$(cond QuotaReserved False WaitingForPreemptedWorkloads "$short. Pending the preemption of 2 workload(s)")"
for i in 1 2 3 4; do ! wl "left-$i" "$(cond Preempted True)" || evicted_job_stops "left-$i"; done
becomes "and gets its quota back" mine "$(cond Admitted True)"
held() { api GET "$(at workloads)" | jq -e "$filters"'[.items[] | select(condition_of("QuotaReserved").status == "True") | .status.admission | select(.clusterQueue | IN("left", "right"))
    | .podSetAssignments[0].resourceUsage.cpu | tonumber] | add <= 4' >/dev/null; }
check "together they never hold more than the cohort's quota" always held
settled() { holds clusterqueues left '.status.flavorsReservation[0].resources[0].total == "2"' && holds clusterqueues right '.status.flavorsReservation[0].resources[0].total == "2"'; }
check "and their status says so" soon settled

# ---- a victim that finishes or is deactivated instead ----
workload_make a q 4
becomes "one runs" a "$(cond Admitted True)"
workload_make b q 4 '.spec.priority = 1'
becomes "it is preempted" a "$(cond Evicted True Preempted)"
edit a '.spec.active = false'
becomes "deactivated its quota is free at once" b "$(cond Admitted True)"
becomes "and the deactivation is not a second eviction" a '.status.schedulingStats.evictions == [{reason: "Preempted", underlyingCause: "", count: 1}]'
workload_make c q 4 '.spec.priority = 2'
becomes "the next one is preempted" b "$(cond Evicted True Preempted)"
status b 'condition("Finished"; "True"; "Succeeded"; "done")'
becomes "a victim that finishes gives way as well" c "$(cond Admitted True)"
