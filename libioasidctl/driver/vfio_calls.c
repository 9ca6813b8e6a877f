// SPDX-License-Identifier: LGPL-2.1-or-later
/* Every ioctl of the vfio driver, and the line that -v shows of it. */
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "driver/vfio.h"

static int result_of(int ret)
{
	return ret < 0 ? -errno : ret;
}

static int refuse_version(const char *node, int version, struct ioasidctl_error **err)
{
	return error_new(err, ERROR_REFUSED, EPROTO, "%s speaks version %d of VFIO, not %d", node,
			 version, VFIO_CONT_VERSION);
}

static int refuse_no_type1(const char *node, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_UNAVAILABLE, ENODEV,
			    "%s: the kernel has VFIO, but not its type 1 v2", node);

	error_cause(err, "no module that translates by an IOMMU is loaded");
	error_hint(err, "modprobe vfio_iommu_type1 (CONFIG_VFIO_IOMMU_TYPE1)");
	return ret;
}

int vfio_open_container(const struct driver_env *env, const char *node,
			struct ioasidctl_error **err)
{
	_cleanup_close_ int fd = linux_open_node(env, node, err);
	int version, has;

	if (fd < 0)
		return fd;
	version = result_of(ioctl(fd, VFIO_CONT_API_VERSION));
	driver_trace(env, "VFIO_GET_API_VERSION fd=%d = %d", fd, version);
	if (version < 0)
		return vfio_fail(err, "VFIO_GET_API_VERSION", version, "%s", node);
	if (version != VFIO_CONT_VERSION)
		return refuse_version(node, version, err);
	has = result_of(ioctl(fd, VFIO_CONT_CHECK_EXTENSION, VFIO_CONT_TYPE1_V2));
	driver_trace(env, "VFIO_CHECK_EXTENSION fd=%d type1v2 = %d", fd, has);
	if (has < 0)
		return vfio_fail(err, "VFIO_CHECK_EXTENSION", has, "%s", node);
	return has ? steal_fd(&fd) : refuse_no_type1(node, err);
}

int vfio_set_type(struct driver_fd *fd, const struct vfio_container *c)
{
	int ret = result_of(ioctl(c->fd, VFIO_CONT_SET_TYPE, VFIO_CONT_TYPE1_V2));

	driver_trace(fd->env, "VFIO_SET_IOMMU fd=%d type1v2 = %s", c->fd, linux_result(ret));
	return ret;
}

int vfio_type1_info(struct driver_fd *fd, const struct vfio_container *c, struct vfio_t1_info *args)
{
	uint32_t room = args->argsz;
	int ret = result_of(ioctl(c->fd, VFIO_T1_INFO, args));

	driver_trace(fd->env, "VFIO_IOMMU_GET_INFO fd=%d room=%u = %s length=%u pgsizes=0x%" PRIx64,
		     c->fd, room, linux_result(ret), args->argsz, (uint64_t)args->iova_pgsizes);
	return ret;
}

static uint32_t map_flags(uint8_t access)
{
	return (access & ACCESS_READ ? VFIO_T1_MAP_READ : 0) |
	       (access & ACCESS_WRITE ? VFIO_T1_MAP_WRITE : 0);
}

int vfio_type1_map(struct driver_fd *fd, const struct vfio_container *c,
		   const struct vfio_mapping *m)
{
	struct vfio_t1_map args = {
		.argsz = sizeof(args),
		.flags = map_flags(m->access),
		.vaddr = (uintptr_t)m->va,
		.iova = m->iova,
		.size = m->length,
	};
	int ret = result_of(ioctl(c->fd, VFIO_T1_MAP, &args));

	driver_trace(fd->env,
		     "VFIO_IOMMU_MAP_DMA fd=%d iova=0x%" PRIx64 " length=0x%" PRIx64
		     " va=0x%" PRIx64 " flags=0x%x = %s",
		     c->fd, m->iova, m->length, (uint64_t)args.vaddr, args.flags,
		     linux_result(ret));
	return ret;
}

/*
 * Asked by giving the mapping the address that it has. The kernel takes that only after the old one
 * was declared invalid, and says EINVAL; ENOENT where nothing is mapped. Kernels before 5.12 don't
 * know the flag and say EINVAL to everything.
 */
