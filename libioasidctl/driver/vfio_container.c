// SPDX-License-Identifier: LGPL-2.1-or-later
/* IOASIDs of the vfio driver: containers, and what is to be mapped in them. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "driver/vfio.h"

#define _cleanup_info_ _cleanup_(vfio_info_done)

struct vfio_container *vfio_find_container(const struct driver_fd *fd, uint32_t id,
					   struct ioasidctl_error **err)
{
	struct vfio_container *c = fd->containers;

	while (c && c->id != id)
		c = c->next;
	if (!c)
		error_new(err, ERROR_KERNEL, ENOENT, "there is no container %u", id);
	return c;
}

void vfio_container_close(struct driver_fd *fd, struct vfio_container *c)
{
	struct vfio_container **link = &fd->containers;

	while (*link && *link != c)
		link = &(*link)->next;
	if (*link)
		*link = c->next;
	if (c->fd >= 0) {
		close(c->fd);
		driver_trace(fd->env, "close %s fd=%d = 0", fd->node, c->fd);
	}
	vfio_mappings_done(&c->mappings);
	free(c->allow);
	free(c);
}

int vfio_ioasid_alloc(struct driver_fd *fd, const struct ioasid *spec, const struct nesting *on,
		      uint32_t *id, struct ioasidctl_error **err)
{
	struct vfio_container *c;

	/* The planner has asked `missing`; a caller that hasn't gets no less than it asked for. */
	if (spec->kind != IOASID_GPA || on || spec->flags & ~IOASID_FLAG_DIRTY)
		return error_new(err, ERROR_REFUSED, EOPNOTSUPP,
				 "the vfio driver can't allocate %s as declared", spec->name);
	c = calloc(1, sizeof(*c));
	if (!c)
		return error_nomem(err);
	c->fd = vfio_open_container(fd->env, fd->node, err);
	if (c->fd < 0) {
		int ret = c->fd;

		free(c);
		return ret;
	}
	c->id = ++fd->last_id;
	c->next = fd->containers;
	fd->containers = c;
	*id = c->id;
	return 0;
}

int vfio_ioasid_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err)
{
	struct vfio_container *c = vfio_find_container(fd, id, err);

	if (!c)
		return -ENOENT;
	if (c->n_groups)
		return error_new(err, ERROR_BUSY, EBUSY, "container %u has devices in it", id);
	vfio_container_close(fd, c);
	return 0;
}

int vfio_ioasid_info(struct driver_fd *fd, uint32_t id, struct ioasid_info *out,
		     struct ioasidctl_error **err)
{
	struct vfio_container *c = vfio_find_container(fd, id, err);
	_cleanup_info_ struct vfio_info info = {0};
	int ret;

	if (!c)
		return -ENOENT;
	*out = (struct ioasid_info){0};
	if (c->n_groups) {
		ret = vfio_info_read(fd, c, &info, err);
		if (ret)
			return ret;
		out->alignment = info.page_sizes & -info.page_sizes;
		out->n_ranges = info.n_ranges;
		out->ranges = steal_pointer(info.ranges);
		return 0;
	}
	/* Nothing is known before the first device comes. */
	out->ranges = calloc(1, sizeof(*out->ranges));
	if (!out->ranges)
		return error_nomem(err);
	out->ranges[0] = (struct range){0, UINT64_MAX};
	out->n_ranges = 1;
	return 0;
}

static bool covers(const struct vfio_info *info, uint64_t first, uint64_t last)
{
	for (size_t i = 0; i < info->n_ranges; i++)
		if (info->ranges[i].first <= first && last <= info->ranges[i].last)
			return true;
	return false;
}

/*
 * VFIO knows no such promise; keeping it is checking, whenever a device comes, that it takes none
 * of these addresses away.
 */
static int check_allowed(const struct driver_fd *fd, const struct vfio_container *c,
			 const struct vfio_info *info, const struct range *ranges, size_t n,
			 struct ioasidctl_error **err)
{
	const struct ioasid_info usable = {.ranges = info->ranges, .n_ranges = info->n_ranges};

	for (size_t i = 0; i < n; i++) {
		int ret;

		if (covers(info, ranges[i].first, ranges[i].last))
			continue;
		ret = error_new(err, ERROR_KERNEL, EADDRINUSE,
				"can't keep the allowed range 0x%" PRIx64 "-0x%" PRIx64,
				ranges[i].first, ranges[i].last);
		linux_explain_uncovered(&usable, ranges[i], err);
		vfio_explain_culprit(fd, c, &usable, ranges[i], err);
		return ret;
	}
	return 0;
}

int vfio_allow(struct driver_fd *fd, uint32_t id, const struct range *ranges, size_t n,
	       struct ioasidctl_error **err)
{
	struct vfio_container *c = vfio_find_container(fd, id, err);
	_cleanup_info_ struct vfio_info info = {0};
	_cleanup_free_ struct range *copy = NULL;
	int ret = 0;

