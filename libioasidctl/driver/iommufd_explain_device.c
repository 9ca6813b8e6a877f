// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why a device couldn't be bound or attached. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "driver/iommufd.h"
#include "host/root.h"
#include "host/sysfs.h"

/* Our own open of the device is no obstacle. */
static bool explain_open_device(const struct driver_device *dev, struct ioasidctl_error **err)
{
	const char *const nodes[] = {dev->node, NULL};

	return linux_explain_holders(dev->env->root, nodes, getpid(), "it", err);
}

/*
 * EINVAL: the device is bound through another open file. EBUSY: its group is open, by VFIO's older
 * way. EPERM: interrupts aren't isolated, or the group is somebody else's, the host's perhaps.
 */
void iommufd_explain_bind(const struct driver_device *dev, int errnum, struct ioasidctl_error **err)
{
	if (!err || linux_explain_gone(dev->dir, err) || linux_explain_no_group(dev->group, err))
		return;
	if (errnum == EINVAL && !explain_open_device(dev, err))
		error_cause(err, "it is bound already through another open file, or its DMA "
				 "doesn't snoop the CPU's caches");
	if (errnum == EPERM || errnum == EBUSY)
		linux_explain_owner(dev->env, errnum == EPERM ? "iommufd" : NULL, dev->group,
				    dev->node, err);
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

static bool explain_group(const struct driver_fd *fd, const struct driver_device *dev, uint32_t id,
			  struct ioasidctl_error **err)
{
	for (const struct driver_device *d = fd->devices; d; d = d->next) {
		const struct iommufd_place *whole = iommufd_find_place(d, NO_PASID);

		if (d == dev || d->group == NO_INDEX || d->group != dev->group || !whole ||
		    whole->ioasid == id)
			continue;
		error_cause(err, "%s of the same IOMMU group %u is in another IOASID", d->label,
			    d->group);
		error_hint(err, "the devices of a group can only be in one IOASID together");
		return true;
	}
	return false;
}

static bool explain_pasid(struct driver_fd *fd, struct driver_device *dev, uint32_t pasid,
			  struct ioasidctl_error **err)
{
	struct device_info info;

	if (pasid == NO_PASID || iommufd_device_info(fd, dev, &info, NULL) ||
	    pasid >> info.pasid_bits == 0)
		return false;
	if (info.pasid_bits)
		error_cause(err, "the device and its IOMMU have PASIDs of %u bits, up to %u",
			    info.pasid_bits, (1U << info.pasid_bits) - 1);
	else
		error_cause(err, "the device, or its IOMMU, has no PASIDs");
	return true;
}

static void explain_incompatible(const struct iommufd_space *space, struct ioasidctl_error **err)
{
	if (space && space->format != TABLE_NONE) {
		error_cause(err, "the device's IOMMU isn't the one that %s was made for",
			    space->name);
		error_hint(err, "make a nested IOASID for each IOMMU");
	} else if (space && space->flags & IOASID_FLAG_FAULT_QUEUE) {
		error_cause(err, "the device or its IOMMU can't report page faults, or can't use "
				 "this IOASID's page tables");
		error_hint(err, "leave fault_queue out, or give the device an IOASID of its own");
	} else {
		error_cause(err, "the device's IOMMU can't use this IOASID's page tables");
		error_hint(err, "give the device an IOASID of its own");
	}
}

static void explain_no_faults(struct ioasidctl_error **err)
{
	(*err)->kind = ERROR_REFUSED;
	error_cause(err, "the device or its IOMMU can't report page faults");
	error_hint(err, "leave fault_queue out of the IOASID, or give the device one of its own");
}

void iommufd_explain_attach(struct driver_fd *fd, struct driver_device *dev, uint32_t id,
			    uint32_t pasid, int errnum, struct ioasidctl_error **err)
{
	const struct iommufd_space *space = iommufd_find_space(fd, id);

	if (!err || linux_explain_gone(dev->dir, err))
		return;
	switch (errnum) {
	case EADDRINUSE:
		explain_reserved(fd, dev, id, err);
		break;
	case EINVAL:
		(*err)->kind = ERROR_REFUSED;
		if (!explain_group(fd, dev, id, err) && !explain_pasid(fd, dev, pasid, err))
			explain_incompatible(space, err);
		break;
	case ENOENT:
		if (!space || space->viommu == NO_INDEX)
			break;
		error_cause(err, "the device has no vdevice on the viommu that %s is on",
			    space->name);
		error_hint(err, "add it to `vdevices` of the viommu, with the id the guest knows");
		break;
	case ENODEV:
		if (space && space->flags & IOASID_FLAG_FAULT_QUEUE)
			explain_no_faults(err);
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

static void explain_lack(const struct driver_device *dev, const struct device_info *info,
			 uint32_t flags, struct ioasidctl_error **err)
{
	static const struct {
		uint32_t flag;
		const char *lack, *key;
	} lacks[] = {
		{IOASID_FLAG_NEST_PARENT, "nest", "nest_parent"},
		{IOASID_FLAG_DIRTY, "track dirty pages", "dirty_tracking"},
		{IOASID_FLAG_PASID, "take PASIDs", "pasid"},
		{IOASID_FLAG_FAULT_QUEUE, "report page faults", "fault_queue"},
	};
	const uint32_t able = (info->nesting ? IOASID_FLAG_NEST_PARENT : 0) |
			      (info->dirty_tracking ? IOASID_FLAG_DIRTY : 0) |
			      (info->pasid_bits ? IOASID_FLAG_PASID : 0);

	for (size_t i = 0; i < ARRAY_SIZE(lacks); i++) {
		if (!(flags & lacks[i].flag & ~able))
			continue;
		error_cause(err, "the IOMMU of %s (%s) can't %s", dev->label, info->type,
			    lacks[i].lack);
		error_hint(err, "leave %s out of the IOASID, or the device", lacks[i].key);
		return;
	}
	error_cause(err, "the IOMMU of %s (%s) can't do these together", dev->label, info->type);
}

void iommufd_explain_hwpt(struct driver_fd *fd, struct driver_device *dev, uint32_t flags,
			  int errnum, struct ioasidctl_error **err)
{
	struct device_info info;

	if (!err)
		return;
	if (errnum == ENOMEM) {
		linux_explain_memory(fd->env, 0, err);
	} else if (errnum == EADDRINUSE) {
		error_cause(err, "what is allowed or mapped reaches past the addresses that the "
				 "IOMMU of the device can use");
		error_hint(err, "make `allow` and the mappings fit what the device can address");
	} else if (errnum == EOPNOTSUPP && !iommufd_device_info(fd, dev, &info, NULL)) {
		(*err)->kind = ERROR_REFUSED;
		explain_lack(dev, &info, flags, err);
	}
}

/* The IOMMU that takes tables of a format. */
static const char *const format_types[TABLE_COUNT] = {
	[TABLE_VTD_S1] = "vt-d",
	[TABLE_ARM_SMMUV3] = "smmuv3",
	[TABLE_AMD_GUEST] = "amd",
	[TABLE_MOCK] = "mock",
};

static enum table_format format_of(const char *type)
{
	for (int i = 0; i < TABLE_COUNT; i++)
		if (format_types[i] && !strcmp(format_types[i], type))
			return (enum table_format)i;
	return TABLE_NONE;
}

void iommufd_explain_nested(struct driver_fd *fd, struct driver_device *dev,
			    enum table_format format, int errnum, struct ioasidctl_error **err)
{
	struct device_info info;

	if (!err || iommufd_device_info(fd, dev, &info, NULL))
		return;
	(*err)->kind = ERROR_REFUSED;
	if (strcmp(format_types[format], info.type)) {
		error_cause(err, "the IOMMU of %s is %s, which takes no tables of format %s",
			    dev->label, info.type, table_format_names[format]);
		if (format_of(info.type) != TABLE_NONE)
			error_hint(err, "its format is %s",
				   table_format_names[format_of(info.type)]);
	} else if (!info.nesting) {
		error_cause(err, "the IOMMU of %s (%s) can't nest", dev->label, info.type);
		error_hint(err, "map guest memory in a gpa IOASID for the device instead");
	} else if (errnum == EIO || errnum == EINVAL) {
		error_cause(err, "the kernel doesn't take that table, or that parent for the IOMMU "
				 "of the device");
	}
}

void iommufd_explain_viommu(struct driver_fd *fd, struct driver_device *dev, enum viommu_type type,
			    int errnum, struct ioasidctl_error **err)
{
	static const char *const types[VIOMMU_TYPE_COUNT] = {
		[VIOMMU_ARM_SMMUV3] = "smmuv3",
		[VIOMMU_TEGRA241_CMDQV] = "smmuv3",
		[VIOMMU_MOCK] = "mock",
	};
	struct device_info info;

	if (!err || errnum != EOPNOTSUPP || iommufd_device_info(fd, dev, &info, NULL))
		return;
	(*err)->kind = ERROR_REFUSED;
	if (strcmp(types[type], info.type)) {
		error_cause(err, "the IOMMU of %s is %s, which has no viommus of type %s",
			    dev->label, info.type, viommu_type_names[type]);
		return;
	}
	error_cause(err,
		    "the IOMMU of %s (%s) can't nest, or the firmware doesn't say that its "
		    "DMA is coherent",
		    dev->label, info.type);
	if (type == VIOMMU_ARM_SMMUV3)
		error_hint(err, "the kernel wants both stages (idr0) and, for the device's root "
				"complex, CANWBS in the ACPI IORT table");
}

/* Size of a BAR as sysfs lists them: a line of first, last and flags for each. */
static uint64_t bar_size(const struct driver_device *dev, uint32_t bar)
{
	_cleanup_free_ char *path = root_path(dev->dir, "/resource");
	char text[SYSFS_TEXT_MAX], *line = text;
	unsigned long long first, last;

	if (!path || sysfs_read(path, text, sizeof(text)))
		return 0;
	while (bar-- && (line = strchr(line, '\n')))
		line++;
	if (!line || sscanf(line, "%llx %llx", &first, &last) != 2 || last <= first)
		return 0;
	return last - first + 1;
}

void iommufd_explain_bar(const struct driver_device *dev, uint32_t bar, uint64_t offset,
			 uint64_t length, int errnum, struct ioasidctl_error **err)
{
	uint64_t size, page = (uint64_t)sysconf(_SC_PAGESIZE);
	char text[NUMBER_TEXT_MAX];

	if (!err || (errnum != EINVAL && errnum != ENODEV))
		return;
	size = bar_size(dev, bar);
	(*err)->kind = ERROR_REFUSED;
	if (!size)
		error_cause(err, "the device has no BAR %u of memory", bar);
	else if (!range_valid(offset, length) || range_last(offset, length) >= size)
		error_cause(err, "the BAR has %s only", number_size(size, text));
	else if ((offset | length) & (page - 1))
		error_cause(err, "only whole pages of it can be exported");
	else
		error_cause(err, "the kernel can't have other devices reach this BAR");
}
