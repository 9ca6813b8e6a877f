#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The host verb on trees that contrib/collect-host captured on the machines of tests/vm, some devices
# being held by processes at that moment.
. tests/cli/support.sh

# unpack NAME: into a directory of that name, with names of devices that are the same everywhere.
unpack() {
	mkdir -p "$1/usr/share/misc"
	tar -C "$1" --no-same-owner -xzf "$top/tests/cli/hosts/$1.tar.gz"
	cat >"$1/usr/share/misc/pci.ids" <<-'END'
		8086  Intel Corporation
			10d3  82574L Gigabit Network Connection
		C 00  Unclassified device
		C 02  Network controller
			00  Ethernet controller
	END
}
unpack vt-d
unpack no-intremap

# Whoever unpacks owns the nodes.
tree() {
	run "$ioasidctl" host "$@"
	sed -i "s/ $(id -un):$(id -gn)/ OWNER:GROUP/g" "$out"
}

tree --root vt-d
exits 0 "a captured host"
golden "$out" host-vt-d
silent "$err" "without a complaint"
tree --root no-intremap --group 9
exits 0 "one group of another"
golden "$out" host-group
tree --root vt-d --device 0000:00:04.0
says "$out" "held by pid" "one device: who holds it"
lacks "$out" "0000:00:03.0" "one device: no other"
tree --root vt-d --host-driver virtio-pci
says "$out" "group 10" "by driver: groups with such a device"
says "$out" "0000:05:01.0" "by driver: with all their members"
lacks "$out" "0000:01:00.0" "by driver: no others"
tree --root vt-d --host-driver nvme
exits 0 "by a driver that nothing is bound to"
lacks "$out" "group " "by a driver that nothing is bound to: nothing"

for host in vt-d no-intremap; do
	run "$ioasidctl" host --root "$host" --json
	exits 0 "$host as JSON"
	valid "$out" host "$host as JSON: described by its schema"
	cp "$out" "$host.json"
done
is "$(json vt-d.json 'd["kernel"]["interrupt_remapping"], d["kernel"]["parameters"]')" \
	"(True, ['intel_iommu=on', 'iommu=nopt'])" "what the kernel has"
is "$(json no-intremap.json 'd["kernel"]["interrupt_remapping"]')" False "what it hasn't"
is "$(json vt-d.json '[h["command"] for h in d["holders"]]')" "['ioasidctl', 'python3', 'python3']" \
	"who holds what"
is "$(json vt-d.json '[o.get("device") for o in d["holders"][2]["open"]]')" "[None, None, '0000:03:01.0']" \
	"a device got from a group"

# This machine, whatever it is.
run "$ioasidctl" host --json
exits 0 "this machine"
valid "$out" host "this machine: described by the schema"
run "$ioasidctl" host
exits 0 "this machine for people"
says "$out" "kernel $(uname -r)" "this machine for people: its kernel"

# What is wrong with the question.
run "$ioasidctl" host --root nowhere
exits 69 "a tree that isn't there"
says "$err" "nowhere/sys" "it is named"
run "$ioasidctl" host --root vt-d --device 0000:09:00.0
exits 69 "a device that isn't there"
says "$err" "there is no device 0000:09:00.0" "it is named"
silent "$out" "and nothing else is said"
run "$ioasidctl" host --root vt-d --group 99
exits 69 "a group that isn't there"
run "$ioasidctl" host --root vt-d --group nine
exits 64 "a group that is no number"
run "$ioasidctl" host --json --root vt-d --group 99
valid "$err" error "errors as JSON"
run "$ioasidctl" host vt-d
exits 64 "an argument"
run "$ioasidctl" apply --root vt-d x.yaml
exits 64 "its options at another verb"
finish
