// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why a device can't be attached: asked of the device in the order in which it checks. */
#include <errno.h>
#include <inttypes.h>

#include "base/number.h"
#include "driver/ioasid_explain.h"

struct attempt {
	struct driver_fd *fd;
	const struct driver_device *dev;
	uint32_t pasid;
	struct ioasid_entry_ioasid ioasid, paging; /* it, and what maps memory for it */
	struct ioasid_device_info_args hardware;
	struct ioasidctl_error **err;
};

/* What the device reserves, held against what the IOASID maps. */
struct collision {
	struct driver_fd *fd;
	uint32_t id;
	struct ioasid_overlap mapping;
	struct ioasid_entry_reserved reserved;
};

static int match_collision(void *data, const void *entry)
{
	struct collision *c = data;

	c->reserved = *(const struct ioasid_entry_reserved *)entry;
	c->mapping.first = c->reserved.first;
	c->mapping.last = c->reserved.last;
	return ioasid_find_mapping(c->fd, c->id, &c->mapping);
}

/* Another device in the IOASID whose IOMMU translates more addresses. */
struct wider {
	struct driver_fd *fd;
	uint64_t cookie;
	uint32_t bits;
};

static int match_wider(void *data, const void *entry)
{
	const struct ioasid_entry_attachment *e = entry;
	struct ioasid_device_info_args info;
	struct wider *w = data;

	if (ioasid_hardware(w->fd, e->cookie, &info) || info.iova_bits <= w->bits)
		return 0;
	w->cookie = e->cookie;
	w->bits = info.iova_bits;
	return 1;
}

static bool explain_width(const struct attempt *t, const struct ioasid_entry_mapping *m)
{
	struct ioasid_list_args args = {.kind = IOASID_LIST_ATTACHMENTS,
					.object = t->paging.ioasid};
	struct wider w = {.fd = t->fd, .bits = t->hardware.iova_bits};

	if (ioasid_list(t->fd, &args, sizeof(struct ioasid_entry_attachment), match_wider, &w) != 1)
		return false;
	error_cause(
		t->err,
		"0x%" PRIx64 "-0x%" PRIx64
		" is mapped; the IOMMU of %s, which is attached, translates %u bits of address, "
		"that of %s only %u",
		(uint64_t)m->iova, range_last(m->iova, m->size),
		ioasid_device_label(t->fd, w.cookie), w.bits, t->dev->name.name,
		t->hardware.iova_bits);
	error_hint(t->err,
		   "map below what the narrower one reaches, or give %s an IOASID of its "
		   "own",
		   t->dev->name.name);
	return true;
}

static void explain_collision(const struct attempt *t)
{
	struct ioasid_list_args args = {.kind = IOASID_LIST_RESERVED_DEVICE,
					.cookie = t->dev->cookie};
	struct collision c = {.fd = t->fd, .id = t->paging.ioasid};
	const struct ioasid_entry_mapping *m = &c.mapping.mapping;

	if (ioasid_list(t->fd, &args, sizeof(c.reserved), match_collision, &c) != 1) {
		error_cause(t->err,
			    "an allowed range reaches into what the device reserves or can't "
			    "reach, or a mapping isn't aligned to the pages of its IOMMU");
		error_hint(t->err, "make `allow` and the mappings fit what the device can use");
		return;
	}
	if (c.reserved.type == IOASID_RESERVED_APERTURE && explain_width(t, m))
		return;
	error_cause(t->err,
		    "0x%" PRIx64 "-0x%" PRIx64 " is mapped, and for this device 0x%" PRIx64
		    "-0x%" PRIx64 " is %s",
		    (uint64_t)m->iova, range_last(m->iova, m->size), (uint64_t)c.reserved.first,
		    (uint64_t)c.reserved.last, ioasid_reserved_text(c.reserved.type));
	error_hint(t->err, "leave that range out of the mappings");
}

