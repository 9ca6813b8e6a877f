// SPDX-License-Identifier: LGPL-2.1-or-later
/* IOMMU groups: /sys/kernel/iommu_groups. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "host/group.h"
#include "host/root.h"
#include "host/scan.h"
#include "host/sysfs.h"

/* A device that the buses showed, by group and address. */
struct known {
	uint64_t group;
	const char *address;
	size_t index;
};

static int compare_known(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	return x->group != y->group ? (x->group > y->group) - (x->group < y->group)
				    : strcmp(x->address, y->address);
}

struct members {
	struct host_scan *scan;
	struct known *known;
	size_t n_known;
};

static int index_devices(struct members *m)
{
	const struct host *host = m->scan->host;

	m->known = calloc(host->n_devices + 1, sizeof(*m->known));
	if (!m->known)
		return -ENOMEM;
	for (size_t i = 0; i < host->n_devices; i++)
		m->known[m->n_known++] =
			(struct known){host->devices[i].group, host->devices[i].address, i};
	qsort(m->known, m->n_known, sizeof(*m->known), compare_known);
	return 0;
}

/* The bus of a device, as long-lived text; NULL: it has none (or went away). */
static const char *bus_of(struct host_scan *scan, int directory, const char *name)
{
	char path[NAME_MAX + sizeof("/subsystem")], target[PATH_MAX];
	const char *slash;

	snprintf(path, sizeof(path), "%s/subsystem", name);
	if (sysfs_target_at(directory, path, target, sizeof(target)))
		return NULL;
	slash = strrchr(target, '/');
	return slash ? scan_keep(scan, slash + 1) : NULL;
}

/* The member's place in the list of devices, where a platform device comes in now. -1: gone. */
static ssize_t find_member(struct members *m, uint64_t group, int directory, const char *name)
{
	const struct known wanted = {group, name, 0}, *known;
	struct host *host = m->scan->host;
	size_t before = host->n_devices;
	const char *bus;

	known = bsearch(&wanted, m->known, m->n_known, sizeof(wanted), compare_known);
	if (known)
		return (ssize_t)known->index;
	bus = bus_of(m->scan, directory, name);
	if (bus && scan_device(m->scan, bus, directory, name))
		m->scan->no_memory = true;
	return host->n_devices > before ? (ssize_t)before : -1;
}

static void add_member(const struct host *host, struct host_group *group, size_t index)
{
	const struct host_device *d = &host->devices[index];

	group->members[group->n_members++] = d->address;
	group->iommu = d->iommu ? d->iommu : group->iommu;
	/* A driver of whatever name that made a VFIO node is one of VFIO's. */
	if (d->driver && !d->node && !host_driver_leaves_dma(d->driver))
		group->in_the_way[group->n_in_the_way++] = d->address;
}

static int read_members(struct members *m, struct host_group *group, const char *dir)
{
	_cleanup_free_ char *path = root_path(dir, "/devices");
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY) : -1;
	_cleanup_names_ struct name_list names = {0};
	struct host *host = m->scan->host;
	int ret;

	if (!path)
		return -ENOMEM;
	ret = sysfs_list(path, &names);
	if (fd < 0 || ret)
		return ret == -ENOMEM ? ret : 0;
	group->members = arena_alloc_array(&host->arena, names.n + 1, sizeof(char *));
	group->in_the_way = arena_alloc_array(&host->arena, names.n + 1, sizeof(char *));
	if (!group->members || !group->in_the_way)
		return -ENOMEM;
	for (size_t i = 0; i < names.n; i++) {
		ssize_t index = find_member(m, group->id, fd, names.names[i]);

		if (index >= 0)
			add_member(host, group, (size_t)index);
	}
	group->viable = !group->n_in_the_way;
	return 0;
}

static int read_reserved(struct host_scan *scan, struct host_group *group)
{
	_cleanup_free_ struct reserved_region *regions = NULL;
	struct host_reserved *out;
	size_t n = 0;
	int ret;

	ret = iommu_group_reserved(scan->root, (uint32_t)group->id, &regions, &n);
	if (ret)
		return ret == -ENOMEM ? ret : 0;
	out = arena_alloc_array(&scan->host->arena, n, sizeof(*out));
	if (!out)
		return -ENOMEM;
	group->reserved = out;
	for (; group->n_reserved < n; group->n_reserved++) {
		const struct reserved_region *region = &regions[group->n_reserved];

		out[group->n_reserved] = (struct host_reserved){region->first, region->last,
								scan_keep(scan, region->type)};
	}
	return 0;
}

static void find_node(const struct host *host, struct host_group *group)
{
	const struct host_node *node;
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%ju", (uintmax_t)group->id);
	node = host_find_node(&host->nodes, path);
	group->node = node ? node->path : NULL;
}

static int scan_group(struct members *m, struct host_group *group)
{
	struct host_scan *scan = m->scan;
	_cleanup_free_ char *dir =
		root_path(scan->root, "/sys/kernel/iommu_groups/%ju", (uintmax_t)group->id);
	_cleanup_free_ char *path = dir ? root_path(dir, "/type") : NULL;
	char type[32];
	int ret;

	if (!path)
		return -ENOMEM;
	if (!sysfs_read(path, type, sizeof(type)) && strcmp(type, "unknown"))
		group->type = scan_keep(scan, type);
	find_node(scan->host, group);
	ret = read_members(m, group, dir);
	return ret ? ret : read_reserved(scan, group);
}

static int compare_groups(const void *a, const void *b)
{
	const struct host_group *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

int scan_groups(struct host_scan *scan)
{
	_cleanup_free_ char *path = root_path(scan->root, "/sys/kernel/iommu_groups");
	_cleanup_names_ struct name_list names = {0};
	struct members m = {.scan = scan};
	struct host *host = scan->host;
	int ret;

	if (!path)
		return -ENOMEM;
	ret = sysfs_list(path, &names);
	if (ret)
		return ret == -ENOMEM ? ret : 0;
	host->groups = arena_alloc_array(&host->arena, names.n + 1, sizeof(*host->groups));
	if (!host->groups)
		return -ENOMEM;
	for (size_t i = 0; i < names.n; i++) {
		uint64_t id;

		if (!number_parse(names.names[i], &id) && id < UINT32_MAX)
			host->groups[host->n_groups++].id = id;
	}
	host->translates = host->n_groups;
	if (host->n_groups)
		qsort(host->groups, host->n_groups, sizeof(*host->groups), compare_groups);
	ret = index_devices(&m);
	for (size_t i = 0; !ret && i < host->n_groups; i++)
		ret = scan_group(&m, &host->groups[i]);
	free(m.known);
	return ret;
}
