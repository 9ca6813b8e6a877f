# SPDX-License-Identifier: GPL-2.0-or-later
# What `check --machine` says of a config, by this host's own document, is what the kernel says.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

ioasidctl host --json
cp out host.json
try_config() { # DESCRIPTION WANTED DEVICES MAPPINGS
	cat >try.yaml <<-END
		version: 1
		name: try
		memory: [{name: ram, size: 4M}]
		devices: $3
		fds:
		  - name: main
		    driver: iommufd
		    ioasids: [{name: gpa, kind: gpa, map: $4, attach: [{device: d}]}]
	END
	ioasidctl check --machine host.json try.yaml
	checked=$status
	cp err check.err
	ioasidctl run try.yaml -- true
	is "$1: the kernel" "$((status != 0))" "$2"
	[ "$((checked != 0))" = "$2" ]
	ok "$1: check" || cat check.err
}
edu='{name: d, pci: "0000:00:03.0", driver: vfio-pci}'
low='[{iova: 0x100000, memory: ram, length: 4M}]'
try_config "a config that fits" 0 "[$edu]" "$low"
try_config "a device without a driver" 1 '[{name: d, pci: "0000:00:03.0"}]' "$low"
try_config "a device with a host driver" 1 '[{name: d, pci: "0000:01:00.0"}]' "$low"
try_config "a group that the host uses" 1 '[{name: d, pci: "0000:05:01.0", driver: vfio-pci}]' "$low"
try_config "a group with a bridge and a free member" 0 '[{name: d, pci: "0000:03:01.0", driver: vfio-pci}]' "$low"
try_config "the addresses of interrupts" 1 "[$edu]" '[{iova: 0xfee00000, memory: ram, length: 1M}]'
try_config "the last address" 0 "[$edu]" '[{iova: 0x7fffc00000, memory: ram, length: 4M}]'
try_config "the first one past it" 1 "[$edu]" '[{iova: 0x7fffd00000, memory: ram, length: 4M}]'
check_host "at the end"
finish
