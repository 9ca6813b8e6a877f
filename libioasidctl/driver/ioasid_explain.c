// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why a call failed: what its number means in general, then what asking the device shows. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "driver/ioasid.h"
#include "driver/ioasid_explain.h"

/* `command` 0: any. */
static const struct meaning {
	unsigned long command;
	int errnum;
	enum error_kind kind;
	const char *cause, *hint;
} meanings[] = {
	{IOASID_FREE, EBUSY, ERROR_BUSY,
	 "a device is attached to it, or an IOASID, viommu, vdevice or queue on it is still there",
	 "detach devices and free what needs it first"},
	{IOASID_ALLOC, EINVAL, ERROR_REFUSED, NULL, NULL},
	{IOASID_ALLOC, EOPNOTSUPP, ERROR_REFUSED, NULL, NULL},
	{IOASID_VIOMMU_ALLOC, EINVAL, ERROR_REFUSED, NULL, NULL},
	{IOASID_VIOMMU_ALLOC, EOPNOTSUPP, ERROR_REFUSED, NULL, NULL},
	{IOASID_VDEVICE_ALLOC, EINVAL, ERROR_REFUSED,
	 "the device is behind another IOMMU than the one that the viommu is a slice of",
	 "make a viommu for that IOMMU too, and put the device there"},
	{IOASID_VDEVICE_ALLOC, EEXIST, ERROR_BUSY,
	 "the device is a vdevice already, or another device has that id there",
	 "give each device one id, and each id to one device"},
	{IOASID_HW_QUEUE_ALLOC, EINVAL, ERROR_KERNEL,
	 "the queue has no length, or the IOMMU has no queue of that index",
	 "leave it out of `queues`: the IOMMU has fewer"},
	{IOASID_HW_QUEUE_ALLOC, ENOENT, ERROR_REFUSED,
	 "the parent doesn't map all of the queue's memory", "map it in the parent first"},
	{IOASID_HW_QUEUE_ALLOC, EEXIST, ERROR_BUSY, "there is a queue of that index already",
	 "free that one first"},
	{IOASID_HW_QUEUE_ALLOC, EIO, ERROR_REFUSED, "the queue of the index before isn't there",
	 "queues are made in the order of their indices, from 0 on"},
	{IOASID_HW_QUEUE_ALLOC, EOPNOTSUPP, ERROR_REFUSED,
	 "the IOMMU behind the viommu hands out no hardware queues", "leave `queues` out"},
	{IOASID_EVENT_QUEUE_ALLOC, EINVAL, ERROR_REFUSED, "the depth is from 1 to 524288 events",
	 "change `depth`"},
	{IOASID_EVENT_QUEUE_ALLOC, EEXIST, ERROR_BUSY, "the viommu has its event queue already",
	 "free that one first"},
	{IOASID_INVALIDATE_CACHE, EINVAL, ERROR_REFUSED,
	 "a range isn't of whole pages of 4096 bytes, or a command makes no sense there",
	 "invalidate everything, or whole pages"},
	{IOASID_INVALIDATE_CACHE, EOPNOTSUPP, ERROR_REFUSED,
	 "the format of the table has no such invalidation", "invalidate everything"},
	{IOASID_READ_FAULTS, EOPNOTSUPP, ERROR_REFUSED, "the IOASID has no fault queue",
	 "declare it with `fault_queue: true`"},
	{IOASID_ANSWER_FAULT, EOPNOTSUPP, ERROR_REFUSED, "the IOASID has no fault queue",
	 "declare it with `fault_queue: true`"},
	{IOASID_ANSWER_FAULT, EINVAL, ERROR_KERNEL,
	 "no fault of that number waits: it was answered, or its device was detached",
	 "read the queue again"},
	{IOASID_SET_DIRTY, EOPNOTSUPP, ERROR_REFUSED, "the IOASID was made without dirty tracking",
	 "declare it with `dirty_tracking: true`"},
	{IOASID_READ_DIRTY, EOPNOTSUPP, ERROR_REFUSED, "the IOASID was made without dirty tracking",
	 "declare it with `dirty_tracking: true`"},
	{IOASID_READ_DIRTY, EINVAL, ERROR_KERNEL,
	 "the range isn't of whole pages of that size, or of the IOMMU", "round the range"},
	{IOASID_UNMAP_DMA, EBUSY, ERROR_BUSY, "a hardware queue of a viommu lies in that memory",
	 "free the queue first"},
	{IOASID_MAP_DMA, ENOSPC, ERROR_KERNEL,
	 "nothing that long is free among the addresses that devices and `allow` leave",
	 "map less, or widen `allow`"},
	{IOASID_UNMAP_DMA, ENOENT, ERROR_KERNEL,
	 "nothing is mapped there, or the range would cut a mapping",
	 "a mapping goes as a whole, as it came"},
	{IOASID_COPY_DMA, ENOENT, ERROR_KERNEL,
	 "a part of the range isn't mapped in the source, or one of the IOASIDs is gone",
	 "copy only what the source maps"},
	{IOASID_SET_ALLOWED, EINVAL, ERROR_KERNEL, "a range has only one address, or two overlap",
	 "join those that overlap, and make each longer than one address"},
	{IOASID_SET_ALLOWED, EADDRINUSE, ERROR_KERNEL,
	 "an attached device reserves a part of a range, or can't reach it",
	 "allow only what all attached devices can use"},
	{IOASID_SET_ALLOWED, E2BIG, ERROR_REFUSED, "more ranges than the device takes",
	 "join ranges that touch"},
	{IOASID_SET_ACCOUNTING, EBUSY, ERROR_BUSY, "the file has IOASIDs already",
	 "choose `accounting` for a new fd"},
	{IOASID_BIND_DEVICE, EPERM, ERROR_BUSY, NULL, NULL},
	{IOASID_BIND_DEVICE, EXDEV, ERROR_KERNEL, NULL, NULL},
	{IOASID_BIND_DEVICE, ENXIO, ERROR_REFUSED,
	 "there is no IOMMU in front of it, so nothing could keep its DMA in bounds",
	 "take a device that has an IOMMU group"},
	{IOASID_ATTACH, EINVAL, ERROR_REFUSED, NULL, NULL},
	{IOASID_ATTACH, EADDRINUSE, ERROR_KERNEL, NULL, NULL},
	{IOASID_ATTACH, ENOSPC, ERROR_KERNEL, NULL, NULL},
	{IOASID_ATTACH, EFAULT, ERROR_KERNEL,
	 "memory that the IOASID maps is no longer mapped in this process",
	 "delete the topology and apply it again"},
	{IOASID_ATTACH, ENOENT, ERROR_KERNEL, NULL, NULL},
	{IOASID_ATTACH, EOPNOTSUPP, ERROR_REFUSED, NULL, NULL},
	{IOASID_ATTACH, ENODEV, ERROR_REFUSED,
	 "the IOASID has a fault queue, and the device can't wait for pages",
	 "attach it to an IOASID without `fault_queue`"},
	{IOASID_DETACH, ENOENT, ERROR_KERNEL, "it isn't attached", NULL},
	{IOASID_MAP_DMA, EINVAL, ERROR_KERNEL, NULL, NULL},
	{IOASID_COPY_DMA, EINVAL, ERROR_KERNEL, NULL, NULL},
	{IOASID_MAP_DMA, EFAULT, ERROR_KERNEL, "not all of that memory is mapped in this process",
	 "check that the memory is as large as the mapping needs"},
	{0, EOPNOTSUPP, ERROR_REFUSED, "the device doesn't serve what was asked for", NULL},
	{0, ENOTTY, ERROR_REFUSED, "the device hasn't got the call",
	 "it is older than this ioasidctl, or no /dev/ioasid: `node` says which it is"},
	{0, E2BIG, ERROR_REFUSED, "the device is older than this ioasidctl",
	 "serve it by this version, or leave out what it doesn't know"},
	{0, ENOSPC, ERROR_REFUSED, "the device has no room for more objects",
	 "use another fd, or fewer objects"},
	{0, EOVERFLOW, ERROR_KERNEL, "the range goes past the last address there is",
	 "write a smaller address or length"},
	{0, EPERM, ERROR_PERMISSION, NULL, NULL},
	{0, EACCES, ERROR_PERMISSION, NULL, NULL},
	{0, EBUSY, ERROR_BUSY, NULL, NULL},
	{0, ENOMEM, ERROR_MEMORY, NULL, NULL},
	{0, ENODEV, ERROR_UNAVAILABLE, NULL, NULL},
	{0, ENOENT, ERROR_KERNEL, "the object is gone: something else that holds the file freed it",
	 NULL},
};

