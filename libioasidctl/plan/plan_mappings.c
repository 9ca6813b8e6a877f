// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "plan/planner.h"

enum mapping_state {
	MAPPING_NEW, /* nothing of the live ioasid is in its place */
	MAPPING_SAME, /* it's there already */
	MAPPING_SWITCHED, /* something else is in its place and goes first */
};

/* What a mapping comes to in the end: a range of a memory. */
struct target {
	uint32_t memory;
	uint64_t offset;
};

/* Follows copies to the memory; false: the source has no such mapping. */
static bool resolve(const struct iommu_fd *fd, const struct mapping *m, struct target *out)
{
	/* Each step goes to another ioasid, as copies have no cycles. */
	for (size_t step = 0; m && step <= fd->n_ioasids; step++) {
		if (m->memory != NO_INDEX) {
			*out = (struct target){m->memory, m->offset};
			return true;
		}
		m = ioasid_mapping_at(&fd->ioasids[m->source], m->offset);
	}
	return false;
}

static bool same_mapping(const struct topology *desired, const struct iommu_fd *live_fd,
			 const struct mapping *was, const struct iommu_fd *fd,
			 const struct mapping *m)
{
	struct target a, b;

	return was->iova == m->iova && was->length == m->length && was->access == m->access &&
	       resolve(live_fd, was, &a) && resolve(fd, m, &b) && a.offset == b.offset &&
	       desired->memories[b.memory].prev == a.memory;
}

static uint64_t last_of(const struct mapping *m)
{
	return range_last(m->iova, m->length);
}

/* Marks both sides in one walk over the two sorted arrays. */
static void compare(const struct planner *p, uint32_t fd, const struct ioasid *ioasid,
		    uint8_t *state, uint8_t *was_state)
{
	const struct iommu_fd *f = &p->desired->fds[fd], *live_fd = &p->live->fds[f->prev];
	const struct ioasid *was = &live_fd->ioasids[ioasid->prev];
	size_t i = 0, j = 0;

	while (i < ioasid->n_maps && j < was->n_maps) {
		const struct mapping *m = &ioasid->maps[i], *w = &was->maps[j];

		if (same_mapping(p->desired, live_fd, w, f, m)) {
			state[i++] = was_state[j++] = MAPPING_SAME;
		} else if (last_of(w) < m->iova) {
			j++;
		} else if (last_of(m) < w->iova) {
			i++;
		} else {
			state[i] = was_state[j] = MAPPING_SWITCHED;
			if (last_of(w) < last_of(m))
				j++;
			else
				i++;
		}
	}
}

static void emit_unmap(struct planner *p, enum phase phase, uint32_t fd, uint32_t ioasid,
		       size_t item)
{
	emit(p, phase,
	     OPERATION(UNMAP, .old = true, .fd = fd, .object = ioasid, .item = (uint32_t)item));
}

static void emit_map(struct planner *p, enum phase phase, uint32_t fd, uint32_t ioasid, size_t item)
{
	const struct mapping *m = &p->desired->fds[fd].ioasids[ioasid].maps[item];
	struct operation op = OPERATION(MAP, .fd = fd, .object = ioasid, .item = (uint32_t)item);

	if (m->source != NO_INDEX)
		op.kind = OPERATION_COPY;
	emit(p, phase, op);
}

/* A copy can't be made before what it copies. */
static bool source_is_switched(const struct iommu_fd *fd, const struct mapping *m, uint8_t **states)
{
	const struct ioasid *source;
	const struct mapping *from;

	if (m->source == NO_INDEX)
		return false;
	source = &fd->ioasids[m->source];
	from = ioasid_mapping_at(source, m->offset);
	return from && states[m->source][from - source->maps] == MAPPING_SWITCHED;
}

/* Each replaced mapping right before what takes its place: the gap stays short. */
static void emit_changes(struct planner *p, uint32_t fd, uint32_t i, const uint8_t *state,
			 const uint8_t *was_state)
{
	const struct iommu_fd *f = &p->desired->fds[fd];
	const struct ioasid *ioasid = &f->ioasids[i];
	const struct ioasid *was =
		ioasid->prev == NO_INDEX ? NULL : &p->live->fds[f->prev].ioasids[ioasid->prev];
	size_t j = 0;

	for (size_t k = 0; k < ioasid->n_maps; k++) {
		if (state[k] == MAPPING_NEW)
			emit_map(p, PHASE_BUILD, fd, i, k);
		if (state[k] != MAPPING_SWITCHED)
			continue;
		for (; was && j < was->n_maps && was->maps[j].iova <= last_of(&ioasid->maps[k]);
		     j++)
			if (was_state[j] == MAPPING_SWITCHED)
				emit_unmap(p, PHASE_SWITCH, f->prev, ioasid->prev, j);
		emit_map(p, PHASE_SWITCH, fd, i, k);
	}
	for (j = 0; was && j < was->n_maps; j++)
		if (was_state[j] == MAPPING_NEW)
			emit_unmap(p, PHASE_REMOVE, f->prev, ioasid->prev, j);
}

int plan_mappings(struct planner *p, uint32_t fd, uint32_t i, uint8_t **states)
{
	const struct iommu_fd *f = &p->desired->fds[fd];
	const struct ioasid *ioasid = &f->ioasids[i];
	_cleanup_free_ uint8_t *was_state = NULL;
	uint8_t *state = calloc(ioasid->n_maps + 1, 1);

	states[i] = state; /* owned by the caller from here */
	if (!state)
		return -ENOMEM;
	if (ioasid->prev != NO_INDEX) {
		was_state = calloc(p->live->fds[f->prev].ioasids[ioasid->prev].n_maps + 1, 1);
		if (!was_state)
			return -ENOMEM;
		compare(p, fd, ioasid, state, was_state);
	}
	for (size_t k = 0; k < ioasid->n_maps; k++)
		if (state[k] == MAPPING_NEW && source_is_switched(f, &ioasid->maps[k], states))
			state[k] = MAPPING_SWITCHED;
	emit_changes(p, fd, i, state, was_state);
	return 0;
}
