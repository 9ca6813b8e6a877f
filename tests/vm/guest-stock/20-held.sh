# SPDX-License-Identifier: GPL-2.0-or-later
# A kernel that doesn't tell which device of a group a descriptor is of: who has one is named, and
# who has another one isn't.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/vm/use.sh"
while read -r module; do
	[ -e /sys/module/"$(basename "$module" .ko | tr - _)" ] || busybox insmod "$STOCK/vfio/$module"
done <"$STOCK/vfio/order"

write() { # FILE TOPOLOGY BDF
	cat >"$1" <<END
version: 1
name: $2
memory: [{name: ram, size: 1M}]
devices: [{name: $2-dev, pci: "$3", driver: vfio-pci}]
fds: [{name: main, ioasids: [{name: gpa, map: [{iova: 0x100000, memory: ram, length: 1M}], attach: [{device: $2-dev}]}]}]
END
}
write vm.yaml vm 0000:01:00.0
write other.yaml other 0000:03:01.0
remember_host
ioasidctl apply vm.yaml
is "apply" "$status" 0
group=$(readlink /sys/bus/pci/devices/0000:01:00.0/iommu_group)
ioasidctl explain 01:00.0
grep -q "no  *pid $(holders) (ioasidctl) has it open" out
ok "explain names the holder" || cat out
ioasidctl run vm.yaml -- true
is "another process: refused" "$status" 1
says "another process: names the holder" "pid $(holders) \\(ioasidctl\\)" "IOMMU group ${group##*/}"

# Of another device, by its group: that is no obstacle.
"$tool" run other.yaml -- sleep 1000 >runner.out 2>&1 &
runner=$!
other_is_there() { [ "$(driver_of 0000:03:01.0)" = vfio-pci ] && pgrep -x sleep >/dev/null; }
eventually other_is_there
ok "another program has another device"
ioasidctl delete vm
is "delete isn't kept up by it" "$status" 0
ioasidctl apply vm.yaml
is "apply again" "$status" 0

for how in open mapped; do
	use $how
	ioasidctl delete vm
	is "$how: delete is refused" "$status" 1
	says "$how: by whom" 'vm-dev' "pid $user \\(python3"
	end_user
done
ioasidctl delete vm
is "delete when they have gone" "$status" 0
pkill -x sleep
wait $runner
check_host "at the end"
finish
