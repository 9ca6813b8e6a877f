// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why an ioctl of the iommufd driver failed. */
#include <errno.h>
#include <string.h>

#include "base/number.h"
#include "driver/iommufd.h"

static const struct errno_meaning meanings[] = {
	{"IOMMU_OPTION", EPERM, ERROR_PERMISSION,
	 "the choice of memory accounting needs CAP_SYS_RESOURCE",
	 "run ioasidctl as root, or leave `accounting` out of the config"},
	{"VFIO_DEVICE_BIND_IOMMUFD", EACCES, ERROR_BUSY,
	 "it is a virtual function whose physical function is bound to VFIO, or that physical "
	 "function while virtual ones are open; they are had together only by a shared secret "
	 "(vf_token), which this tool doesn't know",
	 "leave the physical function with its own driver"},
	{"VFIO_DEVICE_BIND_IOMMUFD", EAGAIN, ERROR_BUSY, "the device is busy, with a reset perhaps",
	 "try again"},
	{"IOMMU_IOAS_MAP_FILE", EINVAL, ERROR_KERNEL,
	 "the memory is no memfd, or the range ends past its end",
	 "make the memory larger, or the mapping shorter"},
	{"IOMMU_IOAS_COPY", ENOENT, ERROR_KERNEL, "the source has no mapping of exactly that range",
	 "copy the range of one whole mapping"},
	{"IOMMU_IOAS_UNMAP", ENOENT, ERROR_KERNEL,
	 "nothing is mapped there, or the range would cut a mapping",
	 "a mapping goes as a whole, as it came"},
	{"IOMMU_IOAS_ALLOW_IOVAS", EINVAL, ERROR_KERNEL,
	 "a range has only one address, or two overlap",
	 "join those that overlap, and make each longer than one address"},
	{"IOMMU_DESTROY", EBUSY, ERROR_BUSY, "something on it is still in use",
	 "free what is on it first"},
	{"IOMMU_IOAS_MAP", ENOSPC, ERROR_KERNEL, "no free range of that length is usable",
	 "`ioasidctl show` lists the usable ranges; allow more, or map less"},
	{"IOMMU_IOAS_MAP_FILE", ENOSPC, ERROR_KERNEL, "no free range of that length is usable",
	 "`ioasidctl show` lists the usable ranges; allow more, or map less"},
	{"IOMMU_IOAS_MAP_FILE", EOPNOTSUPP, ERROR_REFUSED,
	 "the kernel can't give this kind of memory to an IOMMU",
	 "the BARs of VFIO devices can be mapped from Linux 6.19 on (CONFIG_VFIO_PCI_DMABUF)"},
	{"IOMMU_IOAS_MAP_FILE", ENODEV, ERROR_UNAVAILABLE,
	 "the device whose BAR it is has its memory switched off, or is gone",
	 "a device's reset or low-power state does that; try again"},
	{"IOMMU_IOAS_NOIOMMU_GET_PA", EPERM, ERROR_PERMISSION,
	 "physical addresses are told to those with CAP_SYS_RAWIO only", "run ioasidctl as root"},
	{"IOMMU_IOAS_NOIOMMU_GET_PA", ENOTTY, ERROR_REFUSED,
	 "the kernel has no iommufd for devices without an IOMMU (CONFIG_IOMMUFD_NOIOMMU)", NULL},
	{"IOMMU_IOAS_NOIOMMU_GET_PA", EOPNOTSUPP, ERROR_REFUSED,
	 "an IOMMU translates for the devices that are in it, so they don't need to know", NULL},
	{"IOMMU_IOAS_NOIOMMU_GET_PA", ENOENT, ERROR_KERNEL, "nothing is mapped there", NULL},
	{"IOMMU_IOAS_CHANGE_PROCESS", EINVAL, ERROR_REFUSED,
	 "some of it was mapped by address: that belongs to the process that did it",
	 "memory with backing: memfd can be taken over, files can't"},
	{"IOMMU_IOAS_CHANGE_PROCESS", EBUSY, ERROR_BUSY, "a mapping is just being made",
	 "try again"},
	{"IOMMU_HWPT_GET_DIRTY_BITMAP", EINVAL, ERROR_KERNEL,
	 "range and page size must be multiples of the IOMMU's pages, and tracking must be on",
	 "`ioasidctl dirty start` turns it on"},
	{"IOMMU_VDEVICE_ALLOC", EEXIST, ERROR_BUSY,
	 "the device is known to a viommu already, or another one has that id there",
	 "a device has one vdevice, and its id is its own on the viommu"},
	{"IOMMU_VDEVICE_ALLOC", EINVAL, ERROR_REFUSED,
	 "the device is behind another IOMMU than the viommu is a part of",
	 "make a viommu for each IOMMU, with a device of its own"},
	{"IOMMU_VEVENTQ_ALLOC", EEXIST, ERROR_BUSY, "the viommu has an event queue already",
	 "a viommu has one queue for all of its events"},
	{"IOMMU_VEVENTQ_ALLOC", EINVAL, ERROR_CONFIG, "its depth must be from 1 to 524288",
	 "change `depth`"},
	{"IOMMU_VEVENTQ_ALLOC", EOPNOTSUPP, ERROR_REFUSED, "this kind of viommu has no event queue",
	 "leave `events` out"},
	{"IOMMU_HW_QUEUE_ALLOC", EOPNOTSUPP, ERROR_REFUSED,
	 "this kind of viommu has no hardware queues", "leave `queues` out"},
	{"IOMMU_HW_QUEUE_ALLOC", ENOENT, ERROR_REFUSED, "its memory isn't mapped in the parent",
	 "map it in the parent of the viommu"},
	{"IOMMU_HW_QUEUE_ALLOC", EFAULT, ERROR_REFUSED,
	 "its memory isn't in one piece: hardware reads it by physical address",
	 "back it with one huge page, or make the queue no longer than a page"},
	{"IOMMU_HW_QUEUE_ALLOC", EEXIST, ERROR_BUSY, "a queue has that index already",
	 "give each queue an index of its own"},
	{"IOMMU_HW_QUEUE_ALLOC", EIO, ERROR_REFUSED,
	 "queues come one after the other: the one before it isn't there",
	 "count them from 0 on without a gap"},
	{"IOMMU_HWPT_INVALIDATE", EIO, ERROR_REFUSED,
	 "that isn't a command a guest may give, or no vdevice has its stream id",
	 "`ioasidctl show` lists the vdevices with their ids; `all` needs none"},
	{"IOMMU_HWPT_INVALIDATE", EINVAL, ERROR_REFUSED,
	 "the hardware has no such entry, or no vdevice has that id",
	 "`ioasidctl show` lists the vdevices with their ids; `all` takes every entry"},
	{"IOMMU_HWPT_INVALIDATE", EOPNOTSUPP, ERROR_REFUSED,
	 "there are no caches that a guest would have to invalidate", "nothing has to be done"},
	{"VFIO_DEVICE_FEATURE", ENOTTY, ERROR_REFUSED, "the kernel can't export BARs",
	 "Linux 6.19 came with it (CONFIG_VFIO_PCI_DMABUF)"},
	{"VFIO_DEVICE_FEATURE", EOPNOTSUPP, ERROR_REFUSED, "the device's driver can't export BARs",
	 NULL},
	{NULL, E2BIG, ERROR_REFUSED, "this kernel knows the call, but not all that is asked of it",
	 "a newer kernel does"},
	{NULL, EOPNOTSUPP, ERROR_REFUSED, NULL, NULL},
	{NULL, ENOENT, ERROR_KERNEL,
	 "the object is gone: something else that holds the same "
	 "file destroyed it",
	 NULL},
	{0},
};

