/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the host itself uses a device for, and would lose with it. */
#pragma once

/*
 * "/ is mounted from nvme0n1p2; eth0 has the default route": mounted file systems (block devices,
 * 9p and virtiofs), swap, default routes, as this process and the first one see them. `dir` is the
 * device's directory in sysfs. *text owned; NULL: nothing that can be seen. 0 or -ENOMEM.
 */
int host_device_carries(const char *root, const char *dir, char **text);
