# SPDX-License-Identifier: GPL-2.0-or-later
# The table of cases on VFIO's containers of Debian's own kernel.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host
conformance vfio
finish
