# SPDX-License-Identifier: GPL-2.0-or-later
# One holder takes over from another: objects, descriptors, pinned memory and DMA go on, and nothing
# changes if it doesn't come to that.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

cat >vm0.yaml <<'YAML'
version: 1
name: vm0
memory: [{name: ram, size: 8M}]
devices: [{name: edu0, pci: "0000:00:03.0", driver: vfio-pci}]
fds:
  - name: main
    driver: iommufd
    ioasids:
      - name: gpa
        map:
          - {iova: 0x1000000, memory: ram, length: 4M}
          - {iova: auto, memory: ram, offset: 4M, length: 4M}
        attach: [{device: edu0}]
YAML
cat >guest.yaml <<'YAML'
version: 1
name: guest
memory: [{name: low, size: 2M}]
devices: [{name: m0, mock: 0}, {name: m1, mock: 1}]
fds:
  - name: main
    driver: iommufd
    accounting: process
    ioasids:
      - {name: gpa, nest_parent: true, pasid: true, dirty_tracking: true, map: [{iova: 0x1000000, memory: low, length: 2M}], attach: [{device: m1}]}
      - name: s1
        kind: nested
        parent: gpa
        viommu: v
        fault_queue: true
        table: {format: mock, iotlb: 1}
        attach: [{device: m0}]
    viommus:
      - {name: v, parent: gpa, device: m0, type: mock, events: {depth: 4}, vdevices: [{device: m0, id: 0x18}], queues: [{index: 0, iova: 0x1000000, length: 4K}]}
YAML