static int match_other_ioasid(void *data, const void *entry)
{
	const struct ioasid_entry_device *e = entry;
	struct ioasid_entry_device *wanted = data;

	if (e->group != wanted->group || e->ioasid == IOASID_NONE || e->ioasid == wanted->ioasid ||
	    e->cookie == wanted->cookie)
		return 0;
	*wanted = *e;
	return 1;
}

static bool explain_split(const struct attempt *t)
{
	struct ioasid_list_args args = {.kind = IOASID_LIST_DEVICES};
	struct ioasid_entry_device other = {
		.group = t->dev->group, .ioasid = t->ioasid.ioasid, .cookie = t->dev->cookie};

	if (t->pasid != IOASID_NO_PASID ||
	    ioasid_list(t->fd, &args, sizeof(other), match_other_ioasid, &other) != 1)
		return false;
	error_cause(t->err, "%.*s of the same IOMMU group %u is in another IOASID",
		    IOASID_NAME_SIZE, other.device.name, t->dev->group);
	error_hint(t->err, "the devices of a group can only be in one IOASID together");
	return true;
}

/* The attachments of a device: whole, and whether there are others. */
struct sides {
	uint64_t cookie;
	uint32_t whole, with_pasid; /* IOASIDs; 0: none */
};

static int take_side(void *data, const void *entry)
{
	const struct ioasid_entry_attachment *e = entry;
	struct sides *s = data;

	if (e->cookie == s->cookie && e->pasid == IOASID_NO_PASID)
		s->whole = e->ioasid;
	else if (e->cookie == s->cookie)
		s->with_pasid = e->ioasid;
	return 0;
}

static bool lacks_pasid_flag(const struct attempt *t, uint32_t id)
{
	struct ioasid_entry_ioasid entry;

	return id && !ioasid_entry(t->fd, id, &entry) && !(entry.alloc_flags & IOASID_ALLOC_PASID);
}

static bool explain_pasid(const struct attempt *t)
{
	static const char hint[] = "declare both IOASIDs with `pasid: true`: the one of the whole "
				   "device and the one of its PASID";
	struct ioasid_list_args args = {.kind = IOASID_LIST_ATTACHMENTS, .object = IOASID_NONE};
	struct sides s = {.cookie = t->dev->cookie};
	bool flag = t->ioasid.alloc_flags & IOASID_ALLOC_PASID;

	if (ioasid_list(t->fd, &args, sizeof(struct ioasid_entry_attachment), take_side, &s) < 0)
		return false;
	if (t->pasid == IOASID_NO_PASID) {
		if (flag || !s.with_pasid)
			return false;
		error_cause(t->err,
			    "PASIDs of the device are attached, and IOASID %u was made "
			    "without `pasid`",
			    t->ioasid.ioasid);
	} else if (!flag) {
		error_cause(t->err, "IOASID %u was made without `pasid`", t->ioasid.ioasid);
	} else if (lacks_pasid_flag(t, s.whole)) {
		error_cause(t->err,
			    "IOASID %u, which the whole device is in, was made without "
			    "`pasid`",
			    s.whole);
	} else {
		if (t->pasid && !(t->pasid >> t->hardware.pasid_bits))
			return false;
		error_cause(t->err, "the PASIDs of the device are from 1 to %u",
			    (1U << t->hardware.pasid_bits) - 1);
		error_hint(t->err, "take another one");
		return true;
	}
	error_hint(t->err, hint);
	return true;
}

static int match_other_device(void *data, const void *entry)
{
	const struct ioasid_entry_attachment *e = entry;
	uint64_t *cookie = data;

	if (e->cookie == *cookie)
		return 0;
	*cookie = e->cookie;
	return 1;
}

static bool explain_snoop(const struct attempt *t)
{
	struct ioasid_list_args args = {.kind = IOASID_LIST_ATTACHMENTS,
					.object = t->ioasid.ioasid};
	uint64_t cookie = t->dev->cookie;
	int other;

	if (!(t->ioasid.alloc_flags & IOASID_ALLOC_ENFORCE_SNOOP) ||
	    !(t->hardware.info_flags & IOASID_INFO_NO_SNOOP))
		return false;
	other = ioasid_list(t->fd, &args, sizeof(struct ioasid_entry_attachment),
			    match_other_device, &cookie);
	error_cause(t->err,
		    "%s can do DMA that doesn't snoop the CPU's caches, and the IOASID enforces "
		    "snooping%s%s",
		    t->dev->name.name, other == 1 ? ", as for " : "",
		    other == 1 ? ioasid_device_label(t->fd, cookie) : "");
	error_hint(t->err, "give %s an IOASID of its own", t->dev->name.name);
	return true;
}

