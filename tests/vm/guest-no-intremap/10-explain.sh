# SPDX-License-Identifier: GPL-2.0-or-later
# A platform without interrupt remapping: the kernel says EPERM, the tool says why.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

cat >vm.yaml <<'END'
version: 1
name: vm
memory:
  - {name: ram, size: 1M}
devices:
  - {name: edu0, pci: "0000:00:03.0", driver: vfio-pci}
fds:
  - name: main
    ioasids:
      - {name: gpa, kind: gpa, map: [{iova: 0x100000, memory: ram, length: 1M}], attach: [{device: edu0}]}
END
ioasidctl apply vm.yaml
[ "$status" -ne 0 ]
ok "apply is refused ($status)"
says "the message explains it and names the way out" 'interrupt remapping' \
	'allow_unsafe_interrupts' 'edu0|0000:00:03\.0'
check_host "afterwards"

# Whoever has the device's node open, but hasn't bound it, isn't in the way.
edu=0000:00:03.0
echo vfio-pci >/sys/bus/pci/devices/$edu/driver_override
echo $edu >/sys/bus/pci/drivers_probe
exec 5<>/dev/vfio/devices/"$(basename /sys/bus/pci/devices/$edu/vfio-dev/vfio*)"
ioasidctl run vm.yaml -- true
[ "$status" -ne 0 ]
ok "with somebody at the node, it is refused ($status)"
says "the interrupts are named" 'interrupt remapping' 'allow_unsafe_interrupts'
! grep -q "pid $$" err
ok "and not who has the node open"
exec 5>&-
echo $edu >/sys/bus/pci/drivers/vfio-pci/unbind
echo >/sys/bus/pci/devices/$edu/driver_override

echo 1 >/sys/module/iommufd/parameters/allow_unsafe_interrupts
ioasidctl apply vm.yaml
is "the way out works" "$status" 0
ioasidctl delete vm
is "delete succeeds" "$status" 0
check_host "after delete"

ioasidctl apply --driver vfio vm.yaml
[ "$status" -ne 0 ]
ok "with VFIO's containers, apply is refused as well ($status)"
says "the message names the other module's option" 'interrupt remapping' \
	'vfio_iommu_type1.allow_unsafe_interrupts'
check_host "afterwards"
echo 1 >/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts
ioasidctl apply --driver vfio vm.yaml
is "that way out works, too" "$status" 0
ioasidctl delete vm
is "delete succeeds again" "$status" 0
check_host "after the last delete"
finish
