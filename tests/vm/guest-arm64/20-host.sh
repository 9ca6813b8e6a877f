# SPDX-License-Identifier: GPL-2.0-or-later
# A host with an SMMUv3, which shows nothing of itself in sysfs.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"

ioasidctl host
is "status" "$status" 0
cat out
shows() { # DESCRIPTION PATTERN
	grep -qE -e "$2" out
	ok "$1"
}
shows "the SMMU by its type" '^iommu smmu3\.0x[0-9a-f]+: smmuv3'
shows "devices behind it" '^    0000:00:03\.0: '
shows "the addresses that interrupts take" '^  group [0-9]+: .*reserves 0x8000000-0x80fffff msi'
shows "interrupts by the ITS" '^  has .*interrupt remapping'

ioasidctl host --json
cp out host.json
cat >vm.yaml <<'END'
version: 1
name: vm
memory: [{name: ram, size: 4M}]
devices: [{name: edu0, pci: "0000:00:03.0", driver: vfio-pci}]
fds:
  - name: main
    driver: iommufd
    ioasids: [{name: gpa, kind: gpa, map: [{iova: 0x40000000, memory: ram, length: 4M}], attach: [{device: edu0}]}]
END
ioasidctl check --machine host.json vm.yaml
is "check takes its document" "$status" 0
sed 's/0x40000000/0x8000000/' vm.yaml >msi.yaml
ioasidctl check --machine host.json msi.yaml
is "and knows what interrupts take" "$status" 1
ioasidctl run msi.yaml -- true
is "as the kernel does" "$((status != 0))" 1
ioasidctl run vm.yaml -- true
is "the kernel takes the other one" "$status" 0
finish
