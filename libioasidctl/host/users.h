/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who uses a device so that it can't leave its driver. */
#pragma once

#include <sys/types.h>

struct iommu_group;

/*
 * The driver of a VFIO or vhost-vdpa device doesn't let go of it before the last process has closed
 * it, nor before the last mapping of it is gone, and whoever asked for that waits and can't be
 * killed. Here is who that would be: "pid 1234 (qemu-system-x86, vm0.service)"; *text owned, NULL:
 * nobody that could be seen, or a driver that needn't wait. `dir` is the device's, `except` (0:
 * nobody) is left out. 0 or -errno.
 */
int host_device_users(const char *root, const char *dir, pid_t except, char **text);

/*
 * Processes other than `except` (0: nobody) that have the group's node, or a device of it but that
 * with the node `but_node` (NULL: any). As above.
 */
int iommu_group_users(const char *root, const struct iommu_group *group, const char *but_node,
		      pid_t except, char **text);