int iommufd_fail(struct ioasidctl_error **err, const char *ioctl_name, int ret, const char *fmt,
		 ...)
{
	va_list args;

	va_start(args, fmt);
	ret = linux_fail(err, meanings, ioctl_name, ret, fmt, args);
	va_end(args);
	return ret;
}

/* What is on the IOASID, for the hint; false: nothing that this process knows of. */
static bool explain_users(const struct driver_fd *fd, const struct iommufd_space *space,
			  struct ioasidctl_error **err)
{
	for (const struct driver_device *d = fd->devices; d; d = d->next)
		for (size_t i = 0; i < d->n_places; i++)
			if (d->places[i].ioasid == space->id) {
				error_cause(err, "%s is attached to it", d->label);
				return true;
			}
	for (const struct iommufd_hwpt *h = space->hwpts; h; h = h->next) {
		for (const struct iommufd_space *s = fd->spaces; s; s = s->next)
			if (s->parent_hwpt == h->id) {
				error_cause(err, "the nested IOASID %s is on it", s->name);
				return true;
			}
		for (const struct iommufd_viommu *v = fd->viommus; v; v = v->next)
			if (v->parent_hwpt == h->id) {
				error_cause(err, "the viommu %s is on it", v->name);
				return true;
			}
	}
	return false;
}

