# api.sh - for tests that play the other controllers: etcd and the API server only, and quick requests to it.
# shellcheck shell=bash
#
# Sourced after lib.sh. Requests go through `kubectl proxy` by curl, some milliseconds each; bodies are JSON or YAML.

# shellcheck source=bare.sh
. "$(dirname "${BASH_SOURCE[0]}")/bare.sh"

# api_stage [YAML] [ARGUMENT]...: API server, webhooks, Sluice "one" with these arguments, namespace "t".
api_stage() {
    local yaml=${1:-}
    [ $# -eq 0 ] || shift
    bare_up
    bare_configure one "$yaml"
    sluice_start one "$@"
    api_open
    kubectl create namespace t >/dev/null
}

# api_restart YAML [ARGUMENT]...: the same Sluice with another configuration and other arguments.
api_restart() {
    sluice_kill one
    bare_configure one "$1"
    shift
    sluice_start one "$@"
}

api_open() {
    kubectl proxy --port=0 >"$work/proxy" 2>&1 &
    soon grep -q 'Starting to serve' "$work/proxy"
    api_url=http://$(sed -n 's/Starting to serve on //p' "$work/proxy")
}

# api METHOD PATH [BODY [CONTENT-TYPE]]: prints the answer; status 1 when it is an error.
api() {
    curl -sS --fail-with-body -m 30 -X "$1" -H "Content-Type: ${4:-application/yaml}" ${3:+--data-binary "$3"} "$api_url$2" 2>/dev/null
}
# The path of a kind in namespace "t": at KIND [NAME[/SUBRESOURCE]]
at() {
    local group=kueue.x-k8s.io/v1beta2
    case $1 in
        jobs) group=batch/v1 ;;
        events) group=events.k8s.io/v1 ;;
        jobsets) group=jobset.x-k8s.io/v1alpha2 ;;
        clusterqueues | cohorts | resourceflavors | workloadpriorityclasses | admissionchecks)
            echo "/apis/$group/$1${2:+/$2}"
            return
            ;;
    esac
    echo "/apis/$group/namespaces/t/$1${2:+/$2}"
}
# get KIND NAME FILTER: the object through jq -r; show KIND NAME: whole. make KIND BODY; merge KIND NAME BODY; drop KIND NAME.
show() { api GET "$(at "$1" "$2")"; }
get() { show "$1" "$2" | jq -r "$3"; }
make() { api POST "$(at "$1")?fieldManager=test" "$2" >"$work/made" || { cat "$work/made"; return 1; }; }
# make_soon KIND BODY: where the webhook may not have heard of the object's owner yet.
make_soon() { soon make "$@" >"$work/refusals" || { tail -n 1 "$work/refusals"; return 1; }; }
merge() { api PATCH "$(at "$1" "$2")?fieldManager=test" "$3" application/merge-patch+json >"$work/merged" || { cat "$work/merged"; return 1; }; }
drop() { api DELETE "$(at "$1" "$2")" "${3:-}" >/dev/null; }
# holds KIND NAME FILTER: does the object exist and satisfy it?
holds() { show "$1" "$2" >"$work/seen" 2>/dev/null && jq -e "$3" "$work/seen" >/dev/null 2>&1; }
gone() { ! show "$1" "$2" >/dev/null; }
# event REGARDING REASON NOTE [TYPE]: was this Event posted, with this exact note?
event() {
    events_of "$1" && grep -qxF "${4:-Normal} $2: $3" "$work/seen"
}
# event_like REGARDING PATTERN: was one posted that reads "TYPE REASON: NOTE", as an extended regular expression?
event_like() { events_of "$1" && grep -qxE "$2" "$work/seen"; }
# no_event REGARDING REASON
no_event() { events_of "$1" && ! grep -q "^[A-Za-z]* $2: " "$work/seen"; }
# events_of REGARDING: "TYPE REASON: NOTE" of each, as $work/seen.
events_of() { api GET "$(at events)" | jq -r --arg name "$1" '.items[] | select(.regarding.name == $name) | "\(.type) \(.reason): \(.note)"' >"$work/seen"; }

