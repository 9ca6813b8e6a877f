// SPDX-License-Identifier: LGPL-2.1-or-later
/* The iommufd driver: /dev/iommu of Linux 6.2 and later. */
#include "driver/iommufd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define NODE "/dev/iommu"

static int available(const struct driver_env *env, const char *node, struct ioasidctl_error **err)
{
	int fd = linux_open_node(env, node ? node : NODE, err);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int set_accounting(struct driver_fd *fd, enum accounting accounting,
			  struct ioasidctl_error **err)
{
	uint64_t wanted = accounting == ACCOUNTING_PROCESS, is = 0;
	int ret;

	if (accounting == ACCOUNTING_DEFAULT)
		return 0;
	/* Asking needs no privilege, and the mode it has may be the right one. */
	ret = iommufd_option(fd, IOMMUFD_OPTION_RLIMIT_MODE, IOMMUFD_OPTION_GET, 0, &is);
	if (!ret && is == wanted)
		return 0;
	if (!ret)
		ret = iommufd_option(fd, IOMMUFD_OPTION_RLIMIT_MODE, IOMMUFD_OPTION_SET, 0,
				     &wanted);
	if (ret)
		return iommufd_fail(err, "IOMMU_OPTION", ret, "can't account memory by %s",
				    accounting_names[accounting]);
	return 0;
}

/* No object has id 0: a kernel that knows the call says ENOENT, and nothing happens. */
static bool has_map_file(struct driver_fd *fd)
{
	struct iommufd_ioas_map_file args = {
		.size = sizeof(args),
		.flags = IOMMUFD_MAP_FIXED_IOVA | IOMMUFD_MAP_READABLE,
		.fd = -1,
		.length = 4096,
	};

	return iommufd_ioas_map_file(fd, &args) == -ENOENT;
}

void iommufd_leave(struct driver_fd *fd)
{
	for (struct driver_device *d = fd->devices; d; d = d->next)
		d->owner = NULL;
	iommufd_spaces_done(fd);
	iommufd_viommus_done(fd);
	if (fd->fd >= 0) {
		close(fd->fd);
		driver_trace(fd->env, "close %s fd=%d = 0", fd->node, fd->fd);
	}
	free(fd->node);
	free(fd);
}

/* What the kernel wouldn't do by itself at the end of the file. */
static void fd_close(struct driver_fd *fd)
{
	for (struct driver_device *d = fd->devices; d; d = d->next)
		if (d->selector == SELECTOR_MOCK)
			iommufd_mock_close(d);
	iommufd_leave(fd);
}

static void fd_closep(struct driver_fd **fd)
{
	if (*fd)
		fd_close(*fd);
}

static int fd_open(const struct driver_env *env, const struct iommu_fd *spec,
		   struct driver_fd **out, struct ioasidctl_error **err)
{
	_cleanup_(fd_closep)
	struct driver_fd *fd = calloc(1, sizeof(*fd));
	int ret;

	if (!fd)
		return error_nomem(err);
	fd->env = env;
	fd->fd = -1;
	fd->node = strdup(spec->node ? spec->node : NODE);
	if (!fd->node)
		return error_nomem(err);
	fd->fd = linux_open_node(env, fd->node, err);
	if (fd->fd < 0)
		return fd->fd;
	ret = set_accounting(fd, spec->accounting, err);
	if (ret)
		return ret;
	fd->map_file = has_map_file(fd);
	*out = steal_pointer(fd);
	return 0;
}

static int fd_number(const struct driver_fd *fd)
{
	return fd->fd;
}

static int set_vfio_compat(struct driver_fd *fd, uint32_t ioasid, struct ioasidctl_error **err)
{
	bool clear = ioasid == NO_INDEX;
	uint32_t is = NO_OBJECT, wanted = clear ? NO_OBJECT : ioasid;
	int ret = iommufd_vfio_ioas(fd, IOMMUFD_VFIO_IOAS_GET, &is);

	if (ret == -ENODEV)
		is = NO_OBJECT; /* none is set */
	else if (ret)
		return iommufd_fail(err, "IOMMU_VFIO_IOAS", ret,
				    "can't ask which IOASID stands in for a VFIO container");
	if (is == wanted)
		return 0;
	ret = iommufd_vfio_ioas(fd, clear ? IOMMUFD_VFIO_IOAS_CLEAR : IOMMUFD_VFIO_IOAS_SET,
				&wanted);
	if (ret)
		return iommufd_fail(err, "IOMMU_VFIO_IOAS", ret,
				    clear ? "can't withdraw the IOASID that stands in for a VFIO "
					    "container"
					  : "can't have an IOASID stand in for a VFIO container");
	return 0;
}

static int adopt(struct driver_fd *fd, struct ioasidctl_error **err)
{
	int ret = iommufd_change_process(fd);

	/*
	 * It is also said where the process before has ended, and could not be relieved of what it
	 * had (accounting: process); by then all is this one's, and nothing is left to do.
	 */
	if (ret == -EINVAL)
		ret = iommufd_change_process(fd);
	if (!ret)
		return 0;
	iommufd_fail(err, "IOMMU_IOAS_CHANGE_PROCESS", ret,
		     "can't take over the pinned memory of %s", fd->node);
	if (ret == -ENOMEM)
		linux_explain_memory(fd->env, 0, err);
	return ret;
}

const struct driver driver_iommufd = {
	.name = "iommufd",
	.choice = DRIVER_IOMMUFD,
	.node = NODE,
	.missing = {[CAP_ENFORCE_SNOOP] =
			    "Linux has the IOMMU make all DMA snoop wherever it can, unasked"},
	.tables =
		1 << TABLE_VTD_S1 | 1 << TABLE_ARM_SMMUV3 | 1 << TABLE_AMD_GUEST | 1 << TABLE_MOCK,
	/* The kernel has no other way to the guest's stream or device tables. */
	.viommu_tables = 1 << TABLE_ARM_SMMUV3 | 1 << TABLE_AMD_GUEST,
	.viommus = 1 << VIOMMU_DEFAULT | 1 << VIOMMU_ARM_SMMUV3 | 1 << VIOMMU_TEGRA241_CMDQV |
		   1 << VIOMMU_MOCK,
	.event_viommus = 1 << VIOMMU_ARM_SMMUV3 | 1 << VIOMMU_TEGRA241_CMDQV | 1 << VIOMMU_MOCK,
	.queue_viommus = 1 << VIOMMU_TEGRA241_CMDQV | 1 << VIOMMU_MOCK,
	.nested_needs_device = true,
	.available = available,
	.open = fd_open,
	.close = fd_close,
	.fd_number = fd_number,
	.device_find = iommufd_device_find,
	.device_set_driver = iommufd_device_set_driver,
	.device_set_vfs = linux_device_set_vfs,
	.device_carries = linux_device_carries,
	.device_users = linux_device_users,
	.device_set_override = linux_device_set_override,
	.device_open = iommufd_device_open,
	.device_close = iommufd_device_close,
	.device_fd_number = iommufd_device_fd_number,
	.device_request_fd = iommufd_device_request_fd,
	.device_requested = iommufd_device_requested,
	.device_bind = iommufd_device_bind,
	.device_info = iommufd_device_info,
	.device_bar_fd = iommufd_device_bar_fd,
	.ioasid_alloc = iommufd_ioasid_alloc,
	.ioasid_free = iommufd_ioasid_free,
	.ioasid_info = iommufd_ioasid_info,
	.allow = iommufd_allow,
	.wants_va = iommufd_wants_va,
	.map = iommufd_map,
	.copy = iommufd_copy,
	.unmap = iommufd_unmap,
	.attach = iommufd_attach,
	.detach = iommufd_detach,
	.viommu_alloc = iommufd_viommu_make,
	.viommu_free = iommufd_viommu_free,
	.vdevice_alloc = iommufd_vdevice_make,
	.vdevice_free = iommufd_vdevice_free,
	.queue_alloc = iommufd_hw_queue_make,
	.queue_free = iommufd_hw_queue_free,
	.events_alloc = iommufd_events_make,
	.events_free = iommufd_events_free,
	.faults_fd = iommufd_faults_fd,
	.faults_read = iommufd_faults_read,
	.fault_answer = iommufd_fault_answer,
	.events_fd = iommufd_events_fd,
	.events_read = iommufd_events_read,
	.dirty_set = iommufd_dirty_set,
	.dirty_read = iommufd_dirty_read,
	.invalidate = iommufd_invalidate,
	.set_vfio_compat = set_vfio_compat,
	.fd_record = iommufd_record,
	.fd_restore = iommufd_restore,
	.device_record = iommufd_device_record,
	.device_restore = iommufd_device_restore,
	.leave = iommufd_leave,
	.adopt = adopt,
	.physical = iommufd_physical,
	.ioasid_probe = iommufd_ioasid_probe,
	.viommu_probe = iommufd_viommu_probe,
	.vdpa = &driver_vdpa,
	.device_probe = iommufd_device_probe,
};
