# lib.sh - shared by run and down: where the demo keeps its things, and how it ends them.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
state=${SLUICE_DEMO_DIR:-${XDG_STATE_HOME:-$HOME/.local/state}/sluice/demo}

# The start time of process $1, so that a number that was given to another process is not signalled.
started() { awk '{print $22}' "/proc/$1/stat" 2>/dev/null || true; }

remember() { printf '%s %s\n' "$1" "$(started "$1")" >"$state/admitter.pid"; }

# End the controller that the demo started, and nothing else.
stop_admitter() {
    local pid start
    [ -f "$state/admitter.pid" ] || return 0
    read -r pid start <"$state/admitter.pid"
    if [ "$(started "$pid")" = "$start" ]; then
        kill "$pid" 2>/dev/null || true
        for _ in $(seq 100); do
            [ "$(started "$pid")" = "$start" ] || break
            sleep 0.1
        done
        [ "$(started "$pid")" != "$start" ] || kill -9 "$pid" 2>/dev/null || true
    fi
    rm -f "$state/admitter.pid"
}
