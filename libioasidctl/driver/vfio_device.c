// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Devices of the vfio driver. A group opens its devices only while it's in a container, so a
 * device's own descriptor comes with its attachment and goes with it; what holds an unattached one
 * is its open group, and before it is bound nothing does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "driver/vfio.h"
#include "host/device.h"
#include "host/inventory.h"
#include "host/root.h"
#include "host/sysfs.h"

/* What the kernel calls a group that it makes up for a device without IOMMU. */
#define NO_IOMMU_GROUP "vfio-noiommu"

static int refuse_no_group(const struct driver_device *dev, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_UNAVAILABLE, ENODEV, "%s can't be handed out by VFIO",
			    dev->label);

	linux_explain_no_group(dev->group_number, err);
	return ret;
}

static int refuse_no_iommu(const struct driver_device *dev, struct ioasidctl_error **err)
{
	_cleanup_free_ char *path =
		root_path(dev->env->root, "/sys/kernel/iommu_groups/%u/name", dev->group_number);
	char name[64];
	int ret;

	if (!path)
		return error_nomem(err);
	if (sysfs_read(path, name, sizeof(name)) || strcmp(name, NO_IOMMU_GROUP))
		return 0;
	ret = error_new(err, ERROR_REFUSED, EPERM, "%s has no IOMMU in front of it", dev->label);
	error_cause(err, "VFIO offers it in no-IOMMU mode: its DMA would reach all of the memory");
	error_hint(err, "enable the IOMMU in the firmware and for the kernel (intel_iommu=on on "
			"Intel machines)");
	return ret;
}

static int check_driver(const struct driver_device *dev, const struct device *spec,
			struct ioasidctl_error **err)
{
	_cleanup_free_ char *driver = NULL;
	int ret = host_device_driver(dev->dir, &driver);

	if (ret)
		return error_new(err, ERROR_KERNEL, -ret, "can't read the driver of %s: %s",
				 dev->label, strerror(-ret));
	if (!driver || !strstr(driver, "vfio"))
		return linux_refuse_unbound(spec, dev->label, driver, err);
	return 0;
}

static void close_device(struct driver_device *dev)
{
	if (dev->fd < 0)
		return;
	close(dev->fd);
	driver_trace(dev->env, "close %s fd=%d = 0", dev->name, dev->fd);
	dev->fd = -1;
}

void vfio_device_close(struct driver_device *dev)
{
	struct driver_fd *owner = dev->owner;

	close_device(dev);
	cleanup_close(&dev->request);
	if (owner) {
		struct driver_device **link = &owner->devices;

		while (*link && *link != dev)
			link = &(*link)->next;
		if (*link)
			*link = dev->next;
		vfio_group_put(owner, dev->group);
	}
	free(dev->label);
	free(dev->name);
	free(dev->dir);
	free(dev);
}

static void device_closep(struct driver_device **dev)
{
	if (*dev)
		vfio_device_close(*dev);
}

int vfio_device_open(const struct driver_env *env, const struct device *spec,
		     struct driver_device **out, struct ioasidctl_error **err)
{
	_cleanup_(device_closep)
	struct driver_device *dev = calloc(1, sizeof(*dev));
	int ret;

	if (!dev)
		return error_nomem(err);
	dev->env = env;
	dev->fd = dev->request = -1;
	dev->selector = spec->selector;
	dev->name = strdup(spec->address);
	if (asprintf(&dev->label, "%s (%s)", spec->name, spec->address) < 0)
		dev->label = NULL;
	if (!dev->name || !dev->label)
		return error_nomem(err);
	ret = host_device_dir(env->root, spec->selector, spec->address, &dev->dir, err);
	if (ret)
		return ret;
	ret = host_device_group(dev->dir, &dev->group_number);
	if (ret)
		return error_new(err, ERROR_KERNEL, -ret, "can't read %s of sysfs: %s", dev->dir,
				 strerror(-ret));
	ret = check_driver(dev, spec, err);
	if (!ret && dev->group_number == NO_INDEX)
		ret = refuse_no_group(dev, err);
	if (!ret)
		ret = refuse_no_iommu(dev, err);
	if (!ret)
		*out = steal_pointer(dev);
	return ret;
}

int vfio_device_fd_number(const struct driver_device *dev)
{
	return dev->fd;
}

int vfio_device_request_fd(struct driver_device *dev)
{
	if (dev->request < 0 && dev->fd >= 0)
		dev->request = linux_request_fd(dev->env, dev->selector, dev->fd, dev->name);
	return dev->request;
}

bool vfio_device_requested(struct driver_device *dev)
{
	return linux_take_request(dev->request);
}

int vfio_group_fd_number(const struct driver_device *dev)
{
	return dev->group ? dev->group->fd : -1;
}

