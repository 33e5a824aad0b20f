#!/usr/bin/env bash
# The process contract: exit statuses, wrong input, certificates from a folder, parts of the controller, probes.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster_up --with controller-manager
hook=$(free_port)
chart_install "$hook"

# fails STATUS PATTERN ARGUMENT...: `admitter run ARGUMENT...` ends so and says so.
fails() {
    local wanted=$1 pattern=$2 status=0
    shift 2
    timeout 60 "$program" run "$@" >"$work/out" 2>&1 || status=$?
    [ "$status" -eq "$wanted" ] && grep -q -- "$pattern" "$work/out" || { echo "status $status: $(cat "$work/out")"; return 1; }
}
check "an unknown flag" fails 2 'no-such' --no-such
check "an unknown component" fails 2 'nonsense' --components core,nonsense
check "an unknown gate" fails 2 'NoSuchGate' --feature-gates NoSuchGate=true
check "an unknown tuning key" fails 2 'warp' --tuning warp=1s
check "a configuration that is not there" fails 2 '/nowhere/c.yaml' --config /nowhere/c.yaml
printf 'apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\nwebhok: {port: 1}\n' >"$work/bad.yaml"
check "an unknown field is named" fails 2 'webhok' --config "$work/bad.yaml"
printf 'apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\nintegrations: {frameworks: [batch/jobb]}\n' >"$work/bad.yaml"
check "a wrong value is named with its path" fails 2 'integrations.frameworks\[0\]: Unsupported value: "batch/jobb"' --config "$work/bad.yaml"
printf 'apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\nintegrations: {frameworks: [a, b, c, d, e]}\nfairSharing: {}\n' >"$work/bad.yaml"
check "so is the last of many" fails 2 'fairSharing.preemptionStrategies: Required value: must be specified' --config "$work/bad.yaml"
check "no API server is status 1" fails 1 'absent' --kubeconfig /absent --ledger :memory:
check "a broken kubeconfig is named" fails 1 "$work/bad.yaml" --kubeconfig "$work/bad.yaml" --ledger :memory:

# Certificates from a folder.
mkdir -p "$work/certs"
new_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=sluice -addext subjectAltName=IP:127.0.0.1 \
        -keyout "$work/certs/tls.key.new" -out "$work/certs/tls.crt.new" 2>/dev/null
    mv "$work/certs/tls.key.new" "$work/certs/tls.key"
    mv "$work/certs/tls.crt.new" "$work/certs/tls.crt"
}
serial() { openssl s_client -connect "127.0.0.1:$hook" </dev/null 2>/dev/null | openssl x509 -noout -serial 2>/dev/null; }
sluice_configure one "$hook"
sed -i "s#webhook: {host: 127.0.0.1, port: $hook}#webhook: {host: 127.0.0.1, port: $hook, certDir: $work/certs}#; s#internalCertManagement: .*#internalCertManagement: {enable: false}#" "$work/config-one.yaml"
check "a folder without certificates is named" fails 1 "$work/certs" --config "$work/config-one.yaml" --ledger :memory:
new_certificate
begin=$(now_ms)
sluice_start one
say "ready after $(($(now_ms) - begin)) ms"
before=$(serial)
new_certificate
changed() { [ -n "$(serial)" ] && [ "$(serial)" != "$before" ]; }
check "a changed certificate is served without a restart" eventually 15 changed
echo garbage >"$work/certs/tls.crt"
sleep 6
check "a broken one is not" test -n "$(serial)"

post() { curl -sk -m 30 -o "$work/answer" -w '%{http_code}' "$@" "https://127.0.0.1:$hook$path"; }
path=/mutate-batch-v1-job
check "a body that is no review" test "$(post -H 'Content-Type: application/json' -d '{}')" = 400
check "the wrong content type" test "$(post -H 'Content-Type: text/plain' -d '{}')" = 415
check "the wrong method" test "$(post)" = 405
head -c 9000000 /dev/zero | tr '\0' ' ' >"$work/large"
check "a body over the cap" test "$(post -H 'Content-Type: application/json' -H 'Expect:' --data-binary @"$work/large")" = 413
review='{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u", "kind": {"group": "batch", "version": "v1", "kind": "Job"}, "resource": {"group": "batch", "version": "v1", "resource": "jobs"}, "operation": "CREATE", "namespace": "default", "object": {"metadata": {"name": "x", "labels": {"kueue.x-k8s.io/queue-name": "q"}}, "spec": {"template": {"spec": {}}}}}}'
check "a review is answered" test "$(post -H 'Content-Type: application/json' -d "$review")" = 200
check "with a patch that suspends" bash -c 'jq -r .response.patch "$1" | base64 -d | jq -e "any(.[]; .path == \"/spec/suspend\" and .value == true)" >/dev/null' - "$work/answer"
check "an object that is none is refused, not crashed on" test "$(post -H 'Content-Type: application/json' -d "${review/\"spec\": \{\"template\": \{\"spec\": \{\}\}\}/\"spec\": 7}")" = 200
check "with allowed false" jq -e '.response.allowed == false' "$work/answer"
path=/validate-ray-io-v1-rayjob
check "a path whose part does not run allows" test "$(post -H 'Content-Type: application/json' -d "$review")" = 200
path=/nonsense
check "an unknown path" test "$(post -H 'Content-Type: application/json' -d '{}')" = 404
check "metrics" bash -c 'curl -fsS "http://127.0.0.1:$1/metrics" | grep -q "^kueue_"' - "$(metrics_port one)"
check "debug state" bash -c 'curl -fsS "http://127.0.0.1:$1/debug/state" | jq -e ".clusterQueues" >/dev/null' - "$(metrics_port one)"
check "SIGTERM" sluice_stop one

# Without the scheduler nothing is reserved, but everything is counted.
new_certificate
sluice_start one --components core,job:batch/job,webhook:batch/job,webhooks-core
kubectl get validatingwebhookconfiguration sluice-validating-webhook-configuration -o json |
    jq --arg ca "$(base64 -w0 <"$work/certs/tls.crt")" '.webhooks[].clientConfig.caBundle = $ca' | kubectl apply -f - >/dev/null 2>&1
kubectl get mutatingwebhookconfiguration sluice-mutating-webhook-configuration -o json |
    jq --arg ca "$(base64 -w0 <"$work/certs/tls.crt")" '.webhooks[].clientConfig.caBundle = $ca' | kubectl apply -f - >/dev/null 2>&1
for kind in clusterqueues localqueues cohorts workloads multikueueclusters; do
    kubectl patch crd "$kind.kueue.x-k8s.io" --type merge -p '{"spec": {"conversion": {"webhook": {"clientConfig": {"caBundle": "'"$(base64 -w0 <"$work/certs/tls.crt")"'"}}}}}' >/dev/null
done
queue q 8
job q quiet 1 1 1
check "without the scheduler a Workload is made" eventually 10 has q quiet true
pending() { kubectl get clusterqueue q -o json | jq -e '.status.pendingWorkloads == 1' >/dev/null; }
check "and counted" eventually 10 pending
check "but never admitted" always not has q quiet "$(is QuotaReserved)"
