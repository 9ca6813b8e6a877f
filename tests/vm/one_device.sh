# SPDX-License-Identifier: GPL-2.0-or-later
# Topologies of one PCI device. Sourced after lib.sh.
# shellcheck shell=bash

write() { # FILE TOPOLOGY BDF DRIVER
	cat >"$1" <<END
version: 1
name: $2
memory: [{name: ram, size: 1M}]
devices: [{name: $2-dev, pci: "$3", driver: vfio-pci}]
fds:
  - name: main
    driver: $4
    ioasids: [{name: gpa, map: [{iova: 0x100000, memory: ram, length: 1M}], attach: [{device: $2-dev}]}]
END
}
