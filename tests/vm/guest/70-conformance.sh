# SPDX-License-Identifier: GPL-2.0-or-later
# The cases that every driver must pass, on Linux.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

export CMOCKA_MESSAGE_OUTPUT=TAP
cases() { # DRIVER PROGRAM...
	local program name
	export IOASIDCTL_TEST_DRIVER=$1
	shift
	for program; do
		[ -x "$program" ] || continue
		name="$(basename "$program") on $IOASIDCTL_TEST_DRIVER"
		"$program" >out 2>err </dev/null
		status=$?
		adopt "$name" out
		is "$name ends well" "$status" 0
		check_host "after $name"
	done
}
cases iommufd "$BUILD"/tests/conformance/test_*
# The others are about what VFIO hasn't got.
cases vfio "$BUILD/tests/conformance/test_topologies"
check_kernel
finish
