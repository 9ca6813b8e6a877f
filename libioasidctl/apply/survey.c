// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
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

/* The strings of `facts` go over to the device. */
static void note_found(struct device *d, struct device_facts *facts)
{
	d->iommu_group = facts->group;
	d->found.vfs = facts->vfs;
	free(d->found.name);
	free(d->found.driver);
	free(d->found.override);
	d->found.name = steal_pointer(facts->name);
	d->found.driver = steal_pointer(facts->driver);
	d->found.override = steal_pointer(facts->override);
}

/* A VF that is yet to be made, or to be made anew: nothing can be known of it. */
static bool is_to_come(const struct topology *t, const struct device *d)
{
	const struct device *pf = d->vf_of == NO_INDEX ? NULL : &t->devices[d->vf_of];

	return pf && pf->found.vfs != pf->vfs;
}

static bool is_wanted(const struct survey *how, const char *name)
{
	for (const char *const *n = how->attempt; n && *n; n++)
		if (!strcmp(*n, name))
			return true;
	return !how->attempt;
}

/* Whether the topology can do without the device, which the machine has or hasn't. */
static bool is_dispensable(const struct topology *live, const struct device *d, bool present,
			   const struct survey *how)
{
	const uint32_t was = live ? topology_find_device(live, d->name) : NO_INDEX;

	/* What an attempt has no business with stays as it is, back or not. */
	if (!is_wanted(how, d->name))
		return was != NO_INDEX && live->devices[was].absent;
	return !present && d->hotplug == HOTPLUG_ATTACH && how->may_wait;
}

static int refuse_absent(const struct device *d, const struct survey *how,
			 struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_UNAVAILABLE, ENODEV, "device %s: there is no %s %s", d->name,
			    selector_names[d->selector], d->address);

	error_object(err, "%s", d->name);
	if (d->hotplug == HOTPLUG_ATTACH && !how->may_wait) {
		error_cause(err, "`hotplug: attach` needs a holder, which would wait for it");
		error_hint(err, "use `ioasidctl apply`");
	} else if (d->hotplug == HOTPLUG_MANUAL) {
		error_hint(err, "with `hotplug: attach` in its entry the rest is applied, and it "
				"follows when it comes");
	}
	return ret;
}

/* Whether this topology has made it before. */
static bool made_by_us(const struct topology *live, const struct device *d)
{
	for (size_t i = 0; live && i < live->n_devices; i++)
		if (live->devices[i].live.made && live->devices[i].selector == d->selector &&
		    !strcmp(live->devices[i].address, d->address))
			return true;
	return false;
}

static int refuse_existing(const struct device *d, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_BUSY, EEXIST,
			    "device %s: there is a %s %s already, which somebody else has made",
			    d->name, selector_names[d->selector], d->address);

	error_hint(err,
		   "leave `management` out to use it as it is, delete it (vdpa dev del %s), or "
		   "choose another name",
		   d->address);
	error_object(err, "%s", d->name);
	return ret;
}

static int survey_device(const struct driver_env *env, const struct topology *live,
			 struct topology *t, uint32_t index, const struct survey *how,
			 struct iommu_group *members, struct ioasidctl_error **err)
{
	_cleanup_(device_facts_done)
	struct device_facts facts = {.group = NO_INDEX, .vfs = NO_INDEX};
	struct device *d = &t->devices[index];
	const bool is_made = d->vdpa.management && device_ops(t, d)->device_create;
	int ret;

