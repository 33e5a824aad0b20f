#!/usr/bin/env bash
# What is around a waiting Workload changes: namespaces, limits, runtime classes, flavors, checks, priority classes.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=objects.sh
. "$(dirname "$0")/objects.sh"
bare_stage core,webhooks-core,scheduler
objects_begin

quota() { condition QuotaReserved "workload/$1" -n "${2:-default}"; }
reserved() { echo "True QuotaReserved: Quota reserved in ClusterQueue $1"; }

# Namespace selectors.
kubectl create namespace dev >/dev/null
kubectl create namespace prod >/dev/null
kubectl label namespace prod tier=prod >/dev/null
{
    flavor_yaml one
    cluster_queue_yaml prod one | sed 's/namespaceSelector: {}/namespaceSelector: {matchLabels: {tier: prod}}/'
    cluster_queue_yaml nobody one | sed '/namespaceSelector/d'
    for namespace in dev prod; do local_queue_yaml prod prod; workload_yaml w prod 1; done
    namespace=dev
    local_queue_yaml nobody nobody
    workload_yaml none nobody 1
} | apply
namespace=""
mismatch="False Misconfigured: workload namespace doesn't match ClusterQueue selector"
expect "the selector matches" "$(reserved prod)" quota w prod
expect "it does not" "$mismatch" quota w dev
expect "without a selector nothing matches" "$mismatch" quota none dev
expect "the mismatched workload waits" "1" field '.status.pendingWorkloads' localqueue/prod -n dev
edit namespace/dev '{"metadata": {"labels": {"tier": "prod"}}}'
expect "the namespace gets the label" "$(reserved prod)" quota w dev
edit clusterqueue/nobody '{"spec": {"namespaceSelector": {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["x", "prod"]}]}}}'
expect "the selector changes" "$(reserved nobody)" quota none dev
edit namespace/dev '{"metadata": {"labels": {"tier": null}}}'
workload_yaml late prod 1 | sed 's/namespace: default/namespace: dev/' | apply
expect "the label goes" "$mismatch" quota late dev
stays "who is admitted stays so" "$(reserved prod)" quota w dev

# LimitRanges.
limit() { # FIELDS
    apply <<END
apiVersion: v1
kind: LimitRange
metadata: {name: limits, namespace: default}
spec: {limits: [{type: Container, $1}]}
END
}
limit 'defaultRequest: {cpu: 8}, default: {cpu: 8}'
{
    cluster_queue_yaml limits one
    local_queue_yaml limits limits
    workload_yaml first limits 1 | sed 's/resources: {requests: {cpu: 1}}/resources: {}/'
} | apply
expect "the default counts" "$(reserved limits)" quota first
check "with its amount" test "$(field '.status.admission.podSetAssignments[0].resourceUsage.cpu' workload/first)" = 8
workload_yaml second limits 1 | sed 's/resources: {requests: {cpu: 1}}/resources: {}/' | apply
expect "no room for another one" "False WaitingForQuota: couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor one, 6 more needed" quota second
limit 'defaultRequest: {cpu: 2}, default: {cpu: 2}'
expect "until the default is smaller" "$(reserved limits)" quota second
check "with the new amount" test "$(field '.status.admission.podSetAssignments[0].resourceUsage.cpu' workload/second)" = 2
settles "what holds quota keeps its amount" 10 field '.status.flavorsUsage[0].resources[0].total' clusterqueue/limits
limit 'max: {cpu: 5}'
{ cluster_queue_yaml wide one; local_queue_yaml wide wide; workload_yaml large wide 5; } | apply
expect "within the limits" "$(reserved wide)" quota large
limit 'max: {cpu: 3}'
workload_yaml larger wide 4 | sed 's#requests: {cpu: 4}#requests: {cpu: 4}, limits: {cpu: 4}#' | apply
expect "above the maximum" "False Misconfigured: resources didn't satisfy LimitRange constraints: spec.podSets[0].template.spec.containers[0]: Invalid value: [\"cpu\"]: requests must not be above the limitRange max" quota larger
limit 'max: {cpu: 6}'
expect "the maximum grows" "$(reserved wide)" quota larger
limit 'min: {cpu: 2}'
workload_yaml small wide 1 | apply
expect "below the minimum" "False Misconfigured: resources didn't satisfy LimitRange constraints: spec.podSets[0].template.spec.containers[0]: Invalid value: [\"cpu\"]: requests must not be below the limitRange min" quota small
kubectl delete limitrange limits >/dev/null
expect "the limits go" "$(reserved wide)" quota small

