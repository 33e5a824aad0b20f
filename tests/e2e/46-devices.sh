#!/usr/bin/env bash
# Devices of dynamic resource allocation: claims, classes and the resources they stand for (spec/lifecycle.md 14).
# shellcheck source=workloads.sh
. "$(dirname "$0")/workloads.sh"
mappings='resources: {deviceClassMappings: [{name: gpus, deviceClassNames: [gpu.example.com, a.example.com]}]}'
api_stage "$alone
$mappings"
flavor default
devices() { # NAME GPUS: a queue of one CPU per device and these devices
    cluster_queue "$1" 10 ".spec.resourceGroups = [{coveredResources: [\"cpu\", \"gpus\"], flavors: [{name: \"default\", resources: [{name: \"cpu\", nominalQuota: 10}, {name: \"gpus\", nominalQuota: $2}]}]}]"
}
class() { api POST /apis/resource.k8s.io/v1/deviceclasses "{apiVersion: resource.k8s.io/v1, kind: DeviceClass, metadata: {name: $1}, spec: {${2:-}}}" >/dev/null; }
templates=/apis/resource.k8s.io/v1/namespaces/t/resourceclaimtemplates
claim_template() { # NAME EXACTLY
    api POST "$templates" "{apiVersion: resource.k8s.io/v1, kind: ResourceClaimTemplate, metadata: {name: $1}, spec: {spec: {devices: {requests: [{name: r, exactly: {$2}}]}}}}" >/dev/null
}
claiming() { # TEMPLATE: an edit for workload_make
    echo ".spec.podSets[0].template.spec.resourceClaims = [{name: \"d\", resourceClaimTemplateName: \"$1\"}]"
}
uses() { echo ".status.admission.podSetAssignments[0].resourceUsage == $1"; }
refused() { echo "$(cond QuotaReserved False "${2:-Misconfigured}" "$1") and $(cond Requeued False Inadmissible "$1")"; }
path="spec.podSets[0].template.spec.resourceClaims[0].resourceClaimTemplateName"

devices q 4
class gpu.example.com
claim_template two 'deviceClassName: gpu.example.com, count: 2'
workload_make fits q 1 "$(claiming two) | .spec.podSets[0].count = 2"
becomes "devices are charged for each pod" fits "$(cond Admitted True) and $(uses '{"cpu": "2", "gpus": "4"}')"
check "the queue shows them" soon holds clusterqueues q 'any(.status.flavorsUsage[0].resources[]; .name == "gpus" and .total == "4")'
workload_make waits q 1 "$(claiming two)"
becomes "without quota it waits as with any resource" waits "$(cond QuotaReserved False WaitingForQuota "couldn't assign flavors to pod set main: insufficient unused quota for gpus in flavor default, 2 more needed")"
drop workloads fits
becomes "and starts when devices are given back" waits "$(cond Admitted True) and $(uses '{"cpu": "1", "gpus": "2"}')"

missing() { echo "$path: Internal error: ResourceClaimTemplate $1: resourceclaimtemplates.resource.k8s.io \"$1\" not found"; }
workload_make late q 1 "$(claiming late)"
becomes "a template that is not there holds it back" late "$(refused "$(missing late)")"
check "the queue does not count it" holds clusterqueues q '.status.pendingWorkloads == 0'
check "explain says so" bash -c "'$root/out/release/admitter.bin' explain workload late -n t --config '$work/config-one.yaml' | grep -qF 'ResourceClaimTemplate late'"
claim_template late 'deviceClassName: gpu.example.com'
becomes "until it is made" late "$(cond Admitted True) and condition_of(\"Requeued\") == null and $(uses '{"cpu": "1", "gpus": "1"}')"

claim_template all 'deviceClassName: gpu.example.com, allocationMode: All'
workload_make all q 1 "$(claiming all)"
becomes "all devices of a class cannot be claimed" all "$(refused "$path: Invalid value: ResourceClaimTemplate all: AllocationMode 'All' is not supported")"
claim_template nic 'deviceClassName: nic.example.com'
workload_make nic q 1 "$(claiming nic)"
becomes "nor those of a class without a mapping" nic "$(refused "$path: Not found: \"DeviceClass nic.example.com is not mapped in DRA configuration for podset main\"")"
workload_make direct q 1 '.spec.podSets[0].template.spec.resourceClaims = [{name: "d", resourceClaimName: "mine"}]'
becomes "claims by name are refused" direct "$(cond QuotaReserved False Misconfigured 'KueueDRAIntegration feature does not support use of resource claims') and $(cond Requeued False Inadmissible 'DRA resource claims not supported')"
edit direct '.spec.active = false'
becomes "who is switched off is no longer refused" direct "$(cond QuotaReserved False Deactivated)"