static const struct meaning *find_meaning(unsigned long command, int errnum)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (meanings[i].errnum == errnum &&
		    (!meanings[i].command || meanings[i].command == command))
			return &meanings[i];
	return NULL;
}

int ioasid_fail(struct ioasidctl_error **err, unsigned long command, int ret, const char *fmt, ...)
{
	const struct meaning *m = find_meaning(command, -ret);
	_cleanup_free_ char *what = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&what, fmt, args);
	va_end(args);
	if (n < 0) {
		what = NULL;
		return error_nomem(err);
	}
	error_new(err, m ? m->kind : ERROR_KERNEL, -ret, "%s: %s", what, strerror(-ret));
	error_ioctl(err, ioasid_call_name(command));
	if (m && m->cause)
		error_cause(err, "%s", m->cause);
	if (m && m->hint)
		error_hint(err, "%s", m->hint);
	return ret;
}

const char *ioasid_reserved_text(uint32_t type)
{
	static const char *const texts[] = {
		[IOASID_RESERVED_MSI] = "interrupts",
		[IOASID_RESERVED_DIRECT] = "memory that the firmware wants mapped one to one",
		[IOASID_RESERVED_OTHER] = "reserved",
		[IOASID_RESERVED_APERTURE] = "beyond what its IOMMU translates",
	};

	return type < ARRAY_SIZE(texts) ? texts[type] : "reserved";
}

