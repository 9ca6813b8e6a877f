#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# daemon --takeover: from whom there is nothing to be had, what can't be, and what an upgrade is like
# for those who use the holder. What a kernel has to do with it is for the VM.
. tests/cli/support.sh
first=$examples/1-pass-through.yaml

run "$ioasidctl" daemon --takeover
exits 69 "nobody there: exit status"
says "$err" "no holder listens at $IOASIDCTL_SOCKET" "nobody there: what is wrong"
says "$err" "hint: without --takeover the daemon starts where none is" "nobody there: the way out"
[ ! -e "$IOASIDCTL_SOCKET" ] && [ ! -e "$IOASIDCTL_SOCKET.lock" ]
result $? "nobody there: nothing is left behind"

cat >ram.yaml <<'END'
version: 1
name: ram
memory: [{name: ram, size: 64K}]
END
memory_of() { # PID
	local fd
	for fd in /proc/"$1"/fd/*; do
		[[ $(readlink "$fd") == /memfd:ram* ]] && stat -Lc %i "$fd"
	done
}
start_next() {
	rm -f ready
	mkfifo ready
	"$ioasidctl" daemon --takeover "$@" --ready-fd 3 3>ready 2>log.next &
	disown
	od -An -tx1 -N1 <ready | tr -d ' '
}

"$ioasidctl" daemon --keep 2>log &
pid=$!
eventually test -S "$IOASIDCTL_SOCKET"
run "$ioasidctl" apply ram.yaml
exits 0 "apply"
memory=$(memory_of $pid)
"$ioasidctl" monitor >events 2>&1 &
monitor=$!
eventually grep -q "following the holder" events
start_next >byte
next=$(holder_pid)
is "$(cat byte)" 00 "takeover: one byte once it is the holder"
wait $pid
status=$?
exits 0 "takeover: the old one's exit status"
says log "takes over" "takeover: the old one's log"
lacks log "kept" "takeover: the old one leaves nothing to be made anew"
[ "$next" != $pid ]
result $? "takeover: another process has the lock"
is "$(memory_of "$next")" "$memory" "takeover: the memory is the same"
wait $monitor
grep -q "the holder ends" events
result $? "takeover: monitor tells of the end"
run "$ioasidctl" apply ram.yaml
exits 0 "takeover: the new one serves"
says "$out" "nothing to do" "takeover: nothing has changed"

run "$ioasidctl" apply --driver ioasid "$first"
exits 0 "a topology on the reference device"
run "$ioasidctl" show --json
cp "$out" before
run "$ioasidctl" daemon --takeover
exits 1 "bound to its process: exit status"
says "$err" "topology vm0 can't be taken over by another process: fd main" "bound to its process: what"
says "$err" "cause: its memory is mapped by the process that has it open" "bound to its process: why"
says "$err" "hint: delete the topology first, or end the holder with --keep" "bound to its process: the way out"
run "$ioasidctl" show --json
cmp -s "$out" before
result $? "bound to its process: all is as it was"
is "$(holder_pid)" "$next" "bound to its process: the holder is the same"
run "$ioasidctl" delete vm0
exits 0 "delete"

before=$next
start_next >byte
is "$(cat byte)" 00 "the next one, without what was in the way"
eventually gone "$before"
result $? "the one before has ended"
kill -9 "$(holder_pid)"
run "$ioasidctl" daemon --takeover
exits 69 "one that was killed can't be taken over"

run env LISTEN_PID=x "$ioasidctl" daemon --takeover --exit-idle=now
exits 64 "a usage error"
run bash -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" daemon --takeover 3<>/dev/null' "$ioasidctl"
exits 64 "with a socket that was passed: exit status"
says "$err" "--takeover brings a socket along" "with a socket that was passed: why"
run "$ioasidctl" apply --takeover ram.yaml
exits 64 "for another verb: exit status"
says "$err" "it belongs to: daemon" "for another verb: whose it is"
finish
