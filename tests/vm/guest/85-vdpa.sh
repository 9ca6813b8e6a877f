# SPDX-License-Identifier: GPL-2.0-or-later
# vDPA devices of the simulator: made and deleted by a topology, in the same address space as a VFIO
# device, filled and emptied with it, and given back when things go wrong.
#
# Data is moved by vdpa_net, which applies a config through the library and drives the device's
# virtqueues: the kernel lets only the process that fills the IOTLB do that.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
example=$(echo "$TOP"/examples/6-*.yaml)

vdpa_left() {
	ls /sys/bus/vdpa/devices
}

config() { # MAPPINGS ATTACHMENTS
	cat >vdpa.yaml <<END
version: 1
name: vdpa
memory: [{name: ram, size: 8M}]
devices:
  - {name: net0, vdpa: vdpa7, management: ${management:-vdpasim_net}, driver: ${driver:-vhost_vdpa}}
fds:
  - name: main
    ioasids:
      - {name: one, map: [$1], attach: [$2]}
      - {name: two, map: [{iova: 0x40000000, memory: ram, offset: 4M, length: 4M}], attach: [${3:-}]}
END
}
entries() {
	ask '[.topologies[0].devices[] | select(.iotlb) | .iotlb.tables[] |
		"\(.asid):\(.vq_group // "all"):\(.entries)"] | join(" ")'
}

remember_host
is "no vDPA device is there" "$(vdpa_left)" ""
ioasidctl plan "$example"
is "plan: the device is to come" "$status" 2
grep -q 'make vDPA device net0 (vdpa0) on vdpasim_net' out
ok "plan says on what it is made"
is "plan made nothing" "$(vdpa_left)" ""
ioasidctl --json apply "$example"
is "the example is applied" "$status" 0
is "the device is there" "$(vdpa_left)" vdpa0
is "bound to vhost_vdpa" "$(basename "$(readlink /sys/bus/vdpa/devices/vdpa0/driver)")" vhost_vdpa
ioasidctl --json show
/usr/bin/python3 - "$TOP/schemas/show.schema.json" out >err 2>&1 <<'END'
import json, jsonschema, sys
schema, dump = (json.load(open(p)) for p in sys.argv[1:])
jsonschema.Draft202012Validator(schema).validate(dump)
END
ok "the dump is by its schema"
is "both devices are in the same IOASID" \
	"$(ask '[.topologies[].fds[].ioasids[].attachments[].device] | join(" ")')" "dma0 net0"
is "its IOTLB has both mappings" "$(entries)" 0:all:2
is "two address spaces and groups" "$(ask '.topologies[].devices[] | select(.iotlb) |
	"\(.iotlb.address_spaces) \(.iotlb.vq_groups) \(.alive)"')" "2 2 true"
ioasidctl show
grep -q 'made on vdpasim_net' out && grep -q 'address space 0: 2 mappings' out
ok "the tree says so, too"
ioasidctl apply "$example"
grep -q 'nothing to do' out
ok "a second apply does nothing"
ioasidctl --yaml show vm6
cp out dump.yaml
ioasidctl --json apply dump.yaml
is "applying the dump does nothing" "$status $(ask '.results[0].changed')" "0 false"
ioasidctl delete vm6
is "delete succeeds" "$status" 0
is "the device is deleted" "$(vdpa_left)" ""
check_host "after delete"

# The same without iommufd.
ioasidctl --json apply --driver vfio "$example"
is "driver vfio: the same example is applied" "$status" 0
ioasidctl --json show
is "and the IOTLB has both mappings" "$(entries)" 0:all:2
ioasidctl delete vm6
is "deleted with it" "$status $(vdpa_left)" "0 "
check_host "after driver vfio"

# DMA of the VFIO device in the address space that they share.
ioasidctl run "$example" -- "$BUILD/tests/vm/edu_dma" dma0 "{fd:dma0}"
is "run: the VFIO device does its DMA" "$status" 0
adopt "beside vDPA" out
ioasidctl run "$example" -- readlink "/proc/self/fd/{fd:net0}"
is "run hands the node over by the device's name" "$status $(<out)" "0 /dev/vhost-vdpa-0"
is "run deleted the device" "$(vdpa_left)" ""
check_host "after run"

# What a program can do with the node that it was handed.
ioasidctl run "$example" -- "$BUILD/tests/vm/vdpa_take" taken "{fd:net0}"
is "a program with the node of an attached device" "$status" 0
adopt "an attached device" out
config '' ''
ioasidctl run vdpa.yaml -- "$BUILD/tests/vm/vdpa_take" free "{fd:net0}"
is "a program with the node of a device that is attached nowhere" "$status" 0
adopt "a device that is attached nowhere" out
check_host "after programs with nodes"

# Packets through the virtqueues.
"$BUILD/tests/vm/vdpa_net" >packets 2>&1 </dev/null
is "vdpa_net ends well" "$?" 0
adopt "virtqueues" packets
is "the library's topology left no device" "$(vdpa_left)" ""
check_host "after vdpa_net"

