# SPDX-License-Identifier: GPL-2.0-or-later
# A machine without an IOMMU: VFIO's no-IOMMU mode would let a device reach all of the memory, so
# that is no address space.
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
    driver: vfio
    ioasids:
      - {name: gpa, map: [{iova: 0x1000000, memory: ram, length: 2M}], attach: [{device: edu}]}
YAML
for mode in 0 1; do
	echo $mode >/sys/module/vfio/parameters/enable_unsafe_noiommu_mode
	ioasidctl apply vm.yaml
	[ "$status" -ne 0 ]
	ok "in mode $mode it is refused ($status)"
	says "in mode $mode: says what is missing" 'edu|0000:00:03\.0' 'IOMMU' 'intel_iommu=on'
	check_host "in mode $mode"
done
says "VFIO's own mode is named" 'no-IOMMU mode' 'all of the memory'
finish
