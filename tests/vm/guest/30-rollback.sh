# SPDX-License-Identifier: GPL-2.0-or-later
# What fails leaves everything as it was, and says why.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

write() { # FILE NAME DEVICES MAPPINGS ATTACHMENTS [SIZE [MORE-MEMORY]]
	cat >"$1" <<END
version: 1
name: $2
memory:
  - {name: ram, size: ${6:-4M}${7:+, $7}}
devices: [$3]
fds:
  - name: main
    driver: auto
    ioasids:
      - {name: gpa, kind: gpa, map: [$4], attach: [$5]}
END
}
edu='{name: edu0, pci: "0000:00:03.0", driver: vfio-pci}'
base='{iova: 0x100000, memory: ram, length: 1M}'

# On an empty host: no topology, no descriptor, no driver changed.
refused_from_nothing() { # DESCRIPTION FILE EXIT-STATUS PATTERN...
	local description=$1 file=$2 wanted=$3
	shift 3
	ioasidctl apply "$file"
	is "$description: refused" "$status" "$wanted"
	says "$description: says why" "$@"
	ioasidctl --json show
	is "$description: no topology" "$(ask '.topologies | length')" 0
	check_host "$description"
}

write nic.yaml nic '{name: nic0, pci: "0000:01:00.0"}' "$base" '{device: nic0}'
refused_from_nothing "a device on its host driver" nic.yaml 1 'nic0|0000:01:00\.0' 'e1000e' 'vfio-pci'

write group.yaml group '{name: edu3, pci: "0000:05:01.0", driver: vfio-pci}' "$base" '{device: edu3}'
refused_from_nothing "a group with a member in use" group.yaml 1 '0000:05:02\.0' 'virtio-pci' 'group'

write absent.yaml absent '{name: gone, pci: "0000:7f:00.0", driver: vfio-pci}' "$base" '{device: gone}'
refused_from_nothing "a device that is not there" absent.yaml 69 '0000:7f:00\.0'

write late.yaml late "$edu" "$base, {iova: 0xfee00000, memory: ram, length: 64K}" '{device: edu0}'
refused_from_nothing "a mapping over the MSI window" late.yaml 1 '0xfee00000' '0xfeefffff' 'msi' 'leave that range out'

write huge.yaml huge "$edu" '{iova: 0, memory: ram, length: 64M}' '{device: edu0}' 64M \
	'page_size: 2M, prefault: true'
refused_from_nothing "huge pages that nobody reserved" huge.yaml 1 'huge' 'nr_hugepages'

# On a live topology: the dump before and after is the same, byte for byte.
write vm.yaml vm "$edu" "$base" '{device: edu0}'
ioasidctl apply vm.yaml
is "a good topology" "$status" 0
ioasidctl --json show
cp out before.json
host_drivers >drivers.before
refused_over_live() { # DESCRIPTION EXIT-STATUS PATTERN...
	local description=$1 wanted=$2
	shift 2
	ioasidctl apply vm.yaml
	is "$description: refused" "$status" "$wanted"
	says "$description: says why" "$@"
	ioasidctl --json show
	cmp -s before.json out
	ok "$description: the live topology is the same" ||
		diff before.json out | sed 's/^/#   /'
	host_drivers | cmp -s drivers.before -
	ok "$description: so are the drivers"
}

nic=', {name: nic0, pci: "0000:01:00.0", driver: vfio-pci}'
write vm.yaml vm "$edu$nic" \
	"$base, {iova: 0x800000, memory: ram, length: 1M}, {iova: 0xfee00000, memory: ram, length: 64K}" \
	'{device: edu0}, {device: nic0}'
refused_over_live "a second device, a good mapping and one over the MSI window" 1 '0xfee00000'

write vm.yaml vm "$edu, {name: edu3, pci: \"0000:05:01.0\", driver: vfio-pci}" \
	"{iova: 0x100000, memory: ram, length: 2M}" '{device: edu0}, {device: edu3}'
refused_over_live "a changed mapping and a device of a group in use" 1 'virtio-pci'

ioasidctl delete vm
is "delete succeeds" "$status" 0
check_host "after delete"
finish
