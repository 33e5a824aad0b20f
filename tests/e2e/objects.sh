# objects.sh - short ways to make queues and look at them, for tests that play the other controllers.
# shellcheck shell=bash

# objects_begin: after the stage. Reads and edits go through `kubectl proxy`, ten times as fast as kubectl itself.
objects_begin() {
    kubectl proxy --port=0 >"$work/proxy.log" 2>&1 &
    soon grep -q 'Starting to serve on' "$work/proxy.log"
    proxy=http://$(sed -n 's/^Starting to serve on //p' "$work/proxy.log")
}

# url KIND[/NAME] [-n NAMESPACE]
url() {
    local kind=${1%%/*} name="" group=kueue.x-k8s.io/v1beta2 plural
    [ "$kind" = "$1" ] || name=/${1#*/}
    case $kind in
    topology) plural=topologies ;;
    workloadpriorityclass) plural=workloadpriorityclasses ;;
    *) plural=${kind}s ;;
    esac
    case $kind in
    namespace) echo "$proxy/api/v1/namespaces$name" ;;
    localqueue | workload) echo "$proxy/apis/$group/namespaces/${3:-${namespace:-default}}/$plural$name" ;;
    *) echo "$proxy/apis/$group/$plural$name" ;;
    esac
}
get() { curl -s -m 30 "$(url "$@")"; }
patch_with() { # CONTENT-TYPE SUBRESOURCE BODY KIND/NAME [-n NAMESPACE]
    curl -sS -m 30 -o "$work/answer" -w '%{http_code}' -X PATCH -H "Content-Type: application/$1" -d "$3" "$(url "${@:4}")$2" | grep -q '^2' ||
        { cat "$work/answer"; return 1; }
}

apply() { kubectl apply --server-side --force-conflicts -f - >/dev/null; }
# edit KIND/NAME [-n NAMESPACE] MERGE-PATCH; edit_status: the same of the status subresource.
edit() { patch_with merge-patch+json "" "${!#}" "${@:1:$#-1}"; }
edit_status() { patch_with merge-patch+json /status "${!#}" "${@:1:$#-1}"; }
# remove KIND/NAME [-n NAMESPACE]: asks for the deletion and does not wait for it.
remove() { curl -sS -m 30 -o /dev/null -X DELETE "$(url "$@")"; }

flavor_yaml() { # NAME [SPEC]
    printf -- '---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\nmetadata: {name: %s}\nspec: {%s}\n' "$1" "${2:-}"
}
check_yaml() { # NAME CONTROLLER
    printf -- '---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: AdmissionCheck\nmetadata: {name: %s}\nspec: {controllerName: %s}\n' "$1" "$2"
}
check_is() { # NAME True|False
    edit_status "admissioncheck/$1" "{\"status\": {\"conditions\": [{\"type\": \"Active\", \"status\": \"$2\", \"reason\": \"Test\", \"message\": \"m\", \"lastTransitionTime\": \"$(date -u +%FT%TZ)\"}]}}"
}
# cluster_queue_yaml NAME "FLAVOR..." [REST]: 10 cpu of each flavor.
cluster_queue_yaml() {
    local name=$1 f flavors=""
    for f in $2; do flavors="$flavors${flavors:+, }{name: $f, resources: [{name: cpu, nominalQuota: 10}]}"; done
    printf -- '---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nmetadata: {name: %s}\nspec:\n  namespaceSelector: {}\n' "$name"
    printf '  resourceGroups: [{coveredResources: [cpu], flavors: [%s]}]\n%s' "$flavors" "${3:+  $3
}"
}
local_queue_yaml() { # NAME CLUSTER-QUEUE [REST]
    printf -- '---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\nmetadata: {name: %s, namespace: %s}\nspec: {clusterQueue: %s%s}\n' "$1" "${namespace:-default}" "$2" "${3:+, $3}"
}
# workload_yaml NAME LOCAL-QUEUE CPU [SPEC] [METADATA]: one pod set of one pod.
workload_yaml() {
    cat <<END
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: Workload
metadata: {name: $1, namespace: ${namespace:-default}${5:+, $5}}
spec:
  queueName: $2
  ${4:-priority: 0}
  podSets: [{name: main, count: 1, template: {spec: {restartPolicy: Never, containers: [{name: c, image: i, resources: {requests: {cpu: $3}}}]}}}]
END
}

