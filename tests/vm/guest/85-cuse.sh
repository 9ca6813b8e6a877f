# SPDX-License-Identifier: GPL-2.0-or-later
# The reference device as a character device: any program can open it, ioasidctl among them.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

mkfifo ready
serve() {
	"$tool" serve --ready-fd 4 4>ready >serve.log 2>&1 &
	server=$!
	head -c 1 <ready >/dev/null
}
serve
[ -c /dev/ioasid ]
ok "/dev/ioasid is a character device"
ioasidctl serve
is "served twice: exit status" "$status" 1
says "served twice: says so" '/dev/ioasid exists' '--node'
ioasidctl serve --node ../sda
is "a node elsewhere is a usage error" "$status" 64

"$BUILD/tests/vm/ioasid_dma" /dev/ioasid 0000:00:04.0 >out 2>err
adopt "a program on its own" out

cat >node.yaml <<'END'
version: 1
name: node
memory: [{name: ram, size: 1M}]
devices:
  - {name: dma0, pci: "0000:00:03.0", driver: vfio-pci}
  - {name: nic0, pci: "0000:01:00.0", driver: vfio-pci}
fds:
  - name: main
    driver: ioasid
    node: /dev/ioasid
    ioasids:
      - name: gpa
        map: [{iova: 0, memory: ram, length: 1M}]
        attach: [{device: dma0}, {device: nic0}]
END
ioasidctl run node.yaml -- "$BUILD/tests/vm/ioasid_dma" main ram
is "run ends with the program's success" "$status" 0
adopt "a descriptor that was handed over" out

ioasidctl apply node.yaml
is "apply: exit status" "$status" 0
ioasidctl apply node.yaml
grep -q 'nothing to do' out
ok "a second apply has nothing to do"
ioasidctl show --json node
is "show: two devices on one IOASID, in one table" \
	"$(ask '.topologies[].fds[].ioasids[] | "\(.attachments | length) \(.alive)"')" "2 true"
sed 's/attach: .*/attach: [{device: dma0}]/' node.yaml >one.yaml
ioasidctl apply one.yaml
is "a changed file: exit status" "$status" 0
sed -e 's/name: node/name: taken/' node.yaml >taken.yaml
ioasidctl apply taken.yaml
is "a device that another topology has is refused" "$status" 1
ioasidctl delete node
is "delete: exit status" "$status" 0
eventually nothing_left
ok "delete leaves no holder"

kill "$server"
wait "$server"
is "ended by a signal: exit status" "$?" 0
[ ! -e /dev/ioasid ]
ok "the node is gone"
ioasidctl apply node.yaml
[ "$status" -ne 0 ]
ok "without it, apply fails"
says "without it: says why" '/dev/ioasid'
check_host "in the end"
finish
