#!/usr/bin/env bash
# Jobs as parts of others: ancestors of kinds built here or not, every Job managed, namespaces left out, MultiKueue queues.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=api.sh
. "$(dirname "$0")/api.sh"
parts=job:batch/job,webhook:batch/job
frameworks='integrations: {frameworks: [batch/job, jobset.x-k8s.io/jobset], externalFrameworks: [Thing.v1.example.com]}
leaderElection: {leaderElect: false}'
define() { # define GROUP VERSION KIND PLURAL: a kind of any content
    kubectl apply -f - >/dev/null <<END
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: $4.$1}
spec:
  group: $1
  names: {kind: $3, plural: $4, singular: ${3,,}, listKind: $3List}
  scope: Namespaced
  versions: [{name: $2, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
END
}
at_path() { [ "$1" != things ] || { echo "/apis/example.com/v1/namespaces/t/$1${2:+/$2}"; return; }; at "$@"; }
# parent KIND-PLURAL NAME [QUEUE]: an object that owns Jobs.
parent() {
    local kind=JobSet version=jobset.x-k8s.io/v1alpha2
    [ "$1" = jobsets ] || { kind=Thing version=example.com/v1; }
    api POST "$(at_path "$1")" "{\"apiVersion\": \"$version\", \"kind\": \"$kind\", \"metadata\": {\"name\": \"$2\", \"namespace\": \"t\"${3:+, \"labels\": {\"kueue.x-k8s.io/queue-name\": \"$3\"\}}}}" >"$work/parent"
}
# owned_by KIND VERSION NAME UID: a jq filter
owned_by() { echo ".metadata.ownerReferences = [{apiVersion: \"$2\", kind: \"$1\", name: \"$3\", uid: \"$4\", controller: true}]"; }
uid_of() { api GET "$(at_path "$1" "$2")" | jq -r .metadata.uid; }
set_of() { owned_by JobSet jobset.x-k8s.io/v1alpha2 "$1" "$(uid_of jobsets "$1")"; }
thing_of() { owned_by Thing example.com/v1 "$1" "$(uid_of things "$1")"; }
api_stage "$frameworks" --components $parts
define jobset.x-k8s.io v1alpha2 JobSet jobsets
define example.com v1 Thing things

make resourceflavors '{apiVersion: kueue.x-k8s.io/v1beta2, kind: ResourceFlavor, metadata: {name: spot}}'

# ---- owners of kinds that are managed elsewhere ----
eventually 5 parent jobsets queued q
check "a kind that is defined later is followed" eventually 15 refused accepted POST "$(at jobs)?dryRun=All" "$(job_of x "$(set_of queued)")"
make jobs "$(job_of child "$(set_of queued)")"
check "a Job of a queued JobSet is left alone" holds jobs child '.spec.suspend == true or .spec.suspend == false'
check "it gets no Workload" always gone workloads "$(workload_of child)"
check "without a Workload of the JobSet it is suspended" soon holds jobs child '.spec.suspend == true'
check "and an Event says so" soon event child Suspended 'Kueue managed child job suspended'
make workloads "{apiVersion: kueue.x-k8s.io/v1beta2, kind: Workload, metadata: {name: theirs, namespace: t, ownerReferences: [{apiVersion: jobset.x-k8s.io/v1alpha2, kind: JobSet, name: queued, uid: $(uid_of jobsets queued), controller: true}]}, spec: {queueName: q, podSets: [{name: main, count: 1, template: {spec: {containers: [{name: c, image: i}]}}}]}}"
merge jobs child '{"spec": {"suspend": false}}'
check "nor does a Workload that waits let it run" soon holds jobs child '.spec.suspend == true'
admit theirs 1
# Until the admission is known it is stopped again.
runs_on() { merge jobs "$1" '{"spec": {"suspend": false}}' && always holds jobs "$1" '.spec.suspend == false'; }
check "an admitted one does" soon runs_on child
set_conditions theirs "$(condition Admitted False NoReservation)"
check "until it is not any more" soon holds jobs child '.spec.suspend == true'

parent jobsets free
make_soon jobs "$(job_of own "$(set_of free)")"
check "a queued Job of a JobSet without a queue waits by itself" soon holds workloads "$(workload_of own)" true
parent things ext q
make_soon jobs "$(job_of part "$(thing_of ext)")"
check "external frameworks count as well" always gone workloads "$(workload_of part)"
make jobs "$(job_of plain "$(set_of queued) | del(.metadata.labels)")"
check "a child without a queue is suspended all the same" soon holds jobs plain '.spec.suspend == true'
check "an owner that is not there denies" refused 'workload owner not found
JobSet.jobset.x-k8s.io "nobody" not found' POST "$(at jobs)?dryRun=All" "$(job_of x "$(owned_by JobSet jobset.x-k8s.io/v1alpha2 nobody 1-2)")"
check "one of an unknown kind does not" refused accepted POST "$(at jobs)?dryRun=All" "$(job_of x "$(owned_by CronJob batch/v1 nobody 1-2)")"
make jobs "$(job_of other "$(owned_by JobSet jobset.x-k8s.io/v1alpha2 queued 1-2)")"
check "an owner of another uid is none" soon holds workloads "$(workload_of other)" true

# ---- Jobs that own Jobs ----
submit father
father=$w
make_soon jobs "$(job_of son "$(owned_by Job batch/v1 father "$(get jobs father .metadata.uid)") | .spec.suspend = false")"
check "a Job's Job gets no Workload" always gone workloads "$(workload_of son)"
check "and is stopped while its father waits" soon holds jobs son '.spec.suspend == true'
admit "$father"
soon holds jobs father '.spec.suspend == false'
check "it runs with its father" soon runs_on son
set_conditions "$father" "$(condition Evicted True Preempted 'make room')"
check "and stops with it" soon holds jobs son '.spec.suspend == true'

# ---- too deep ----
kubectl delete mutatingwebhookconfiguration bare >/dev/null
last=father
for i in {1..11}; do
    make_soon jobs "$(job_of "deep$i" "$(owned_by Job batch/v1 "$last" "$(get jobs "$last" .metadata.uid)") | del(.metadata.labels)")"
    last=deep$i
done
check "ten owners are enough" soon event deep11 JobNestingTooDeep 'Terminated search for Kueue-managed Job because ancestor depth exceeded limit of 10' Warning
check "nine are fine" no_event deep10 JobNestingTooDeep

# ---- every Job managed, but for some namespaces ----
bare_register
kubectl label namespace t managed=no >/dev/null
selective='manageJobsWithoutQueueName: true
managedJobsNamespaceSelector: {matchExpressions: [{key: managed, operator: NotIn, values: ["no"]}, {key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system, sluice-system]}]}
leaderElection: {leaderElect: false}'
api_restart "$selective" --components $parts
is_suspended() { api POST "$(at jobs)?dryRun=All" "$(job_of x)" | jq -e '.spec.suspend' >/dev/null; }
check "the webhooks are back" soon is_suspended
make jobs "$(job_of outside 'del(.metadata.labels)')"
check "outside the selector nothing happens" always holds jobs outside '.spec.suspend == false'
submit labelled
check "a queue label suspends even there" holds jobs labelled '.spec.suspend == true'
check "but no Workload is made" always gone workloads "$w"
kubectl label namespace t managed=yes --overwrite >/dev/null
check "once the namespace is selected both get theirs" soon holds workloads "$w" true
check "and what runs without one is stopped" soon holds jobs outside '.spec.suspend == true'
check "its Workload has no queue" soon holds workloads "$(workload_of outside)" '.spec.queueName == null'
make jobs "$(job_of inside 'del(.metadata.labels)')"
check "a new Job is suspended" soon holds jobs inside '.spec.suspend == true'

# ---- queues of several clusters ----
make admissionchecks '{apiVersion: kueue.x-k8s.io/v1beta2, kind: AdmissionCheck, metadata: {name: far}, spec: {controllerName: kueue.x-k8s.io/multikueue}}'
make clusterqueues '{apiVersion: kueue.x-k8s.io/v1beta2, kind: ClusterQueue, metadata: {name: far}, spec: {admissionChecksStrategy: {admissionChecks: [{name: far}]}}}'
make localqueues '{apiVersion: kueue.x-k8s.io/v1beta2, kind: LocalQueue, metadata: {name: far, namespace: t}, spec: {clusterQueue: far}}'
delegated() { api POST "$(at jobs)?dryRun=All" "$(job_of x '.metadata.labels["kueue.x-k8s.io/queue-name"] = "far"')" | jq -e '.spec.managedBy == "kueue.x-k8s.io/multikueue"' >/dev/null; }
check "Jobs of such queues are managed by MultiKueue" soon delegated
