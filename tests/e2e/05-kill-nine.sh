#!/usr/bin/env bash
# kill -9 at random moments while 200 gangs are admitted, 30 times; a watcher at the API server sums usage.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
gangs=${SLUICE_GANGS:-200} kills=${SLUICE_KILLS:-30}
cluster_up
hook=$(free_port)
chart_install "$hook" --set "webhook.trustedUsers={admin}"
sluice_configure one "$hook"
sluice_start one
gpu_nodes 4
queue a 16 pool
queue b 16 pool
watch_quota "$work/quota" a+b=32
for i in $(seq "$gangs"); do job_yaml "$( ((i % 2)) && echo a || echo b)" "gang-$i" 2 $((i % 3 + 1)) 0.3; done >"$work/gangs.yaml"
kubectl create -f "$work/gangs.yaml" >/dev/null # all at once: without a webhook none can be made

for i in $(seq "$kills"); do
    sleep "0.$((RANDOM % 9))$((RANDOM % 9))"
    sluice_kill one
    sluice_launch one
done
becomes_ready one

done_jobs() { count_jobs 'any(.status.conditions[]?; .type == "Complete" and .status == "True")'; }
all_done() { [ "$(done_jobs)" -eq "$gangs" ]; }
check "every gang finishes ($gangs)" eventually 240 all_done
say "highest use of 32: $(highest "$work/quota" a+b)"
check "the quota was used" test "$(highest "$work/quota" a+b)" -ge 24
check "and never exceeded, every gang whole ($(grep VIOLATION "$work/quota" | head -n 3))" test "$(violations "$work/quota")" -eq 0
check "nothing started twice" test "$(kubectl get jobs -A -o json | jq '[.items[] | select((.status.succeeded // 0) != 2 or (.status.failed // 0) != 0)] | length')" -eq 0
check "one Workload per job" test "$(kubectl get workloads -A -o json | jq '[.items[].metadata.ownerReferences[0].uid] | (unique | length) == length')" = true
# A gang that was being preempted may have finished first; it stays suspended, and complete.
stuck() { count_jobs '.spec.suspend and (any(.status.conditions[]?; .type == "Complete" and .status == "True") | not)'; }
check "no job is left suspended" test "$(stuck)" = 0
check "the ledger is sound" "$program" ledger check "$(sluice_stop one >/dev/null; echo "$work/ledger-one.db")"
watch_end "$work/quota"
