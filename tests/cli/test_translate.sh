#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# translate: where an address leads, or where it stops.
. tests/cli/support.sh
first=$examples/1-pass-through.yaml

run "$ioasidctl" translate vm0 dma0 0x1000
exits 69 "no holder: exit status"
says "$err" "no holder listens at" "no holder: message"

# The mappings of an address space.
run "$ioasidctl" apply --driver ioasid "$first"
exits 0 "apply"
run "$ioasidctl" translate vm0 dma0 0x1234 48M 0x8000fff 0xfee00000
exits 1 "some stop: exit status"
golden "$out" translate-mappings
is "$(awk 'length > 80' "$out")" "" "80 columns"
silent "$err" "a stop is a result, not an error"
run "$ioasidctl" translate vm0 dma0 0x1234 0x8000fff
exits 0 "none stops: exit status"
run "$ioasidctl" translate --json vm0 dma0 0x1234 48M 0xfee00000
exits 1 "--json: exit status"
valid "$out" translate "--json: by the schema"
is "$(json "$out" '[t["translated"] for t in d["translations"]]')" "[True, False, False]" \
	"--json: which are translated"
is "$(json "$out" '[d["translations"][0][k] for k in ("ioasid", "memory", "offset", "access")]')" \
	"['gpa', 'ram', '0x1234', 'rw']" "--json: the way"
is "$(json "$out" 'd["translations"][2]["stop"]["excluded"]')" \
	"{'first': '0xfee00000', 'last': '0xfeefffff'}" "--json: what the kernel excludes"
is "$(json "$out" 'd["translations"][1]["stop"]["above"]["iova"]')" 0x8000000 \
	"--json: the nearest mapping"

run "$ioasidctl" translate --json --access r --pasid 5 vm0 dma0 $(seq 128)
is "$(json "$out" 'len(d["translations"])')" 128 "128 at once"
run "$ioasidctl" translate vm0 dma0 $(seq 129)
exits 64 "129 at once are too many"

# Rights.
run "$ioasidctl" translate --access r vm0 dma0 0x8000000
exits 0 "--access r of a mapping for reading"
run "$ioasidctl" translate --access rw vm0 dma0 0x8000000
exits 1 "--access rw of a mapping for reading"
says "$out" "stops: the mapping of gpa allows r, not w" "--access rw: what is missing"
run "$ioasidctl" translate --access x vm0 dma0 0
exits 64 "--access: not one of them"

# PASIDs.
run "$ioasidctl" translate --pasid 5 vm0 dma0 0
exits 1 "a PASID that is nowhere: exit status"
says "$out" "PASID 5 of device dma0 is in no IOASID" "a PASID that is nowhere: message"
for pasid in 0 1048576 x 0x10000000000000000; do
	run "$ioasidctl" translate --pasid $pasid vm0 dma0 0
	exits 64 "--pasid $pasid: exit status"
	says "$err" "$pasid" "--pasid $pasid: message"
done

# What is wrong is said, and nothing is translated.
run "$ioasidctl" translate vm0 dma1 0
exits 64 "another device: exit status"
says "$err" "topology vm0 has no device dma1" "another device: message"
run "$ioasidctl" translate vm1 dma0 0
exits 69 "another topology: exit status"
says "$err" "there is no topology vm1" "another topology: message"
run "$ioasidctl" translate vm0 dma0 12 0x1g
exits 64 "not a number: exit status"
says "$err" 'IOVA "0x1g" is no number' "not a number: message"
silent "$out" "not a number: none is translated"
run "$ioasidctl" translate vm0 dma0 0x10000000000000000
says "$err" "more than 64 bits" "more than 64 bits"
run "$ioasidctl" translate vm0 dma0
exits 64 "no address: exit status"
says "$err" "translate: IOVA is missing" "no address: what is missing"
run "$ioasidctl" translate vm0
says "$err" "translate: DEVICE is missing" "no device: what is missing"
run "$ioasidctl" translate --json vm0 dma1 0
exits 64 "errors --json: exit status"
valid "$err" error "errors --json: by the schema"
run "$ioasidctl" show --json
is "$(json "$out" '[m["populated"] for t in d["topologies"] for m in t["memories"]]')" "['0x0']" \
	"nothing was touched"
run "$ioasidctl" delete vm0

