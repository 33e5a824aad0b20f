# workloads.sh - for tests that make Workloads themselves and play their job controller, check controllers or scheduler.
# shellcheck shell=bash
#
# Sourced instead of lib.sh and api.sh. Workloads have one pod set "main" and live in namespace "t"; queues have one
# flavor "default" with cpu.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=api.sh
. "$(dirname "${BASH_SOURCE[0]}")/api.sh"

# The beginning of every configuration: one replica.
alone='leaderElection: {leaderElect: false}'

# create KIND NAME OBJECT: one of this group; `at` knows where.
create() { make "$1" "$(jq -c --arg k "$2" '. + {apiVersion: "kueue.x-k8s.io/v1beta2", kind: $k}' <<<"$3")"; }

# ---- queues ----
flavor() { create resourceflavors ResourceFlavor "{\"metadata\": {\"name\": \"$1\"}}"; }
# cluster_queue NAME CPU [JQ]: the filter edits the object; a LocalQueue of the same name leads to it.
cluster_queue() {
    create clusterqueues ClusterQueue "$(jq -n --arg n "$1" --arg c "$2" '{metadata: {name: $n}, spec: {namespaceSelector: {},
        preemption: {reclaimWithinCohort: "Any", withinClusterQueue: "LowerPriority"},
        resourceGroups: [{coveredResources: ["cpu"], flavors: [{name: "default", resources: [{name: "cpu", nominalQuota: $c}]}]}]}} | '"${3:-.}")"
    local_queue "$1" "$1"
}
local_queue() { create localqueues LocalQueue "{\"metadata\": {\"name\": \"$1\"}, \"spec\": {\"clusterQueue\": \"$2\"}}"; }
# stop_policy localqueues|clusterqueues NAME POLICY
stop_policy() { merge "$1" "$2" "{\"spec\": {\"stopPolicy\": \"$3\"}}"; }
# admission_check NAME: an active one, whose controller is the test.
admission_check() {
    create admissionchecks AdmissionCheck "{\"metadata\": {\"name\": \"$1\"}, \"spec\": {\"controllerName\": \"example.com/$1\"}}"
    merge admissionchecks "$1/status" '{"status": {"conditions": [{"type": "Active", "status": "True", "reason": "Active", "message": "ok", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}'
}

# ---- other programs' writes ----
# workload_make NAME QUEUE CPU [JQ]
workload_make() {
    create workloads Workload "$(jq -n --arg n "$1" --arg q "$2" --arg c "$3" '{metadata: {name: $n}, spec: {queueName: $q, active: true,
        priority: 0, podSets: [{name: "main", count: 1, template: {spec: {restartPolicy: "Never", containers: [{name: "c", image: "i",
        resources: {requests: {cpu: $c}}}]}}}]}} | '"${4:-.}")"
}
# edit NAME JQ, status NAME JQ: as `update` does.
edit() { update "$1" "" "$2"; }
status() { update "$1" /status "$2"; }
# What the filters may use.
filters='def text_of($seconds): ($seconds | floor | todate);
def seconds_ago($n): text_of(now - $n);
def condition_of($type): (.status.conditions // []) | map(select(.type == $type)) | first;
def condition($type; $status; $reason; $message): condition_of($type) as $old
  | .status.conditions = [(.status.conditions // [])[] | select(.type != $type)] + [{type: $type, status: $status, reason: $reason, message: $message,
      lastTransitionTime: (if $old.status == $status then $old.lastTransitionTime else seconds_ago(0) end)}];
def check_of($name): (.status.admissionChecks // []) | map(select(.name == $name)) | first;
def check($name; $state; $message): .status.admissionChecks |= map(if .name == $name then
  (if .state != $state then .lastTransitionTime = seconds_ago(0) else . end) | .state = $state | .message = $message else . end);
'
# The job of an evicted Workload has stopped: its reservation is given up by server-side apply, which takes away
# what this manager has applied before and nothing else.
evicted_job_stops() {
    api PATCH "$(at workloads "$1")/status?fieldManager=kueue-admission&force=true" "$(api GET "$(at workloads "$1")" | jq -c "$filters"'
        condition("QuotaReserved"; "False"; "Pending"; "By test")
        | condition("Admitted"; "False"; "NoReservation"; "The workload has no reservation") | .metadata |= {name, namespace, uid}
        | .status |= ({conditions, admissionChecks, requeueState, schedulingStats} | with_entries(select(.value != null)))')" \
        application/apply-patch+yaml >/dev/null
}
# reserve NAME QUEUE CPU: in the part of the scheduler.
reserve() {
    status "$1" '.status.admission = {clusterQueue: "'"$2"'", podSetAssignments: [{name: "main", count: .spec.podSets[0].count, flavors: {cpu: "default"}, resourceUsage: {cpu: "'"$3"'"}}]}
        | condition("QuotaReserved"; "True"; "QuotaReserved"; "Quota reserved in ClusterQueue '"$2"'")'
}

# ---- looking ----
wl() { holds workloads "$1" "$filters $2"; }
# cond TYPE STATUS [REASON [MESSAGE]]: a filter that asks for it.
cond() {
    jq -rn --arg t "$1" --arg s "$2" --arg r "${3-}" --arg m "${4-}" '"(condition_of(\($t|tojson)) | .status == \($s|tojson)"
        + (if $r != "" then " and .reason == \($r|tojson)" else "" end) + (if $m != "" then " and .message == \($m|tojson)" else "" end) + ")"'
}
# becomes TEXT NAME FILTER
becomes() { check "$1" soon wl "$2" "$3"; }
# tells TEXT NAME TYPE REASON NOTE
tells() { check "$1" soon event "$2" "$4" "$5" "$3"; }
