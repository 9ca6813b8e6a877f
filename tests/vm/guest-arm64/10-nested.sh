# SPDX-License-Identifier: GPL-2.0-or-later
# Two-stage translation for real: an SMMUv3 with a vIOMMU, a guest's own tables in its own memory, a
# device that does DMA through both.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"

cat >vm0.yaml <<'END'
version: 1
name: vm0
memory:
  - {name: ram, size: 16M}
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
        # V, stage 1 only, context descriptor at 0x40010000; write-back, inner shareable
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
is "run ends with the program's success" "$status" 0
adopt "two stages" out
check_host "after run"

ioasidctl apply -v vm0.yaml
is "apply: exit status" "$status" 0
says "apply: what the kernel is asked for" IOMMU_VIOMMU_ALLOC IOMMU_VDEVICE_ALLOC IOMMU_VEVENTQ_ALLOC
ioasidctl apply vm0.yaml
grep -q 'nothing to do' out
ok "a second apply has nothing to do"
ioasidctl show vm0
for line in 'viommu smmu0: arm-smmuv3 on gpa, by dma0' 'vdevices dma0 as 0x18' \
	'ioasid s1: nested' 'table arm-smmuv3 0x4001000b 0xd4'; do
	grep -q "$line" out
	ok "show: $line"
done
ioasidctl show --yaml vm0
cp out dump.yaml
ioasidctl apply dump.yaml
grep -q 'nothing to do' out
ok "the dump has nothing to change"

# CMD_TLBI_NSNH_ALL of the guest's command queue.
ioasidctl invalidate vm0 smmu0 command:0x30,0
is "a command of the guest's queue is taken" "$status" 0
ioasidctl -v invalidate vm0 smmu0
is "and all that is needed for everything" "$status" 0
says "of the device's stream, and of all translations" 'type=0x1 entries=2 of 16 bytes = 0 done=2'
ioasidctl invalidate vm0 smmu0 0x1000-0x2fff
is "and for some pages" "$status" 0
ioasidctl invalidate vm0 smmu0 command:0x1,0
is "one that would reach beyond the guest is not" "$status" 1

# The device goes to the parent and back, and the vIOMMU stays.
sed -e 's/nest_parent: true/&\n        attach: [{device: dma0}]/' -e '/name: s1/,/attach:/d' vm0.yaml >parent.yaml
for file in parent vm0; do
	ioasidctl apply --json $file.yaml
	is "to $file.yaml: exit status" "$status" 0
	grep -q '"replace": 1' out && ! grep -q detach out
	ok "to $file.yaml: the device moves without a moment in neither"
done

sed 's/id: 0x18/id: 0x19/' vm0.yaml >renamed.yaml
ioasidctl apply renamed.yaml
is "another identity in the guest: exit status" "$status" 0
sed '/viommu: smmu0/d' vm0.yaml >bare.yaml
ioasidctl apply bare.yaml
is "such a table without a vIOMMU is refused" "$status" 1
says "such a table without a vIOMMU: says why" 's1: a table of format arm-smmuv3 needs a vIOMMU'
ioasidctl delete vm0
is "delete: exit status" "$status" 0
check_host "after delete"
finish
