# SPDX-License-Identifier: GPL-2.0-or-later
# vDPA devices that somebody else deletes, unbinds or makes while a topology has them. The kernel
# waits for whoever has the node open, holding a lock that every request about vDPA needs; nothing
# but the node's disappearance says so.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/vm/hotplug.sh"
remember_host

write_vdpa() { # NAME SELECTOR
	cat >"$1.yaml" <<END
version: 1
name: $1
memory:
  - {name: ram, size: 1M}
devices:
  - {name: nic, $2, driver: vhost_vdpa}
  - {name: edu, pci: "0000:00:03.0", driver: vfio-pci}
fds:
  - name: main
    ioasids:
      - name: gpa
        map: [{iova: 0x0, memory: ram, length: 1M}]
        attach: [{device: nic}, {device: edu}]
END
}
goes_on() { # DESCRIPTION
	is "$1: the holder is the same as before" "$(holders)" "$holder"
	is "$1: what shares its IOASID goes on" "$(ask '.topologies[0] |
		[(.devices[] | select(.name == "edu") | .state, .alive), .fds[0].ioasids[0].alive] | join(" ")')" \
		"held true true"
}

vdpa dev add name vdpa9 mgmtdev vdpasim_net
ok "somebody makes a device"
write_vdpa vm 'vdpa: vdpa9'
ioasidctl apply vm.yaml
is "a topology has it" "$status" 0
holder=$(holders)
follow
timeout 60 vdpa dev del vdpa9
ok "and deletes it again: the holder lets it go"
tells "it was given up, as the kernel waited for it" \
	'.kind == "device-released" and .topology == "vm" and .device == "nic"'
tells "its removal is told" '.kind == "device-removed" and .topology == "vm" and .device == "nic"'
comes_to "show says that it has gone" vm gone
goes_on "deleted by others"
ioasidctl apply vm.yaml
is "apply is refused without it" "$status" 69
says "the message names it" 'nic: there is no vdpa vdpa9'
vdpa dev add name vdpa9 mgmtdev vdpasim_net
tells "that it is there again is told" '.kind == "device-added" and .topology == "vm" and .device == "nic"'
ioasidctl --json apply vm.yaml
is "apply takes it back" "$status $(ask '.results[0].counts.attach')" "0 1"
comes_to "show says that it is held" vm held
is "with its IOASID's mappings" \
	"$(ask '.topologies[0].devices[] | select(.name == "nic").iotlb.tables[0].entries')" 1

follow
timeout 60 sh -c 'echo vdpa9 >/sys/bus/vdpa/drivers/vhost_vdpa/unbind'
ok "its driver can be taken away: the holder lets it go"
tells "that is told" '.kind == "driver-changed" and .topology == "vm" and .device == "nic" and (has("driver") | not)'
comes_to "show says that it was released" vm released
goes_on "unbound by others"
chmod 600 /dev/vhost-vdpa-* 2>/dev/null
ioasidctl apply vm.yaml
is "apply binds it again" "$status" 0
comes_to "show says so" vm held
chmod 640 /dev/vhost-vdpa-*
chmod 600 /dev/vhost-vdpa-*
ioasidctl --json show vm
is "new permissions of its node mean nothing" \
	"$(ask '.topologies[0].devices[] | select(.name == "nic") | .state, .alive' | xargs)" "held true"
ioasidctl delete vm
is "delete succeeds" "$status" 0

# The lock again: a topology that makes a device of its own meanwhile must not wait for itself.
ioasidctl apply vm.yaml
write_vdpa own 'vdpa: vdpa8, management: vdpasim_net'
sed -i 's/, {device: edu}//; /edu/d' own.yaml
timeout 60 vdpa dev del vdpa9 &
deleter=$!
ioasidctl apply own.yaml
is "a device is made while another is being deleted" "$status" 0
wait "$deleter"
ok "and that ends, too"
comes_to "the other topology is without it" vm gone
ioasidctl delete vm
is "and can be deleted" "$status" 0

# The same within one topology, which gives no device up while it is being changed.
vdpa dev add name vdpa9 mgmtdev vdpasim_net
write_vdpa auto 'vdpa: vdpa9, hotplug: attach'
ioasidctl apply auto.yaml
is "a topology that goes on without a device" "$status" 0
kill -STOP "$(holders)"
timeout 60 vdpa dev del vdpa9 &
deleter=$!
eventually test ! -e /sys/bus/vdpa/devices/vdpa9
ok "the device is being deleted while the holder is busy"
sed 's/^devices:/&\n  - {name: made, vdpa: vdpa7, management: vdpasim_net, driver: vhost_vdpa}/
	s/attach: \[/&{device: made}, /' auto.yaml >more.yaml
ioasidctl apply more.yaml &
applier=$!
kill -CONT "$(holders)"
wait "$applier"
ioasidctl apply more.yaml
is "a device is made while another of its topology is being deleted" "$status" 0
wait "$deleter"
ok "and that ends, too"
comes_to "and what was deleted is pending" auto pending
is "the one that was made is held" "$(ask '.topologies[0].devices[] | select(.name == "made").state')" held
ioasidctl delete auto
is "delete succeeds" "$status" 0

# One that the topology has made itself.
follow
timeout 60 vdpa dev del vdpa8
ok "one that the topology made is deleted by others"
comes_to "show says that it has gone" own gone
ioasidctl --json apply own.yaml
is "apply makes it anew" "$status $(ask '.results[0].changed')" "0 true"
comes_to "show says that it is held" own held
sed 's/attach: .*/attach: []/' own.yaml >nowhere.yaml
ioasidctl apply nowhere.yaml
is "it is attached nowhere" "$status" 0
timeout 60 vdpa dev del vdpa8
ok "and let go all the same"
comes_to "it has gone once more" own gone
ioasidctl delete own
is "delete succeeds without it" "$status $(ls /sys/bus/vdpa/devices)" "0 "

# hotplug: attach
write_vdpa auto 'vdpa: vdpa9, hotplug: attach'
ioasidctl apply auto.yaml
is "declared before it is there" "$status" 0
follow
vdpa dev add name vdpa9 mgmtdev vdpasim_net
tells "it is attached when it comes" '.kind == "device-attached" and .device == "nic"'
comes_to "show says that it is held" auto held
for i in $(seq 100); do
	timeout 60 vdpa dev del vdpa9 && vdpa dev add name vdpa9 mgmtdev vdpasim_net || break
done
is "it goes and comes a hundred times" "$i" 100
comes_to "and is held in the end" auto held
goes_on "a hundred times"
# It may go in the middle of an attempt; but no round has many of them.
[ "$(jq -s 'map(select(.kind == "attach-failed" or .kind == "device-attached")) | length' events)" -le 110 ]
ok "with no more attempts than that"
ioasidctl delete auto
is "delete succeeds" "$status" 0
vdpa dev del vdpa9
end_all
finish
