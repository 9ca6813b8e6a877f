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
	MAPPING_GONE, /* of a live one: its removal is planned */
};

/* An ioasid that lives on or is new, and what becomes of its mappings. */
struct comparison {
	uint32_t ioasid;
	const struct ioasid *desired, *live; /* live: NULL where it's new */
	uint8_t *state, *was; /* enum mapping_state, by mapping */
	bool is_copied; /* some desired mapping is a copy of one of it */
};

struct fd_mappings {
	struct planner *p;
	uint32_t fd;
	struct comparison *all; /* by desired ioasid */
	struct comparison **by_live; /* by live ioasid; NULL where it goes altogether */
};

/* What a mapping comes to in the end: a range of a memory. */
struct target {
	uint32_t memory;
	uint64_t offset;
};

/* Follows a copy to the memory; false: the source has no such mapping. */
static bool resolve(const struct iommu_fd *fd, const struct mapping *m, struct target *out)
{
	/* What is copied is a mapping of memory, never a copy itself. */
	if (m->source != NO_INDEX)
		m = ioasid_mapping_at(&fd->ioasids[m->source], m->offset);
	if (!m || m->memory == NO_INDEX)
		return false;
	*out = (struct target){m->memory, m->offset};
	return true;
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

static bool is_copy(const struct mapping *m)
{
	return m->source != NO_INDEX;
}

static uint64_t last_of(const struct mapping *m)
{
	return range_last(m->iova, m->length);
}

/* Marks both sides in one walk over the two sorted arrays. */
static void compare(const struct fd_mappings *f, struct comparison *c)
{
	const struct iommu_fd *fd = &f->p->desired->fds[f->fd],
			      *live_fd = &f->p->live->fds[fd->prev];
	size_t i = 0, j = 0;

	/* What isn't placed yet comes first in the order and meets nothing. */
	while (i < c->desired->n_maps && !mapping_is_placed(&c->desired->maps[i]))
		i++;
	while (i < c->desired->n_maps && j < c->live->n_maps) {
		const struct mapping *m = &c->desired->maps[i], *w = &c->live->maps[j];

		if (same_mapping(f->p->desired, live_fd, w, fd, m)) {
			c->state[i++] = c->was[j++] = MAPPING_SAME;
		} else if (last_of(w) < m->iova) {
			j++;
		} else if (last_of(m) < w->iova) {
			i++;
		} else {
			c->state[i] = c->was[j] = MAPPING_SWITCHED;
			if (last_of(w) < last_of(m))
				j++;
			else
				i++;
		}
	}
}

/* Live mappings go once. */
static void emit_unmap(const struct fd_mappings *f, enum phase phase, const struct comparison *c,
		       size_t j)
{
	const struct iommu_fd *fd = &f->p->desired->fds[f->fd];

	c->was[j] = MAPPING_GONE;
	emit(f->p, phase,
	     OPERATION(UNMAP, .old = true, .fd = fd->prev, .object = c->desired->prev,
		       .item = (uint32_t)j));
}

static void emit_map(const struct fd_mappings *f, enum phase phase, const struct comparison *c,
		     size_t k)
{
	struct operation op = OPERATION(MAP, .fd = f->fd, .object = c->ioasid, .item = (uint32_t)k);

	if (is_copy(&c->desired->maps[k]))
		op.kind = OPERATION_COPY;
	emit(f->p, phase, op);
}

/* Memory of a device that is bound late can't be mapped before that. */
static void follow_memory(const struct fd_mappings *f, struct comparison *c)
{
	for (size_t k = 0; k < c->desired->n_maps; k++) {
		uint32_t memory = c->desired->maps[k].memory;

		if (c->state[k] == MAPPING_NEW && memory != NO_INDEX &&
		    mapping_is_placed(&c->desired->maps[k]) &&
		    phase_of_memory(f->p, &f->p->desired->memories[memory]) == PHASE_SWITCH)
			c->state[k] = MAPPING_SWITCHED;
	}
}

/* A copy can't be made before what it copies, which is a mapping of memory. */
static void follow_source(const struct fd_mappings *f, struct comparison *c)
{
	for (size_t k = 0; k < c->desired->n_maps; k++) {
		const struct mapping *m = &c->desired->maps[k], *from;
		struct comparison *source;

		if (!is_copy(m))
			continue;
		source = &f->all[m->source];
		source->is_copied = true;
		if (c->state[k] != MAPPING_NEW)
			continue;
		from = ioasid_mapping_at(source->desired, m->offset);
		if (from && source->state[from - source->desired->maps] == MAPPING_SWITCHED)
			c->state[k] = MAPPING_SWITCHED;
	}
}

/* Nobody misses what is in no device's way; but a device that comes may not stand it. */
static enum phase phase_of_removal(const struct fd_mappings *f, const struct comparison *c)
{
	return f->p->live_users[c->desired->prev] ? PHASE_REMOVE : PHASE_LEAVE;
}

static bool goes_early(const struct fd_mappings *f, const struct comparison *c, size_t j)
{
	return c->was[j] == MAPPING_SWITCHED ||
	       (c->was[j] == MAPPING_NEW && phase_of_removal(f, c) == PHASE_LEAVE);
}

/* Undone, a copy needs what it copied: it goes before its source does or is replaced. */
static void emit_early_unmaps(const struct fd_mappings *f, const struct comparison *c)
{
	for (size_t j = 0; c->live && j < c->live->n_maps; j++) {
		const struct mapping *w = &c->live->maps[j], *from;
		const struct comparison *source;

		if (!is_copy(w) || c->was[j] == MAPPING_SAME)
			continue;
		source = f->by_live[w->source];
		from = source ? ioasid_mapping_at(source->live, w->offset) : NULL;
		if (from && goes_early(f, source, (size_t)(from - source->live->maps)))
			emit_unmap(f, PHASE_LEAVE, c, j);
	}
}

static void emit_new(const struct fd_mappings *f, const struct comparison *c, bool copies)
{
	bool late = is_deserted(f->p, f->fd, c->ioasid) && !c->is_copied;

	for (size_t k = 0; k < c->desired->n_maps; k++)
		if (c->state[k] == MAPPING_NEW && is_copy(&c->desired->maps[k]) == copies &&
		    mapping_is_placed(&c->desired->maps[k]))
			emit_map(f, late ? PHASE_LATE : PHASE_BUILD, c, k);
}

/* Each replaced mapping right before what takes its place: the gap stays short. */
static void emit_switched(const struct fd_mappings *f, const struct comparison *c, bool copies)
{
	size_t j = 0;

	for (size_t k = 0; k < c->desired->n_maps; k++) {
		const struct mapping *m = &c->desired->maps[k];

		if (c->state[k] != MAPPING_SWITCHED || is_copy(m) != copies)
			continue;
		while (c->live && j < c->live->n_maps && last_of(&c->live->maps[j]) < m->iova)
			j++;
		for (; c->live && j < c->live->n_maps && c->live->maps[j].iova <= last_of(m); j++)
			if (c->was[j] == MAPPING_SWITCHED)
				emit_unmap(f, PHASE_SWITCH, c, j);
		emit_map(f, PHASE_SWITCH, c, k);
	}
}

static void emit_removed(const struct fd_mappings *f, const struct comparison *c, bool copies)
{
	for (size_t j = 0; c->live && j < c->live->n_maps; j++)
		if (c->was[j] == MAPPING_NEW && is_copy(&c->live->maps[j]) == copies)
			emit_unmap(f, phase_of_removal(f, c), c, j);
}

/* Memory is mapped before it is copied, and copies go before what they copy: also backwards. */
static void emit_all(const struct fd_mappings *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		emit_early_unmaps(f, &f->all[i]);
	for (int copies = 0; copies <= 1; copies++)
		for (size_t i = 0; i < n; i++) {
			emit_new(f, &f->all[i], copies);
			emit_switched(f, &f->all[i], copies);
			emit_removed(f, &f->all[i], !copies);
		}
}

static int comparison_init(const struct fd_mappings *f, uint32_t i)
{
	const struct iommu_fd *fd = &f->p->desired->fds[f->fd];
	struct comparison *c = &f->all[i];

	c->ioasid = i;
	c->desired = &fd->ioasids[i];
	c->state = calloc(c->desired->n_maps + 1, 1);
	if (!c->state)
		return -ENOMEM;
	if (c->desired->prev == NO_INDEX)
		return 0;
	c->live = &f->p->live->fds[fd->prev].ioasids[c->desired->prev];
	f->by_live[c->desired->prev] = c;
	c->was = calloc(c->live->n_maps + 1, 1);
	if (!c->was)
		return -ENOMEM;
	compare(f, c);
	return 0;
}

int plan_mappings(struct planner *p, uint32_t fd)
{
	const struct iommu_fd *desired = &p->desired->fds[fd];
	size_t n = desired->n_ioasids,
	       n_live = desired->prev == NO_INDEX ? 0 : p->live->fds[desired->prev].n_ioasids;
	_cleanup_free_ struct comparison *all = calloc(n + 1, sizeof(*all));
	_cleanup_free_ struct comparison **by_live = calloc(n_live + 1, sizeof(*by_live));
	const struct fd_mappings f = {p, fd, all, by_live};
	int ret = all && by_live ? 0 : -ENOMEM;

	for (uint32_t i = 0; !ret && i < n; i++)
		ret = comparison_init(&f, i);
	for (size_t i = 0; !ret && i < n; i++)
		follow_memory(&f, &all[i]);
	for (size_t i = 0; !ret && i < n; i++)
		follow_source(&f, &all[i]);
	if (!ret)
		emit_all(&f, n);
	for (size_t i = 0; all && i < n; i++) {
		free(all[i].state);
		free(all[i].was);
	}
	return ret;
}

void plan_placements(struct planner *p)
{
	for (uint32_t i = 0; i < p->desired->n_fds; i++)
		for (uint32_t j = 0; j < p->desired->fds[i].n_ioasids; j++) {
			const struct ioasid *ioasid = &p->desired->fds[i].ioasids[j];

			for (uint32_t k = 0; k < ioasid->n_maps; k++)
				if (!mapping_is_placed(&ioasid->maps[k]))
					emit(p, PHASE_SWITCH,
					     OPERATION(MAP, .fd = i, .object = j, .item = k));
		}
}