	/* What was made of a physical function goes with it. */
	if (d->vf_of != NO_INDEX && t->devices[d->vf_of].absent) {
		topology_set_absent(t, index);
		return 0;
	}
	if (is_to_come(t, d))
		return 0;
	ret = device_ops(t, d)->device_find(env, d, &facts, err);
	if (!ret && is_made && facts.present && !made_by_us(live, d))
		ret = refuse_existing(d, err);
	if (!ret && is_dispensable(live, d, facts.present, how))
		topology_set_absent(t, index);
	else if (!ret && !is_made && !facts.present)
		ret = refuse_absent(d, how, err);
	if (ret && d->at.line)
		error_position(err, t->file, d->at.line, d->at.column);
	note_found(d, &facts);
	*members = facts.members;
	facts.members = (struct iommu_group){0};
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

static void free_groups(struct iommu_group *groups, size_t n)
{
	for (size_t i = 0; i < n; i++)
		iommu_group_done(&groups[i]);
	free(groups);
}

/* What it would lose by being bound to another driver; not if it has none, or the right one. */
static int refuse_needed(const struct driver_env *env, const struct topology *t,
			 const struct device *d, struct ioasidctl_error **err)
{
	const struct driver *ops = device_ops(t, d);
	_cleanup_free_ char *uses = NULL;
	char label[DEVICE_LABEL_MAX];
	int ret;

	if (d->force || !ops->device_carries || !d->driver || !d->found.driver ||
	    !strcmp(d->driver, d->found.driver))
		return 0;
	ret = ops->device_carries(env, d, &uses, err);
	if (!ret && !uses && d->found.vfs && d->found.vfs != NO_INDEX &&
	    asprintf(&uses, "it has %u virtual functions, which vanish without its driver",
		     d->found.vfs) < 0) {
		uses = NULL;
		return error_nomem(err);
	}
	if (ret || !uses)
		return ret;
	ret = error_new(err, ERROR_BUSY, EBUSY, "device %s is one that the host itself needs",
			device_label(t, d, label));
	error_cause(err, "%s", uses);
	error_hint(err,
		   "free it from that; or, if the host may lose it, `force: true` in the entry of "
		   "%s",
		   d->taken_for == NO_INDEX ? d->name : t->devices[d->taken_for].name);
	error_object(err, "%s", d->name);
	if (d->at.line)
		error_position(err, t->file, d->at.line, d->at.column);
	return ret;
}

/* A VF that is declared by its address, too: only now is known that it's the same. */
static int refuse_twice(const struct topology *t, const struct device *d,
			struct ioasidctl_error **err)
{
	for (size_t i = 0; d->vf_of != NO_INDEX && d->found.name && i < t->n_devices; i++) {
		const struct device *e = &t->devices[i];
		int ret;

		if (e == d || e->fd == NO_INDEX || !e->found.name ||
		    strcmp(e->found.name, d->found.name))
			continue;
		ret = error_new(err, ERROR_CONFIG, EINVAL, "devices %s and %s are the same, %s",
				e->name, d->name, d->found.name);
		error_object(err, "%s", d->name);
		if (d->at.line)
			error_position(err, t->file, d->at.line, d->at.column);
		return ret;
	}
	return 0;
}

/* Members of groups are judged when all declared devices are known; those taken come last. */
static int survey_all(const struct driver_env *env, const struct topology *live, struct topology *t,
		      const struct survey *how, struct iommu_group *groups,
		      struct ioasidctl_error **err)
{
	const size_t n_declared = t->n_devices;
	int ret = 0, failed;

	/* Physical functions first: whether a VF is there depends on them. */
	for (size_t i = 0; i < 2 * n_declared; i++) {
		const uint32_t index = (uint32_t)(i % n_declared);
		const struct device *d = &t->devices[index];

		if (d->fd == NO_INDEX || (d->vfs == NO_INDEX) != (i >= n_declared))
			continue;
		failed = survey_device(env, live, t, index, how, &groups[index], err);
		ret = ret ? ret : failed;
	}
	for (uint32_t i = 0; !ret && i < n_declared; i++)
		if (!t->devices[i].absent)
			ret = survey_group(live, t, i, &groups[i], err);
	for (uint32_t i = (uint32_t)n_declared; !ret && i < t->n_devices; i++) {
		struct iommu_group group = {0};

		ret = survey_device(env, live, t, i, how, &group, err);
		iommu_group_done(&group);
	}
	for (size_t i = 0; !ret && i < t->n_devices; i++)
		if (t->devices[i].fd != NO_INDEX)
			ret = refuse_twice(t, &t->devices[i], err);
	for (size_t i = 0; !ret && i < t->n_devices; i++)
		if (t->devices[i].fd != NO_INDEX)
			ret = refuse_needed(env, t, &t->devices[i], err);
	return ret;
}

int survey_devices(const struct driver_env *env, const struct topology *live, struct topology *t,
		   const struct survey *how, struct ioasidctl_error **err)
{
	/* A whole device is attached at most once, so there are no more placements than devices. */
	_cleanup_free_ struct placement *placements = calloc(t->n_devices + 1, sizeof(*placements));
	const size_t n = t->n_devices;
	struct iommu_group *groups = calloc(n + 1, sizeof(*groups));
	int ret;

	if (placements && groups)
		ret = survey_all(env, live, t, how, groups, err);
	else
		ret = error_nomem(err);
	free_groups(groups, groups ? n : 0);
	return ret ? ret : check_groups(t, placements, place(t, placements), err);
}
