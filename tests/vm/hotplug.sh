# SPDX-License-Identifier: GPL-2.0-or-later
# What the scripts about hotplug share, beside lib.sh.
# shellcheck shell=bash disable=SC2154,SC2034
nic=0000:01:00.0
devices=/sys/bus/pci/devices

is_there() {
	[ -e "$devices/$nic" ]
}
is_away() {
	! is_there
}
# Slots blink for five seconds before they let a device go.
unplug() { # DESCRIPTION
	qemu_monitor device_del nic
	eventually is_away || eventually is_away
	ok "$1: the device has gone"
}
plug() { # DESCRIPTION
	qemu_monitor device_add e1000e,id=nic,bus=rp0
	eventually is_there
	ok "$1: the device is there"
}
has_driver() {
	[ "$(driver_of $nic)" = "$1" ]
}

follow() { # all events from now on are in the file events
	kill "$follower" 2>/dev/null
	"$tool" monitor --json >events 2>monitor.err &
	follower=$!
	eventually grep -q monitoring events
}
follower=
happened() { # FILTER on one event
	jq -e -s "map(select($1)) | length > 0" events >/dev/null 2>&1
}
tells() { # DESCRIPTION FILTER
	eventually happened "$2"
	ok "$1" || sed 's/^/#   /' events
}
state_is() { # TOPOLOGY STATE
	ioasidctl --json show "$1"
	[ "$(ask '.topologies[0].devices[] | select(.name == "nic").state')" = "$2" ]
}
comes_to() { # DESCRIPTION TOPOLOGY STATE
	eventually state_is "$2" "$3"
	ok "$1" || sed 's/^/#   /' events
}
write() { # NAME KEYS-OF-THE-DEVICE
	cat >"$1.yaml" <<END
version: 1
name: $1
memory:
  - {name: ram, size: 1M}
devices:
  - {name: nic, pci: "$nic", $2}
fds:
  - name: main
    ioasids:
      - {name: gpa, map: [{iova: 0x0, memory: ram, length: 1M}], attach: [{device: nic}]}
END
}
# The holder would stay for who follows; so the one ends the other.
end_all() {
	kill "$(holders)"
	wait "$follower"
	is "monitor ends with the holder" "$?" 69
	check_host "in the end"
}
