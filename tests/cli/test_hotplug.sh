#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Devices that the machine doesn't have: refused, or waited for.
. tests/cli/support.sh

write() { # KEYS-OF-THE-DEVICE
	cat >vm0.yaml <<END
version: 1
name: vm0
memory: [{name: ram, size: 64K}]
devices:
  - {name: nic0, pci: "0000:01:00.0", driver: vfio-pci}
  - {name: late, pci: "0000:7f:00.0", driver: vfio-pci$1}
fds:
  - name: main
    driver: ioasid
    ioasids:
      - {name: gpa, map: [{iova: 0x0, memory: ram, length: 64K}], attach: [{device: late}, {device: nic0}]}
END
}

write ''
run "$ioasidctl" apply vm0.yaml
exits 69 "a device that isn't there"
says "$err" "device late: there is no pci 0000:7f:00.0" "it is named"
says "$err" 'with `hotplug: attach` in its entry' "and the way out"
run "$ioasidctl" show
says "$out" "nothing is held" "nothing was done"

write ', hotplug: attach'
run "$ioasidctl" check vm0.yaml
exits 0 "hotplug: attach is in order"
run "$ioasidctl" plan vm0.yaml
exits 2 "plan without a holder"
lacks "$out" late "does nothing to it"
run "$ioasidctl" run vm0.yaml -- true
exits 69 "run has nobody who would wait for it"
says "$err" '`hotplug: attach` needs a holder' "and says so"
run "$ioasidctl" apply vm0.yaml
exits 0 "apply does without it"
run "$ioasidctl" --json show vm0
valid "$out" show "show is as described"
is "$(json "$out" '[(v["name"], v["state"]) for v in d["topologies"][0]["devices"]]')" \
	"[('nic0', 'held'), ('late', 'pending')]" "it is pending, the other one is held"
is "$(json "$out" 'sorted((a["device"], a["pending"]) for a in d["topologies"][0]["fds"][0]["ioasids"][0]["attachments"])')" \
	"[('late', True), ('nic0', False)]" "so is its attachment"
run "$ioasidctl" show vm0
says "$out" "late: pci 0000:7f:00.0, pending until it comes" "the tree says so"
says "$out" "late (pending)" "in both places"
run "$ioasidctl" plan vm0.yaml
exits 0 "there is nothing more to do"
run "$ioasidctl" show --yaml vm0
says "$out" "hotplug: attach" "the dump has it"
cp "$out" dump.yaml
run "$ioasidctl" --json apply dump.yaml
is "$(json "$out" 'd["results"][0]["changed"]')" False "and applies without a change"
write ''
run "$ioasidctl" apply vm0.yaml
exits 69 "a file that can't do without it is refused as before"
run "$ioasidctl" delete vm0
exits 0 "deleted while it is pending"
silent "$err" "without a word"
finish
