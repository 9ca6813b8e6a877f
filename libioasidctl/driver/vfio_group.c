// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which group is in which container. All devices of a group are where it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "driver/vfio.h"
#include "host/root.h"

void vfio_group_close(struct driver_fd *fd, struct vfio_group *g)
{
	struct vfio_group **link = &fd->groups;

	while (*link && *link != g)
		link = &(*link)->next;
	if (*link)
		*link = g->next;
	/* With its last descriptor it leaves its container, too. */
	if (g->container)
		g->container->n_groups--;
	if (g->fd >= 0) {
		close(g->fd);
		driver_trace(fd->env, "close %s fd=%d = 0", g->node, g->fd);
	}
	free(g->node);
	free(g);
}

static int check_viable(struct driver_fd *fd, const struct vfio_group *g,
			struct ioasidctl_error **err)
{
	uint32_t flags = 0;
	int ret = vfio_group_status(fd->env, g, &flags);

	if (ret)
		return vfio_fail(err, "VFIO_GROUP_GET_STATUS", ret,
				 "can't ask for the state of IOMMU group %u", g->number);
	if (flags & VFIO_GRP_VIABLE)
		return 0;
	ret = error_new(err, ERROR_BUSY, EPERM, "IOMMU group %u is in use by the host", g->number);
	error_ioctl(err, "VFIO_GROUP_GET_STATUS");
	vfio_explain_group(fd->env, g, EPERM, err);
	return ret;
}

static int group_open(struct driver_fd *fd, uint32_t number, struct vfio_group **out,
		      struct ioasidctl_error **err)
{
	struct vfio_group *g = calloc(1, sizeof(*g));
	int ret = 0;

	if (!g)
		return error_nomem(err);
	g->number = number;
	g->fd = -1;
	g->next = fd->groups;
	fd->groups = g;
	g->node = root_path("", "/dev/vfio/%u", number);
	if (!g->node)
		ret = error_nomem(err);
	if (!ret)
		g->fd = ret = linux_open_node(fd->env, g->node, err);
	if (ret < 0)
		vfio_explain_group(fd->env, g, -ret, err);
	else
		ret = check_viable(fd, g, err);
	if (ret)
		vfio_group_close(fd, g);
	else
		*out = g;
	return ret;
}

int vfio_group_get(struct driver_fd *fd, uint32_t number, struct vfio_group **out,
		   struct ioasidctl_error **err)
{
	for (struct vfio_group *g = fd->groups; g; g = g->next)
		if (g->number == number) {
			*out = g;
			return 0;
		}
	return group_open(fd, number, out, err);
}

void vfio_group_put(struct driver_fd *fd, struct vfio_group *g)
{
	for (const struct driver_device *d = fd->devices; d; d = d->next)
		if (d->group == g)
			return;
	vfio_group_close(fd, g);
}

int vfio_group_leave(struct driver_fd *fd, struct vfio_group *g, struct ioasidctl_error **err)
{
	int ret = vfio_unset_container(fd->env, g);

	if (ret) {
		vfio_fail(err, "VFIO_GROUP_UNSET_CONTAINER", ret,
			  "can't take IOMMU group %u out of its container", g->number);
		vfio_explain_leave(fd, g, err);
		return ret;
	}
	g->container->n_groups--;
	g->container = NULL;
	return 0;
}

/* From nowhere into the container. */
static int join(struct driver_fd *fd, struct vfio_group *g, struct vfio_container *c,
		struct ioasidctl_error **err)
{
	const char *call = "VFIO_GROUP_SET_CONTAINER";
	int ret = vfio_set_container(fd->env, g, c);
	bool set = !ret;

	if (!ret && !c->n_groups) {
		call = "VFIO_SET_IOMMU";
		ret = vfio_set_type(fd, c);
	}
	if (ret) {
		vfio_fail(err, call, ret, "can't put IOMMU group %u into a container", g->number);
		vfio_explain_attach(fd, g, c, -ret, err);
	} else {
		ret = vfio_container_fill(fd, c, g, err);
	}
	/* If it was alone in there, this takes all mappings along, too. */
	if (ret && set)
		vfio_unset_container(fd->env, g);
	if (ret)
		return ret;
	g->container = c;
	c->n_groups++;
	return 0;
}

/* Closes those that are open; how many there were, and in `was` (may be NULL) which. */
static size_t close_devices(struct driver_fd *fd, const struct vfio_group *g,
			    struct driver_device **was)
{
	size_t n = 0;

	for (struct driver_device *d = fd->devices; d; d = d->next) {
		if (d->group != g || d->fd < 0)
			continue;
		if (was)
			was[n] = d;
		n++;
		close(d->fd);
		driver_trace(fd->env, "close %s fd=%d = 0", d->name, d->fd);
		d->fd = -1;
	}
	return n;
}

static int open_devices(struct driver_fd *fd, struct driver_device *const was[], size_t n,
			struct ioasidctl_error **err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++)
		ret = vfio_device_open_in_group(fd, was[i], err);
	return ret;
}

static size_t count_devices(const struct driver_fd *fd)
{
	size_t n = 0;

	for (const struct driver_device *d = fd->devices; d; d = d->next)
		n++;
	return n;
}

/* To what is known of the newest error already. */
static void add_cause(struct ioasidctl_error **err, const struct vfio_group *g, const char *why)
{
	const struct ioasidctl_error *newest = err ? *err : NULL;
	_cleanup_free_ char *cause = NULL;

	while (newest && newest->next)
		newest = newest->next;
	if (newest && newest->cause)
		cause = strdup(newest->cause);
	error_cause(err, "%s%sIOMMU group %u could not be put back where it was: %s",
		    cause ? cause : "", cause ? "; and " : "", g->number, why);
}

static void put_back(struct driver_fd *fd, struct vfio_group *g, struct vfio_container *from,
		     struct driver_device *const was[], size_t n, struct ioasidctl_error **err)
{
	_cleanup_error_ struct ioasidctl_error *why = NULL;
	int ret = 0;

	if (g->container && g->container != from) {
		close_devices(fd, g, NULL);
		ret = vfio_group_leave(fd, g, &why);
	}
	if (!ret && !g->container)
		ret = join(fd, g, from, &why);
	if (!ret)
		ret = open_devices(fd, was, n, &why);
	if (ret)
		add_cause(err, g, why ? why->message : strerror(-ret));
}

/* What the group's devices do by DMA fails from here to the end. */
static int move(struct driver_fd *fd, struct vfio_group *g, struct vfio_container *c,
		struct ioasidctl_error **err)
{
	_cleanup_free_ struct driver_device **was = calloc(count_devices(fd) + 1, sizeof(*was));
	struct vfio_container *from = g->container;
	size_t n;
	int ret;

	if (!was)
		return error_nomem(err);
	driver_trace(fd->env,
		     "group %u changes containers: its devices are closed and can do no DMA "
		     "meanwhile",
		     g->number);
	n = close_devices(fd, g, was);
	ret = vfio_group_leave(fd, g, err);
	if (!ret)
		ret = join(fd, g, c, err);
	if (!ret)
		ret = open_devices(fd, was, n, err);
	if (ret)
		put_back(fd, g, from, was, n, err);
	return ret;
}

int vfio_group_enter(struct driver_fd *fd, struct vfio_group *g, struct vfio_container *c,
		     struct ioasidctl_error **err)
{
	if (g->container == c)
		return 0;
	return g->container ? move(fd, g, c, err) : join(fd, g, c, err);
}
