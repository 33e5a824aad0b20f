#!/usr/bin/env bash
# The API server is killed and restarted with the same etcd, twice, while gangs are admitted.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
stage
queue a 8
watch_quota "$work/quota" a=8
for i in $(seq 60); do job_yaml a "gang-$i" 2 $((i % 2 + 1)) 0.3; done | kubectl create -f - >/dev/null
for _ in 1 2; do
    sleep 1.5
    cluster kill apiserver
    sleep 1
    cluster start apiserver >/dev/null
done
all_done() { [ "$(count_jobs 'any(.status.conditions[]?; .type == "Complete" and .status == "True")')" -eq 60 ]; }
check "every gang finishes" eventually 120 all_done
check "within the quota ($(grep VIOLATION "$work/quota" | head -n 3))" test "$(violations "$work/quota")" -eq 0
check "Sluice lived through it" is_running one
check "and is ready" eventually 10 is_ready one
watch_end "$work/quota"