int vfio_device_bind(struct driver_fd *fd, struct driver_device *dev, uint32_t *id,
		     struct ioasidctl_error **err)
{
	int ret = vfio_group_get(fd, dev->group_number, &dev->group, err);

	if (ret)
		return ret;
	dev->owner = fd;
	dev->next = fd->devices;
	fd->devices = dev;
	/* The kernel knows it by its group. */
	*id = NO_INDEX;
	return 0;
}

int vfio_device_open_in_group(struct driver_fd *fd, struct driver_device *dev,
			      struct ioasidctl_error **err)
{
	int ret;

	if (dev->fd >= 0)
		return 0;
	ret = vfio_open_device(fd->env, dev->group, dev->name);
	if (ret < 0)
		return vfio_fail(err, "VFIO_GROUP_GET_DEVICE_FD", ret, "can't open %s", dev->label);
	dev->fd = ret;
	if (dev->request >= 0)
		linux_arm_request(dev->env, dev->fd, dev->name, dev->request);
	return 0;
}

static bool group_is_used(const struct driver_fd *fd, const struct vfio_group *g)
{
	for (const struct driver_device *d = fd->devices; d; d = d->next)
		if (d->group == g && d->fd >= 0)
			return true;
	return false;
}

int vfio_device_attach(struct driver_fd *fd, struct driver_device *dev, uint32_t id, uint32_t pasid,
		       struct ioasidctl_error **err)
{
	struct vfio_container *c = vfio_find_container(fd, id, err);
	int ret;

	if (!c)
		return -ENOENT;
	if (pasid != NO_PASID)
		return error_new(err, ERROR_REFUSED, EOPNOTSUPP,
				 "the vfio driver attaches whole devices only");
	ret = vfio_group_enter(fd, dev->group, c, err);
	if (ret)
		return ret;
	ret = vfio_device_open_in_group(fd, dev, err);
	if (ret && !group_is_used(fd, dev->group))
		vfio_group_leave(fd, dev->group, NULL);
	return ret;
}

int vfio_device_detach(struct driver_fd *fd, struct driver_device *dev, uint32_t pasid,
		       struct ioasidctl_error **err)
{
	int ret = 0;

	(void)pasid;
	if (dev->fd < 0)
		return 0;
	close_device(dev);
	if (!group_is_used(fd, dev->group))
		ret = vfio_group_leave(fd, dev->group, err);
	if (ret)
		vfio_device_open_in_group(fd, dev, NULL);
	return ret;
}

static uint32_t number_or_0(uint64_t number)
{
	return number == HOST_UNKNOWN ? 0 : (uint32_t)number;
}

/* VFIO doesn't tell; sysfs does. Names and types there are constants. */
static int read_hardware(const struct driver_device *dev, struct device_info *out)
{
	_cleanup_arena_ struct arena arena = {0};
	struct host_iommu iommu;
	int ret = host_iommu_of(dev->env->root, dev->dir, &arena, &iommu);

	if (ret)
		return ret == -ENOMEM ? ret : 0;
	out->type = iommu.type;
	out->iova_bits = number_or_0(iommu.iova_bits);
	out->nesting = iommu.nesting == 1;
	out->dirty_tracking = iommu.dirty_tracking == 1;
	out->snoop_control = iommu.snoop_control == 1;
	out->pasid_bits = number_or_0(iommu.pasid_bits);
	for (size_t i = 0; i < iommu.n_registers && i < ARRAY_SIZE(out->registers); i++) {
		out->registers[i].name = iommu.registers[i].name;
		out->registers[i].value = iommu.registers[i].value;
		out->n_registers++;
	}
	return 0;
}

/* What the container says holds for all of its devices together. */
int vfio_device_info(struct driver_fd *fd, struct driver_device *dev, struct device_info *out,
		     struct ioasidctl_error **err)
{
	struct vfio_info info = {0};
	int ret;

	*out = (struct device_info){.type = "none"};
	if (dev->selector == SELECTOR_MDEV)
		return 0;
	if (read_hardware(dev, out))
		return error_nomem(err);
	if (!dev->group->container)
		return 0;
	ret = vfio_info_read(fd, dev->group->container, &info, err);
	if (ret)
		return ret;
	out->page_sizes = info.page_sizes;
	if (info.n_ranges)
		out->iova_bits =
			64U - (uint32_t)__builtin_clzll(info.ranges[info.n_ranges - 1].last | 1);
	vfio_info_done(&info);
	return 0;
}

int vfio_device_probe(struct driver_fd *fd, struct driver_device *dev)
{
	uint32_t flags;
	int ret;

	if (dev->fd >= 0)
		ret = vfio_device_get_info(dev);
	else
		ret = vfio_group_status(fd->env, dev->group, &flags);
	return ret ? -ENOENT : 0;
}
