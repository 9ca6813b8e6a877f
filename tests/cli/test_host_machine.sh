#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Configs tried on other hosts: what `host --json` printed there goes to --machine here.
. tests/cli/support.sh

mkdir host
tar -C host --no-same-owner -xzf "$top/tests/cli/hosts/vt-d.tar.gz"
run "$ioasidctl" host --root host --json
cp "$out" host.json

# change NAME PYTHON: host.json, changed by a statement about d, becomes NAME.json.
change() {
	"$python" -c 'import json, sys
d = json.load(open("host.json"))
group = lambda n: next(g for g in d["groups"] if g["id"] == n)
device = lambda a: next(x for x in d["devices"] if x["address"] == a)
exec(sys.argv[2])
json.dump(d, open(sys.argv[1] + ".json", "w"))' "$@"
}

cat >good.yaml <<'END'
version: 1
name: vm0
memory:
  - {name: ram, size: 3G}
  - {name: pool, size: 4M, backing: file, path: /nowhere/pool}
  - {name: huge, size: 1T, page_size: 1G, prefault: true, numa_node: 7}
devices:
  - {name: nic0, pci: "0000:01:00.0", driver: vfio-pci}
  - {name: acc0, pci: "0000:03:01.0"}
  - {name: acc1, pci: "0000:03:02.0"}
fds:
  - name: main
    driver: iommufd
    node: /nowhere/iommu
    ioasids:
      - name: gpa
        kind: gpa
        map:
          - {iova: 0x0, memory: ram, length: 3G}
          - {iova: 0x100000000, memory: pool, length: 4M}
        attach: [{device: nic0}, {device: acc0}, {device: acc1}]
END
run "$ioasidctl" check --machine host.json good.yaml
exits 0 "a config that fits the host"
says "$out" "good.yaml: ok" "it says so"
silent "$err" "and nothing else, though this machine has neither its file nor its huge pages"
run "$ioasidctl" check --json --machine host.json good.yaml
valid "$out" check "as JSON"
sed '/huge\|pool\|node:/d' good.yaml >small.yaml
run "$ioasidctl" plan --machine host.json small.yaml
exits 2 "plan takes the host, too"
run "$ioasidctl" run --machine host.json small.yaml -- true
exits 0 "so does run"
run "$ioasidctl" apply --machine host.json small.yaml
exits 0 "so does apply"
run "$ioasidctl" show --json
is "$(json "$out" 'd["topologies"][0]["fds"][0]["ioasids"][0]["ranges"]')" \
	"[{'first': '0x0', 'last': '0xfedfffff'}, {'first': '0xfef00000', 'last': '0x7fffffffff'}]" \
	"the addresses are those of the host"
run "$ioasidctl" delete vm0
exits 0 "delete"

# Everything that doesn't fit, each at its place.
cat >bad.yaml <<'END'
version: 1
name: vm0
memory:
  - {name: ram, size: 8T}
devices:
  - {name: idle, pci: "0000:00:1f.2"}
  - {name: busy, pci: "0000:01:00.0"}
  - {name: nic0, pci: "0000:03:01.0"}
  - {name: nic1, pci: "0000:00:03.0"}
  - {name: nic2, pci: "0000:00:04.0"}
fds:
  - name: main
    ioasids:
      - name: low
        kind: gpa
        map: [{iova: 0xfee00000, memory: ram, length: 2M}]
        attach:
          - {device: idle}
          - {device: busy}
          - {device: nic0}
      - name: high
        kind: gpa
        map: [{iova: 0x0, memory: ram, length: 2G}, {iova: 0x7fffe00000, memory: ram, length: 1G}]
        attach: [{device: nic1}]
      - name: nested-on
        kind: gpa
        nest_parent: true
        attach: [{device: nic2}]
