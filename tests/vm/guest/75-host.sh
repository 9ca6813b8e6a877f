# SPDX-License-Identifier: GPL-2.0-or-later
# The host verb on a real host: what it shows is what the kernel has.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host
chmod 755 "$work"

described() { # FILE: whether schemas/host.schema.json describes it
	/usr/bin/python3 - "$1" "$TOP/schemas/host.schema.json" <<-'END'
		import json, jsonschema, sys
		document, schema = (json.load(open(name)) for name in sys.argv[1:])
		jsonschema.Draft202012Validator(schema).validate(document)
	END
}

ioasidctl host --json
is "host --json: status" "$status" 0
is "the IOMMU is a VT-d" "$(ask '.iommus[] | select(.name == "dmar0") | .type')" vt-d
is "its registers are those of sysfs" \
	"$(ask '.iommus[] | select(.name == "dmar0") | .registers[0].value')" \
	"0x$(cat /sys/class/iommu/dmar0/intel-iommu/cap)"
is "interrupt remapping is seen" "$(ask '.kernel.interrupt_remapping')" true
is "so are iommufd, VFIO's nodes and type 1" \
	"$(ask '[.kernel | .iommufd, .vfio_device, .vfio_group, .vfio_type1] | all')" true
is "every PCI device is there" "$(ask '.devices[] | select(.bus == "pci") | .address' | sort)" \
	"$(ls /sys/bus/pci/devices)"
is "every group is there" "$(ask '.groups[].id')" "$(ls /sys/kernel/iommu_groups | sort -n)"
is "with its members" "$(ask '.groups[] | .id as $id | .members[] | "\($id)/\(.)"' | sort)" \
	"$(cd /sys/kernel/iommu_groups && printf '%s\n' */devices/* | sed 's|devices/||' | sort)"
is "a group with a device that the host uses isn't viable" \
	"$(ask '.groups[] | select(.members | index("0000:05:01.0")) | .viable, .in_the_way[0]' | xargs)" \
	"false 0000:05:02.0"
is "drivers are those of sysfs" "$(ask '.devices[] | select(.driver and .bus == "pci") | .address + " " + .driver')" \
	"$(for d in /sys/bus/pci/devices/*/driver; do
		d=${d%/driver} && echo "${d##*/} $(driver_of "${d##*/}")"
	done)"
is "MSI addresses are reserved" \
	"$(ask '.groups[0].reserved[] | select(.type == "msi") | .first + "-" + .last')" 0xfee00000-0xfeefffff
is "nobody holds anything" "$(ask '.holders | length')" 0

# A holder, a process with a device of VFIO's own node, and one with a device of a VFIO group.
cat >vm.yaml <<'END'
version: 1
name: vm
memory:
  - {name: ram, size: 1M}
devices:
  - {name: edu0, pci: "0000:00:03.0", driver: vfio-pci}
fds:
  - name: main
    driver: iommufd
    ioasids:
      - {name: gpa, kind: gpa, map: [{iova: 0x100000, memory: ram, length: 1M}], attach: [{device: edu0}]}
END
ioasidctl apply vm.yaml
is "apply" "$status" 0
for device in 0000:00:04.0 0000:03:01.0 0000:03:02.0; do
	echo vfio-pci >/sys/bus/pci/devices/$device/driver_override
	echo $device >/sys/bus/pci/drivers_probe
done
group=$(basename "$(readlink /sys/bus/pci/devices/0000:03:01.0/iommu_group)")
cat >squatter.py <<'END'
import array, fcntl, os, sys, time
def ioctl(fd, n, arg):
    return fcntl.ioctl(fd, 0x3b64 + n, arg)
if len(sys.argv) == 2:
    held = os.open(sys.argv[1], os.O_RDWR)
else:  # GROUP DEVICE: container, group, VFIO_GROUP_SET_CONTAINER, VFIO_SET_IOMMU, VFIO_GROUP_GET_DEVICE_FD
    container, group = os.open('/dev/vfio/vfio', os.O_RDWR), os.open(sys.argv[1], os.O_RDWR)
    ioctl(group, 4, array.array('i', [container]))
    ioctl(container, 2, 1)
    held = ioctl(group, 6, sys.argv[2].encode() + b'\0')
print('held', flush=True)
time.sleep(1000)
END
node=/dev/vfio/devices/$(basename /sys/bus/pci/devices/0000:00:04.0/vfio-dev/vfio*)
/usr/bin/python3 squatter.py "$node" >by-node 2>&1 &
by_node=$!
/usr/bin/python3 squatter.py "/dev/vfio/$group" 0000:03:01.0 >by-group 2>&1 &
by_group=$!
eventually grep -q held by-node && eventually grep -q held by-group
ok "others hold devices" || cat by-node by-group