static int match_mapping(void *data, const void *entry)
{
	const struct ioasid_entry_mapping *m = entry;
	struct ioasid_overlap *o = data;

	if (!range_valid(m->iova, m->size) ||
	    !ranges_overlap(m->iova, range_last(m->iova, m->size), o->first, o->last))
		return 0;
	o->mapping = *m;
	return 1;
}

static int match_reserved(void *data, const void *entry)
{
	const struct ioasid_entry_reserved *r = entry;
	struct ioasid_overlap *o = data;

	if (!ranges_overlap(r->first, r->last, o->first, o->last))
		return 0;
	o->reserved = *r;
	return 1;
}

bool ioasid_find_mapping(struct driver_fd *fd, uint32_t id, struct ioasid_overlap *o)
{
	struct ioasid_list_args args = {.kind = IOASID_LIST_MAPPINGS, .object = id};

	return ioasid_list(fd, &args, sizeof(o->mapping), match_mapping, o) == 1;
}

bool ioasid_find_reserved(struct driver_fd *fd, uint32_t id, struct ioasid_overlap *o)
{
	struct ioasid_list_args args = {.kind = IOASID_LIST_RESERVED, .object = id};

	return ioasid_list(fd, &args, sizeof(o->reserved), match_reserved, o) == 1;
}

const char *ioasid_device_label(const struct driver_fd *fd, uint64_t cookie)
{
	for (const struct driver_device *d = fd->devices; d; d = d->next)
		if (d->cookie == cookie)
			return d->name.name;
	return "an attached device";
}

static int take_ioasid(void *data, const void *entry)
{
	struct ioasid_entry_ioasid *wanted = data;

	if (((const struct ioasid_entry_ioasid *)entry)->ioasid != wanted->ioasid)
		return -ENOENT;
	*wanted = *(const struct ioasid_entry_ioasid *)entry;
	return 1;
}

int ioasid_entry(struct driver_fd *fd, uint32_t id, struct ioasid_entry_ioasid *out)
{
	struct ioasid_list_args args = {.kind = IOASID_LIST_IOASIDS, .start = id};

	out->ioasid = id;
	return ioasid_list(fd, &args, sizeof(*out), take_ioasid, out) == 1 ? 0 : -ENOENT;
}

int ioasid_hardware(struct driver_fd *fd, uint64_t cookie, struct ioasid_device_info_args *out)
{
	*out = (struct ioasid_device_info_args){.cookie = cookie};
	return ioasid_call(fd, IOASID_DEVICE_GET_INFO, out, sizeof(*out));
}

static void explain_taken_iova(struct driver_fd *fd, uint32_t id, struct ioasid_overlap *o,
			       struct ioasidctl_error **err)
{
	if (!ioasid_find_mapping(fd, id, o))
		return;
	error_cause(err, "0x%" PRIx64 "-0x%" PRIx64 " is mapped already", (uint64_t)o->mapping.iova,
		    range_last(o->mapping.iova, o->mapping.size));
	error_hint(err, "mappings of one IOASID can't overlap: unmap that one first, or map "
			"elsewhere");
}

static void explain_forbidden_iova(struct driver_fd *fd, uint32_t id, struct ioasid_overlap *o,
				   struct ioasidctl_error **err)
{
	struct ioasid_info_args info = {.ioasid = id};
	int ret = ioasid_call(fd, IOASID_GET_INFO, &info, sizeof(info));

	if (ioasid_find_reserved(fd, id, o)) {
		error_cause(err, "0x%" PRIx64 "-0x%" PRIx64 " is not for mappings: %s (device %s)",
			    (uint64_t)o->reserved.first, (uint64_t)o->reserved.last,
			    ioasid_reserved_text(o->reserved.type),
			    ioasid_device_label(fd, o->reserved.cookie));
		error_hint(err, "leave that range out of the mappings");
		return;
	}
	/* With room for no range, the ranges are the one thing that is missing. */
	if (ret && ret != -EMSGSIZE)
		return;
	error_cause(err,
		    "IOVA, memory address and length must be multiples of 0x%" PRIx64
		    ", the smallest page of the IOMMU",
		    (uint64_t)info.alignment);
	error_hint(err, "round the mapping to that size");
}

