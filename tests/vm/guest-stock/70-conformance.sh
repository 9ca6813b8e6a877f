# SPDX-License-Identifier: GPL-2.0-or-later
# The cases that every driver must pass, on VFIO's containers of Debian's own kernel.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

CMOCKA_MESSAGE_OUTPUT=TAP IOASIDCTL_TEST_DRIVER=vfio \
	"$BUILD/tests/conformance/test_topologies" >out 2>err </dev/null
status=$?
adopt test_topologies out
is "test_topologies ends well" "$status" 0
check_host "after test_topologies"
finish