# Runtime classes.
runtime_class() {
    apply <<END
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: kata}
handler: kata
overhead: {podFixed: {cpu: "$1"}}
END
}
runtime_class 6
{
    cluster_queue_yaml kata one
    local_queue_yaml kata kata
    workload_yaml kata kata 6 | sed 's/restartPolicy: Never/restartPolicy: Never, runtimeClassName: kata/'
} | apply
expect "the overhead counts" "False ExceedsMaxQuota: couldn't assign flavors to pod set main: insufficient quota for cpu in flavor one, previously considered podsets requests (0) + current podset request (12) > maximum capacity (10)" quota kata
runtime_class 1
expect "the overhead shrinks" "$(reserved kata)" quota kata
check "and is part of the usage" test "$(field '.status.admission.podSetAssignments[0].resourceUsage.cpu' workload/kata)" = 7

# Flavors and checks come and go under waiting workloads.
{
    check_yaml gate example.com/check
    cluster_queue_yaml late "later" "admissionChecksStrategy: {admissionChecks: [{name: gate}]}"
    local_queue_yaml late late
    workload_yaml late late 1
} | apply
expect "nothing can start" "False Suspended: ClusterQueue late is inactive" quota late
flavor_yaml later | apply
expect "the check is missing yet" "False AdmissionCheckInactive: Can't admit new workloads: references inactive AdmissionCheck(s): gate." condition Active clusterqueue/late
stays "so it still waits" "False Suspended: ClusterQueue late is inactive" quota late
check_is gate True
expect "now it has quota" "$(reserved late)" quota late
expect "and waits for its check" "False UnsatisfiedAdmissionChecks: The workload has not all checks ready" condition Admitted workload/late
check_is gate False
expect "the ClusterQueue is inactive again" "False AdmissionCheckInactive: Can't admit new workloads: references inactive AdmissionCheck(s): gate." condition Active clusterqueue/late
stays "the reservation stays" "$(reserved late)" quota late
{ flavor_yaml tainted 'nodeTaints: [{key: a, value: b, effect: NoSchedule}]'; cluster_queue_yaml tainted tainted; local_queue_yaml tainted tainted; workload_yaml tainted tainted 1; } | apply
expect "a taint" "False NoMatchingFlavor: couldn't assign flavors to pod set main: untolerated taint {a b NoSchedule <nil>} in flavor tainted" quota tainted
edit resourceflavor/tainted '{"spec": {"nodeTaints": []}}'
expect "the taint goes" "$(reserved tainted)" quota tainted

# WorkloadPriorityClasses.
class() { printf 'apiVersion: kueue.x-k8s.io/v1beta2\nkind: WorkloadPriorityClass\nmetadata: {name: %s}\nvalue: %s\n' "$1" "$2" | apply; }
reference='priorityClassRef: {group: kueue.x-k8s.io, kind: WorkloadPriorityClass, name: high}'
class high 100
{
    cluster_queue_yaml classes one
    local_queue_yaml classes classes
    workload_yaml runs classes 1 "$reference
  priority: 100"
    workload_yaml own classes 1 "$reference
  priority: 7"
    workload_yaml waits nowhere 1 "$reference
  priority: 100"
    workload_yaml pod classes 1 "priorityClassRef: {group: scheduling.k8s.io, kind: PriorityClass, name: high}
  priority: 100"
} | apply
priorities() { kubectl get workloads -o json | jq -c '[.items[] | select(.metadata.name | IN("runs", "own", "waits", "pod")) | .spec.priority]'; }
expect "it runs" "$(reserved classes)" quota runs
stays "a priority of its own is left alone" "[7,100,100,100]" priorities
class high 200
expect "a new value reaches all that name the class" "[200,100,200,200]" priorities
edit_status workload/runs "{\"status\": {\"conditions\": [{\"type\": \"Finished\", \"status\": \"True\", \"reason\": \"Succeeded\", \"message\": \"m\", \"lastTransitionTime\": \"2026-01-01T00:00:00Z\"}]}}"
remove workloadpriorityclass/high
stays "deleting the class changes nothing" "[200,100,200,200]" priorities
class high 50
expect "the class made again does, whatever their state" "[50,100,50,50]" priorities
kubectl annotate workloadpriorityclass.v1beta2.kueue.x-k8s.io high a=b >/dev/null
edit workload/own '{"spec": {"priority": 3}}'
edit workloadpriorityclass/high '{"description": "other"}'
stays "other changes of the class do not" "[3,100,50,50]" priorities