# refused TEXT METHOD PATH BODY [CONTENT-TYPE]: with exactly this message of the webhook.
refused() {
    local answer
    answer=$(api "$2" "$3" "$4" "${5:-}" | jq -r '.message // "accepted"') || true
    answer=${answer#*denied the request: }
    [ "$answer" = "$1" ] || { echo "answered: $answer" >"$work/seen"; return 1; }
}

# ---- playing the scheduler and the Job controller ----

# job_of NAME [FILTER]: a Job of queue "q" for 3 pods, changed by a jq filter.
job_of() {
    jq -nc --arg name "$1" '{apiVersion: "batch/v1", kind: "Job", metadata: {name: $name, namespace: "t", labels: {"kueue.x-k8s.io/queue-name": "q"}},
        spec: {parallelism: 3, completions: 3, template: {metadata: {annotations: {note: "x"}}, spec: {restartPolicy: "Never",
            containers: [{name: "c", image: "i:1", resources: {requests: {cpu: "1"}}}]}}}} | '"${2:-.}"
}
# workload_of JOB: the name of its Workload, computed.
workload_of() {
    local uid
    uid=$(get jobs "$1" .metadata.uid)
    echo "job-$1-$(printf 'Job\nbatch\n%s\n%s' "$1" "$uid" | sha1sum | cut -c1-5)"
}
submit() { make jobs "$(job_of "$@")" && w=$(workload_of "$1"); }
# status KIND NAME BODY: merge into the status. condition TYPE STATUS REASON MESSAGE: as JSON.
status() { api PATCH "$(at "$1" "$2/status")?fieldManager=test" "{\"status\": $3}" application/merge-patch+json >"$work/merged" || { cat "$work/merged"; return 1; }; }
condition() { jq -nc --arg t "$1" --arg s "$2" --arg r "$3" --arg m "${4:-}" '{type: $t, status: $s, reason: $r, message: $m, lastTransitionTime: (now | todate)}'; }
# update WORKLOAD SUBRESOURCE JQ: read, edit, put back; again after a conflict, so that nothing another wrote meanwhile is lost.
update() {
    local answer
    for _ in {1..50}; do
        answer=$(api PUT "$(at workloads "$1")$2?fieldManager=test" "$(api GET "$(at workloads "$1")" | jq -c "${filters:-} $3")") && return
        jq -e '.code == 409' <<<"$answer" >/dev/null || { jq -r .message <<<"$answer"; return 1; }
    done
    return 1
}
# with CONDITION[,CONDITION]: a filter that adds or replaces them. set_conditions WORKLOAD CONDITION[,CONDITION].
with() { echo "[$1] as \$new | .status.conditions = [.status.conditions[]? | select(.type as \$t | all(\$new[]; .type != \$t))] + \$new"; }
set_conditions() { update "$1" /status "$(with "$2")"; }
# admit WORKLOAD [COUNT]: as the scheduler and the Workload controller do.
reserve() {
    update "$1" /status "$(with "$(condition QuotaReserved True QuotaReserved)") | .status.admission = {clusterQueue: \"cq\",
        podSetAssignments: [{name: \"main\", count: ${2:-3}, flavors: {cpu: \"spot\"}, resourceUsage: {cpu: \"${2:-3}\"}}]}"
}
admit() { reserve "$@" && set_conditions "$1" "$(condition Admitted True Admitted)"; }
is_true() { echo "any(.status.conditions[]?; .type == \"$1\" and .status == \"True\")"; }
has_condition() { echo "any(.status.conditions[]?; .type == \"$1\" and .status == \"$2\" and .reason == \"$3\" and .message == \"$4\")"; }
# took COMMAND...: milliseconds until it holds.
took() {
    local begin
    begin=$(now_ms)
    soon "$@" || true
    echo $(($(now_ms) - begin))
}
