# SPDX-License-Identifier: GPL-2.0-or-later
# What translate says of a guest's tables for an SMMUv3 is what the hardware did with them: the
# tables of smmu_dma stay in a file after its DMA.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"

dd if=/dev/zero of=ram bs=1M count=16 2>/dev/null
cat >vm0.yaml <<END
version: 1
name: vm0
memory:
  - {name: ram, size: 16M, backing: file, path: $work/ram}
devices:
  - {name: dma0, pci: "0000:00:03.0", driver: vfio-pci}
fds:
  - name: main
    ioasids:
      - name: gpa
        nest_parent: true
        map: [{iova: 0x40000000, memory: ram, length: 16M}]
      - name: s1
        kind: nested
        parent: gpa
        viommu: smmu0
        table: {format: arm-smmuv3, ste: [0x4001000b, 0xd4]}
        attach: [{device: dma0}]
    viommus:
      - name: smmu0
        parent: gpa
        device: dma0
        type: arm-smmuv3
        events: {depth: 128}
        vdevices: [{device: dma0, id: 0x18}]
END
remember_host
ioasidctl run vm0.yaml -- "$BUILD/tests/vm/smmu_dma" dma0 ram 0x40000000 main/smmu0
is "DMA through both stages" "$status" 0
ioasidctl apply vm0.yaml
is "apply" "$status" 0
ioasidctl translate --access rw vm0 dma0 0x10000123 0x10002000
is "translate: exit status" "$status" 0
tr -s ' ' <out >squeezed
while read -r line; do
	grep -qF "$line" squeezed
	ok "translate: $line" || sed 's/^/# /' out
done <<'END'
STE of the config
CD 0x40010000 ram+0x10000
level 1 descriptor 0x40020000 0x40021003 ram+0x20000
level 2 descriptor 0x40021400 0x40022003 ram+0x21400
level 3 descriptor 0x40022000 0x40030743 ram+0x22000
guest address 0x40030123, in a page of 4K, rw
leads to ram+0x30123 rw
leads to ram+0x31000 rw
END
ioasidctl translate vm0 dma0 0x10001000
is "the address that gave an event: exit status" "$status" 1
grep -q 'stops at the level 3 descriptor at 0x40022008: its bit 0 (valid) is clear' out &&
	grep -q 'the hardware reports F_TRANSLATION (0x10)' out
ok "the address that gave an event" || sed 's/^/# /' out
ioasidctl delete vm0
check_host "after delete"
finish
