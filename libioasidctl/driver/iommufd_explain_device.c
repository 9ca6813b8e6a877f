// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why a device couldn't be bound or attached. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "driver/iommufd.h"
#include "host/group.h"
#include "host/root.h"

/* Our own open of the device is no obstacle. */
static bool explain_open_device(const struct driver_device *dev, struct ioasidctl_error **err)
{
	const char *const nodes[] = {dev->node, NULL};

	return linux_explain_holders(dev->env->root, nodes, getpid(), "it", err);
}

static bool explain_open_group(const struct driver_device *dev, const struct iommu_group *group,
			       struct ioasidctl_error **err)
{
	_cleanup_free_ char *legacy = root_path("", "/dev/vfio/%u", dev->group);
	_cleanup_free_ const char **nodes = calloc(group->n_members + 2, sizeof(*nodes));
	size_t n = 0;

	if (!legacy || !nodes)
		return false;
	for (size_t i = 0; i < group->n_members; i++)
		if (group->members[i].node && strcmp(group->members[i].node, dev->node))
			nodes[n++] = group->members[i].node;
	nodes[n] = legacy;
	return linux_explain_holders(dev->env->root, nodes, 0, "another device of its IOMMU group",
				     err);
}

void iommufd_explain_bind(const struct driver_device *dev, int errnum, struct ioasidctl_error **err)
{
	_cleanup_iommu_group_ struct iommu_group group = {0};

	if (!err || linux_explain_no_group(dev->group, err))
		return;
	if ((errnum == EPERM || errnum == EBUSY || errnum == EINVAL) &&
	    explain_open_device(dev, err))
		return;
	if (errnum == EINVAL)
		error_cause(err, "it is bound already through another open file, or its DMA "
				 "doesn't snoop the CPU's caches");
	if ((errnum != EPERM && errnum != EBUSY) ||
	    iommu_group_read(dev->env->root, dev->group, &group))
		return;
	if (linux_explain_members(dev->group, &group, err) || explain_open_group(dev, &group, err))
		return;
	if (errnum == EBUSY || !linux_explain_interrupts(dev->env, "iommufd", err))
		error_cause(err,
			    "its IOMMU group %u has another owner, which this process can't see",
			    dev->group);
}

struct mapped_in {
	struct driver_fd *fd;
	uint32_t id;
};

static bool is_mapped(void *data, uint64_t first, uint64_t last)
{
	const struct mapped_in *in = data;

	return iommufd_is_mapped(in->fd, in->id, first, last);
}

static void explain_reserved(struct driver_fd *fd, const struct driver_device *dev, uint32_t id,
			     struct ioasidctl_error **err)
{
	struct mapped_in in = {fd, id};

	linux_explain_reserved(dev->env, dev->group, is_mapped, &in, err);
}

static void explain_incompatible(const struct driver_fd *fd, const struct driver_device *dev,
				 uint32_t id, struct ioasidctl_error **err)
{
	for (const struct driver_device *d = fd->devices; d; d = d->next) {
		if (d == dev || d->group != dev->group || d->attached == NO_INDEX ||
		    d->attached == id)
			continue;
		error_cause(err, "%s of the same IOMMU group %u is in another IOASID", d->label,
			    d->group);
		error_hint(err, "the devices of a group can only be in one IOASID together");
		return;
	}
	error_cause(err, "the device's IOMMU can't use this IOASID's page tables");
	error_hint(err, "give the device an IOASID of its own");
}

void iommufd_explain_attach(struct driver_fd *fd, const struct driver_device *dev, uint32_t id,
			    int errnum, struct ioasidctl_error **err)
{
	switch (errnum) {
	case EADDRINUSE:
		explain_reserved(fd, dev, id, err);
		break;
	case EINVAL:
		explain_incompatible(fd, dev, id, err);
		break;
	case ENOMEM:
		/* Mappings are pinned when the first device comes. */
		linux_explain_memory(fd->env, 0, err);
		break;
	case EBUSY:
		error_cause(err, "the device, or one of its IOMMU group, is being reset");
		error_hint(err, "try again");
		break;
	}
}
