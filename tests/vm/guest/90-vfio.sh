# SPDX-License-Identifier: GPL-2.0-or-later
# VFIO's containers on a kernel that has iommufd, too: the life of the example, hand-over.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/vm/life.sh"
remember_host
live vfio --driver vfio

# `auto` comes to it where there is no iommufd.
mv /dev/iommu /dev/iommu.hidden
ioasidctl --json plan "$TOP"/examples/1-*.yaml
is "without iommufd, auto plans" "$status" 2
ioasidctl run "$TOP"/examples/1-*.yaml -- "$BUILD/tests/vm/edu_dma" dma0 '{fd:dma0}'
is "without iommufd, the example for pass-through runs, and DMA is done" "$status" 0
adopt "without iommufd, the example for pass-through" out
check_host "without iommufd"
without_iommufd
mv /dev/iommu.hidden /dev/iommu

group_of() { # BDF
	local link
	link=$(readlink "/sys/bus/pci/devices/$1/iommu_group") && echo "${link##*/}"
}

cat >two.yaml <<'END'
version: 1
name: two
memory:
  - {name: ram, size: 4M}
  - {name: more, size: 1M}
devices:
  - {name: edu0, pci: "0000:00:03.0", driver: vfio-pci}
  - {name: left, pci: "0000:03:01.0", driver: vfio-pci}
  - {name: right, pci: "0000:03:02.0", driver: vfio-pci}
fds:
  - name: main
    driver: vfio
    ioasids:
      - name: gpa
        map:
          - {iova: 0x1000000, memory: ram, offset: 1M, length: 3M}
          - {iova: 0x2000000, memory: more, length: 512K}
          - {iova: 0x2100000, memory: more, offset: 512K, length: 512K, access: r}
        attach: [{device: left}, {device: right}]
      - name: side
        map: [{iova: auto, memory: more, length: 64K}]
        attach: [{device: edu0}]
END
# shellcheck disable=SC2016
ioasidctl run two.yaml -- sh -c 'echo "$LISTEN_FDS $LISTEN_FDNAMES"'
is "names of all descriptors: containers and groups have their own" "$(cat out)" \
	"9 main/gpa:main/side:edu0:left:right:group/$(group_of 0000:00:03.0):group/$(group_of 0000:03:01.0):ram:more"
check_host "after names"
ioasidctl run two.yaml -- "$BUILD/tests/vm/edu_dma" right "{fd:right}"
is "DMA of a group's second member: run ends with the program's success" "$status" 0
adopt "DMA of a group's second member" out
check_host "after DMA"
ioasidctl run two.yaml -- true '{fd:main}'
is "an fd of VFIO has no descriptor of its own" "$status" 64
says "an fd of VFIO has no descriptor: names those that have" 'main/gpa' 'group/'
check_host "after a usage error"
finish
