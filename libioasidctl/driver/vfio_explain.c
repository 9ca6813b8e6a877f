// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why a call of the vfio driver failed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "driver/vfio.h"
#include "host/group.h"
#include "host/holders.h"
#include "host/root.h"
#include "host/sysfs.h"

#define LIMIT_FILE "/sys/module/vfio_iommu_type1/parameters/dma_entry_limit"

static const struct errno_meaning meanings[] = {
	{"VFIO_GROUP_GET_DEVICE_FD", ENODEV, ERROR_UNAVAILABLE,
	 "its group has no such device with a VFIO driver (any more)", NULL},
	{"VFIO_IOMMU_UNMAP_DMA", EINVAL, ERROR_KERNEL, "the range would cut a mapping",
	 "a mapping goes as a whole, as it came"},
	{"VFIO_IOMMU_DIRTY_PAGES", ENOTTY, ERROR_REFUSED, "this kernel doesn't track dirty pages",
	 "they came with Linux 5.8"},
	{0},
};

int vfio_fail(struct ioasidctl_error **err, const char *call, int ret, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ret = linux_fail(err, meanings, call, ret, fmt, args);
	va_end(args);
	return ret;
}

/* Without a VFIO driver on any member there is no node. */
static void explain_no_node(const struct vfio_group *g, const struct iommu_group *group,
			    struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = NULL;

	for (size_t i = 0; i < group->n_members; i++)
		if (group->members[i].driver && strstr(group->members[i].driver, "vfio")) {
			linux_explain_hidden(g->node, "the IOMMU group", err);
			return;
		}
	if (iommu_group_text(group, false, &text) || !text)
		return;
	error_cause(err, "no device of IOMMU group %u has a VFIO driver: %s", g->number, text);
}

void vfio_explain_group(const struct driver_env *env, const struct vfio_group *g, int errnum,
			struct ioasidctl_error **err)
{
	_cleanup_iommu_group_ struct iommu_group group = {0};

	if (!err)
		return;
	if (errnum == EBUSY || errnum == EPERM)
		linux_explain_owner(env, NULL, g->number, NULL, err);
	else if ((errnum == ENOENT || errnum == ENODEV) &&
		 !iommu_group_read(env->root, g->number, &group))
		explain_no_node(g, &group, err);
}

static bool is_mapped(void *data, uint64_t first, uint64_t last)
{
	const struct vfio_container *c = data;

	return vfio_mappings_overlap(&c->mappings, first, last);
}

void vfio_explain_attach(struct driver_fd *fd, const struct vfio_group *g,
			 const struct vfio_container *c, int errnum, struct ioasidctl_error **err)
{
	if (!err)
		return;
	switch (errnum) {
	case EPERM:
		linux_explain_owner(fd->env, "vfio_iommu_type1", g->number, g->node, err);
		break;
	case EBUSY:
		linux_explain_owner(fd->env, NULL, g->number, g->node, err);
		break;
	case EINVAL:
	case EADDRINUSE:
		linux_explain_reserved(fd->env, g->number, is_mapped, (void *)c, err);
		break;
	case ENOMEM:
		linux_explain_memory(fd->env, 0, err);
		break;
	}
}

/*
 * A device that was got from the group is known by its descriptor in newer kernels only; whoever
 * was handed one was handed the group, too.
 */
static char *other_holders(const struct driver_fd *fd, const struct vfio_group *g)
{
	const char *const nodes[] = {g->node, NULL};
	_cleanup_holders_ struct node_holders holders = {0};
	char *text = NULL;

	if (node_users_read(fd->env->root, &holders))
		return NULL;
	for (const struct driver_device *d = fd->devices; d && !text; d = d->next)
		if (d->group == g)
			node_holders_text(&holders, nodes, (const char *const[]){d->name, NULL},
					  getpid(), &text);
	return text;
}

void vfio_explain_leave(const struct driver_fd *fd, const struct vfio_group *g,
			struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = err ? other_holders(fd, g) : NULL;

	error_cause(err, "%s still has one of its devices open",
		    text ? text : "a program that was handed the descriptor");
	error_hint(err, "end that program first");
}

void vfio_explain_limit(const struct driver_env *env, struct ioasidctl_error **err)
{
	_cleanup_free_ char *path = root_path(env->root, LIMIT_FILE);
	uint64_t limit;

	if (path && !sysfs_read_number(path, &limit))
		error_cause(err, "dma_entry_limit of vfio_iommu_type1 is %lu", limit);
	else
		error_cause(err, "dma_entry_limit of vfio_iommu_type1 is reached");
	error_hint(
		err,
		"raise it: vfio_iommu_type1.dma_entry_limit on the kernel command line, or " LIMIT_FILE
		"; or make fewer, larger mappings");
}

void vfio_explain_culprit(const struct driver_fd *fd, const struct vfio_container *c,
			  const struct ioasid_info *usable, struct range wanted,
			  struct ioasidctl_error **err)
{
	for (const struct vfio_group *g = fd->groups; g; g = g->next) {
		char label[32];

		snprintf(label, sizeof(label), "IOMMU group %u", g->number);
		if (g->container == c &&
		    linux_explain_culprit(fd->env, usable, wanted, label, g->number, 0, err))
			return;
	}
}

static void explain_range(struct driver_fd *fd, const struct vfio_container *c,
			  const struct vfio_mapping *m, struct ioasidctl_error **err)
{
	const struct map_args args = {
		.iova = m->iova, .length = m->length, .offset = (uintptr_t)m->va};
	struct ioasid_info usable;
	struct vfio_info info;

	if (!err || vfio_info_read(fd, c, &info, NULL))
		return;
	usable = (struct ioasid_info){.ranges = info.ranges,
				      .n_ranges = info.n_ranges,
				      .alignment = info.page_sizes & -info.page_sizes};
	if (linux_explain_range(&usable, &args, err))
		vfio_explain_culprit(fd, c, &usable,
				     (struct range){m->iova, range_last(m->iova, m->length)}, err);
	vfio_info_done(&info);
}

void vfio_explain_map(struct driver_fd *fd, const struct vfio_container *c,
		      const struct vfio_mapping *m, int errnum, struct ioasidctl_error **err)
{
	switch (errnum) {
	case ENOMEM:
		linux_explain_memory(fd->env, m->length, err);
		break;
	case EEXIST:
		error_cause(err, "part of the range is mapped already");
		break;
	case EINVAL:
		explain_range(fd, c, m, err);
		break;
	case ENOSPC:
		vfio_explain_limit(fd->env, err);
		break;
	case EFAULT:
		error_cause(err, "the memory isn't all there: the file ends before the range does");
		break;
	}
}
