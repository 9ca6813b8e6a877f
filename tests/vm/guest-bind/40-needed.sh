# SPDX-License-Identifier: GPL-2.0-or-later
# What the host itself uses a device for: named, and taken only by force.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
nvme=0000:06:00.0

write() { # FILE BDF [MORE]
	cat >"$1" <<END
version: 1
name: vm
memory:
  - {name: ram, size: 1M}
devices:
  - {name: dev0, pci: "$2", driver: vfio-pci$3}
fds:
  - name: main
    ioasids:
      - {name: gpa, map: [{iova: 0x100000, memory: ram, length: 1M}], attach: [{device: dev0}]}
END
}
write nic.yaml 0000:01:00.0
write nic-forced.yaml 0000:01:00.0 ', force: true'
write disk.yaml $nvme

# The default route.
ip link set eth0 up && ip address add 127.1.0.1/24 dev eth0 && ip route add default dev eth0
ok "eth0 has the default route"
remember_host
ioasidctl -v apply nic.yaml
is "the default route: refused" "$status" 1
says "the default route: named, with the way out" 'dev0 \(0000:01:00\.0\)' \
	'eth0 has the default route' 'force: true'
is "the default route: nothing was written" "$(grep -c '^write ' err)" 0
check_host "the default route"
ioasidctl apply nic-forced.yaml
is "by force: applies" "$status" 0
is "by force: it is taken" "$(driver_of 0000:01:00.0)" vfio-pci
ioasidctl delete vm
is "by force: delete" "$status" 0
check_host "by force"
ip route show default | grep -q . && ip route del default
ioasidctl apply nic.yaml
is "without the route: applies" "$status" 0
ioasidctl delete vm

# A mounted file system. This kernel has none for disks of its own, but FUSE's work on a disk too.
if [ ! -b /dev/nvme0n1 ]; then
	echo "# this QEMU's NVMe controller has no disk"
	finish
	exit
fi
cat >mount.py <<'END'
import ctypes, os, time
fuse = os.open('/dev/fuse', os.O_RDWR)
options = f'fd={fuse},rootmode=40000,user_id=0,group_id=0'
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b'/dev/nvme0n1', b'/srv', b'fuseblk', 0, options.encode()):
    raise OSError(ctypes.get_errno(), 'mount')
print('mounted', flush=True)
time.sleep(1000)
END
/usr/bin/python3 mount.py >mount.out 2>&1 &
mounter=$!
disown $mounter
eventually grep -q mounted mount.out
ok "a file system is mounted from the disk" || sed 's/^/#   /' mount.out
ioasidctl apply disk.yaml
is "a mounted file system: refused" "$status" 1
says "a mounted file system: named" "dev0 \\($nvme\\)" '/srv is mounted from nvme0n1'
check_host "a mounted file system"
umount -l /srv
kill $mounter
eventually is_gone $mounter
ioasidctl apply disk.yaml
is "unmounted: applies" "$status" 0
ioasidctl delete vm
is "unmounted: delete" "$status" 0
eventually test -b /dev/nvme0n1
check_host "at the end"
finish