pinned() { # PID: pages that are pinned for that process, in KiB
	sed -n 's/^VmPin:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}
locked() { # PID: those that count against its limit
	sed -n 's/^VmLck:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}
# All that is shown, but for what is of a process.
shown() {
	ioasidctl --json show
	jq -S 'del(.. | .holders?)' out
}
# Memory counts against processes that don't have CAP_IPC_LOCK; of others Linux notes nothing, and
# so it has nothing to move.
cat >limited <<END
#!/bin/bash
ulimit -l \${LIMIT:-65536}
exec setpriv --bounding-set -ipc_lock --inh-caps -ipc_lock "$tool" "\$@"
END
chmod +x limited
start_limited() {
	local tool=./limited
	start_holder
}
generation=0
take_over() {
	rm -f ready
	log=log.$((++generation))
	./limited daemon --takeover --ready-fd 3 3>ready >$log 2>&1 9>&- &
	next=$!
	disown "$next"
	eventually test -s ready
}
dma() { # in|out|run PID
	"$BUILD/tests/vm/takeover_dma" "$@" ram 0x1000000 2>err
}
op() { # OPERATION NUMBER...
	"$BUILD/tests/vm/mock_op" "$@" 2>err
}

start_limited
# The first /dev/iommu that it opens is the one that mock_op finds.
ioasidctl apply guest.yaml
is "apply of what belongs to a guest" "$status" 0
ioasidctl apply vm0.yaml
is "apply" "$status" 0
ioasidctl dirty start guest gpa
is "dirty tracking starts" "$status" 0
shown >before
placed=$(ask '.topologies[] | select(.name == "vm0").fds[].ioasids[].mappings[] | select(.automatic).iova')
s1=$(ask '.topologies[].fds[].ioasids[] | select(.name == "s1").id')
m0=$(ask '.topologies[].devices[] | select(.name == "m0").id')
is "pinned for the first" "$(pinned "$holder") $(locked "$holder")" "10240 2048"
dma in "$holder" >out
adopt "before" out
op "$holder" fault "$m0" 0 7 0x5000
ok "a device of the guest faults"
ioasidctl faults guest
eventually grep -q 0x5000 out || ioasidctl faults guest
old=$holder
mkfifo stop
dma run "$old" <stop >run.out &
runner=$!
exec 9>stop
eventually grep -q running run.out

take_over
ok "another one takes over" || sed 's/^/#   /' $log
eventually is_gone "$old"
ok "the first has ended" || sed 's/^/#   /' holder.out
grep -q "topology vm0: taken over" $log && ! grep -q gone $log
ok "the log says so" || sed 's/^/#   /' $log
is "pinned for the second" "$(pinned "$next") $(locked "$next")" "10240 2048"
exec 9>&-
wait "$runner"
adopt "DMA through it all" run.out
shown >after
cmp -s before after
ok "everything is as it was, by the kernel's own account" || diff before after | sed 's/^/#   /'
ioasidctl plan vm0.yaml
is "the same config changes nothing" "$status" 0
ioasidctl plan guest.yaml
is "nor does the guest's" "$status" 0

dma in "$next" >out
adopt "with the second" out
holder=$next
take_over
ok "a third one takes over, with nobody else holding anything" || sed 's/^/#   /' $log
eventually is_gone "$holder"
is "pinned for the third" "$(pinned "$next") $(locked "$next")" "10240 2048"
dma out "$next" >out
adopt "the device was never closed" out
ioasidctl translate vm0 edu0 "$placed"
is "what was placed lies where it was" "$status" 0

ioasidctl faults guest --answer success
grep -q '1 answered: success' out
ok "the fault of then is answered now" || sed 's/^/#   /' out
op "$next" event "$m0"
ok "the queue of events is read on" || sed 's/^/#   /' err
ioasidctl invalidate guest s1 command:0
is "the guest's table is invalidated" "$status" 0
op "$next" iotlb "$s1" 0 0
ok "the kernel has done so"
ioasidctl --json dirty read guest gpa
is "dirty tracking is still on" "$status" 0
sed -i 's/attach: \[{device: m0}\]/attach: []/; s/attach: \[{device: m1}\]/attach: [{device: m1}, {device: m0}]/' guest.yaml
ioasidctl apply guest.yaml
is "a device moves" "$status" 0

# What fails before the end changes nothing: here the limit of locked memory, of a user who can't
# exceed it.
holder=$next
shown >before
LIMIT=1024 ./limited daemon --takeover >next.out 2>&1
is "too little memory may be locked" $? 1
cp next.out err
says "too little memory: the reason and the way out" "can't take over the pinned memory" \
	"IOMMU_IOAS_CHANGE_PROCESS" "hint:"
shown >after
cmp -s before after
ok "too little memory: all is as before" || diff before after | sed 's/^/#   /'
is "too little memory: pinned for the one that goes on" "$(pinned "$holder") $(locked "$holder")" \
	"10240 2048"
ioasidctl plan vm0.yaml
is "too little memory: the config changes nothing" "$status" 0

# Where memory counts against a process, Linux can't set right what was of one that has ended: it
# complains, and forgets some.
ioasidctl delete guest
ioasidctl delete vm0
sed -i '/accounting: process/d' guest.yaml
ioasidctl apply guest.yaml
ioasidctl apply vm0.yaml
is "the guest's memory counts against its user" "$status $(pinned "$holder") $(locked "$holder")" \
	"0 10240 0"
shown >before

# Killed just before it would confirm.
LD_PRELOAD=$BUILD/tests/vm/preload/kill_at_confirm.so ./limited daemon --takeover >next.out 2>&1
is "the new one is killed" $? 137
eventually grep -q "the takeover failed: going on" $log
ok "killed: the old one goes on" || sed 's/^/#   /' $log
shown >after
cmp -s before after
ok "killed: all is as before" || diff before after | sed 's/^/#   /'
is "killed: pinned for the one that goes on" "$(pinned "$holder")" 10240
dma in "$holder" >out
adopt "killed: DMA" out

# The old one is killed at that moment: the new one has all that it takes.
rm -f ready
KILL_AT_CONFIRM=$holder LD_PRELOAD=$BUILD/tests/vm/preload/kill_at_confirm.so \
	./limited daemon --takeover --ready-fd 3 3>ready >next.out 2>&1 &
next=$!
disown "$next"
eventually test -s ready
ok "the old one is killed: the new one serves" || sed 's/^/#   /' next.out
is_gone "$holder" && grep -q "was killed meanwhile" next.out
ok "the old one is killed: the log says so" || sed 's/^/#   /' next.out
holder=$next
shown >after
cmp -s before after
ok "the old one is killed: all is as before" || diff before after | sed 's/^/#   /'
is "the old one is killed: pinned for the new one" "$(pinned "$holder")" 10240
dma out "$holder" >out
adopt "the old one is killed: the device was never closed" out

# An object that somebody has destroyed meanwhile.
op "$holder" destroy "$(jq '.topologies[].fds[].ioasids[] | select(.name == "s1").id' after)"
ok "an object is destroyed behind its back" || sed 's/^/#   /' err
take_over
ok "an object is gone: another one takes over" || sed 's/^/#   /' $log
eventually grep -q "topology guest: IOASID main/s1 is gone" $log
ok "an object is gone: it is told" || sed 's/^/#   /' $log
holder=$next
ioasidctl --json show guest
is "an object is gone: it is shown" \
	"$(ask '.topologies[].fds[].ioasids[] | "\(.name) \(.alive)"' | xargs)" "gpa true s1 false"

ioasidctl delete vm0
is "delete" "$status" 0
ioasidctl delete guest
end_holder
check_host "at the end"

# What can't be taken over: memory that belongs to the process that mapped it.
truncate -s 2M file
sed "s|^memory: .*|memory: [{name: ram, size: 2M, backing: file, path: $PWD/file}]|; s/length: 4M/length: 1M/; s/offset: 4M/offset: 1M/" \
	vm0.yaml >file.yaml
start_holder
ioasidctl apply file.yaml
is "a file as memory: apply" "$status" 0
"$tool" daemon --takeover >next.out 2>&1
is "a file as memory: refused" $? 1
cp next.out err
says "a file as memory: why, and what can be done" "topology vm0 can't be taken over.*memory ram" \
	"mapped by its address" "backing: memfd"
ioasidctl show vm0
is "a file as memory: the holder goes on" "$status" 0
end_holder
check_host "a file as memory"
check_kernel
finish
