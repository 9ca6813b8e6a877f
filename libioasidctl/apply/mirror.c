// SPDX-License-Identifier: LGPL-2.1-or-later
#include "apply/mirror.h"

#include <errno.h>
#include <stdlib.h>

#include "apply/memory.h"
#include "base/cleanup.h"

static struct memory *heir_of_memory(const struct execution *x, uint32_t live_memory)
{
	for (size_t i = 0; x->desired && i < x->desired->n_memories; i++)
		if (x->desired->memories[i].prev == live_memory)
			return &x->desired->memories[i];
	return NULL;
}

/* Windows hang on the memory, which both topologies may know. */
static int open_window(const struct step *s, struct topology *t, uint32_t memory, uint64_t offset,
		       uint64_t length, void **va)
{
	struct memory *m = &t->memories[memory], *heir = NULL;
	int ret;

	if (t == s->x->live)
		heir = heir_of_memory(s->x, memory);
	ret = memory_window(heir ? heir : m, offset, length, va, s->err);
	if (ret)
		return ret;
	if (heir)
		m->live.windows = heir->live.windows;
	else if (t == s->x->desired && m->prev != NO_INDEX)
		s->x->live->memories[m->prev].live.windows = m->live.windows;
	return 0;
}

static int describe(const struct step *s, struct topology *t, const struct iommu_fd *fd,
		    const struct mapping *m, struct map_args *out)
{
	const struct mapping *from = m;

	/* What is copied is a mapping of memory, never a copy itself. */
	if (m->source != NO_INDEX)
		from = ioasid_mapping_at(&fd->ioasids[m->source], m->offset);
	*out = (struct map_args){
		.iova = m->iova, .length = m->length, .access = m->access, .fd = -1};
	if (!from || from->memory == NO_INDEX)
		return error_new(s->err, ERROR_KERNEL, ENOENT,
				 "what a mapping is a copy of isn't there any more");
	out->offset = from->offset;
	return open_window(s, t, from->memory, from->offset, m->length, &out->va);
}

/* The devices of both topologies that are open, each once. */
static const struct device *device_at(const struct execution *x, size_t i,
				      const struct topology **t)
{
	const size_t n_live = x->live ? x->live->n_devices : 0;

	*t = i < n_live ? x->live : x->desired;
	if (i < n_live)
		return &x->live->devices[i];
	if (!x->desired || i - n_live >= x->desired->n_devices)
		return NULL;
	return &x->desired->devices[i - n_live];
}

/* The next device from *i on that is in the IOASID; NULL: no more. */
static const struct device *next_in(const struct execution *x, const struct iotlb_space *space,
				    size_t *i, const struct driver **ops)
{
	const struct topology *t;
	const struct device *d;

	for (; (d = device_at(x, *i, &t)); (*i)++) {
		/* Those that live on were met in the live topology. */
		if (d->selector != SELECTOR_VDPA || !d->live.handle ||
		    (t == x->desired && d->prev != NO_INDEX) || !device_has_iotlb(t, d))
			continue;
		*ops = device_ops(t, d);
		if ((*ops)->iotlb_has(d->live.handle, space)) {
			(*i)++;
			return d;
		}
	}
	return NULL;
}

static void take_back(const struct step *s, const struct iotlb_space *space,
		      const struct map_args *args, size_t until, bool mapped)
{
	const struct driver *ops;
	const struct device *d;
	size_t i = 0;

	while ((d = next_in(s->x, space, &i, &ops)) && i < until) {
		if (mapped)
			ops->iotlb_unmap(d->live.handle, space, args, NULL);
		else
			ops->iotlb_map(d->live.handle, space, args, NULL);
	}
}

static int mirror(const struct step *s, const struct ioasid *ioasid, const struct mapping *m,
		  bool map)
{
	const struct iotlb_space space = {s->fd->live.handle, ioasid->live.id};
	struct map_args args;
	const struct driver *ops;
	const struct device *d;
	size_t i = 0;
	int ret;

	d = next_in(s->x, &space, &i, &ops);
	if (!d)
		return 0;
	ret = describe(s, s->t, s->fd, m, &args);
	for (; !ret && d; d = ret ? d : next_in(s->x, &space, &i, &ops)) {
		ret = map ? ops->iotlb_map(d->live.handle, &space, &args, s->err)
			  : ops->iotlb_unmap(d->live.handle, &space, &args, s->err);
		if (ret)
			take_back(s, &space, &args, i, map);
	}
	return ret;
}

int mirror_map(const struct step *s, const struct ioasid *ioasid, const struct mapping *m)
{
	return mirror(s, ioasid, m, true);
}

int mirror_unmap(const struct step *s, const struct ioasid *ioasid, const struct mapping *m)
{
	return mirror(s, ioasid, m, false);
}

