# SPDX-License-Identifier: GPL-2.0-or-later
# The life of the example for pass-through, unchanged, on a real IOMMU: apply, show, apply again,
# delete. Sourced after lib.sh.
# shellcheck shell=bash disable=SC2154

live() { # DRIVER-IT-COMES-TO [OPTION-OF-APPLY...]
	local driver=$1 device groups bound example name counter
	shift
	example=$(echo "$TOP"/examples/1-*.yaml)
	name=$(sed -n 's/^name: *\([a-z0-9-]*\).*/\1/p' "$example")
	ioasidctl check "$example"
	is "the example passes the check" "$status" 0

	ioasidctl --json apply "$@" "$example"
	is "apply succeeds" "$status" 0
	is "apply says that it changed something" "$(ask ".results[0].changed")" true
	[ -n "$(holders)" ]
	ok "a holder was started"

	ioasidctl --json show
	is "show succeeds" "$status" 0
	/usr/bin/python3 - "$TOP/schemas/show.schema.json" out >err 2>&1 <<'END'
import json, jsonschema, sys
schema, dump = (json.load(open(p)) for p in sys.argv[1:])
jsonschema.Draft202012Validator(schema).validate(dump)
END
	ok "what show prints is what its schema says"
	is "it is on $driver" "$(ask '[.topologies[].fds[].driver] | unique[]')" "$driver"
	is "every IOASID is alive" "$(ask '[.topologies[].fds[].ioasids[].alive] | all')" true
	is "every device is present, alive and bound" \
		"$(ask '[.topologies[].devices[] | .present, .alive, .bound] | all')" true
	groups=$(ask '[.topologies[].devices[] | select(.attached_to | length > 0) | .group] | unique | length')
	[ "$groups" -ge 2 ]
	ok "devices of several groups ($groups) are on one IOASID"
	is "the IOASID has the whole file's mappings" \
		"$(ask '[.topologies[].fds[].ioasids[].mappings | length] | add > 0')" true
	is "the hardware is described" "$(ask '[.topologies[].devices[].hardware.type] | unique[]')" vt-d
	is "the MSI window is not among the allowed ranges" "$(ask \
		'[.topologies[].fds[].ioasids[].ranges[] | select(.first == "0xfee00000" or .last == "0xfeefffff")] | length')" 0
	bound=$(ask '.topologies[].devices[].address')
	for device in $bound; do
		is "$device is bound to vfio-pci" "$(driver_of "$device")" vfio-pci
	done
	is "every mapped page is pinned" "$(($(pinned_pages) - pinned_before))" "$((64 * 256))"
	# VFIO counts them as locked.
	counter=VmPin
	[ "$driver" != vfio ] || counter=VmLck
	is "and charged to the holder, in kB" \
		"$(awk -v "counter=$counter:" '$1 == counter { print $2 }' "/proc/$(holders)/status")" \
		"$((64 * 1024))"

	ioasidctl show
	grep -q "topology $name" out
	ok "the tree names the topology"

	ioasidctl --json apply "$@" "$example"
	is "a second apply succeeds" "$status" 0
	is "a second apply does nothing" "$(ask ".results[0].changed")" false
	ioasidctl plan "$@" "$example"
	is "plan finds nothing to do" "$status" 0
	ioasidctl --yaml show "$name"
	cp out dump.yaml
	ioasidctl --json apply dump.yaml
	is "applying the dump does nothing" "$status $(ask ".results[0].changed")" "0 false"

	ioasidctl delete "$name"
	is "delete succeeds" "$status" 0
	check_host "after delete"
	is "e1000e has its network card back" "$(driver_of 0000:01:00.0)" e1000e
	ioasidctl --json show
	is "show with nothing there is an empty list" "$status $(ask '.topologies | length')" "0 0"
}