	if (!c)
		return -ENOENT;
	copy = calloc(n ? n : 1, sizeof(*copy));
	if (!copy)
		return error_nomem(err);
	if (n)
		memcpy(copy, ranges, n * sizeof(*copy));
	if (n && c->n_groups)
		ret = vfio_info_read(fd, c, &info, err);
	if (!ret && n && c->n_groups)
		ret = check_allowed(fd, c, &info, ranges, n, err);
	if (ret)
		return ret;
	free(c->allow);
	c->allow = steal_pointer(copy);
	c->n_allow = n;
	return 0;
}

static int fail_map(struct driver_fd *fd, const struct vfio_container *c,
		    const struct vfio_mapping *m, int ret, struct ioasidctl_error **err)
{
	vfio_fail(err, "VFIO_IOMMU_MAP_DMA", ret, "can't map 0x%" PRIx64 "-0x%" PRIx64, m->iova,
		  range_last(m->iova, m->length));
	vfio_explain_map(fd, c, m, -ret, err);
	return ret;
}

/* The first whole pages of [first, last] between its mappings that are enough. */
static bool find_gap(const struct vfio_container *c, uint64_t first, uint64_t last, uint64_t page,
		     uint64_t length, uint64_t *iova)
{
	struct vfio_cursor at = vfio_mappings_find(&c->mappings, first);
	struct vfio_mapping m;

	while (first <= UINT64_MAX - (page - 1)) {
		bool more = vfio_mappings_next(&c->mappings, &at, &m);

		*iova = (first + page - 1) & -page;
		if (!range_valid(*iova, length) || range_last(*iova, length) > last)
			return false;
		if (!more || range_last(*iova, length) < m.iova)
			return true;
		first = range_last(m.iova, m.length) + 1;
		if (!first)
			return false;
	}
	return false;
}

/* Free, usable and allowed; false: there is no such place. */
static bool find_place(const struct vfio_container *c, const struct ioasid_info *info,
		       uint64_t length, uint64_t *iova)
{
	const struct range *allow = c->n_allow ? c->allow : info->ranges;
	size_t n_allow = c->n_allow ? c->n_allow : info->n_ranges;
	uint64_t page = info->alignment ? info->alignment : (uint64_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < n_allow; i++)
		for (size_t j = 0; j < info->n_ranges; j++) {
			const struct range *a = &allow[i], *b = &info->ranges[j];

			if (find_gap(c, a->first > b->first ? a->first : b->first,
				     a->last < b->last ? a->last : b->last, page, length, iova))
				return true;
		}
	return false;
}

static int place(struct driver_fd *fd, const struct vfio_container *c, uint64_t length,
		 uint64_t *iova, struct ioasidctl_error **err)
{
	struct ioasid_info info = {0};
	int ret = vfio_ioasid_info(fd, c->id, &info, err);

	if (!ret && !find_place(c, &info, length, iova)) {
		ret = error_new(err, ERROR_KERNEL, ENOSPC,
				"can't find a place for 0x%" PRIx64 " bytes", length);
		error_cause(err, "no free range of that length is usable");
		error_hint(err,
			   "`ioasidctl show` lists the usable ranges; allow more, or map less");
	}
	ioasid_info_done(&info);
	return ret;
}

int vfio_ioasid_map(struct driver_fd *fd, uint32_t id, const struct map_args *args,
		    struct ioasidctl_error **err)
{
	struct vfio_container *c = vfio_find_container(fd, id, err);
	struct vfio_mapping m = {args->iova, args->length, args->va, args->access};
	int ret;

	if (!c)
		return -ENOENT;
	if (args->placed) {
		ret = place(fd, c, m.length, &m.iova, err);
		if (ret)
			return ret;
	}
	ret = vfio_mappings_add(&c->mappings, &m);
	if (ret)
		return fail_map(fd, c, &m, ret, err);
	if (c->n_groups)
		ret = vfio_type1_map(fd, c, &m);
	if (ret) {
		vfio_mappings_remove(&c->mappings, m.iova, m.length);
		return fail_map(fd, c, &m, ret, err);
	}
	if (args->placed)
		*args->placed = m.iova;
	return 0;
}

static int unmap_now(struct driver_fd *fd, const struct vfio_container *c, uint64_t iova,
		     uint64_t length, struct ioasidctl_error **err)
{
	uint64_t unmapped;
	int ret = vfio_type1_unmap(fd, c, iova, length, &unmapped);

	if (ret)
		return vfio_fail(err, "VFIO_IOMMU_UNMAP_DMA", ret,
				 "can't unmap 0x%" PRIx64 "-0x%" PRIx64, iova,
				 range_last(iova, length));
	if (unmapped == length)
		return 0;
	return error_new(err, ERROR_VERIFY, EIO,
			 "unmapping 0x%" PRIx64 "-0x%" PRIx64 " took away 0x%" PRIx64
			 " bytes instead of 0x%" PRIx64,
			 iova, range_last(iova, length), unmapped, length);
}