/* The same IOASID in both topologies, as far as it is in them. */
struct sides {
	uint32_t live_fd, live_ioasid, fd, ioasid; /* NO_INDEX: not in it */
};

static struct sides find_sides(const struct execution *x, const struct mirrored *m)
{
	struct sides sides = {NO_INDEX, NO_INDEX, NO_INDEX, NO_INDEX};

	if (m->t == x->desired) {
		sides.fd = m->fd;
		sides.ioasid = m->ioasid;
		sides.live_fd = m->t->fds[m->fd].prev;
		if (sides.live_fd != NO_INDEX)
			sides.live_ioasid = m->t->fds[m->fd].ioasids[m->ioasid].prev;
		return sides;
	}
	sides.live_fd = m->fd;
	sides.live_ioasid = m->ioasid;
	for (uint32_t i = 0; x->desired && i < x->desired->n_fds; i++)
		for (uint32_t j = 0;
		     x->desired->fds[i].prev == m->fd && j < x->desired->fds[i].n_ioasids; j++)
			if (x->desired->fds[i].ioasids[j].prev == m->ioasid) {
				sides.fd = i;
				sides.ioasid = j;
			}
	return sides;
}

struct content {
	struct map_args *maps;
	size_t n;
};

static int add(const struct step *s, struct topology *t, uint32_t fd, const struct mapping *m,
	       struct content *out)
{
	return describe(s, t, &t->fds[fd], m, &out->maps[out->n++]);
}

/* Live mappings that no operation has removed so far. */
static int add_kept(const struct step *s, const struct sides *sides, struct content *out)
{
	struct topology *t = s->x->live;
	const struct ioasid *ioasid = &t->fds[sides->live_fd].ioasids[sides->live_ioasid];
	_cleanup_free_ bool *gone = calloc(ioasid->n_maps + 1, sizeof(*gone));
	int ret = 0;

	if (!gone)
		return error_nomem(s->err);
	for (const struct operation *op = s->x->plan->operations; op < s->op; op++)
		if (op->kind == OPERATION_UNMAP && op->fd == sides->live_fd &&
		    op->object == sides->live_ioasid)
			gone[op->item] = true;
	for (size_t i = 0; !ret && i < ioasid->n_maps; i++)
		if (!gone[i])
			ret = add(s, t, sides->live_fd, &ioasid->maps[i], out);
	return ret;
}

/* Desired mappings that operations have made so far. */
static int add_made(const struct step *s, const struct sides *sides, struct content *out)
{
	struct topology *t = s->x->desired;
	int ret = 0;

	for (const struct operation *op = s->x->plan->operations; !ret && op < s->op; op++)
		if ((op->kind == OPERATION_MAP || op->kind == OPERATION_COPY) &&
		    op->fd == sides->fd && op->object == sides->ioasid)
			ret = add(s, t, sides->fd,
				  &t->fds[op->fd].ioasids[op->object].maps[op->item], out);
	return ret;
}

static size_t count_maps(const struct topology *t, uint32_t fd, uint32_t ioasid)
{
	return ioasid == NO_INDEX ? 0 : t->fds[fd].ioasids[ioasid].n_maps;
}

/* What is mapped in it at this moment; out->maps is owned. */
static int collect(const struct step *s, const struct mirrored *m, struct content *out)
{
	const struct sides sides = find_sides(s->x, m);
	int ret = 0;

	*out = (struct content){
		.maps = calloc(count_maps(s->x->live, sides.live_fd, sides.live_ioasid) +
				       count_maps(s->x->desired, sides.fd, sides.ioasid) + 1,
			       sizeof(*out->maps))};
	if (!out->maps)
		return error_nomem(s->err);
	if (sides.live_ioasid != NO_INDEX)
		ret = add_kept(s, &sides, out);
	if (!ret && sides.ioasid != NO_INDEX)
		ret = add_made(s, &sides, out);
	return ret;
}

int mirror_attach(const struct step *s, const struct device *d, const struct attachment *a,
		  const struct mirrored *to, const struct mirrored *from)
{
	const struct iommu_fd *fd = &to->t->fds[to->fd];
	const struct iotlb_space space = {fd->live.handle, fd->ioasids[to->ioasid].live.id};
	struct content content = {0}, before = {0};
	int ret = collect(s, to, &content);

	if (!ret && from)
		ret = collect(s, from, &before);
	if (!ret)
		ret = device_ops(s->t, d)->iotlb_attach(
			d->live.handle, a->vq_group, &space,
			&(struct iotlb_content){content.maps, content.n},
			&(struct iotlb_content){before.maps, before.n}, s->err);
	free(content.maps);
	free(before.maps);
	return ret;
}
