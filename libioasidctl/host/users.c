// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/device.h"
#include "host/group.h"
#include "host/holders.h"
#include "host/root.h"
#include "host/vdpa.h"

int host_device_users(const char *root, const char *dir, pid_t except, char **text)
{
	_cleanup_free_ char *node = NULL, *driver = NULL, *group_node = NULL;
	_cleanup_holders_ struct node_holders holders = {0};
	uint32_t group;
	int ret;

	*text = NULL;
	if (host_device_vfio(dir, &node) && host_vdpa_node(dir, &node) &&
	    (host_device_driver(dir, &driver) || !driver || !strstr(driver, "vfio")))
		return 0;
	ret = node_users_read(root, &holders);
	if (!ret)
		ret = node_holders_text(&holders, (const char *const[]){node, NULL},
					(const char *const[]){strrchr(dir, '/') + 1, NULL}, except,
					text);
	if (ret || *text || host_device_group(dir, &group) || group == NO_INDEX)
		return ret;
	/* This process knows what it has: other members of the group. */
	group_node = root_path("", "/dev/vfio/%u", group);
	return group_node ? node_holders_unidentified(&holders, group_node,
						      except ? except : getpid(), text)
			  : -ENOMEM;
}

int iommu_group_users(const char *root, const struct iommu_group *group, const char *but_node,
		      pid_t except, char **text)
{
	_cleanup_free_ const char **nodes = calloc(group->n_members + 2, sizeof(*nodes));
	_cleanup_free_ const char **devices = calloc(group->n_members + 1, sizeof(*devices));
	_cleanup_free_ char *group_node = root_path("", "/dev/vfio/%u", group->number);
	_cleanup_holders_ struct node_holders holders = {0};
	size_t n = 0, n_devices = 0;
	int ret;

	*text = NULL;
	if (!nodes || !devices || !group_node)
		return -ENOMEM;
	nodes[n++] = group_node;
	for (size_t i = 0; i < group->n_members; i++) {
		const struct iommu_group_member *m = &group->members[i];

		if (but_node && m->node && !strcmp(m->node, but_node))
			continue;
		devices[n_devices++] = m->address;
		if (m->node)
			nodes[n++] = m->node;
	}
	ret = node_users_read(root, &holders);
	return ret ? ret : node_holders_text(&holders, nodes, devices, except, text);
}
