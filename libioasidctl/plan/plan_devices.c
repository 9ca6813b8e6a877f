// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "driver/driver.h"
#include "plan/match.h"
#include "plan/planner.h"

/* What is only there for its host driver's sake is never opened. */
static bool is_opened(const struct device *d)
{
	return d->fd != NO_INDEX && !d->host_only;
}

static bool is_made(const struct topology *t, const struct device *d)
{
	return d->fd != NO_INDEX && d->vdpa.management && device_ops(t, d)->device_create;
}

bool has_heir(const struct topology *desired, uint32_t live_device)
{
	for (size_t i = 0; desired && i < desired->n_devices; i++)
		if (desired->devices[i].prev == live_device ||
		    desired->devices[i].successor_of == live_device)
			return true;
	return false;
}

const struct device *find_group_mate(const struct topology *live, const struct topology *desired,
				     uint32_t live_device)
{
	const struct device *was = &live->devices[live_device];

	if (was->iommu_group == NO_INDEX || was->fd == NO_INDEX)
		return NULL;
	for (size_t i = 0; desired && i < desired->n_devices; i++) {
		const struct device *d = &desired->devices[i];

		if (d->bound && d->iommu_group == was->iommu_group && d->prev != live_device &&
		    d->successor_of != live_device &&
		    drivers_share_machine(desired->fds[d->fd].ops, live->fds[was->fd].ops))
			return d;
	}
	return NULL;
}

static void detach_everywhere(struct planner *p, uint32_t live_device)
{
	const struct topology *live = p->live;
	const struct device *d = &live->devices[live_device];

	if (p->detached[live_device] || d->fd == NO_INDEX)
		return;
	p->detached[live_device] = true;
	for (uint32_t i = 0; i < live->fds[d->fd].n_ioasids; i++) {
		const struct ioasid *ioasid = &live->fds[d->fd].ioasids[i];

		for (uint32_t j = 0; j < ioasid->n_attach; j++)
			if (ioasid->attach[j].device == live_device)
				emit(p, PHASE_LEAVE,
				     OPERATION(DETACH, .old = true, .fd = d->fd, .object = i,
					       .item = j));
	}
}

static void unbind(struct planner *p, enum phase phase, uint32_t live_device)
{
	const struct device *d = &p->live->devices[live_device];

	if (p->unbound[live_device] || !d->bound)
		return;
	p->unbound[live_device] = true;
	free_vdevice_of(p, phase, live_device);
	emit(p, phase, OPERATION(UNBIND_DEVICE, .old = true, .fd = d->fd, .object = live_device));
}

static void suspend_predecessor(struct planner *p, uint32_t live_device)
{
	detach_everywhere(p, live_device);
	unbind(p, PHASE_LEAVE, live_device);
	if (!is_opened(&p->live->devices[live_device]))
		return;
	emit(p, PHASE_LEAVE,
	     OPERATION(SUSPEND_DEVICE, .old = true, .fd = p->live->devices[live_device].fd,
		       .object = live_device));
}

/* Whether a live device is open at the address where this one will be. */
static bool takes_over(const struct planner *p, const struct device *d)
{
	return d->successor_of != NO_INDEX && !p->live->devices[d->successor_of].absent;
}

enum phase phase_of_new(const struct planner *p, const struct device *d)
{
	return takes_over(p, d) ? PHASE_SWITCH : PHASE_BUILD;
}

/* The fd of the live topology that a desired device will be bound to; NO_INDEX: a new one. */
static uint32_t live_fd_of(const struct planner *p, const struct device *d)
{
	return p->desired->fds[d->fd].prev;
}

static bool is_rebound(const struct planner *p, const struct device *d)
{
	return d->prev != NO_INDEX && d->bound && p->live->devices[d->prev].bound &&
	       !device_keeps_binding(p->live, p->desired, d);
}

/*
 * A device changes its binding only by being closed: between two fds there is a gap. An fd gets no
 * member of a group before another fd has lost them all.
 */
static void plan_leaving(struct planner *p)
{
	for (uint32_t i = 0; i < p->desired->n_devices; i++) {
		const struct device *d = &p->desired->devices[i];

		if (takes_over(p, d)) {
			suspend_predecessor(p, d->successor_of);
		} else if (is_rebound(p, d)) {
			detach_everywhere(p, d->prev);
			unbind(p, PHASE_LEAVE, d->prev);
		}
	}
	for (uint32_t i = 0; p->live && i < p->live->n_devices; i++) {
		const struct device *mate = find_group_mate(p->live, p->desired, i);

		if (mate && p->live->devices[i].bound &&
		    live_fd_of(p, mate) != p->live->devices[i].fd) {
			detach_everywhere(p, i);
			unbind(p, PHASE_LEAVE, i);
		}
	}
}

