# SPDX-License-Identifier: GPL-2.0-or-later
# Devices that are taken away from a topology without being unplugged.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/vm/hotplug.sh"
remember_host

write vm 'driver: vfio-pci'
ioasidctl apply vm.yaml
is "a topology with the device" "$status" 0
holder=$(holders)
follow
kill -0 "$holder" && echo "$nic" >/sys/bus/pci/drivers/vfio-pci/unbind
ok "its driver can be taken away: the holder lets it go"
tells "that is told" '.kind == "driver-changed" and .topology == "vm" and (has("driver") | not)'
comes_to "show says that it was released" vm released
ioasidctl apply vm.yaml
is "apply takes it back again" "$status" 0
ioasidctl delete vm
is "delete succeeds" "$status" 0
has_driver e1000e
ok "it has the driver that it had before all that"

# Removed by software, and deleted while it is away.
nic=0000:00:04.0
write vm 'driver: vfio-pci'
ioasidctl apply vm.yaml
is "another device" "$status" 0
echo 1 >"$devices/$nic/remove"
ok "removed by software: the holder lets it go"
comes_to "show says that it has gone" vm gone
ioasidctl delete vm
is "delete succeeds without the device" "$status" 0
echo 1 >/sys/bus/pci/rescan
eventually is_there
ok "the host finds it again"

# The company in a group changes.
cat >group.yaml <<'END'
version: 1
name: group
memory:
  - {name: ram, size: 1M}
devices:
  - {name: edu1, pci: "0000:03:01.0", driver: vfio-pci}
fds:
  - name: main
    ioasids:
      - {name: gpa, map: [{iova: 0x0, memory: ram, length: 1M}], attach: [{device: edu1}]}
END
ioasidctl apply group.yaml
is "a device of a larger group" "$status" 0
follow
echo 1 >"$devices/0000:03:02.0/remove"
tells "a member that goes is told" '.kind == "group-changed" and .device == "edu1" and
	(.members | index("0000:03:01.0") != null and index("0000:03:02.0") == null)'
tells "as a device of nobody" '.kind == "device-removed" and .address == "0000:03:02.0" and (has("topology") | not)'
follow
echo 1 >/sys/bus/pci/rescan
tells "a member that comes is told" '.kind == "group-changed" and .device == "edu1" and
	(.members | index("0000:03:02.0") != null)'
ioasidctl delete group
is "all is deleted" "$status" 0
end_all
finish
