# SPDX-License-Identifier: GPL-2.0-or-later
# Ten thousand mappings, an apply that is interrupted among them, and huge pages.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

{
	cat <<'END'
version: 1
name: many
memory:
  - {name: ram, size: 40000K}
devices:
  - {name: edu0, pci: "0000:00:03.0", driver: vfio-pci}
  - {name: nic0, pci: "0000:01:00.0", driver: vfio-pci}
fds:
  - name: main
    ioasids:
      - name: gpa
        kind: gpa
        attach: [{device: edu0}, {device: nic0}]
        map:
END
	# Every other page, so that nothing can be merged.
	awk 'BEGIN { for (i = 0; i < 10000; i++)
		printf "          - {iova: 0x%x, memory: ram, offset: 0x%x, length: 4K}\n", 0x1000000 + i * 8192, i * 4096 }'
} >many.yaml

ioasidctl --json apply many.yaml
is "apply of 10,000 mappings" "$status $(ask ".results[0].changed")" "0 true"
ioasidctl --json show
is "all are live" "$(ask '.topologies[0].fds[0].ioasids[0].mappings | length')" 10000
ioasidctl --json apply many.yaml
is "a second apply does nothing" "$status $(ask ".results[0].changed")" "0 false"
ioasidctl delete many
is "delete succeeds" "$status" 0
check_host "after delete"

# Ctrl-C in the middle: a device has its new driver, and many mappings are still to be made.
is_taken() {
	[ "$(driver_of 0000:00:03.0)" = vfio-pci ]
}
interrupt() { # DESCRIPTION ARGUMENT...
	local description=$1 pid
	shift
	# The shell starts what runs in the background with SIGINT ignored.
	env --default-signal=INT "$tool" "$@" >out 2>err </dev/null &
	pid=$!
	eventually is_taken
	ok "$description: it is at work"
	kill -INT "$pid"
	wait "$pid"
	status=$?
	[ "$status" -ne 0 ]
	ok "$description: the exit status says so ($status)"
	says "$description: the message says so" '[Ii]nterrupt'
	check_host "$description"
}
interrupt "an interrupted apply" apply many.yaml
interrupt "an interrupted run" run many.yaml -- /bin/true

# Huge pages: the memory's and the IOMMU's.
echo 16 >/proc/sys/vm/nr_hugepages
remember_host
cat >huge.yaml <<'END'
version: 1
name: huge
memory:
  - {name: ram, size: 16M, page_size: 2M, prefault: true}
devices:
  - {name: edu0, pci: "0000:00:03.0", driver: vfio-pci}
fds:
  - name: main
    ioasids:
      - name: gpa
        kind: gpa
        map: [{iova: 0x200000, memory: ram, length: 16M}]
        attach: [{device: edu0}]
END
ioasidctl apply huge.yaml
is "apply with huge pages" "$status" 0
ioasidctl --json show
is "the memory is made of them" "$(ask '.topologies[0].memories[0] | .page_size, .populated' |
	paste -sd ' ')" "0x200000 0x1000000"
is "they are in use" "$(awk '/^HugePages_Free/ { print $2 }' /proc/meminfo)" 8
ioasidctl delete huge
is "delete succeeds" "$status" 0
check_host "after delete"
echo 0 >/proc/sys/vm/nr_hugepages
finish
