#!/usr/bin/env bash
# /metrics over HTTPS: who may read it, with which certificate. And what the health paths say.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster_up --max-minutes 20
sluice_configure one "$(free_port)" 'leaderElection: {leaderElect: false}
tls: {minVersion: VersionTLS13}'
kubectl create secret generic -n sluice-system sluice-webhook-server-cert >/dev/null
secure_start() {
    grep -q livenessEndpointName "$work/config-one.yaml" || sed -i 's/healthProbeBindAddress/livenessEndpointName: alive, healthProbeBindAddress/' "$work/config-one.yaml"
    TMPDIR=$work "$program" run --config "$work/config-one.yaml" --ledger :memory: --debug-endpoints >"$work/sluice-one.log" 2>&1 &
    echo $! >"$work/one.pid"
    disown $!
    replicas+=(one)
    becomes_ready one
}
check "Sluice starts" secure_start

# ---- health ----
health() { curl -s -m 30 -w '|%{http_code}' "http://127.0.0.1:$(health_port one)$1"; }
check "readiness" test "$(health /readyz)" = 'ok|200'
check "its one check" test "$(health /readyz/readyz)" = 'ok|200'
check "verbose" test "$(health '/readyz?verbose')" = $'[+]readyz ok\nhealthz check passed\n|200'
check "excluded" test "$(health '/readyz?verbose=1&exclude=readyz')" = $'[+]readyz excluded: ok\nhealthz check passed\n|200'
check "liveness under another name" test "$(health /alive)" = 'ok|200'
check "not under the usual one" test "$(health /healthz | tail -c 3)" = 404
check "headers" bash -c 'curl -sI -m 5 "$1" | tr -d "\r" | grep -qi "^x-content-type-options: nosniff$"' - "http://127.0.0.1:$(health_port one)/readyz"
check "as plain text" bash -c 'curl -sI -m 5 "$1" | tr -d "\r" | grep -qi "^content-type: text/plain; charset=utf-8$"' - "http://127.0.0.1:$(health_port one)/readyz"

# ---- access ----
url=https://127.0.0.1:$(metrics_port one)
ask() { curl -sk -m 30 -o "$work/answer" -w '%{http_code}' "$@" "$url${path:-/metrics}"; }
says() { [ "$(ask "${@:3}")" = "$1" ] && grep -qxF "$2" "$work/answer"; }
check "plain HTTP is not served" test "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$(metrics_port one)/metrics")" != 200
check "no token" says 401 Unauthorized
check "another scheme" says 401 Unauthorized -u a:b
check "a token that is none" says 500 'Authentication failed' -H 'Authorization: Bearer nonsense'
for account in reader stranger; do kubectl create serviceaccount -n default "$account" >/dev/null; done
kubectl create clusterrole metrics-reader --verb=get --non-resource-url=/metrics >/dev/null
kubectl create clusterrolebinding metrics-reader --clusterrole=metrics-reader --serviceaccount=default:reader >/dev/null
reader=$(kubectl create token -n default reader)
stranger=$(kubectl create token -n default stranger)
check "somebody without the right" says 403 'Authorization denied for user system:serviceaccount:default:stranger' -H "Authorization: Bearer $stranger"
may() { [ "$(ask -H "Authorization: Bearer $1")" = 200 ] && grep -q '^kueue_build_info{' "$work/answer"; }
check "somebody with it" may "$reader"
check "the scheme in any case" test "$(ask -H "authorization: bearer $reader")" = 200
path=/debug/state
check "the right is for that path only" says 403 'Authorization denied for user system:serviceaccount:default:reader' -H "Authorization: Bearer $reader"
path=/metrics
reviews() { kubectl get --raw /metrics | awk '/^apiserver_request_total/ && /tokenreviews|subjectaccessreviews/ && /code="201"/ {n += $NF} END {print n + 0}'; }
both_told() { may "$reader" && says 403 'Authorization denied for user system:serviceaccount:default:stranger' -H "Authorization: Bearer $stranger"; }
# New tokens, because answers are kept for half a minute only.
reader=$(kubectl create token -n default reader)
stranger=$(kubectl create token -n default stranger)
check "others of their tokens" both_told
before=$(reviews)
for again in 1 2 3 4 5; do check "once more ($again)" both_told; done
check "answers are kept" test "$(reviews)" = "$before"
cluster kill apiserver
check "also without the API server" may "$reader"
check "a new token then fails" says 500 'Authentication failed' -H 'Authorization: Bearer other'
cluster start apiserver >/dev/null

# ---- the certificate ----
subject() { openssl s_client -connect "127.0.0.1:$(metrics_port one)" </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName 2>/dev/null; }
version() { openssl s_client -connect "127.0.0.1:$(metrics_port one)" "$1" </dev/null 2>/dev/null | grep -q 'Cipher is TLS'; }
check "the configuration's TLS version" version -tls1_3
check "and no older one" not version -tls1_2
check "made in memory for localhost" bash -c 'grep -q "DNS:localhost, IP Address:127.0.0.1" <<<"$1"' - "$(subject)"
sluice_kill one
mkdir -p "$work/k8s-metrics-server/serving-certs"
new_pair() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=files -addext "subjectAltName=DNS:$1" \
        -keyout "$work/k8s-metrics-server/serving-certs/tls.key" -out "$work/k8s-metrics-server/serving-certs/tls.crt" 2>/dev/null
}
new_pair first
check "it starts again" secure_start
has_name() { subject | grep -q "DNS:$1"; }
check "files are served when there are any" has_name first
new_pair second
check "and followed" eventually 12 has_name second

# ---- the role ----
sluice_kill one
kubectl create -f - >/dev/null <<END
{apiVersion: kueue.x-k8s.io/v1beta2, kind: ClusterQueue, metadata: {name: q}, spec: {namespaceSelector: {}}}
END
for name in two three; do
    sluice_configure "$name" "$(free_port)" 'leaderElection: {leaderElect: true, leaseDuration: 10s, renewDeadline: 8s, retryPeriod: 500ms}'
    sluice_start "$name"
    check "$name has metrics" eventually 10 bash -c 'curl -s "$1" | grep -q ^kueue_pending_workloads' - "http://127.0.0.1:$(metrics_port "$name")/metrics"
done
roles() { curl -s "http://127.0.0.1:$(metrics_port "$1")/metrics" | awk '/^# TYPE/ {type = $4} type == "gauge" && match($0, /replica_role="[a-z]*"/) {print substr($0, RSTART + 14, RLENGTH - 15)}' | sort -u | xargs; }
role_is() { [ "$(roles "$1")" = "$2" ]; }
check "the leader's gauges say so" eventually 5 role_is two leader
check "those of the other one too" eventually 5 role_is three follower
master() { curl -s "http://127.0.0.1:$(metrics_port "$1")/metrics" | grep '^leader_election_master_status{' | tail -c 2; }
is_master() { [ "$(master two)" = 1 ]; }
check "who leads" soon is_master
sluice_stop two >/dev/null
check "who comes after has no gauges of before" eventually 15 role_is three leader
