# SPDX-License-Identifier: GPL-2.0-or-later
# A device that somebody still has can't be given back to its driver, whose unbinding would wait for
# them without end: said before anything is undone, and survived where they can't be seen.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/vm/one_device.sh"
. "$TOP/tests/vm/use.sh"
nic=0000:01:00.0

for driver in iommufd vfio; do
	write vm.yaml vm $nic $driver
	remember_host
	for how in open mapped; do
		ioasidctl apply vm.yaml
		is "$driver, $how: apply" "$status" 0
		use $how
		ioasidctl --json show
		cp out before.json
		ioasidctl explain $nic
		grep -q "no  *pid .*(ioasidctl).* has it open" out
		ok "$driver, $how: explain names the holder"
		ioasidctl -v delete vm
		is "$driver, $how: delete is refused" "$status" 1
		says "$driver, $how: delete says by whom" "vm-dev \\($nic\\)" "pid $user \\(python3" 'nothing has changed'
		ioasidctl --json show
		cmp -s before.json out
		ok "$driver, $how: the live topology is the same"
		sed '/^devices/d; s/, attach.*/}]/' vm.yaml >less.yaml
		ioasidctl apply less.yaml
		is "$driver, $how: so is an apply without the device" "$status" 1
		says "$driver, $how: apply says by whom" "vm-dev \\($nic\\)" "pid $user \\(python3"
		ioasidctl --json show
		cmp -s before.json out
		ok "$driver, $how: the live topology is still the same" || diff before.json out | sed 's/^/#   /'
		end_user
		ioasidctl delete vm
		is "$driver, $how: delete when the program has gone" "$status" 0
	done
	check_host "$driver: after delete"
done

# `run` gives back what it can: its command has ended, and what it left running has the device.
write vm.yaml vm $nic iommufd
cat >leave.py <<'END'
import ctypes, os, sys, time
libc = ctypes.CDLL(None)
libc.mmap(None, ctypes.c_size_t(4096), 3, 1, int(sys.argv[1]), ctypes.c_long(0))
if os.fork():
    os._exit(0)
os.closerange(3, 100)
open('left', 'w').write(str(os.getpid()))
time.sleep(1000)
END
remember_host
ioasidctl run vm.yaml -- /usr/bin/python3 leave.py '{fd:vm-dev}'
is "run, something left running: status" "$status" 1
eventually test -s left
user=$(<left)
says "run, something left running: named" "$nic can't leave vfio-pci: it is open: held by pid $user \\(python3; by a mapping\\)"
is "run, something left running: the rest has been given back" "$(open_nodes | wc -l)" 0
end_user
echo $nic >/sys/bus/pci/drivers/vfio-pci/unbind
echo $nic >/sys/bus/pci/drivers/e1000e/bind
check_host "run, something left running"

# Somebody who can't be seen: the holder doesn't wait for them, and the next one gives the device back.
start_holder
ioasidctl apply vm.yaml
is "hidden: apply" "$status" 0
use hidden
TOOL_TIMEOUT=200 ioasidctl delete vm
is "hidden: delete ends" "$status" 1
says "hidden: delete says what it waited for" "$nic" 'takes more than 60 s' "a process that this one can't see"
ioasidctl show
is "hidden: the holder goes on" "$status" 0
end_holder
is_gone "$holder"
ok "hidden: and ends when it is told to"
start_holder
eventually grep -q "topology vm: device vm-dev .$nic. could not be given back to e1000e" holder.out
ok "hidden: the next holder tries to give it back" || sed 's/^/#   /' holder.out
end_user
end_holder
start_holder
has_driver_back() { [ "$(driver_of $nic)" = e1000e ]; }
eventually has_driver_back
ok "hidden: it has its driver again" || sed 's/^/#   /' holder.out
end_holder
check_host "hidden: at the end"
check_kernel
finish
