// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apply/execution.h"
#include "base/cleanup.h"

/* Where a whole device is attached, for the comparison within its group. */
struct placement {
	uint32_t group;
	const struct device *device;
	const struct iommu_fd *fd;
	const struct ioasid *ioasid;
	struct position at;
};

static int compare_groups(const void *a, const void *b)
{
	const struct placement *x = a, *y = b;

	return x->group < y->group ? -1 : x->group > y->group;
}

static int refuse_split(const struct topology *t, const struct placement *a,
			const struct placement *b, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_REFUSED, EINVAL,
			    "devices %s and %s are in IOMMU group %u together and can't be in "
			    "different address spaces, %s/%s and %s/%s",
			    a->device->name, b->device->name, a->group, a->fd->name,
			    a->ioasid->name, b->fd->name, b->ioasid->name);

	error_cause(err, "the IOMMU can't tell the members of a group apart");
	error_hint(err, "attach both to the same IOASID");
	error_object(err, "%s", b->device->name);
	if (b->at.line)
		error_position(err, t->file, b->at.line, b->at.column);
	return ret;
}

static int check_groups(const struct topology *t, struct placement *placements, size_t n,
			struct ioasidctl_error **err)
{
	qsort(placements, n, sizeof(*placements), compare_groups);
	for (size_t i = 1; i < n; i++)
		if (placements[i].group == placements[i - 1].group &&
		    placements[i].ioasid != placements[i - 1].ioasid)
			return refuse_split(t, &placements[i - 1], &placements[i], err);
	return 0;
}

static int survey_device(const struct driver_env *env, const struct topology *t, struct device *d,
			 struct ioasidctl_error **err)
{
	struct device_facts facts = {.group = NO_INDEX};
	int ret;

	ret = t->fds[d->fd].ops->device_find(env, d, &facts, err);
	d->iommu_group = facts.group;
	if (!ret && !facts.present) {
		ret = error_new(err, ERROR_UNAVAILABLE, ENODEV, "device %s: there is no %s %s",
				d->name, selector_names[d->selector], d->address);
		error_object(err, "%s", d->name);
	}
	if (ret && d->at.line)
		error_position(err, t->file, d->at.line, d->at.column);
	device_facts_done(&facts);
	return ret;
}

static size_t place(const struct topology *t, struct placement *out)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_fds; i++)
		for (size_t j = 0; j < t->fds[i].n_ioasids; j++)
			for (size_t k = 0; k < t->fds[i].ioasids[j].n_attach; k++) {
				const struct ioasid *ioasid = &t->fds[i].ioasids[j];
				const struct attachment *a = &ioasid->attach[k];
				const struct device *d = &t->devices[a->device];

				if (a->pasid == NO_PASID && d->iommu_group != NO_INDEX)
					out[n++] = (struct placement){d->iommu_group, d, &t->fds[i],
								      ioasid, a->at};
			}
	return n;
}

int survey_devices(const struct driver_env *env, struct topology *t, struct ioasidctl_error **err)
{
	/* A whole device is attached at most once, so there are no more placements than devices. */
	_cleanup_free_ struct placement *placements = calloc(t->n_devices + 1, sizeof(*placements));
	int ret = 0;

	if (!placements)
		return error_nomem(err);
	for (size_t i = 0; i < t->n_devices; i++) {
		int failed;

		if (t->devices[i].fd == NO_INDEX)
			continue;
		failed = survey_device(env, t, &t->devices[i], err);
		ret = ret ? ret : failed;
	}
	return ret ? ret : check_groups(t, placements, place(t, placements), err);
}
