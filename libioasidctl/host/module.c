// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/module.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/root.h"
#include "host/sysfs.h"

static char plain(char c)
{
	return c == '-' ? '_' : c;
}

/* "kernel/drivers/vfio/pci/vfio-pci.ko.xz: ..." */
static bool is_called(const char *line, const char *name)
{
	const char *end = line + strcspn(line, ":\n"), *slash = line;

	for (const char *p = line; p < end; p++)
		if (*p == '/')
			slash = p + 1;
	while (*name && plain(*name) == plain(*slash)) {
		name++;
		slash++;
	}
	return !*name && !strncmp(slash, ".ko", 3);
}

/* 1: listed; 0: not; -1: there is no such list. */
static int is_listed(const char *root, const char *release, const char *list, const char *name)
{
	_cleanup_free_ char *path = root_path(root, "/lib/modules/%s/%s", release, list);
	_cleanup_fclose_ FILE *f = path ? fopen(path, "re") : NULL;
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (!f)
		return -1;
	while (getline(&line, &size, f) > 0)
		if (is_called(line, name))
			return 1;
	return 0;
}

enum module_state host_module(const char *root, const char *name)
{
	_cleanup_free_ char *path = root_path(root, "/proc/sys/kernel/osrelease");
	char release[256];
	int builtin, loadable;

	if (!path || sysfs_read(path, release, sizeof(release)) || strchr(release, '/'))
		return MODULE_UNKNOWN;
	builtin = is_listed(root, release, "modules.builtin", name);
	if (builtin > 0)
		return MODULE_BUILTIN;
	loadable = is_listed(root, release, "modules.dep", name);
	if (loadable > 0)
		return MODULE_LOADABLE;
	return builtin < 0 || loadable < 0 ? MODULE_UNKNOWN : MODULE_ABSENT;
}
