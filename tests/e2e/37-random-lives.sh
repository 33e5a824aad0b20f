#!/usr/bin/env bash
# Random lives: users, job controllers, check controllers and administrators who do things in any order
# (tests/unit/admitter/loop/test_live_lives.c), and a kill -9 in between. Every version of a Workload that was ever
# visible is checked afterwards by life.jq. The seed is SLUICE_SEED.
# shellcheck source=workloads.sh
. "$(dirname "$0")/workloads.sh"
export SLUICE_SEED=${SLUICE_SEED:-1} SLUICE_STEPS=${SLUICE_STEPS:-700} SLUICE_TEST_KUBECONFIG=$work/cluster/kubeconfig
lives=$root/out/release/tests/unit/admitter/loop/test_live_lives
# api.sh has a function of that name.
[ -x "$lives" ] || command make -s -C "$root" "${lives#"$root"/}"
say "seed $SLUICE_SEED, $SLUICE_STEPS steps"

api_stage "$alone
waitForPodsReady: {timeout: 3s, recoveryTimeout: 2s, requeuingStrategy: {backoffBaseSeconds: 1, backoffLimitCount: 2}}" --components core,webhooks-core,scheduler
flavor default
admission_check a
cluster_queue q 4 '.spec.cohortName = "all"'
cluster_queue r 4 '.spec.cohortName = "all" | .spec.admissionChecksStrategy.admissionChecks = [{name: "a"}]'

curl -sN "$api_url$(at workloads)?watch=1" >"$work/watched" &
watcher=$!
"$lives" >"$work/lives" 2>&1 &
others=$!
sleep 4
sluice_kill one
sluice_start one --components core,webhooks-core,scheduler
status=0
wait "$others" || status=$?
check "everything comes to rest, and whoever waits says why" test "$status" -eq 0

versions() { api GET "$(at workloads)" | jq -c '[.items[].metadata | [.name, .resourceVersion]]'; }
before=$(versions)
sleep 1.5
check "at rest nothing is written" test "$before" = "$(versions)"
check "reasons fit those who wait" test "$(api GET "$(at workloads)" | jq "$filters"'[.items[] | select(condition_of("Finished") == null
    and condition_of("QuotaReserved").status != "True" and (condition_of("QuotaReserved").message // "") == "")] | length')" = 0
kill "$watcher"
jq -nr --argjson limit 8 -f "$root/tests/e2e/life.jq" "$work/watched" >"$work/verdict" 2>"$work/trouble" || true
say "$(wc -l <"$work/watched") versions seen, evictions: $(jq -r 'select(.type == "MODIFIED") | .object.status.schedulingStats.evictions[]? | select(.count == 1) | .reason + " " + .underlyingCause' "$work/watched" 2>/dev/null | sort | uniq -c | sort -rn | awk '{print $2 "/" $3}' | sed 's#/$##' | paste -sd ' ')"
check "the watcher saw a lot" test "$(wc -l <"$work/watched")" -gt "$((SLUICE_STEPS / 4))"
check "and understood it" test "$(grep -vc Unfinished "$work/trouble" || true)" = 0
check "no illegal state was ever visible" not grep VIOLATION "$work/verdict"
[ "$failed" -eq 0 ] || cat "$work/lives" "$work/trouble"
