# SPDX-License-Identifier: GPL-2.0-or-later
# What the host verb shows of virtual functions.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
pf=0000:06:00.0
sriov=/sys/bus/pci/devices/$pf
[ "$(cat $sriov/sriov_totalvfs 2>/dev/null)" = 2 ] || {
	echo "ok 1 - virtual functions # SKIP this QEMU's NVMe controller has none"
	echo 1..1
	exit
}
ioasidctl host --json
is "a physical function and how many it may have" \
	"$(ask ".devices[] | select(.address == \"$pf\") | \"\(.driver) \(.max_virtual_functions) \(.virtual_functions)\"")" \
	"nvme 2 null"
echo 0 >$sriov/sriov_drivers_autoprobe
echo 2 >$sriov/sriov_numvfs
ioasidctl host --json
is "those that it has, by index" \
	"$(ask ".devices[] | select(.address == \"$pf\") | .virtual_functions[]")" \
	"$(for i in 0 1; do basename "$(readlink $sriov/virtfn$i)"; done)"
is "whose they are" "$(ask '.devices[] | select(.physical_function) | "\(.address) \(.physical_function)"')" \
	"0000:06:00.1 $pf
0000:06:00.2 $pf"
ioasidctl host --device 06:00.1
grep -q "a VF of $pf" out
ok "for people, too"
echo 0 >$sriov/sriov_numvfs
finish
