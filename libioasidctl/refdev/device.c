// SPDX-License-Identifier: LGPL-2.1-or-later
/* Devices: find, bind, describe, attach, and their host drivers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "refdev/state.h"

static bool text_ends(const char text[IOASID_NAME_SIZE])
{
	return memchr(text, '\0', IOASID_NAME_SIZE);
}

/* -EINVAL: not a name; -ENODEV: nobody has it. */
static int find(const struct refdev *refdev, const struct ioasid_device_name *name,
		struct refdev_device **out)
{
	if (name->selector > IOASID_SELECT_MOCK || name->reserved)
		return -EOPNOTSUPP;
	if (!text_ends(name->name) || !name->name[0])
		return -EINVAL;
	for (size_t i = 0; i < refdev->machine->n_devices; i++) {
		struct refdev_device *device = &refdev->devices[i];

		if (device->hw->selector == name->selector &&
		    !strcmp(device->hw->name, name->name)) {
			*out = device;
			return 0;
		}
	}
	return -ENODEV;
}

void device_name_write(const struct refdev_device *device, struct ioasid_device_name *out)
{
	memset(out, 0, sizeof(*out));
	out->selector = device->hw->selector;
	memcpy(out->name, device->hw->name, sizeof(out->name));
}

uint32_t device_flags(const struct refdev_file *file, const struct refdev_device *device)
{
	uint32_t flags = IOASID_DEVICE_PRESENT;

	if (!device->group || group_is_viable(device->group))
		flags |= IOASID_DEVICE_VIABLE;
	if (device->hw->bridge)
		flags |= IOASID_DEVICE_BRIDGE;
	if (device->file)
		flags |= IOASID_DEVICE_BOUND;
	if (device->file == file)
		flags |= IOASID_DEVICE_BOUND_HERE;
	if (device_is_in_the_way(device))
		flags |= IOASID_DEVICE_IN_THE_WAY;
	if (device->hw->no_snoop)
		flags |= IOASID_DEVICE_NO_SNOOP;
	if (device->hw->page_faults)
		flags |= IOASID_DEVICE_FAULTS;
	return flags;
}

int call_query_device(struct refdev_file *file, struct ioasid_query_args *args)
{
	struct refdev_device *device;
	int ret = find(file->refdev, &args->device, &device);

	if (ret && ret != -ENODEV)
		return ret;
	args->device_flags = 0;
	args->group = IOASID_NONE;
	args->group_state = IOASID_GROUP_HOST;
	args->reserved = 0;
	memset(args->driver, 0, sizeof(args->driver));
	memset(args->format, 0, sizeof(args->format));
	if (ret)
		return 0;
	args->device_flags = device_flags(file, device);
	memcpy(args->driver, device->driver, sizeof(args->driver));
	if (device->group) {
		args->group = device->group->hw->id;
		args->group_state = group_state(device->group);
		memcpy(args->format, device->group->hw->iommu->format, sizeof(args->format));
	}
	return 0;
}

