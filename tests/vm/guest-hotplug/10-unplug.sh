# SPDX-License-Identifier: GPL-2.0-or-later
# A device is unplugged while a topology holds it, and plugged in again.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/vm/hotplug.sh"
remember_host

cat >other.yaml <<'END'
version: 1
name: other
memory:
  - {name: ram, size: 1M}
devices:
  - {name: edu, pci: "0000:00:03.0", driver: vfio-pci}
fds:
  - name: main
    ioasids:
      - {name: gpa, map: [{iova: 0x0, memory: ram, length: 1M}], attach: [{device: edu}]}
END
write vm 'driver: vfio-pci'
ioasidctl apply other.yaml
is "another topology is there" "$status" 0
ioasidctl apply vm.yaml
is "a topology with the device is there" "$status" 0
holder=$(holders)
follow
"$tool" monitor vm >lines 2>/dev/null &
reader=$!
eventually grep -q following lines

unplug "unplugged"
tells "it was given up, as the kernel asked" \
	'.kind == "device-released" and .topology == "vm" and .device == "nic"'
tells "its removal is told, with the topology and the name" \
	'.kind == "device-removed" and .topology == "vm" and .device == "nic" and .address == "'$nic'"'
eventually grep -q "vm/nic (pci $nic): has gone" lines
ok "people are told, too" || sed 's/^/#   /' lines
kill "$reader"
is "the holder is the same as before" "$(holders)" "$holder"
state_is vm gone
ok "show says that it has gone"
is "its attachment is pending" \
	"$(ask '.topologies[0].fds[0].ioasids[0].attachments | map([.device, .pending])[]' -c)" '["nic",true]'
ioasidctl show vm
grep -q 'nic.*gone' out
ok "the tree says so"
ioasidctl --json show other
is "the other topology goes on" \
	"$(ask '.topologies[0] | [.devices[0].state, .devices[0].alive, .fds[0].ioasids[0].alive] | join(" ")')" "held true true"
ioasidctl apply vm.yaml
is "apply is refused without the device" "$status" 69
says "the message names it, and the way out" "nic: there is no pci $nic" 'hotplug: attach'

plug "plugged in again"
tells "its coming is told" '.kind == "device-added" and .topology == "vm" and .device == "nic"'
state_is vm released
ok "show says that it is there, but not held"
eventually has_driver e1000e
ok "it belongs to the host for now"
ioasidctl --json apply vm.yaml
is "apply takes it back" "$status $(ask '.results[0].counts.attach')" "0 1"
state_is vm held
ok "show says that it is held"
ioasidctl --json apply vm.yaml
is "and then has nothing to do" "$(ask '.results[0].changed')" false

ioasidctl delete vm other
is "all is deleted" "$status" 0
eventually has_driver e1000e
end_all
finish
