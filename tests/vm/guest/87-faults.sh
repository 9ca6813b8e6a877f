# SPDX-License-Identifier: GPL-2.0-or-later
# Page faults and events of vIOMMUs, on the kernel's mock IOMMU: told by monitor, shown and answered
# by faults.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/vm/queues.sh"
remember_host

ioasidctl apply guest.yaml
is "apply: exit status" "$status" 0
"$tool" monitor --json guest >events 2>monitor.err &
monitor=$!
eventually heard '"monitoring"'
ioasidctl --json show
m0=$(ask '.topologies[].devices[].id')

ioasidctl faults guest
is "no fault so far" "$status $(<out)" "0 guest: no page fault waits"
op fault "$m0" 0 7 0x5000
ok "a fault is raised"
eventually heard '"kind":"page-fault".*"device":"m0".*"ioasid":"s1".*"iova":"0x5000"'
ok "monitor tells of it, with device, IOASID and address" || sed 's/^/#   /' events
ioasidctl --json faults guest s1
is "faults shows it" "$(ask '.faults[] | "\(.device) \(.ioasid) \(.iova) \(.fault_group) \(.access | join(" "))"')" \
	"m0 s1 0x5000 7 read write"
ioasidctl faults guest gpa
is "an IOASID without a queue is refused" "$status" 1
says "an IOASID without a queue: the way out" 'fault_queue: true'
ioasidctl faults guest --answer perhaps
is "an answer that is none is a usage error" "$status" 64
ioasidctl faults guest --answer invalid
grep -q '1 answered: invalid' out
ok "it is answered"
ioasidctl faults guest
is "and waits no more" "$(<out)" "guest: no page fault waits"

op event "$m0"
ok "an event is raised"
eventually heard '"kind":"viommu-event".*"viommu":"v".*"words":\["0x18"'
ok "monitor tells of it, in the guest's name for the device" || sed 's/^/#   /' events

ioasidctl apply guest.yaml
grep -q 'nothing to do' out
ok "apply has nothing to do"
op fault "$m0" 0 8 0x6000
eventually heard '"iova":"0x6000"'
ok "faults are told after it, too"

# More than are taken at a time come while the holder is busy.
all_are_there() {
	ioasidctl --json faults guest
	[ "$(ask '.faults | length')" = 41 ]
}
kill -STOP "$(holders)"
for ((i = 0; i < 40; i++)); do
	op fault "$m0" 0 $((100 + i)) 0x7000
done
kill -CONT "$(holders)"
eventually all_are_there
ok "none of many that came together is left behind" || ask '"#   \(.faults | length)"'
ioasidctl delete guest
is "delete with a fault that nobody answered: exit status" "$status" 0
kill "$monitor" 2>/dev/null
wait "$monitor" 2>/dev/null
check_host "after delete"
finish
