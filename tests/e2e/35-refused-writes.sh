#!/usr/bin/env bash
# Status writes that the API server fails, refuses or takes slowly: what is decided again, and how it shows
# (spec/process.md "Status writes of Workloads").
# shellcheck source=workloads.sh
. "$(dirname "$0")/workloads.sh"
api_stage "" --components core,webhooks-core,scheduler
flavor default
cluster_queue q 4
cluster_queue r 4

# Workloads that the controller has done with, for a look at whether a fault is there yet.
for name in broken slow; do
    workload_make $name-probe nowhere 1
    becomes "a probe is left alone" $name-probe "$(cond QuotaReserved False Misconfigured)"
done

# A webhook that nobody serves: writes to the status of Workloads named like this fail with a 500. With a port that
# takes connections and never answers they are slow, and pass after two seconds.
faulty() { # NAME PORT Fail|Ignore
    kubectl create -f - >/dev/null <<END
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: faults}
webhooks:
  - name: faults.example.com
    admissionReviewVersions: [v1]
    sideEffects: None
    failurePolicy: $3
    timeoutSeconds: 2
    clientConfig: {url: "https://127.0.0.1:$2/"}
    matchConditions: [{name: name, expression: 'request.name.startsWith("$1")'}]
    rules: [{apiGroups: [kueue.x-k8s.io], apiVersions: [v1beta2], operations: [UPDATE], resources: [workloads/status]}]
END
    check "the API server takes notice of $1" soon is_faulty "$1"
}
is_faulty() { ! merge workloads "$1-probe/status" '{}' >/dev/null || [ -s "$work/taken" ]; } # NAME
repaired() { kubectl delete validatingwebhookconfiguration faults >/dev/null; }
failed_writes() { curl -s "http://127.0.0.1:$(metrics_port one)/metrics" | awk '/^sluice_write_failures_total/ {n += $2} END {print n + 0}'; }

# ---- 5xx ----
faulty broken "$(free_port)" Fail
workload_make broken q 3
workload_make sound r 3
becomes "others go on" sound "$(cond Admitted True)"
check "a reservation that fails is not there" wl broken '.status.admission == null'
has_failed() { [ "$(failed_writes)" -gt 0 ]; }
check "failures are counted" soon has_failed
writes=$(failed_writes)
sleep 2
check "and not repeated at full speed ($(($(failed_writes) - writes)) in two seconds)" test $(($(failed_writes) - writes)) -lt 20
repaired
becomes "it is decided again when the server answers" broken "$(cond Admitted True)"
told_once() { events_of broken && [ "$(grep -c ' QuotaReserved: ' "$work/seen")" = 1 ]; }
check "one Event for one reservation" soon told_once

# ---- a victim whose eviction fails ----
faulty broken "$(free_port)" Fail
workload_make strong q 3 '.spec.priority = 9'
becomes "the preemptor says that it did not work" strong "$(cond QuotaReserved False WaitingForPreemptedWorkloads "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor default, 2 more needed. Preempting 1 workload(s) failed, will retry.")"
check "its victim runs on" wl broken "$(cond Admitted True) and condition_of(\"Evicted\") == null"
repaired
becomes "and is evicted when the server answers" broken "$(cond Evicted True Preempted)"
becomes "and counted once" broken '.status.schedulingStats.evictions == [{reason: "Preempted", underlyingCause: "", count: 1}]'
evicted_job_stops broken
becomes "the preemptor starts" strong "$(cond Admitted True)"
for name in broken sound strong; do drop workloads $name; done

# ---- refused for good ----
kubectl create -f - >/dev/null <<'END'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: never}
spec:
  failurePolicy: Fail
  matchConstraints: {resourceRules: [{apiGroups: [kueue.x-k8s.io], apiVersions: [v1beta2], operations: [UPDATE], resources: [workloads/status]}]}
  matchConditions: [{name: name, expression: 'request.name.startsWith("refused")'}]
  validations: [{expression: '!has(object.status.admission)', message: "not in this cluster"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: never}
spec: {policyName: never, validationActions: [Deny]}
END
policy_works() {
    kubectl get workload -n t probe >/dev/null 2>&1 || workload_make refused-probe nowhere 1 >/dev/null 2>&1 || true
    ! merge workloads refused-probe/status '{"status": {"admission": {"clusterQueue": "q", "podSetAssignments": [{"name": "main", "count": 1}]}}}' >/dev/null 2>&1
}
check "a policy refuses admissions" soon policy_works
workload_make refused q 3
workload_make small q 1
becomes "others go on" small "$(cond Admitted True)"
counted() { curl -fsS "http://127.0.0.1:$(metrics_port one)/metrics" | grep -q '^sluice_write_failures_total{code="\(invalid\|forbidden\)",kind="Workload"}'; }
note() { api GET "$(at events)" | jq -e 'any(.items[]; .regarding.name == "refused" and .reason == "UpdateRefused" and .type == "Warning" and (.note | test("not in this cluster")))' >/dev/null; }
check "the refusal is an Event on the Workload" soon note
check "and counts in a metric" soon counted
becomes "and its condition says so" refused 'condition_of("QuotaReserved") | .status == "False" and (.message | test("not in this cluster"))'
writes=$(failed_writes)
sleep 3
check "it is tried ever more rarely ($(($(failed_writes) - writes)) in three seconds)" test $(($(failed_writes) - writes)) -lt 5
kubectl delete validatingadmissionpolicybinding never >/dev/null
eventually 40 wl refused "$(cond Admitted True)" || true
becomes "until it passes" refused "$(cond Admitted True)"
for name in refused small refused-probe; do drop workloads $name; done

# ---- slow ----
slow=$(free_port)
perl -MIO::Socket::INET -e '$| = 1; $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => shift, Listen => 128) or die; while (1) { push @open, $s->accept; print "taken\n" }' "$slow" >"$work/taken" &
disown $!
listener=$!
faulty slow "$slow" Ignore
curl -sN "$api_url$(at workloads)?watch=1" >"$work/watched" &
watcher=$!
check "somebody watches" soon grep -q slow-probe "$work/watched"
for i in 1 2 3; do workload_make "slow-$i" q 1; done
workload_make quick r 1
becomes "another is written at once" quick "$(cond Admitted True)"
for i in 1 2 3; do becomes "slow ones are written side by side ($i)" "slow-$i" "$(cond Admitted True)"; done
first_seen() { jq -r "$filters"'.object | select(condition_of("Admitted").status == "True") | .metadata.name' "$work/watched" 2>/dev/null | grep -m 1 -E '^(quick|slow-3)$'; }
check "a slow write holds nobody up" test "$(first_seen)" = quick
kill "$watcher"
kill "$listener"
repaired
