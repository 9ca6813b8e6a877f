# SPDX-License-Identifier: GPL-2.0-or-later
# A live topology follows its changed file, in place where the interface can.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

# One file with two address spaces; what varies comes in variables.
write() {
	cat >vm.yaml <<END
version: 1
name: vm
memory:
  - {name: ram, size: 8M}
devices:
  - {name: edu0, pci: "0000:00:03.0", driver: vfio-pci}
  - {name: test0, pci: "0000:00:04.0", driver: vfio-pci}
fds:
  - name: main
    driver: iommufd
    ioasids:
      - name: one
        kind: gpa
        ${huge:+huge_pages: $huge}
        map:
          - {iova: 0x100000, memory: ram, length: 1M}
          $more
        attach: [${on_one:-"{device: edu0}, {device: test0}"}]
      - name: two
        kind: gpa
        map:
          - {iova: 0x0, memory: ram, length: 8M, access: r}
        ${on_two:+attach: [$on_two]}
END
}
id_of() {
	ask '.topologies[].fds[].ioasids[] | select(.name == $name).id' --arg name "$1"
}
mappings_of() {
	ask '[.topologies[].fds[].ioasids[] | select(.name == $name).mappings[] |
		.iova + "+" + .length + ":" + .access] | join(" ")' --arg name "$1"
}
devices_of() {
	ask '[.topologies[].fds[].ioasids[] | select(.name == $name).attachments[].device] |
		sort | join(" ")' --arg name "$1"
}
# Applies the file and leaves the dump in out.
change() { # DESCRIPTION
	ioasidctl plan vm.yaml
	is "$1: plan says that there is something to do" "$status" 2
	ioasidctl --json apply vm.yaml
	is "$1: apply changes it" "$status $(ask ".results[0].changed")" "0 true"
	ioasidctl --json apply vm.yaml
	is "$1: and then has nothing to do" "$status $(ask ".results[0].changed")" "0 false"
	ioasidctl --json show
}

more='' write
change "a first file"
first=$(id_of one)
is "a first file: its mapping" "$(mappings_of one)" "0x100000+0x100000:rw"

more='- {iova: 0x400000, memory: ram, offset: 1M, length: 2M}' write
change "a mapping added"
is "a mapping added: both are there" "$(mappings_of one)" \
	"0x100000+0x100000:rw 0x400000+0x200000:rw"

more='- {iova: 0x400000, memory: ram, offset: 1M, length: 2M, access: r}' write
change "a mapping changed"
is "a mapping changed: read-only now" "$(mappings_of one)" \
	"0x100000+0x100000:rw 0x400000+0x200000:r"

more='' write
change "a mapping removed"
is "a mapping removed: one left" "$(mappings_of one)" "0x100000+0x100000:rw"
is "all of that in place: the same kernel object" "$(id_of one)" "$first"

on_one='{device: test0}' on_two='{device: edu0}' write
ioasidctl --json plan vm.yaml
is "a device moved: by one replacement, without a gap" \
	"$(ask '[.operations[].action] | join(" ")')" replace
change "a device moved"
is "a device moved: edu0 is in the other address space" \
	"$(devices_of one)/$(devices_of two)" "test0/edu0"
is "a device moved: the first one is the same object still" "$(id_of one)" "$first"
unset on_one on_two

huge=false write
change "huge pages off"
[ "$(id_of one)" != "$first" ]
ok "huge pages off: that takes a new kernel object"
is "huge pages off: everything moved along" \
	"$(mappings_of one)/$(devices_of one)" "0x100000+0x100000:rw/edu0 test0"
is "huge pages off: one object of each name" \
	"$(ask '[.topologies[].fds[].ioasids[].name] | join(" ")')" "one two"
unset huge

ioasidctl delete vm
is "delete succeeds" "$status" 0
check_host "after delete"
finish