static void explain_mismatch(const struct attempt *t)
{
	if (explain_split(t) || explain_pasid(t) || explain_snoop(t))
		return;
	if (t->ioasid.kind == IOASID_KIND_NESTED)
		error_cause(t->err,
			    "the table of the IOASID was made for another IOMMU than the one "
			    "in front of the device");
	else
		error_cause(t->err, "the IOMMU in front of the device can't realise this IOASID");
	error_hint(t->err, "give the device an IOASID of its own");
}

static void explain_ability(const struct attempt *t)
{
	uint32_t lacking = t->paging.alloc_flags;

	if (t->hardware.info_flags & IOASID_INFO_NESTING)
		lacking &= ~IOASID_ALLOC_NEST_PARENT;
	if (t->hardware.info_flags & IOASID_INFO_DIRTY)
		lacking &= ~IOASID_ALLOC_DIRTY;
	if (lacking & IOASID_ALLOC_NEST_PARENT) {
		error_cause(t->err, "the IOASID is a nest_parent, and the IOMMU in front of the "
				    "device can't nest");
		error_hint(t->err, "drop nest_parent, or attach the device to another IOASID");
	} else if (lacking & IOASID_ALLOC_DIRTY) {
		error_cause(t->err, "the IOASID tracks dirty pages, and the IOMMU in front of the "
				    "device can't");
		error_hint(t->err, "drop dirty_tracking, or attach the device to another IOASID");
	} else {
		error_cause(t->err, "the device, or the IOMMU in front of it, has no PASIDs");
		error_hint(t->err, "attach the whole device, without `pasid`");
	}
}

static void explain_domains(const struct attempt *t)
{
	struct ioasid_fd_info_args info = {0};

	if (ioasid_call(t->fd, IOASID_GET_FD_INFO, &info, sizeof(info)))
		return;
	error_cause(t->err,
		    "the device sits behind another IOMMU than those attached so far, and this "
		    "kernel serves %u domain%s per IOASID",
		    info.max_domains, info.max_domains == 1 ? "" : "s");
	error_hint(t->err, "use an IOASID of its own for each IOMMU; `copy` maps the same memory, "
			   "pinned once");
}

static void explain_absence(const struct attempt *t)
{
	if (!t->ioasid.viommu) {
		error_cause(t->err, "the object is gone: something else that holds the file freed "
				    "it");
		return;
	}
	error_cause(t->err, "the IOASID is on viommu %u, and the device is no vdevice there",
		    t->ioasid.viommu);
	error_hint(t->err, "list it under `vdevices` of the viommu");
}

void ioasid_explain_attach(struct driver_fd *fd, const struct driver_device *dev, uint32_t id,
			   uint32_t pasid, int ret, struct ioasidctl_error **err)
{
	struct attempt t = {.fd = fd, .dev = dev, .pasid = pasid, .err = err};

	if (!err || dev->owner != fd || ioasid_entry(fd, id, &t.ioasid) ||
	    ioasid_hardware(fd, dev->cookie, &t.hardware))
		return;
	t.paging = t.ioasid;
	if (t.ioasid.kind == IOASID_KIND_NESTED && ioasid_entry(fd, t.ioasid.parent, &t.paging))
		return;
	if (ret == -EADDRINUSE)
		explain_collision(&t);
	else if (ret == -EINVAL)
		explain_mismatch(&t);
	else if (ret == -EOPNOTSUPP)
		explain_ability(&t);
	else if (ret == -ENOSPC)
		explain_domains(&t);
	else if (ret == -ENOENT)
		explain_absence(&t);
}
