# SPDX-License-Identifier: GPL-2.0-or-later
# Each cause provoked on a real kernel: the message of apply names it, and so does explain
# beforehand.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
chmod 755 "$work"
edu=0000:00:03.0

write() { # FILE DEVICES MAPPINGS ATTACHMENTS [SIZE]
	cat >"$1" <<END
version: 1
name: vm
memory:
  - {name: ram, size: ${5:-4M}}
devices: [$2]
fds:
  - name: main
    ioasids:
      - {name: gpa, kind: gpa, map: [$3], attach: [$4]}
END
}
edu0="{name: edu0, pci: \"$edu\", driver: vfio-pci}"
base='{iova: 0x100000, memory: ram, length: 1M}'
remember_host

# A device without a driver, one with a host driver, one in a group with such a member.
explained() { # DESCRIPTION STATUS PATTERN...
	local description=$1
	is "$description: exit status" "$status" "$2"
	shift 2
	cp out err
	says "$description: says so" "$@"
}
ioasidctl explain $edu
explained "explain, no driver" 1 'needs +it has no driver' 'driver: vfio-pci'
ioasidctl explain 01:00.0
explained "explain, host driver" 1 "needs +the host's driver e1000e has it" 'alone in IOMMU group'
ioasidctl explain 0000:05:01.0
explained "explain, group" 1 'needs +0000:05:02\.0 .* virtio-pci, that is in the way' 'group: take'
ioasidctl explain 0000:04:00.0
explained "explain, bridge" 1 'a bridge to another PCI bus'
ioasidctl explain 0000:00:1e.7
explained "explain, absent" 1 'this machine has no pci 0000:00:1e\.7'
check_host "explain changes nothing"

# Bound beforehand: the answer is yes, and it is true.
echo vfio-pci >/sys/bus/pci/devices/$edu/driver_override
echo $edu >/sys/bus/pci/drivers_probe
host_drivers >host.before
ioasidctl explain $edu
explained "explain, bound" 0 'yes, as it is' 'vfio-pci has it' 'nobody has it open'
write asis.yaml "{name: edu0, pci: \"$edu\"}" "$base" '{device: edu0}'
ioasidctl apply asis.yaml
is "as explain says: applies" "$status" 0
ioasidctl explain $edu
explained "explain, held" 1 "pid $(holders | head -n 1) \\(ioasidctl\\) has it open"

# A range that the device reserves, asked for while it is attached.
write asis.yaml "{name: edu0, pci: \"$edu\"}" \
	"$base, {iova: 0xfee00000, memory: ram, length: 64K}" '{device: edu0}'
ioasidctl apply asis.yaml
is "reserved, while attached: refused" "$status" 1
says "reserved, while attached: whose it is" \
	"0xfee00000-0xfeefffff is reserved \\(msi\\) by edu0 \\($edu\\)"
write asis.yaml "{name: edu0, pci: \"$edu\"}" \
	"$base, {iova: 0xffffffff000, memory: ram, length: 64K}" '{device: edu0}'
ioasidctl apply asis.yaml
is "beyond the aperture, while attached: refused" "$status" 1
says "beyond the aperture, while attached: says how far it reaches" \
	"edu0 \\($edu\\) translates addresses of [0-9]+ bits"
write asis.yaml "{name: edu0, pci: \"$edu\"}" "$base, {iova: 0x300800, memory: ram, length: 4K}" \
	'{device: edu0}'
ioasidctl apply asis.yaml
is "not a whole page, while attached: refused" "$status" 1
says "not a whole page, while attached: says what a page is" 'multiples of 0x1000'
ioasidctl delete vm
is "delete" "$status" 0

# The same before anything is attached.
write far.yaml "$edu0" "$base, {iova: 0xffffffff000, memory: ram, length: 64K}" '{device: edu0}'
ioasidctl apply far.yaml
is "beyond the aperture: refused" "$status" 1
says "beyond the aperture: says how far it reaches" \
	"the IOMMU of edu0 \\($edu\\) translates addresses of [0-9]+ bits" '0xffffffff000-0x10000000efff'

