# SPDX-License-Identifier: GPL-2.0-or-later
# The same by VFIO's containers and groups: a device goes, comes back, and is attached.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/vm/hotplug.sh"
remember_host

write vm 'driver: vfio-pci, hotplug: attach'
ioasidctl --driver vfio apply vm.yaml
is "a topology with the device" "$status" 0
follow
unplug "unplugged"
tells "it was given up, as the kernel asked" '.kind == "device-released" and .device == "nic"'
comes_to "show says that it is pending" vm pending
is "its IOASID goes on" "$(ask '.topologies[0].fds[0].ioasids[0].alive')" true
plug "plugged in again"
comes_to "it is attached again" vm held
is "by the same driver" "$(ask '.topologies[0].fds[0].driver')" vfio
ioasidctl delete vm
is "delete succeeds" "$status" 0
eventually has_driver e1000e
end_all
finish