static size_t position(const struct refdev_file *file, uint64_t cookie)
{
	size_t low = 0, high = file->n_devices;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (file->devices[middle]->cookie < cookie)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct refdev_device *device_find_cookie(const struct refdev_file *file, uint64_t cookie)
{
	size_t i = position(file, cookie);

	return i < file->n_devices && file->devices[i]->cookie == cookie ? file->devices[i] : NULL;
}

static int make_room(struct refdev_file *file)
{
	size_t capacity = file->devices_capacity ? 2 * file->devices_capacity : 8;
	struct refdev_device **bigger;

	if (file->n_devices < file->devices_capacity)
		return 0;
	bigger = realloc(file->devices, capacity * sizeof(struct refdev_device *));
	if (!bigger)
		return -ENOMEM;
	file->devices = bigger;
	file->devices_capacity = capacity;
	return 0;
}

/* It could raise any interrupt by a plain write. Others have no interrupts of their own. */
static bool has_loose_interrupts(const struct refdev *refdev, const struct refdev_device *device)
{
	return refdev->machine->no_interrupt_remapping &&
	       (device->hw->selector == IOASID_SELECT_PCI ||
		device->hw->selector == IOASID_SELECT_PLATFORM);
}

static int check_bind(const struct refdev_file *file, const struct refdev_device *device,
		      uint64_t cookie)
{
	const struct refdev_group *group = device->group;

	if (!group)
		return -ENXIO;
	if (device->file || device_find_cookie(file, cookie) ||
	    (group->owner && group->owner != file))
		return -EBUSY;
	if (!group_is_viable(group) || has_loose_interrupts(file->refdev, device))
		return -EPERM;
	if (file->tied && !machine_formats_share(file->refdev->machine, file->tied->format,
						 group->hw->iommu->format))
		return -EXDEV;
	return 0;
}

int call_bind_device(struct refdev_file *file, struct ioasid_bind_args *args)
{
	struct refdev_device *device;
	int ret = find(file->refdev, &args->device, &device);
	size_t i;

	if (!ret)
		ret = check_bind(file, device, args->cookie);
	if (!ret)
		ret = make_room(file);
	if (ret)
		return ret;
	i = position(file, args->cookie);
	memmove(&file->devices[i + 1], &file->devices[i],
		(file->n_devices - i) * sizeof(struct refdev_device *));
	file->devices[i] = device;
	file->n_devices++;
	device->file = file;
	device->cookie = args->cookie;
	device->group->owner = file;
	device->group->n_bound++;
	if (!file->tied)
		file->tied = device->group->hw->iommu;
	return 0;
}

void device_unbind(struct refdev_device *device)
{
	struct refdev_file *file = device->file;
	size_t i = position(file, device->cookie);

	device_detach_all(device);
	if (device->vdevice)
		object_destroy(&device->vdevice->object);
	file->n_devices--;
	memmove(&file->devices[i], &file->devices[i + 1],
		(file->n_devices - i) * sizeof(struct refdev_device *));
	if (!file->n_devices)
		file->tied = NULL;
	device->file = NULL;
	if (!--device->group->n_bound)
		device->group->owner = NULL;
}

int call_unbind_device(struct refdev_file *file, struct ioasid_unbind_args *args)
{
	struct refdev_device *device = device_find_cookie(file, args->cookie);

	if (!device)
		return -ENOENT;
	device_unbind(device);
	return 0;
}

uint32_t device_pasid_bits(const struct refdev_device *device)
{
	uint32_t own = device->hw->pasid_bits, iommu = device->group->hw->iommu->pasid_bits;

	return own < iommu ? own : iommu;
}

int call_device_get_info(struct refdev_file *file, struct ioasid_device_info_args *args)
{
	const struct refdev_device *device = device_find_cookie(file, args->cookie);
	const struct machine_iommu *iommu;

	if (!device)
		return -ENOENT;
	iommu = device->group->hw->iommu;
	memcpy(args->format, iommu->format, sizeof(args->format));
	args->page_sizes = iommu->page_sizes;
	args->aperture_first = iommu->first;
	args->aperture_last = iommu->last;
	args->iova_bits = iommu->address_bits;
	args->pasid_bits = device_pasid_bits(device);
	args->info_flags = (iommu->nesting ? IOASID_INFO_NESTING : 0) |
			   (iommu->dirty_tracking ? IOASID_INFO_DIRTY : 0) |
			   (iommu->snoop_control ? IOASID_INFO_SNOOP_CONTROL : 0) |
			   (device->hw->no_snoop ? IOASID_INFO_NO_SNOOP : 0) |
			   (device->hw->page_faults ? IOASID_INFO_FAULTS : 0);
	args->group = device->group->hw->id;
	args->nested_formats = iommu->nested_formats;
	args->viommu_types = iommu->viommu_types;
	args->hw_queues = iommu->hw_queues;
	args->reserved = 0;
	return 0;
}

int call_attach(struct refdev_file *file, struct ioasid_attach_args *args)
{
	struct refdev_device *device = device_find_cookie(file, args->cookie);
	struct refdev_ioasid *ioasid = ioasid_find(file, args->ioasid);

	if (!device || !ioasid)
		return -ENOENT;
	return device_attach(device, ioasid, args->pasid);
}

int call_detach(struct refdev_file *file, struct ioasid_detach_args *args)
{
	struct refdev_device *device = device_find_cookie(file, args->cookie);

	if (args->reserved)
		return -EOPNOTSUPP;
	return device && device_detach(device, args->pasid) ? 0 : -ENOENT;
}

/* The drivers that take devices of a class for user space, wherever the kernel has them. */
static const struct {
	enum ioasid_selector selector;
	const char *driver;
} user_drivers[] = {
	{IOASID_SELECT_PCI, "vfio-pci"},
	{IOASID_SELECT_PCI, "pci-stub"},
	{IOASID_SELECT_PLATFORM, "vfio-platform"},
	{IOASID_SELECT_VDPA, "vhost_vdpa"},
};

static bool driver_exists(const struct machine *machine, enum ioasid_selector selector,
			  const char *driver)
{
	if (!driver[0])
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(user_drivers); i++)
		if (user_drivers[i].selector == selector && !strcmp(user_drivers[i].driver, driver))
			return true;
	for (size_t i = 0; i < machine->n_devices; i++)
		if (machine->devices[i].selector == selector &&
		    !strcmp(machine->devices[i].driver, driver))
			return true;
	for (size_t i = 0; i < machine->n_drivers; i++)
		if (!strcmp(machine->drivers[i], driver))
			return true;
	return false;
}

int call_set_host_driver(struct refdev_file *file, struct ioasid_host_driver_args *args)
{
	struct refdev_device *device;
	int ret = find(file->refdev, &args->device, &device);

	if (ret)
		return ret;
	if (!text_ends(args->driver))
		return -EINVAL;
	if (!driver_exists(file->refdev->machine, args->device.selector, args->driver))
		return -ENODEV;
	if (device->file)
		return -EBUSY;
	if (device->group && device->group->owner && !device->hw->bridge &&
	    !driver_is_viable(args->driver))
		return -EBUSY;
	snprintf(device->driver, sizeof(device->driver), "%s", args->driver);
	return 0;
}