/* Whether something bound elsewhere has to leave first. */
static bool binds_late(const struct planner *p, const struct device *d)
{
	if (takes_over(p, d) || is_rebound(p, d))
		return true;
	for (uint32_t i = 0; p->live && i < p->live->n_devices; i++)
		if (p->unbound[i] && p->live->devices[i].iommu_group == d->iommu_group &&
		    d->iommu_group != NO_INDEX)
			return true;
	return false;
}

enum phase phase_of_binding(const struct planner *p, const struct device *d)
{
	if (d->prev != NO_INDEX && device_keeps_binding(p->live, p->desired, d))
		return PHASE_BUILD;
	return binds_late(p, d) ? PHASE_SWITCH : PHASE_BUILD;
}

static void plan_binding(struct planner *p, uint32_t i)
{
	const struct device *d = &p->desired->devices[i];

	if (!d->bound || (d->prev != NO_INDEX && device_keeps_binding(p->live, p->desired, d)))
		return;
	emit(p, phase_of_binding(p, d), OPERATION(BIND_DEVICE, .fd = d->fd, .object = i));
}

static bool is_new(const struct device *d)
{
	return d->prev == NO_INDEX && d->fd != NO_INDEX && !d->absent;
}

static void plan_drivers(struct planner *p, bool of_physical)
{
	for (uint32_t i = 0; i < p->desired->n_devices; i++) {
		const struct device *d = &p->desired->devices[i];

		if (is_new(d) && d->driver && (d->vfs != NO_INDEX) == of_physical)
			emit(p, phase_of_new(p, d),
			     OPERATION(SET_DRIVER, .fd = d->fd, .object = i));
	}
}

void plan_new_devices(struct planner *p)
{
	const struct topology *t = p->desired;

	plan_leaving(p);
	/* What makes the VFs comes before them. */
	plan_drivers(p, true);
	plan_new_vfs(p);
	for (uint32_t i = 0; i < t->n_devices; i++)
		if (is_new(&t->devices[i]) && !takes_over(p, &t->devices[i]) &&
		    is_made(t, &t->devices[i]))
			emit(p, PHASE_BUILD,
			     OPERATION(CREATE_VDPA, .fd = t->devices[i].fd, .object = i));
	/* Drivers of all before the first open: a group is viable only as a whole. */
	plan_drivers(p, false);
	for (uint32_t i = 0; i < t->n_devices; i++)
		if (is_new(&t->devices[i]) && is_opened(&t->devices[i]))
			emit(p, phase_of_new(p, &t->devices[i]),
			     OPERATION(OPEN_DEVICE, .fd = t->devices[i].fd, .object = i));
	for (uint32_t i = 0; i < t->n_devices; i++)
		if (t->devices[i].fd != NO_INDEX)
			plan_binding(p, i);
}

/* Devices that stay, but in no address space. Only closing one unbinds it. */
static void plan_unbindings(struct planner *p)
{
	for (size_t i = 0; p->desired && i < p->desired->n_devices; i++) {
		const struct device *d = &p->desired->devices[i];

		if (d->prev != NO_INDEX && !d->bound)
			unbind(p, PHASE_REMOVE, d->prev);
	}
}

static void restore_drivers(struct planner *p, bool of_physical)
{
	for (uint32_t i = 0; i < p->live->n_devices; i++) {
		const struct device *d = &p->live->devices[i];

		if (d->live.original_driver && !d->live.made && !has_heir(p->desired, i) &&
		    !vf_vanishes(p, d) && (d->vfs != NO_INDEX) == of_physical)
			emit(p, PHASE_FINAL,
			     OPERATION(RESTORE_DRIVER, .old = true, .fd = d->fd, .object = i));
	}
}

void plan_old_devices(struct planner *p)
{
	plan_unbindings(p);
	/* Members of a group go back to host drivers only when all of them are closed. */
	for (uint32_t i = 0; i < p->live->n_devices; i++)
		if (is_opened(&p->live->devices[i]) && !p->live->devices[i].absent &&
		    !has_heir(p->desired, i))
			emit(p, PHASE_FINAL,
			     OPERATION(CLOSE_DEVICE, .old = true, .fd = p->live->devices[i].fd,
				       .object = i));
	restore_drivers(p, false);
	plan_old_vfs(p);
	restore_drivers(p, true);
	for (uint32_t i = 0; i < p->live->n_devices; i++)
		if (p->live->devices[i].live.made && !has_heir(p->desired, i))
			emit(p, PHASE_FINAL,
			     OPERATION(DELETE_VDPA, .old = true, .fd = p->live->devices[i].fd,
				       .object = i));
}
