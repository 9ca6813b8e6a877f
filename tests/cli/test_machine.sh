#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Machine descriptions: what the reference device takes, schemas/machine.schema.json describes.
. tests/cli/support.sh

cat >config.yaml <<'END'
{version: 1, name: vm0, fds: [{name: main, driver: ioasid, ioasids: [{name: gpa, kind: gpa}]}]}
END

# The default machine is JSON in its source already.
sed -n '/^const char refdev_default_machine/,/^);/{//!p}' \
	"$top/libioasidctl/refdev/machine_default.c" >default.json
valid default.json machine "the schema describes the default machine"
run "$ioasidctl" run --machine default.json config.yaml -- true
exits 0 "the reference device takes the default machine from a file"

described() {
	"$python" - machine.json "$top/schemas/machine.schema.json" >/dev/null 2>&1 <<-'END'
		import json, jsonschema, sys
		document, schema = (json.load(open(name)) for name in sys.argv[1:])
		jsonschema.Draft202012Validator(schema).validate(document)
	END
	echo $?
}

# both VERDICT NAME BODY: schema and reference device agree on {"schema_version": 1, BODY}
both() {
	printf '{"schema_version": 1%s}\n' "${3:+, $3}" >machine.json
	run "$ioasidctl" run --machine machine.json config.yaml -- true
	exits "$([ "$1" = good ] && echo 0 || echo 65)" "$2: the reference device"
	is "$(described)" "$([ "$1" = good ] && echo 0 || echo 1)" "$2: the schema"
}

iommu='{"name": "a", "format": "x", "address_bits": 48, "page_sizes": ["4K"]'
rest='"iommus": ['$iommu'}], "groups": [{"id": 1}]'
both good "nothing but a version" ''
both good "notes for people" '"info": {"host": "h"}, "iommus": null'
both bad "an unknown key" '"infos": 1'
both good "an aperture" '"iommus": ['"$iommu"', "aperture": {"first": "0", "last": "0xffff"}}]'
both bad "half an aperture" '"iommus": ['"$iommu"', "aperture": {"first": "0"}}]'
both bad "a number that is none" '"iommus": ['"$iommu"', "pasid_bits": "1"}]'
both bad "a size in no known unit" '"max_pinned_bytes": "64Q"'
both bad "an octal size" '"max_pinned_bytes": "010"'
both good "a limit" '"max_pinned_bytes": "64K", "max_domains": 1'
both good "nesting" '"iommus": ['"$iommu"', "nesting": true, "nested_formats": ["x86-64", "vtd-s1"], "viommu_types": ["default"], "hw_queues": 2}]'
both bad "nested tables without nesting" '"iommus": ['"$iommu"', "nested_formats": ["x86-64"]}]'
both bad "hardware queues without nesting" '"iommus": ['"$iommu"', "hw_queues": 1, "nesting": false}]'
both good "no hardware queues, no nesting" '"iommus": ['"$iommu"', "hw_queues": 0, "nested_formats": [], "viommu_types": null}]'
both bad "a table that the reference device doesn't walk" '"iommus": ['"$iommu"', "nesting": true, "nested_formats": ["amd-guest"]}]'
both bad "an unknown type of viommu" '"iommus": ['"$iommu"', "nesting": true, "viommu_types": ["odd"]}]'
both good "a device that can wait for pages" "$rest"', "devices": [{"pci": "0000:01:00.0", "iommu": "a", "group": 1, "page_faults": true, "pasid_bits": 5}]'
both good "no interrupt remapping" '"no_interrupt_remapping": true'
both bad "a flag that is none" '"no_interrupt_remapping": 1'
both bad "too wide an address" '"iommus": [{"name": "a", "format": "x", "address_bits": 65, "page_sizes": ["4K"]}]'
both bad "no page size" '"iommus": [{"name": "a", "format": "x", "address_bits": 48, "page_sizes": []}]'
both good "a device" "$rest"', "devices": [{"pci": "0000:01:00.0", "iommu": "a", "group": 1, "driver": null}]'
both good "a device without an IOMMU" "$rest"', "devices": [{"mock": 0, "iommu": null, "group": null}]'
both bad "a device of two kinds" "$rest"', "devices": [{"mock": 0, "pci": "a"}]'
both bad "a device of no kind" "$rest"', "devices": [{"iommu": "a", "group": 1}]'
both bad "an IOMMU without a group" "$rest"', "devices": [{"mock": 0, "iommu": "a"}]'
both bad "a group without an IOMMU" "$rest"', "devices": [{"mock": 0, "iommu": null, "group": 1}]'
both good "a reserved region" '"groups": [{"id": 1, "reserved": [{"first": "0", "last": "1", "type": "msi"}]}]'
both bad "one of no known type" '"groups": [{"id": 1, "reserved": [{"first": "0", "last": "1", "type": "odd"}]}]'
both good "formats that share" '"shared_formats": [["a", "b"]]'
both bad "one that shares with nobody" '"shared_formats": [["a"]]'

# The place of a fault is said.
printf '{"schema_version": 1, %s, "devices": [{"mock": 0, "iommu": "b", "group": 1}]}\n' "$rest" >machine.json
run "$ioasidctl" run --machine machine.json config.yaml -- true
exits 65 "a device behind nothing"
says "$err" 'devices[0].iommu: there is no IOMMU "b" in iommus' "it says where"
for verb in "run config.yaml -- true" "apply config.yaml" "plan config.yaml" daemon; do
	# shellcheck disable=SC2086
	run "$ioasidctl" --machine machine.json $verb
	exits 65 "$verb: refuses it"
	says "$err" "machine.json: error: the machine description makes no reference device" "$verb: names it"
done
[ ! -e "$IOASIDCTL_SOCKET" ]
result $? "no holder was started for it"
run "$ioasidctl" --machine nowhere.json apply config.yaml
exits 65 "no such description"
says "$err" "nowhere.json: error: can't read this file: No such file or directory" "it says which"
finish
