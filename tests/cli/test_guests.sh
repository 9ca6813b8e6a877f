#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Everything a guest's own IOMMU needs, on the reference device: nested IOASIDs, vIOMMUs and what
# they own, PASIDs, fault queues, dirty tracking, placement. Made, changed step by step, dumped and
# made again; each step is the least that has to be done.
. tests/cli/support.sh

cat >base.yaml <<'YAML'
version: 1
name: guest
memory:
  - {name: ram, size: 64M}
devices:
  - {name: edu, pci: "0000:00:03.0", driver: vfio-pci}
  - {name: test, pci: "0000:00:04.0", driver: vfio-pci}
  - {name: nic, pci: "0000:01:00.0", driver: vfio-pci}
  - {name: mlx, pci: "0000:05:00.0", driver: vfio-pci, group: take}
fds:
  - name: main
    driver: ioasid
    ioasids:
      - name: gpa0
        nest_parent: true
        huge_pages: false
        map: [{iova: 0, memory: ram, length: 32M}, {iova: auto, memory: ram, offset: 32M, length: 1M}]
        attach: [{device: edu}]
      - name: gpa1
        nest_parent: true
        dirty_tracking: true
        allow: [{first: 0x0, last: 0x7fffffff}]
        map: [{iova: 0, memory: ram, length: 64M}]
        attach: [{device: nic}]
      - {name: a0, kind: nested, parent: gpa0, table: {format: x86-64, address: 0x1000}}
      - {name: b0, kind: nested, parent: gpa0, table: {format: vtd-s1, address: 0x2000, address_width: 57}}
      - {name: a1, kind: nested, parent: gpa1, pasid: true, table: {format: vtd-s1, address: 0x3000}}
      - {name: b1, kind: nested, parent: gpa1, viommu: v, table: {format: vtd-s1, address: 0x4000}, attach: [{device: test}]}
      - {name: faulting, kind: nested, parent: gpa1, fault_queue: true, table: {format: x86-64, address: 0x5000}, attach: [{device: mlx, pasid: 5}, {device: mlx, pasid: 6}]}
      - {name: plain, map: [{iova: 0, copy: gpa0, from: 0, length: 32M}], attach: [{device: mlx}]}
    viommus:
      - {name: v, parent: gpa1, device: nic, events: {depth: 16}, vdevices: [{device: nic, id: 0x10}, {device: test, id: 0x11}], queues: [{index: 0, iova: 0x100000, length: 64K}, {index: 1, iova: 0x200000, length: 64K}]}
YAML

