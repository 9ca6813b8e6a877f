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
