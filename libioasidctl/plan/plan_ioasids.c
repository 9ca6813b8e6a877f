// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "plan/planner.h"

static bool same_allow(const struct ioasid *a, const struct ioasid *b)
{
	return a->n_allow == b->n_allow &&
	       (!a->n_allow || !memcmp(a->allow, b->allow, a->n_allow * sizeof(*a->allow)));
}

bool is_deserted(const struct planner *p, uint32_t fd, const struct ioasid *desired)
{
	return desired->prev != NO_INDEX && !desired->n_attach &&
	       p->live->fds[p->desired->fds[fd].prev].ioasids[desired->prev].n_attach;
}

static void plan_new_ioasid(struct planner *p, uint32_t fd, uint32_t i)
{
	const struct iommu_fd *f = &p->desired->fds[fd];
	const struct ioasid *ioasid = &f->ioasids[i];

	if (ioasid->prev == NO_INDEX) {
		emit(p, PHASE_BUILD, OPERATION(ALLOC, .fd = fd, .object = i));
		if (ioasid->n_allow)
			emit(p, PHASE_BUILD, OPERATION(ALLOW, .fd = fd, .object = i));
	} else if (!same_allow(&p->live->fds[f->prev].ioasids[ioasid->prev], ioasid)) {
		emit(p, is_deserted(p, fd, ioasid) ? PHASE_LATE : PHASE_BUILD,
		     OPERATION(ALLOW, .fd = fd, .object = i));
	}
}

int plan_new_ioasids(struct planner *p, uint32_t fd)
{
	const struct iommu_fd *f = &p->desired->fds[fd];

	/* Parents before children. */
	for (int kind = IOASID_GPA; kind < IOASID_KIND_COUNT; kind++)
		for (uint32_t i = 0; i < f->n_ioasids; i++)
			if ((int)f->ioasids[i].kind == kind)
				plan_new_ioasid(p, fd, i);
	return plan_mappings(p, fd);
}

void plan_old_ioasids(struct planner *p, uint32_t fd)
{
	const struct iommu_fd *f = &p->live->fds[fd], *heir = NULL;
	_cleanup_free_ bool *kept = calloc(f->n_ioasids + 1, sizeof(*kept));

	if (!kept) {
		p->ret = -ENOMEM;
		return;
	}
	for (size_t i = 0; p->desired && i < p->desired->n_fds; i++)
		if (p->desired->fds[i].prev == fd)
			heir = &p->desired->fds[i];
	for (size_t i = 0; heir && i < heir->n_ioasids; i++)
		if (heir->ioasids[i].prev != NO_INDEX)
			kept[heir->ioasids[i].prev] = true;
	/* Children before parents. Freeing takes the mappings along. */
	for (int kind = IOASID_NESTED; kind >= IOASID_GPA; kind--)
		for (uint32_t i = 0; i < f->n_ioasids; i++)
			if (!kept[i] && (int)f->ioasids[i].kind == kind)
				emit(p, PHASE_FINAL,
				     OPERATION(FREE, .old = true, .fd = fd, .object = i));
}
