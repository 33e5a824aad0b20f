#!/usr/bin/env bash
# What people change while Jobs wait or run: counts, queues, priorities, activity, stop policies, deletion.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
stage
queue q 4
queue r 4
kubectl apply -f - >/dev/null <<'END'
apiVersion: kueue.x-k8s.io/v1beta2
kind: WorkloadPriorityClass
metadata: {name: high}
value: 1000
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: WorkloadPriorityClass
metadata: {name: low}
value: 10
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: LocalQueue
metadata: {name: other, namespace: q}
spec: {clusterQueue: r}
END

job q busy 1 4 600
check "the first job runs" eventually 10 runs q busy

job q waiting 1 2 600
check "the second waits" eventually 10 has q waiting "$(is QuotaReserved False)"
first=$(workload q waiting | jq -r .metadata.uid)
kubectl patch job waiting -n q --type merge -p '{"spec": {"parallelism": 2, "template": {"spec": {"tolerations": [{"key": "x", "operator": "Exists"}]}}}}' >/dev/null
check "its Workload follows an edit in place" eventually 10 has q waiting '.spec.podSets[0].count == 1 and any(.spec.podSets[0].template.spec.tolerations[]?; .key == "x")'
check "and stays the same object" test "$(workload q waiting | jq -r .metadata.uid)" = "$first"
kubectl label job waiting -n q kueue.x-k8s.io/queue-name=other --overwrite >/dev/null
check "another queue lets it in" eventually 10 has q waiting "$(is Admitted) and .spec.queueName == \"other\""
check "and it runs" eventually 10 runs q waiting
check "a running job cannot change queues" bash -c '! kubectl label job waiting -n q kueue.x-k8s.io/queue-name=q --overwrite 2>&1 | grep -v "field is immutable" | grep -q labeled'

job q urgent 1 4 600 'kueue.x-k8s.io/priority-class: high'
check "a higher priority preempts" eventually 15 has q busy "$(reason_is Evicted Preempted)"
check "the victim's job is suspended and restored" eventually 15 job_has q busy '.spec.suspend == true and (.spec.template.spec.nodeSelector // {}) == {} and (.spec.template.metadata.labels["kueue.x-k8s.io/podset"] == null)'
check "the winner runs" eventually 15 has q urgent "$(is Admitted) and .spec.priority == 1000"
check "the victim is queued again" eventually 15 has q busy "$(is QuotaReserved False) and $(is Requeued)"
kubectl label job busy -n q kueue.x-k8s.io/priority-class=low --overwrite >/dev/null
check "a priority class given later reaches the Workload" eventually 10 has q busy '.spec.priority == 10 and .spec.priorityClassRef.name == "low"'

kubectl patch workload -n q "$(workload q urgent | jq -r .metadata.name)" --type merge -p '{"spec": {"active": false}}' >/dev/null
check "deactivation stops the job" eventually 15 job_has q urgent '.spec.suspend == true'
check "and says so" eventually 10 has q urgent "$(reason_is Evicted Deactivated) and $(is QuotaReserved False)"
check "the next one starts" eventually 15 has q busy "$(is Admitted)"
kubectl patch workload -n q "$(workload q urgent | jq -r .metadata.name)" --type merge -p '{"spec": {"active": true}}' >/dev/null
check "activation queues it again, and it preempts" eventually 20 has q urgent "$(is Admitted)"

kubectl patch clusterqueue q --type merge -p '{"spec": {"stopPolicy": "HoldAndDrain"}}' >/dev/null
check "HoldAndDrain evicts" eventually 15 has q urgent "$(reason_is Evicted ClusterQueueStopped) and $(is QuotaReserved False)"
check "and the queue says it is stopped" eventually 10 bash -c 'kubectl get clusterqueue q -o json | jq -e "any(.status.conditions[]; .type == \"Active\" and .status == \"False\" and .reason == \"Stopped\")" >/dev/null'
check "the LocalQueue follows" eventually 10 bash -c 'kubectl get localqueue q -n q -o json | jq -e "any(.status.conditions[]; .type == \"Active\" and .reason == \"ClusterQueueIsInactive\")" >/dev/null'
kubectl patch clusterqueue q --type merge -p '{"spec": {"stopPolicy": "None"}}' >/dev/null
check "resuming lets it back in" eventually 15 has q urgent "$(is Admitted)"

kubectl patch localqueue q -n q --type merge -p '{"spec": {"stopPolicy": "Hold"}}' >/dev/null
job q held 1 1 600
check "Hold keeps new ones out" eventually 10 has q held "$(reason_is QuotaReserved Suspended)"
check "and leaves the running one" has q urgent "$(is Admitted)"
kubectl patch localqueue q -n q --type merge -p '{"spec": {"stopPolicy": "None"}}' >/dev/null

name=$(workload q urgent | jq -r .metadata.name)
kubectl delete job urgent -n q --wait=false >/dev/null
gone() { ! kubectl get workload -n "$1" "$2" >/dev/null 2>&1; }
check "deleting a job finishes its Workload" eventually 10 bash -c 'kubectl get workload -n q "$1" -o json 2>/dev/null | jq -e "(.metadata.finalizers // []) == []" >/dev/null || ! kubectl get workload -n q "$1" >/dev/null 2>&1' - "$name"
# The garbage collector looks for new kinds every half minute.
check "and it is gone" eventually 75 gone q "$name"
check "and its quota" eventually 15 has q busy "$(is Admitted)"
kubectl delete workload -n q "$(workload q busy | jq -r .metadata.name)" --wait=false >/dev/null
check "deleting a Workload stops the job, which is queued anew" eventually 20 has q busy '.metadata.deletionTimestamp == null'

refused() { ! kubectl apply -f - >"$work/refused" 2>&1 <<<"$1" && grep -q -- "$2" "$work/refused"; }
check "a negative quota is refused by name" refused '{"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "ClusterQueue", "metadata": {"name": "bad"}, "spec": {"resourceGroups": [{"coveredResources": ["cpu"], "flavors": [{"name": "gpu", "resources": [{"name": "cpu", "nominalQuota": "-1"}]}]}]}}' 'spec.resourceGroups\[0\].flavors\[0\].resources\[0\].nominalQuota: Invalid value: "-1"'
check "a queue name that is none is refused" bash -c 'kubectl create -f - 2>&1 <<<"$1" | grep -q "a lowercase RFC 1123 subdomain"' - "$(job_yaml q bad 1 1 1 | sed '$d' | sed 's#queue-name: q#queue-name: Not_Valid#')"
check "v1beta1 is converted both ways" bash -c 'kubectl get clusterqueues.v1beta1.kueue.x-k8s.io q -o json | jq -e ".spec.flavorFungibility.whenCanBorrow != null" >/dev/null'
