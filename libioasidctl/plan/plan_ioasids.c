// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "driver/driver.h"
#include "plan/planner.h"

static bool same_allow(const struct ioasid *a, const struct ioasid *b)
{
	return a->n_allow == b->n_allow &&
	       (!a->n_allow || !memcmp(a->allow, b->allow, a->n_allow * sizeof(*a->allow)));
}

uint32_t *count_users(const struct iommu_fd *fd)
{
	uint32_t *users = calloc(fd->n_ioasids + 1, sizeof(*users));

	for (size_t i = 0; users && i < fd->n_ioasids; i++) {
		const struct ioasid *ioasid = &fd->ioasids[i];

		users[i] += (uint32_t)ioasid->n_attach;
		if (ioasid->parent != NO_INDEX)
			users[ioasid->parent] += (uint32_t)ioasid->n_attach;
	}
	return users;
}

bool is_deserted(const struct planner *p, uint32_t fd, uint32_t ioasid)
{
	const uint32_t prev = p->desired->fds[fd].ioasids[ioasid].prev;

	return prev != NO_INDEX && !p->users[ioasid] && p->live_users[prev];
}

static enum phase later(enum phase a, enum phase b)
{
	return a > b ? a : b;
}

/* The first device in it that the fd knows. */
static uint32_t first_device(const struct planner *p, const struct ioasid *ioasid)
{
	for (size_t i = 0; i < ioasid->n_attach; i++)
		if (!device_has_iotlb(p->desired, &p->desired->devices[ioasid->attach[i].device]))
			return ioasid->attach[i].device;
	return NO_INDEX;
}

/* Some device of the fd: one that is to be in it, else one that is in its parent or a sibling. */
static uint32_t find_maker(const struct planner *p, const struct iommu_fd *f,
			   const struct ioasid *ioasid)
{
	uint32_t device = first_device(p, ioasid);

	if (device != NO_INDEX)
		return device;
	if (ioasid->viommu != NO_INDEX)
		return f->viommus[ioasid->viommu].device;
	device = first_device(p, &f->ioasids[ioasid->parent]);
	for (size_t i = 0; device == NO_INDEX && i < f->n_ioasids; i++)
		if (f->ioasids[i].parent == ioasid->parent)
			device = first_device(p, &f->ioasids[i]);
	return device;
}

static void plan_nested(struct planner *p, uint32_t fd, uint32_t i)
{
	const struct iommu_fd *f = &p->desired->fds[fd];
	const struct ioasid *ioasid = &f->ioasids[i];
	const uint32_t maker = find_maker(p, f, ioasid);
	enum phase phase = PHASE_BUILD;

	if (ioasid->prev != NO_INDEX)
		return;
	if (maker != NO_INDEX)
		phase = later(phase, phase_of_binding(p, &p->desired->devices[maker]));
	if (ioasid->viommu != NO_INDEX)
		phase = later(phase, phase_of_viommu(p, fd, ioasid->viommu));
	emit(p, phase, OPERATION(ALLOC, .fd = fd, .object = i, .item = maker));
}

/* Whether a device that was in it isn't any more. */
static bool loses_a_device(const struct planner *p, const struct ioasid *live,
			   const struct ioasid *desired)
{
	for (size_t i = 0; i < live->n_attach; i++) {
		size_t j = 0;

		while (j < desired->n_attach &&
		       p->desired->devices[desired->attach[j].device].prev !=
			       live->attach[i].device)
			j++;
		if (j == desired->n_attach)
			return true;
	}
	return false;
}

/* Old ranges can stand in a new device's way, and an old device in the way of new ranges. */
static enum phase phase_of_ranges(const struct planner *p, uint32_t fd, uint32_t i)
{
	const struct iommu_fd *f = &p->desired->fds[fd];
	const struct ioasid *live = &p->live->fds[f->prev].ioasids[f->ioasids[i].prev];

	if (is_deserted(p, fd, i) || (!live->n_allow && loses_a_device(p, live, &f->ioasids[i])))
		return PHASE_LATE;
	return PHASE_BUILD;
}

