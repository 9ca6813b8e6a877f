#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# exec: a command that gets the descriptors of what a holder holds, and what goes on meanwhile.
# shellcheck disable=SC2016
. tests/cli/support.sh

cat >vm0.yaml <<'END'
version: 1
name: vm0
memory: [{name: ram, size: 64K}, {name: rom, size: 4K}]
devices:
  - {name: dma0, pci: "0000:00:03.0", driver: vfio-pci}
  - {name: nic0, pci: "0000:01:00.0", driver: vfio-pci}
fds:
  - name: main
    driver: ioasid
    ioasids: [{name: gpa, map: [{iova: 0, memory: ram, length: 64K}], attach: [{device: dma0}]}]
END

run "$ioasidctl" exec vm0 -- touch started
exits 69 "no holder: exit status"
says "$err" "no holder listens at $IOASIDCTL_SOCKET" "no holder: says so"
[ ! -e "$IOASIDCTL_SOCKET" ]
result $? "no holder: and none is started"
run "$ioasidctl" apply vm0.yaml
exits 0 "a topology"

# What the command gets.
run "$ioasidctl" exec vm0 -- sh -c 'echo "$LISTEN_FDS $LISTEN_FDNAMES $(($LISTEN_PID == $$))"; exit 42'
exits 42 "the exit status is the command's"
is "$(cat "$out")" "2 ram:rom 1" "LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID"
run "$ioasidctl" exec vm0 -- sh -c 'stat -Lc %s /proc/self/fd/$1 /proc/self/fd/$2' sh '{fd:rom}' '{fd:ram}'
is "$(paste -sd' ' "$out")" "4096 65536" "{fd:NAME} is the memory, by its size"
run "$ioasidctl" exec vm0 rom -- sh -c 'echo "$LISTEN_FDNAMES"; stat -Lc %s /proc/self/fd/3'
is "$(paste -sd' ' "$out")" "rom 4096" "only one that is wanted"
run "$ioasidctl" exec vm0 rom ram -- sh -c 'echo "$LISTEN_FDNAMES"; stat -Lc %s /proc/self/fd/3'
is "$(paste -sd' ' "$out")" "rom:ram 4096" "in the order that is wanted"
run "$ioasidctl" exec vm0 -- sh -c 'cat "$IOASIDCTL_TOPOLOGY"'
valid "$out" show "IOASIDCTL_TOPOLOGY: by the schema"
is "$(json "$out" '[t["names"] for t in d["topologies"][0]["taken"]]')" "[['ram', 'rom']]" \
	"IOASIDCTL_TOPOLOGY: who gets it is in it"
run "$ioasidctl" exec vm0 -- sh -c 'printf there >/proc/self/fd/3'
run "$ioasidctl" exec vm0 -- sh -c 'dd if=/proc/self/fd/3 bs=5 count=1 2>/dev/null'
is "$(cat "$out")" there "the memory is the holder's, and stays"
run "$ioasidctl" exec vm0 -- echo --json --raw
is "$(cat "$out")" "--json --raw" "options after -- are the command's"
run sh -c 'echo $$; exec "$@"' sh "$ioasidctl" exec vm0 -- sh -c 'echo $$'
is "$(sort -u "$out" | wc -l)" 1 "the command takes the place of ioasidctl"
run sh -c 'trap "" HUP; exec "$@"' sh "$ioasidctl" exec vm0 -- sh -c 'grep SigIgn: /proc/self/status'
is "$((0x$(awk '{ print $2 }' "$out") & 0x1001))" 1 "signals are as they were"

# Refusals.
run "$ioasidctl" exec vm1 -- touch started
exits 69 "no such topology: exit status"
says "$err" "there is no topology vm1" "no such topology: says so"
run "$ioasidctl" --json exec vm1 -- touch started
valid "$err" error "no such topology --json: by the schema"
run "$ioasidctl" exec vm0 nic0 -- touch started
exits 64 "an object without a descriptor: exit status"
says "$err" "these have: ram, rom" "an object without a descriptor: names those that have one"
run "$ioasidctl" exec vm0 ram ram -- touch started
exits 64 "the same object twice"
run "$ioasidctl" exec vm0 -- touch started '{fd:nothing}'
exits 64 "{fd:NAME} of nothing: exit status"
says "$err" "{fd:nothing}: nothing of that name has a descriptor" "{fd:NAME} of nothing: named"
run "$ioasidctl" exec --raw vm0 -- touch started
exits 1 "raw on the reference device: exit status"
says "$err" "device dma0 can't be handed over raw" "raw on the reference device: message"
says "$err" "its devices have no node of their own" "raw on the reference device: the reason"
run "$ioasidctl" exec vm0
exits 64 "no command"
run "$ioasidctl" exec -- touch started
exits 64 "no name"
run "$ioasidctl" exec vm0 -- ./nowhere
exits 127 "a command that isn't there: exit status"
says "$err" "nowhere" "a command that isn't there: named"
touch plain
run "$ioasidctl" exec vm0 -- ./plain
exits 126 "a command that isn't one"
[ ! -e started ]
result $? "none of them started the command"
run "$ioasidctl" --json show
is "$(json "$out" 'd["topologies"][0]["taken"]')" "[]" "and nothing is left of any of them"

