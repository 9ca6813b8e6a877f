# SPDX-License-Identifier: GPL-2.0-or-later
# What fails on VFIO's containers leaves everything as it was, and says why.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host
parameters=/sys/module/vfio_iommu_type1/parameters

write() { # FILE DEVICES MAPPINGS ATTACHMENTS [IOASID-KEY]
	cat >"$1" <<END
version: 1
name: vm
memory: [{name: ram, size: 4M}]
devices: [$2]
fds:
  - name: main
    driver: vfio
    ioasids:
      - {name: gpa, ${5:+$5, }map: [$3], attach: [$4]}
END
}
edu='{name: edu0, pci: "0000:00:03.0", driver: vfio-pci}'
base='{iova: 0x100000, memory: ram, length: 1M}'

refused() { # DESCRIPTION FILE EXIT-STATUS PATTERN...
	local description=$1 file=$2 wanted=$3
	shift 3
	ioasidctl apply "$file"
	is "$description: refused" "$status" "$wanted"
	says "$description: says why" "$@"
	check_host "$description"
}

write group.yaml '{name: edu3, pci: "0000:05:01.0", driver: vfio-pci}' "$base" '{device: edu3}'
refused "a group with a member in use" group.yaml 1 '0000:05:02\.0' 'virtio-pci' 'group'

write late.yaml "$edu" "$base, {iova: 0xfee00000, memory: ram, length: 64K}" '{device: edu0}'
refused "a mapping over the MSI window" late.yaml 1 '0xfee00000-0xfeefffff \(msi\)' 'leave that range out'

write far.yaml "$edu" "{iova: 0x10000000000000, memory: ram, length: 64K}" '{device: edu0}'
refused "a mapping past the aperture" far.yaml 1 '0x10000000000000' '39 bits, up to 0x7fffffffff'

write allow.yaml "$edu" "$base" '{device: edu0}' 'allow: [{first: 0x0, last: 0xffffffff}]'
refused "an allowed range with the MSI window" allow.yaml 1 '0xfee00000-0xfeefffff'

write small.yaml "$edu" "$base" '{device: edu0}' 'huge_pages: false'
refused "what VFIO hasn't got" small.yaml 1 'disable_hugepages' 'iommufd'

write many.yaml "$edu" "$base, {iova: 0x300000, memory: ram, length: 4K}, {iova: 0x400000, memory: ram, length: 4K}" \
	'{device: edu0}'
limit=$(<$parameters/dma_entry_limit)
echo 2 >$parameters/dma_entry_limit
refused "more mappings than a container takes" many.yaml 1 '3 mappings' 'dma_entry_limit .* is 2' 'fewer, larger'
echo "$limit" >$parameters/dma_entry_limit

# Root without the privilege to lock any amount.
write vm.yaml "$edu" "$base" '{device: edu0}'
(
	ulimit -l 512
	setpriv --bounding-set -ipc_lock "$tool" run vm.yaml -- true >out 2>err </dev/null
)
is "locked memory: refused" "$?" 1
says "locked memory: says what is needed and what is allowed" '1M' '512K' 'memlock|LimitMEMLOCK|ulimit -l'
check_host "locked memory"

# Another program that has the device, by its group or by its own node.
echo vfio-pci >/sys/bus/pci/devices/0000:00:03.0/driver_override
echo 0000:00:03.0 >/sys/bus/pci/drivers_probe
host_drivers >taken.before
cat >squatter.py <<'END'
import array, fcntl, os, struct, sys, time
node = os.open(sys.argv[1], os.O_RDWR)
if 'devices' in sys.argv[1]:
    # VFIO_DEVICE_BIND_IOMMUFD: argsz, flags, iommufd, out_devid. Until then the group is free.
    iommu = os.open('/dev/iommu', os.O_RDWR)
    fcntl.ioctl(node, 0x3b76, array.array('B', struct.pack('IIiI', 16, 0, iommu, 0)))
print('taken', flush=True)
time.sleep(1000)
END
squat() { # DESCRIPTION NODE
	/usr/bin/python3 squatter.py "$2" >squatter.out 2>&1 &
	squatter=$!
	eventually grep -q taken squatter.out
	ok "$1: another program has it"
	ioasidctl apply vm.yaml
	is "$1: refused" "$status" 1
	says "$1: names the program" "$squatter" 'python3' 'IOMMU group'
	kill "$squatter"
	wait "$squatter" 2>/dev/null
	eventually nothing_left
	host_drivers | cmp -s taken.before -
	ok "$1: the drivers are as they were"
}
group=$(readlink /sys/bus/pci/devices/0000:00:03.0/iommu_group)
squat "a group that is taken" "/dev/vfio/${group##*/}"
squat "a device that is taken" /dev/vfio/devices/"$(ls /sys/bus/pci/devices/0000:00:03.0/vfio-dev)"
echo 0000:00:03.0 >/sys/bus/pci/drivers/vfio-pci/unbind
echo >/sys/bus/pci/devices/0000:00:03.0/driver_override
check_host "after other programs"

# On a live topology: the dump before and after is the same, byte for byte.
write vm.yaml "$edu" "$base" '{device: edu0}'
ioasidctl apply vm.yaml
is "a good topology" "$status" 0
ioasidctl --json show
cp out before.json
host_drivers >drivers.before
refused_over_live() { # DESCRIPTION PATTERN...
	local description=$1
	shift
	ioasidctl apply vm.yaml
	is "$description: refused" "$status" 1
	says "$description: says why" "$@"
	ioasidctl --json show
	cmp -s before.json out
	ok "$description: the live topology is the same" || diff before.json out | sed 's/^/#   /'
	host_drivers | cmp -s drivers.before -
	ok "$description: so are the drivers"
}
write vm.yaml "$edu" \
	"$base, {iova: 0x800000, memory: ram, length: 1M}, {iova: 0xfee00000, memory: ram, length: 64K}" \
	'{device: edu0}'
refused_over_live "a good mapping and one over the MSI window" '0xfee00000'
write vm.yaml "$edu, {name: edu3, pci: \"0000:05:01.0\", driver: vfio-pci}" \
	"{iova: 0x100000, memory: ram, length: 2M}" '{device: edu0}, {device: edu3}'
refused_over_live "a changed mapping and a device of a group in use" 'virtio-pci'
ioasidctl delete vm
is "delete succeeds" "$status" 0
check_host "after delete"
finish
