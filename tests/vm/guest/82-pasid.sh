# SPDX-License-Identifier: GPL-2.0-or-later
# Address spaces for single processes of a guest, by PASID: on the kernel's mock IOMMU, and of a real
# device.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

op() { # OPERATION NUMBER...
	"$BUILD/tests/vm/mock_op" "$(holders)" "$@" 2>err
}

pasids() { # ON-S1 ON-S2
	cat >pasids.yaml <<YAML
version: 1
name: pasids
devices: [{name: m0, mock: 0}]
fds:
  - name: main
    driver: iommufd
    ioasids:
      - {name: gpa, nest_parent: true, ${flags:-} attach: [${on_gpa-"{device: m0}"}]}
      - {name: s1, kind: nested, parent: gpa, table: {format: mock, iotlb: 1}, attach: [$1]}
      - {name: s2, kind: nested, parent: gpa, table: {format: mock, iotlb: 2}, attach: [$2]}
YAML
}
pasids "{device: m0, pasid: 5}, {device: m0, pasid: 6}" ""
ioasidctl --json -v apply pasids.yaml
is "two processes of a guest, by PASID, in one table" "$status" 0
mock=$(sed -n 's/.*mock-device .* mock=\([0-9]*\) .*/\1/p' err)
ioasidctl --json show
is "the flag that they need came by itself" \
	"$(ask '[.topologies[].fds[].ioasids[] | select(.flags | index("pasid")).name] | join(" ")')" \
	"gpa s1"
s1=$(ask '.topologies[].fds[].ioasids[] | select(.name == "s1").id')
op pasid "$mock" 5 "$s1" && op pasid "$mock" 6 "$s1"
ok "the kernel has both there"
pasids "{device: m0, pasid: 5}" "{device: m0, pasid: 6}"
ioasidctl --json apply pasids.yaml
is "one of them moves, by one replacement" "$status $(ask '.results[0].counts.replace')" "0 1"
ioasidctl --json show
s2=$(ask '.topologies[].fds[].ioasids[] | select(.name == "s2").id')
op pasid "$mock" 5 "$s1" && op pasid "$mock" 6 "$s2"
ok "the other stays"
pasids "{device: m0, pasid: 5}" ""
ioasidctl --json apply pasids.yaml
op pasid "$mock" 6 0 && op pasid "$mock" 5 "$s1"
ok "one is detached alone"
pasids "{device: m0, pasid: 1048575}" ""
ioasidctl --json apply pasids.yaml
is "the largest PASID there is" "$status" 0
ioasidctl delete pasids
check_host "after PASIDs"
# A real device, by VFIO.
cat >vfio.yaml <<'YAML'
version: 1
name: vfio
memory: [{name: ram, size: 1M}]
devices: [{name: edu, pci: "0000:00:03.0", driver: vfio-pci}]
fds:
  - name: main
    driver: iommufd
    ioasids:
      - {name: gpa, attach: [{device: edu}]}
      - {name: p, map: [{iova: 0x1000000, memory: ram, length: 1M}], attach: [{device: edu, pasid: 5}]}
YAML
ioasidctl --json -v apply vfio.yaml
is "a PASID of a VFIO device" "$status" 0
says "the kernel has it" 'ATTACH_IOMMUFD_PT .*flags=0x1 pasid=5 = 0'
sed -i 's/pasid: 5/pasid: 6/' vfio.yaml
ioasidctl --json -v apply vfio.yaml
says "another one comes, it goes" 'pasid=6 = 0' 'DETACH_IOMMUFD_PT .*pasid=5 = 0'
ioasidctl delete vfio
check_host "after a PASID of a VFIO device"

check_kernel
finish
