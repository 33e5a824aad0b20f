#!/usr/bin/env bash
# The clock steps forward and back by an hour while jobs wait and run.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
library=$(find /usr/lib -name libfaketime.so.1 2>/dev/null | head -n 1)
[ -n "$library" ] || { apt-get install -y -q faketime >/dev/null 2>&1 || true; library=$(find /usr/lib -name libfaketime.so.1 2>/dev/null | head -n 1); }
cluster_up
hook=$(free_port)
chart_install "$hook"
sluice_configure one "$hook" 'leaderElection: {leaderElect: true, resourceName: sluice-test, resourceNamespace: sluice-system}'
echo "+0" >"$work/clock"
launcher=(env LD_PRELOAD="$library" FAKETIME_TIMESTAMP_FILE="$work/clock" FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1)
check "libfaketime is there" test -n "$library"
sluice_start one
gpu_nodes 2
queue a 4
watch_quota "$work/quota" a=4
leads() { [ -n "$(kubectl get lease sluice-test -n sluice-system -o 'jsonpath={.spec.holderIdentity}' 2>/dev/null)" ]; }
check "it leads" eventually 10 leads
job a running 1 4 600
check "a job runs" eventually 10 runs a running
n=0
for step in +3600 +0 -3600 +0; do
    n=$((n + 1))
    echo "$step" >"$work/clock"
    sleep 1
    job a "step-$n" 1 2 0.5
    check "a job created at $step is seen" eventually 10 has a "step-$n" "$(is QuotaReserved False)"
    check "the running job goes on" runs a running
done
check "it still leads and is ready" eventually 10 is_ready one
kubectl delete job running -n a --wait=false >/dev/null
finished() { [ "$(count_jobs 'any(.status.conditions[]?; .type == "Complete" and .status == "True")')" -eq 4 ]; }
check "all the others finish" eventually 40 finished
check "within the quota" test "$(violations "$work/quota")" -eq 0
watch_end "$work/quota"
