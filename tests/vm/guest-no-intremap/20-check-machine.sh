# SPDX-License-Identifier: GPL-2.0-or-later
# A host whose document says why no device can be handed out on it.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
echo 0 >/sys/module/iommufd/parameters/allow_unsafe_interrupts
echo 0 >/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts
remember_host

ioasidctl host --json
is "no interrupt remapping is seen" "$(ask .kernel.interrupt_remapping)" false
cp out host.json
cat >vm.yaml <<'END'
version: 1
name: vm
devices: [{name: edu0, pci: "0000:00:03.0", driver: vfio-pci}]
fds: [{name: main, driver: iommufd, ioasids: [{name: gpa, kind: gpa, attach: [{device: edu0}]}]}]
END
ioasidctl run vm.yaml -- true
is "the kernel refuses the device" "$((status != 0))" 1
ioasidctl check --machine host.json vm.yaml
is "so does check" "$status" 1
says "and says why" 'vm.yaml:3:11' 'no interrupt remapping'
echo Y >/sys/module/iommufd/parameters/allow_unsafe_interrupts
ioasidctl host --json
cp out host.json
ioasidctl run vm.yaml -- true
is "told to go without, the kernel takes it" "$status" 0
ioasidctl check --machine host.json vm.yaml
is "so does check" "$status" 0
echo N >/sys/module/iommufd/parameters/allow_unsafe_interrupts
check_host "at the end"
finish
