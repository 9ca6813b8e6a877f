// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a config asks of a driver that the driver can't do, found before anything is touched. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "driver/driver.h"
#include "plan/match.h"
#include "plan/planner.h"
#include "plan/refusal.h"

/* "iommufd, vfio": the drivers of this build that have the capability; "" when none does. */
static void list_able(enum capability cap, char *out, size_t size)
{
	size_t used = 0;

	*out = 0;
	for (size_t i = 0; drivers[i] && used < size; i++)
		if (!drivers[i]->missing[cap])
			used += (size_t)snprintf(out + used, size - used, "%s%s",
						 used ? " or " : "", drivers[i]->name);
}

void need(struct refusal *r, enum capability cap, struct position at, const char *object)
{
	const char *why = r->fd->ops->missing[cap];
	char able[64];

	if (!why)
		return;
	r->ret = error_new(r->err, ERROR_REFUSED, EOPNOTSUPP, "%s: driver %s has no %s", object,
			   r->fd->ops->name, capability_text(cap));
	error_cause(r->err, "%s", why);
	error_object(r->err, "%s", object);
	if (at.line)
		error_position(r->err, r->t->file, at.line, at.column);
	list_able(cap, able, sizeof(able));
	if (*able)
		error_hint(r->err, "driver %s has them", able);
	else
		error_hint(r->err, "leave it out: no driver of this version has them");
}

