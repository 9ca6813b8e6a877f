# SPDX-License-Identifier: GPL-2.0-or-later
# hotplug: attach: a device that is declared before it is there.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/vm/hotplug.sh"
remember_host

unplug "before it is declared"
write auto 'driver: vfio-pci, hotplug: attach'
ioasidctl plan auto.yaml
is "there is something to do without it" "$status" 2
ioasidctl --json apply auto.yaml
is "what waits for it can be applied" "$status" 0
follow
state_is auto pending
ok "show says that it is pending"
ioasidctl --json apply auto.yaml
is "a second apply does nothing" "$status $(ask '.results[0].changed')" "0 false"
ioasidctl --yaml show auto
cp out dump.yaml
ioasidctl --json apply dump.yaml
is "nor does one of the dump" "$status $(ask '.results[0].changed')" "0 false"
plug "it comes"
tells "it is attached at once" '.kind == "device-attached" and .topology == "auto" and .device == "nic"'
comes_to "show says that it is held" auto held
is "it is bound to vfio-pci" "$(driver_of $nic)" vfio-pci
follow
unplug "it goes again"
comes_to "show says that it is pending again" auto pending
plug "and comes again"
comes_to "and is attached again" auto held
is "in one attempt" "$(jq -s 'map(select(.kind == "attach-failed")) | length' events)" 0
ioasidctl delete auto
is "delete succeeds" "$status" 0
eventually has_driver e1000e
ok "the host has it back"
end_all
finish
