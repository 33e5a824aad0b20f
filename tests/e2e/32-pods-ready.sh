#!/usr/bin/env bash
# waitForPodsReady: timeouts, recovery, back-off, the limit, and one admission at a time (spec/lifecycle.md 3).
# shellcheck source=workloads.sh
. "$(dirname "$0")/workloads.sh"
api_stage "$alone
waitForPodsReady: {timeout: 5s, recoveryTimeout: 1s, requeuingStrategy: {timestamp: Eviction, backoffBaseSeconds: 1, backoffMaxSeconds: 2, backoffLimitCount: 2}}" \
    --components core,webhooks-core,scheduler
flavor default
cluster_queue q 4
ready() { status "$1" 'condition("PodsReady"; "True"; "Started"; "All pods reached readiness and the workload is running")'; }
stops() { # the job of an evicted one has stopped, and said why
    status "$1" '(condition_of("Evicted")) as $e | condition("Requeued"; "False"; $e.reason; $e.message)'
    evicted_job_stops "$1"
}

# ---- start, three times ----
workload_make slow q 4
becomes "one is admitted" slow "$(cond Admitted True)"
workload_make other q 4
ended="Exceeded the PodsReady timeout t/slow"
for try in 1 2; do
    becomes "not ready in time, it is evicted ($try)" slow "$(cond Evicted True PodsReadyTimeout "$ended") and .status.requeueState.count == $try"
    check "requeueAt is that much later ($try)" wl slow "(.status.requeueState.requeueAt | fromdate) - (condition_of(\"Evicted\").lastTransitionTime | fromdate) | . == $try or . == $((try + 1))"
    check "the cause is counted ($try)" wl slow ".status.schedulingStats.evictions == [{reason: \"PodsReadyTimeout\", underlyingCause: \"WaitForStart\", count: $try}]"
    [ "$try" -gt 1 ] || tells "with an Event" slow Normal EvictedDueToPodsReadyTimeout "$ended"
    stops slow
    if [ "$try" -eq 1 ]; then
        becomes "the other one comes first: an eviction counts as arrival" other "$(cond Admitted True)"
        drop workloads other
    fi
    becomes "the back-off ends ($try)" slow "$(cond Requeued True BackoffFinished 'The workload backoff was finished') and .status.requeueState == {count: $try}"
    becomes "it is admitted again ($try)" slow "$(cond Admitted True)"
done
becomes "past the limit it is deactivated" slow ".spec.active == false and $(cond Evicted True DeactivatedDueToRequeuingLimitExceeded 'The workload is deactivated due to exceeding the maximum number of re-queuing retries')"
tells "with an Event" slow Normal EvictedDueToDeactivatedDueToRequeuingLimitExceeded 'The workload is deactivated due to exceeding the maximum number of re-queuing retries'
becomes "the count is cleared" slow '.status.requeueState == null and condition_of("DeactivationTarget") == null'
stops slow
check "it stays out" always wl slow "$(cond QuotaReserved False)"
edit slow '.spec.active = true'
becomes "until somebody activates it" slow "$(cond Requeued True Reactivated) and $(cond Admitted True)"
drop workloads slow

# ---- recovery ----
api_restart "$alone
waitForPodsReady: {timeout: 5m, recoveryTimeout: 1s}" --components core,webhooks-core,scheduler
workload_make shaky q 1
becomes "another is admitted" shaky "$(cond Admitted True)"
ready shaky
sleep 1.5
check "a ready one is left alone" wl shaky "$(cond Admitted True) and condition_of(\"Evicted\") == null"
status shaky 'condition("PodsReady"; "False"; "WaitForRecovery"; "At least one pod has failed, waiting for recovery")'
becomes "not recovered in time, it is evicted" shaky "$(cond Evicted True PodsReadyTimeout 'Exceeded the PodsReady timeout t/shaky') and .status.schedulingStats.evictions == [{reason: \"PodsReadyTimeout\", underlyingCause: \"WaitForRecovery\", count: 1}]"
drop workloads shaky

# ---- no recovery timeout ----
api_restart "$alone
waitForPodsReady: {timeout: 5m, recoveryTimeout: 0s}" --components core,webhooks-core,scheduler
workload_make patient q 1
becomes "admitted" patient "$(cond Admitted True)"
status patient 'condition("PodsReady"; "False"; "WaitForRecovery"; "At least one pod has failed, waiting for recovery")'
sleep 2
check "recoveryTimeout 0 waits for ever" wl patient "$(cond Admitted True) and condition_of(\"Evicted\") == null"
drop workloads patient

# ---- one at a time ----
api_restart "$alone
waitForPodsReady: {timeout: 5m, blockAdmission: true}" --components core,webhooks-core,scheduler
cluster_queue r 4
workload_make first q 1
becomes "the first is admitted" first "$(cond Admitted True)"
workload_make second q 1
workload_make third r 1
becomes "the second waits for it" second "$(cond QuotaReserved False WaitingForPodsReady 'waiting for all admitted workloads to be in PodsReady condition')"
becomes "in another queue, too" third "$(cond QuotaReserved False WaitingForPodsReady)"
check "without an Event" no_event second WaitingForPodsReady
ready first
either() { wl second "$(cond Admitted True)" || wl third "$(cond Admitted True)"; }
check "ready lets one in" soon either
sleep 0.5
both() { wl second "$(cond Admitted True)" && wl third "$(cond Admitted True)"; }
check "one only" not both
if wl second "$(cond Admitted True)"; then ready second; else ready third; fi
check "then the other" soon both
for name in second third; do ready $name; done
workload_make fourth q 1
becomes "the fourth goes in" fourth "$(cond Admitted True)"
workload_make fifth q 1
becomes "the fifth waits" fifth "$(cond QuotaReserved False WaitingForPodsReady)"
status fourth 'condition("Finished"; "True"; "Succeeded"; "done")'
becomes "a finished one holds nobody up" fifth "$(cond Admitted True)"
workload_make sixth q 1
becomes "the sixth waits" sixth "$(cond QuotaReserved False WaitingForPodsReady)"
drop workloads fifth
becomes "nor does a deleted one" sixth "$(cond Admitted True)"
workload_make urgent q 4 '.spec.priority = 10'
becomes "preemption does not wait" first "$(cond Evicted True Preempted)"
for name in first second sixth; do
    becomes "every victim is told" $name "$(cond Evicted True Preempted)"
    evicted_job_stops $name
done
becomes "and the preemptor starts when the rest is ready" urgent "$(cond Admitted True)"

# ---- switched off ----
api_restart "$alone
waitForPodsReady: {timeout: 1s}" --components core,webhooks-core,scheduler --feature-gates DisableWaitForPodsReady=true
sleep 1.5
check "nothing times out when it is switched off" wl urgent "$(cond Admitted True) and (condition_of(\"Evicted\").status != \"True\")"
