# SPDX-License-Identifier: GPL-2.0-or-later
# A guest's own IOMMU, on the kernel's mock IOMMU: the devices' identities on it, its events, its
# hardware queues, a nested address space on it, its stale caches.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

# What varies comes in variables.
write() {
	cat >guest.yaml <<YAML
version: 1
name: guest
memory:
  - {name: ram, size: 2M}
devices:
  - {name: m0, mock: 0}
  - {name: m1, mock: 1}
fds:
  - name: main
    driver: iommufd
    ioasids:
      - name: gpa
        nest_parent: true
        map: [{iova: 0x1000000, memory: ram, length: 2M}]
        attach: [{device: m0}]
      ${more:-}
    viommus: [${viommus:-}]
YAML
}
op() { # OPERATION NUMBER...
	"$BUILD/tests/vm/mock_op" "$(holders)" "$@" 2>err
}

write
ioasidctl apply guest.yaml
more='- {name: s3, kind: nested, parent: gpa, viommu: v, table: {format: mock, iotlb: 0x44}, attach: [{device: m1}]}'
viommus='{name: v, parent: gpa, device: m0, type: mock, events: {depth: 4}, vdevices: [{device: m0, id: 0x18}, {device: m1, id: 0x19}], queues: [{index: 0, iova: 0x1000000, length: 4K}, {index: 1, iova: 0x1001000, length: 4K}]}'
write
ioasidctl --json -v apply guest.yaml
is "a vIOMMU with vdevices, events, queues, and a child on it" "$status" 0
ioasidctl --json show
is "show has all of it" \
	"$(ask '.topologies[].fds[].viommus[] | "\(.name) \(.type) \(.parent) \(.device) \(.events_depth) " +
		([.vdevices[] | "\(.device)=\(.id)"] | join(" ")) + " " + ([.queues[].iova] | join(" "))')" \
	"v mock gpa m0 4 m0=0x18 m1=0x19 0x1000000 0x1001000"
ioasidctl --json apply guest.yaml
is "applied again: nothing to do" "$status $(ask '.results[0].changed')" "0 false"
ioasidctl --json show
m1=$(ask '.topologies[].devices[] | select(.name == "m1").id')
op event "$m1"
ok "an event of the device can be raised"
op cache "$m1" 2 0xbaddad
ok "its cache has an entry"
ioasidctl invalidate guest v command:2
op cache "$m1" 2 0
ok "until it is invalidated by the vIOMMU"

# What only one can have at a time changes hands. (Not the queues: the kernel's mock forgets which
# slot is free after one of an index above 0.)
sed 's/device: m0, id: 0x18/device: m0, id: 0x19/; s/device: m1, id: 0x19/device: m1, id: 0x18/' \
	guest.yaml >swapped.yaml
ioasidctl --json -v apply swapped.yaml
is "two devices change identities" \
	"$status $(ask '.results[0].counts | "\(."alloc-vdevice") \(.replace) \(.detach // 0)"')" "0 2 1 0"
op event "$m1"
ok "events are those of the device's new identity"
ioasidctl --json apply guest.yaml
is "and back" "$status" 0

# The kernel wants the memory of a queue where it is.
sed 's/iova: 0x1000000, memory/iova: 0x1200000, memory/' guest.yaml >moved.yaml
ioasidctl apply moved.yaml
is "a queue whose memory leaves it is refused" "$status" 65
says "with its place" 'the queue lies at 0x1000000-0x1000fff, and its parent "gpa"' 'maps nothing at 0x1000000'
unset more viommus
write
ioasidctl --json -v apply guest.yaml
is "all of it goes again" "$status" 0
ioasidctl --json show
is "nothing of it is left" "$(ask '[.topologies[].fds[].viommus // [] | length] | add')" 0

ioasidctl delete guest
is "delete succeeds" "$status" 0
check_host "after delete"

# Without the viommu's vdevice the device can't go there.
more='- {name: s3, kind: nested, parent: gpa, viommu: v, table: {format: mock}, attach: [{device: m1}]}'
viommus='{name: v, parent: gpa, device: m0, type: mock, vdevices: [{device: m0, id: 0x18}]}'
write
ioasidctl apply guest.yaml
is "a child on a vIOMMU that doesn't know the device" "$status" 65
says "says what is missing" 'device "m1" has no vdevice on viommu "v"' 'add {device: m1, id: ...} to vdevices'
viommus='{name: v, parent: gpa, device: m0, type: arm-smmuv3, vdevices: [{device: m1, id: 1}]}' write
ioasidctl apply guest.yaml
says "a vIOMMU of another hardware" 'IOMMU of m0 \(0\) is mock' 'no viommus of type arm-smmuv3'
check_host "after what was refused"

check_kernel
finish
