// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/inventory.h"

static bool is_called(const struct host_device *d, const char *address)
{
	return !strcmp(d->address, address) ||
	       (!strcmp(d->bus, "pci") && !strncmp(d->address, "0000:", 5) &&
		!strcmp(d->address + 5, address));
}

static bool passes(const struct host_device *d, const struct host_filter *f)
{
	return (!f->device || is_called(d, f->device)) &&
	       (f->group == HOST_UNKNOWN || d->group == f->group) &&
	       (!f->driver || (d->driver && !strcmp(d->driver, f->driver)));
}

static struct host_group *find_group(const struct host *host, uint64_t id)
{
	for (size_t i = 0; i < host->n_groups; i++)
		if (host->groups[i].id == id)
			return &host->groups[i];
	return NULL;
}

static int check(const struct host *host, const struct host_filter *f, struct ioasidctl_error **err)
{
	int ret;

	if (f->group != HOST_UNKNOWN && !find_group(host, f->group)) {
		ret = error_new(err, ERROR_UNAVAILABLE, ENODEV, "there is no IOMMU group %ju",
				(uintmax_t)f->group);
		error_hint(err, "`ioasidctl host` without --group lists them");
		return ret;
	}
	for (size_t i = 0; f->device && i < host->n_devices; i++)
		if (is_called(&host->devices[i], f->device))
			return 0;
	if (!f->device)
		return 0;
	ret = error_new(err, ERROR_UNAVAILABLE, ENODEV, "there is no device %s", f->device);
	error_hint(err, "`ioasidctl host` without --device lists them");
	return ret;
}

static bool group_passes(const struct host *host, const struct host_group *g,
			 const struct host_filter *f)
{
	for (size_t i = 0; i < host->n_devices; i++)
		if (host->devices[i].group == g->id && passes(&host->devices[i], f))
			return true;
	return false;
}

/* With its whole group; outside of groups by itself. */
static bool device_stays(const struct host *host, const struct host_device *d,
			 const struct host_filter *f)
{
	return d->group == HOST_UNKNOWN ? passes(d, f) : find_group(host, d->group) != NULL;
}

static bool iommu_stays(const struct host *host, const struct host_iommu *iommu)
{
	for (size_t i = 0; i < host->n_devices; i++)
		if (host->devices[i].iommu && !strcmp(host->devices[i].iommu, iommu->name))
			return true;
	return false;
}

static bool same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

/* Whether a node or a device that somebody has open is one of those that stay. */
static bool belongs(const struct host *host, const char *node, const char *device)
{
	for (size_t i = 0; i < host->n_devices; i++)
		if (same(host->devices[i].node, node) || same(host->devices[i].address, device))
			return true;
	for (size_t i = 0; i < host->n_groups; i++)
		if (same(host->groups[i].node, node))
			return true;
	return false;
}

static bool node_stays(const struct host *host, const struct host_node *node)
{
	int kind = host_node_kind(node->path);

	/* The ones that every user of a device needs. */
	return kind == NODE_IOMMUFD || kind == NODE_CONTAINER || kind == NODE_IOASID ||
	       belongs(host, node->path, NULL);
}

static bool holder_stays(const struct host *host, const struct node_holder *holder)
{
	for (size_t i = 0; i < holder->n_open; i++)
		if (belongs(host, holder->open[i].node, holder->open[i].device))
			return true;
	return false;
}

static void keep_groups(struct host *host, const struct host_filter *filter)
{
	size_t kept = 0;

	for (size_t i = 0; i < host->n_groups; i++)
		if (group_passes(host, &host->groups[i], filter))
			host->groups[kept++] = host->groups[i];
	host->n_groups = kept;
}

static void keep_devices(struct host *host, const struct host_filter *filter)
{
	size_t kept = 0;

	for (size_t i = 0; i < host->n_devices; i++)
		if (device_stays(host, &host->devices[i], filter))
			host->devices[kept++] = host->devices[i];
	host->n_devices = kept;
}

static void keep_iommus(struct host *host)
{
	size_t kept = 0;

	for (size_t i = 0; i < host->n_iommus; i++)
		if (iommu_stays(host, &host->iommus[i]))
			host->iommus[kept++] = host->iommus[i];
	host->n_iommus = kept;
}

int host_apply_filter(struct host *host, const struct host_filter *filter,
		      struct ioasidctl_error **err)
{
	int ret = check(host, filter, err);

	if (ret || (!filter->device && filter->group == HOST_UNKNOWN && !filter->driver))
		return ret;
	keep_groups(host, filter);
	keep_devices(host, filter);
	keep_iommus(host);
	for (size_t i = host->nodes.n; i-- > 0;)
		if (!node_stays(host, &host->nodes.list[i]))
			host_nodes_remove(&host->nodes, i);
	for (size_t i = host->holders.n; i-- > 0;)
		if (!holder_stays(host, &host->holders.list[i]))
			node_holders_remove(&host->holders, i);
	return 0;
}
