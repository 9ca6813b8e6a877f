# SPDX-License-Identifier: GPL-2.0-or-later
# The cases that every driver must pass, on Linux.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

export CMOCKA_MESSAGE_OUTPUT=TAP
for IOASIDCTL_TEST_DRIVER in iommufd vfio; do
	export IOASIDCTL_TEST_DRIVER
	for program in "$BUILD"/tests/conformance/test_*; do
		[ -x "$program" ] || continue
		"$program" >out 2>err </dev/null
		status=$?
		adopt "$(basename "$program")" out
		is "$(basename "$program") on $IOASIDCTL_TEST_DRIVER ends well" "$status" 0
		check_host "after $(basename "$program") on $IOASIDCTL_TEST_DRIVER"
	done
done
finish
