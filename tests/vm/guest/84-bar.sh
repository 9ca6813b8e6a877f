# SPDX-License-Identifier: GPL-2.0-or-later
# A device's BAR as memory of other devices: exported, mapped, kept, and given back.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

# BAR 0 of one edu in the address space of another; what varies comes in variables.
write() {
	cat >peer.yaml <<YAML
version: 1
name: peer
memory:
  - {name: ram, size: 2M}
  ${bar-"- {name: bar, backing: dmabuf, device: ${owner:-edu1}, bar: ${number:-0}, size: ${size:-1M}}"}
devices:
  - {name: edu0, pci: "0000:00:03.0", driver: vfio-pci}
  - {name: ${owner:-edu1}, pci: "0000:03:01.0", driver: vfio-pci}
fds:
  - name: main
    driver: iommufd
    ioasids:
      - name: gpa
        kind: gpa
        map:
          - {iova: 0x1000000, memory: ram, length: 2M}
          ${bar-"- {iova: 0x8000000, memory: bar, length: ${size:-1M}}"}
        attach: [{device: edu0}]
${more:-}
YAML
}

write
ioasidctl -v --json apply peer.yaml
is "a BAR is mapped" "$status $(ask '.results[0].changed')" "0 true"
says "the device was bound before its BAR was exported" 'BIND_IOMMUFD.*VFIO_DEVICE_FEATURE.*dma-buf bar=0 .*IOAS_MAP_FILE'
ioasidctl --json apply peer.yaml
is "applied again: nothing to do" "$status $(ask '.results[0].changed')" "0 false"
ioasidctl --json show
is "show has the memory" \
	"$(ask '.topologies[].memories[] | select(.name == "bar") | "\(.backing) \(.device) \(.bar) \(.size)"')" \
	"dmabuf edu1 0 0x100000"
ioasidctl show --yaml
cp out dump.yaml
ioasidctl --json apply dump.yaml
is "the dump applies and changes nothing" "$status $(ask '.results[0].changed')" "0 false"

more='  - {name: other, ioasids: [{name: two, kind: gpa, attach: [{device: edu1}]}]}' write
ioasidctl apply peer.yaml
is "the device can't be bound anew while its BAR is memory" "$status" 1
says "and it says why" 'edu1.*memory bar' 'take bar out first'
ioasidctl --json show
is "nothing changed" "$(ask '[.topologies[].fds[].name] | join(" ")')" main

bar='' write
ioasidctl --json apply peer.yaml
is "the memory goes" "$status $(ask '.results[0].changed')" "0 true"
write
ioasidctl --json apply peer.yaml
is "and comes back" "$status $(ask '.results[0].changed')" "0 true"
ioasidctl delete peer
is "delete succeeds" "$status" 0
check_host "after delete"

size=2M write
ioasidctl apply peer.yaml
[ "$status" -eq 1 ]
ok "more than the BAR has is refused"
says "more than the BAR has: says how much there is" "can't export BAR 0 of edu1" 'the BAR has 1M only'
number=3 write
ioasidctl apply peer.yaml
says "a BAR that isn't there" 'the device has no BAR 3 of memory'
check_host "after what was refused"

# It goes both ways: a failing step behind it takes the memory and the driver along.
sed 's/0x1000000, memory: ram/0xfee00000, memory: ram/' peer.yaml >broken.yaml
write
sed -i 's/iova: 0x1000000, memory: ram/iova: 0xfee00000, memory: ram/' peer.yaml
ioasidctl apply peer.yaml
[ "$status" -eq 1 ]
ok "a mapping in the interrupt window fails behind it"
check_host "after a failed apply"

write
ioasidctl run peer.yaml -- "$BUILD/tests/vm/edu_peer" edu0 ram 0x1000000 0x8000000
is "one device does DMA into the other" "$status" 0
adopt "DMA from device to device" out
check_host "after a program"
check_kernel
finish