# Copies lead to the memory of what they copy.
run "$ioasidctl" apply --driver ioasid "$examples/2-vfio-legacy-viommu.yaml"
run "$ioasidctl" translate viommu0 dma0 0x8000010
exits 0 "a copy: exit status"
golden "$out" translate-copy
run "$ioasidctl" delete viommu0

# A guest's table: written into the memory that the holder has, as the guest would.
cat >nested.yaml <<'END'
version: 1
name: nested0
memory: [{name: ram, size: 4M}]
devices:
  - {name: dma0, pci: "0000:00:03.0", driver: vfio-pci}
  - {name: nic0, pci: "0000:01:00.0", driver: vfio-pci}
fds:
  - name: main
    ioasids:
      - name: gpa
        kind: gpa
        nest_parent: true
        map:
          - {iova: 0x0, memory: ram, length: 2M}
          - {iova: 0x40000000, memory: ram, offset: 2M, length: 2M, access: r}
        attach: [{device: nic0}]
      - name: s1
        kind: nested
        parent: gpa
        table: {format: x86-64, address: 0x1000}
        attach: [{device: dma0}]
END
put() { # ADDRESS WORD...: 64-bit words into the memory, from the address on
	"$python" - "$@" <<-'END'
		import glob, os, struct, sys
		pid = open(os.environ["IOASIDCTL_SOCKET"] + ".lock").read().strip()
		address, *words = (int(word, 0) for word in sys.argv[1:])
		for name in glob.glob("/proc/%s/fd/*" % pid):
		    if os.readlink(name).startswith("/memfd:ram"):
		        with open(name, "r+b") as memory:
		            memory.seek(address)
		            memory.write(struct.pack("<%dQ" % len(words), *words))
	END
}
run "$ioasidctl" apply --driver ioasid nested.yaml
exits 0 "nested: apply"
put 0x1000 0x2067          # PML4E -> PDPT
put 0x2000 0x3067          # PDPTE -> PD
put 0x3000 0x4067 0x1000e7 # PDE -> PT; a large page with an address that is none of its size
put 0x3010 0x0e7 0x400000e5 # a large page; another, for reading
put 0x4000 0x5067 0x5065 0x5063 0x40001067 0x70000067 0x5066 # PTEs
run "$ioasidctl" translate nested0 dma0 0x123 0x1000 0x3000 0x400123
exits 0 "nested: exit status"
golden "$out" translate-nested
is "$(awk 'length > 80' "$out")" "" "nested: 80 columns"
is "$(grep -n ' $' "$out")" "" "nested: no blanks at ends"
run "$ioasidctl" translate nested0 dma0 0x2000 0x4000 0x5000 0x200000 0x8000000000 0x800000000000
exits 1 "nested, stops: exit status"
golden "$out" translate-nested-stops
run "$ioasidctl" translate --access w nested0 dma0 0x1000 0x3000 0x600000
exits 1 "nested, for writing: exit status"
golden "$out" translate-nested-write
run "$ioasidctl" translate --json nested0 dma0 0x123 0x2000 0x4000
valid "$out" translate "nested --json: by the schema"
is "$(json "$out" '[(s["entry"], s["address"], s["words"][0]) for s in d["translations"][0]["steps"]][-1]')" \
	"('PTE', '0x4000', '0x5067')" "nested --json: the entries"
is "$(json "$out" '[d["translations"][1]["stop"][k] for k in ("kind", "step")]')" "['access', 3]" \
	"nested --json: a stop at an entry"
is "$(json "$out" 'd["translations"][2]["stop"]["unmapped"]')" 0x70000000 \
	"nested --json: a guest address that isn't mapped"
run "$ioasidctl" translate nested0 nic0 0x1000
exits 0 "the parent's own device doesn't go through the table"
put 0x1000 0x2066
run "$ioasidctl" translate nested0 dma0 0x123
says "$out" "stops at the PML4E at 0x1000: its bit 0 (P) is clear" "the table as it is now"

# Memory that is cut short ends nothing but the walk.
pid=$(holder_pid)
for fd in "/proc/$pid/fd"/*; do
	case $(readlink "$fd") in
	/memfd:*) "$python" -c 'import os, sys; os.truncate(sys.argv[1], 4096)' "$fd" ;;
	esac
done
run "$ioasidctl" translate nested0 dma0 0x123
exits 1 "memory cut short: exit status"
says "$out" "memory ram ends before it" "memory cut short: said"
is "$(holder_pid)" "$pid" "memory cut short: the holder lives"
run "$ioasidctl" delete nested0
finish
