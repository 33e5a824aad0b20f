# shellcheck shell=bash
# process.sh - start, recognise and end processes by process id. Sourced, needs bash 5 and /proc.
#
# A process is known by its id together with the time it was started, both written to
# DIR/run/NAME.pid, so that an id that went to somebody else meanwhile is never signalled. Its
# command line is kept in DIR/run/NAME.cmd, one argument per NUL, and starts it again unchanged.

# When process $1 was started, in clock ticks since boot; fails when there is no such process.
# A process that has ended and was not yet waited for counts as gone.
process_start_time() {
    local line fields
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
    read -r -a fields <<<"${line##*) }"
    [[ ${fields[0]} != Z ]] && printf '%s' "${fields[19]}"
}

# CPU time used so far by process $1, in milliseconds.
process_cpu_ms() {
    local line fields
    read -r line <"/proc/$1/stat"
    read -r -a fields <<<"${line##*) }"
    printf '%s' $(((fields[11] + fields[12]) * 1000 / $(getconf CLK_TCK)))
}

# Print the id of server $2 of instance $1 if it is running.
process_of() {
    local pid began
    { read -r pid began <"$1/run/$2.pid"; } 2>/dev/null || return 1
    [[ -n $began && $(process_start_time "$pid") == "$began" ]] && printf '%s' "$pid"
}

process_command_set() {
    local dir=$1 name=$2
    shift 2
    printf '%s\0' "$@" >"$dir/run/$name.cmd"
}

# Start server $2 of instance $1 from its stored command line, in a session of its own, with
# nothing inherited but the environment. Its output goes to DIR/NAME.log.
process_start() {
    local dir=$1 name=$2 pid arguments
    [[ -f $dir/run/$name.cmd ]] || die "$dir has no server '$name'"
    process_of "$dir" "$name" >/dev/null && die "$name of $dir is already running"
    mapfile -d '' -t arguments <"$dir/run/$name.cmd"
    (
        exec </dev/null >>"$dir/$name.log" 2>&1
        cd "$dir" || exit 1
        unset KUBECONFIG
        for fd in "/proc/$BASHPID/fd"/*; do
            fd=${fd##*/}
            ((fd <= 2)) || exec {fd}>&-
        done
        exec setsid "${arguments[@]}"
    ) &
    pid=$!
    printf '%s %s\n' "$pid" "$(process_start_time "$pid" || true)" >"$dir/run/$name.pid"
}

process_signal() {
    local pid
    pid=$(process_of "$1" "$2") || return 1
    kill "-$3" "$pid" 2>/dev/null
}

# Wait until server $2 of instance $1 is gone, $3 tenths of a second at most.
process_wait_gone() {
    local tenths=$3
    while process_of "$1" "$2" >/dev/null; do
        ((tenths-- > 0)) || return 1
        sleep 0.1
    done
    rm -f "$1/run/$2.pid"
}

# End server $2 of instance $1: ask, wait $3 tenths of a second, then insist.
process_stop() {
    process_signal "$1" "$2" TERM || { rm -f "$1/run/$2.pid" && return 0; }
    process_wait_gone "$1" "$2" "$3" && return 0
    process_signal "$1" "$2" KILL || true
    process_wait_gone "$1" "$2" 50
}

# Does process $1 itself listen on TCP port $2 of 127.0.0.1? An answer on the port would not do:
# it may come from another instance that took the port first.
process_listens_on() {
    local address inode link
    printf -v address '0100007F:%04X' "$2"
    inode=$(awk -v a="$address" '$2 == a && $4 == "0A" { print $10; exit }' /proc/net/tcp)
    [[ -n $inode ]] || return 1
    for link in "/proc/$1/fd"/*; do
        [[ $(readlink "$link" 2>/dev/null) == "socket:[$inode]" ]] && return 0
    done
    return 1
}

# Print a port that nobody uses.
port_pick() {
    # shellcheck disable=SC2154
    "$here/free-port"
}