END
run "$ioasidctl" check --machine host.json bad.yaml
exits 1 "a config that doesn't fit"
golden "$err" check-machine
silent "$out" "says nothing else"
run "$ioasidctl" check --json --machine host.json bad.yaml
valid "$err" error "the same as JSON"
is "$(json "$err" '[(e["line"], e["column"]) for e in d["errors"]]')" \
	"[(6, 5), (7, 5), (20, 13), (24, 18), (28, 18)]" "line and column of each"

# One thing at a time.
cat >one.yaml <<'END'
version: 1
name: vm0
memory:
  - {name: ram, size: 1G}
devices:
  - {name: nic0, pci: "0000:05:01.0", driver: vfio-pci}
fds:
  - name: main
    ioasids:
      - {name: gpa, kind: gpa, map: [{iova: 0x0, memory: ram, length: 1G}], attach: [{device: nic0}]}
END
run "$ioasidctl" check --machine host.json one.yaml
exits 1 "a group that the host uses"
says "$err" "one.yaml:6:5: error" "its place"
says "$err" "0000:05:02.0 (virtio-pci)" "who is in the way"
change free 'del device("0000:05:02.0")["driver"]'
run "$ioasidctl" check --machine free.json one.yaml
exits 0 "the same with the other member free"
for driver in mlx5_vfio_pci pcieport pci-stub; do
	change harmless "device('0000:05:02.0')['driver'] = '$driver'"
	run "$ioasidctl" check --machine harmless.json one.yaml
	exits 0 "the same with the other member bound to $driver, which does no DMA"
done
sed 's/vfio-pci/mlx5_vfio_pci/' one.yaml >special.yaml
run "$ioasidctl" check --machine free.json special.yaml
says "$err" "mlx5_vfio_pci" "a driver that the host hasn't got"
change special 'del device("0000:05:02.0")["driver"]; d["pci_drivers"].append("mlx5_vfio_pci")'
run "$ioasidctl" check --machine special.json special.yaml
exits 0 "one that it has"
change absent 'd["devices"].remove(device("0000:05:01.0"))'
run "$ioasidctl" check --machine absent.json one.yaml
exits 69 "a device that the host hasn't got"
says "$err" "one.yaml:6:5: error" "its place"
change limited 'del device("0000:05:02.0")["driver"]; d["memlock"].update(exempt=False, soft="0x800000")'
run "$ioasidctl" check --machine limited.json one.yaml
exits 1 "more memory than may be locked"
says "$err" "one.yaml:10:" "its place"
says "$err" "limit of locked memory is 8M" "the limit"
change exempt 'del device("0000:05:02.0")["driver"]; d["memlock"].update(exempt=True, soft="0x800000")'
run "$ioasidctl" check --machine exempt.json one.yaml
exits 0 "no limit for who may lock anything"
direct='del device("0000:05:02.0")["driver"]; group(10)["reserved"].append({"first": "0x10000", "last": "0x1ffff", "type": "%s"})'
# shellcheck disable=SC2059
change direct "$(printf "$direct" direct)"
run "$ioasidctl" check --machine direct.json one.yaml
exits 1 "a range that the firmware wants mapped one to one"
says "$err" "0x10000-0x1ffff" "is named"
# shellcheck disable=SC2059
change relaxable "$(printf "$direct" direct-relaxable)"
run "$ioasidctl" check --machine relaxable.json one.yaml
exits 0 "one that the kernel lets go"
change narrow 'del device("0000:05:02.0")["driver"]; d["iommus"][0]["iova_bits"] = 29'
run "$ioasidctl" check --machine narrow.json one.yaml
exits 1 "addresses past what the IOMMU translates"
says "$err" "0x20000000" "are named"
change unknown 'del device("0000:05:02.0")["driver"]
for key in "iova_bits", "page_sizes", "nesting": del d["iommus"][0][key]
d["iommus"][0]["type"] = "smmuv3"'
run "$ioasidctl" check --machine unknown.json one.yaml
exits 0 "an IOMMU that tells nothing of itself has what its type has"

