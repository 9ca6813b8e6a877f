# SPDX-License-Identifier: GPL-2.0-or-later
# The table of cases on an SMMUv3.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host
conformance smmuv3
check_kernel
finish
