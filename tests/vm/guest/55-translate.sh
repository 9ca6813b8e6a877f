# SPDX-License-Identifier: GPL-2.0-or-later
# Where addresses lead: what translate says is where the bytes of a device's DMA turn up.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

cat >places.yaml <<'END'
version: 1
name: places
memory:
  - {name: ram, size: 8M}
devices:
  - {name: edu0, pci: "0000:00:03.0", driver: vfio-pci}
fds:
  - name: main
    ioasids:
      - name: source
        kind: gpa
        map: [{iova: 0x5000000, memory: ram, offset: 6M, length: 1M}]
      - name: gpa
        kind: gpa
        map:
          - {iova: 0x1000000, memory: ram, offset: 1M, length: 3M}
          - {iova: 0x2000000, memory: ram, offset: 4M, length: 1M}
          - {iova: 0x3000000, memory: ram, offset: 5M, length: 1M, access: r}
          - {iova: 0x4000000, copy: source, from: 0x5000000, length: 1M}
        attach: [{device: edu0}]
END
"$BUILD/tests/vm/translate_dma" places.yaml places edu0 ram 0x1000008 0x12ffff8 0x2000000 \
	0x20ffff8 0x2100000 0x3000010 0x4000018 0x40ffff8 0x5000000 0x0 >out 2>err </dev/null
is "DMA goes where translate says" $? 0
adopt "DMA" out
check_host "after DMA"

ioasidctl apply places.yaml
is "apply" "$status" 0
ioasidctl --json translate places edu0 0x2000010 0x4000018 0x2100000 0xfee00000
is "some lead nowhere" "$status" 1
is "a mapping" "$(ask '.translations[0] | "\(.gpa) \(.memory) \(.offset) \(.access)"')" "gpa ram 0x400010 rw"
is "a copy" "$(ask '.translations[1] | "\(.memory) \(.offset) \(.mapping.copy)"')" "ram 0x600018 source"
is "a hole, and its neighbours" \
	"$(ask '.translations[2].stop | "\(.kind) \(.below.iova) \(.above.iova)"')" \
	"not-mapped 0x2000000 0x3000000"
is "what the kernel reserves" \
	"$(ask '.translations[3].stop.excluded | "\(.first)-\(.last)"')" "0xfee00000-0xfeefffff"
ioasidctl delete places
check_host "after delete"
finish
