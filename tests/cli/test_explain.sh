#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The explain verb on trees that contrib/collect-host captured on the machines of tests/vm, some devices
# being held by processes at that moment.
. tests/cli/support.sh

for host in vt-d no-intremap; do
	mkdir "$host"
	tar -C "$host" --no-same-owner -xzf "$top/tests/cli/hosts/$host.tar.gz"
done

explain() {
	run "$ioasidctl" explain "$@"
	# Whoever unpacks owns the nodes.
	sed -i "s/ $(id -un):$(id -gn)/ OWNER:GROUP/g" "$out"
}

explain --root vt-d 01:00.0 0000:05:01.0 pci:0000:03:01.0 0000:00:05.0
exits 1 "several devices that can't be had as they are"
golden "$out" explain-several
silent "$err" "without a complaint"
explain --root vt-d 0000:03:02.0
says "$out" "pid 169 (python3) has its IOMMU group open, or another device of it" "who has the group"
explain --root no-intremap 0000:00:03.0
exits 1 "without interrupt remapping"
says "$out" "no interrupt remapping" "it is said"
says "$out" "allow_unsafe_interrupts" "so is the way out"

run "$ioasidctl" explain --root vt-d --json 01:00.0 05:01.0
exits 1 "as JSON"
valid "$out" explain "as JSON: described by its schema"
is "$(json "$out" 'd["verdict"], d["interface"], d["one_fd"], d["one_ioasid"]')" \
	"('config', 'iommufd', True, True)" "as JSON: the verdict"
is "$(json "$out" '[x["entry"] for x in d["devices"]]')" \
	"['{name: dev0, pci: \"0000:01:00.0\", driver: vfio-pci}', '{name: dev1, pci: \"0000:05:01.0\", driver: vfio-pci, group: take}']" \
	"as JSON: entries for a config"

# The entries are what a config needs: the same question, asked by check.
run "$ioasidctl" host --root vt-d --json
cp "$out" host.json
{
	echo 'version: 1'
	echo 'name: vm0'
	echo 'devices:'
	"$ioasidctl" explain --root vt-d --json 01:00.0 05:01.0 |
		$python -c 'import json, sys; [print("  -", d["entry"]) for d in json.load(sys.stdin)["devices"]]'
	echo 'fds: [{name: main, ioasids: [{name: gpa, attach: [{device: dev0}, {device: dev1}]}]}]'
} >vm0.yaml
run "$ioasidctl" check --machine host.json vm0.yaml
exits 0 "a config of the entries fits that host"

# This machine, whatever it is.
run "$ioasidctl" explain --json 0000:00:00.0
is "$([ "$status" -le 1 ] && echo fine)" fine "this machine"
valid "$out" explain "this machine: described by the schema"

# What is wrong with the question.
run "$ioasidctl" explain
exits 64 "no device"
run "$ioasidctl" explain --root vt-d 0000:01:00
exits 64 "half an address"
says "$err" '"0000:01:00" names no device' "it is quoted"
says "$err" "mdev:UUID" "and what it could be"
run "$ioasidctl" explain --root vt-d vf:0000:01:00.0
exits 64 "a VF without its number"
run "$ioasidctl" explain --root vt-d --memory much 01:00.0
exits 64 "a memory that is no size"
run "$ioasidctl" explain --root nowhere 01:00.0
exits 69 "a tree that isn't there"
run "$ioasidctl" explain --root vt-d 0000:77:00.0
exits 1 "a device that isn't there"
says "$out" "this machine has no pci 0000:77:00.0" "it is named"
run "$ioasidctl" explain --root vt-d mdev:83b8f4f2-509f-382f-3c1e-e6bfe0fa1001
exits 1 "a mediated device that isn't there"
run "$ioasidctl" explain --root vt-d 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001
says "$out" "no mdev 83b8f4f2" "known by its form"
finish
