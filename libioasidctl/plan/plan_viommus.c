// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * vIOMMUs and what they own. A vIOMMU has one event queue, a device one vdevice, an index one
 * hardware queue: a new one takes the place of the old one only when that has gone. Hardware queues
 * are a stack: each stands on the one before it.
 */
#include "plan/planner.h"

/* Whether the live viommu is the same object as the desired one. */
static const struct viommu *live_of(const struct planner *p, uint32_t fd, const struct viommu *v)
{
	return v->prev == NO_INDEX ? NULL
				   : &p->live->fds[p->desired->fds[fd].prev].viommus[v->prev];
}

static bool has_events(const struct viommu *v)
{
	return v && v->events_depth;
}

enum phase phase_of_viommu(const struct planner *p, uint32_t fd, uint32_t viommu)
{
	const struct viommu *v = &p->desired->fds[fd].viommus[viommu];

	return v->prev != NO_INDEX ? PHASE_BUILD
				   : phase_of_binding(p, &p->desired->devices[v->device]);
}

static void plan_events(struct planner *p, uint32_t fd, uint32_t i, enum phase phase)
{
	const struct viommu *v = &p->desired->fds[fd].viommus[i], *was = live_of(p, fd, v);

	if (!has_events(v) || (has_events(was) && was->events_depth == v->events_depth))
		return;
	if (has_events(was)) {
		phase = PHASE_SWITCH;
		emit(p, phase,
		     OPERATION(FREE_EVENTS, .old = true, .fd = p->desired->fds[fd].prev,
			       .object = v->prev));
	}
	emit(p, phase, OPERATION(ALLOC_EVENTS, .fd = fd, .object = i));
}

static bool index_is_taken(const struct viommu *was, const struct hw_queue *q)
{
	for (size_t i = 0; was && i < was->n_queues; i++)
		if (was->queues[i].index == q->index)
			return true;
	return false;
}

static void plan_queues(struct planner *p, uint32_t fd, uint32_t i, enum phase phase)
{
	const struct viommu *v = &p->desired->fds[fd].viommus[i], *was = live_of(p, fd, v);

	for (uint32_t j = 0; j < v->n_queues; j++) {
		if (v->queues[j].prev != NO_INDEX)
			continue;
		if (index_is_taken(was, &v->queues[j]))
			phase = PHASE_SWITCH;
		emit(p, phase, OPERATION(ALLOC_QUEUE, .fd = fd, .object = i, .item = j));
	}
}

static uint32_t live_device_of(const struct device *d)
{
	return d->prev != NO_INDEX ? d->prev : d->successor_of;
}

void free_vdevice_of(struct planner *p, enum phase phase, uint32_t live_device)
{
	const struct topology *t = p->live;
	const uint32_t fd = t->devices[live_device].fd;

	/* An absent one has lost it. */
	if (p->nameless[live_device] || fd == NO_INDEX || t->devices[live_device].absent)
		return;
	for (uint32_t i = 0; i < t->fds[fd].n_viommus; i++)
		for (uint32_t j = 0; j < t->fds[fd].viommus[i].n_vdevices; j++)
			if (t->fds[fd].viommus[i].vdevices[j].device == live_device) {
				p->nameless[live_device] = true;
				emit(p, phase,
				     OPERATION(FREE_VDEVICE, .old = true, .fd = fd, .object = i,
					       .item = j));
			}
}

static bool keeps_vdevice(const struct viommu *heir, uint32_t vdevice)
{
	for (size_t i = 0; heir && i < heir->n_vdevices; i++)
		if (heir->vdevices[i].prev == vdevice)
			return true;
	return false;
}

/* Whether a device that hasn't got it yet is to have that id on the viommu. */
static bool is_wanted(const struct viommu *v, uint64_t id)
{
	for (size_t i = 0; i < v->n_vdevices; i++)
		if (v->vdevices[i].prev == NO_INDEX && v->vdevices[i].id == id)
			return true;
	return false;
}

/* What stands in the way of the new vdevices: old ones of the same device, or with the same id. */
static void plan_hindrances(struct planner *p, uint32_t fd, uint32_t i)
{
	const struct viommu *v = &p->desired->fds[fd].viommus[i], *was = live_of(p, fd, v);

	for (uint32_t j = 0; j < v->n_vdevices; j++) {
		const struct device *d = &p->desired->devices[v->vdevices[j].device];

		if (v->vdevices[j].prev == NO_INDEX && !d->absent && live_device_of(d) != NO_INDEX)
			free_vdevice_of(p, PHASE_SWITCH, live_device_of(d));
	}
	for (uint32_t j = 0; was && j < was->n_vdevices; j++)
		if (!keeps_vdevice(v, j) && is_wanted(v, was->vdevices[j].id))
			free_vdevice_of(p, PHASE_SWITCH, was->vdevices[j].device);
}

