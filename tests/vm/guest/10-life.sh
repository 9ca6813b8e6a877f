# SPDX-License-Identifier: GPL-2.0-or-later
# The example for pass-through on the best interface of this kernel.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
. "$TOP/tests/vm/life.sh"
remember_host
live iommufd
finish