# An ordinary user with the nodes (who isn't in a container, whatever the machine below is), but hardly any memory to lock.
rm -f /.dockerenv /run/.containerenv
install -m 755 "$tool" /usr/local/bin/ioasidctl-copy
mkdir -m 700 run && chown nobody run
node=$(echo /sys/bus/pci/devices/$edu/vfio-dev/vfio*)
node=/dev/vfio/devices/${node##*/}
as_nobody() { # LIMIT COMMAND...
	local limit=$1
	shift
	prlimit --memlock="$limit:$limit" setpriv --reuid nobody --regid nogroup --clear-groups \
		env XDG_RUNTIME_DIR="$work/run" timeout 60 /usr/local/bin/ioasidctl-copy "$@" \
		>out 2>err </dev/null
	status=$?
}
as_nobody 65536 explain $edu
explained "explain to a user without the nodes" 1 '/dev/iommu can.t be opened by this user' 'udev rule'
chown nobody /dev/iommu "$node"
as_nobody 8388608 explain --memory 4M $edu
explained "explain to a user with them" 0 'yes, as it is' 'this user may pin 8M'
as_nobody 65536 explain --memory 4M $edu
explained "explain to a user with little memory" 1 "4M can.t be pinned: the limit of locked memory is 64K" \
	'nobody - memlock 4096'
write asis.yaml "{name: edu0, pci: \"$edu\"}" '{iova: 0x100000, memory: ram, length: 4M}' '{device: edu0}'
chmod 644 asis.yaml
as_nobody 8388608 run asis.yaml -- true
is "enough memory to lock: runs" "$status" 0
as_nobody 65536 run asis.yaml -- true
is "too little memory to lock: refused" "$status" 1
says "too little memory to lock: limit and way out" 'it pins 4M' 'limit of locked memory is 64K' \
	'nobody - memlock 4096.*limits\.d'

# Whom /proc hides from this user is not nobody.
ioasidctl apply asis.yaml
is "held by root: applies" "$status" 0
as_nobody 8388608 explain $edu
explained "explain to a user who may not look into a process" 0 'unseen nobody has it open, but for [0-9]+ processes'
mount -o remount,hidepid=2 /proc
as_nobody 8388608 explain $edu
explained "explain to a user who isn't shown other processes" 0 \
	'unseen nobody has it open, but for processes that /proc doesn.t list'
as_nobody 8388608 run asis.yaml -- true
is "a device of somebody who isn't shown: refused" "$status" 1
says "a device of somebody who isn't shown: nobody is blamed" 'bound already through another open file'
mount -o remount,hidepid=0 /proc
ioasidctl delete vm
is "held by root: delete" "$status" 0
chown root /dev/iommu "$node"

# What set the limit says how to raise it.
mkdir cgroups && mount -t cgroup2 none cgroups && mkdir cgroups/vmm.service
limited() {
	(
		[ -z "$1" ] || echo $BASHPID >"cgroups/$1/cgroup.procs"
		ulimit -l 512
		setpriv --bounding-set -ipc_lock "$tool" run --driver "$2" asis.yaml -- true >out 2>err </dev/null
	)
	status=$?
}
for driver in iommufd vfio; do
	limited vmm.service $driver
	is "$driver, too little memory to lock in a unit: refused" "$status" 1
	says "$driver, too little memory to lock in a unit: limit and way out" 'it pins 4M' 'limit of locked memory is 512K' \
		'LimitMEMLOCK=4M in \[Service\] \(systemctl edit vmm.service\)'
	touch /run/.containerenv
	limited '' $driver
	is "$driver, too little memory to lock in a container: refused" "$status" 1
	says "$driver, too little memory to lock in a container: limit and way out" 'it pins 4M' \
		'limit of locked memory is 512K' '--ulimit memlock=4194304:4194304' '--cap-add ipc_lock'
	rm /run/.containerenv
done
umount cgroups

# A node that may not be one where it lies.
mkdir no-devices && mount -t tmpfs -o nodev none no-devices
mknod -m 666 no-devices/iommu c $((0x$(stat -c %t /dev/iommu))) $((0x$(stat -c %T /dev/iommu)))
mount --bind no-devices/iommu /dev/iommu
ioasidctl run --driver iommufd asis.yaml -- true
is "a node on a file system without devices: refused" "$status" 77
says "a node on a file system without devices: says so" '/dev/iommu' 'mounted with nodev'
umount /dev/iommu
umount no-devices

# The same pages on VFIO's containers.
write odd.yaml "{name: edu0, pci: \"$edu\"}" "$base, {iova: 0x300800, memory: ram, length: 4K}" \
	'{device: edu0}'
for driver in iommufd vfio; do
	ioasidctl run --driver $driver odd.yaml -- true
	is "$driver, not a whole page: refused" "$status" 1
	says "$driver, not a whole page: says what a page is" '0x300800' 'whole pages of 4 KiB'
done

# A group's node that isn't there, though a VFIO driver has the device.
group=$(readlink /sys/bus/pci/devices/$edu/iommu_group)
mv /dev/vfio/${group##*/} /dev/vfio/away
ioasidctl run --driver vfio asis.yaml -- true
is "the group's node is missing: refused" "$status" 69
says "the group's node is missing: says so" "/dev/vfio/${group##*/}" "the kernel has the IOMMU group, but its node isn't here" 'container'
mv /dev/vfio/away /dev/vfio/${group##*/}

# The node isn't there, though the kernel has it: a container.
mv /dev/iommu /dev/iommu.away
ioasidctl run asis.yaml -- true
cp err iommu.err
ioasidctl explain $edu
explained "explain without the node" 1 '/dev/iommu isn.t here' 'pass /dev/iommu in'
mv /dev/iommu.away /dev/iommu
mv "$node" "$node.away"
ioasidctl run asis.yaml -- true
is "the device's node is missing: refused" "$status" 69
says "the device's node is missing: says so" "$node" "node isn't here" 'container'
mv "$node.away" "$node"

# A driver that isn't there, a device that goes.
sed "s/\"}/\", driver: vfio-nonsense}/" asis.yaml >nonsense.yaml
ioasidctl run nonsense.yaml -- true
is "no such driver: refused" "$status" 69
says "no such driver: says how to get it" 'no driver vfio-nonsense' 'modprobe vfio-nonsense'
echo 1 >/sys/bus/pci/devices/$edu/remove
ioasidctl run asis.yaml -- true
is "a device that is gone: refused" "$status" 69
says "a device that is gone: says so" "there is no pci $edu"
echo 1 >/sys/bus/pci/rescan
eventually test -e /sys/bus/pci/devices/$edu
ok "it is back"
finish
