# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's own kernel, which has no iommufd: the example for pass-through, unchanged, comes to VFIO's
# containers, and a device's DMA arrives.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/vm/life.sh"
remember_host
example=$(echo "$TOP"/examples/1-*.yaml)

[ ! -e /dev/iommu ]
ok "$(uname -r) has no iommufd"
ioasidctl apply "$example"
is "without VFIO's modules: refused" "$status" 69
says "without VFIO's modules: says for each interface why, and the way out" \
	'iommufd: .*no iommufd' 'vfio: .*module isn.t loaded' 'modprobe vfio-pci' '--driver ioasid'
check_host "without VFIO's modules"
explained() { # DESCRIPTION STATUS PATTERN...
	local description=$1
	is "$description: exit status" "$status" "$2"
	shift 2
	cp out err
	says "$description: says so" "$@"
}
ioasidctl explain 00:03.0
explained "explain without VFIO's modules" 1 'neither iommufd nor VFIO now' 'modprobe vfio-pci' \
	"the driver vfio-pci isn't there"

while read -r module; do
	if [ "$module" = vfio_iommu_type1.ko ]; then
		ioasidctl explain 00:03.0
		explained "explain without type 1" 1 'no *VFIO is there, but not its type 1' 'modprobe vfio_iommu_type1'
		ioasidctl apply "$example"
		is "without type 1: refused" "$status" 69
		says "without type 1: names its module" 'type 1' 'modprobe vfio_iommu_type1'
	fi
	busybox insmod "$STOCK/vfio/$module"
done <"$STOCK/vfio/order"
ioasidctl explain 00:03.0
explained "explain with all modules" 1 "ok *VFIO's containers; the kernel has no iommufd" 'needs *it has no driver'
live vfio

ioasidctl run "$example" -- "$BUILD/tests/vm/edu_dma" dma0 '{fd:dma0}'
is "DMA of the example: run ends with the program's success" "$status" 0
adopt "DMA of the example" out
check_host "after DMA"

without_iommufd
finish
