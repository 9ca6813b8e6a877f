#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: a command inside a topology, without a holder.
. tests/cli/support.sh
first=$examples/1-pass-through.yaml
runs=("$ioasidctl" run --driver ioasid "$first" --)

run "${runs[@]}" true
exits 0 "true: exit status"
silent "$out" "true: nothing on standard output"
silent "$err" "true: nothing on standard error"
run "${runs[@]}" sh -c 'exit 42'
exits 42 "exit status of the command"
run "${runs[@]}" sh -c 'kill -KILL $$'
exits 137 "status of a killed command"
run "${runs[@]}" ./nowhere
exits 127 "a command that isn't there: exit status"
says "$err" "nowhere" "a command that isn't there: named"
touch plain
run "${runs[@]}" ./plain
exits 126 "a command that isn't one: exit status"
says "$err" "plain" "a command that isn't one: named"
run "${runs[@]}" echo --json --help
is "$(cat "$out")" "--json --help" "options after -- are the command's"

# Descriptors.
run "${runs[@]}" sh -c 'echo "$LISTEN_FDS $LISTEN_FDNAMES $(($LISTEN_PID == $$))"'
is "$(cat "$out")" "1 ram 1" "LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID"
run "${runs[@]}" sh -c 'stat -Lc %s /proc/self/fd/$1' sh '{fd:ram}'
is "$(cat "$out")" $((64 << 20)) "{fd:NAME} is the memory, by its size"
run "${runs[@]}" sh -c 'cat "$IOASIDCTL_TOPOLOGY"'
exits 0 "IOASIDCTL_TOPOLOGY: can be opened"
valid "$out" show "IOASIDCTL_TOPOLOGY: by the schema"
is "$(json "$out" 'd["topologies"][0]["fds"][0]["ioasids"][0]["alive"]')" True \
	"IOASIDCTL_TOPOLOGY: the live state"
run "${runs[@]}" sh -c 'ls /proc/self/fd | wc -l'
run "${runs[@]}" echo '{fd:rom}'
exits 64 "{fd:NAME} of nothing: exit status"
says "$err" "rom" "{fd:NAME} of nothing: named"
silent "$out" "{fd:NAME} of nothing: the command isn't started"
run "${runs[@]}" sh -c 'printf there >/proc/self/fd/3; dd if=/proc/self/fd/3 bs=5 count=1 2>/dev/null'
is "$(cat "$out")" there "the memory is real"

# Signals go to the command; its end takes the topology down.
"${runs[@]}" sh -c 'trap "echo got TERM; exit 3" TERM; echo ready; while :; do sleep 0.05; done' \
	>"$out" 2>"$err" &
pid=$!
eventually grep -q ready "$out"
kill -TERM $pid
wait $pid
status=$?
exits 3 "SIGTERM: exit status of the command"
says "$out" "got TERM" "SIGTERM: forwarded"
"${runs[@]}" sleep 1000 >"$out" 2>"$err" &
pid=$!
eventually pgrep -P $pid >/dev/null
kill -HUP $pid
wait $pid
status=$?
exits 129 "SIGHUP: ends a command that doesn't expect it"

# Refusals: the command isn't started.
run "$ioasidctl" run --driver ioasid nowhere.yaml -- touch started
[ "$status" -ne 0 ]
result $? "no such file: exit status"
sed 's/iova: 0x8000000/iova: 0xfee00000/' "$first" >msi.yaml
run "$ioasidctl" run --driver ioasid msi.yaml -- touch started
exits 1 "a config that the machine refuses: exit status"
says "$err" "error:" "a config that the machine refuses: message"
run "$ioasidctl" run --json --driver ioasid msi.yaml -- touch started
valid "$err" error "a config that the machine refuses --json: by the schema"
[ ! -e started ]
result $? "none of them started the command"
run "$ioasidctl" run -v --driver ioasid "$first" -- echo hello
is "$(cat "$out")" hello "-v: standard output is the command's"
says "$err" "MAP" "-v: kernel actions"
run bash -c 'ulimit -f 1; exec "$@"' bash "$ioasidctl" run --driver ioasid "$first" -- touch started
exits 1 "memory above ulimit -f: exit status"
says "$err" "memory ram: sizing it: File too large" "memory above ulimit -f: message"
{
	printf 'version: 1\nname: many\nfds: [{name: main, ioasids: []}]\nmemory:\n'
	for ((i = 0; i < 100; i++)); do echo "  - {name: m$i, size: 4K}"; done
} >many.yaml
run bash -c 'ulimit -n 50; exec "$@"' bash "$ioasidctl" run --driver ioasid many.yaml -- touch started
exits 1 "more descriptors than ulimit -n: exit status"
says "$err" "making it: Too many open files" "more descriptors than ulimit -n: message"
says "$err" "hint: each memory and each device takes a descriptor" "more descriptors than ulimit -n: way out"
open_deaf_pipe
"$ioasidctl" run -v --driver ioasid "$first" -- touch started >"$out" 2>&8
status=$?
exits 0 "-v, and nobody listens: done all the same"
[ -e started ]
result $? "-v, and nobody listens: the command was started"
run "${runs[@]}" sh -c 'grep SigIgn: /proc/self/status'
is "$((0x$(awk '{ print $2 }' "$out") >> 12 & 1))" 0 "the command gets SIGPIPE as usual"
[ ! -e "$IOASIDCTL_SOCKET" ]
result $? "run starts no holder"
finish