int vfio_probe_mapping(const struct vfio_container *c, const struct vfio_mapping *m)
{
	struct vfio_t1_map args = {
		.argsz = sizeof(args),
		.flags = VFIO_T1_MAP_VADDR,
		.vaddr = (uintptr_t)m->va,
		.iova = m->iova,
		.size = m->length,
	};

	return result_of(ioctl(c->fd, VFIO_T1_MAP, &args)) == -ENOENT ? -ENOENT : 0;
}

int vfio_type1_unmap(struct driver_fd *fd, const struct vfio_container *c, uint64_t iova,
		     uint64_t length, uint64_t *unmapped)
{
	struct vfio_t1_unmap args = {.argsz = sizeof(args), .iova = iova, .size = length};
	int ret = result_of(ioctl(c->fd, VFIO_T1_UNMAP, &args));

	driver_trace(fd->env,
		     "VFIO_IOMMU_UNMAP_DMA fd=%d iova=0x%" PRIx64 " length=0x%" PRIx64
		     " = %s unmapped=0x%" PRIx64,
		     c->fd, iova, length, linux_result(ret), (uint64_t)args.size);
	*unmapped = args.size;
	return ret;
}

int vfio_type1_dirty(struct driver_fd *fd, const struct vfio_container *c,
		     struct vfio_t1_dirty *args, size_t size)
{
	int ret;

	args->argsz = (uint32_t)size;
	ret = result_of(ioctl(c->fd, VFIO_T1_DIRTY, args));
	if (args->flags == VFIO_T1_DIRTY_GET)
		driver_trace(fd->env,
			     "VFIO_IOMMU_DIRTY_PAGES fd=%d get iova=0x%" PRIx64 " length=0x%" PRIx64
			     " page=0x%" PRIx64 " = %s",
			     c->fd, (uint64_t)args->iova, (uint64_t)args->size,
			     (uint64_t)args->bitmap.pgsize, linux_result(ret));
	else
		driver_trace(fd->env, "VFIO_IOMMU_DIRTY_PAGES fd=%d %s = %s", c->fd,
			     args->flags == VFIO_T1_DIRTY_START ? "start" : "stop",
			     linux_result(ret));
	return ret;
}

int vfio_group_status(const struct driver_env *env, const struct vfio_group *g, uint32_t *flags)
{
	struct vfio_grp_status args = {.argsz = sizeof(args)};
	int ret = result_of(ioctl(g->fd, VFIO_GRP_STATUS, &args));

	driver_trace(env, "VFIO_GROUP_GET_STATUS fd=%d group=%u = %s flags=0x%x", g->fd, g->number,
		     linux_result(ret), args.flags);
	*flags = args.flags;
	return ret;
}

int vfio_set_container(const struct driver_env *env, const struct vfio_group *g,
		       const struct vfio_container *c)
{
	int container = c->fd;
	int ret = result_of(ioctl(g->fd, VFIO_GRP_SET_CONTAINER, &container));

	driver_trace(env, "VFIO_GROUP_SET_CONTAINER fd=%d group=%u container=%d = %s", g->fd,
		     g->number, container, linux_result(ret));
	return ret;
}

int vfio_unset_container(const struct driver_env *env, const struct vfio_group *g)
{
	int ret = result_of(ioctl(g->fd, VFIO_GRP_UNSET_CONTAINER));

	driver_trace(env, "VFIO_GROUP_UNSET_CONTAINER fd=%d group=%u = %s", g->fd, g->number,
		     linux_result(ret));
	return ret;
}

int vfio_open_device(const struct driver_env *env, const struct vfio_group *g, const char *name)
{
	int ret = result_of(ioctl(g->fd, VFIO_GRP_OPEN_DEVICE, name));

	driver_trace(env, "VFIO_GROUP_GET_DEVICE_FD fd=%d group=%u name=%s = %s fd=%d", g->fd,
		     g->number, name, linux_result(ret < 0 ? ret : 0), ret);
	return ret;
}

int vfio_device_get_info(const struct driver_device *dev)
{
	struct vfio_dev_info args = {.argsz = sizeof(args)};
	int ret = result_of(ioctl(dev->fd, VFIO_DEV_GET_INFO, &args));

	driver_trace(dev->env, "VFIO_DEVICE_GET_INFO fd=%d device=%s = %s", dev->fd, dev->name,
		     linux_result(ret));
	return ret;
}
