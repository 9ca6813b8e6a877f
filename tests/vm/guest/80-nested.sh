# SPDX-License-Identifier: GPL-2.0-or-later
# Address spaces on top of others, on the kernel's mock IOMMU: several children of one parent, moves
# between them, stale caches; and hardware that can't.
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
        attach: [${on_gpa:-"{device: m1}"}]
      - name: s1
        kind: nested
        parent: gpa
        table: {format: mock, iotlb: 0x11}
        attach: [${on_s1-"{device: m0}"}]
      - name: s2
        kind: nested
        parent: gpa
        table: {format: ${format:-mock}, ${table:-"iotlb: ${iotlb:-0x22}"}}
        attach: [${on_s2:-}]
YAML
}
op() { # OPERATION NUMBER...
	"$BUILD/tests/vm/mock_op" "$(holders)" "$@" 2>err
}
id_of() {
	ioasidctl --json show
	ask '.topologies[].fds[].ioasids[] | select(.name == $name).id' --arg name "$1"
}
moves() { # DESCRIPTION: one replacement, nothing else that a device could notice
	ioasidctl --json apply guest.yaml
	is "$1" "$status $(ask '.results[0].counts | "\(.replace) \(.detach // 0)"')" "0 1 0"
}

write
ioasidctl --json -v apply guest.yaml
is "a parent and two children" "$status $(ask '.results[0].changed')" "0 true"
is "the parent's table was made once, to be nested on" \
	"$(grep -c 'HWPT_ALLOC .*flags=0x1 .*= 0' err)" 1
s1=$(id_of s1) s2=$(id_of s2)
op iotlb "$s1" 0 0x11
ok "the child's table is the declared one"
ioasidctl --json apply guest.yaml
is "applied again: nothing to do" "$status $(ask '.results[0].changed')" "0 false"
ioasidctl show
is "show has the children below their parent" \
	"$(grep -o 'ioasid [a-z0-9]*: [a-z]*' out | tr '\n' ' ')" \
	"ioasid gpa: gpa ioasid s1: nested ioasid s2: nested "
ioasidctl show --yaml
cp out dump.yaml
ioasidctl --json apply dump.yaml
is "the dump applies and changes nothing" "$status $(ask '.results[0].changed')" "0 false"

on_s1='' on_s2='{device: m0}' write
moves "from child to child"
on_s1='' on_gpa='{device: m1}, {device: m0}' write
moves "from child to parent"
write
moves "and back"
op iotlb "$s1" 0 0x11
ok "in the same table as before"

ioasidctl invalidate guest s1 command:1
is "one cache entry is invalidated" "$status" 0
op iotlb "$s1" 1 0 && op iotlb "$s1" 2 0x11
ok "that one, and no other"
ioasidctl invalidate guest s1
op iotlb "$s1" 2 0 && op iotlb "$s2" 2 0x22
ok "all entries of one table, none of the other's"
ioasidctl invalidate guest s1 command:9
is "an entry that the hardware hasn't got" "$status" 1
says "says so" 'entry 1 of 1 of s1' 'the hardware has no such entry'
ioasidctl invalidate guest s1 0-0xfff
says "a range isn't the mock IOMMU's thing" 'takes everything or the number of an entry'
ioasidctl invalidate guest gpa
is "a gpa has no caches of a guest" "$status" 1

before=$(ioasidctl show --yaml; cat out)
format=vtd-s1 table='address: 0x4000' write
ioasidctl apply guest.yaml
is "a table of another hardware is refused" "$status" 1
says "says which hardware it is, and what that takes" 'guest: allocate main/s2' \
	'IOMMU of m[01] \([01]\) is mock' 'no tables of format vtd-s1' 'its format is mock'
is "and everything is as before" "$(ioasidctl show --yaml; cat out)" "$before"

iotlb=0x33 write
ioasidctl --json apply guest.yaml
is "another table: a new object, the other child stays" \
	"$status $(id_of s1) $([ "$(id_of s2)" != "$s2" ] && echo new)" "0 $s1 new"
op iotlb "$(id_of s2)" 0 0x33
ok "with the new table in it"

ioasidctl delete guest
is "delete succeeds" "$status" 0
check_host "after delete"

# Hardware that can do none of it says so: QEMU's VT-d.
for flag in nest_parent dirty_tracking fault_queue; do
	cat >vtd.yaml <<YAML
version: 1
name: vtd
devices: [{name: edu, pci: "0000:00:03.0", driver: vfio-pci}]
fds: [{name: main, driver: iommufd, ioasids: [{name: gpa, $flag: true, attach: [{device: edu}]}]}]
YAML
	ioasidctl apply vtd.yaml
	is "$flag on hardware without: refused" "$status" 1
	says "$flag: says which, and what to leave out" 'edu \(0000:00:03.0\)' \
		'can.t (nest|track dirty pages|report page faults)' "leave $flag out"
done
check_host "after what the hardware refused"
check_kernel
finish
