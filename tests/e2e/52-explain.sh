#!/usr/bin/env bash
# `admitter explain`: one sentence with numbers, and the same as data, from the objects of a live cluster.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=api.sh
. "$(dirname "$0")/api.sh"
# shellcheck source=scrape.sh
. "$(dirname "$0")/scrape.sh"
api_stage 'leaderElection: {leaderElect: false}' --components core,scheduler,job:batch/job

explain() { "$program" explain "$@" -n t; }
# sentence TEXT NAME WANTED
sentence() {
    local got
    got=$(explain workload "$2") || true
    check "$1" test "$got" = "$3" || true
    [ "$got" = "$3" ] || printf '    wanted: %s\n    got:    %s\n' "$3" "$got"
}
# data TEXT NAME FILTER
data() { explain workload "$2" -o json >"$work/explained" || true; check "$1" says_data "$3" || true; }
says_data() { jq -e "$1" "$work/explained" >/dev/null || { jq -c . "$work/explained"; return 1; }; }
ended() { [ "$1" -eq "$2" ] && grep -q -e "$3" "$work/out" || { echo "    status $1: $(cat "$work/out")"; return 1; }; }
# ends TEXT STATUS PATTERN ARGUMENT...
ends() {
    local text=$1 wanted=$2 pattern=$3 got=0
    shift 3
    "$program" explain "$@" >"$work/out" 2>&1 || got=$?
    check "$text" ended "$got" "$wanted" "$pattern"
}
waits() { soon holds workloads "$1" "any(.status.conditions[]?; .type == \"QuotaReserved\" and .status == \"False\")"; }

flavor f
flavor tainted 'nodeTaints: [{key: spot, value: "yes", effect: NoSchedule}]'
cq alone 5
lq qa alone
wl one qa 3
check "one runs" soon holds workloads one "$(is_true Admitted)"
wl big qa 4
waits big
sentence "own nominal quota" big "t/big waits in ClusterQueue alone as number 1 of 1: flavor f lacks 2 cpu (4 requested, 2 free, nominalQuota 5 of ClusterQueue alone with 3 in use; t/one holds 3); it would start with the end of t/one, or with 2 more nominalQuota of cpu in flavor f of ClusterQueue alone."
data "the same as data" big '.version == 1 and .workload == "t/big" and .state == "Pending" and .reason == "WaitingForQuota" and .fits == false and .position == {ahead: 0, waiting: 1, first: "", strictFIFO: false}
    and (.podSets[0].flavors[0].resources[0] | .missing == "2" and .limit == {kind: "NominalQuota", owner: "alone", ownerKind: "ClusterQueue", value: "5", used: "3"} and .heldBy[0] == {workload: "t/one", clusterQueue: "alone", amount: "3", evicted: false})
    and (.remedies | length) == 2'
wl huge qa 9
waits huge
data "more than there ever is" huge '.podSets[0].flavors[0].resources[0] | .never and .missing == "4" and .maximum == "5"'
sentence "an admitted one" one "t/one is admitted in ClusterQueue alone."

# ---- a cohort ----
cq limited 2 'cohortName: co' ', borrowingLimit: 1'
cq lender 10 'cohortName: co' ', lendingLimit: 4'
lq ql limited
lq qz lender
wl mine ql 2
check "mine runs" soon holds workloads mine "$(is_true Admitted)"
wl more ql 3
waits more
data "the borrowing limit" more '.podSets[0].flavors[0].resources[0].limit == {kind: "BorrowingLimit", owner: "limited", ownerKind: "ClusterQueue", value: "1", used: "0"}'
cq poor 0 'cohortName: co'
lq qp poor
wl borrower qp 3
check "borrower runs" soon holds workloads borrower "$(is_true Admitted)"
wl late qp 2
waits late
data "the cohort's capacity, what others do not lend, who holds it" late '.podSets[0].flavors[0].resources[0] | .limit.kind == "CohortCapacity" and .limit.owner == "co" and .unlent == "6" and .missing == "1" and .heldBy[0].workload == "t/borrower"'

# ---- flavors, victims, checks ----
make clusterqueues '{apiVersion: kueue.x-k8s.io/v1beta2, kind: ClusterQueue, metadata: {name: two}, spec: {namespaceSelector: {}, queueingStrategy: StrictFIFO, preemption: {withinClusterQueue: LowerPriority},
    resourceGroups: [{coveredResources: [cpu, memory], flavors: [{name: tainted, resources: [{name: cpu, nominalQuota: 9}, {name: memory, nominalQuota: 9Gi}]}, {name: f, resources: [{name: cpu, nominalQuota: 2}, {name: memory, nominalQuota: 1Gi}]}]}]}}'
