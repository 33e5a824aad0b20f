# scrape.sh - for tests of what people and dashboards see: after api.sh; queues of one flavor "f", Workloads of one pod.
# shellcheck shell=bash

scrape() { curl -fsS -m 30 "http://127.0.0.1:$(metrics_port one)/metrics"; }
# shows SERIES VALUE: exactly this series, labels in alphabetical order; replica_role is left out of them. VALUE "none": not there.
series() { scrape | sed -E 's/,replica_role="[a-z]*"//; s/replica_role="[a-z]*",?//; s/\{\}//' | awk -v s="$1" 'index($0, s " ") == 1 {print $NF}'; }
value_is() { series "$1" >"$work/seen" && [ "$(<"$work/seen")" = "${2/none/}" ]; }
shows() { check "$1 is $2" soon value_is "$1" "$2"; }
not_shown() { ! scrape | grep "$1" >/dev/null; }

flavor() { make resourceflavors "{apiVersion: kueue.x-k8s.io/v1beta2, kind: ResourceFlavor, metadata: {name: $1}, spec: {${2:-}}}"; }
# cq NAME NOMINAL [MORE-SPEC [LIMITS [METADATA]]]: LIMITS as ", borrowingLimit: 1".
cq() {
    make clusterqueues "{apiVersion: kueue.x-k8s.io/v1beta2, kind: ClusterQueue, metadata: {name: $1${5:+, $5}}, spec: {namespaceSelector: {}${3:+, $3},
        resourceGroups: [{coveredResources: [cpu], flavors: [{name: f, resources: [{name: cpu, nominalQuota: $2${4:-}}]}]}]}}"
}
lq() { make localqueues "{apiVersion: kueue.x-k8s.io/v1beta2, kind: LocalQueue, metadata: {name: $1, namespace: t${4:+, $4}}, spec: {clusterQueue: $2${3:+, $3}}}"; }
# wl NAME QUEUE CPU [MORE-SPEC [METADATA]]
wl() {
    make workloads "{apiVersion: kueue.x-k8s.io/v1beta2, kind: Workload, metadata: {name: $1, namespace: t, finalizers: [kueue.x-k8s.io/resource-in-use]${5:+, $5}}, spec: {queueName: $2${4:+, $4}, podSets: [{name: main, count: 1,
        template: {spec: {restartPolicy: Never, containers: [{name: c, image: i, resources: {requests: {cpu: $3}}}]}}}]}}"
}
# end WORKLOAD. release WORKLOAD: as a job controller does after an eviction.
end() { set_conditions "$1" "$(condition Finished True Succeeded)"; }
release() {
    update "$1" /status ".status.admission = null | $(with "$(condition QuotaReserved False PendingEvaluation), $(condition Admitted False NoReservation)")"
}
check_active() {
    make admissionchecks "{apiVersion: kueue.x-k8s.io/v1beta2, kind: AdmissionCheck, metadata: {name: $1}, spec: {controllerName: t}}"
    status admissionchecks "$1" "{\"conditions\": [$(condition Active True Test)]}"
}