# While a command has them.
mkfifo hold
"$ioasidctl" monitor vm0 >events 2>&1 </dev/null &
monitor=$!
eventually grep -q following events
"$ioasidctl" exec vm0 ram -- sh -c 'echo ready; read -r line <hold; exec sleep 1000' >held &
pid=$!
eventually grep -q ready held
run "$ioasidctl" show
says "$out" "  taken attached by pid $pid (sh): ram" "show tells who has what"
run "$ioasidctl" --json show
valid "$out" show "as JSON: by the schema"
run "$ioasidctl" show --yaml vm0
lacks "$out" "taken" "the config has nothing of it"
run "$ioasidctl" delete vm0
exits 1 "delete is refused"
says "$err" "topology vm0 is in use: its descriptors are taken" "delete: says why"
says "$err" "pid $pid (sh) has them" "delete: and who"
run "$ioasidctl" --json delete vm0
valid "$err" error "delete --json: by the schema"
sed -i 's/length: 64K/length: 32K/' vm0.yaml
run "$ioasidctl" apply vm0.yaml
exits 0 "it can be changed"
echo on >hold
eventually sh -c 'grep -q sleep /proc/$1/comm' sh $pid
run "$ioasidctl" show
says "$out" "pid $pid (sleep): ram" "what the process becomes still has them"
kill $pid
wait $pid 2>/dev/null
eventually grep -q returned events
result $? "its end is noticed"
says events "vm0: taken by user id $(id -u), process $pid" "monitor told of the taking"
says events "vm0: returned by user id $(id -u), process $pid" "and of the return"

# A child that it leaves behind, and a lease that is given back.
"$ioasidctl" exec vm0 -- sh -c 'sleep 1000 & echo $! >child'
run "$ioasidctl" delete vm0
exits 1 "a child has them still"
says "$err" "pid $(cat child) (sleep) has them" "and it is told which"
kill "$(cat child)"
eventually sh -c '[ "$(grep -c returned events)" -eq 2 ]'
"$ioasidctl" exec vm0 -- bash -c 'eval "exec $IOASIDCTL_LEASE<&-"; echo "$BASHPID" >given; exec sleep 1000' &
pid=$!
eventually test -s given
run "$ioasidctl" delete vm0
exits 0 "a lease that was closed is no more in the way"
kill $pid
wait $pid 2>/dev/null

# The end of the topology is the end of the lease's file.
run "$ioasidctl" apply vm0.yaml
"$ioasidctl" exec vm0 -- sh -c 'echo ready; cat "/proc/self/fd/$IOASIDCTL_LEASE" <&-; echo over' >lease &
pid=$!
eventually grep -q ready lease
kill "$(holder_pid)"
wait $pid
grep -q over lease
result $? "the program can see that the holder lets go"
kill $monitor 2>/dev/null
wait $monitor 2>/dev/null

# Not the owner: only root can make such users.
if [ "$(id -u)" -eq 0 ]; then
	chmod 755 "$place"
	export IOASIDCTL_SOCKET=$place/public/control
	mkdir -m 755 public
	as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	run "$ioasidctl" apply vm0.yaml
	run "${as_nobody[@]}" "$ioasidctl" exec vm0 -- true
	exits 77 "somebody else's topology: exit status"
	says "$err" "user id 65534 has no topology vm0 here" "somebody else's topology: message"
	run "$ioasidctl" delete vm0
	sed -i 's/^name: vm0/name: vm0\nowner: {user: "65534"}/' vm0.yaml
	run "$ioasidctl" apply vm0.yaml
	run "${as_nobody[@]}" "$ioasidctl" exec vm0 -- sh -c 'echo "$LISTEN_FDNAMES"; printf mine >/proc/self/fd/3'
	exits 0 "the owner may take"
	is "$(cat "$out")" ram:rom "the owner gets all"
fi
finish
