#!/usr/bin/env bash
# What the webhooks accept, refuse and fill in: each sample of tests/crds/webhook goes through the API server, with the feature
# gates that it names, and so do the samples beside it that need a controller which converts. The texts are those a user sees.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=bare.sh
. "$(dirname "$0")/bare.sh"
bare_up

gates_of() { sed -n 's/^# gates: //p' "$1"; }
mapfile -t samples < <(printf '%s\n' "$root"/tests/crds/webhook/*/*.yaml; grep -l '^# needs: conversion$' "$root"/tests/crds/{accepted,refused}/*.yaml)
while read -r gates; do
    chosen=()
    for sample in "${samples[@]}"; do [ "$(gates_of "$sample")" != "$gates" ] || chosen+=("$sample"); done
    bare_start one --components webhooks-core ${gates:+--feature-gates "$gates"}
    "$root/tests/crds/run" --as-is "${chosen[@]}" >"$work/samples" || true
    stops one
    grep '^FAILED' "$work/samples" || true
    passed=$((passed + $(awk 'END {print $1 + 0}' "$work/samples")))
    failed=$((failed + $(awk 'END {print $3 + 0}' "$work/samples")))
done < <(for sample in "${samples[@]}"; do gates_of "$sample" | grep . || echo; done | sort -u)
check "every sample was tried" test $((passed + failed)) -eq ${#samples[@]}
