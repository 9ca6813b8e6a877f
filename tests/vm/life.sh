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

# The example of a kernel without iommufd, and what its comments say.
without_iommufd() {
	local example device
	example=$(echo "$TOP"/examples/7-*.yaml)
	ioasidctl --json apply "$example"
	is "example without iommufd: applied" "$status $(ask '.results[0].changed')" "0 true"
	ioasidctl --json show vfio0
	is "example without iommufd: on VFIO's containers" "$(ask '.topologies[].fds[].driver')" vfio
	is "example without iommufd: two groups in two containers" \
		"$(ask '[.topologies[].fds[].ioasids[] | "\(.name): \([.attachments[].device] | sort | join(" "))"] | join(", ")')" \
		"gpa: dma0, bridge: dma1 dma2"
	is "example without iommufd: pinned once for each container" \
		"$(($(pinned_pages) - pinned_before))" "$((2 * 16 * 256))"
	ioasidctl apply "$example"
	grep -q 'nothing to do' out
	ok "example without iommufd: a second apply does nothing"
	sed 's/attach: \[{device: dma0}\]/attach: [{device: dma0}, {device: dma1}, {device: dma2}]/
		s/attach: \[{device: dma1}, {device: dma2}\]/attach: []/' "$example" >moved.yaml
	ioasidctl apply -v moved.yaml
	is "example without iommufd: the group moves" "$status" 0
	grep -q 'changes containers: its devices are closed' err
	ok "example without iommufd: -v says that its DMA stops meanwhile"
	ioasidctl delete vfio0
	is "example without iommufd: deleted" "$status" 0
	check_host "example without iommufd: after delete"
	for device in dma0 dma1 dma2; do
		ioasidctl run "$example" -- "$BUILD/tests/vm/edu_dma" "$device" "{fd:$device}"
		is "example without iommufd: run with $device" "$status" 0
		adopt "example without iommufd: DMA of $device" out
	done
	# shellcheck disable=SC2016
	ioasidctl run "$example" -- sh -c 'echo "$LISTEN_FDNAMES"'
	grep -qE '^main/gpa:main/bridge:dma0:dma1:dma2:group/[0-9]+:group/[0-9]+:ram$' out
	ok "example without iommufd: the descriptors that it names"
	check_host "example without iommufd: after DMA"
}
