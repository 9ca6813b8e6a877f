# SPDX-License-Identifier: GPL-2.0-or-later
# The table of cases on VFIO's containers of Debian's own kernel.
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
remember_host

# 10-life loads them, if it is run at all.
if [ ! -e /dev/vfio/vfio ]; then
	while read -r module; do
		busybox insmod "$STOCK/vfio/$module"
	done <"$STOCK/vfio/order"
fi
conformance vfio
finish
