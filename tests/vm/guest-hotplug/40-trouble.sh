# SPDX-License-Identifier: GPL-2.0-or-later
# hotplug: attach of a device that comes and that nobody has bound to VFIO.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/vm/hotplug.sh"
remember_host

unplug "once more"
write bare 'hotplug: attach'
ioasidctl apply bare.yaml
is "declared without a driver" "$status" 0
follow
plug "it comes"
tells "that it can't be attached is told" \
	'.kind == "attach-failed" and .device == "nic" and .retry_ms > 0 and (.message | test("e1000e|no driver|VFIO"))'
comes_to "it stays pending" bare pending
[ -n "$(ask '.topologies[0].devices[0].trouble')" ]
ok "show says why"
ioasidctl show bare
grep -q 'not attached:' out
ok "the tree says why"
tries=$(jq -s 'map(select(.kind == "attach-failed")) | length' events)
[ "$tries" -le 6 ]
ok "it isn't tried in a storm ($tries times)"
eventually has_driver e1000e
echo vfio-pci >"$devices/$nic/driver_override"
echo "$nic" >"$devices/$nic/driver/unbind"
echo "$nic" >/sys/bus/pci/drivers_probe
comes_to "bound by hand, it is attached" bare held
ioasidctl delete bare
is "delete succeeds" "$status" 0
is "and leaves it as it found it" "$(driver_of $nic)" vfio-pci
echo >"$devices/$nic/driver_override"
echo "$nic" >"$devices/$nic/driver/unbind"
echo "$nic" >/sys/bus/pci/drivers_probe
end_all
finish
