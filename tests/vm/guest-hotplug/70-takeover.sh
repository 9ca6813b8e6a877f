# SPDX-License-Identifier: GPL-2.0-or-later
# A holder that has taken over is asked by the kernel to let a device go, attaches one that comes, and
# gives back a driver that the holder before it took away.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/vm/hotplug.sh"
remember_host

take_over() { # DESCRIPTION
	rm -f ready
	old=$holder
	"$tool" daemon --takeover --ready-fd 3 3>ready >next.out 2>&1 &
	holder=$!
	disown "$holder"
	eventually test -s ready
	ok "$1: another holder takes over" || sed 's/^/#   /' next.out
	eventually is_gone "$old"
	ok "$1: the one before has ended"
}

start_holder
write auto 'driver: vfio-pci, hotplug: attach'
ioasidctl apply auto.yaml
is "a topology with the device is there" "$status" 0
take_over "held"
follow
unplug "held"
tells "held: it was given up, as the kernel asked" \
	'.kind == "device-released" and .topology == "auto" and .device == "nic"'
comes_to "held: show says that it is pending" auto pending
take_over "pending"
comes_to "pending: it still is" auto pending
follow
plug "pending"
tells "pending: it is attached at once" '.kind == "device-attached" and .topology == "auto"'
comes_to "pending: show says that it is held" auto held
take_over "back"
ioasidctl delete auto
is "delete" "$status" 0
eventually has_driver e1000e
ok "the host has it back"
follow
end_all
finish
