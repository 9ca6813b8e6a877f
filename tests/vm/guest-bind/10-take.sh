# SPDX-License-Identifier: GPL-2.0-or-later
# A group of two behind a bridge, one of them on a host driver: refused by name, taken along, given
# back.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
member=0000:05:02.0

write() { # FILE POLICY
	cat >"$1" <<END
version: 1
name: vm
memory:
  - {name: ram, size: 1M}
devices:
  - {name: edu3, pci: "0000:05:01.0", driver: vfio-pci, group: $2}
fds:
  - name: main
    ioasids:
      - {name: gpa, map: [{iova: 0x100000, memory: ram, length: 1M}], attach: [{device: edu3}]}
END
}
write strict.yaml strict
write take.yaml take

# An override that somebody set has to be there again afterwards.
echo virtio-pci >/sys/bus/pci/devices/$member/driver_override
is "the member has its host driver" "$(driver_of $member)" virtio-pci
bridge=$(driver_of 0000:04:00.0)
remember_host

ioasidctl -v apply strict.yaml
is "strict: refused" "$status" 1
says "strict: names the member in the way, its driver and the way out" \
	"$member \\(virtio-pci\\)" 'edu3' 'group: take'
grep -q '^write ' err
is "strict: nothing was changed on the way" $? 1
check_host "strict"

ioasidctl plan take.yaml
is "take: there is something to do" "$status" 2
grep -q "bind driver of $member (in the group of edu3) to vfio-pci" out
ok "take: the plan shows the member"
check_host "take: after the plan"

ioasidctl apply take.yaml
is "take: applies" "$status" 0
is "take: the device" "$(driver_of 0000:05:01.0)" vfio-pci
is "take: the member" "$(driver_of $member)" vfio-pci
is "take: the bridge above them is as it was" "$(driver_of 0000:04:00.0)" "$bridge"
is "take: driver_override of the device" "$(</sys/bus/pci/devices/0000:05:01.0/driver_override)" '(null)'
is "take: driver_override of the member" "$(</sys/bus/pci/devices/$member/driver_override)" virtio-pci
ioasidctl show --json
is "take: the dump has the member" \
	"$(ask '.topologies[0].devices[] | select(.taken_for == "edu3") | [.address, .original_driver] | join(" ")')" \
	"$member virtio-pci"
ioasidctl show --yaml
grep -q "$member" out
is "take: the config of the dump doesn't declare it" $? 1
ioasidctl apply take.yaml
is "take: a second apply has nothing to do" "$status $(<out)" "0 vm: nothing to do"
ioasidctl apply strict.yaml
is "from take to strict while the device stays: refused" "$status" 1
says "from take to strict: says who would be stranded" "$member" virtio-pci edu3
ioasidctl delete vm
is "delete succeeds" "$status" 0
check_host "delete"

# A failure behind the binding gives both back.
sed 's/iova: 0x100000/iova: 0xfee00000/' take.yaml >bad.yaml
ioasidctl apply bad.yaml
is "a mapping over the MSI window: refused" "$status" 1
check_host "rollback"

# Kept for the next holder, which has to know what the devices don't tell any more.
start_holder --keep
ioasidctl apply take.yaml
is "applied with a holder that keeps" "$status" 0
end_holder
is "its end leaves the member bound" "$(driver_of $member)" vfio-pci
start_holder --teardown
ioasidctl apply take.yaml
is "the next holder has it" "$status $(<out)" "0 vm: nothing to do"
end_holder
check_host "teardown by the next holder"

echo >/sys/bus/pci/devices/$member/driver_override
finish
