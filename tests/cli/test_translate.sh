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
finish