# Applies what became of the file, and sees to it that it's stable and can be made again from its own
# dump. What it took is told as counts of actions.
step() { # DESCRIPTION WANTED-COUNTS
	run "$ioasidctl" plan guest.yaml
	cp "$out" plan.txt
	run "$ioasidctl" apply --json guest.yaml
	exits 0 "$1: apply" || cat plan.txt
	is "$(json "$out" '" ".join(f"{k}:{v}" for k, v in sorted(d["results"][0]["counts"].items()))')" \
		"$2" "$1: no more than that is done" || sed 's/^/# /' plan.txt
	run "$ioasidctl" plan guest.yaml
	is "$(cat "$out")" "guest: nothing to do" "$1: applied again"
	run "$ioasidctl" show --yaml guest
	cp "$out" dump.yaml
	run "$ioasidctl" plan dump.yaml
	is "$(cat "$out")" "guest: nothing to do" "$1: its dump changes nothing"
}
change() { # FROM TO...
	while [ $# -gt 0 ]; do
		grep -qF -- "$1" guest.yaml || echo "# not in the file: $1"
		"$python" - "$1" "$2" <<-'END'
			import sys
			text = open("guest.yaml").read()
			open("guest.yaml", "w").write(text.replace(sys.argv[1], sys.argv[2], 1))
		END
		shift 2
	done
}

cp base.yaml guest.yaml
run "$ioasidctl" apply base.yaml
exits 0 "apply"
run "$ioasidctl" show
golden "$out" show-guests
run "$ioasidctl" show --json
valid "$out" show "the dump is by the schema"
is "$(json "$out" '[(i["name"], i.get("parent")) for i in d["topologies"][0]["fds"][0]["ioasids"] if i["kind"] == "nested"]')" \
	"[('a0', 'gpa0'), ('b0', 'gpa0'), ('a1', 'gpa1'), ('b1', 'gpa1'), ('faulting', 'gpa1')]" \
	"several parents with several children each"
is "$(json "$out" '[i["name"] for i in d["topologies"][0]["fds"][0]["ioasids"] if "pasid" in i["flags"]]')" \
	"['a1', 'faulting', 'plain']" "the flag that PASIDs need came by itself, where the rest of the device is, too"

run "$ioasidctl" show --dot
exits 0 "show --dot"
golden "$out" dot-guests
# Each edge is between nodes that are there, and text is within its quotes.
"$python" - "$out" >graph 2>&1 <<-'END'
	import re, sys
	text = open(sys.argv[1]).read()
	quoted = r'"(?:[^"\\\n]|\\.)*"'
	assert '"' not in re.sub(quoted, "", text)
	assert text.count("{") == text.count("}")
	nodes = re.findall(rf"^\s*({quoted}) \[shape", text, re.M)
	edges = re.findall(rf"^\s*({quoted}) -> ({quoted}) \[", text, re.M)
	assert len(set(nodes)) == len(nodes) == 1 + 4 + 1 + 8 + 1, nodes
	assert all(n in nodes for e in edges for n in e), edges
	print(len(edges))
END
result $? "show --dot: edges join nodes" "$(cat graph)"
is "$(grep -c 'pasid [56]' "$out")" 2 "show --dot: attachments by PASID"

# Between parent and child, child and child: replaced, never detached.
change 'attach: [{device: edu}]' 'attach: []' 'address: 0x1000}}' 'address: 0x1000}, attach: [{device: edu}]}'
step "from parent to child" "replace:1"
change ', attach: [{device: edu}]}' '}' 'address_width: 57}}' 'address_width: 57}, attach: [{device: edu}]}'
step "from child to child" "replace:1"
change 'address_width: 57}, attach: [{device: edu}]}' 'address_width: 57}}' 'attach: []' 'attach: [{device: edu}]'
step "from child to parent" "replace:1"
change '{device: mlx, pasid: 6}]' '{device: mlx, pasid: 7}]'
step "one PASID goes, another comes" "attach:1 detach:1"
change ', {device: mlx, pasid: 7}]}' ']}' 'address: 0x3000}}' 'address: 0x3000}, attach: [{device: mlx, pasid: 7}]}'
step "one PASID moves" "replace:1"

# What a table or a flag is can't be changed: another object takes its place.
change 'address: 0x4000' 'address: 0x6000'
step "another table" "alloc:1 free:1 replace:1"
change 'huge_pages: false' 'huge_pages: true'
step "another flag of a parent: its children follow" "alloc:3 free:3 map:2 replace:1"
change 'name: b0' 'name: c0'
step "another name" "alloc:1 free:1"

# What a vIOMMU owns.
change 'id: 0x10' 'id: 0x12' 'id: 0x11' 'id: 0x10' 'id: 0x12' 'id: 0x11'
step "identities swapped" "alloc:1 alloc-vdevice:2 free:1 free-vdevice:2 replace:1"
change '{device: nic, id: 0x11}, ' ''
step "a vdevice goes" "free-vdevice:1"
change 'depth: 16' 'depth: 32' 'index: 1, iova: 0x200000' 'index: 1, iova: 0x300000'
step "another depth, a queue elsewhere" "alloc-events:1 alloc-queue:1 free-events:1 free-queue:1"
change 'name: v,' 'name: w,' 'viommu: v,' 'viommu: w,'
step "another vIOMMU: what is on it follows" \
	"alloc:1 alloc-events:1 alloc-queue:2 alloc-vdevice:1 alloc-viommu:1 free:1 free-events:1 free-queue:2 free-vdevice:1 free-viommu:1 replace:1"
change ', attach: [{device: test}]}' '}' '{device: test, id: 0x10}' ''
step "a device leaves the vIOMMU" "detach:1 free-vdevice:1 unbind-device:1"

# The last state, made from nothing by its dump.
run "$ioasidctl" show
cp "$out" before
pid=$(holder_pid)
run "$ioasidctl" delete guest
exits 0 "delete"
eventually gone "$pid"
run "$ioasidctl" apply dump.yaml
exits 0 "the dump makes it again"
run "$ioasidctl" show
sed 's/id [0-9]*,//; s/tables [0-9]*K/tables NK/' "$out" >after
is "$(sed 's/id [0-9]*,//; s/tables [0-9]*K/tables NK/' before | diff - after)" "" "as it was"
run "$ioasidctl" delete guest

# dirty: only where it is declared, and never lost without a word.
cp base.yaml guest.yaml
run "$ioasidctl" apply base.yaml
for object in plain a0; do
	for action in start stop read; do
		run "$ioasidctl" dirty $action guest $object
		exits 1 "dirty $action of $object: exit status"
		says "$err" "hint: add dirty_tracking: true to it" "dirty $action of $object: the way out"
	done
done
run "$ioasidctl" dirty read guest gpa1
exits 1 "dirty read before start: exit status"
says "$err" "\`ioasidctl dirty start\` first" "dirty read before start: the way out"
for extra in 0-0xfff --no-clear --bitmap=bits --page-size=4K; do
	run "$ioasidctl" dirty start guest gpa1 $extra
	exits 64 "dirty start $extra: exit status"
	says "$err" "dirty start takes no" "dirty start $extra: message"
done
run "$ioasidctl" dirty start guest gpa1
exits 0 "dirty start"
run "$ioasidctl" dirty read --json --bitmap bits guest main/gpa1 0-0xffff 1M+36K
exits 0 "dirty read of ranges"
valid "$out" dirty "dirty read --json: by the schema"
is "$(wc -c <bits)" 4 "dirty read --bitmap: each range from a whole byte on"
run "$ioasidctl" dirty read guest gpa1 2G+4K
exits 0 "dirty read of what isn't mapped"
run "$ioasidctl" dirty read guest gpa1 0x100-0x1ff
[ "$status" -ne 0 ]
result $? "dirty read of part of a page is refused"
change 'dirty_tracking: true' 'dirty_tracking: true
        huge_pages: false'
run "$ioasidctl" show --json
cp "$out" before
for verb in plan apply; do
	run "$ioasidctl" $verb guest.yaml
	exits 1 "$verb: what would lose the record: exit status"
	says "$err" "main/gpa1: its record of dirty pages would be lost" "$verb: what would lose the record: message"
	says "$err" "\`ioasidctl dirty read\` and \`dirty stop\` first" "$verb: what would lose the record: the way out"
done
run "$ioasidctl" show --json
is "$(diff before "$out")" "" "and nothing has changed"
cp base.yaml guest.yaml
change ', {device: mlx, pasid: 6}' ''
run "$ioasidctl" apply guest.yaml
exits 0 "another change of the topology"
run "$ioasidctl" dirty read guest gpa1
exits 0 "leaves the record"
run "$ioasidctl" dirty stop guest gpa1
exits 0 "dirty stop"

# invalidate: each kind of entry, and what isn't one.
run "$ioasidctl" invalidate --json guest a0 all 0x1000-0x1fff 0x5000+4K 0xfffffffffffff000+4K
exits 0 "invalidate"
valid "$out" invalidate "invalidate --json: by the schema"
is "$(json "$out" 'd["handled"]')" 4 "invalidate: all of them"
run "$ioasidctl" invalidate --leaf guest main/a0 0x1000+4K
exits 0 "invalidate --leaf"
run "$ioasidctl" invalidate guest gpa0
exits 1 "invalidate of a gpa: exit status"
says "$err" "name a nested IOASID or a vIOMMU" "invalidate of a gpa: the way out"
for entry in 0x2000-0x1000 0x1000+0 0xfffffffffffff000+8K command:x command:1,2,3 some; do
	run "$ioasidctl" invalidate guest a0 $entry
	exits 64 "invalidate $entry: exit status"
	says "$err" "hint: all, FIRST-LAST, FIRST+LENGTH" "invalidate $entry: the way out"
done
run "$ioasidctl" invalidate guest a0 command:1
exits 1 "a command that the format doesn't know: exit status"
says "$err" "guest/main/a0" "a command that the format doesn't know: of what"

# faults
run "$ioasidctl" faults guest faulting
is "$(cat "$out")" "guest: no page fault waits" "faults: none"
run "$ioasidctl" faults --json --answer invalid guest
valid "$out" faults "faults --json: by the schema"
run "$ioasidctl" faults --answer none guest
exits 64 "faults --answer none: exit status"
says "$err" '--answer takes success or invalid, not "none"' "faults --answer none: message"
run "$ioasidctl" faults guest plain
exits 1 "faults of an IOASID without a queue: exit status"
says "$err" "add fault_queue: true to it" "faults of an IOASID without a queue: the way out"
run "$ioasidctl" delete guest
finish
