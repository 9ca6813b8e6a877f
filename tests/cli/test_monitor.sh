#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# monitor: events as they come, for people and for programs, and how it ends.
. tests/cli/support.sh

cat >vm0.yaml <<'END'
version: 1
name: vm0
memory: [{name: ram, size: 64K}]
fds: [{name: main, driver: ioasid, ioasids: [{name: gpa, map: [{iova: 0x0, memory: ram, length: 64K}]}]}]
END
sed 's/name: vm0/name: vm1/' vm0.yaml >vm1.yaml

# Starts one in the background, and waits until it follows: follow NAME OPTION...
follow() {
	local name=$1
	shift
	"$ioasidctl" monitor "$@" >"$name.out" 2>"$name.err" </dev/null &
	pids[$name]=$!
	eventually grep -qs 'following\|monitoring' "$name.out"
}
declare -A pids

ended() { # NAME: its exit status in $status, its output where says looks
	wait "${pids[$1]}"
	status=$?
	cp "$1.out" "$out"
	cp "$1.err" "$err"
}

run "$ioasidctl" monitor
exits 69 "without a holder there is nothing to follow"
says "$err" "no holder listens at $IOASIDCTL_SOCKET" "it says so"
silent "$out" "and nothing else"
run "$ioasidctl" --json monitor
exits 69 "the same with --json"
valid "$err" error "the error is JSON then"
run "$ioasidctl" monitor --dry-run
exits 64 "an option that it doesn't have"

run "$ioasidctl" apply vm0.yaml
exits 0 "a first topology"
follow people
follow one vm1
follow programs --json
run "$ioasidctl" apply vm0.yaml
run "$ioasidctl" apply vm1.yaml
run "$ioasidctl" delete vm0 vm1
exits 0 "topologies come and go"
for name in people one programs; do
	eventually grep -q 'vm1.*deleted\|deleted.*vm1' "$name.out"
	result $? "$name: the last of it is told"
done
# The time of day first, then what happened.
sed -E 's/^[0-9:]{8}\.[0-9]{3} //; s/process [0-9]+/process N/; s/user id [0-9]+/user id N/' people.out >lines
golden lines monitor
grep -c . one.out >lines
is "$(cat lines)" 3 "with a name: the first line, and two of that topology"
is "$(grep -c vm0 one.out)" 0 "nothing of another"

split -l 1 programs.out json.
for line in json.*; do
	valid "$line" event "a line is an event: $(json "$line" 'd["kind"]')"
done
is "$(for line in json.*; do json "$line" 'd["kind"] + " " + d.get("topology", "-")'; done | xargs)" \
	"monitoring - applied vm1 deleted vm0 deleted vm1" "the events, in order"
is "$(json json.ab 'd["uid"] >= 0 and d["pid"] > 1')" True "with who it was"

# In an interactive shell, what Ctrl-C does; a script's background jobs ignore SIGINT.
for signal in INT TERM; do
	"$python" - "$ioasidctl" $signal <<'END' >"$out" 2>"$err"
import signal, subprocess, sys
p = subprocess.Popen([sys.argv[1], "monitor"], stdout=subprocess.PIPE, text=True,
                     preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
p.stdout.readline()
p.send_signal(getattr(signal, "SIG" + sys.argv[2]))
print(p.wait() == -getattr(signal, "SIG" + sys.argv[2]))
END
	is "$(cat "$out")" True "SIG$signal ends it as it ends any program"
done
# Not only when it has something to say again.
bash -c "'$ioasidctl' monitor --json | head -n 1 >line; echo \${PIPESTATUS[0]} >gone" &
eventually test -s gone
is "$(cat gone)" 141 "a reader who goes after the first line ends it, as any program"
"$python" - "$ioasidctl" <<'END' >"$out" 2>"$err"
import subprocess, sys
p = subprocess.Popen([sys.argv[1], "monitor"], stdout=subprocess.PIPE, restore_signals=False)
p.stdout.readline()
p.stdout.close()
sys.exit(p.wait())
END
status=$?
exits 1 "also where SIGPIPE is ignored"
says "$err" "standard output: Broken pipe" "and says so then"
run "$ioasidctl" monitor $'\xff'
exits 64 "a name that isn't UTF-8"
follow full
bash -c "'$ioasidctl' monitor >/dev/full" 2>"$err"
status=$?
exits 1 "a full disk ends it"
says "$err" "standard output" "and is told"

run "$ioasidctl" apply vm0.yaml
"$ioasidctl" faults --follow vm0 >faults.out 2>faults.err </dev/null &
pids[faults]=$!
eventually grep -q 'no page fault' faults.out
kill -STOP "${pids[full]}"
stop_holder
kill -CONT "${pids[full]}"
for name in people one programs full faults; do
	ended $name
	exits 69 "$name: the holder's end is its end"
done
cp people.err "$err"
says "$err" "the holder has ended" "it says why"
says people.out "the holder ends" "the last event"
says programs.out '"kind":"ending"' "the last event for programs"
cp programs.err "$err"
valid "$err" error "and the error, as JSON"
finish
