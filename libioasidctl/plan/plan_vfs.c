// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "plan/planner.h"

static bool changes_number(const struct planner *p, const struct device *d)
{
	return d->vfs != NO_INDEX && d->fd != NO_INDEX && !d->absent &&
	       (d->prev == NO_INDEX || p->live->devices[d->prev].vfs != d->vfs);
}

void plan_new_vfs(struct planner *p)
{
	for (uint32_t i = 0; i < p->desired->n_devices; i++) {
		const struct device *d = &p->desired->devices[i];

		if (changes_number(p, d))
			emit(p, phase_of_new(p, d), OPERATION(SET_VFS, .fd = d->fd, .object = i));
	}
}

/* Nobody after it says how many there are to be. */
static bool goes_back(const struct planner *p, uint32_t live_device)
{
	if (p->live->devices[live_device].live.original_vfs == NO_INDEX)
		return false;
	for (size_t i = 0; p->desired && i < p->desired->n_devices; i++) {
		const struct device *d = &p->desired->devices[i];

		if ((d->prev == live_device || d->successor_of == live_device) &&
		    d->vfs != NO_INDEX)
			return false;
	}
	return true;
}

bool vf_vanishes(const struct planner *p, const struct device *vf)
{
	return vf->vf_of != NO_INDEX && goes_back(p, vf->vf_of);
}

void plan_old_vfs(struct planner *p)
{
	for (uint32_t i = 0; i < p->live->n_devices; i++)
		if (goes_back(p, i))
			emit(p, PHASE_FINAL,
			     OPERATION(RESTORE_VFS, .old = true, .fd = p->live->devices[i].fd,
				       .object = i));
}

/* A device of the live topology that is a VF of the one at that index; NULL: none. */
static const struct device *find_vf(const struct topology *live, uint32_t physical)
{
	for (size_t i = 0; i < live->n_devices; i++)
		if (live->devices[i].vf_of == physical)
			return &live->devices[i];
	return NULL;
}

int refuse_recount(const struct topology *live, const struct topology *desired,
		   struct ioasidctl_error **err)
{
	int ret = 0;

	for (size_t i = 0; i < desired->n_devices; i++) {
		const struct device *d = &desired->devices[i], *was, *vf;

		was = d->prev == NO_INDEX ? NULL : &live->devices[d->prev];
		vf = was && was->vfs != d->vfs ? find_vf(live, d->prev) : NULL;
		if (!vf)
			continue;
		ret = error_new(err, ERROR_REFUSED, EBUSY,
				"the number of virtual functions of %s (%s) can't change from %u "
				"to %u while the topology has %s, one of them",
				d->name, d->address, was->vfs, d->vfs, vf->name);
		error_cause(err, "virtual functions come and go only all together");
		error_hint(err, "apply it without them first, or delete the topology");
		error_object(err, "%s", d->name);
		if (d->at.line)
			error_position(err, desired->file, d->at.line, d->at.column);
	}
	return ret;
}
