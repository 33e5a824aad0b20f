#!/usr/bin/env bash
# The demo's story, told without a terminal; and gangs that borrow and give back.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export SLUICE_DEMO_DIR=$work/demo
unset KUBECONFIG

status=0
timeout 900 "$root/tests/demo/run" "$program" >"$work/story" 2>&1 || status=$?
[ "$status" -eq 0 ] || cat "$work/story"
check "the story of the demo happens" test "$status" -eq 0
check "it names the reason of a wait" grep -qE 'reason: couldn.t assign flavors to pod set main: .*insufficient unused quota for nvidia.com/gpu in flavor h100, 16 more needed' "$work/story"
check "it shows what is borrowed" grep -q 'team-b borrows from team-a: h100 8' "$work/story"
"$root/tests/demo/down" >/dev/null
check "the demo leaves no file" test ! -e "$work/demo"
no_process() { ! pgrep -f -- "$work/demo" >/dev/null; }
check "the demo leaves no process" eventually 5 no_process