lq q2 two
wl low q2 2
check "low runs" soon holds workloads low "$(is_true Admitted)"
wl first q2 1
wl second q2 1 'priority: -1'
waits first
sentence "a taint, and who is before it" second "t/second waits in ClusterQueue two as number 2 of 2 (StrictFIFO: behind t/first): untolerated taint {spot yes NoSchedule <nil>} in flavor tainted; flavor f lacks 1 cpu (1 requested, 0 free, nominalQuota 2 of ClusterQueue two with 2 in use; t/low holds 2); it would start with the end of t/low, or with 1 more nominalQuota of cpu in flavor f of ClusterQueue two."
wl urgent q2 2 'priority: 100'
check "low is preempted for urgent" soon holds workloads low "$(is_true Evicted)"
data "a victim" low '.state == "Evicting" and .reason == "Preempted" and (.summary | startswith("t/low is being evicted from ClusterQueue two: Preempted to accommodate"))'
data "its preemptor" urgent '.preempts == [{workload: "t/low", clusterQueue: "two"}] and .podSets[0].flavors[1].verdict == "Preempts"'
check_active c
cq checked 5 'admissionChecksStrategy: {admissionChecks: [{name: c}]}'
lq qc checked
wl careful qc 1
check "careful has quota" soon holds workloads careful "(.status.admissionChecks | length == 1) and $(is_true QuotaReserved)"
sentence "waiting for a check" careful "t/careful holds quota in ClusterQueue checked and waits for AdmissionCheck c (Pending)."

# ---- other obstacles ----
wl lost nowhere 1
data "no queue" lost '.summary == "t/lost waits: LocalQueue nowhere doesn'"'"'t exist." and .fits == null'
wl inactive qa 1 'active: false'
data "deactivated" inactive '.state == "Deactivated" and (.summary | endswith("it would queue again with spec.active: true."))'
end one
data "finished" one '.state == "Finished" and .summary == "t/one has finished."'

# ---- jobs ----
kubectl create -f - >/dev/null <<END
{apiVersion: batch/v1, kind: Job, metadata: {name: j, namespace: t, labels: {kueue.x-k8s.io/queue-name: qp}}, spec: {suspend: true, parallelism: 2, template: {spec: {restartPolicy: Never, containers: [{name: c, image: i, resources: {requests: {cpu: 2}}}]}}}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: free, namespace: t}, spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}
END
job_explained() { explain job j -o json | jq -e '.job == "t/j" and (.workload | startswith("t/job-j-")) and .podSets[0].count == 2 and .podSets[0].flavors[0].resources[0].requested == "4"' >/dev/null 2>&1; }
check "a Job by its own name" soon job_explained

# ---- mistakes ----
ends "no such Workload" 3 'there is no Workload "x" in namespace "t"' workload x -n t
ends "no such Job" 3 'there is no Job "x" in namespace "t"' job x -n t
ends "a Job that is not managed" 3 'has no label kueue.x-k8s.io/queue-name' job free -n t
owned() { wl "$1" qp 1 '' "ownerReferences: [{apiVersion: batch/v1, kind: Job, name: free, uid: $(get jobs free .metadata.uid), controller: true}]"; }
owned slice-a
owned slice-b
ends "several: which one?" 4 'several Workloads: .*slice-a.*slice-b' job free -n t

ends "an unknown kind" 2 'expected workload or job, got "pod"' pod x
ends "no name" 2 'name the workload' workload
ends "an unknown flag" 2 'unknown argument "--what"' workload x --what
ends "an unknown format" 2 'expected text or json' workload x -o yaml
ends "no API server" 1 'connect' workload x -n t --kubeconfig <(sed 's#server: .*#server: https://127.0.0.1:1#' "$KUBECONFIG")
kubectl create serviceaccount -n t nobody >/dev/null
kubectl create serviceaccount -n t user >/dev/null
kubectl create role -n t reader --verb=get,list --resource=workloads.kueue.x-k8s.io >/dev/null
kubectl create rolebinding -n t reader --role=reader --serviceaccount=t:user >/dev/null
as() { printf '{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}], clusters: [{name: c, cluster: {server: "%s", certificate-authority-data: "%s"}}], users: [{name: u, user: {token: "%s"}}]}' \
    "$(kubectl config view --raw -o jsonpath='{.clusters[0].cluster.server}')" "$(kubectl config view --raw -o jsonpath='{.clusters[0].cluster.certificate-authority-data}')" "$(kubectl create token -n t "$1")" >"$work/$1.yaml"; }
as nobody
as user
ends "forbidden" 5 'forbidden' workload big -n t --kubeconfig "$work/nobody.yaml"
ends "without the right to see the queues: the Workload's own words" 0 "t/huge waits: couldn't assign flavors to pod set main: insufficient quota for cpu in flavor f" workload huge -n t --kubeconfig "$work/user.yaml"
check "and a note" grep -q 'no right to list clusterqueues' "$work/out"

kubectl create serviceaccount -n t operator >/dev/null
kubectl create clusterrole operator --verb=get,list --resource=workloads.kueue.x-k8s.io,clusterqueues.kueue.x-k8s.io,cohorts.kueue.x-k8s.io,localqueues.kueue.x-k8s.io,resourceflavors.kueue.x-k8s.io >/dev/null
kubectl create clusterrolebinding operator --clusterrole=operator --serviceaccount=t:operator >/dev/null
as operator
ends "who may see the queues gets the figures" 0 'flavor f lacks [12] cpu .*capacity 6 of Cohort co' workload late -n t --kubeconfig "$work/operator.yaml"
check "and a note of what may be missing" grep -q 'no right to list limitranges$' "$work/out"

# ---- without a controller ----
sluice_kill one
data "nobody but the API server has to run" late '.podSets[0].flavors[0].resources[0].limit.kind == "CohortCapacity"'