static void need_flags(struct refusal *r, const struct ioasid *ioasid)
{
	static const struct {
		uint32_t flag;
		enum capability cap;
	} flags[] = {
		{IOASID_FLAG_NEST_PARENT, CAP_NEST_PARENT},
		{IOASID_FLAG_DIRTY, CAP_DIRTY},
		{IOASID_FLAG_PASID, CAP_PASID},
		{IOASID_FLAG_FAULT_QUEUE, CAP_FAULT_QUEUE},
		{IOASID_FLAG_NO_HUGE, CAP_SMALL_PAGES},
		{IOASID_FLAG_ENFORCE_SNOOP, CAP_ENFORCE_SNOOP},
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (ioasid->flags & flags[i].flag)
			need(r, flags[i].cap, ioasid->at, ioasid->name);
}

/* A BAR that another fd's driver exports; that it can is asked for the memory. */
static bool is_foreign_bar(const struct refusal *r, const struct memory *m)
{
	return m->backing == BACKING_DMABUF && r->fd != &r->t->fds[r->t->devices[m->device].fd];
}

/* A capability that many mappings lack is told once, at the first. */
static void need_mappings(struct refusal *r, const struct ioasid *ioasid)
{
	const struct mapping *copy = NULL, *placed = NULL, *write_only = NULL, *dmabuf = NULL;

	for (size_t i = ioasid->n_maps; i-- > 0;) {
		const struct mapping *m = &ioasid->maps[i];

		if (m->source != NO_INDEX)
			copy = m;
		if (m->auto_iova)
			placed = m;
		if (m->access == ACCESS_WRITE)
			write_only = m;
		if (m->memory != NO_INDEX && is_foreign_bar(r, &r->t->memories[m->memory]))
			dmabuf = m;
	}
	if (copy)
		need(r, CAP_COPY, copy->at, ioasid->name);
	if (placed)
		need(r, CAP_AUTO_IOVA, placed->at, ioasid->name);
	if (write_only)
		need(r, CAP_WRITE_ONLY, write_only->at, ioasid->name);
	if (dmabuf)
		need(r, CAP_DMABUF, dmabuf->at, ioasid->name);
}

static void need_ioasid(struct refusal *r, const struct ioasid *ioasid)
{
	if (ioasid->kind == IOASID_NESTED && r->fd->ops->missing[CAP_NESTED])
		need(r, CAP_NESTED, ioasid->at, ioasid->name);
	else if (ioasid->kind == IOASID_NESTED)
		refuse_nested(r, ioasid);
	if (ioasid->n_allow)
		need(r, CAP_ALLOW, ioasid->at, ioasid->name);
	need_flags(r, ioasid);
	need_mappings(r, ioasid);
	for (size_t i = 0; i < attachment_count(ioasid); i++)
		if (ioasid->attach[i].pasid != NO_PASID)
			need(r, CAP_PASID, ioasid->attach[i].at,
			     r->t->devices[ioasid->attach[i].device].name);
	for (size_t i = 0; i < ioasid->n_attach; i++)
		if (ioasid->attach[i].vq_group != NO_INDEX)
			need(r, CAP_VQ_GROUP, ioasid->attach[i].at,
			     r->t->devices[ioasid->attach[i].device].name);
	refuse_attachments(r, ioasid);
}

static void need_device(struct refusal *r, const struct device *d)
{
	static const enum capability selectors[SELECTOR_COUNT] = {
		[SELECTOR_PCI] = CAP_PCI,   [SELECTOR_MDEV] = CAP_MDEV,
		[SELECTOR_MOCK] = CAP_MOCK, [SELECTOR_PLATFORM] = CAP_PLATFORM,
		[SELECTOR_VDPA] = CAP_VDPA, [SELECTOR_VF] = CAP_SRIOV,
	};

	need(r, selectors[d->selector], d->at, d->name);
	if (d->vfs != NO_INDEX)
		need(r, CAP_SRIOV, d->at, d->name);
	if (d->group == GROUP_TAKE)
		need(r, CAP_GROUP_TAKE, d->at, d->name);
}

int refuse_unsupported(const struct topology *t, struct ioasidctl_error **err)
{
	struct refusal r = {.t = t, .err = err};

	for (size_t i = 0; i < t->n_fds; i++) {
		r.fd = &t->fds[i];
		if (r.fd->accounting == ACCOUNTING_PROCESS)
			need(&r, CAP_BY_PROCESS, r.fd->at, r.fd->name);
		if (r.fd->accounting == ACCOUNTING_USER)
			need(&r, CAP_BY_USER, r.fd->at, r.fd->name);
		if (r.fd->vfio_compat != NO_INDEX)
			need(&r, CAP_VFIO_COMPAT, r.fd->at, r.fd->name);
		for (size_t j = 0; j < r.fd->n_viommus; j++)
			refuse_viommu(&r, &r.fd->viommus[j]);
		for (size_t j = 0; j < r.fd->n_viommus; j++)
			refuse_vdpa_viommu(&r, &r.fd->viommus[j]);
		for (size_t j = 0; j < r.fd->n_ioasids; j++)
			need_ioasid(&r, &r.fd->ioasids[j]);
	}
	for (size_t i = 0; i < t->n_devices; i++) {
		if (t->devices[i].fd == NO_INDEX)
			continue;
		r.fd = &t->fds[t->devices[i].fd];
		need_device(&r, &t->devices[i]);
	}
	for (size_t i = 0; i < t->n_memories; i++) {
		const struct memory *m = &t->memories[i];

		if (m->backing != BACKING_DMABUF || t->devices[m->device].fd == NO_INDEX)
			continue;
		r.fd = &t->fds[t->devices[m->device].fd];
		need(&r, CAP_DMABUF, m->at, m->name);
	}
	return r.ret;
}

static int refuse_device(const struct topology *live, const struct topology *desired,
			 const struct device *was, const struct device *mate,
			 struct ioasidctl_error **err)
{
	char label[DEVICE_LABEL_MAX];
	int ret = error_new(err, ERROR_REFUSED, EBUSY,
			    "device %s can't be given back to %s while device %s of the same IOMMU "
			    "group %u stays",
			    device_label(live, was, label), was->live.original_driver, mate->name,
			    was->iommu_group);

	error_cause(err, "the kernel lets no host driver have a member of a group that is handed "
			 "out");
	if (was->taken_for == NO_INDEX)
		error_hint(err, "keep %s in `devices`, or take %s out, too", was->name, mate->name);
	else
		error_hint(err, "keep `group: take` at a device of the group, or take %s out, too",
			   mate->name);
	error_object(err, "%s", was->name);
	if (mate->at.line)
		error_position(err, desired->file, mate->at.line, mate->at.column);
	return ret;
}

int refuse_stranded(const struct topology *live, const struct topology *desired,
		    struct ioasidctl_error **err)
{
	int ret = 0;

	for (uint32_t i = 0; i < live->n_devices; i++) {
		const struct device *was = &live->devices[i], *mate;

		if (!was->live.original_driver || group_allows_driver(was->live.original_driver))
			continue;
		mate = find_group_mate(live, desired, i);
		if (mate && !has_heir(desired, i))
			ret = refuse_device(live, desired, was, mate, err);
	}
	return ret;
}

/* The desired device that a live one lives on as; NULL: it goes. */
static const struct device *heir_of_device(const struct topology *desired, uint32_t live_device)
{
	for (size_t i = 0; i < desired->n_devices; i++)
		if (desired->devices[i].prev == live_device ||
		    desired->devices[i].successor_of == live_device)
			return &desired->devices[i];
	return NULL;
}

int refuse_moved_memory(const struct topology *live, const struct topology *desired,
			struct ioasidctl_error **err)
{
	int ret;

	for (size_t i = 0; i < live->n_memories; i++) {
		const struct memory *m = &live->memories[i];
		const struct device *heir = NULL;

		if (m->backing == BACKING_DMABUF)
			heir = heir_of_device(desired, m->device);
		if (!heir || !heir->bound || device_keeps_binding(live, desired, heir))
			continue;
		ret = error_new(err, ERROR_REFUSED, EBUSY,
				"device %s can't be bound anew while its BAR is memory %s",
				heir->name, m->name);
		error_cause(err, "closing the device takes its memory away from all that map it, "
				 "and that could not be undone if a later step failed");
		error_hint(err, "take %s out first, and apply; then move the device", m->name);
		error_object(err, "%s", heir->name);
		if (heir->at.line)
			error_position(err, desired->file, heir->at.line, heir->at.column);
		return ret;
	}
	return 0;
}

static int refuse_record(const struct topology *desired, const struct iommu_fd *fd,
			 const struct ioasid *ioasid, struct ioasidctl_error **err)
{
	int ret =
		error_new(err, ERROR_REFUSED, EBUSY,
			  "%s/%s: its record of dirty pages would be lost", fd->name, ioasid->name);

	error_cause(err, "what it was made with changes, so that it would be made anew");
	error_hint(err, "`ioasidctl dirty read` and `dirty stop` first, or leave it as it was");
	error_object(err, "%s/%s", fd->name, ioasid->name);
	if (ioasid->at.line)
		error_position(err, desired->file, ioasid->at.line, ioasid->at.column);
	return ret;
}

int refuse_forgetting(const struct topology *live, const struct topology *desired,
		      struct ioasidctl_error **err)
{
	for (size_t i = 0; i < live->n_fds; i++) {
		const uint32_t heir = topology_find_fd(desired, live->fds[i].name);
		const struct iommu_fd *fd = heir == NO_INDEX ? NULL : &desired->fds[heir];

		for (uint32_t j = 0; fd && j < live->fds[i].n_ioasids; j++) {
			const struct ioasid *was = &live->fds[i].ioasids[j];
			const uint32_t is =
				was->live.dirty ? iommu_fd_find_ioasid(fd, was->name) : NO_INDEX;

			if (is != NO_INDEX && (fd->prev != i || fd->ioasids[is].prev != j))
				return refuse_record(desired, fd, &fd->ioasids[is], err);
		}
	}
	return 0;
}