static bool takes_over(const struct planner *p, uint32_t fd, uint32_t i, uint64_t id)
{
	const struct viommu *was = live_of(p, fd, &p->desired->fds[fd].viommus[i]);

	for (size_t j = 0; was && j < was->n_vdevices; j++)
		if (was->vdevices[j].id == id)
			return true;
	return false;
}

static void plan_vdevices(struct planner *p, uint32_t fd, uint32_t i, enum phase phase)
{
	const struct viommu *v = &p->desired->fds[fd].viommus[i];

	for (uint32_t j = 0; j < v->n_vdevices; j++) {
		const struct device *d = &p->desired->devices[v->vdevices[j].device];
		const uint32_t was = live_device_of(d);
		enum phase own = phase_of_binding(p, d) > phase ? phase_of_binding(p, d) : phase;

		if (v->vdevices[j].prev != NO_INDEX || d->absent)
			continue;
		if ((was != NO_INDEX && p->nameless[was]) ||
		    takes_over(p, fd, i, v->vdevices[j].id))
			own = PHASE_SWITCH;
		emit(p, own, OPERATION(ALLOC_VDEVICE, .fd = fd, .object = i, .item = j));
	}
}

void plan_new_viommus(struct planner *p, uint32_t fd)
{
	const struct iommu_fd *f = &p->desired->fds[fd];

	for (uint32_t i = 0; i < f->n_viommus; i++)
		plan_hindrances(p, fd, i);
	for (uint32_t i = 0; i < f->n_viommus; i++) {
		enum phase phase = phase_of_viommu(p, fd, i);

		if (f->viommus[i].prev == NO_INDEX)
			emit(p, phase, OPERATION(ALLOC_VIOMMU, .fd = fd, .object = i));
		plan_events(p, fd, i, phase);
		plan_queues(p, fd, i, phase);
		plan_vdevices(p, fd, i, phase);
	}
}

static const struct viommu *heir_of(const struct planner *p, uint32_t live_fd, uint32_t viommu)
{
	const struct iommu_fd *heir = heir_of_fd(p, live_fd);

	for (size_t i = 0; heir && i < heir->n_viommus; i++)
		if (heir->viommus[i].prev == viommu)
			return &heir->viommus[i];
	return NULL;
}

static bool keeps_queue(const struct viommu *heir, uint32_t queue)
{
	for (size_t i = 0; heir && i < heir->n_queues; i++)
		if (heir->queues[i].prev == queue)
			return true;
	return false;
}

static void plan_old_viommu(struct planner *p, uint32_t fd, uint32_t i)
{
	const struct viommu *v = &p->live->fds[fd].viommus[i], *heir = heir_of(p, fd, i);

	for (uint32_t j = 0; j < v->n_vdevices; j++)
		if (!keeps_vdevice(heir, j))
			free_vdevice_of(p, PHASE_REMOVE, v->vdevices[j].device);
	if (has_events(v) && !has_events(heir))
		emit(p, PHASE_REMOVE, OPERATION(FREE_EVENTS, .old = true, .fd = fd, .object = i));
}

static void plan_old_queue(struct planner *p, uint32_t fd, uint32_t i)
{
	const struct viommu *v = &p->live->fds[fd].viommus[i], *heir = heir_of(p, fd, i);

	for (uint32_t j = (uint32_t)v->n_queues; j-- > 0;)
		if (!keeps_queue(heir, j))
			emit(p, PHASE_LEAVE,
			     OPERATION(FREE_QUEUE, .old = true, .fd = fd, .object = i, .item = j));
}

void plan_old_queues(struct planner *p)
{
	for (uint32_t i = 0; p->live && i < p->live->n_fds; i++)
		for (uint32_t j = 0; j < p->live->fds[i].n_viommus; j++)
			plan_old_queue(p, i, j);
}

void plan_old_viommus(struct planner *p)
{
	for (uint32_t i = 0; i < p->live->n_fds; i++)
		for (uint32_t j = 0; j < p->live->fds[i].n_viommus; j++)
			plan_old_viommu(p, i, j);
}

void plan_viommu_removals(struct planner *p, uint32_t live_fd)
{
	for (uint32_t i = 0; i < p->live->fds[live_fd].n_viommus; i++)
		if (!heir_of(p, live_fd, i))
			emit(p, PHASE_FINAL,
			     OPERATION(FREE_VIOMMU, .old = true, .fd = live_fd, .object = i));
}
