// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Dirty pages: ranges of whole pages that devices wrote, disjoint and never touching. Their number
 * follows what was written, not what is mapped.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/number.h"
#include "refdev/memory.h"
#include "refdev/state.h"

int dirty_mark(struct refdev_ioasid *ioasid, uint64_t iova, uint64_t length)
{
	uint64_t mask = ioasid->alignment - 1, first = iova & ~mask;
	uint64_t last = range_last(iova, length) | mask;
	struct itree_node *range = malloc(sizeof(*range)), *n;

	if (!range)
		return -ENOMEM;
	*range = (struct itree_node){.first = first, .last = last};
	/* What touches becomes one. */
	while ((n = itree_first(&ioasid->dirty, first ? first - 1 : 0,
				last == UINT64_MAX ? last : last + 1))) {
		range->first = n->first < range->first ? n->first : range->first;
		range->last = n->last > range->last ? n->last : range->last;
		itree_remove(&ioasid->dirty, n);
		free(n);
	}
	itree_insert(&ioasid->dirty, range);
	return 0;
}

void dirty_forget(struct refdev_ioasid *ioasid, uint64_t first, uint64_t last)
{
	struct itree_node *n;

	while ((n = itree_first(&ioasid->dirty, first, last))) {
		struct itree_node *after = n->last > last ? malloc(sizeof(*after)) : NULL;

		itree_remove(&ioasid->dirty, n);
		/* Without memory for the rest, more counts as dirty than was written. */
		if (n->last > last && !after) {
			n->first = n->first < first ? n->first : last + 1;
			itree_insert(&ioasid->dirty, n);
			return;
		}
		if (after) {
			*after = (struct itree_node){.first = last + 1, .last = n->last};
			itree_insert(&ioasid->dirty, after);
		}
		if (n->first < first) {
			n->last = first - 1;
			itree_insert(&ioasid->dirty, n);
		} else {
			free(n);
		}
	}
}

int call_set_dirty(struct refdev_file *file, struct ioasid_set_dirty_args *args)
{
	struct refdev_ioasid *ioasid = ioasid_find(file, args->ioasid);

	if (args->reserved)
		return -EOPNOTSUPP;
	if (!ioasid || ioasid->parent)
		return -ENOENT;
	if (!(ioasid->flags & IOASID_ALLOC_DIRTY))
		return -EOPNOTSUPP;
	ioasid->tracking = args->flags & IOASID_DIRTY_ON;
	if (ioasid->tracking)
		dirty_forget(ioasid, 0, UINT64_MAX);
	return 0;
}

/* Sets bits [from, to] of the caller's bitmap, some words at a time. */
static int set_bits(pid_t process, uint64_t bitmap, uint64_t from, uint64_t to)
{
	uint64_t words[512], at = from / 64, end = to / 64;

	while (at <= end) {
		uint64_t n = end - at + 1 < 512 ? end - at + 1 : 512;

		if (memory_read(process, words, bitmap + 8 * at, 8 * n, NULL))
			return -EFAULT;
		for (uint64_t i = 0; i < n; i++) {
			uint64_t low = at + i == from / 64 ? from % 64 : 0;
			uint64_t high = at + i == end ? to % 64 : 63;

			words[i] |= UINT64_MAX << low & UINT64_MAX >> (63 - high);
		}
		if (memory_write(process, bitmap + 8 * at, words, 8 * n, NULL))
			return -EFAULT;
		at += n;
	}
	return 0;
}

static int check_read(const struct refdev_ioasid *ioasid, const struct ioasid_read_dirty_args *args)
{
	uint64_t last, pages = args->page_size - 1;

	if (!args->length)
		return -EINVAL;
	if (!range_valid(args->iova, args->length))
		return -EOVERFLOW;
	last = range_last(args->iova, args->length);
	if ((args->iova | (last + 1)) & (ioasid->alignment - 1))
		return -EINVAL;
	if (!args->page_size || args->page_size & pages)
		return -EINVAL;
	return (args->iova | (last + 1)) & pages ? -EINVAL : 0;
}

int call_read_dirty(struct refdev_file *file, struct ioasid_read_dirty_args *args)
{
	struct refdev_ioasid *ioasid = ioasid_find(file, args->ioasid);
	uint64_t last;
	int ret;

	if (args->reserved)
		return -EOPNOTSUPP;
	if (!ioasid || ioasid->parent)
		return -ENOENT;
	ret = check_read(ioasid, args);
	if (ret)
		return ret;
	if (!(ioasid->flags & IOASID_ALLOC_DIRTY))
		return -EOPNOTSUPP;
	last = range_last(args->iova, args->length);
	for (struct itree_node *n = itree_first(&ioasid->dirty, args->iova, last); n && !ret;
	     n = itree_next(&ioasid->dirty, n, args->iova, last)) {
		uint64_t from = n->first > args->iova ? n->first - args->iova : 0;
		uint64_t to = (n->last < last ? n->last : last) - args->iova;

		ret = set_bits(file->caller, args->bitmap, from / args->page_size,
			       to / args->page_size);
	}
	if (!ret && !(args->flags & IOASID_DIRTY_KEEP))
		dirty_forget(ioasid, args->iova, last);
	return ret;
}
