// SPDX-License-Identifier: LGPL-2.1-or-later
/* vDPA devices on Linux keep copies of their address spaces: what that rules out. */
#include <errno.h>

#include "plan/planner.h"
#include "plan/refusal.h"

#define CAUSE                                                                                   \
	"a vDPA device translates by itself, from a copy of the mappings: the IOMMU interface " \
	"doesn't know it"

static void refuse(struct refusal *r, struct position at, const struct device *d, const char *what,
		   const char *cause, const char *hint)
{
	r->ret =
		error_new(r->err, ERROR_REFUSED, EOPNOTSUPP, "%s: a vdpa device %s", d->name, what);
	error_cause(r->err, "%s", cause);
	if (hint)
		error_hint(r->err, "%s", hint);
	error_object(r->err, "%s", d->name);
	if (at.line)
		error_position(r->err, r->t->file, at.line, at.column);
}

/* Of the fd's mappings, the first that no process can have at an address of its own. */
static const struct mapping *find_bar(const struct refusal *r, const struct ioasid *ioasid)
{
	for (size_t i = 0; i < ioasid->n_maps; i++) {
		const struct mapping *m = &ioasid->maps[i];

		if (m->source != NO_INDEX)
			m = ioasid_mapping_at(&r->fd->ioasids[m->source], m->offset);
		if (m && m->memory != NO_INDEX &&
		    r->t->memories[m->memory].backing == BACKING_DMABUF)
			return &ioasid->maps[i];
	}
	return NULL;
}

static void refuse_attachment(struct refusal *r, const struct ioasid *ioasid,
			      const struct attachment *a)
{
	const struct device *d = &r->t->devices[a->device];
	const struct mapping *bar;

	if (!device_has_iotlb(r->t, d))
		return;
	if (ioasid->kind == IOASID_NESTED)
		refuse(r, a->at, d, "can't be in a nested IOASID", CAUSE,
		       "attach it to a gpa IOASID");
	else if (a->pasid != NO_PASID)
		refuse(r, a->at, d, "has no PASIDs", CAUSE,
		       "its virtqueue groups can be in different IOASIDs: vq_group");
	bar = find_bar(r, ioasid);
	if (bar)
		refuse(r, a->at, d, "can't be in an IOASID that maps a device's BAR",
		       "vhost-vdpa takes ordinary memory only", NULL);
}

void refuse_attachments(struct refusal *r, const struct ioasid *ioasid)
{
	for (size_t i = 0; i < ioasid->n_attach; i++)
		refuse_attachment(r, ioasid, &ioasid->attach[i]);
}

void refuse_vdpa_viommu(struct refusal *r, const struct viommu *viommu)
{
	const struct device *d = &r->t->devices[viommu->device];

	if (device_has_iotlb(r->t, d))
		refuse(r, viommu->at, d, "is behind no IOMMU that could be split", CAUSE, NULL);
	for (size_t i = 0; i < viommu->n_vdevices; i++) {
		d = &r->t->devices[viommu->vdevices[i].device];
		if (device_has_iotlb(r->t, d))
			refuse(r, viommu->vdevices[i].at, d, "can't be on a vIOMMU", CAUSE, NULL);
	}
}

int refuse_remade(const struct topology *live, const struct topology *desired,
		  struct ioasidctl_error **err)
{
	int ret = 0;

	for (size_t i = 0; i < desired->n_devices; i++) {
		const struct device *d = &desired->devices[i], *was;

		if (d->successor_of == NO_INDEX)
			continue;
		was = &live->devices[d->successor_of];
		if (devices_made_alike(was, d))
			continue;
		ret = error_new(err, ERROR_REFUSED, EBUSY,
				"device %s: %s can't be made in another way while it is there",
				d->name, d->address);
		error_cause(err, "only a device that is deleted first can be made anew, and that "
				 "could not be undone if a later step failed");
		error_hint(err, "take the device out and apply; then declare it as it should be");
		error_object(err, "%s", d->name);
		if (d->at.line)
			error_position(err, desired->file, d->at.line, d->at.column);
	}
	return ret;
}
