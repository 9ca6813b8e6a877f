# SPDX-License-Identifier: GPL-2.0-or-later
# Descriptors handed to a program that lets a device do DMA: what is mapped is reached, what isn't
# is not. And `run` leaves nothing, however the program ends.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

dma() { # DESCRIPTION FILE DEVICE
	ioasidctl run "$2" -- "$BUILD/tests/vm/edu_dma" "$3" "{fd:$3}"
	is "$1: run ends with the program's success" "$status" 0
	adopt "$1" out
	check_host "$1"
}

cat >two.yaml <<'END'
version: 1
name: two
memory:
  - {name: ram, size: 4M}
  - {name: more, size: 1M}
devices:
  - {name: edu0, pci: "0000:00:03.0", driver: vfio-pci}
  - {name: edu1, pci: "0000:03:01.0", driver: vfio-pci}
fds:
  - name: main
    ioasids:
      - name: gpa
        kind: gpa
        map:
          - {iova: 0x1000000, memory: ram, offset: 1M, length: 3M}
          - {iova: 0x2000000, memory: more, length: 512K}
          - {iova: 0x2100000, memory: more, offset: 512K, length: 512K, access: r}
        attach: [{device: edu0}, {device: edu1}]
END
dma "the example for pass-through" "$(echo "$TOP"/examples/1-*.yaml)" dma0
for device in dma0 dma1 dma2; do
	dma "the example of VFIO's own ways, which comes to iommufd here, $device" \
		"$(echo "$TOP"/examples/7-*.yaml)" $device
done
dma "edu alone in its group" two.yaml edu0
dma "edu behind a bridge" two.yaml edu1


# Memory that is a file, reached through a mapping copied from another address space.
truncate -s 4M backing
cat >copy.yaml <<END
version: 1
name: copy
memory:
  - {name: ram, size: 4M, backing: file, path: $work/backing}
devices:
  - {name: edu0, pci: "0000:00:03.0", driver: vfio-pci}
fds:
  - name: main
    ioasids:
      - {name: source, kind: gpa, map: [{iova: 0, memory: ram, length: 4M}]}
      - name: gpa
        kind: gpa
        map: [{iova: 0x400000, copy: source, from: 0, length: 4M}]
        attach: [{device: edu0}]
END
dma "a file, through a copied mapping" copy.yaml edu0

echo 4 >/proc/sys/vm/nr_hugepages
sed 's/size: 4M}/size: 4M, page_size: 2M}/' two.yaml >huge.yaml
remember_host
dma "2M pages" huge.yaml edu0
echo 0 >/proc/sys/vm/nr_hugepages
remember_host

# shellcheck disable=SC2016
ioasidctl run two.yaml -- sh -c 'echo "$LISTEN_FDS $LISTEN_FDNAMES"; exit 42'
is "the exit status is the program's" "$status" 42
is "names of all descriptors, as declared" "$(cat out)" "5 main:edu0:edu1:ram:more"
check_host "after a failing program"

ioasidctl run two.yaml -- "$BUILD/no-such-program"
[ "$status" -ne 0 ]
ok "a program that does not exist fails ($status)"
says "a program that does not exist: says so" 'no-such-program'
check_host "after no program"

# shellcheck disable=SC2016
ioasidctl run two.yaml -- sh -c 'kill -KILL $$'
is "killed by a signal: 128 + its number" "$status" 137
check_host "after a killed program"

ioasidctl run two.yaml -- true '{fd:nothing}'
is "a name that is no descriptor is a usage error" "$status" 64
says "a name that is no descriptor: names those that are" 'nothing' 'edu0'
check_host "after a usage error"
finish
