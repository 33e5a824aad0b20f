# bare.sh - a control plane of etcd and the API server alone, and Sluice in front of it the way a supervisor
# runs it: certificates from a folder, webhooks registered by URL, nothing from the chart.
# shellcheck shell=bash
#
# Sourced after lib.sh. `bare_up` first; then `bare_start NAME --components LIST` and so on.

# Kinds of jobs that webhook configurations name: suffix of the path, group, version, resource.
job_webhooks='workload-codeflare-dev-v1beta2-appwrapper workload.codeflare.dev v1beta2 appwrappers
apps-v1-deployment apps v1 deployments
kubeflow-org-v1-jaxjob kubeflow.org v1 jaxjobs
batch-v1-job batch v1 jobs
jobset-x-k8s-io-v1alpha2-jobset jobset.x-k8s.io v1alpha2 jobsets
leaderworkerset-x-k8s-io-v1-leaderworkerset leaderworkerset.x-k8s.io v1 leaderworkersets
kubeflow-org-v2beta1-mpijob kubeflow.org v2beta1 mpijobs
kubeflow-org-v1-paddlejob kubeflow.org v1 paddlejobs
-v1-pod - v1 pods
kubeflow-org-v1-pytorchjob kubeflow.org v1 pytorchjobs
ray-io-v1-raycluster ray.io v1 rayclusters
ray-io-v1-rayjob ray.io v1 rayjobs
ray-io-v1-rayservice ray.io v1 rayservices
sparkoperator-k8s-io-v1beta2-sparkapplication sparkoperator.k8s.io v1beta2 sparkapplications
apps-v1-statefulset apps v1 statefulsets
kubeflow-org-v1-tfjob kubeflow.org v1 tfjobs
trainer-kubeflow-org-v1alpha1-trainjob trainer.kubeflow.org v1alpha1 trainjobs
kubeflow-org-v1-xgboostjob kubeflow.org v1 xgboostjobs'
queue_webhooks='kueue-x-k8s-io-v1beta2-clusterqueue kueue.x-k8s.io v1beta2 clusterqueues
kueue-x-k8s-io-v1beta2-resourceflavor kueue.x-k8s.io v1beta2 resourceflavors
kueue-x-k8s-io-v1beta2-workload kueue.x-k8s.io v1beta2 workloads'

# webhook_list KIND < LINES: webhooks of one configuration, every one fail-closed and without conditions.
webhook_list() {
    jq -R -s --arg verb "$1" --arg url "https://127.0.0.1:$hook" --arg ca "$(base64 -w0 <"$work/certs/tls.crt")" '
        [split("\n")[] | select(. != "") | split(" ") as [$path, $group, $version, $resource] |
         ($path | split("-") | last) as $kind |
         {name: "\($verb[0:1])\($kind).kb.io", admissionReviewVersions: ["v1"], sideEffects: "None", failurePolicy: "Fail",
          clientConfig: {url: "\($url)/\($verb)-\($path)", caBundle: $ca},
          rules: [{apiGroups: [if $group == "-" then "" else $group end], apiVersions: [$version],
                   resources: (if $verb == "validate" and $kind == "workload" then [$resource, "workloads/status"] else [$resource] end),
                   operations: (if $verb == "validate" then ["CREATE", "UPDATE"] else ["CREATE"] end)}]}]'
}

# Both configurations, and the definitions with their conversion by URL.
bare_register() {
    { webhook_list mutate <<<"$job_webhooks"$'\n'"$queue_webhooks" |
        jq '{apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration", metadata: {name: "bare"}, webhooks: .}'
      webhook_list validate <<<"$job_webhooks"$'\n'"$queue_webhooks"$'\nkueue-x-k8s-io-v1beta2-cohort kueue.x-k8s.io v1beta2 cohorts' |
        jq '{apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingWebhookConfiguration", metadata: {name: "bare"}, webhooks: .}'
    } | kubectl apply -f - >/dev/null
    kubectl create --dry-run=client -o json -f "$root/crds/" |
        jq --arg url "https://127.0.0.1:$hook/convert" --arg ca "$(base64 -w0 <"$work/certs/tls.crt")" '
            (if .items then .items[] else . end) |
            if .spec.conversion.strategy == "Webhook" then .spec.conversion.webhook.clientConfig = {url: $url, caBundle: $ca} else . end' |
        kubectl apply --server-side -f - >/dev/null
}

# Without the webhooks, when the controller does not run; the API server takes some time to notice.
bare_unregister() {
    local probe='{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "probe"}, "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}'
    kubectl delete mutatingwebhookconfiguration,validatingwebhookconfiguration bare >/dev/null
    soon accepts "$probe"
}
accepts() { kubectl create --dry-run=server -n default -f - <<<"$1" >/dev/null 2>&1; }

# A certificate that is its own authority, valid for 127.0.0.1.
bare_certificate() {
    mkdir -p "$work/certs"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=sluice -addext subjectAltName=IP:127.0.0.1 \
        -keyout "$work/certs/tls.key" -out "$work/certs/tls.crt" 2>/dev/null
}

# bare_configure NAME [YAML]: certificates from the folder; the YAML is appended.
bare_configure() {
    sluice_configure "$1" "$hook" "${2:-}"
    sed -i "s#^webhook: .*#webhook: {host: 127.0.0.1, port: $hook, certDir: $work/certs}#; s#^internalCertManagement: .*#internalCertManagement: {enable: false}#" \
        "$work/config-$1.yaml"
}

# bare_up [CLUSTER OPTION]...: the control plane, the registrations, a configuration called "one".
bare_up() {
    "$root/tests/cluster/cluster" up "$work/cluster" --die-with $$ --max-minutes 30 "$@" >/dev/null 2>"$work/cluster.log" ||
        { cat "$work/cluster.log"; return 1; }
    eval "$("$root/tests/cluster/cluster" env "$work/cluster")"
    hook=$(free_port)
    bare_certificate
    bare_register
    definitions_served
    bare_configure one
}

# bare_start NAME [ARGUMENT]...: as sluice_start, but a child that `stops` can wait for.
bare_start() {
    sluice_spawn "$@"
    becomes_ready "$1"
}

# stops NAME: SIGTERM ends a bare_start with status 0.
stops() {
    local pid status=0
    pid=$(sluice_pid "$1")
    kill -TERM "$pid"
    wait "$pid" || status=$?
    rm -f "$work/$1.pid"
    [ "$status" -eq 0 ] || { echo "status $status"; return 1; }
}
