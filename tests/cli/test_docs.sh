#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the documents list is all there is, and what they name is there.
. tests/cli/support.sh
table=$top/docs/iommufd.md

# Every call of the ABI header has a row, with a way to reach it and a test; and every row a call.
sed -n '/^#define IOMMUFD_IOCTLS/,/[^\\]$/p' "$top/libioasidctl/uapi/iommufd.h" |
	grep -oE 'X\([A-Z0-9_]+' | sed 's/X(/IOMMU_/' | sort >calls
grep -oE '^\| IOMMU_[A-Z0-9_]+ \| .+ \| .+ \|$' "$table" | cut -d' ' -f2 | sort >rows
[ "$(wc -l <calls)" -ge 22 ]
result $? "the header has all calls of Linux 7.3"
is "$(diff calls rows)" "" "docs/iommufd.md has a row for each of them"

# The tests that it names.
missing=
for test in $(grep -E '^\| (IOMMU|VFIO)_' "$table" | cut -d'|' -f4 |
	grep -oE '(guest[-a-z0-9]*/)?[0-9]{2}-[-a-z0-9]+' | sort -u); do
	case $test in
	guest*) file=$test.sh ;;
	*) file=guest/$test.sh ;;
	esac
	[ -x "$top/tests/vm/$file" ] || [ -f "$top/tests/vm/$file" ] || missing+=" $test"
done
is "$missing" "" "docs/iommufd.md: every test that it names is there"

# Each driver, and each key of a config, is in the manual.
for driver in $("$ioasidctl" version | sed -n 's/^driver \([a-z]*\),.*/\1/p'); do
	grep -q "^\*$driver\*$" "$top/man/ioasidctl.yaml.5.scd"
	result $? "ioasidctl.yaml(5) tells of driver $driver"
done
"$python" - "$top/schemas/config.schema.json" "$top/man/ioasidctl.yaml.5.scd" >unknown <<-'END'
	import json, re, sys
	schema, page = json.load(open(sys.argv[1])), open(sys.argv[2]).read()
	def keys(node, path):
	    if isinstance(node, dict):
	        node = schema["$defs"][node["$ref"].split("/")[-1]] if "$ref" in node else node
	        for key, value in node.get("properties", {}).items():
	            yield path, key
	            yield from keys(value, f"{path}.{key}".lstrip("."))
	        if "items" in node:
	            yield from keys(node["items"], path + "[]")
	sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |^; end of keys)", page, re.S | re.M))
	found = list(keys(schema, ""))
	assert len(found) > 70, len(found)
	for path, key in found:
	    section = sections.get(path.replace("_", "\\_") or "The document", "")
	    if f"*{key}*".replace("_", "\\_") not in section:
	        print(path, key)
END
is "$?: $(cat unknown)" "0: " "ioasidctl.yaml(5) has every key of the schema, in its place"
finish
