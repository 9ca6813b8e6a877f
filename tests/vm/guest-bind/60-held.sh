# SPDX-License-Identifier: GPL-2.0-or-later
# Who has a device, or its group: named rightly, whoever it is and however they have it.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/vm/one_device.sh"

group=$(readlink /sys/bus/pci/devices/0000:03:01.0/iommu_group)
group=${group##*/}

for driver in iommufd vfio; do
	other=vfio
	[ $driver = vfio ] && other=iommufd
	write a.yaml a 0000:03:01.0 $driver
	write b.yaml b 0000:03:02.0 $driver
	remember_host
	ioasidctl apply a.yaml
	is "$driver: apply" "$status" 0
	host_drivers >held.before
	ioasidctl apply b.yaml
	is "$driver: another topology of this holder has the group: refused" "$status" 1
	says "$driver: another topology of this holder has the group: which, and by which device" \
		'b-dev \(0000:03:02\.0\)' 'topology a holds a-dev \(0000:03:01\.0\)' "IOMMU group $group" 'b\.yaml:4:11'
	for with in $driver $other; do
		ioasidctl run --driver $with b.yaml -- true
		is "$driver: another process has the group, $with: refused" "$status" 1
		says "$driver: another process has the group, $with: names it" "pid $(holders) \\(ioasidctl\\)" "IOMMU group $group"
	done
	host_drivers | cmp -s held.before -
	ok "$driver: another process has the group: drivers are as they were" || cat err
	sed 's/devices: \[/&{name: b-dev, pci: "0000:03:02.0", driver: vfio-pci}, /
		s/  - name: main/  - name: side\n    driver: '$driver'\n    ioasids: [{name: gpa, attach: [{device: b-dev}]}]\n&/' \
		a.yaml >split.yaml
	ioasidctl apply split.yaml
	is "$driver: a group in two fds of a topology: refused" "$status" 1
	says "$driver: a group in two fds of a topology: says so" 'a-dev' 'b-dev' "IOMMU group $group" 'to the same IOASID'

	# From a PID namespace nobody else is seen.
	unshare -p -f --mount-proc timeout 60 "$tool" run --driver $driver b.yaml -- true >out 2>err
	is "$driver: somebody who can't be seen has the group: refused" $? 1
	says "$driver: somebody who can't be seen has the group: that is said, and nobody is blamed" \
		"IOMMU group $group has another owner, which this process can't see"
	unshare -p -f --mount-proc timeout 60 "$tool" explain 0000:03:01.0 >out 2>err
	grep -q 'unseen nobody has it open, but for processes that /proc doesn.t list' out
	ok "$driver: explain says what it couldn't see" || cat out
	ioasidctl explain 03:01.0 pci:0000:03:01.0 0000:03:01.0
	is "$driver: a device named three times is one" "$(grep -c '^device' out) $(grep -c '^together' out)" "1 0"
	ioasidctl delete a
	is "$driver: delete" "$status" 0
	check_host "$driver: afterwards"
done

finish
