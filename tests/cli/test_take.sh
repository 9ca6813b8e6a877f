#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# IOMMU groups with members on host drivers, on the reference machine: refused by name, or taken along.
. tests/cli/support.sh

write() { # POLICY [MORE]
	cat >vm0.yaml <<-END
		version: 1
		name: vm0
		memory:
		  - {name: ram, size: 64K}
		devices:
		  - {name: smb, pci: "0000:00:1f.3", driver: vfio-pci, group: $1}${2:-}
		fds:
		  - name: main
		    driver: ioasid
		    ioasids: [{name: gpa, map: [{iova: 0, memory: ram, length: 64K}], attach: [{device: smb}]}]
	END
}

write strict
run "$ioasidctl" apply vm0.yaml
exits 1 "strict: refused"
says "$err" "vm0.yaml:6:5" "strict: its place"
says "$err" "IOMMU group 6 has members that the host uses: 0000:00:1f.2 (ahci)" "strict: member and driver"
says "$err" '`group: take` in the entry of smb' "strict: the way out"
run "$ioasidctl" --json plan vm0.yaml
exits 1 "strict: plan says the same"
valid "$err" error "strict: as JSON"

write take
run "$ioasidctl" plan vm0.yaml
exits 2 "take: changes are pending"
says "$out" "bind driver of 0000:00:1f.2 (in the group of smb) to vfio-pci" "take: the plan has the member"
run "$ioasidctl" --json plan vm0.yaml
valid "$out" plan "take: the plan as JSON"
run "$ioasidctl" apply vm0.yaml
exits 0 "take: applies"
run "$ioasidctl" show
says "$out" "taken 0000:00:1f.2 for smb, vfio-pci, back to ahci at the end" "take: shown"
run "$ioasidctl" --json show
valid "$out" show "take: the dump"
is "$(json "$out" '[(d["name"], d["taken_for"], d["open"]) for d in d["topologies"][0]["devices"] if "taken_for" in d]')" \
	"[('pci:0000:00:1f.2', 'smb', False)]" "take: the dump has the member"
run "$ioasidctl" show --yaml vm0
lacks "$out" "1f.2" "take: the config doesn't declare it"
cp "$out" again.yaml
run "$ioasidctl" apply again.yaml
says "$out" "nothing to do" "take: what show --yaml prints changes nothing"

write strict
run "$ioasidctl" apply vm0.yaml
exits 1 "strict again: refused, for the member would be stranded"
says "$err" "device 0000:00:1f.2 (in the group of smb) can't be given back to ahci" "strict again: says which"
write take '
  - {name: disk, pci: "0000:00:1f.2", driver: vfio-pci}'
run "$ioasidctl" apply vm0.yaml
exits 0 "declared now"
run "$ioasidctl" --json show
is "$(json "$out" '[(d["name"], d["original_driver"]) for d in d["topologies"][0]["devices"]]')" \
	"[('smb', ''), ('disk', 'ahci')]" "declared now: its driver of before is remembered"
run "$ioasidctl" -v delete vm0
exits 0 "delete"
says "$err" 'pci 0000:00:1f.2 driver "ahci"' "delete gives it back"

sed 's/vfio-pci, group: take}/e1000e, group: take, vfs: 2}/; s/device: smb/device: disk/' vm0.yaml >vfs.yaml
run "$ioasidctl" apply vfs.yaml
exits 1 "virtual functions on the reference machine"
says "$err" "smb: driver ioasid has no virtual functions" "are refused with the reason"
finish
