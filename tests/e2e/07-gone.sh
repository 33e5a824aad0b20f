#!/usr/bin/env bash
# Compaction makes every watch start over (410 Gone); nothing is dropped or doubled.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
stage
queue a 4
job a running 1 4 600
check "a job runs" eventually 10 runs a running
job a waiting 1 2 1
check "another waits" eventually 10 has a waiting "$(is QuotaReserved False)"
cluster compact --restart >/dev/null
check "ready after the compaction" eventually 20 is_ready one
check "the running job still runs" always runs a running
job a late 1 2 1
check "new jobs are seen" eventually 20 has a late "$(is QuotaReserved False)"
kubectl delete job running -n a --wait=false >/dev/null
for j in waiting late; do check "$j finishes" eventually 30 job_has a "$j" 'any(.status.conditions[]?; .type == "Complete" and .status == "True")'; done