ioasidctl host --json
cp out held.json
described out
ok "with holders: as its schema says"
holder=$(holders)
is "the holder, its node and its device" \
	"$(ask ".holders[] | select(.pid == $holder) | .command, (.open[] | .kind, .node, (.device // empty))" | xargs)" \
	"ioasidctl iommufd /dev/iommu device /dev/vfio/devices/vfio0 0000:00:03.0"
is "what it has pinned" "$(ask ".holders[] | select(.pid == $holder) | .pinned")" 0x100000
is "counts as its user's" "$(ask '.memlock.used')" 0x100000
is "the process with a node" \
	"$(ask ".holders[] | select(.pid == $by_node) | .command, .open[0].node, .open[0].device" | xargs)" \
	"python3 $node 0000:00:04.0"
is "the process with a group: container, group, and the device that has no node" \
	"$(ask ".holders[] | select(.pid == $by_group) | .open[] | .kind, (.node // \"-\"), (.device // \"-\")" | xargs)" \
	"container /dev/vfio/vfio - group /dev/vfio/$group - device - 0000:03:01.0"
is "the devices have their nodes" \
	"$(ask '.devices[] | select(.address == "0000:00:04.0") | .driver, .driver_origin, .node' | xargs)" \
	"vfio-pci override $node"
is "the group has its node" "$(ask ".groups[] | select(.id == $group) | .node")" "/dev/vfio/$group"
is "root may open it" "$(ask ".nodes[] | select(.path == \"/dev/vfio/$group\") | .mode, .can_open" | xargs)" \
	"0600 true"
bits=$(ask '.iommus[] | select(.name == "dmar0") | .iova_bits')
ioasidctl --json show
is "the address width is that of the IOASID" \
	"$(ask '.topologies[0].fds[0].ioasids[0].ranges[-1].last')" "$(printf '0x%x' $(((1 << bits) - 1)))"

# The tree, and what --device leaves of it.
ioasidctl host --device 03:01.0
is "the tree of one device: status" "$status" 0
for text in "group $group" 0000:03:02.0 "held by pid $by_group (python3)" "node /dev/vfio/$group 0600 root:root"; do
	grep -qF "$text" out
	ok "the tree of one device has \"$text\""
done
! grep -qE '0000:00:0[34]\.0|ioasidctl' out
ok "and nothing of others"

# An ordinary user sees all but other people's descriptors, and is told so.
install -m 755 "$tool" /usr/local/bin/ioasidctl-copy
setpriv --reuid nobody --regid nogroup --clear-groups timeout 60 /usr/local/bin/ioasidctl-copy \
	host --json >out 2>err </dev/null
is "an ordinary user: status" "$?" 0
is "an ordinary user sees no holder" "$(ask '.holders | length')" 0
is "and hears why" "$(ask '.unseen[]' | grep -c 'processes of other users.*root')" 1
is "an ordinary user may not open /dev/iommu" \
	"$(ask '.nodes[] | select(.path == "/dev/iommu") | .mode, .can_open' | xargs)" "0660 false"
is "all else is the same" "$(ask '[.kernel, .iommus, .groups, .devices]' -c)" \
	"$(jq -c '[.kernel, .iommus, .groups, .devices]' held.json)"

# A captured tree tells the same.
"$TOP/contrib/collect-host" "$work/captured.tar.gz" >collect 2>&1
ok "collect-host" || cat collect
[ ! -s collect ]
ok "has nothing to complain about" || cat collect
mkdir captured && tar -C captured -xzf captured.tar.gz
ioasidctl host --json --root captured
is "a captured tree: status" "$status" 0
jq 'del(.nodes[].can_open)' held.json >held.nodes
diff <(jq -S . held.nodes) <(jq -S . out) >difference
ok "a captured tree tells the same as the host" || sed 's/^/#   /' difference

# vDPA.
vdpa dev add name vdpa0 mgmtdev vdpasim_net
echo vdpa0 >/sys/bus/vdpa/drivers/virtio_vdpa/unbind
echo vdpa0 >/sys/bus/vdpa/drivers/vhost_vdpa/bind
exec 4<>/dev/vhost-vdpa-0
ioasidctl host --json
is "a vDPA device and its node" "$(ask '.devices[] | select(.bus == "vdpa") | .address, .driver, .node' | xargs)" \
	"vdpa0 vhost_vdpa /dev/vhost-vdpa-0"
is "and its holder" "$(ask ".holders[] | select(.pid == $$) | .open[0].kind, .open[0].device" | xargs)" "vdpa vdpa0"
exec 4>&-
vdpa dev del vdpa0

kill "$by_node" "$by_group"
wait "$by_node" "$by_group" 2>/dev/null
ioasidctl delete vm
is "delete" "$status" 0
for device in 0000:00:04.0 0000:03:01.0 0000:03:02.0; do
	echo $device >/sys/bus/pci/drivers/vfio-pci/unbind
	echo >/sys/bus/pci/devices/$device/driver_override
done
check_host "at the end"
finish
