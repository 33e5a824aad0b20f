#!/usr/bin/env bash
# The ledger file is deleted, damaged, locked, or cannot be written: only history is at stake.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
stage
queue a 4
job a one 1 4 600
check "a job runs" eventually 10 runs a one
job a two 1 4 1
check "another waits" eventually 10 has a two "$(is QuotaReserved False)"
sluice_stop one >/dev/null
check "the ledger is sound" "$program" ledger check "$work/ledger-one.db"
check "it knows the admission" bash -c '"$1" ledger history "$2" --workload a/"$3" -o json | jq -es "flatten | length > 0" >/dev/null' - "$program" "$work/ledger-one.db" "$(workload a one | jq -r .metadata.name)"
check "it can be exported" "$program" ledger export "$work/ledger-one.db" "$work/copy.db"
check "the copy is sound" "$program" ledger check "$work/copy.db"

rm -f "$work"/ledger-one.db*
sluice_start one
check "without the file the job still runs" always runs a one
check "and nothing else was let in" always has a two "$(is QuotaReserved False)"
sluice_kill one

head -c 65536 /dev/urandom >"$work/ledger-one.db"
rm -f "$work"/ledger-one.db-*
sluice_start one
check "a damaged file is moved aside" bash -c 'ls "$1"/ledger-one.db.damaged* >/dev/null' - "$work"
check "and the job still runs" has a one "$(is Admitted)"
sluice_configure two "$(free_port)"
cp "$work/config-two.yaml" "$work/config-locked.yaml"
status=0
timeout 60 "$program" run --config "$work/config-locked.yaml" --ledger "$work/ledger-one.db" >"$work/locked.log" 2>&1 || status=$?
check "a second process on the same file is refused with a reason ($status)" bash -c '[ "$1" -eq 1 ] && grep -q ledger-one.db "$2"' - "$status" "$work/locked.log"
sluice_stop one >/dev/null
status=0
timeout 60 "$program" run --config "$work/config-one.yaml" --ledger /proc/nowhere/ledger.db >"$work/nowhere.log" 2>&1 || status=$?
check "a folder that cannot be written is named ($status)" bash -c '[ "$1" -eq 1 ] && grep -q /proc/nowhere "$2"' - "$status" "$work/nowhere.log"
sluice_start one
kubectl delete job one -n a --wait=false >/dev/null
check "the waiting job gets its turn" eventually 20 job_has a two 'any(.status.conditions[]?; .type == "Complete" and .status == "True")'
