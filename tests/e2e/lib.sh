# lib.sh - what the end-to-end tests share: a real control plane, Sluice in front of it, and checks.
# shellcheck shell=bash
#
# A test is tests/e2e/NN-name.sh. It sources this file, calls `cluster_up`, `sluice_start` and so on, and
# reports with `check`. Everything it makes lies in $work, which is gone when the test ends; processes are
# ended by id. Exit status 0 only when every check passed.
#
# Nothing may fail because the machine is slow: what follows an action is waited for (`eventually`, `soon`, `expect`,
# `becomes`), and what must not change is watched from the moment on at which it was seen to be there (`stays`, `always`).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${SLUICE_PROGRAM:-$root/out/release/admitter.bin}
work=$(mktemp -d "${TMPDIR:-/tmp}/sluice-e2e.XXXXXX")
passed=0 failed=0
replicas=()

finish() {
    local status=$? i
    set +e
    trap - EXIT INT TERM
    if [ "$failed" -gt 0 ] || [ "$status" -ne 0 ]; then
        for i in $(printf '%s\n' "${replicas[@]:-}" | sort -u); do
            [ ! -f "$work/$i.pid" ] || { echo "--- state of $i"; curl -s -m 5 "http://127.0.0.1:$(metrics_port "$i")/debug/state" | cut -c1-2000; }
        done
    fi
    for i in "${replicas[@]:-}"; do [ -z "$i" ] || sluice_kill "$i" 2>/dev/null; done
    [ -z "${watched:-}" ] || watch_end "$watched"
    jobs -p | while read -r pid; do kill "$pid" 2>/dev/null; done
    [ ! -d "$work/cluster/run" ] || "$root/tests/cluster/cluster" down "$work/cluster" --purge >/dev/null 2>&1
    if [ "$failed" -gt 0 ] || [ "$status" -ne 0 ]; then
        if [ -n "${SLUICE_KEEP:-}" ]; then echo "kept: $work"; else
            for log in "$work"/sluice-*.log; do
                [ ! -f "$log" ] || { echo "--- the last lines of $(basename "$log")"; grep -v '"level":"info"' "$log" | tail -n 15; }
            done
        fi
    fi
    [ -n "${SLUICE_KEEP:-}" ] || rm -rf "$work"
    [ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || { failed=1; echo "FAILED: the test itself ended with status $status"; }
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$status" -eq 0 ]
    exit $?
}
trap finish EXIT
trap 'exit 130' INT TERM

say() { printf '  %s\n' "$*"; }
now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# check TEXT COMMAND...: count it; a failure does not end the test, and tells what was looked at: the two sides of
# `test A = B`, or what the command left in $work/seen.
check() {
    local text=$1
    shift
    rm -f "$work/seen"
    if "$@"; then
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
    echo "FAILED: $text"
    if [ "$1 ${3:-}" = "test =" ]; then
        printf '    wanted: %s\n    got:    %s\n' "$4" "$2"
    else
        printf '    command: %.600s\n' "$*"
        [ ! -s "$work/seen" ] || { jq -c 'del(.metadata.managedFields)' "$work/seen" 2>/dev/null || cat "$work/seen"; } | sed 's/^/    seen:    /' | cut -c1-3000
    fi
}

# eventually SECONDS COMMAND...: until it succeeds. SECONDS are a quiet machine's; a loaded one gets four times as many.
eventually() {
    local deadline=$(($(now_ms) + $1 * 4000)) pause=20
    shift
    until "$@"; do
        [ "$(now_ms)" -lt "$deadline" ] || return 1
        sleep "0.$(printf '%03d' "$pause")"
        pause=$((pause < 160 ? pause * 2 : 200))
    done
}
soon() { eventually 5 "$@"; }
# always COMMAND...: for a second from now on.
always() {
    local deadline=$(($(now_ms) + 1000))
    while "$@"; do
        [ "$(now_ms)" -lt "$deadline" ] || return 0
        sleep 0.05
    done
    return 1
}

# ---- the control plane ----

# cluster_up [--with ...]: all servers by default.
cluster_up() {
    [ $# -gt 0 ] || set -- --with all
    "$root/tests/cluster/cluster" up "$work/cluster" --die-with $$ --max-minutes 30 "$@" >/dev/null 2>"$work/cluster.log" ||
        { cat "$work/cluster.log"; return 1; }
    eval "$("$root/tests/cluster/cluster" env "$work/cluster")"
    kubectl apply --server-side -f "$root/crds/" >/dev/null
    kubectl create namespace sluice-system >/dev/null
    definitions_served
}

# definitions_served: until the API server answers for every kind, which it does some time after it has taken the definitions.
definitions_served() {
    local kinds
    kinds=$(kubectl get -f "$root/crds/" -o json | jq -r '[.items[].metadata.name] | join(",")')
    eventually 30 listed "$kinds" || { echo "the definitions are not served"; return 1; }
}
listed() { kubectl get "$1" -A >/dev/null 2>&1; }

cluster() { "$root/tests/cluster/cluster" "$1" "$work/cluster" "${@:2}"; }
gpu_nodes() { cluster nodes gpu "$1" cpu=64 memory=512Gi nvidia.com/gpu=8; }

free_port() { "$root/tests/cluster/free-port"; }

# chart_install PORT [--set ...]: definitions, webhook configurations and rights for a controller outside.
chart_install() {
    local port=$1
    shift
    "$root/tests/conversion-url" "https://127.0.0.1:$port"
    helm install sluice "$root/charts/sluice" -n sluice-system --set controller.enabled=false \
        --set "webhook.url=https://127.0.0.1:$port" --set crds.install=false "$@" >"$work/helm.log" 2>&1 ||
        { cat "$work/helm.log"; return 1; }
}

# ---- Sluice ----

# sluice_configure NAME WEBHOOK-PORT [YAML]: a configuration file; the YAML is appended. $metrics_options go into "metrics".
sluice_configure() {
    cat >"$work/config-$1.yaml" <<END
apiVersion: config.kueue.x-k8s.io/v1beta2
kind: Configuration
namespace: sluice-system
webhook: {host: 127.0.0.1, port: $2}
health: {healthProbeBindAddress: "127.0.0.1:$(free_port)"}
metrics: {${metrics_options:+$metrics_options, }bindAddress: "127.0.0.1:$(free_port)"}
internalCertManagement: {enable: true, webhookServiceName: sluice-webhook-service, webhookSecretName: sluice-webhook-server-cert}
${3:-"leaderElection: {leaderElect: false}"}
END
}

health_port() { sed -nE 's/.*healthProbeBindAddress: "127.0.0.1:([0-9]+)".*/\1/p' "$work/config-$1.yaml"; }
metrics_port() { sed -nE 's/.*bindAddress: "127.0.0.1:([0-9]+)".*/\1/p' "$work/config-$1.yaml" | tail -n 1; }
is_ready() { curl -fsS -m 10 "http://127.0.0.1:$(health_port "$1")/readyz" >/dev/null 2>&1; }

# sluice_spawn NAME [ARGUMENT]...: a child of this shell, which can wait for it.
sluice_spawn() {
    local name=$1
    shift
    "${launcher[@]}" "$program" run --config "$work/config-$name.yaml" --ledger "$work/ledger-$name.db" --metrics-plaintext --debug-endpoints "$@" \
        >>"$work/sluice-$name.log" 2>&1 &
    echo $! >"$work/$name.pid"
    replicas+=("$name")
}

# sluice_launch NAME [ARGUMENT]...: start without waiting; the shell says nothing when it ends.
sluice_launch() {
    sluice_spawn "$@"
    disown "$(sluice_pid "$1")"
}
launcher=(env)

becomes_ready() { eventually 15 is_ready "$1" || { echo "Sluice $1 did not become ready"; tail -n 5 "$work/sluice-$1.log"; return 1; }; }
sluice_start() {
    sluice_launch "$@"
    becomes_ready "$1"
}

sluice_pid() { cat "$work/$1.pid"; }
is_running() { kill -0 "$(sluice_pid "$1")" 2>/dev/null; }
# kill -9, and gone for sure.
sluice_kill() {
    [ -f "$work/$1.pid" ] || return 0
    kill -9 "$(sluice_pid "$1")" 2>/dev/null || true
    eventually 5 not is_running "$1"
    rm -f "$work/$1.pid"
}
not() { ! "$@"; }

# sluice_stop NAME: SIGTERM; prints the milliseconds it took; fails when it does not end.
sluice_stop() {
    local begin
    begin=$(now_ms)
    kill -TERM "$(sluice_pid "$1")"
    eventually 5 not is_running "$1" || return 1
    echo $(($(now_ms) - begin))
    rm -f "$work/$1.pid"
}

# The usual stage: control plane, chart, one Sluice called "one".
stage() {
    cluster_up
    hook=$(free_port)
    chart_install "$hook"
    sluice_configure one "$hook" "${1:-}"
    sluice_start one
    gpu_nodes 4
}

# bare_stage PARTS [YAML] [ARGUMENT]...: API server and etcd alone, the test plays everybody else. PARTS is for --components.
bare_stage() {
    cluster_up --max-minutes 20
    hook=$(free_port)
    chart_install "$hook"
    sluice_configure one "$hook" "${2:-}"
    sluice_start one --components "$1" --ledger :memory: "${@:3}"
}

# ---- queues and jobs ----

# queue NAME NOMINAL [COHORT]: flavor "gpu", ClusterQueue NAME, LocalQueue NAME in namespace NAME.
queue() {
    kubectl apply -f - >/dev/null <<END
apiVersion: v1
kind: Namespace
metadata: {name: $1}
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: ResourceFlavor
metadata: {name: gpu}
spec:
  nodeLabels: {sluice.dev/nodes: gpu}
  tolerations: [{key: sluice.dev/test, operator: Exists, effect: NoSchedule}]
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: ClusterQueue
metadata: {name: $1}
spec:
  ${3:+cohortName: $3}
  namespaceSelector: {}
  preemption: {reclaimWithinCohort: Any, withinClusterQueue: LowerPriority}
  resourceGroups:
    - coveredResources: [nvidia.com/gpu]
      flavors: [{name: gpu, resources: [{name: nvidia.com/gpu, nominalQuota: $2}]}]
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: LocalQueue
metadata: {name: $1, namespace: $1}
spec: {clusterQueue: $1}
END
}

# job_yaml QUEUE NAME PODS GPUS SECONDS [LABELS]
job_yaml() {
    cat <<END
apiVersion: batch/v1
kind: Job
metadata: {name: $2, namespace: $1, labels: {kueue.x-k8s.io/queue-name: $1${6:+, $6}}}
spec:
  parallelism: $3
  completions: $3
  template:
    metadata: {annotations: {sluice.dev/run-seconds: "$5"}}
    spec:
      restartPolicy: Never
      containers:
        - name: c
          image: registry.example/c:1
          resources: {requests: {nvidia.com/gpu: $4}, limits: {nvidia.com/gpu: $4}}
---
END
}
job() { job_yaml "$@" | kubectl create -f - >/dev/null; }

# workload QUEUE JOB: its Workload as JSON, or nothing.
workload() {
    kubectl get workloads -n "$1" -o json |
        jq -c --arg n "$2" '[.items[] | select(any(.metadata.ownerReferences[]?; .name == $n))][0] // empty'
}
# has QUEUE JOB FILTER: does the Workload satisfy the jq filter?
has() { workload "$1" "$2" >"$work/seen" && jq -e "$3" "$work/seen" >/dev/null 2>&1; }
is() { printf 'any(.status.conditions[]?; .type == "%s" and .status == "%s")' "$1" "${2:-True}"; }
reason_is() { printf 'any(.status.conditions[]?; .type == "%s" and .reason == "%s")' "$1" "$2"; }
job_has() { kubectl get job -n "$1" "$2" -o json 2>/dev/null | jq -c . >"$work/seen" && jq -e "$3" "$work/seen" >/dev/null 2>&1; }
runs() { job_has "$1" "$2" '.spec.suspend == false'; }
count_jobs() { kubectl get jobs -A -o json | jq "[.items[] | select($1)] | length"; }

# ---- the watcher ----

# watch_quota FILE LIMIT...: follow all Workloads from outside and append to FILE one line for each violation:
# usage of a ClusterQueue above its limit, a gang admitted in part. LIMIT is NAME=N for a ClusterQueue (its most
# with borrowing) or NAME+NAME=N for several together. Also writes FILE.max with the highest sums seen.
watch_quota() {
    local file=$1
    shift
    : >"$file"
    watched=$file
    (
        trap 'kill $(jobs -p) 2>/dev/null' EXIT
        while [ -f "$file" ]; do
            kubectl get workloads -A --watch --output-watch-events -o json 2>/dev/null |
                jq -n -r --unbuffered "$(cat "$root/tests/e2e/quota.jq")" --args "$@" >>"$file" 2>/dev/null || true
            sleep 0.2
        done
    ) &
    echo $! >"$file.pid"
    disown $!
}
watch_end() {
    pkill -9 -P "$(cat "$1.pid")" 2>/dev/null || true
    kill -9 "$(cat "$1.pid")" 2>/dev/null || true
}
violations() { grep -c VIOLATION "$1" || true; }
highest() { awk -v q="$2" '$1 == "SUM" && $2 == q && $3 > m {m = $3} END {print m + 0}' "$1"; }