change loose 'del device("0000:05:02.0")["driver"]; d["kernel"]["interrupt_remapping"] = False'
run "$ioasidctl" check --machine loose.json one.yaml
exits 1 "no interrupt remapping"
says "$err" "one.yaml:6:5: error" "its place"
says "$err" "no interrupt remapping" "the reason"
change trusting 'del device("0000:05:02.0")["driver"]; d["kernel"].update(interrupt_remapping=False, unsafe_interrupts=True)'
run "$ioasidctl" check --machine trusting.json one.yaml
exits 0 "no interrupt remapping, but the kernel was told to go without"
change silent 'del device("0000:05:02.0")["driver"]; del d["kernel"]["interrupt_remapping"]'
run "$ioasidctl" check --machine silent.json one.yaml
exits 0 "nothing known of it"

# A host with two kinds of IOMMU, a device that brings its own translation, and one of another bus.
change two 'd["iommus"].append({"name": "smmu3.x", "type": "smmuv3", "capabilities": [], "registers": [], "devices": 1})
d["groups"].append({"id": 90, "iommu": "smmu3.x", "viable": True, "members": [], "in_the_way": [], "reserved": []})
d["devices"].append({"bus": "platform", "address": "fff51000.ethernet", "driver": "vfio-platform", "group": 90, "iommu": "smmu3.x"})
d["devices"].append({"bus": "vdpa", "address": "vdpa0", "driver": "vhost_vdpa"})
d["devices"].append({"bus": "fsl-mc", "address": "dpni.0", "driver": "fsl_dpni", "group": 90, "iommu": "smmu3.x"})'
cat >two.yaml <<'END'
version: 1
name: vm0
devices:
  - {name: nic0, pci: "0000:03:01.0"}
  - {name: nic1, platform: fff51000.ethernet}
  - {name: net0, vdpa: vdpa0}
fds:
  - name: main
    ioasids:
      - {name: a, kind: gpa, attach: [{device: nic0}, {device: net0}]}
      - {name: b, kind: gpa, attach: [{device: nic1}]}
END
run "$ioasidctl" check --machine two.json two.yaml
exits 1 "a member of a bus that no config names"
says "$err" "dpni.0 (fsl_dpni)" "is in the way all the same"
sed -i 's/, "driver": "fsl_dpni"//' two.json
run "$ioasidctl" check --machine two.json two.yaml
exits 0 "one fd takes devices of all kinds, as iommufd does"

# Documents that are none.
refused() { # PYTHON WHERE
	change odd "$1"
	run "$ioasidctl" check --machine odd.json good.yaml
	exits 65 "refused: $1"
	says "$err" "$2" "with its place"
}
refused 'd["devices"][3]["group"] = "4"' 'devices[3].group: expected a number'
refused 'd["iommus"][0]["type"] = "odd"' 'iommus[0].type: expected one of vt-d, amd'
refused 'del d["iommus"][0]["name"]' 'iommus[0].name: expected it to be there'
refused 'group(2)["reserved"][0]["first"] = 1' 'groups[2].reserved[0].first: expected a number in a string'
refused 'd["holders"] = {}' 'holders: expected a list'
refused 'd["kernel"] = []' 'kernel: expected an object'
refused 'd["kernel"]["iommufd"] = 1' 'kernel.iommufd: expected true or false'
refused 'd["devices"][0]["bus"] = None' 'devices[0].bus: expected a text'
refused 'd["devices"].append(d["devices"][0])' 'is there twice'
refused 'd["groups"][0]["id"] = 1 << 40' 'groups[0].id'
refused 'd["schema_version"] = 2' 'schema_version'
change newer 'd["something"] = d["devices"][0]["something"] = 1'
run "$ioasidctl" check --machine newer.json good.yaml
exits 0 "what a newer ioasidctl may have added is ignored"
finish
