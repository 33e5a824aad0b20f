#!/usr/bin/env bash
# As a supervisor or a test program runs it: etcd and the API server alone, any subset of the parts, webhooks by URL with a
# certificate that is its own authority, kubeconfigs of every form, many starts in a row.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=bare.sh
. "$(dirname "$0")/bare.sh"

flavor_and_queue() {
    kubectl apply -f - >/dev/null <<END
apiVersion: kueue.x-k8s.io/v1beta2
kind: ResourceFlavor
metadata: {name: $1}
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: ClusterQueue
metadata: {name: $1}
spec:
  namespaceSelector: {}
  resourceGroups: [{coveredResources: [cpu], flavors: [{name: $1, resources: [{name: cpu, nominalQuota: 4}]}]}]
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: LocalQueue
metadata: {name: $1, namespace: default}
spec: {clusterQueue: $1}
END
}
active() { kubectl get clusterqueue "$1" -o json | jq -e '.status.conditions[]? | select(.type == "Active") | .status == "True"' >/dev/null; }

bare_up

# ---- parts ----
# Something that every running part would refuse or change.
review='{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u", "operation": "CREATE", "namespace": "default",
    "kind": {"group": "", "version": "v1", "kind": "X"}, "resource": {"group": "", "version": "v1", "resource": "x"}, "object": {
        "metadata": {"name": "x", "namespace": "default", "labels": {"kueue.x-k8s.io/queue-name": "!"}},
        "spec": {"podSets": [{"minCount": 1}, {"minCount": 2}], "template": {}}}}}'
# allow PATH...: every one of them allows it and has no patch.
allow() {
    curl -s -m 30 --cacert "$work/certs/tls.crt" -H 'Content-Type: application/json' -d "$review" "${@/#/https://127.0.0.1:$hook/}" |
        jq -s -e --argjson count $# 'length == $count and all(.[].response; .allowed and (has("patch") | not))' >/dev/null
}
mapfile -t paths < <(while read -r path _; do printf 'mutate-%s\nvalidate-%s\n' "$path" "$path"; done <<<"$job_webhooks"$'\n'"$queue_webhooks")
paths+=(validate-kueue-x-k8s-io-v1beta2-cohort)
for parts in none core scheduler job:batch/job core,scheduler tas,provisioning,multikueue,elastic,concurrent-admission,failure-recovery,dra,visibility,retention \
    job:pod,webhook:pod job:statefulset,job:deployment,job:leaderworkerset.x-k8s.io/leaderworkerset; do
    bare_start one --components "$parts"
    check "with $parts every webhook allows without a patch" allow "${paths[@]}"
    check "with $parts it stops with status 0" stops one
done
bare_start one --components webhooks-core,webhook:batch/job
check "a running part judges" not allow validate-kueue-x-k8s-io-v1beta2-workload
check "a job's too" not allow validate-batch-v1-job
check "others still allow" allow mutate--v1-pod
convert='{"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview", "request": {"uid": "u", "desiredAPIVersion": "kueue.x-k8s.io/v1beta1", "objects": [{"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "Cohort", "metadata": {"name": "c"}}]}}'
check "conversion is there whatever runs" bash -c 'curl -s --cacert "$1" -H "Content-Type: application/json" -d "$2" "https://127.0.0.1:$3/convert" | jq -e ".response.result.status == \"Success\" and .response.convertedObjects[0].apiVersion == \"kueue.x-k8s.io/v1beta1\"" >/dev/null' - "$work/certs/tls.crt" "$convert" "$hook"
check "stops" stops one

# ---- what is made a moment after readiness is seen ----
bare_start one
flavor_and_queue first
check "a queue made right after readiness becomes active" eventually 10 active first
check "and is read as v1beta1" bash -c '[ "$(kubectl get clusterqueues.v1beta1.kueue.x-k8s.io first -o "jsonpath={.apiVersion} {.spec.resourceGroups[0].flavors[0].name}")" = "kueue.x-k8s.io/v1beta1 first" ]'
kill -USR2 "$(sluice_pid one)"
check "SIGUSR2 writes the queues to the log" soon grep -q '"msg":"Ended dump"' "$work/sluice-one.log"
check "with what they hold" grep -q '"msg":"Found ClusterQueue","clusterQueue":"first","cohort":"<none>"' "$work/sluice-one.log"

# ---- several processes ----
bare_configure two
sed -i "s/port: $hook/port: $(free_port)/" "$work/config-two.yaml"
bare_start two --components core
check "a second process beside it" is_ready one
check "it stops" stops two
cp "$work/config-one.yaml" "$work/config-three.yaml"
status=0
timeout 60 "$program" run --config "$work/config-three.yaml" --ledger :memory: --metrics-plaintext >"$work/three.log" 2>&1 || status=$?
check "a taken port is status 1 and named" bash -c '[ "$1" = 1 ] && grep -q "127.0.0.1:$2" "$3"' - "$status" "$hook" "$work/three.log"
check "stops" stops one

# ---- fifty starts ----
slowest=0
for i in $(seq 50); do
    begin=$(now_ms)
    sluice_spawn one
    until is_ready one; do [ "$(now_ms)" -lt $((begin + 60000)) ] || break; done
    took=$(($(now_ms) - begin))
    [ "$took" -le "$slowest" ] || slowest=$took
    stops one || break
done
check "fifty starts and stops in a row" test "$i" -eq 50
say "ready after $slowest ms at most"
sluice_spawn one
answers() { curl -s -m 10 "http://127.0.0.1:$(health_port one)/readyz" >/dev/null; }
soon answers
check "SIGTERM on the way to readiness is status 0 too" stops one

