# SPDX-License-Identifier: GPL-2.0-or-later
# A machine without an IOMMU: nothing can be handed out; where the kernel is told to do it all the
# same, a mapping pins memory, and translate tells the physical addresses that such a device needs.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

cat >vm.yaml <<'YAML'
version: 1
name: vm
memory: [{name: ram, size: 2M}]
devices: [{name: edu, pci: "0000:00:03.0", driver: vfio-pci}]
fds:
  - name: main
    driver: iommufd
    ioasids:
      - name: gpa
        map: [{iova: 0x1000000, memory: ram, length: 2M}]
        attach: [{device: edu}]
YAML
ioasidctl apply vm.yaml
[ "$status" -ne 0 ]
ok "without an IOMMU it is refused"
says "says what is missing" 'no IOMMU translates for it'
check_host "after the refusal"

echo 1 >/sys/module/vfio/parameters/enable_unsafe_noiommu_mode
ioasidctl -v apply vm.yaml
is "where the kernel is told to, it is done" "$status" 0
says "by the device's other node" 'noiommu-vfio[0-9]+ .*ATTACH'
ioasidctl apply vm.yaml
is "applied again: nothing to do" "$status $(cat out)" "0 vm: nothing to do"
ioasidctl --json show
is "show: no hardware to tell of" "$(ask '.topologies[].devices[].hardware.type // "none"')" none
ioasidctl --json translate vm edu 0x1000000 0x1000800 0x11ff000
is "translate leads to memory" "$status" 0
first=$(ask '.translations[0].physical') second=$(ask '.translations[1].physical')
[ $((first)) -gt 0 ] && [ $((first % 4096)) -eq 0 ] && [ $((second)) -eq $((first + 0x800)) ]
ok "and to physical addresses ($first, $second)"
length=$(ask '.translations[0].physical_length')
[ $((length)) -ge 4096 ] && [ $((length)) -le $((0x200000)) ]
ok "and says for how long ($length)"
is "no longer than the mapping" "$(ask '.translations[2].physical_length')" 0x1000
ioasidctl translate vm edu 0x1000000
[ "$(grep -c "which is physical address $first, contiguous" out)" -eq 1 ]
ok "in text, too"
ioasidctl delete vm
is "delete succeeds" "$status" 0
check_host "after delete"
finish
