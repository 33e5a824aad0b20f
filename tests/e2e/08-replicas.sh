#!/usr/bin/env bash
# Two replicas: one leads, both answer webhooks; the other takes over after kill -9 and after SIGTERM.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster_up
hook=$(free_port) second=$(free_port)
lease='leaderElection: {leaderElect: true, resourceName: sluice-test, resourceNamespace: sluice-system, leaseDuration: 8s, renewDeadline: 6s, retryPeriod: 500ms}'
chart_install "$hook" --set "webhook.trustedUsers={admin}"
sluice_configure one "$hook" "$lease"
# What it gives up, it gives back: nobody would wait ten minutes for it to run out.
sluice_configure two "$second" "${lease/leaseDuration: 8s/leaseDuration: 600s}"
leader() { kubectl get lease sluice-test -n sluice-system -o 'jsonpath={.spec.holderIdentity}' 2>/dev/null; }
led() { [ -n "$(leader)" ]; }
led_by_another_than() { led && [ "$(leader)" != "$1" ]; }
sluice_start one
check "it leads" eventually 15 led
first=$(leader)
sluice_start two
gpu_nodes 4
queue a 8
watch_quota "$work/quota" a=8
check "both serve the same authority" test "$(kubectl get secret sluice-webhook-server-cert -n sluice-system -o 'jsonpath={.data.ca\.crt}')" != ""
check "and leads on" test "$(leader)" = "$first"
for i in $(seq 40); do job_yaml a "gang-$i" 2 1 0.5; done | kubectl create -f - >/dev/null
check "gangs are admitted" eventually 20 bash -c '[ "$(kubectl get workloads -A -o json | jq "[.items[] | select(.status.admission)] | length")" -gt 4 ]'
sluice_kill one # the webhook's address goes with it, so new jobs have to wait; those created go on
check "the other one takes over" eventually 15 led_by_another_than "$first"
all_done() { [ "$(count_jobs 'any(.status.conditions[]?; .type == "Complete" and .status == "True")')" -eq 40 ]; }
check "every gang finishes" eventually 90 all_done
check "within the quota ($(grep VIOLATION "$work/quota" | head -n 3))" test "$(violations "$work/quota")" -eq 0
second_holder=$(leader)
sluice_start one
sluice_stop two >/dev/null
check "a leader that is asked to stop gives the lease back" eventually 10 led_by_another_than "$second_holder"
job a last 1 1 1
check "and the other goes on" eventually 20 job_has a last 'any(.status.conditions[]?; .type == "Complete" and .status == "True")'
watch_end "$work/quota"
