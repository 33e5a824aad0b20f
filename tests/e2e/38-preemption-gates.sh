#!/usr/bin/env bash
# Preemption gates and the tuning of un-parking (spec/api.md 5.7, spec/scheduling.md 4.9; spec/process.md --tuning).
# shellcheck source=workloads.sh
. "$(dirname "$0")/workloads.sh"
api_stage "" --components core,webhooks-core,scheduler --feature-gates MultiKueueOrchestratedPreemption=true --tuning requeueBatch=30s
flavor default
cluster_queue q 4
gate=kueue.x-k8s.io/multikueue
gated="Workload requires preemption, but it's gated"

workload_make low q 4
becomes "one runs" low "$(cond Admitted True)"
workload_make high q 4 ".spec |= . + {priority: 10, preemptionGates: [{name: \"$gate\"}]}"
becomes "a closed gate forbids to preempt" high "$(cond QuotaReserved False AdmissionGated "$gated") and $(cond BlockedOnPreemptionGates True PreemptionGated "$gated")"
becomes "the status shows the gate" high "[.status.preemptionGates[] | {name, position}] == [{name: \"$gate\", position: \"Closed\"}]"
tells "and an Event" high Warning AdmissionGated "$gated"
check "it stays so" always wl high "$(cond QuotaReserved False AdmissionGated "$gated")"
check "the other runs on" wl low "$(cond Admitted True) and condition_of(\"Evicted\") == null"
status high '.status.preemptionGates[0] |= . + {position: "Open", lastTransitionTime: seconds_ago(0)}'
becomes "an open one allows it" low "$(cond Evicted True Preempted)"
becomes "and says for whom it waits" high "$(cond QuotaReserved False WaitingForPreemptedWorkloads)"
evicted_job_stops low
becomes "then it starts" high "$(cond Admitted True) and $(cond BlockedOnPreemptionGates False QuotaReserved "Previously: $gated")"

drop workloads low

workload_make parked q 4
becomes "one is parked" parked "$(cond QuotaReserved False WaitingForQuota)"
status high 'condition("Finished"; "True"; "Succeeded"; "done")'
sleep 2
check "with a batch of 30 s it stays parked" wl parked "$(cond QuotaReserved False)"
api_restart "" --components core,webhooks-core,scheduler --tuning requeueBatch=50ms
becomes "a restart looks at all of them" parked "$(cond Admitted True)"
workload_make next q 4
becomes "another is parked" next "$(cond QuotaReserved False WaitingForQuota)"
drop workloads parked
becomes "with a batch of 50 ms it starts soon" next "$(cond Admitted True)"
