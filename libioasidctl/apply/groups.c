// SPDX-License-Identifier: LGPL-2.1-or-later
/* The other members of a device's IOMMU group: refused, or taken along. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apply/execution.h"
#include "base/cleanup.h"

static const struct device *find_device(const struct topology *t,
					const struct iommu_group_member *m)
{
	for (size_t i = 0; i < t->n_devices; i++) {
		const struct device *d = &t->devices[i];
		const char *name = d->found.name ? d->found.name : d->address;

		if (d->fd != NO_INDEX && !strcmp(name, m->address))
			return d;
	}
	return NULL;
}

/* Whether it will be out of the way because the topology gives it another driver. */
static bool is_rebound(const struct device *d)
{
	return d && d->driver && group_allows_driver(d->driver);
}

/* Bound by this topology, so that it isn't in the way any more; but it would be if given back. */
static bool was_taken(const struct topology *live, const struct topology *t,
		      const struct device *taker, const struct iommu_group_member *m)
{
	const struct device *was = live ? find_device(live, m) : NULL;

	return was && drivers_share_machine(live->fds[was->fd].ops, t->fds[taker->fd].ops) &&
	       was->live.original_driver && !group_allows_driver(was->live.original_driver);
}

static bool can_be_taken(const struct iommu_group_member *m)
{
	return !m->bridge && (m->selector == SELECTOR_PCI || m->selector == SELECTOR_PLATFORM);
}

static void hint_at_way(const struct device *d, const struct iommu_group_member *first,
			const struct device *declared, struct ioasidctl_error **err)
{
	if (declared)
		error_hint(err, "give %s, which is %s here, a `driver: vfio-pci`", first->address,
			   declared->name);
	else if (d->group != GROUP_TAKE)
		error_hint(err,
			   "the whole group goes or none: `group: take` in the entry of %s "
			   "binds those to vfio-pci, too, and gives them back at the end; or "
			   "declare each with `driver: vfio-pci`",
			   d->name);
	else
		error_hint(err,
			   "`group: take` never touches bridges, for the machine hangs on "
			   "them, and knows a driver for pci and platform devices only; unbind "
			   "%s if nothing needs it",
			   first->address);
}

/* In the order of sysfs: "0000:05:02.0 (virtio-pci), ...". */
struct obstacles {
	FILE *text;
	const struct iommu_group_member *first;
	const struct device *declared; /* the first one, if it is declared */
};

static void add_obstacle(struct obstacles *o, const struct iommu_group_member *m,
			 const struct device *declared)
{
	fprintf(o->text, "%s%s (%s%s)", o->first ? ", " : "", m->address, m->driver,
		m->bridge ? ", a bridge" : "");
	if (o->first)
		return;
	o->first = m;
	o->declared = declared;
}

static int judge_members(const struct topology *live, struct topology *t, uint32_t device,
			 const struct iommu_group *group, struct obstacles *o)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < group->n_members; i++) {
		const struct iommu_group_member *m = &group->members[i];
		const struct device *d = &t->devices[device], *declared = find_device(t, m);
		bool again = !declared && was_taken(live, t, d, m);

		if (declared == d || is_rebound(declared) || (!m->in_the_way && !again))
			continue;
		if (!declared && d->group == GROUP_TAKE && can_be_taken(m))
			ret = topology_take_member(t, device, m->selector, m->address);
		else if (m->in_the_way)
			add_obstacle(o, m, declared);
	}
	return ret;
}

static int refuse_group(const struct topology *t, const struct device *d, const struct obstacles *o,
			const char *text, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_BUSY, EBUSY,
			    "device %s (%s) can't be handed out: others of its IOMMU group are in "
			    "the way",
			    d->name, d->address);

	error_cause(err, "IOMMU group %u has members that the host uses: %s", d->iommu_group, text);
	hint_at_way(d, o->first, o->declared, err);
	error_object(err, "%s", d->name);
	if (d->at.line)
		error_position(err, t->file, d->at.line, d->at.column);
	return ret;
}

int survey_group(const struct topology *live, struct topology *t, uint32_t device,
		 const struct iommu_group *group, struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = NULL;
	struct obstacles o = {0};
	size_t size;
	int ret;

	if (t->devices[device].host_only || t->devices[device].fd == NO_INDEX)
		return 0;
	o.text = open_memstream(&text, &size);
	if (!o.text)
		return error_nomem(err);
	ret = judge_members(live, t, device, group, &o);
	if (fclose(o.text) || ret)
		return error_nomem(err);
	return o.first ? refuse_group(t, &t->devices[device], &o, text, err) : 0;
}
