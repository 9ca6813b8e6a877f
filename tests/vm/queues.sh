# SPDX-License-Identifier: GPL-2.0-or-later
# A guest with a queue of page faults and one of events, on the kernel's mock IOMMU. Sourced after
# lib.sh.
# shellcheck shell=bash

cat >guest.yaml <<'YAML'
version: 1
name: guest
memory: [{name: ram, size: 2M}]
devices: [{name: m0, mock: 0}]
fds:
  - name: main
    driver: iommufd
    ioasids:
      - {name: gpa, nest_parent: true, map: [{iova: 0x1000000, memory: ram, length: 2M}]}
      - name: s1
        kind: nested
        parent: gpa
        viommu: v
        fault_queue: true
        table: {format: mock, iotlb: 1}
        attach: [{device: m0}]
    viommus:
      - {name: v, parent: gpa, device: m0, type: mock, events: {depth: 4}, vdevices: [{device: m0, id: 0x18}]}
YAML
op() { # OPERATION NUMBER...
	"$BUILD/tests/vm/mock_op" "$(holders)" "$@" 2>err
}
heard() { # PATTERN in what monitor told
	grep -qE -e "$1" events
}
