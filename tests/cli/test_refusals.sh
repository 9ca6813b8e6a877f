#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What hardware, a driver or another object makes impossible: each refusal names the object, the
# reason and the way out, and leaves nothing behind. What the file alone makes impossible is in
# tests/config/broken.
. tests/cli/support.sh

HEAD='version: 1
name: r
memory: [{name: ram, size: 4M}]
devices: ['
edu='{name: edu, pci: "0000:00:03.0", driver: vfio-pci}' # behind an IOMMU that can everything
narrow='{name: narrow, pci: "0000:06:00.0", driver: vfio-pci}' # 39 bits, and nothing else
arm='{name: arm, pci: "0001:00:00.0", driver: vfio-pci}' # of another format
gpu='{name: gpu, pci: "0000:04:00.0", driver: vfio-pci}' # its DMA needn't snoop
mlx='{name: mlx, pci: "0000:05:00.0", driver: vfio-pci, group: take}' # PASIDs, page faults
two='{name: two, pci: "0000:05:00.1", driver: vfio-pci}' # of the same group
map='map: [{iova: 0, memory: ram, length: 4M}]'
gpa="{name: gpa, nest_parent: true, $map}"

# Planned against the driver, which is all that can be known before; then applied, with every kernel
# action told.
refused() { # BEFORE|LATER DESCRIPTION DEVICES IOASIDS REST PATTERN...
	local when=$1 name=$2 pattern
	printf '%s%s]\nfds: [{name: main, driver: ioasid, ioasids: [%s]%s}]\n' \
		"$HEAD" "$3" "$4" "$5" >r.yaml
	shift 5
	run "$ioasidctl" check --driver ioasid ${machine:-} r.yaml
	[ "$status" -ne 0 ] || [ "$when" = later ]
	result $? "$name: check knows"
	run "$ioasidctl" plan ${machine:-} r.yaml
	cp "$err" plan.err
	run "$ioasidctl" apply -v ${machine:-} r.yaml
	[ "$status" -ne 0 ]
	result $? "$name: refused"
	if [ "$when" = before ]; then
		lacks "$err" "ioctl(main" "$name: before any call that changes something"
	fi
	for pattern in "$@"; do
		tr '\n' ' ' <"$err" | tr -s ' ' | grep -qE -e "$pattern"
		result $? "$name: says /$pattern/"
	done
	grep -q 'hint: ' "$err"
	result $? "$name: there is a way out"
	grep -qE '^r.yaml:[0-9]+:[0-9]+: error: ' "$err"
	result $? "$name: it has a place"
	run "$ioasidctl" show
	is "$(cat "$out")" "nothing is held" "$name: nothing is left"
}
nested() { # FORMAT-AND-SO-ON DEVICE
	echo "$gpa, {name: s1, kind: nested, parent: gpa, table: {$1}, attach: [{device: $2}]}"
}
radix='format: vtd-s1, address: 0x1000'

# Tables and IOMMUs.
refused before "a table that the driver doesn't know" "$edu" \
	"$(nested 'format: amd-guest, dte: [0, 0, 0, 0]' edu)" '' \
	's1: driver ioasid knows no tables of format amd-guest' 'it knows vtd-s1, mock, x86-64'
refused before "no device that tells the IOMMU" "$edu" \
	"$gpa, {name: s1, kind: nested, parent: gpa, table: {$radix}}, {name: other, attach: [{device: edu}]}" '' \
	's1: no device tells for which IOMMU it is' 'attach a device to it or to its parent'
refused later "a table of another IOMMU" "$edu" "$(nested 'format: mock' edu)" '' \
	'allocate main/s1' 'only these formats of nested tables: vtd-s1, x86-64' 'use one of them'
refused later "a table where nothing nests" "$narrow" "$(nested "$radix" narrow)" '' \
	'allocate main/s1' '0000:06:00.0 has no formats of nested tables' 'behind an IOMMU that has them'
refused later "a parent where nothing nests" "$narrow" "{name: gpa, nest_parent: true, attach: [{device: narrow}]}" '' \
	'attach narrow to main/gpa' "nest_parent, and the IOMMU in front of the device can't nest" 'drop nest_parent'
refused later "dirty tracking" "$narrow" "{name: gpa, dirty_tracking: true, attach: [{device: narrow}]}" '' \
	'attach narrow to main/gpa' 'tracks dirty pages' 'drop dirty_tracking'

# PASIDs and faults.
refused later "a PASID of a device without" "$edu" "{name: gpa, attach: [{device: edu, pasid: 5}]}" '' \
	'attach edu pasid 5 to main/gpa' 'has no PASIDs' 'attach the whole device'
refused later "a fault queue for a device that can't wait" "$edu" "{name: gpa, fault_queue: true, attach: [{device: edu}]}" '' \
	'attach edu to main/gpa' "the device can't wait for pages" 'without `fault_queue`'

# vIOMMUs.
refused later "a type of viommu that the IOMMU hasn't" "$edu" "$gpa" \
	', viommus: [{name: v, parent: gpa, device: edu, type: mock}]' \
	'allocate vIOMMU main/v' 'only these types of viommu: default' 'use one of them'
refused later "a viommu where there are none" "$narrow" "$gpa" \
	', viommus: [{name: v, parent: gpa, device: narrow}]' \
	'allocate vIOMMU main/v' 'has no types of viommu' 'behind an IOMMU that has them'
refused later "a vdevice of another IOMMU" "$edu, $narrow" "$gpa" \
	', viommus: [{name: v, parent: gpa, device: edu, vdevices: [{device: narrow, id: 1}]}]' \
	'allocate vdevice of narrow as 0x1 of main/v' 'behind another IOMMU' 'make a viommu for that IOMMU too'
refused later "more queues than the IOMMU has" "$edu" "$gpa" \
	', viommus: [{name: v, parent: gpa, device: edu, queues: [{index: 0, iova: 0, length: 4K}, {index: 1, iova: 4K, length: 4K}, {index: 2, iova: 8K, length: 4K}]}]' \
	'allocate hardware queue 2 of main/v' 'the IOMMU has no queue of that index' 'leave it out'

# What can't share.
refused later "formats that can't share an fd" "$edu, $arm" \
	"{name: a, attach: [{device: edu}]}, {name: b, attach: [{device: arm}]}" '' \
	'bind device arm' '0001:00:00.0 has page tables of format arm-smmuv3, that of 0000:00:03.0, which is in fd main, has vtd' \
	'declare an fd of its own'
refused later "snooping" "$edu, $gpu" "{name: gpa, enforce_snoop: true, attach: [{device: edu}, {device: gpu}]}" '' \
	'attach gpu to main/gpa' "0000:04:00.0 can do DMA that doesn't snoop.*enforces snooping, as for 0000:00:03.0" \
	'give 0000:04:00.0 an IOASID of its own'
refused later "address width" "$edu, $narrow" \
	"{name: gpa, map: [{iova: 0x8000000000, memory: ram, length: 1M}], attach: [{device: edu}, {device: narrow}]}" '' \
	'attach narrow to main/gpa' 'narrow \(0000:06:00.0\) translates addresses of 39 bits.*0x8000000000-0x80000fffff of gpa is beyond' \
	'below that'
refused later "address width of what is allowed" "$narrow" \
	"{name: gpa, allow: [{first: 0, last: 0xffffffffff}], attach: [{device: narrow}]}" '' \
	'attach narrow to main/gpa' '39 bits' 'keep `map` and `allow` below that'
refused later "a reserved range" "$edu" \
	"{name: gpa, map: [{iova: 0xfee00000, memory: ram, length: 1M}], attach: [{device: edu}]}" '' \
	'attach edu to main/gpa' '0xfee00000-0xfeefffff is interrupts' 'leave that range out'
refused before "a group in two address spaces" "$mlx, $two" \
	"{name: a, attach: [{device: mlx}]}, {name: b, attach: [{device: two}]}" '' \
	'mlx and two are in IOMMU group 10 together' 'attach both to the same IOASID'
"$python" - "$top/tests/fuzz/seeds/machine/default" >one.json <<-'END'
	import json, sys
	machine = json.load(open(sys.argv[1]))
	machine["max_domains"] = 1
	print(json.dumps(machine))
END
machine='--machine one.json'
refused later "one domain for each IOASID" "$edu, $narrow" "{name: gpa, $map, attach: [{device: edu}, {device: narrow}]}" '' \
	'attach narrow to main/gpa' 'serves 1 domain per IOASID' 'an IOASID of its own for each IOMMU'
run "$ioasidctl" check $machine r.yaml
exits 1 "one domain for each IOASID: check with the machine knows"
says "$err" "serves 1 domain per IOASID" "one domain for each IOASID: and says so"
sed 's/, {device: narrow}\]}/]}, {name: b, map: [{iova: 0, copy: gpa, from: 0, length: 4M}], attach: [{device: narrow}]}/' \
	r.yaml >two.yaml
run "$ioasidctl" check $machine two.yaml
exits 0 "one domain for each IOASID: the way out is one"
finish
