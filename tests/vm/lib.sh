# SPDX-License-Identifier: GPL-2.0-or-later
# What the guest's scripts share: TAP, the tool, and what the machine looks like from outside.
# shellcheck shell=bash

tool=$BUILD/ioasidctl
work=$(mktemp -d)
cd "$work" || exit 1
n=0

ok() { # DESCRIPTION: what the last command's status says
	local status=$?
	n=$((n + 1))
	if [ "$status" -eq 0 ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		head -n 40 out err 2>/dev/null | sed 's/^/#   /'
	fi
	return "$status"
}

is() { # DESCRIPTION GOT WANTED
	[ "$2" = "$3" ]
	ok "$1" || echo "#   got '$2', wanted '$3'"
}

# The message must hold each of the patterns (extended regular expressions).
says() { # DESCRIPTION PATTERN...
	local description=$1 pattern missing=
	shift
	for pattern in "$@"; do
		tr '\n' ' ' <err | tr -s ' ' | grep -qE -e "$pattern" || missing+=" /$pattern/"
	done
	[ -z "$missing" ]
	ok "$description" || echo "#   missing:$missing"
}

# The tests of a program inside become tests of ours.
adopt() { # DESCRIPTION FILE
	local line
	while read -r line; do
		case $line in
		"ok "* | "not ok "*)
			n=$((n + 1))
			echo "${line%%ok *}ok $n - $1: ${line#*ok * - }"
			;;
		"1.."*) ;;
		*) echo "# $line" ;;
		esac
	done <"$2"
}

finish() {
	echo "1..$n"
}

# Runs the tool; its output is in the files out and err, its exit status in $status.
ioasidctl() {
	timeout -k 5 "${TOOL_TIMEOUT:-120}" "$tool" "$@" >out 2>err </dev/null
	status=$?
}

# Asks the JSON in the file out.
ask() { # FILTER [JQ-OPTION...]
	local filter=$1
	shift
	jq -r "$@" "$filter" out 2>&1
}

driver_of() { # BDF
	local link
	link=$(readlink "/sys/bus/pci/devices/$1/driver") && echo "${link##*/}"
}

# Every PCI device's driver and override: what has to be as before afterwards. As few processes as
# possible, for the machine is slow.
host_drivers() {
	ls -l /sys/bus/pci/devices/*/driver | awk '{ print $(NF - 2), $NF }'
	grep -H '' /sys/bus/pci/devices/*/driver_override
}

# Pages that someone has pinned for DMA at this moment, machine-wide.
pinned_pages() {
	# The counters are kept per CPU; this sums them up.
	cat /proc/sys/vm/stat_refresh >/dev/null
	awk '$1 == "nr_foll_pin_acquired" { n += $2 } $1 == "nr_foll_pin_released" { n -= $2 }
		END { print n }' /proc/vmstat
}

# Descriptors of IOMMU and VFIO nodes, by whoever holds them.
open_nodes() {
	find /proc/[0-9]*/fd -lname '/dev/iommu' -o -lname '/dev/vfio/*' 2>/dev/null
}

holders() {
	local process
	if command -v pgrep >/dev/null; then
		pgrep -f 'ioasidctl daemon'
		return
	fi
	for process in /proc/[0-9]*; do
		tr '\0' ' ' <"$process/cmdline" | grep -q 'ioasidctl daemon' && echo "${process##*/}"
	done 2>/dev/null
}

# A holder of the test's own, in $holder. Returns once it listens: the socket of one that was killed
# is still there.
start_holder() { # OPTION...
	rm -f ready
	"$tool" daemon --ready-fd 3 "$@" 3>ready >holder.out 2>&1 &
	holder=$!
	# Its death is the test's business, not the shell's.
	disown "$holder"
	eventually test -s ready
}

is_gone() { # PID
	! kill -0 "$1" 2>/dev/null
}

end_holder() {
	kill "$holder" 2>/dev/null
	eventually is_gone "$holder"
}

# Tries a command for as long as ten seconds: processes take a moment to end.
eventually() {
	local i
	for i in $(seq 100); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}

nothing_left() {
	[ -z "$(open_nodes)" ] && [ -z "$(holders)" ]
}

# What a kernel says of its own mistakes, provoked by us or not.
check_kernel() {
	! dmesg | grep -E -A 8 'WARNING:|BUG:|refcount_t' | sed 's/^/#   /' | grep .
	ok "the kernel has nothing to complain about"
}

# A command for QEMU's monitor, such as "device_del nic". Its prompt must not be echoed back to it.
qemu_monitor() {
	busybox stty -F /dev/ttyS2 raw -echo
	printf '\n%s\n' "$*" >/dev/ttyS2
}

# All that a topology could leave behind: call before it exists, and again when it is gone.
remember_host() {
	host_drivers >host.before
	pinned_before=$(pinned_pages)
	huge_before=$(grep HugePages_Free /proc/meminfo)
}

check_host() { # DESCRIPTION of the occasion
	eventually nothing_left
	ok "$1: no descriptor and no process is left" || { open_nodes; holders; } | sed 's/^/#   /'
	host_drivers >host.after
	cmp -s host.before host.after
	ok "$1: every device has its original driver" || diff host.before host.after | sed 's/^/#   /'
	is "$1: no page is pinned" "$(pinned_pages)" "$pinned_before"
	is "$1: no huge page is used" "$(grep HugePages_Free /proc/meminfo)" "$huge_before"
}

# The table of cases that every driver must pass.
conformance() { # BACKEND...
	IOASIDCTL_TEST_BACKENDS=$* "$BUILD/tests/conformance/test_cases" >out 2>err </dev/null
	status=$?
	adopt "the table of cases" out
	is "the table of cases on $* ends well" "$status" 0
	check_host "after the cases on $*"
}