# ---- kubeconfigs ----
kubectl create serviceaccount runner -n default >/dev/null
kubectl create clusterrolebinding runner --clusterrole=cluster-admin --serviceaccount=default:runner >/dev/null
token=$(kubectl create token runner -n default)
server=$(kubectl config view --raw -o 'jsonpath={.clusters[0].cluster.server}')
kubectl config view --raw -o 'jsonpath={.clusters[0].cluster.certificate-authority-data}' | base64 -d >"$work/ca.crt"
kubectl config view --raw -o 'jsonpath={.users[0].user.client-certificate-data}' | base64 -d >"$work/client.crt"
kubectl config view --raw -o 'jsonpath={.users[0].user.client-key-data}' | base64 -d >"$work/client.key"
printf '#!/bin/sh\nprintf '\''{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "%%s"}}'\'' "$(cat "$TOKEN_FILE")"\n' >"$work/plugin"
chmod +x "$work/plugin"
echo "$token" >"$work/token"
kubeconfig() {
    printf 'apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: "%s", %s}}]\nusers: [{name: u, user: {%s}}]\n' "$server" "$2" "$3" >"$work/$1.kubeconfig"
}
inline="certificate-authority-data: $(base64 -w0 <"$work/ca.crt")"
kubeconfig inline "$inline" "client-certificate-data: $(base64 -w0 <"$work/client.crt"), client-key-data: $(base64 -w0 <"$work/client.key")"
kubeconfig files "certificate-authority: ca.crt" "client-certificate: client.crt, client-key: $work/client.key"
kubeconfig token "$inline" "token: $token"
kubeconfig token-file "$inline" "tokenFile: $work/token"
kubeconfig plugin "$inline" "exec: {apiVersion: client.authentication.k8s.io/v1, command: $work/plugin, env: [{name: TOKEN_FILE, value: $work/token}], interactiveMode: Never}"
for form in inline files token token-file plugin; do
    bare_start one --kubeconfig "$work/$form.kubeconfig" || true
    flavor_and_queue "$form"
    check "a kubeconfig with $form" eventually 10 active "$form"
    check "stops" stops one
done

# ---- the feature gates and a file with every default written out ----
bare_start one --feature-gates PartialAdmission=false,TASProfileMixed=true,AllAlpha=false
check "a known gate without a meaning here is a warning" grep -q 'TASProfileMixed has no effect' "$work/sluice-one.log"
check "stops" stops one
bare_configure one 'manageJobsWithoutQueueName: false
managedJobsNamespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system, sluice-system]}]}
leaderElection: {leaderElect: false, leaseDuration: 15s, renewDeadline: 10s, retryPeriod: 2s, resourceLock: leases, resourceName: c1f6bfd2.kueue.x-k8s.io, resourceNamespace: ""}
waitForPodsReady: {timeout: 30m0s, blockAdmission: false, recoveryTimeout: 30m0s, requeuingStrategy: {timestamp: Eviction, backoffBaseSeconds: 60, backoffMaxSeconds: 3600}}
clientConnection: {qps: 300, burst: 500}
integrations: {frameworks: [batch/job]}
multiKueue: {gcInterval: 1m0s, origin: multikueue, workerLostTimeout: 15m0s, dispatcherName: kueue.x-k8s.io/multikueue-dispatcher-all-at-once}
visibilityServer: {bindPort: 8082}
controller: {groupKindConcurrency: {Workload.kueue.x-k8s.io: 5}}
featureGates: {PartialAdmission: true, TASProfileMixed: true}
tls: {minVersion: VersionTLS12, cipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384], curvePreferences: [29, 23]}'
bare_start one
flavor_and_queue full
check "everything without effect here is named" bash -c 'for text in TASProfileMixed multiKueue visibilityServer groupKindConcurrency; do grep -q "\"text\":\"[^\"]*$text has no effect" "$1" || exit 1; done' - "$work/sluice-one.log"
check "a configuration with every default written out" eventually 10 active full
shakes() { openssl s_client -connect "127.0.0.1:$hook" "$@" </dev/null 2>/dev/null | grep -q 'Cipher is [^(]'; }
check "TLS 1.2 with the suite of the list" shakes -tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384
check "but no other" not shakes -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256
check "TLS 1.3 with a group of the list" shakes -tls1_3 -groups X25519
check "but no other" not shakes -tls1_3 -groups P-384
check "stops" stops one
bare_configure one

# ---- a lease that cannot be held ----
bare_configure one 'leaderElection: {resourceNamespace: nowhere}'
bare_start one
check "a namespace that is missing is named" eventually 10 grep -q 'lease request failed.*\\"nowhere\\" not found' "$work/sluice-one.log"
check "stops" stops one
bare_configure one

# ---- a second signal ----
bare_start one
signalled_twice() { # both signals are there before it looks at either
    local pid status=0
    pid=$(sluice_pid one)
    kill -STOP "$pid"
    kill -TERM "$pid"
    kill -INT "$pid"
    kill -CONT "$pid"
    wait "$pid" || status=$?
    rm -f "$work/one.pid"
    [ "$status" -eq 1 ] || { echo "status $status"; return 1; }
}
check "a second signal ends it with status 1" signalled_twice

# ---- before the definitions are there ----
bare_unregister
kubectl get clusterqueues,resourceflavors -o name | while read -r object; do kubectl patch "$object" --type merge -p '{"metadata": {"finalizers": null}}' >/dev/null; done
kubectl delete -f "$root/crds/" >/dev/null
bare_start one
check "without the definitions it is ready" is_ready one
bare_register
definitions_served
flavor_and_queue late
check "and starts when they appear" eventually 10 active late
check "stops" stops one