# reserve WORKLOAD CLUSTER-QUEUE FLAVOR CPU [True]: what a scheduler writes; with True, admitted as well.
reserve() {
    local at admitted=""
    at=$(date -u +%FT%TZ)
    [ -z "${5:-}" ] || admitted=", {\"type\": \"Admitted\", \"status\": \"True\", \"reason\": \"Admitted\", \"message\": \"m\", \"lastTransitionTime\": \"$at\"}"
    edit_status "workload/$1" -n "${namespace:-default}" "{\"status\": {
        \"admission\": {\"clusterQueue\": \"$2\", \"podSetAssignments\": [{\"name\": \"main\", \"count\": 1, \"flavors\": {\"cpu\": \"$3\"}, \"resourceUsage\": {\"cpu\": \"$4\"}}]},
        \"conditions\": [{\"type\": \"QuotaReserved\", \"status\": \"True\", \"reason\": \"QuotaReserved\", \"message\": \"m\", \"lastTransitionTime\": \"$at\"}$admitted]}}"
}

# condition TYPE KIND/NAME [-n NAMESPACE]: "STATUS REASON: MESSAGE".
condition() {
    get "${@:2}" |
        jq -r --arg type "$1" '.status.conditions[]? | select(.type == $type) | "\(.status) \(.reason): \(.message)"'
}
# field FILTER KIND/NAME [-n NAMESPACE]: what jq prints of it, in one line without quotes.
field() { get "${@:2}" | jq -c "$1" | tr -d '"'; }
is_there() { # "yes" or "no"
    [ "$(curl -s -m 30 -o /dev/null -w '%{http_code}' "$(url "$@")")" = 404 ] && echo no || echo yes
}

# expect TEXT WANTED COMMAND...: in the end the command prints WANTED; one check.
expect() {
    local text=$1 wanted=$2
    shift 2
    soon prints "$wanted" "$@" || true
    check "$text" test "$got" = "$wanted"
}
# stays TEXT WANTED COMMAND...: it prints WANTED, and does so for a second. What has to come about first was waited for.
stays() {
    local text=$1 wanted=$2
    shift 2
    always prints "$wanted" "$@" || true
    check "$text" test "$got" = "$wanted"
}
# settles TEXT WANTED COMMAND...: in the end it prints WANTED, and then stays so.
settles() {
    local text=$1 wanted=$2
    shift 2
    if soon prints "$wanted" "$@"; then always prints "$wanted" "$@" || true; fi
    check "$text" test "$got" = "$wanted"
}
# at_rest COMMAND...: until it has printed the same for two seconds; prints that.
at_rest() {
    local before='' now since deadline=$(($(now_ms) + 60000))
    while :; do
        now=$("$@")
        [ "$now" = "$before" ] || before=$now since=$(now_ms)
        [ $(($(now_ms) - since)) -lt 2000 ] && [ "$(now_ms)" -lt "$deadline" ] || break
        sleep 0.2
    done
    echo "$now"
}
# prints WANTED COMMAND...: does it? What it printed is $got.
prints() {
    local wanted=$1
    shift
    got=$("$@")
    [ "$got" = "$wanted" ]
}

# writes RESOURCE-REGEX SUBRESOURCE-REGEX: those that the API server has counted.
writes() {
    curl -s -m 30 "$proxy/metrics" | awk -v resource="resource=\"($1)\"" -v sub_="subresource=\"($2)\"" '
        /^apiserver_request_total\{/ && /verb="(APPLY|PATCH|PUT|POST|DELETE)"/ && $0 ~ resource && $0 ~ sub_ { n += $NF } END { print n + 0 }'
}
queue_writes() { writes 'clusterqueues|localqueues|cohorts' status; }
# many FIRST LAST METHOD URL [BODY]: one request for each number, which takes the place of @; many at a time.
many() {
    local i body
    for ((i = $1; i <= $2; i++)); do
        printf 'url = "%s"\nrequest = %s\nheader = "Content-Type: application/json"\noutput = /dev/null\n' "${4//@/$i}" "$3"
        body=${5:-}
        body=${body//@/$i}
        body=${body//$'\n'/ }
        [ -z "$body" ] || printf 'data = "%s"\n' "${body//\"/\\\"}"
        [ "$i" -eq "$2" ] || echo next
    done >"$work/many.curl"
    curl -s --parallel --parallel-max 16 -K "$work/many.curl" 2>/dev/null
}
