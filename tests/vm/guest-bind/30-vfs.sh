# SPDX-License-Identifier: GPL-2.0-or-later
# Virtual functions of an NVMe controller: made, handed out, and gone again.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
pf=0000:06:00.0
sriov=/sys/bus/pci/devices/$pf
[ "$(cat $sriov/sriov_totalvfs 2>/dev/null)" = 2 ] || {
	echo "ok 1 - virtual functions # SKIP this QEMU's NVMe controller has none"
	echo 1..1
	exit
}

write() { # FILE VFS DEVICES ATTACHMENTS
	cat >"$1" <<END
version: 1
name: vm
memory:
  - {name: ram, size: 1M}
devices:
  - {name: pf0, pci: "$pf", vfs: $2}
$3
fds:
  - name: main
    ioasids:
      - {name: gpa, map: [{iova: 0x100000, memory: ram, length: 1M}], attach: [$4]}
END
}
vf0='  - {name: vf0, vf: {of: pf0, index: 0}, driver: vfio-pci}'
vf1='  - {name: vf1, vf: {of: pf0, index: 1}, driver: vfio-pci}'
write vm.yaml 2 "$vf0
$vf1" '{device: vf1}, {device: vf0}'
is "the controller has its driver" "$(driver_of $pf)" nvme
is "it has no virtual functions yet" "$(<$sriov/sriov_numvfs)" 0
remember_host

ioasidctl plan vm.yaml
is "plan: there is something to do" "$status" 2
grep -q "set number of VFs of pf0 ($pf) to 2" out
ok "plan: says how many there will be"
check_host "after the plan"

ioasidctl apply vm.yaml
is "apply" "$status" 0
is "there are two" "$(<$sriov/sriov_numvfs)" 2
is "the first one is handed out" "$(driver_of 0000:06:00.1)" vfio-pci
is "the second one is handed out" "$(driver_of 0000:06:00.2)" vfio-pci
is "the controller stays with its driver" "$(driver_of $pf)" nvme
ioasidctl show --json
is "the dump names function and number" \
	"$(ask '.topologies[0].devices[] | select(.name == "vf1") | "\(.vf_of) \(.vf_index) \(.address) \(.bound)"')" \
	"pf0 1 $pf/virtfn1 true"
is "the dump has the number to restore" \
	"$(ask '.topologies[0].devices[] | select(.name == "pf0") | "\(.vfs) \(.original_vfs) \(.open)"')" \
	"2 0 false"
ioasidctl apply vm.yaml
is "a second apply has nothing to do" "$status $(<out)" "0 vm: nothing to do"
ioasidctl show --yaml
cp out again.yaml
ioasidctl apply again.yaml
is "what show --yaml prints changes nothing" "$status $(<out)" "0 vm: nothing to do"

ioasidctl show --json
cp out before.json
write fewer.yaml 1 "$vf0" '{device: vf0}'
ioasidctl apply fewer.yaml
is "another number while they are in use: refused" "$status" 1
says "another number while they are in use: says by what" 'pf0' 'from 2 to 1' 'vf0'
ioasidctl show --json
cmp -s before.json out
ok "another number while they are in use: nothing changed"
ioasidctl delete vm
is "delete" "$status" 0
is "they are gone" "$(<$sriov/sriov_numvfs)" 0
check_host "after delete"

# Refusals.
write many.yaml 3 "$vf0" '{device: vf0}'
ioasidctl apply many.yaml
is "more than it has: refused" "$status" 1
says "more than it has: says how many it has" "$pf" 'at most 2'
check_host "more than it has"
sed 's/, vfs: 2/, vfs: 2, driver: vfio-pci/' vm.yaml >vfio.yaml
ioasidctl apply vfio.yaml
is "with a driver that makes none: refused" "$status" 1
says "with a driver that makes none: says which" "$pf" 'vfio-pci' 'enable_sriov'
check_host "with a driver that makes none"
sed 's/iova: 0x100000/iova: 0xfee00000/' vm.yaml >bad.yaml
ioasidctl apply bad.yaml
is "a mapping over the MSI window: refused" "$status" 1
is "a mapping over the MSI window: they are gone again" "$(<$sriov/sriov_numvfs)" 0
check_host "a mapping over the MSI window"
echo $pf >/sys/bus/pci/drivers/nvme/unbind
ioasidctl apply vm.yaml
is "without a driver: refused" "$status" 69
says "without a driver: says so" "$pf" 'has no driver'
echo $pf >/sys/bus/pci/drivers_probe
eventually test "$(driver_of $pf)" = nvme
check_host "without a driver"

# Those that were there before stay.
echo 2 >$sriov/sriov_numvfs
no_driver() {
	[ -z "$(driver_of "$1")" ]
}
# The probing of an NVMe controller that isn't there yet goes on in the background, and fails.
eventually no_driver 0000:06:00.1
eventually no_driver 0000:06:00.2
remember_host
ioasidctl apply vm.yaml
is "with the two that are there: apply" "$status" 0
ioasidctl delete vm
is "with the two that are there: delete" "$status" 0
is "with the two that are there: they stay" "$(<$sriov/sriov_numvfs)" 2
check_host "with the two that are there"
echo 0 >$sriov/sriov_numvfs
host_drivers >host.before

# Kept for the next holder, which finds them made and bound.
start_holder --keep
ioasidctl apply vm.yaml
is "with a holder that keeps: apply" "$status" 0
end_holder
is "with a holder that keeps: they stay" "$(<$sriov/sriov_numvfs)" 2
start_holder --teardown
ioasidctl apply vm.yaml
is "the next holder has them" "$status $(<out)" "0 vm: nothing to do"
end_holder
is "the next holder's end: they are gone" "$(<$sriov/sriov_numvfs)" 0
check_host "the next holder's end"

# The holder is killed in the middle.
for at in 1 2 3 4 5 6; do
	KILL_AT=$at KILL_WHEN=after KILL_BELOW=/sys/ LD_PRELOAD=$BUILD/tests/vm/preload/kill_at_write.so \
		start_holder
	ioasidctl apply vm.yaml
	[ "$status" -ne 0 ] && eventually is_gone "$holder"
	ok "killed after write $at"
	start_holder
	gone() {
		[ "$(<$sriov/sriov_numvfs)" = 0 ] && host_drivers | cmp -s host.before -
	}
	eventually gone
	ok "killed after write $at: the next start restores" ||
		{ cat holder.out; host_drivers | diff host.before -; } | sed 's/^/#   /'
	end_holder
done
check_host "at the end"
finish
