# SPDX-License-Identifier: GPL-2.0-or-later
# A device is unplugged that a topology holds for others: bound to nothing, or taken raw by a program.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/vm/hotplug.sh"
remember_host

cat >vm.yaml <<END
version: 1
name: vm
devices: [{name: nic, pci: "$nic", driver: vfio-pci}]
fds: [{name: main, driver: iommufd}]
END
ioasidctl apply vm.yaml
is "a topology with a device that is bound to nothing" "$status" 0
holder=$(holders)
follow

unplug "unplugged"
is "the holder is the same as before" "$(holders)" "$holder"
state_is vm gone
ok "show says that it has gone"
ioasidctl exec --raw vm -- true
is "it can't be handed over: exit status" "$status" 1
says "it can't be handed over: says why" "device nic can't be handed over raw" "isn't there"

plug "plugged in again"
eventually has_driver e1000e
ioasidctl apply vm.yaml
is "apply takes it back" "$status" 0
"$tool" exec --raw vm -- sleep 1000 &
program=$!
tells "a program takes it raw" '.kind == "taken"'
qemu_monitor device_del nic
tells "unplugged again: the holder closes its own" '.kind == "device-removed" and .device == "nic"'
is_there
ok "but the kernel waits for the program"
kill "$program"
wait "$program" 2>/dev/null
eventually is_away || eventually is_away
ok "when that ends, the device has gone"
tells "and it's told that it was returned" '.kind == "returned"'
ioasidctl delete vm
is "delete" "$status" 0
plug "plugged in once more"
eventually has_driver e1000e
end_all
check_kernel
finish
