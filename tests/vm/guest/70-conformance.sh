# SPDX-License-Identifier: GPL-2.0-or-later
# The table of cases on what this kernel has; and what only the mock IOMMU can show of a driver.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

for backend in mock vt-d vfio; do
	conformance "$backend"
done
export CMOCKA_MESSAGE_OUTPUT=TAP IOASIDCTL_TEST_DRIVER=iommufd
for program in "$BUILD"/tests/conformance/test_mock_*; do
	[ -x "$program" ] || continue
	name=${program##*/}
	"$program" >out 2>err </dev/null
	status=$?
	adopt "$name" out
	is "$name ends well" "$status" 0
	check_host "after $name"
done
check_kernel
finish