int vfio_ioasid_unmap(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length,
		      struct ioasidctl_error **err)
{
	struct vfio_container *c = vfio_find_container(fd, id, err);
	struct vfio_cursor at;
	struct vfio_mapping m;
	int ret = 0;

	if (!c)
		return -ENOENT;
	at = vfio_mappings_find(&c->mappings, iova);
	if (!vfio_mappings_next(&c->mappings, &at, &m) || m.iova != iova || m.length != length)
		return error_new(err, ERROR_KERNEL, ENOENT,
				 "0x%" PRIx64 " is not where a mapping of 0x%" PRIx64
				 " bytes begins",
				 iova, length);
	if (c->n_groups)
		ret = unmap_now(fd, c, iova, length, err);
	if (!ret)
		vfio_mappings_remove(&c->mappings, iova, length);
	return ret;
}

/*
 * The driver's own record, of which each mapping is confirmed by the kernel; what somebody else
 * mapped by the same descriptor can't be seen.
 */
int vfio_list_mappings(struct driver_fd *fd, uint32_t id,
		       int (*each)(void *data, uint64_t iova, uint64_t length, uint8_t access),
		       void *data, struct ioasidctl_error **err)
{
	struct vfio_container *c = vfio_find_container(fd, id, err);
	struct vfio_cursor at = {0};
	struct vfio_mapping m;
	size_t gone = 0;
	int ret = 0;

	if (!c)
		return -ENOENT;
	while (!ret && vfio_mappings_next(&c->mappings, &at, &m)) {
		if (c->n_groups && vfio_probe_mapping(c, &m))
			gone++;
		else
			ret = each(data, m.iova, m.length, m.access);
	}
	if (c->n_groups && c->mappings.n)
		driver_trace(fd->env,
			     "VFIO_IOMMU_MAP_DMA fd=%d flags=0x%x for each of %zu mappings = %zu "
			     "gone",
			     c->fd, VFIO_T1_MAP_VADDR, c->mappings.n, gone);
	return 0;
}

int vfio_ioasid_probe(struct driver_fd *fd, uint32_t id)
{
	struct vfio_container *c = vfio_find_container(fd, id, NULL);
	struct vfio_t1_info args = {.argsz = sizeof(args)};

	if (!c)
		return -ENOENT;
	/* Without a group a container is nothing but an open file. */
	if (!c->n_groups)
		return 0;
	return vfio_type1_info(fd, c, &args) ? -ENOENT : 0;
}

static int refuse_many(const struct driver_env *env, size_t n, uint32_t room,
		       struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_KERNEL, ENOSPC,
			    "%zu mappings are too many for a container of VFIO, which takes %u", n,
			    room);

	vfio_explain_limit(env, err);
	return ret;
}

/* That everything fits is seen before any of it is pinned. */
static int check_mappings(struct driver_fd *fd, const struct vfio_container *c,
			  const struct vfio_group *g, const struct vfio_info *info,
			  struct ioasidctl_error **err)
{
	uint64_t mask = (info->page_sizes & -info->page_sizes) - 1;
	struct vfio_cursor at = {0};
	struct vfio_mapping m;

	if (info->limited && c->mappings.n > info->available)
		return refuse_many(fd->env, c->mappings.n, info->available, err);
	while (vfio_mappings_next(&c->mappings, &at, &m)) {
		bool whole = !info->page_sizes || !((m.iova | m.length | (uintptr_t)m.va) & mask);
		int ret;

		if (whole && covers(info, m.iova, range_last(m.iova, m.length)))
			continue;
		ret = error_new(err, ERROR_KERNEL, EADDRINUSE,
				"group %u can't be where 0x%" PRIx64 "-0x%" PRIx64 " is mapped",
				g->number, m.iova, range_last(m.iova, m.length));
		vfio_explain_attach(fd, g, c, EADDRINUSE, err);
		return ret;
	}
	return 0;
}

static int replay(struct driver_fd *fd, const struct vfio_container *c,
		  struct ioasidctl_error **err)
{
	struct vfio_cursor at = {0};
	struct vfio_mapping m;
	int ret = 0;

	while (!ret && vfio_mappings_next(&c->mappings, &at, &m)) {
		ret = vfio_type1_map(fd, c, &m);
		if (ret)
			fail_map(fd, c, &m, ret, err);
	}
	return ret;
}

int vfio_container_fill(struct driver_fd *fd, struct vfio_container *c, const struct vfio_group *g,
			struct ioasidctl_error **err)
{
	_cleanup_info_ struct vfio_info info = {0};
	int ret = vfio_info_read(fd, c, &info, err);

	if (!ret)
		ret = check_allowed(fd, c, &info, c->allow, c->n_allow, err);
	/* The kernel has checked a second group against what the first one has there. */
	if (ret || c->n_groups)
		return ret;
	ret = check_mappings(fd, c, g, &info, err);
	if (!ret)
		ret = replay(fd, c, err);
	if (!ret && c->dirty)
		ret = vfio_track_dirty(fd, c, true, err);
	return ret;
}
