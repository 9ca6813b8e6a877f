// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Dirty pages of a container. Type 1 asks no hardware: while a device with an IOMMU is in the
 * container, every page that is mapped counts as dirty, each time anew. Only what mediated devices
 * write is told apart, and forgotten once told.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "driver/vfio.h"

#define WORD_BITS 64U

int vfio_track_dirty(struct driver_fd *fd, struct vfio_container *c, bool on,
		     struct ioasidctl_error **err)
{
	struct vfio_t1_dirty args = {.flags = on ? VFIO_T1_DIRTY_START : VFIO_T1_DIRTY_STOP};
	int ret = vfio_type1_dirty(fd, c, &args, offsetof(struct vfio_t1_dirty, iova));

	return ret ? vfio_fail(err, "VFIO_IOMMU_DIRTY_PAGES", ret, "can't %s tracking dirty pages",
			       on ? "start" : "stop")
		   : 0;
}

int vfio_dirty_set(struct driver_fd *fd, uint32_t ioasid, bool on, struct ioasidctl_error **err)
{
	struct vfio_container *c = vfio_find_container(fd, ioasid, err);
	int ret = 0;

	if (!c)
		return -ENOENT;
	if (c->n_groups && c->dirty != on)
		ret = vfio_track_dirty(fd, c, on, err);
	if (!ret)
		c->dirty = on;
	return ret;
}

static bool has_mediated(const struct driver_fd *fd, const struct vfio_container *c)
{
	for (const struct driver_device *d = fd->devices; d; d = d->next)
		if (d->selector == SELECTOR_MDEV && d->group->container == c)
			return true;
	return false;
}

static void set_bits(uint64_t first, uint64_t last, const struct range *range, uint64_t page,
		     uint64_t *bitmap)
{
	if (first > range->last || last < range->first)
		return;
	first = first < range->first ? 0 : (first - range->first) / page;
	last = ((last < range->last ? last : range->last) - range->first) / page;
	for (uint64_t i = first; i <= last; i++)
		bitmap[i / WORD_BITS] |= 1ULL << i % WORD_BITS;
}

/* From the kernel's pages of the mapping to the pages of the range. */
static void copy_bits(const struct vfio_mapping *m, uint64_t kernel_page, const uint64_t *bits,
		      const struct range *range, uint64_t page, uint64_t *bitmap)
{
	for (uint64_t i = 0; i < m->length / kernel_page; i++) {
		uint64_t iova = m->iova + i * kernel_page;

		if (bits[i / WORD_BITS] & 1ULL << i % WORD_BITS)
			set_bits(iova, range_last(iova, kernel_page), range, page, bitmap);
	}
}

/* The kernel answers for whole mappings only. */
static int read_mapping(struct driver_fd *fd, const struct vfio_container *c,
			const struct vfio_mapping *m, uint64_t kernel_page,
			const struct range *range, uint64_t page, uint64_t *bitmap,
			struct ioasidctl_error **err)
{
	uint64_t words = (m->length / kernel_page + WORD_BITS - 1) / WORD_BITS;
	_cleanup_free_ uint64_t *bits = calloc(words, sizeof(*bits));
	struct vfio_t1_dirty args = {
		.flags = VFIO_T1_DIRTY_GET,
		.iova = m->iova,
		.size = m->length,
		.bitmap = {.pgsize = kernel_page,
			   .size = words * sizeof(*bits),
			   .data = (uintptr_t)bits},
	};
	int ret;

	if (!bits)
		return error_nomem(err);
	ret = vfio_type1_dirty(fd, c, &args, sizeof(args));
	if (ret)
		return vfio_fail(err, "VFIO_IOMMU_DIRTY_PAGES", ret,
				 "can't ask which pages of 0x%" PRIx64 "-0x%" PRIx64 " are dirty",
				 m->iova, range_last(m->iova, m->length));
	copy_bits(m, kernel_page, bits, range, page, bitmap);
	return 0;
}

static int refuse_page(uint64_t page, uint64_t kernel_page, struct ioasidctl_error **err)
{
	return error_new(err, ERROR_REFUSED, EINVAL,
			 "dirty pages of 0x%" PRIx64 " bytes can't be told: they are 0x%" PRIx64
			 " bytes here",
			 page, kernel_page);
}

/* Of a mediated device type 1 forgets what it tells, and it tells of whole mappings. */
static int refuse_forgetting(struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_REFUSED, EOPNOTSUPP,
			    "what a mediated device has written can only be read once, and for "
			    "whole mappings");

	error_cause(err, "VFIO forgets which pages of a mapping were dirty when it tells");
	return ret;
}

static bool cuts(const struct range *range, const struct vfio_mapping *m)
{
	return m->iova < range->first || range_last(m->iova, m->length) > range->last;
}

static int read_range(struct driver_fd *fd, const struct vfio_container *c, uint64_t kernel_page,
		      const struct range *range, uint64_t page, bool forgets, uint64_t *bitmap,
		      struct ioasidctl_error **err)
{
	struct vfio_cursor at = vfio_mappings_find(&c->mappings, range->first);
	struct vfio_mapping m;
	int ret = 0;

	while (!ret && vfio_mappings_next(&c->mappings, &at, &m) && m.iova <= range->last) {
		if (forgets && cuts(range, &m))
			return refuse_forgetting(err);
		ret = read_mapping(fd, c, &m, kernel_page, range, page, bitmap, err);
	}
	return ret;
}

int vfio_dirty_read(struct driver_fd *fd, uint32_t ioasid, const struct range *range,
		    uint64_t page_size, bool keep, uint64_t *bitmap, struct ioasidctl_error **err)
{
	struct vfio_container *c = vfio_find_container(fd, ioasid, err);
	bool forgets = c && has_mediated(fd, c);
	struct vfio_info info;
	uint64_t page;
	int ret;

	if (!c)
		return -ENOENT;
	if (!c->dirty)
		return error_new(err, ERROR_REFUSED, EINVAL, "dirty pages are not being tracked");
	if (forgets && keep)
		return refuse_forgetting(err);
	/* Without a device nothing is written. */
	if (!c->n_groups)
		return 0;
	ret = vfio_info_read(fd, c, &info, err);
	if (ret)
		return ret;
	page = info.page_sizes & -info.page_sizes;
	vfio_info_done(&info);
	if (!page || page_size < page || page_size % page)
		return refuse_page(page_size, page, err);
	return read_range(fd, c, page, range, page_size, forgets, bitmap, err);
}
