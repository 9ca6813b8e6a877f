# SPDX-License-Identifier: GPL-2.0-or-later
# Descriptors of what a holder holds, handed to programs: to a driver that finds its device attached,
# to one that binds a device to an IOMMU fd of its own, to one that reads queues.
# shellcheck shell=bash disable=SC2016,SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

cat >two.yaml <<'END'
version: 1
name: two
owner: {user: "65534"}
memory: [{name: ram, size: 4M}]
devices:
  - {name: edu0, pci: "0000:00:03.0", driver: vfio-pci}
  - {name: edu1, pci: "0000:03:01.0", driver: vfio-pci}
fds:
  - name: main
    driver: iommufd
    ioasids:
      - {name: gpa, map: [{iova: 0x1000000, memory: ram, length: 4M}], attach: [{device: edu0}]}
END

# In the background, with standard input that ends when end_program is called.
start_program() { # COMMAND...
	mkfifo hold
	timeout -k 5 300 "$tool" "$@" <hold >program.out 2>program.err &
	program=$!
	exec 9>hold
	rm hold
}
end_program() {
	exec 9>&-
	wait "$program"
	status=$?
}
printed() { # PATTERN
	grep -q -e "$1" program.out
}
no_taker() {
	ioasidctl --json show
	[ "$(ask '.topologies[].taken | length')" = 0 ]
}

# Attached.
ioasidctl apply two.yaml
is "apply: exit status" "$status" 0
for time in first second; do
	ioasidctl exec two -- "$BUILD/tests/vm/edu_dma" edu0 '{fd:edu0}'
	is "attached, $time time: exit status" "$status" 0
	adopt "attached, $time time" out
done
timeout 60 setpriv --reuid 65534 --regid 65534 --clear-groups \
	"$tool" exec --socket /run/ioasidctl/control two -- "$BUILD/tests/vm/edu_dma" edu0 '{fd:edu0}' >out 2>err </dev/null
is "its owner, without rights: exit status" "$?" 0
adopt "its owner, without rights" out
ioasidctl apply two.yaml
grep -q 'nothing to do' out
ok "nothing has changed by that"

# Raw.
raw=("$BUILD/tests/vm/raw_dma" main edu1 ram)
for time in first second; do
	ioasidctl exec --raw two -- "${raw[@]}"
	is "raw, $time time: exit status" "$status" 0
	adopt "raw, $time time" out
done
timeout 60 setpriv --reuid 65534 --regid 65534 --clear-groups bash -c 'ulimit -l 64; "$@"' bash \
	"$tool" exec --socket /run/ioasidctl/control --raw two -- "${raw[@]}" >out 2>err </dev/null
is "raw, its owner, without rights: exit status" "$?" 0
adopt "raw, its owner, without rights" out
ioasidctl exec --raw two -- sh -c 'echo "$LISTEN_FDNAMES"'
is "what is bound isn't among it" "$(<out)" main:edu1:ram
ioasidctl exec --raw two main edu0 -- true
is "what is bound can't be had: exit status" "$status" 1
says "what is bound can't be had: message" "device edu0 can't be handed over raw: it is bound to main" \
	'attached to main/gpa' 'take it out of every .attach.'

for time in first second; do
	ioasidctl exec two main edu1 ram -- "${raw[@]}"
	is "bound to the fd of the topology, $time time: exit status" "$status" 0
	adopt "bound to the fd of the topology, $time time" out
done

start_program exec --raw two -- "${raw[@]}" hold
eventually printed '# holding'
ok "a program that goes on"
ioasidctl show
grep -q "taken raw by pid $program (.*): main edu1 ram\|taken raw by pid [0-9]* (raw_dma): main edu1 ram" out
ok "show says so"
ioasidctl exec --raw two main edu1 -- true
is "another one can't have the device: exit status" "$status" 1
says "another one can't have the device: says who has it" 'edu1 of topology two is taken already' '(raw_dma)'
ioasidctl exec two edu0 -- true
is "the rest can be had: exit status" "$status" 0
ioasidctl delete two
is "delete is refused" "$status" 1
says "delete: says who has what" 'topology two is in use' '(raw_dma)'
pkill -KILL -x raw_dma
end_program
eventually no_taker
ok "when it is killed, that is noticed"
ioasidctl exec --raw two -- "${raw[@]}"
is "the device is free again: exit status" "$status" 0
adopt "the device is free again" out

# Who gives the lease back, and keeps the device.
start_program exec --raw two -- bash -c 'eval "exec $IOASIDCTL_LEASE<&-"; exec "$@"' bash "${raw[@]}" hold
eventually printed '# holding'
ioasidctl delete two
is "delete while the device is open elsewhere: exit status" "$status" 1
says "delete while the device is open elsewhere: says where" "edu1 .0000:03:01.0. can't be given back: it is open" '(raw_dma)'
end_program
is "and the program has not noticed" "$status" 0
ioasidctl delete two
is "then it can be deleted" "$status" 0
check_host "after all of it"

# The holder ends, and a program goes on with what is its own.
start_holder --teardown
ioasidctl apply two.yaml
start_program exec --raw two -- "${raw[@]}" hold
eventually printed '# holding'
kill "$holder"
eventually is_gone "$holder"
ok "the holder's end doesn't wait for the program"
for text in 'topology two: not removed cleanly' "0000:03:01.0 can't leave vfio-pci: it is open: held by pid .* (raw_dma"; do
	grep -q -e "$text" holder.out
	ok "its log: $text" || sed 's/^/#   /' holder.out
