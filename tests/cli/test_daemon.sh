#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# daemon: start, readiness, a passed socket, and its end.
. tests/cli/support.sh
first=$examples/1-pass-through.yaml

mkfifo ready
"$ioasidctl" daemon --ready-fd 3 3>ready 2>log &
pid=$!
is "$(od -An -tx1 -N1 <ready | tr -d ' ')" 00 "--ready-fd: one byte once it listens"
[ -S "$IOASIDCTL_SOCKET" ]
result $? "the socket is there"
run "$ioasidctl" daemon
exits 1 "a second holder: exit status"
says "$err" "$IOASIDCTL_SOCKET" "a second holder: names the socket"
says "$err" "$pid" "a second holder: names the first"
run "$ioasidctl" show --json
valid "$out" show "it answers"
run "$ioasidctl" apply --driver ioasid "$first"
exits 0 "apply through it"
is "$(holder_pid)" $pid "apply starts no other"
kill -TERM $pid
wait $pid
status=$?
exits 0 "SIGTERM: exit status"
[ ! -e "$IOASIDCTL_SOCKET" ] && [ ! -e "$IOASIDCTL_SOCKET.lock" ]
result $? "SIGTERM: leaves no socket"
[ -s log ]
result $? "it logs to standard error"

# A socket of a service manager.
mkdir -p passed
"$python" - "$ioasidctl" passed/control <<'END' 2>log &
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[2])
s.listen()
if s.fileno() != 3:
    os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[1], ["ioasidctl", "daemon", "--socket", sys.argv[2]])
END
pid=$!
eventually test -S passed/control
run "$ioasidctl" show --socket passed/control --json
valid "$out" show "a passed socket: it answers"
kill -TERM $pid
wait $pid
status=$?
exits 0 "a passed socket: end"
[ -S passed/control ]
result $? "a passed socket: belongs to the manager, and stays"

# A holder that was killed: who looks afterwards is told what it had, and what to do.
run "$ioasidctl" apply --driver ioasid "$first"
exits 0 "to be killed: applied"
pid=$(holder_pid)
kill -9 "$pid"
eventually gone "$pid"
told="the last one was killed while it held vm0"
run "$ioasidctl" show
exits 0 "after the kill, show: exit status"
is "$(cat "$out")" "nothing is held" "after the kill, show: nothing is held"
says "$err" "warning: no holder listens at $IOASIDCTL_SOCKET" "after the kill, show: warns"
says "$err" "cause: $told" "after the kill, show: what was lost"
run "$ioasidctl" show --json
valid "$out" show "after the kill, show --json: by the schema"
silent "$err" "after the kill, show --json: no text in between"
for verb in show delete; do
	run "$ioasidctl" $verb vm0
	exits 69 "after the kill, $verb vm0: exit status"
	says "$err" "cause: $told" "after the kill, $verb vm0: what was lost"
	says "$err" 'hint: `ioasidctl apply FILE` makes it again; `ioasidctl daemon --exit-idle`' \
		"after the kill, $verb vm0: way out"
done
run "$ioasidctl" daemon --exit-idle
exits 0 "that way out: exit status"
says "$err" "topology vm0: was lost when the last holder crashed" "that way out: clears up"
is "$(ls "$place/run" | xargs)" "" "that way out: nothing is left behind"
run "$ioasidctl" show
silent "$err" "that way out: nothing to warn of any more"

"$ioasidctl" daemon --keep 2>daemon.log &
pid=$!
eventually test -S "$IOASIDCTL_SOCKET"
run "$ioasidctl" apply --driver ioasid "$first"
exits 0 "to be kept: applied"
kill -TERM $pid
wait $pid
run "$ioasidctl" show
says "$err" "cause: the last one kept vm0 for the next" "after --keep, show: warns"
run "$ioasidctl" delete vm0
exits 69 "after --keep, delete: exit status"
says "$err" 'hint: `ioasidctl daemon` is the next, and applies it again' "after --keep, delete: way out"
run "$ioasidctl" apply --driver ioasid "$first"
is "$(cat "$out")" "vm0: nothing to do" "after --keep, apply: the next holder has it"
run "$ioasidctl" delete vm0
exits 0 "after --keep: deleted by the next holder"

open_deaf_pipe
"$ioasidctl" daemon 2>&8 8>&- &
pid=$!
eventually test -S "$IOASIDCTL_SOCKET"
run "$ioasidctl" apply --driver ioasid "$first"
exits 0 "nobody reads the log: applied"
run "$ioasidctl" delete vm0
is "$(holder_pid)" "$pid" "nobody reads the log: it was that holder"
kill -TERM $pid
wait $pid
status=$?
exits 0 "nobody reads the log: it ends well"
exec 8>&-

LISTEN_FDS=2 LISTEN_PID=$$ run bash -c 'LISTEN_PID=$$ exec "$0" daemon' "$ioasidctl"
exits 64 "two passed sockets: exit status"
says "$err" 'LISTEN_FDS is "2", but one socket is expected' "two passed sockets: message"
run bash -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" daemon 3</dev/null' "$ioasidctl"
exits 64 "a passed descriptor that is no socket: exit status"
run "$ioasidctl" daemon --ready-fd 99
exits 64 "--ready-fd that isn't open: exit status"
says "$err" '--ready-fd: "99" is no open descriptor' "--ready-fd that isn't open: message"
run "$ioasidctl" daemon --ready-fd -1
exits 64 "--ready-fd that is no number: exit status"
printf '[]' >machine.json
run "$ioasidctl" daemon --machine machine.json
exits 65 "a broken machine: exit status"
run "$ioasidctl" apply --machine machine.json "$first"
exits 65 "a broken machine: the reason reaches who started the holder"
finish