slice() { # NAME MODEL...: one pool of a node, a device of each model
    local name=$1 models='' m
    shift
    for m; do models="$models{name: d-$m, attributes: {model: {string: $m}}}, "; done
    api POST /apis/resource.k8s.io/v1/resourceslices "{apiVersion: resource.k8s.io/v1, kind: ResourceSlice, metadata: {name: $name},
        spec: {driver: gpu.example.com, nodeName: $name, pool: {name: $name, generation: 1, resourceSliceCount: 1}, devices: [$models]}}" >/dev/null
}
selected() { echo "$path: Internal error: ResourceClaimTemplate picky: insufficient matching devices for CEL selector in DeviceClass gpu.example.com: $1 device(s) match in the cluster but 2 requested"; }
claim_template picky "deviceClassName: gpu.example.com, count: 2, selectors: [{cel: {expression: \"device.attributes['gpu.example.com'].model == 'h100'\"}}]"
drop workloads late
drop workloads waits
workload_make picky q 1 "$(claiming picky)"
becomes "devices that are selected have to be there" picky "$(refused "$(selected 0)")"
slice node-1 h100 a100
becomes "all of them" picky "$(refused "$(selected 1)")"
slice node-2 h100
becomes "wherever they are" picky "$(cond Admitted True) and $(uses '{"cpu": "1", "gpus": "2"}')"

workload_make extended q 1 '.spec.podSets[0].template.spec.containers[0].resources.requests["example.com/gpu"] = "1"'
becomes "a resource that nothing stands for is not in the queue" extended "$(cond QuotaReserved False NoMatchingFlavor)"
class extended.example.com 'extendedResourceName: example.com/gpu'
becomes "a class without a mapping does not change that" extended "$(cond QuotaReserved False NoMatchingFlavor)"
class a.example.com 'extendedResourceName: example.com/gpu'
becomes "the newest class counts, or the first by name: it is charged as mapped" extended "$(cond Admitted True) and $(uses '{"cpu": "1", "gpus": "1"}')"

off=KueueDRAIntegration=false,KueueDRAIntegrationExtendedResource=false,KueueDRAIntegrationPartitionableDevices=false
api_restart "$alone" --feature-gates "$off"
workload_make off q 1 "$(claiming two)"
becomes "without the integration claims are refused" off "$(refused 'Workload uses DRA resources but the KueueDRAIntegration feature gate is not enabled')"
check "who was admitted stays so" always wl picky "$(cond Admitted True)"
api_restart "$alone" --feature-gates "$off,UnadmittedWorkloadsObservability=false"
workload_make legacy q 1 "$(claiming two)"
becomes "in older words" legacy "$(refused 'Workload uses DRA resources but the KueueDRAIntegration feature gate is not enabled' Inadmissible)"
api_restart "$alone" --feature-gates "$off,KueueDRARejectWorkloadsWhenDRADisabled=false"
becomes "and ignored when that is wanted" off "$(cond Admitted True) and $(uses '{"cpu": "1"}')"
becomes "by those who were refused before, too" nic "$(cond Admitted True) and condition_of(\"Requeued\") == null"

# ---- without the right to look at devices ----
kubectl create serviceaccount runner -n t >/dev/null
kubectl create clusterrole most --verb='*' --resource='*.kueue.x-k8s.io,*.events.k8s.io,*.batch,*.node.k8s.io,*.scheduling.k8s.io,namespaces,limitranges,events' >/dev/null
kubectl create clusterrolebinding most --clusterrole=most --serviceaccount=t:runner >/dev/null
kubectl config view --raw --minify -o json | jq --arg t "$(kubectl create token runner -n t)" '.users[0].user = {token: $t}' >"$work/runner.kubeconfig"
api_restart "$alone
$mappings" --kubeconfig "$work/runner.kubeconfig"
check "it says what it may not see" eventually 5 grep -q 'no right to list these objects.*resource.k8s.io' "$work/sluice-one.log"
workload_make plain q 1
becomes "others are admitted as ever" plain "$(cond Admitted True)"
workload_make unseen q 1 "$(claiming two)"
becomes "a template that it may not see is not there" unseen "$(refused "$(missing two)")"
