#!/usr/bin/env bash
# Jobs are edited, deactivated and deleted at the moment they are admitted, again and again.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
stage
queue a 6
watch_quota "$work/quota" a=6
for i in $(seq 40); do
    job a "race-$i" 2 $((i % 3 + 1)) 0.5 &
    sleep "0.0$((RANDOM % 9))"
    case $((i % 4)) in
    0) (sleep "0.$((RANDOM % 4))"; kubectl delete job "race-$i" -n a --wait=false) >/dev/null 2>&1 & ;;
    1) (sleep "0.$((RANDOM % 4))"; kubectl patch job "race-$i" -n a --type merge -p '{"spec": {"parallelism": 1}}') >/dev/null 2>&1 & ;;
    2) (sleep "0.$((RANDOM % 4))"; kubectl delete workload -n a -l kueue.x-k8s.io/job-uid="$(kubectl get job "race-$i" -n a -o 'jsonpath={.metadata.uid}')" --wait=false) >/dev/null 2>&1 & ;;
    esac
done
wait
settled() { [ "$(count_jobs '(any(.status.conditions[]?; .type == "Complete" and .status == "True")) | not')" -eq 0 ]; }
check "whatever was not deleted finishes" eventually 90 settled
check "within the quota ($(grep VIOLATION "$work/quota" | head -n 3))" test "$(violations "$work/quota")" -eq 0
empty() { kubectl get clusterqueue a -o json | jq -e '.status.reservingWorkloads == 0 and .status.pendingWorkloads == 0' >/dev/null; }
check "no quota is left behind" eventually 20 empty
check "no Workload is left without its job" eventually 20 bash -c '[ "$(kubectl get workloads -n a -o json | jq "[.items[] | select(.metadata.deletionTimestamp)] | length")" -eq 0 ]'
watch_end "$work/quota"
