#!/usr/bin/env bash
# A Job is held by the webhook, gets its Workload, is admitted, runs with the flavor's labels and ends.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
stage
queue q 8

uid_of() { kubectl get job -n "$1" "$2" -o 'jsonpath={.metadata.uid}'; }

job q first 2 2 1
check "the webhook suspends at creation" test "$(kubectl get job first -n q -o 'jsonpath={.metadata.managedFields[0].manager}')" != ""
check "a Workload appears" eventually 10 has q first "true"
expected=job-first-$(printf 'Job\nbatch\nfirst\n%s' "$(uid_of q first)" | sha1sum | cut -c1-5)
check "its name is the one every client computes" test "$(workload q first | jq -r .metadata.name)" = "$expected"
check "it carries the job's uid" has q first ".metadata.labels[\"kueue.x-k8s.io/job-uid\"] == \"$(uid_of q first)\""
check "it has our finalizer or is finished" has q first '(.metadata.finalizers // []) != [] or ('"$(is Finished)"')'
check "it is admitted" eventually 10 has q first "$(is Admitted) or $(is Finished)"
check "one pod set, whole" has q first '.status.admission.podSetAssignments | length == 1 and .[0].count == 2 and .[0].resourceUsage["nvidia.com/gpu"] == "4" and .[0].flavors["nvidia.com/gpu"] == "gpu"'
check "the job runs with the flavor's node labels" eventually 10 job_has q first '.spec.suspend == false and .spec.template.spec.nodeSelector["sluice.dev/nodes"] == "gpu"'
check "and its tolerations" job_has q first 'any(.spec.template.spec.tolerations[]?; .key == "sluice.dev/test")'
check "pods know their pod set and queue" job_has q first '.spec.template.metadata.labels["kueue.x-k8s.io/podset"] == "main" and .spec.template.metadata.labels["kueue.x-k8s.io/local-queue-name"] == "q"'
check "the job completes" eventually 20 job_has q first 'any(.status.conditions[]?; .type == "Complete" and .status == "True")'
check "the Workload is finished" eventually 10 has q first "$(reason_is Finished Succeeded)"
check "and has no finalizer" eventually 10 has q first '(.metadata.finalizers // []) == []'
freed() { kubectl get clusterqueue q -o json | jq -e '.status.reservingWorkloads == 0 and .status.admittedWorkloads == 0 and .status.flavorsReservation[0].resources[0].total == "0"' >/dev/null; }
check "its quota is free again" eventually 10 freed
check "the events tell the story" eventually 10 bash -c 'e=$(kubectl get events -n q -o json | jq -r ".items[].reason"); for r in CreatedWorkload QuotaReserved Admitted Started FinishedWorkload; do grep -qx $r <<<"$e" || exit 1; done'

job q large 3 4 1
check "a job above the quota waits" eventually 10 has q large "$(reason_is QuotaReserved ExceedsMaxQuota)"
check "and says why in numbers" has q large 'any(.status.conditions[]; .message | test("insufficient quota for nvidia.com/gpu in flavor gpu.* current podset request \\(12\\) > maximum capacity \\(8\\)"))'
check "and stays suspended" job_has q large '.spec.suspend == true'
kubectl patch clusterqueue q --type json -p '[{"op": "replace", "path": "/spec/resourceGroups/0/flavors/0/resources/0/nominalQuota", "value": 12}]' >/dev/null
check "a larger quota lets it in" eventually 10 has q large "$(is Admitted) or $(is Finished)"

kubectl create job plain -n q --image registry.example/c:1 >/dev/null
check "a job without a queue is left alone" job_has q plain '.spec.suspend == false'
no_workload() { ! kubectl get workloads -n q -o name | grep -q plain; }
check "and has no Workload" always no_workload

check "SIGTERM ends it" sluice_stop one
