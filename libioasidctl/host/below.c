// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/below.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/reach.h"
#include "host/root.h"
#include "host/sysfs.h"

/* Nobody stacks more; a tree that isn't one must come to an end. */
#define DEPTH_MAX 16

bool path_is_below(const char *dir, const char *path)
{
	size_t length = strlen(dir);

	return !strncmp(path, dir, length) && path[length] == '/';
}

static bool resolve(const char *path, char out[static PATH_MAX])
{
	return path && realpath(path, out);
}

static bool blocks_are_below(const char *root, const char *dir, const char *list, int depth);

bool address_is_below(const char *root, const char *dir, const char *address)
{
	char interface[REACH_INTERFACE_MAX];

	return host_reach(root, address, interface) && interface_is_below(root, dir, interface);
}

/* "traddr=10.0.0.1,trsvcid=4420,host_traddr=..." of an NVMe controller on a network */
static bool controller_is_reached_by(const char *root, const char *dir, const char *controller)
{
	static const char key[] = "traddr=";
	_cleanup_free_ char *path = root_path(controller, "/address");
	char text[SYSFS_TEXT_MAX];

	if (!strstr(controller, "/nvme-fabrics/") || !path ||
	    sysfs_read(path, text, sizeof(text)) < 0 || strncmp(text, key, strlen(key)) != 0)
		return false;
	text[strcspn(text, ",\n")] = '\0';
	return address_is_below(root, dir, text + strlen(key));
}

/* The part of a path that goes to the end of the component after `mark`; NULL: it has none. */
static char *path_to(const char *path, const char *mark)
{
	const char *at = strstr(path, mark);

	if (!at)
		return NULL;
	at += strlen(mark);
	return root_path("", "%.*s", (int)(at + strcspn(at, "/") - path), path);
}

/* Disks of a network: the way to them leads through an interface. */
static bool network_disk_is_below(const char *root, const char *dir, const char *path)
{
	_cleanup_free_ char *controller = path_to(path, "/nvme-fabrics/ctl/");
	_cleanup_free_ char *session = path_to(path, "/session"), *connection = NULL;
	char text[SYSFS_TEXT_MAX];

	if (controller && controller_is_reached_by(root, dir, controller))
		return true;
	if (!session)
		return false;
	connection = root_path(root, "/sys/class/iscsi_connection/connection%s:0/address",
			       strstr(session, "/session") + strlen("/session"));
	return connection && sysfs_read(connection, text, sizeof(text)) >= 0 &&
	       address_is_below(root, dir, text);
}

/*
 * With NVMe's own multipath a block device belongs to the subsystem, which links to its
 * controllers.
 */
static bool controllers_are_below(const char *root, const char *dir, const char *path)
{
	_cleanup_free_ char *subsystem = path_to(path, "/nvme-subsystem/");
	_cleanup_names_ struct name_list names = {0};

	if (!subsystem || sysfs_list(subsystem, &names))
		return false;
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_free_ char *link = root_path(subsystem, "/%s", names.names[i]);
		char controller[PATH_MAX];

		if (resolve(link, controller) && (path_is_below(dir, controller) ||
						  controller_is_reached_by(root, dir, controller)))
			return true;
	}
	return false;
}

/* `path` is the device's place in sysfs; of a partition, what its disk is made of counts. */
static bool block_path_is_below(const char *root, const char *dir, const char *path, int depth)
{
	_cleanup_free_ char *slaves = root_path(path, "/slaves");
	_cleanup_free_ char *disk_slaves = root_path(path, "/../slaves");

	if (path_is_below(dir, path) || controllers_are_below(root, dir, path) ||
	    network_disk_is_below(root, dir, path))
		return true;
	return depth < DEPTH_MAX && slaves && disk_slaves &&
	       (blocks_are_below(root, dir, slaves, depth + 1) ||
		blocks_are_below(root, dir, disk_slaves, depth + 1));
}

/* All entries of a directory of links to block devices. */
static bool blocks_are_below(const char *root, const char *dir, const char *list, int depth)
{
	_cleanup_names_ struct name_list names = {0};

	if (sysfs_list(list, &names))
		return false;
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_free_ char *link = root_path(root, "/sys/class/block/%s", names.names[i]);
		char path[PATH_MAX];

		if (resolve(link, path) && block_path_is_below(root, dir, path, depth))
			return true;
	}
	return false;
}

/* /dev/mapper and the like are links to what the kernel calls it. 0, -ENOENT or -ENOMEM. */
static int kernel_name(const char *root, const char *device, char **name)
{
	_cleanup_free_ char *node = root_path(root, "/dev/%s", device);

	if (!node)
		return -ENOMEM;
	if (sysfs_link(node, name))
		*name = strdup(device);
	if (!*name)
		return -ENOMEM;
	return strchr(*name, '/') ? -ENOENT : 0;
}

/* Of those of a file system, as sysfs lists them: "/sys/fs/btrfs/UUID/devices". */
static bool lists_device(const char *list, const char *name)
{
	_cleanup_free_ char *path = root_path(list, "/%s", name);

	return path && !access(path, F_OK);
}

bool btrfs_is_below(const char *root, const char *dir, const char *device)
{
	_cleanup_free_ char *all = root_path(root, "/sys/fs/btrfs"), *name = NULL;
	_cleanup_names_ struct name_list names = {0};

	if (!all || sysfs_list(all, &names) || kernel_name(root, device, &name))
		return false;
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_free_ char *list = root_path(all, "/%s/devices", names.names[i]);

		if (list && lists_device(list, name) && blocks_are_below(root, dir, list, 0))
			return true;
	}
	return false;
}

bool block_is_below(const char *root, const char *dir, const char *device)
{
	_cleanup_free_ char *link = NULL, *name = NULL;
	char path[PATH_MAX];

	if (strchr(device, ':')) {
		link = root_path(root, "/sys/dev/block/%s", device);
	} else if (!kernel_name(root, device, &name)) {
		link = root_path(root, "/sys/class/block/%s", name);
	}
	return resolve(link, path) && block_path_is_below(root, dir, path, 0);
}

static bool interface_at_depth(const char *root, const char *dir, const char *name, int depth)
{
	static const char mark[] = "lower_";
	_cleanup_free_ char *link = root_path(root, "/sys/class/net/%s", name);
	_cleanup_names_ struct name_list names = {0};
	char path[PATH_MAX];

	if (!resolve(link, path) || depth > DEPTH_MAX)
		return false;
	if (path_is_below(dir, path))
		return true;
	if (sysfs_list(path, &names))
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (!strncmp(names.names[i], mark, strlen(mark)) &&
		    interface_at_depth(root, dir, names.names[i] + strlen(mark), depth + 1))
			return true;
	return false;
}

bool interface_is_below(const char *root, const char *dir, const char *name)
{
	return !strchr(name, '/') && *name != '.' && interface_at_depth(root, dir, name, 0);
}
