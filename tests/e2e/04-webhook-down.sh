#!/usr/bin/env bash
# Jobs created while no webhook answers start at once; they are caught afterwards: suspended, then queued.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cluster_up
hook=$(free_port)
chart_install "$hook" --set webhook.failurePolicy=Ignore
sluice_configure one "$hook"
sluice_start one
gpu_nodes 4
queue q 4
job q before 1 4 600
check "with the webhook a job is held and admitted" eventually 10 has q before "$(is Admitted)"
check "and started" eventually 10 runs q before
sluice_kill one

job q while 2 2 600
check "without it a job starts by itself" eventually 15 job_has q while '.spec.suspend == false and .status.active == 2'
sluice_start one
check "afterwards it is suspended" eventually 15 job_has q while '.spec.suspend == true'
check "its pods are gone" eventually 20 job_has q while '(.status.active // 0) == 0'
check "and it waits in its queue with a reason" eventually 15 has q while "$(reason_is QuotaReserved WaitingForQuota)"
kubectl delete job before -n q --wait=false >/dev/null
check "it starts when quota is free" eventually 20 job_has q while '.spec.suspend == false and .status.active == 2'

# Somebody takes the way to the webhook away: it is put back as soon as that is seen, sooner than by looking now and then.
bundle() { kubectl get mutatingwebhookconfiguration sluice-mutating-webhook-configuration -o json | jq -r '[.webhooks[].clientConfig.caBundle] | unique | join(" ")'; }
is_back() { [ "$(bundle)" = "$good" ]; }
good=$(bundle)
take_away() { kubectl get mutatingwebhookconfiguration sluice-mutating-webhook-configuration -o json | jq 'del(.webhooks[].clientConfig.caBundle)' | kubectl replace -f - >/dev/null; }
check "the bundle is there" test -n "$good"
take_away
check "a bundle that is gone comes back" eventually 20 is_back
