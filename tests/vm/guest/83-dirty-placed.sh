# SPDX-License-Identifier: GPL-2.0-or-later
# Recorded writes, placed mappings, two kinds of IOMMU in one address space, and an address space for
# those who expect a VFIO container: on the kernel's mock IOMMU.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

op() { # OPERATION NUMBER...
	"$BUILD/tests/vm/mock_op" "$(holders)" "$@" 2>err
}

cat >dirty.yaml <<'YAML'
version: 1
name: dirty
memory: [{name: ram, size: 1M}]
devices: [{name: m0, mock: 0}, {name: edu, pci: "0000:00:03.0", driver: vfio-pci}]
fds:
  - name: main
    driver: iommufd
    ioasids:
      - name: gpa
        dirty_tracking: true
        huge_pages: false
        map: [{iova: 0x1000000, memory: ram, length: 1M}]
        attach: [{device: m0}]
      - {name: plain}
YAML
ioasidctl -v apply dirty.yaml
hwpt=$(sed -n 's/.*HWPT_ALLOC .* flags=0x2 .* id=\([0-9]*\)$/\1/p' err)
ioasidctl dirty start dirty gpa
is "recording starts" "$status" 0
op dirty "$hwpt" 0x1000000 0x40000 4096 0x8000000000000005
ok "the device writes to three pages"
ioasidctl --json dirty read --no-clear dirty gpa
is "they are read" "$status $(ask '[.dirty[] | .first + "-" + .last] | join(" ")')" \
	"0 0x1000000-0x1000fff 0x1002000-0x1002fff 0x103f000-0x103ffff"
ioasidctl --json dirty read dirty gpa
is "and again, as the record was kept" "$(ask '[.dirty[]] | length')" 3
ioasidctl --json dirty read dirty gpa
is "but not a third time" "$(ask '[.dirty[]] | length')" 0
ioasidctl dirty stop dirty gpa
is "recording ends" "$status" 0
ioasidctl dirty start dirty plain
is "an address space that wasn't made for it" "$status" 1
says "says what it lacks" 'dirty_tracking: true'
ioasidctl delete dirty
check_host "after recording"

cat >auto.yaml <<'YAML'
version: 1
name: auto
memory: [{name: ram, size: 4M}]
devices: [{name: m0, mock: 0}, {name: edu, pci: "0000:00:03.0", driver: vfio-pci}]
fds:
  - name: main
    driver: iommufd
    vfio_compat: gpa
    ioasids:
      - name: gpa
        map:
          - {iova: 0x1200000, memory: ram, length: 1M}
          - {iova: auto, memory: ram, offset: 1M, length: 1M}
          - {iova: auto, memory: ram, offset: 2M, length: 1M, access: r}
        attach: [{device: m0}, {device: edu}]
YAML
ioasidctl --json -v apply auto.yaml
is "two kinds of IOMMU in one address space, mappings placed" "$status" 0
says "the kernel knows what to give those who expect a container" 'VFIO_IOAS .* set ioas=[0-9]+ = 0'
ioasidctl --json show
is "each has its own page table" "$(ask '.topologies[].fds[].ioasids[].domains')" 2
is "where both can reach" "$(ask '.topologies[].fds[].ioasids[].ranges[] | .first + "-" + .last')" \
	"0x1000000-0x7fffffff"
places=$(ask '[.topologies[].fds[].ioasids[].mappings[].iova] | sort | join(" ")')
is "each mapping has a place of its own there" \
	"$(ask '[.topologies[].fds[].ioasids[].mappings[].iova] | unique | length')" 3
ioasidctl --json apply auto.yaml
is "applied again: nothing to do" "$status $(ask '.results[0].changed')" "0 false"
ioasidctl --json show
is "and they stay where they are" \
	"$(ask '[.topologies[].fds[].ioasids[].mappings[].iova] | sort | join(" ")')" "$places"
sed -i 's/vfio_compat: gpa//' auto.yaml
ioasidctl --json -v apply auto.yaml
says "nobody gets it any more" 'VFIO_IOAS .* clear ioas=0 = 0'
ioasidctl delete auto
check_host "after placing"

cat >none.yaml <<'YAML'
version: 1
name: none
memory: [{name: ram, size: 1M}]
devices: [{name: m0, mock: 0}]
fds:
  - name: main
    driver: iommufd
    ioasids:
      - name: gpa
        allow: [{first: 0x1000000, last: 0x107ffff}]
        map: [{iova: auto, memory: ram, length: 384K}, {iova: auto, memory: ram, length: 384K}]
        attach: [{device: m0}]
YAML
ioasidctl apply none.yaml
is "no room for all that is to be placed" "$status" 1
says "says so" "can't find a place for 0x60000 bytes" 'no free range of that length'
sed -i 's/length: 384K}\]/length: 1M}]/' none.yaml
ioasidctl apply none.yaml
is "nor for one of them, whatever is there" "$status" 65
says "which needs no kernel to say so" 'no place for 1M in what this IOASID allows' 'at most 512K'
check_host "after no room"
check_kernel
finish
