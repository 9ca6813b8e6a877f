#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ioasidctl host` against `lspci -k` on the same generated tree of 1,000 devices in 500 groups: the
# best of some runs of each, in turn. lspci shows less (no groups, IOMMUs, nodes or holders), and
# here it can't look for modules, which costs it time on a real machine.
#
#   BUILD=build tests/bench/host.sh
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lspci=$(PATH=$PATH:/usr/sbin:/sbin command -v lspci) || {
	echo "host: no lspci to compare with (package pciutils)"
	exit 0
}
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
/usr/bin/python3 "$here/make_host_tree.py" "$tree" 1000 || exit 1

best=()
measure() { # INDEX COMMAND...
	local from to
	from=${EPOCHREALTIME/./}
	"${@:2}" >/dev/null 2>&1 || exit 1
	to=${EPOCHREALTIME/./}
	if [ -z "${best[$1]:-}" ] || [ $((to - from)) -lt "${best[$1]}" ]; then
		best[$1]=$((to - from))
	fi
}
for _ in $(seq 10); do
	measure 0 "$BUILD/ioasidctl" host --root "$tree"
	measure 1 "$BUILD/ioasidctl" host --json --root "$tree"
	measure 2 "$lspci" -k -A linux-sysfs -O "sysfs.path=$tree/sys/bus/pci"
done
awk -v tree="${best[0]}" -v json="${best[1]}" -v lspci="${best[2]}" 'BEGIN {
	printf "host, 1,000 devices: %.1f ms, --json %.1f ms; lspci -k %.1f ms; ratio %.2f, --json %.2f\n",
		tree / 1000, json / 1000, lspci / 1000, tree / lspci, json / lspci
}'
