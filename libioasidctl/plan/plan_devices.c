// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "plan/match.h"
#include "plan/planner.h"

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
				emit(p, PHASE_SWITCH,
				     OPERATION(DETACH, .old = true, .fd = d->fd, .object = i,
					       .item = j));
	}
}

/* The live device at the same address that isn't this very object. */
static uint32_t find_predecessor(const struct planner *p, const struct device *d)
{
	if (!p->live)
		return NO_INDEX;
	for (uint32_t i = 0; i < p->live->n_devices; i++)
		if (p->live->devices[i].selector == d->selector &&
		    !strcmp(p->live->devices[i].address, d->address))
			return i;
	return NO_INDEX;
}

static void suspend_predecessor(struct planner *p, uint32_t live_device)
{
	const struct device *d = &p->live->devices[live_device];

	if (d->fd == NO_INDEX)
		return;
	detach_everywhere(p, live_device);
	if (d->bound)
		emit(p, PHASE_SWITCH,
		     OPERATION(UNBIND_DEVICE, .old = true, .fd = d->fd, .object = live_device));
	emit(p, PHASE_SWITCH,
	     OPERATION(SUSPEND_DEVICE, .old = true, .fd = d->fd, .object = live_device));
}

static enum phase phase_of_new(const struct device *d)
{
	return d->successor_of == NO_INDEX ? PHASE_BUILD : PHASE_SWITCH;
}

/* A device changes its binding only by being closed: between two fds there is a gap. */
static void plan_rebinding(struct planner *p, uint32_t i)
{
	const struct device *d = &p->desired->devices[i], *was = &p->live->devices[d->prev];

	if (was->bound && d->bound && !device_keeps_binding(p->live, p->desired, d)) {
		detach_everywhere(p, d->prev);
		emit(p, PHASE_SWITCH,
		     OPERATION(UNBIND_DEVICE, .old = true, .fd = was->fd, .object = d->prev));
		emit(p, PHASE_SWITCH, OPERATION(BIND_DEVICE, .fd = d->fd, .object = i));
	} else if (!was->bound && d->bound) {
		emit(p, PHASE_BUILD, OPERATION(BIND_DEVICE, .fd = d->fd, .object = i));
	}
}

void plan_new_devices(struct planner *p)
{
	struct topology *t = p->desired;

	for (uint32_t i = 0; i < t->n_devices; i++)
		if (t->devices[i].prev == NO_INDEX && t->devices[i].fd != NO_INDEX) {
			t->devices[i].successor_of = find_predecessor(p, &t->devices[i]);
			if (t->devices[i].successor_of != NO_INDEX)
				suspend_predecessor(p, t->devices[i].successor_of);
		}
	/* Drivers of all before the first open: a group is viable only as a whole. */
	for (uint32_t i = 0; i < t->n_devices; i++)
		if (t->devices[i].prev == NO_INDEX && t->devices[i].fd != NO_INDEX &&
		    t->devices[i].driver)
			emit(p, phase_of_new(&t->devices[i]),
			     OPERATION(SET_DRIVER, .fd = t->devices[i].fd, .object = i));
	for (uint32_t i = 0; i < t->n_devices; i++)
		if (t->devices[i].prev == NO_INDEX && t->devices[i].fd != NO_INDEX)
			emit(p, phase_of_new(&t->devices[i]),
			     OPERATION(OPEN_DEVICE, .fd = t->devices[i].fd, .object = i));
	for (uint32_t i = 0; i < t->n_devices; i++) {
		const struct device *d = &t->devices[i];

		if (d->fd == NO_INDEX)
			continue;
		if (d->prev != NO_INDEX)
			plan_rebinding(p, i);
		else if (d->bound)
			emit(p, phase_of_new(d), OPERATION(BIND_DEVICE, .fd = d->fd, .object = i));
	}
}

static bool has_heir(const struct planner *p, uint32_t live_device)
{
	for (size_t i = 0; p->desired && i < p->desired->n_devices; i++)
		if (p->desired->devices[i].prev == live_device ||
		    p->desired->devices[i].successor_of == live_device)
			return true;
	return false;
}

/* Devices that stay, but in no address space. Only closing one unbinds it. */
static void plan_unbindings(struct planner *p)
{
	for (size_t i = 0; p->desired && i < p->desired->n_devices; i++) {
		const struct device *d = &p->desired->devices[i];

		if (d->prev != NO_INDEX && !d->bound && p->live->devices[d->prev].bound)
			emit(p, PHASE_REMOVE,
			     OPERATION(UNBIND_DEVICE, .old = true,
				       .fd = p->live->devices[d->prev].fd, .object = d->prev));
	}
}

void plan_old_devices(struct planner *p)
{
	plan_unbindings(p);
	/* Members of a group go back to host drivers only when all of them are closed. */
	for (uint32_t i = 0; i < p->live->n_devices; i++)
		if (p->live->devices[i].fd != NO_INDEX && !has_heir(p, i))
			emit(p, PHASE_FINAL,
			     OPERATION(CLOSE_DEVICE, .old = true, .fd = p->live->devices[i].fd,
				       .object = i));
	for (uint32_t i = 0; i < p->live->n_devices; i++)
		if (p->live->devices[i].live.original_driver && !has_heir(p, i))
			emit(p, PHASE_FINAL,
			     OPERATION(RESTORE_DRIVER, .old = true, .fd = p->live->devices[i].fd,
				       .object = i));
}
