// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why a call failed: what its number means in general, then what asking the device shows. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "driver/ioasid.h"

/* `command` 0: any. */
static const struct meaning {
	unsigned long command;
	int errnum;
	enum error_kind kind;
	const char *cause, *hint;
} meanings[] = {
	{IOASID_FREE, EBUSY, ERROR_BUSY, "a device is attached to it", "detach the device first"},
	{IOASID_UNMAP_DMA, ENOENT, ERROR_KERNEL,
	 "nothing is mapped there, or the range would cut a mapping",
	 "a mapping goes as a whole, as it came"},
	{IOASID_COPY_DMA, ENOENT, ERROR_KERNEL,
	 "a part of the range isn't mapped in the source, or one of the IOASIDs is gone",
	 "copy only what the source maps"},
	{IOASID_SET_ALLOWED, EINVAL, ERROR_KERNEL, "a range has only one address, or two overlap",
	 NULL},
	{IOASID_SET_ALLOWED, EADDRINUSE, ERROR_KERNEL,
	 "an attached device reserves a part of a range, or can't reach it",
	 "allow only what all attached devices can use"},
	{IOASID_SET_ALLOWED, E2BIG, ERROR_REFUSED, "more ranges than the device takes",
	 "join ranges that touch"},
	{IOASID_SET_ACCOUNTING, EBUSY, ERROR_BUSY, "the file has IOASIDs already", NULL},
	{IOASID_BIND_DEVICE, EPERM, ERROR_BUSY, NULL, NULL},
	{IOASID_BIND_DEVICE, EXDEV, ERROR_KERNEL, NULL, NULL},
	{IOASID_BIND_DEVICE, ENXIO, ERROR_REFUSED,
	 "there is no IOMMU in front of it, so nothing could keep its DMA in bounds",
	 "take a device that has an IOMMU group"},
	{IOASID_ATTACH, EINVAL, ERROR_KERNEL, NULL, NULL},
	{IOASID_ATTACH, EADDRINUSE, ERROR_KERNEL, NULL, NULL},
	{IOASID_ATTACH, ENOSPC, ERROR_KERNEL, NULL, NULL},
	{IOASID_ATTACH, EFAULT, ERROR_KERNEL,
	 "memory that the IOASID maps is no longer mapped in this process", NULL},
	{IOASID_ATTACH, EOPNOTSUPP, ERROR_REFUSED,
	 "the IOASID is a nest_parent, and the IOMMU in front of the device can't nest",
	 "drop nest_parent, or attach the device to another IOASID"},
	{IOASID_DETACH, ENOENT, ERROR_KERNEL, "it isn't attached", NULL},
	{IOASID_MAP_DMA, EINVAL, ERROR_KERNEL, NULL, NULL},
	{IOASID_COPY_DMA, EINVAL, ERROR_KERNEL, NULL, NULL},
	{IOASID_MAP_DMA, EFAULT, ERROR_KERNEL, "not all of that memory is mapped in this process",
	 "check that the memory is as large as the mapping needs"},
	{0, EOPNOTSUPP, ERROR_REFUSED, "the device doesn't serve what was asked for", NULL},
	{0, ENOTTY, ERROR_REFUSED, "the device hasn't got the call", NULL},
	{0, E2BIG, ERROR_REFUSED, "the device is older than this ioasidctl", NULL},
	{0, ENOSPC, ERROR_REFUSED, "the device has no room for more objects", NULL},
	{0, EOVERFLOW, ERROR_REFUSED, "the range goes past the last address there is", NULL},
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

static const char *reserved_text(uint32_t type)
{
	static const char *const texts[] = {
		[IOASID_RESERVED_MSI] = "interrupts",
		[IOASID_RESERVED_DIRECT] = "memory that the firmware wants mapped one to one",
		[IOASID_RESERVED_OTHER] = "reserved",
		[IOASID_RESERVED_APERTURE] = "beyond what its IOMMU translates",
	};

	return type < ARRAY_SIZE(texts) ? texts[type] : "reserved";
}

/* The first entry of a list that overlaps [first, last]. */
struct overlap {
	uint64_t first, last;
	union {
		struct ioasid_entry_mapping mapping;
		struct ioasid_entry_reserved reserved;
	};
};

static int match_mapping(void *data, const void *entry)
{
	const struct ioasid_entry_mapping *m = entry;
	struct overlap *o = data;

	if (!range_valid(m->iova, m->size) ||
	    !ranges_overlap(m->iova, range_last(m->iova, m->size), o->first, o->last))
		return 0;
	o->mapping = *m;
	return 1;
}

static int match_reserved(void *data, const void *entry)
{
	const struct ioasid_entry_reserved *r = entry;
	struct overlap *o = data;

	if (!ranges_overlap(r->first, r->last, o->first, o->last))
		return 0;
	o->reserved = *r;
	return 1;
}

static bool find_mapping(struct driver_fd *fd, uint32_t id, struct overlap *o)
{
	struct ioasid_list_args args = {.kind = IOASID_LIST_MAPPINGS, .object = id};

	return ioasid_list(fd, &args, sizeof(o->mapping), match_mapping, o) == 1;
}

static bool find_reserved(struct driver_fd *fd, uint32_t id, struct overlap *o)
{
	struct ioasid_list_args args = {.kind = IOASID_LIST_RESERVED, .object = id};

	return ioasid_list(fd, &args, sizeof(o->reserved), match_reserved, o) == 1;
}

static const char *label_of(const struct driver_fd *fd, uint64_t cookie)
{
	for (const struct driver_device *d = fd->devices; d; d = d->next)
		if (d->cookie == cookie)
			return d->name.name;
	return "an attached device";
}

static void explain_taken_iova(struct driver_fd *fd, uint32_t id, struct overlap *o,
			       struct ioasidctl_error **err)
{
	if (!find_mapping(fd, id, o))
		return;
	error_cause(err, "0x%" PRIx64 "-0x%" PRIx64 " is mapped already", (uint64_t)o->mapping.iova,
		    range_last(o->mapping.iova, o->mapping.size));
	error_hint(err, "mappings of one IOASID can't overlap: unmap that one first, or map "
			"elsewhere");
}

static void explain_forbidden_iova(struct driver_fd *fd, uint32_t id, struct overlap *o,
				   struct ioasidctl_error **err)
{
	struct ioasid_info_args info = {.ioasid = id};
	int ret = ioasid_call(fd, IOASID_GET_INFO, &info, sizeof(info));

	if (find_reserved(fd, id, o)) {
		error_cause(err, "0x%" PRIx64 "-0x%" PRIx64 " is not for mappings: %s (device %s)",
			    (uint64_t)o->reserved.first, (uint64_t)o->reserved.last,
			    reserved_text(o->reserved.type), label_of(fd, o->reserved.cookie));
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
	error_hint(err, "map less, or raise max_pinned_bytes of the machine description");
}

void ioasid_explain_map(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length, int ret,
			struct ioasidctl_error **err)
{
	struct overlap o = {.first = iova};

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

	if (ioasid_group_read(fd, group, &members) || iommu_group_text(&members, true, &text) ||
	    !text)
		return;
	error_cause(err, "its IOMMU group %u has members that the host uses: %s", group, text);
	error_hint(err, "the whole group goes or none: bind those to vfio-pci too (a device entry "
			"with `driver: vfio-pci` each), or unbind them");
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

static void explain_format(struct driver_fd *fd, const struct ioasid_query_args *query,
			   struct ioasidctl_error **err)
{
	struct ioasid_fd_info_args info = {0};

	if (ioasid_call(fd, IOASID_GET_FD_INFO, &info, sizeof(info)))
		return;
	error_cause(err,
		    "its IOMMU has page tables of format %.*s, and fd %s is tied to format %.*s",
		    IOASID_NAME_SIZE, query->format, fd->name, IOASID_NAME_SIZE, info.format);
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
		explain_format(fd, &query, err);
}

/* What the device reserves, held against what the IOASID maps. */
struct collision {
	struct driver_fd *fd;
	uint32_t id;
	struct overlap mapping;
	struct ioasid_entry_reserved reserved;
};

static int match_collision(void *data, const void *entry)
{
	struct collision *c = data;

	c->reserved = *(const struct ioasid_entry_reserved *)entry;
	c->mapping.first = c->reserved.first;
	c->mapping.last = c->reserved.last;
	return find_mapping(c->fd, c->id, &c->mapping);
}

static void explain_collision(struct driver_fd *fd, const struct driver_device *dev, uint32_t id,
			      struct ioasidctl_error **err)
{
	struct ioasid_list_args args = {.kind = IOASID_LIST_RESERVED_DEVICE, .cookie = dev->cookie};
	struct collision c = {.fd = fd, .id = id};
	const struct ioasid_entry_mapping *m = &c.mapping.mapping;

	if (ioasid_list(fd, &args, sizeof(c.reserved), match_collision, &c) == 1) {
		error_cause(err,
			    "0x%" PRIx64 "-0x%" PRIx64 " is mapped, and for this device 0x%" PRIx64
			    "-0x%" PRIx64 " is %s",
			    (uint64_t)m->iova, range_last(m->iova, m->size),
			    (uint64_t)c.reserved.first, (uint64_t)c.reserved.last,
			    reserved_text(c.reserved.type));
		error_hint(err, "leave that range out of the mappings");
		return;
	}
	error_cause(err, "an allowed range reaches into what the device reserves or can't reach, "
			 "or a mapping isn't aligned to the pages of its IOMMU");
	error_hint(err, "make `allow` and the mappings fit what the device can use");
}

static int match_other_ioasid(void *data, const void *entry)
{
	const struct ioasid_entry_device *e = entry;
	struct ioasid_entry_device *wanted = data;

	if (e->group != wanted->group || e->ioasid == IOASID_NONE || e->ioasid == wanted->ioasid)
		return 0;
	*wanted = *e;
	return 1;
}

static void explain_split(struct driver_fd *fd, const struct driver_device *dev, uint32_t id,
			  struct ioasidctl_error **err)
{
	struct ioasid_list_args args = {.kind = IOASID_LIST_DEVICES};
	struct ioasid_entry_device other = {.group = dev->group, .ioasid = id};

	if (ioasid_list(fd, &args, sizeof(other), match_other_ioasid, &other) == 1) {
		error_cause(err, "%.*s of the same IOMMU group %u is in another IOASID",
			    IOASID_NAME_SIZE, other.device.name, dev->group);
		error_hint(err, "the devices of a group can only be in one IOASID together");
		return;
	}
	error_cause(err, "the IOMMU in front of the device can't realise this IOASID");
	error_hint(err, "give the device an IOASID of its own");
}

static void explain_domains(struct driver_fd *fd, struct ioasidctl_error **err)
{
	struct ioasid_fd_info_args info = {0};

	if (ioasid_call(fd, IOASID_GET_FD_INFO, &info, sizeof(info)))
		return;
	error_cause(err,
		    "the device sits behind another IOMMU than those attached so far, and this "
		    "kernel serves %u domain%s per IOASID",
		    info.max_domains, info.max_domains == 1 ? "" : "s");
	error_hint(err, "use an IOASID of its own for each IOMMU; `copy` maps the same memory, "
			"pinned once");
}

void ioasid_explain_attach(struct driver_fd *fd, const struct driver_device *dev, uint32_t id,
			   int ret, struct ioasidctl_error **err)
{
	if (ret == -EADDRINUSE)
		explain_collision(fd, dev, id, err);
	else if (ret == -EINVAL)
		explain_split(fd, dev, id, err);
	else if (ret == -ENOSPC)
		explain_domains(fd, err);
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
