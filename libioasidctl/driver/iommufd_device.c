// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Devices of the iommufd driver: VFIO character devices of whatever bus, and the mock IOMMU's, of
 * which nothing exists before they are bound.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "driver/iommufd.h"
#include "host/device.h"

/* More than any IOMMU tells today; what goes beyond isn't understood here anyway. */
#define HW_INFO_MAX 256

int iommufd_device_find(const struct driver_env *env, const struct device *spec,
			struct device_facts *out, struct ioasidctl_error **err)
{
	if (spec->selector != SELECTOR_MOCK)
		return linux_device_find(env, spec, out, err);
	*out = (struct device_facts){.present = true, .group = NO_INDEX};
	return 0;
}

int iommufd_device_set_driver(const struct driver_env *env, const struct device *spec,
			      const char *driver, char **original, struct ioasidctl_error **err)
{
	int ret;

	if (spec->selector != SELECTOR_MOCK)
		return linux_device_set_driver(env, spec, driver, original, err);
	ret = error_new(err, ERROR_REFUSED, EOPNOTSUPP, "mock device %s takes no host driver",
			spec->name);
	error_hint(err, "leave `driver` out of its entry");
	return ret;
}

static int refuse_unbound(const struct driver_device *dev, const struct device *spec,
			  struct ioasidctl_error **err)
{
	_cleanup_free_ char *driver = NULL;
	int ret = host_device_driver(dev->dir, &driver);

	if (ret)
		return error_new(err, ERROR_KERNEL, -ret, "can't read the driver of %s: %s",
				 dev->label, strerror(-ret));
	if (driver && strstr(driver, "vfio")) {
		error_new(err, ERROR_UNAVAILABLE, ENODEV, "%s has no VFIO device node", dev->label);
		error_cause(err, "the kernel's VFIO has no character devices");
		error_hint(err, "they came with Linux 6.6 (CONFIG_VFIO_DEVICE_CDEV)");
		return -ENODEV;
	}
	return linux_refuse_unbound(spec, dev->label, driver, err);
}

static void unlink_device(struct driver_device *dev)
{
	struct driver_device **link = &dev->owner->devices;

	while (*link != dev)
		link = &(*link)->next;
	*link = dev->next;
}

/* The kernel has detached it, so what only it used has to go. */
static void release_places(struct driver_fd *fd, struct driver_device *dev)
{
	while (dev->n_places)
		iommufd_release_hwpt(fd, dev->places[--dev->n_places].hwpt);
}

void iommufd_device_close(struct driver_device *dev)
{
	struct driver_fd *owner = dev->owner;

	if (owner && dev->selector == SELECTOR_MOCK)
		iommufd_mock_close(dev);
	if (owner)
		unlink_device(dev);
	if (dev->fd >= 0) {
		close(dev->fd);
		driver_trace(dev->env, "close %s fd=%d = 0", dev->node, dev->fd);
	}
	cleanup_close(&dev->request);
	if (owner) {
		release_places(owner, dev);
		iommufd_mock_release(owner);
	}
	free(dev->places);
	free(dev->label);
	free(dev->dir);
	free(dev->node);
	free(dev);
}

static void device_closep(struct driver_device **dev)
{
	if (*dev)
		iommufd_device_close(*dev);
}

int iommufd_device_open(const struct driver_env *env, const struct device *spec,
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
	dev->group = NO_INDEX;
	if (asprintf(&dev->label, "%s (%s)", spec->name, spec->address) < 0) {
		dev->label = NULL;
		return error_nomem(err);
	}
	if (spec->selector == SELECTOR_MOCK) {
		*out = steal_pointer(dev);
		return 0;
	}
	ret = host_device_dir(env->root, spec->selector, spec->address, &dev->dir, err);
	if (ret)
		return ret;
	ret = host_device_group(dev->dir, &dev->group);
	if (!ret)
		ret = host_device_vfio(dev->dir, &dev->node);
	if (ret == -ENOENT)
		return refuse_unbound(dev, spec, err);
	if (ret)
		return error_new(err, ERROR_KERNEL, -ret, "can't read %s of sysfs: %s", dev->dir,
				 strerror(-ret));
	dev->fd = linux_open_node(env, dev->node, err);
	if (dev->fd < 0)
		return dev->fd;
	*out = steal_pointer(dev);
	return 0;
}

