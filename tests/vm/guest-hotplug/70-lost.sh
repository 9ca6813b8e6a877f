# SPDX-License-Identifier: GPL-2.0-or-later
# Device events that the kernel had to drop, and some that aren't the kernel's; who may follow them.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/vm/hotplug.sh"
remember_host
nic=0000:00:04.0

echo 1 >"$devices/$nic/remove"
is_away
ok "a device isn't there"
write auto 'driver: vfio-pci, hotplug: attach'
ioasidctl apply auto.yaml
is "a topology waits for it" "$status" 0
holder=$(holders)
follow

# By the group, and to the holder's own socket, as root.
cat >forge.py <<'END'
import socket
text = b"add@/devices/pci0000:00/0000:00:1e.0\0ACTION=add\0" \
       b"DEVPATH=/devices/pci0000:00/0000:00:1e.0\0SUBSYSTEM=pci\0SEQNUM=1\0"
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15)
ports = [int(line.split()[2]) for line in open('/proc/net/netlink').readlines()[1:]
         if line.split()[1] == '15' and int(line.split()[2])]
for port, group in [(0, 1)] + [(p, 0) for p in ports]:
    try:
        s.sendto(text, (port, group))
    except ConnectionRefusedError:
        pass
print(len(ports))
END
[ "$(/usr/bin/python3 forge.py)" -ge 1 ]
ok "somebody sends what looks like a device event, to the holder, too"
echo change >"$devices/0000:00:03.0/uevent"
echo add >"$devices/0000:00:03.0/uevent"
tells "the kernel's own are told" '.kind == "device-added" and .address == "0000:00:03.0"'
! grep -q '0000:00:1e.0' events
ok "what isn't the kernel's is not"

kill -STOP "$holder"
for _ in $(seq 8000); do
	echo change >"$devices/0000:00:03.0/uevent"
done
echo 1 >/sys/bus/pci/rescan
is_there
ok "the device comes, while the holder can't take more events"
kill -CONT "$holder"
tells "that some were lost is told" '.kind == "kernel-lost"'
comes_to "the holder has looked itself: the device is attached" auto held

# Somebody without any rights.
chmod 755 .
setpriv --reuid 1234 --clear-groups "$tool" --socket /run/ioasidctl/control monitor --json >theirs 2>/dev/null &
other=$!
eventually grep -q monitoring theirs
ok "somebody without rights may follow what is his"
echo add >"$devices/0000:00:03.0/uevent"
ioasidctl delete auto
is "delete succeeds" "$status" 0
tells "root is told" '.kind == "deleted" and .topology == "auto"'
is "he is told nothing of it" "$(wc -l <theirs)" 1
kill "$other"
end_all
finish
