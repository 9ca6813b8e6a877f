# SPDX-License-Identifier: GPL-2.0-or-later
# A live topology on VFIO's containers follows its changed file.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

# What varies comes in variables.
write() {
	cat >vm.yaml <<END
version: 1
name: vm
memory:
  - {name: ram, size: 8M}
devices:
  - {name: edu0, pci: "0000:00:03.0", driver: vfio-pci}
  - {name: left, pci: "0000:03:01.0", driver: vfio-pci}
  - {name: right, pci: "0000:03:02.0", driver: vfio-pci}
fds:
  - name: main
    driver: vfio
    ioasids:
      - name: one
        dirty_tracking: true
        map:
          - {iova: 0x100000, memory: ram, length: 1M}
          $more
        attach: [$on_one]
      - name: two
        map:
          - {iova: 0x0, memory: ram, length: 2M, access: r}
        attach: [$on_two]
END
}
change() { # DESCRIPTION
	ioasidctl --json apply vm.yaml
	is "$1: apply changes it" "$status $(ask ".results[0].changed")" "0 true"
	ioasidctl --json apply vm.yaml
	is "$1: and then has nothing to do" "$status $(ask ".results[0].changed")" "0 false"
	ioasidctl --json show
}
places() { # IOASID
	ask '[.topologies[].fds[].ioasids[] | select(.name == $name).attachments[].device] |
		sort | join(" ")' --arg name "$1"
}
pinned_is() { # DESCRIPTION MEGABYTES
	is "$1: $2M are pinned" "$(($(pinned_pages) - pinned_before))" "$(($2 * 256))"
}

all='{device: edu0}, {device: left}, {device: right}'
more='' on_one=$all on_two=''
write
change "two groups in one container"
pinned_is "two groups in one container" 1

more='- {iova: 0x400000, memory: ram, offset: 1M, length: 2M}'
write
change "a mapping added"
pinned_is "a mapping added" 3

more='- {iova: 0x400000, memory: ram, offset: 2M, length: 1M, access: r}'
write
change "a mapping changed"
pinned_is "a mapping changed" 2

on_one='{device: edu0}' on_two='{device: left}, {device: right}'
write
ioasidctl plan vm.yaml
grep -q 'left from main/one to main/two (no DMA meanwhile)' out
ok "a group moved: plan says what that means"
ioasidctl -v apply vm.yaml
is "a group moved" "$status" 0
grep -q 'group .* changes containers: its devices are closed and can do no DMA meanwhile' err
ok "a group moved: -v says what that means"
ioasidctl --json show
is "a group moved: it is in the other address space" "$(places one)/$(places two)" "edu0/left right"
pinned_is "a group moved" 4
on_one=$all on_two=''
write
change "and back"
pinned_is "and back" 2

on_one='' on_two=''
write
change "all devices out"
pinned_is "all devices out: without one nothing" 0
on_one=$all
write
change "and in again"
pinned_is "and in again" 2

# Each member is closed by itself; the group's other one and its mappings stay.
sed '/name: right/d; s/, {device: right}//' vm.yaml >less.yaml
mv less.yaml vm.yaml
change "a member given back"
is "a member given back: its driver, too" "$(driver_of 0000:03:02.0)" ""
pinned_is "a member given back" 2

ioasidctl dirty start vm main/one
is "dirty pages: tracking starts" "$status" 0
ioasidctl --json dirty read vm main/one
is "dirty pages: all that is mapped, for VFIO asks no hardware" \
	"$status $(ask '[.dirty[] | .first + "-" + .last] | join(" ")')" \
	"0 0x100000-0x1fffff 0x400000-0x4fffff"
ioasidctl dirty stop vm main/one
is "dirty pages: tracking stops" "$status" 0
ioasidctl delete vm
is "delete succeeds" "$status" 0
check_host "after delete"
finish
