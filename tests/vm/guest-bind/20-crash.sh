# SPDX-License-Identifier: GPL-2.0-or-later
# The holder is killed before and after each of its writes to sysfs in turn, in the middle of apply
# and in the middle of delete: the next one gives every device its driver and its override back.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
member=0000:05:02.0

cat >take.yaml <<'END'
version: 1
name: vm
memory:
  - {name: ram, size: 1M}
devices:
  - {name: edu3, pci: "0000:05:01.0", driver: vfio-pci, group: take}
fds:
  - name: main
    ioasids:
      - {name: gpa, map: [{iova: 0x100000, memory: ram, length: 1M}], attach: [{device: edu3}]}
END
echo virtio-pci >/sys/bus/pci/devices/$member/driver_override
remember_host

crashing_holder() { # N WHEN
	KILL_AT=$1 KILL_WHEN=$2 KILL_BELOW=/sys/ KILL_ARMED=$work/armed \
		LD_PRELOAD=$BUILD/tests/vm/preload/kill_at_write.so start_holder
}

same_drivers() {
	host_drivers | cmp -s host.before -
}

next_start_restores() {
	eventually is_gone "$holder"
	rm -f armed
	start_holder
	eventually same_drivers
	local same=$?
	end_holder
	return $same
}

# Each prints how many crashes there were, and stops at the first that isn't restored.
crash_in_apply() { # WHEN
	local i
	for i in $(seq 30); do
		crashing_holder "$i" "$1"
		touch armed
		ioasidctl apply take.yaml
		if [ "$status" -eq 0 ]; then
			rm -f armed
			end_holder
			break
		fi
		next_start_restores || break
	done
	crashes=$((i - 1))
	host_drivers | diff host.before - | sed "s/^/# apply, $1 write $i: /"
	same_drivers && [ "$i" -lt 30 ]
}

crash_in_delete() { # WHEN
	local i
	for i in $(seq 30); do
		crashing_holder "$i" "$1"
		ioasidctl apply take.yaml
		touch armed
		ioasidctl delete vm
		if [ "$status" -eq 0 ]; then
			end_holder
			break
		fi
		next_start_restores || break
	done
	crashes=$((i - 1))
	host_drivers | diff host.before - | sed "s/^/# delete, $1 write $i: /"
	same_drivers && [ "$i" -lt 30 ]
}

for when in before after; do
	crash_in_apply $when
	ok "killed $when any write of apply ($crashes of them): the next start restores"
	is "killed $when any write of apply: it has so many" "$crashes" 7
	crash_in_delete $when
	ok "killed $when any write of delete ($crashes of them): the next start restores"
	is "killed $when any write of delete: it has so many" "$crashes" 5
done
# Not in the middle of anything.
start_holder
ioasidctl apply take.yaml
is "applied" "$status" 0
kill -KILL "$holder"
next_start_restores
ok "killed when all was done: the next start restores"
check_host "after all of them"
echo >/sys/bus/pci/devices/$member/driver_override
finish