done
is "the other device is back" "$(driver_of 0000:00:03.0)" ""
end_program
is "the program has not noticed" "$status" 0
ioasidctl show
tr '\n' ' ' <err | grep -q 'devices may still be bound'
ok "show warns of what is left"
start_holder --exit-idle
has_no_driver() {
	[ -z "$(driver_of 0000:03:01.0)" ]
}
eventually has_no_driver
ok "the next holder gives the device back" || sed 's/^/#   /' holder.out
end_holder
check_host "after that"

# By VFIO's containers.
sed 's/driver: iommufd/driver: vfio/' two.yaml >vfio.yaml
ioasidctl apply vfio.yaml
is "containers: apply" "$status" 0
ioasidctl exec two -- "$BUILD/tests/vm/edu_dma" edu0 '{fd:edu0}'
is "containers: exit status" "$status" 0
adopt "containers" out
ioasidctl exec --raw two -- true
is "containers: raw is refused" "$status" 1
says "containers: says why" 'driver vfio hands no devices over unbound' '/dev/vfio/GROUP'
ioasidctl delete two
check_host "after containers"

# Queues: one reader.
. "$TOP/tests/vm/queues.sh"
ioasidctl apply guest.yaml
ioasidctl --json show
m0=$(ask '.topologies[].devices[].id')
"$tool" monitor --json guest >events 2>monitor.err &
monitor=$!
eventually heard monitoring
start_program exec guest main/s1 main/v -- "$BUILD/tests/vm/queue_reader" '{fd:main/s1}' '{fd:main/v}'
eventually printed ready
ok "a program reads the queues"
ioasidctl show
grep -q 'taken attached by pid .*(queue_reader): main/s1 main/v' out
ok "show says so"
for i in 1 2 3 4 5; do
	op fault "$m0" 0 "$i" "0x500$i"
	eventually printed "fault at 0x500$i, answered" || break
	op event "$m0"
done
printed 'fault at 0x5005, answered'
ok "it gets every fault" || sed 's/^/#   /' program.out program.err
events_printed() {
	[ "$(grep -c event program.out)" -eq 5 ]
}
eventually events_printed
ok "and every event" || sed 's/^/#   /' program.out
ioasidctl faults guest
is "the holder gets none" "$(<out)" "guest: no page fault waits"
ioasidctl faults guest s1
is "asked for that queue, it says so" "$status" 1
says "asked for that queue: and who has it" 'the queue of main/s1 is taken' 'queue_reader. reads it'
! grep -q 'page-fault\|viommu-event' events
ok "and tells of none"
ioasidctl exec guest main/s1 -- true
is "a second reader is refused: exit status" "$status" 1
says "a second reader is refused: says why" 'main/s1 of topology guest is taken already' '(queue_reader)' 'no other sees'
ioasidctl exec guest -- true
is "also among all the others" "$status" 1
ioasidctl exec guest main ram -- true
is "what isn't a queue can be shared" "$status" 0
ioasidctl apply guest.yaml
op fault "$m0" 0 6 0x5006
eventually printed "fault at 0x5006, answered"
ok "after an apply it still reads"
end_program
eventually heard returned
op fault "$m0" 0 7 0x7000
op event "$m0"
eventually heard '"iova":"0x7000"'
ok "when it ends, the holder reads again"
eventually heard viommu-event
ok "events, too"
ioasidctl faults guest --answer success
grep -q '1 answered' out
ok "and the holder answers"
kill "$monitor"
wait "$monitor" 2>/dev/null
ioasidctl delete guest
check_host "after queues"

# Address spaces of single processes of a guest, as the example has them.
sed -e 's/{name: acc0, pci: .*}/{name: acc0, mock: 0}/' -e 's/iova: 0x0,/iova: 0x1000000,/' \
	-e 's/{format: vtd-s1, address: 0x\(.\)000, address_width: 48}/{format: mock, iotlb: 0x\1}/' \
	"$TOP"/examples/4-*.yaml >sva.yaml
ioasidctl --json -v apply sva.yaml
is "four PASIDs in three tables" "$status" 0
mock=$(sed -n 's/.*mock-device .* mock=\([0-9]*\) .*/\1/p' err)
ioasidctl --json show
acc0=$(ask '.topologies[].devices[].id')
table() { # IOASID
	ask '.topologies[].fds[].ioasids[] | select(.name == $name).id' --arg name "$1"
}
op pasid "$mock" 5 "$(table process-a)" && op pasid "$mock" 6 "$(table process-b)" &&
	op pasid "$mock" 7 "$(table process-c)" && op pasid "$mock" 8 "$(table process-c)"
ok "the kernel has each where it belongs"
start_program exec sva0 main/process-a main/process-b -- "$BUILD/tests/vm/queue_reader" \
	'{fd:main/process-a}' '{fd:main/process-b}'
eventually printed ready
op fault "$acc0" 5 1 0x8000
eventually printed 'fault at 0x8000, answered'
ok "a fault of one process comes to its queue" || sed 's/^/#   /' program.out program.err err
end_program
op fault "$acc0" 6 2 0x9000
eventually sh -c '"$1" faults sva0 | grep -q "process-b at 0x9000.*PASID 6"' sh "$tool"
ok "one of the other waits with the holder, by its PASID"
ioasidctl faults sva0 process-b --answer invalid
grep -q '1 answered' out
ok "and is answered"
sed -i 's/, {device: acc0, pasid: 8}//; s/attach: \[{device: acc0, pasid: 6}\]/attach: [{device: acc0, pasid: 6}, {device: acc0, pasid: 8}]/' sva.yaml
ioasidctl --json apply sva.yaml
is "a PASID moves from one process to another, by one replacement" \
	"$status $(ask '.results[0].counts.replace')" "0 1"
ioasidctl --json show
op pasid "$mock" 8 "$(table process-b)" && op pasid "$mock" 7 "$(table process-c)"
ok "it is there, and the others stay"
ioasidctl delete sva0
check_host "after processes of a guest"

check_kernel
finish