static void explain_limit(struct driver_fd *fd, struct ioasidctl_error **err)
{
	struct ioasid_fd_info_args info = {0};
	char pinned[NUMBER_TEXT_MAX], limit[NUMBER_TEXT_MAX];

	if (ioasid_call(fd, IOASID_GET_FD_INFO, &info, sizeof(info)) || !info.max_pinned_bytes)
		return;
	error_cause(err, "the limit of locked memory is %s, and this fd has %s of it",
		    number_size(info.max_pinned_bytes, limit),
		    number_size(info.pinned_bytes, pinned));
	error_hint(err, "map less, or raise the limit: max_pinned_bytes of a machine description, "
			"memlock of a host");
}

void ioasid_explain_map(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length, int ret,
			struct ioasidctl_error **err)
{
	struct ioasid_overlap o = {.first = iova};

	if (!range_valid(iova, length))
		return;
	o.last = range_last(iova, length);
	if (ret == -EEXIST)
		explain_taken_iova(fd, id, &o, err);
	else if (ret == -EINVAL)
		explain_forbidden_iova(fd, id, &o, err);
	else if (ret == -ENOMEM)
		explain_limit(fd, err);
}

static void explain_viability(struct driver_fd *fd, uint32_t group, struct ioasidctl_error **err)
{
	_cleanup_iommu_group_ struct iommu_group members = {0};
	_cleanup_free_ char *text = NULL;

	if (ioasid_group_read(fd, group, &members) || iommu_group_text(&members, true, &text))
		return;
	if (!text) {
		error_cause(err, "the machine doesn't isolate its interrupts (no interrupt "
				 "remapping)");
		error_hint(err, "enable interrupt remapping in its firmware and its kernel");
		return;
	}
	error_cause(err, "its IOMMU group %u has members that the host uses: %s", group, text);
	error_hint(err,
		   "the whole group goes or none: `group: take` in the device's entry binds "
		   "those to vfio-pci, too; so does an entry with `driver: vfio-pci` for each");
}

static void explain_owner(const struct ioasid_query_args *query, struct ioasidctl_error **err)
{
	if (query->device_flags & IOASID_DEVICE_BOUND_HERE)
		error_cause(err, "it is bound to this fd already");
	else if (query->device_flags & IOASID_DEVICE_BOUND)
		error_cause(err, "it is bound to another fd");
	else
		error_cause(err, "another device of its IOMMU group %u is bound to another fd",
			    query->group);
	error_hint(err, "the devices of a group belong to one fd: delete the topology that has "
			"them, or declare them on the same fd");
}

static void explain_format(struct driver_fd *fd, const struct driver_device *dev,
			   const struct ioasid_query_args *query, struct ioasidctl_error **err)
{
	const struct driver_device *first = fd->devices;
	struct ioasid_fd_info_args info = {0};

	if (ioasid_call(fd, IOASID_GET_FD_INFO, &info, sizeof(info)))
		return;
	/* The newest comes first: the one that tied the file is the last. */
	while (first && first->next)
		first = first->next;
	error_cause(
		err,
		"the IOMMU of %s has page tables of format %.*s, that of %s, which is in fd %s, "
		"has %.*s, and the two can't live in one fd",
		dev->name.name, IOASID_NAME_SIZE, query->format,
		first ? first->name.name : "the devices before it", fd->name, IOASID_NAME_SIZE,
		info.format);
	error_hint(err, "declare an fd of its own for devices behind that kind of IOMMU");
}

void ioasid_explain_bind(struct driver_fd *fd, const struct driver_device *dev, int ret,
			 struct ioasidctl_error **err)
{
	struct ioasid_query_args query;

	if (ioasid_query(fd, &dev->name, &query, NULL))
		return;
	if (ret == -EPERM)
		explain_viability(fd, query.group, err);
	else if (ret == -EBUSY)
		explain_owner(&query, err);
	else if (ret == -EXDEV)
		explain_format(fd, dev, &query, err);
}

void ioasid_explain_driver(struct driver_fd *fd, const struct ioasid_device_name *name,
			   const char *driver, int ret, struct ioasidctl_error **err)
{
	struct ioasid_query_args query;

	if (ioasid_query(fd, name, &query, NULL))
		return;
	if (ret == -ENODEV && query.device_flags & IOASID_DEVICE_PRESENT) {
		error_cause(err, "this machine has no driver %s for %s devices", driver,
			    selector_names[name->selector]);
		error_hint(err, "check the spelling; PCI devices are taken by vfio-pci, platform "
				"devices by vfio-platform");
	} else if (ret == -EBUSY) {
		error_cause(err,
			    query.device_flags & IOASID_DEVICE_BOUND
				    ? "it is bound to an fd"
				    : "another device of its IOMMU group %u is bound to an fd, and "
				      "the host's driver would be in the way",
			    query.group);
		error_hint(err, "unbind the devices of the group first");
	}
}