# Changes of mappings and moves.
config '{iova: 0x100000, memory: ram, length: 1M}' '{device: net0}'
ioasidctl apply vdpa.yaml
is "one mapping: applied" "$status" 0
config '{iova: 0x200000, memory: ram, length: 1M}, {iova: 0x800000, memory: ram, length: 1M}' '{device: net0}'
ioasidctl apply -v vdpa.yaml
is "others: applied" "$status" 0
grep -q 'VHOST_IOTLB_INVALIDATE.*iova=0x100000' out err && grep -q 'VHOST_IOTLB_UPDATE.*iova=0x200000' out err
ok "the IOTLB follows the mappings"
ioasidctl --json show
is "two entries" "$(entries)" 0:all:2
config '{iova: 0x200000, memory: ram, length: 1M}' '' '{device: net0}'
ioasidctl apply -v vdpa.yaml
is "moved to another IOASID" "$status" 0
! grep -q 'VHOST_VDPA_SET_GROUP_ASID' out err
ok "in the address space that it has, to which every reset puts it back"
ioasidctl --json show
is "with the other's mapping" "$(entries)" 0:all:1
config '{iova: 0x200000, memory: ram, length: 1M}' '{device: net0, vq_group: 1}' '{device: net0}'
ioasidctl apply vdpa.yaml
is "a virtqueue group in an IOASID of its own" "$status" 0
ioasidctl --json show
is "has an address space of its own" "$(entries)" "0:all:1 1:1:1"
config '{iova: 0x200000, memory: ram, length: 1M}' '{device: net0, vq_group: 5}' '{device: net0}'
ioasidctl apply vdpa.yaml
is "a group that isn't there: refused" "$status" 1
says "the groups there are" 'no virtqueue group 5' 'groups are 0 to 1'
ioasidctl --json show
is "and nothing changed" "$(entries)" "0:all:1 1:1:1"
config '' '' '{device: net0}'
ioasidctl apply vdpa.yaml
ioasidctl --json show
is "the group is back with the others" "$(entries)" 0:all:1
ioasidctl delete vdpa
is "deleted" "$status $(vdpa_left)" "0 "

# Refusals.
management=vdpasim_nat config '' '{device: net0}'
ioasidctl apply vdpa.yaml
is "no such management device" "$status" 69
says "names those there are" 'management device vdpasim_nat' 'vdpasim_net' 'Fail to find'
driver=vhost_nowhere config '' '{device: net0}'
ioasidctl apply vdpa.yaml
is "no such driver" "$status" 69
is "what was made is deleted again" "$(vdpa_left)" ""
config '' '{device: net0}'
sed 's/vdpa: vdpa7, management: [a-z_]*/vdpa: vdpa7/' vdpa.yaml >without.yaml
ioasidctl apply without.yaml
is "a device that nobody made" "$status" 69
says "says so" 'there is no vdpa vdpa7'
ioasidctl apply vdpa.yaml
sed 's/^name: .*/name: other/' vdpa.yaml >other.yaml
ioasidctl apply other.yaml
says "another topology's" 'held by topology vdpa'
ioasidctl delete vdpa

# A holder that is killed: the next one deletes what it made.
start_holder
ioasidctl apply "$example"
is "applied before the crash" "$status $(vdpa_left)" "0 vdpa0"
kill -9 "$holder"
eventually is_gone "$holder"
is "the device outlives the holder" "$(vdpa_left)" vdpa0
start_holder
eventually test -z "$(vdpa_left)"
is "the next holder deletes it" "$(vdpa_left)" ""
grep -q 'device net0 (vdpa0) deleted' holder.out
ok "and says so" || sed 's/^/#   /' holder.out
end_holder

# Somebody has the node open: waiting for him could not be interrupted, so nothing waits.
start_holder
ioasidctl apply "$example"
kill -9 "$holder"
eventually is_gone "$holder"
sleep 1000 <>/dev/vhost-vdpa-0 &
opener=$!
eventually sh -c "ls -l /proc/$opener/fd | grep -q vhost-vdpa"
start_holder
eventually grep -q 'net0 (vdpa0) could not be deleted.*held by pid '"$opener" holder.out
ok "a device that is open isn't deleted, and who has it is named" || sed 's/^/#   /' holder.out
ioasidctl apply "$example"
is "made again: refused" "$status" 1
says "it is there" 'there is a vdpa vdpa0 already' 'leave `management` out'
sed 's/management: [a-z_]*, //' "$example" >without.yaml
ioasidctl apply without.yaml
is "used as it is: refused" "$status" 1
says "who has it" 'vhost-vdpa-0' "pid $opener \(sleep\)"
kill "$opener"
wait "$opener" 2>/dev/null
ioasidctl apply without.yaml
is "and then it is used as it is" "$status" 0
ioasidctl delete vm6
is "it is left as it was" "$status $(vdpa_left)" "0 vdpa0"
end_holder
check_host "at the end"
finish