void iommufd_explain_free(const struct driver_fd *fd, const struct iommufd_space *space, int errnum,
			  struct ioasidctl_error **err)
{
	if (err && space && errnum == EBUSY && !explain_users(fd, space, err))
		error_cause(err, "another process that has the same file uses it");
}

/* The first device in the IOASID that takes some of the range away. */
static bool explain_culprit(struct driver_fd *fd, uint32_t id, const struct ioasid_info *info,
			    struct range wanted, struct ioasidctl_error **err)
{
	for (struct driver_device *d = fd->devices; d; d = d->next)
		for (size_t i = 0; i < d->n_places; i++) {
			struct device_info device = {0};

			if (d->places[i].ioasid != id)
				continue;
			if (iommufd_device_info(fd, d, &device, NULL))
				device.iova_bits = 0;
			if (linux_explain_culprit(fd->env, info, wanted, d->label, d->group,
						  device.iova_bits, err))
				return true;
			break;
		}
	return false;
}

static bool explain_uncovered(struct driver_fd *fd, uint32_t id, const struct ioasid_info *info,
			      struct range wanted, struct ioasidctl_error **err)
{
	return explain_culprit(fd, id, info, wanted, err) ||
	       linux_explain_uncovered(info, wanted, err);
}

void iommufd_explain_allow(struct driver_fd *fd, uint32_t id, const struct range *ranges, size_t n,
			   struct ioasidctl_error **err)
{
	struct ioasid_info info = {0};

	if (!err || iommufd_ioasid_info(fd, id, &info, NULL))
		return;
	for (size_t i = 0; i < n; i++)
		if (explain_uncovered(fd, id, &info, ranges[i], err))
			break;
	ioasid_info_done(&info);
}

static void explain_bad_range(struct driver_fd *fd, uint32_t id, const struct map_args *args,
			      struct ioasidctl_error **err)
{
	struct ioasid_info info = {0};

	if (!err || iommufd_ioasid_info(fd, id, &info, NULL))
		return;
	if (linux_explain_range(&info, args, err))
		explain_culprit(fd, id, &info,
				(struct range){args->iova, range_last(args->iova, args->length)},
				err);
	ioasid_info_done(&info);
}

void iommufd_explain_map(struct driver_fd *fd, uint32_t id, const struct map_args *args, int errnum,
			 struct ioasidctl_error **err)
{
	switch (errnum) {
	case ENOMEM:
		linux_explain_memory(fd->env, args->length, err);
		break;
	case EEXIST:
	case EADDRINUSE:
		error_cause(err, "part of the range is mapped already");
		break;
	case EINVAL:
		explain_bad_range(fd, id, args, err);
		break;
	case EPERM:
		error_cause(err, "the memory can't be written: it is sealed or was opened "
				 "read-only");
		error_hint(err, "map it with access: r");
		break;
	case EFAULT:
		error_cause(err, "the memory isn't all there: the file ends before the range does");
		break;
	}
}
