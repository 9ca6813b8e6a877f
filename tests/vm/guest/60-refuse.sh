# SPDX-License-Identifier: GPL-2.0-or-later
# Who may not, and what is taken.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host
chmod 755 "$work"

cat >vm.yaml <<'END'
version: 1
name: vm
memory:
  - {name: ram, size: 1M}
devices:
  - {name: edu0, pci: "0000:00:03.0", driver: vfio-pci}
fds:
  - name: main
    driver: iommufd
    ioasids:
      - {name: gpa, kind: gpa, map: [{iova: 0x100000, memory: ram, length: 1M}], attach: [{device: edu0}]}
END
sed 's/name: vm$/name: other/' vm.yaml >other.yaml
chmod 644 ./*.yaml

# An unprivileged user: the checkout may be out of their reach, so they get a copy.
install -m 755 "$tool" /usr/local/bin/ioasidctl-copy
mkdir -m 700 run && chown nobody run
as_nobody() {
	setpriv --reuid nobody --regid nogroup --clear-groups env XDG_RUNTIME_DIR="$work/run" \
		timeout 60 /usr/local/bin/ioasidctl-copy "$@" >out 2>err </dev/null
	status=$?
}
as_nobody run vm.yaml -- true
is "run by an ordinary user: not permitted" "$status" 77
says "run by an ordinary user: says on what" '/dev/iommu|0000:00:03\.0' '[Pp]ermi|root'
as_nobody apply vm.yaml
is "apply by an ordinary user: not permitted" "$status" 77
says "apply by an ordinary user: says on what" '/dev/iommu|0000:00:03\.0' '[Pp]ermi|root'
check_host "after an ordinary user"

ioasidctl apply vm.yaml
is "apply by root" "$status" 0
ioasidctl --json show
cp out before.json
as_nobody --socket /run/ioasidctl/control delete vm
is "root's topology deleted by an ordinary user: not permitted" "$status" 77
ioasidctl apply other.yaml
is "a device of another topology: refused" "$status" 1
says "a device of another topology: names it and its owner" 'edu0|0000:00:03\.0' '(^|[^a-z])vm([^a-z]|$)'
ioasidctl run other.yaml -- true
is "a device of another process: refused" "$status" 1
says "a device of another process: names it" '0000:00:03\.0|edu0' "$(holders | head -n 1)" 'ioasidctl'
ioasidctl --json show
cmp -s before.json out
ok "the live topology is the same"
ioasidctl delete vm
is "delete succeeds" "$status" 0
check_host "after delete"

# A device that some other program has open and bound.
echo vfio-pci >/sys/bus/pci/devices/0000:00:03.0/driver_override
echo 0000:00:03.0 >/sys/bus/pci/drivers_probe
host_drivers >taken.before
cat >squatter.py <<'END'
import array, fcntl, glob, os, struct, time
node = glob.glob('/sys/bus/pci/devices/0000:00:03.0/vfio-dev/vfio*')[0]
device = os.open('/dev/vfio/devices/' + os.path.basename(node), os.O_RDWR)
iommu = os.open('/dev/iommu', os.O_RDWR)
# VFIO_DEVICE_BIND_IOMMUFD: argsz, flags, iommufd, out_devid
fcntl.ioctl(device, 0x3b76, array.array('B', struct.pack('IIiI', 16, 0, iommu, 0)))
print('bound', flush=True)
time.sleep(1000)
END
/usr/bin/python3 squatter.py >squatter.out 2>&1 &
squatter=$!
eventually grep -q bound squatter.out
ok "another program has the device"
ioasidctl apply vm.yaml
is "a device that another program has: refused" "$status" 1
says "a device that another program has: names the device and the program" \
	'edu0|0000:00:03\.0' "$squatter" 'python3'
kill "$squatter"
wait "$squatter" 2>/dev/null
eventually nothing_left
ok "nothing is left of the attempt"
host_drivers | cmp -s taken.before -
ok "the drivers are as they were before the attempt"
echo 0000:00:03.0 >/sys/bus/pci/drivers/vfio-pci/unbind
echo >/sys/bus/pci/devices/0000:00:03.0/driver_override
check_host "at the end"
finish