static void plan_gpa(struct planner *p, uint32_t fd, uint32_t i)
{
	const struct iommu_fd *f = &p->desired->fds[fd];
	const struct ioasid *ioasid = &f->ioasids[i];

	if (ioasid->prev == NO_INDEX) {
		emit(p, PHASE_BUILD, OPERATION(ALLOC, .fd = fd, .object = i));
		if (ioasid->n_allow)
			emit(p, PHASE_BUILD, OPERATION(ALLOW, .fd = fd, .object = i));
	} else if (!same_allow(&p->live->fds[f->prev].ioasids[ioasid->prev], ioasid)) {
		emit(p, phase_of_ranges(p, fd, i), OPERATION(ALLOW, .fd = fd, .object = i));
	}
}

static void plan_compat(struct planner *p, uint32_t fd)
{
	const struct iommu_fd *f = &p->desired->fds[fd];
	const uint32_t was = f->prev == NO_INDEX ? NO_INDEX : p->live->fds[f->prev].vfio_compat,
		       is = f->vfio_compat == NO_INDEX ? NO_INDEX : f->ioasids[f->vfio_compat].prev;

	if (f->vfio_compat == NO_INDEX ? was != NO_INDEX : is == NO_INDEX || is != was)
		emit(p, PHASE_SWITCH, OPERATION(SET_COMPAT, .fd = fd, .object = f->vfio_compat));
}

static int plan_members(struct planner *p, uint32_t fd)
{
	const struct iommu_fd *f = &p->desired->fds[fd];
	int ret;

	for (uint32_t i = 0; i < f->n_ioasids; i++)
		if (f->ioasids[i].kind == IOASID_GPA)
			plan_gpa(p, fd, i);
	ret = plan_mappings(p, fd);
	if (ret)
		return ret;
	plan_new_viommus(p, fd);
	for (uint32_t i = 0; i < f->n_ioasids; i++)
		if (f->ioasids[i].kind == IOASID_NESTED)
			plan_nested(p, fd, i);
	plan_compat(p, fd);
	return 0;
}

/* Parents before children, and between them the vIOMMUs, which are on ones and under others. */
int plan_new_ioasids(struct planner *p, uint32_t fd)
{
	const struct iommu_fd *f = &p->desired->fds[fd];
	_cleanup_free_ uint32_t *users = count_users(f), *live_users = NULL;
	int ret;

	if (f->prev != NO_INDEX)
		live_users = count_users(&p->live->fds[f->prev]);
	if (!users || (f->prev != NO_INDEX && !live_users))
		return -ENOMEM;
	p->users = users;
	p->live_users = live_users;
	ret = plan_members(p, fd);
	p->users = p->live_users = NULL;
	return ret;
}

static void plan_removals(struct planner *p, uint32_t fd, const bool *kept, enum ioasid_kind kind)
{
	const struct iommu_fd *f = &p->live->fds[fd];

	for (uint32_t i = 0; i < f->n_ioasids; i++)
		if (!kept[i] && f->ioasids[i].kind == kind)
			emit(p, PHASE_FINAL, OPERATION(FREE, .old = true, .fd = fd, .object = i));
}

/* Children before parents. Freeing takes the mappings along. */
void plan_old_ioasids(struct planner *p, uint32_t fd)
{
	const struct iommu_fd *heir = heir_of_fd(p, fd);
	_cleanup_free_ bool *kept = calloc(p->live->fds[fd].n_ioasids + 1, sizeof(*kept));

	if (!kept) {
		p->ret = -ENOMEM;
		return;
	}
	for (size_t i = 0; heir && i < heir->n_ioasids; i++)
		if (heir->ioasids[i].prev != NO_INDEX)
			kept[heir->ioasids[i].prev] = true;
	plan_removals(p, fd, kept, IOASID_NESTED);
	plan_viommu_removals(p, fd);
	plan_removals(p, fd, kept, IOASID_GPA);
}
