# SPDX-License-Identifier: GPL-2.0-or-later
# The reference device and the kernel's mock IOMMU, given the same random calls. More of them:
#	IOASIDCTL_SEQUENCES=10000 tests/vm/run tests/vm/guest/75-differential.sh
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

export IOASIDCTL_TEST_DRIVER=iommufd IOASIDCTL_SEQUENCES=${IOASIDCTL_SEQUENCES:-500}
"$BUILD/tests/conformance/test_differential" >out 2>err </dev/null
adopt "random calls" out
check_host "afterwards"
finish
