// SPDX-License-Identifier: LGPL-2.1-or-later
/* The vfio driver: containers and groups of VFIO, with type 1 v2. An IOASID is a container. */
#include "driver/vfio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define NODE "/dev/vfio/vfio"

#define OF_IOMMUFD "VFIO's containers never got them; iommufd has them"

static int available(const struct driver_env *env, const char *node, struct ioasidctl_error **err)
{
	int fd = vfio_open_container(env, node ? node : NODE, err);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static void fd_close(struct driver_fd *fd)
{
	for (struct driver_device *d = fd->devices; d; d = d->next) {
		d->owner = NULL;
		d->group = NULL;
	}
	while (fd->groups)
		vfio_group_close(fd, fd->groups);
	while (fd->containers)
		vfio_container_close(fd, fd->containers);
	free(fd->node);
	free(fd);
}

static int fd_open(const struct driver_env *env, const struct iommu_fd *spec,
		   struct driver_fd **out, struct ioasidctl_error **err)
{
	const char *node = spec->node ? spec->node : NODE;
	int ret = available(env, node, err);
	struct driver_fd *fd;

	if (ret)
		return ret;
	fd = calloc(1, sizeof(*fd));
	if (!fd)
		return error_nomem(err);
	fd->env = env;
	fd->node = strdup(node);
	if (!fd->node) {
		free(fd);
		return error_nomem(err);
	}
	*out = fd;
	return 0;
}

/* It has one for each IOASID instead. */
static int fd_number(const struct driver_fd *fd)
{
	(void)fd;
	return -1;
}

static int ioasid_fd_number(const struct driver_fd *fd, uint32_t id)
{
	const struct vfio_container *c = vfio_find_container(fd, id, NULL);

	return c ? c->fd : -1;
}

/* Type 1 knows memory by its address in the process that maps it. */
static bool wants_va(const struct driver_fd *fd, const struct memory *memory)
{
	(void)fd;
	(void)memory;
	return true;
}

const struct driver driver_vfio = {
	.name = "vfio",
	.choice = DRIVER_VFIO,
	.node = NODE,
	.missing =
		{
			[CAP_NESTED] = OF_IOMMUFD,
			[CAP_NEST_PARENT] = OF_IOMMUFD,
			[CAP_VIOMMU] = OF_IOMMUFD,
			[CAP_EVENTS] = OF_IOMMUFD,
			[CAP_HW_QUEUE] = OF_IOMMUFD,
			[CAP_VFIO_COMPAT] = "it is what vfio_compat of an iommufd stands in for",
			[CAP_PASID] = "a container holds whole groups of devices only",
			[CAP_FAULT_QUEUE] = "all memory is pinned, so no device ever waits for it",
			[CAP_SMALL_PAGES] = "there is a switch for the whole machine only, "
					    "disable_hugepages of vfio_iommu_type1",
			[CAP_ENFORCE_SNOOP] = "Linux has the IOMMU make all DMA snoop wherever it "
					      "can, unasked",
			[CAP_COPY] = "containers share nothing: the pages would be pinned and "
				     "accounted again; map the memory itself if that is all right",
			[CAP_BY_USER] = "pinned memory always counts against the process",
			[CAP_DMABUF] = "it maps memory by its address in the process, which a "
				       "dma-buf hasn't got",
			[CAP_GAPLESS] = "a group changes containers only while its devices are "
					"closed",
			[CAP_TAKEOVER] = "pinned memory belongs to the process that mapped it",
			[CAP_MOCK] = "Linux's mock IOMMU has no VFIO groups",
			[CAP_RAW] = "a program opens the node of an IOMMU group by itself, only "
				    "one can at a time, and the group of a device that is "
				    "attached nowhere is left to it: /dev/vfio/GROUP",
		},
	.available = available,
	.open = fd_open,
	.close = fd_close,
	.fd_number = fd_number,
	.device_find = linux_device_find,
	.device_set_driver = linux_device_set_driver,
	.device_set_vfs = linux_device_set_vfs,
	.device_carries = linux_device_carries,
	.device_users = linux_device_users,
	.device_set_override = linux_device_set_override,
	.device_open = vfio_device_open,
	.device_close = vfio_device_close,
	.device_fd_number = vfio_device_fd_number,
	.device_request_fd = vfio_device_request_fd,
	.device_requested = vfio_device_requested,
	.ioasid_fd_number = ioasid_fd_number,
	.group_fd_number = vfio_group_fd_number,
	.device_bind = vfio_device_bind,
	.device_info = vfio_device_info,
	.ioasid_alloc = vfio_ioasid_alloc,
	.ioasid_free = vfio_ioasid_free,
	.ioasid_info = vfio_ioasid_info,
	.allow = vfio_allow,
	.wants_va = wants_va,
	.map = vfio_ioasid_map,
	.unmap = vfio_ioasid_unmap,
	.list_mappings = vfio_list_mappings,
	.attach = vfio_device_attach,
	.detach = vfio_device_detach,
	.dirty_set = vfio_dirty_set,
	.dirty_read = vfio_dirty_read,
	.ioasid_probe = vfio_ioasid_probe,
	.vdpa = &driver_vdpa,
	.device_probe = vfio_device_probe,
};
