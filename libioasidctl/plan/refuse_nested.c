// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>

#include "plan/planner.h"
#include "plan/refusal.h"

#define NAMES_MAX 128

/* "vtd-s1, arm-smmuv3": the words whose bits are set. */
static const char *list_words(const char *const *names, uint32_t bits, char buf[static NAMES_MAX])
{
	int used = 0;

	*buf = 0;
	for (int i = 0; names[i]; i++)
		if (bits & (1U << i) && used >= 0 && used < NAMES_MAX)
			used += snprintf(buf + used, (size_t)(NAMES_MAX - used), "%s%s",
					 used ? ", " : "", names[i]);
	return buf;
}

static void refuse(struct refusal *r, struct position at, const char *object, const char *message)
{
	r->ret = error_new(r->err, ERROR_REFUSED, EOPNOTSUPP, "%s: %s", object, message);
	error_object(r->err, "%s", object);
	if (at.line)
		error_position(r->err, r->t->file, at.line, at.column);
}

static void refuse_format(struct refusal *r, const struct ioasid *ioasid)
{
	const struct driver *ops = r->fd->ops;
	char message[NAMES_MAX], names[NAMES_MAX];

	snprintf(message, sizeof(message), "driver %s knows no tables of format %s", ops->name,
		 table_format_names[ioasid->table.format]);
	refuse(r, ioasid->at, ioasid->name, message);
	error_hint(r->err, "it knows %s", list_words(table_format_names, ops->tables, names));
}

static void refuse_without_viommu(struct refusal *r, const struct ioasid *ioasid)
{
	char message[NAMES_MAX];

	snprintf(message, sizeof(message), "a table of format %s needs a vIOMMU",
		 table_format_names[ioasid->table.format]);
	refuse(r, ioasid->at, ioasid->name, message);
	error_cause(r->err, "the kernel takes such a table only for a guest's whole IOMMU");
	error_hint(r->err, "declare one in viommus, on the same parent, and name it in `viommu`");
}

static bool is_known(const struct topology *t, const struct ioasid *ioasid)
{
	for (size_t i = 0; i < ioasid->n_attach; i++)
		if (!device_has_iotlb(t, &t->devices[ioasid->attach[i].device]))
			return true;
	return false;
}

static bool has_device(const struct refusal *r, const struct ioasid *ioasid)
{
	const struct iommu_fd *fd = r->fd;

	if (ioasid->viommu != NO_INDEX || is_known(r->t, ioasid) ||
	    is_known(r->t, &fd->ioasids[ioasid->parent]))
		return true;
	for (size_t i = 0; i < fd->n_ioasids; i++)
		if (fd->ioasids[i].parent == ioasid->parent && is_known(r->t, &fd->ioasids[i]))
			return true;
	return false;
}

int refuse_without_device(const struct topology *desired, struct ioasidctl_error **err)
{
	struct refusal r = {.t = desired, .err = err};

	for (r.fd = desired->fds; r.fd < desired->fds + desired->n_fds; r.fd++)
		for (size_t i = 0; i < r.fd->n_ioasids; i++) {
			const struct ioasid *ioasid = &r.fd->ioasids[i];

			if (ioasid->kind != IOASID_NESTED || ioasid->prev != NO_INDEX ||
			    !r.fd->ops->nested_needs_device || has_device(&r, ioasid))
				continue;
			refuse(&r, ioasid->at, ioasid->name,
			       "it can't be made while its devices are absent");
			error_cause(err, "the kernel makes a nested table for the IOMMU of a "
					 "device");
			error_hint(err, "apply it when one of them is there");
		}
	return r.ret;
}

void refuse_nested(struct refusal *r, const struct ioasid *ioasid)
{
	const uint32_t format = 1U << ioasid->table.format;

	if (!(r->fd->ops->tables & format))
		refuse_format(r, ioasid);
	else if (r->fd->ops->viommu_tables & format && ioasid->viommu == NO_INDEX)
		refuse_without_viommu(r, ioasid);
	if (r->fd->ops->nested_needs_device && !has_device(r, ioasid)) {
		refuse(r, ioasid->at, ioasid->name, "no device tells for which IOMMU it is");
		error_cause(r->err, "the kernel makes a nested table for the IOMMU of a device");
		error_hint(r->err, "attach a device to it or to its parent, or put it on a viommu");
	}
}

/* Types that the driver knows, but for which it lacks some kind of queue. */
static void need_type(struct refusal *r, const struct viommu *viommu, uint32_t types,
		      const char *what, struct position at)
{
	char message[NAMES_MAX], names[NAMES_MAX];

	if (types & (1U << viommu->type))
		return;
	snprintf(message, sizeof(message), "a vIOMMU of type %s has no %s",
		 viommu_type_names[viommu->type], what);
	refuse(r, at, viommu->name, message);
	error_hint(r->err, "with driver %s these have: %s", r->fd->ops->name,
		   list_words(viommu_type_names, types, names));
}

void refuse_viommu(struct refusal *r, const struct viommu *viommu)
{
	const struct driver *ops = r->fd->ops;
	char message[NAMES_MAX], names[NAMES_MAX];

	if (ops->missing[CAP_VIOMMU]) {
		need(r, CAP_VIOMMU, viommu->at, viommu->name);
		return;
	}
	if (!(ops->viommus & (1U << viommu->type))) {
		snprintf(message, sizeof(message), "driver %s knows no vIOMMU of type %s",
			 ops->name, viommu_type_names[viommu->type]);
		refuse(r, viommu->at, viommu->name, message);
		error_hint(r->err, "it knows %s",
			   list_words(viommu_type_names, ops->viommus, names));
		return;
	}
	if (viommu->events_depth)
		need_type(r, viommu, ops->event_viommus, "event queue", viommu->at);
	if (viommu->n_queues)
		need_type(r, viommu, ops->queue_viommus, "hardware queues", viommu->queues[0].at);
}