int iommufd_device_fd_number(const struct driver_device *dev)
{
	return dev->fd;
}

int iommufd_device_request_fd(struct driver_device *dev)
{
	/* Before it is bound, the kernel lets nothing be asked of it. */
	if (dev->request < 0 && dev->id != NO_OBJECT)
		dev->request = linux_request_fd(dev->env, dev->selector, dev->fd, dev->node);
	return dev->request;
}

bool iommufd_device_requested(struct driver_device *dev)
{
	return linux_take_request(dev->request);
}

static int bind_vfio(struct driver_fd *fd, struct driver_device *dev, uint32_t *id,
		     struct ioasidctl_error **err)
{
	int ret = vfio_bind(dev, fd->fd, id);

	if (ret) {
		iommufd_fail(err, "VFIO_DEVICE_BIND_IOMMUFD", ret, "can't bind %s to %s",
			     dev->label, fd->node);
		iommufd_explain_bind(dev, -ret, err);
	}
	return ret;
}

int iommufd_device_bind(struct driver_fd *fd, struct driver_device *dev, uint32_t *id,
			struct ioasidctl_error **err)
{
	uint32_t number = NO_OBJECT;
	int ret = dev->selector == SELECTOR_MOCK ? iommufd_mock_bind(fd, dev, &number, err)
						 : bind_vfio(fd, dev, &number, err);

	if (ret)
		return ret;
	dev->id = number;
	dev->owner = fd;
	dev->next = fd->devices;
	fd->devices = dev;
	*id = number;
	return 0;
}

int iommufd_device_info(struct driver_fd *fd, struct driver_device *dev, struct device_info *out,
			struct ioasidctl_error **err)
{
	_Alignas(8) unsigned char data[HW_INFO_MAX] = {0};
	struct iommufd_hw_info args = {
		.size = sizeof(args),
		.dev_id = dev->id,
		.data_len = sizeof(data),
		.data_uptr = (uintptr_t)data,
	};
	int ret;

	/* What a mediated device is has no IOMMU behind it; its id isn't that of a device object.
	 */
	if (dev->selector == SELECTOR_MDEV) {
		*out = (struct device_info){.type = "none"};
		return 0;
	}
	ret = iommufd_get_hw_info(fd, &args);
	if (ret == -EOPNOTSUPP) {
		/* Bound without an IOMMU: the kernel knows the device, and that's all. */
		*out = (struct device_info){.type = "none"};
		return 0;
	}
	if (ret)
		return iommufd_fail(err, "IOMMU_GET_HW_INFO", ret, "can't ask for the IOMMU of %s",
				    dev->label);
	iommufd_decode_info(&args, data,
			    args.data_len < sizeof(data) ? args.data_len : sizeof(data), out);
	return 0;
}

int iommufd_device_bar_fd(struct driver_device *dev, uint32_t bar, uint64_t offset, uint64_t length,
			  int *out, struct ioasidctl_error **err)
{
	int ret;

	if (dev->selector != SELECTOR_PCI)
		return error_new(err, ERROR_REFUSED, EOPNOTSUPP,
				 "%s has no BARs: it is no PCI device", dev->label);
	ret = vfio_get_dma_buf(dev, bar, offset, length);
	if (ret < 0) {
		iommufd_fail(err, "VFIO_DEVICE_FEATURE", ret, "can't export BAR %u of %s", bar,
			     dev->label);
		iommufd_explain_bar(dev, bar, offset, length, -ret, err);
		return ret;
	}
	*out = ret;
	return 0;
}

int iommufd_device_probe(struct driver_fd *fd, struct driver_device *dev)
{
	struct iommufd_hw_info args = {.size = sizeof(args), .dev_id = dev->id};
	int ret;

	if (dev->selector == SELECTOR_MDEV)
		return vfio_get_info(dev);
	ret = iommufd_get_hw_info(fd, &args);
	return ret == -EOPNOTSUPP ? 0 : ret; /* it is there, and has no IOMMU */
}
