#!/usr/bin/env bash
# Status writes that the API server fails, refuses or takes slowly: what is decided again, and how it shows
# (spec/process.md "Status writes of Workloads").
# shellcheck source=workloads.sh
. "$(dirname "$0")/workloads.sh"
api_stage "" --components core,webhooks-core,scheduler
flavor default
cluster_queue q 4
cluster_queue r 4

# A webhook that nobody serves: writes to the status of Workloads named like this fail with a 500. With a port that
# takes connections and never answers they are slow, and pass after three seconds.
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
    timeoutSeconds: 3
    clientConfig: {url: "https://127.0.0.1:$2/"}
    matchConditions: [{name: name, expression: 'request.name.startsWith("$1")'}]
    rules: [{apiGroups: [kueue.x-k8s.io], apiVersions: [v1beta2], operations: [UPDATE], resources: [workloads/status]}]
END
    sleep 0.5 # the API server has to take notice
}
repaired() { kubectl delete validatingwebhookconfiguration faults >/dev/null; }
failed_writes() { curl -s "http://127.0.0.1:$(metrics_port one)/metrics" | awk '/^sluice_write_failures_total/ {n += $2} END {print n + 0}'; }

# ---- 5xx ----
faulty broken "$(free_port)" Fail
workload_make broken q 3
workload_make sound r 3
becomes "others go on" sound "$(cond Admitted True)"
check "a reservation that fails is not there" wl broken '.status.admission == null'
sleep 1
writes=$(failed_writes)
check "failures are counted" test "$writes" -gt 0
sleep 2
check "and not repeated at full speed ($(($(failed_writes) - writes)) in two seconds)" test $(($(failed_writes) - writes)) -lt 20
repaired
becomes "it is decided again when the server answers" broken "$(cond Admitted True)"
check "one Event for one reservation" bash -c "$(declare -f api at); api_url=$api_url; api GET \"\$(at events)\" | jq -e '[.items[] | select(.regarding.name == \"broken\" and .reason == \"QuotaReserved\")] | length == 1' >/dev/null"

# ---- a victim whose eviction fails ----
faulty broken "$(free_port)" Fail
workload_make strong q 3 '.spec.priority = 9'
becomes "the preemptor says that it did not work" strong "$(cond QuotaReserved False WaitingForPreemptedWorkloads "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor default, 2 more needed. Preempting 1 workload(s) failed, will retry.")"
check "its victim runs on" wl broken "$(cond Admitted True) and condition_of(\"Evicted\") == null"
repaired
becomes "and is evicted when the server answers" broken "$(cond Evicted True Preempted)"
check "and counted once" wl broken '.status.schedulingStats.evictions == [{reason: "Preempted", underlyingCause: "", count: 1}]'
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
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => shift, Listen => 128) or die; while (1) { push @open, $s->accept }' "$slow" &
disown $!
listener=$!
faulty slow "$slow" Ignore
for i in 1 2 3; do workload_make "slow-$i" q 1; done
workload_make quick r 1
overtakes() { wl quick "$(cond Admitted True)" && ! wl slow-3 "$(cond Admitted True)"; }
check "a slow write holds nobody up" soon overtakes
for i in 1 2 3; do becomes "slow ones are written side by side ($i)" "slow-$i" "$(cond Admitted True)"; done
kill "$listener"
repaired
