# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
. "$TOP/tests/vm/lib.sh"
echo vfio-pci >/sys/bus/pci/devices/0000:00:03.0/driver_override
echo 0000:00:03.0 >/sys/bus/pci/drivers_probe
"$BUILD/tests/bench/bench_apply" iommufd 10000 50000 >out 2>err
ok "the bench ran"
sed 's/^/# /' out
finish
