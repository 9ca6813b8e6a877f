// SPDX-License-Identifier: LGPL-2.1-or-later
/* Where a mapping goes that nobody gave a place: the lowest that Linux would take too. */
#include <errno.h>

#include "refdev/memory.h"
#include "refdev/state.h"

/* Beyond a large page of the CPU, alignment gains nothing. */
#define ALIGNMENT_MAX (2ULL << 20)

struct wish {
	uint64_t size, alignment;
	uint64_t offset; /* within a page of the CPU */
};

/* The first place in [*start, last]; false: none. */
static bool fits(const struct wish *wish, uint64_t *start, uint64_t last)
{
	uint64_t at;

	if (*start > UINT64_MAX - (wish->alignment - 1))
		return false;
	at = (*start + wish->alignment - 1) & ~(wish->alignment - 1);
	at |= wish->offset;
	if (at >= last || last - at < wish->size - 1)
		return false;
	*start = at;
	return true;
}

/* Within a range without reserved addresses: between the mappings. */
static bool find_hole(const struct refdev_ioasid *ioasid, const struct wish *wish, uint64_t first,
		      uint64_t last, uint64_t *iova)
{
	struct itree_node *n;

	for (n = itree_first(&ioasid->mappings, first, last); n;
	     n = itree_next(&ioasid->mappings, n, first, last)) {
		uint64_t start = first;

		if (n->first > first && fits(wish, &start, n->first - 1)) {
			*iova = start;
			return true;
		}
		if (n->last >= last)
			return false;
		first = n->last + 1;
	}
	*iova = first;
	return fits(wish, iova, last);
}

static bool find_place(const struct refdev_ioasid *ioasid, const struct wish *wish, uint64_t first,
		       uint64_t last, uint64_t *iova)
{
	if (!fits(wish, &first, last))
		return false;
	for (size_t i = 0; i < ioasid->n_permitted; i++) {
		uint64_t low = ioasid->permitted[i].first, high = ioasid->permitted[i].last;

		low = low > first ? low : first;
		high = high < last ? high : last;
		if (low <= high && find_hole(ioasid, wish, low, high, iova))
			return true;
	}
	return false;
}

static uint64_t round_up_to_power(uint64_t size)
{
	return size == 1 ? 1 : 1ULL << (64 - __builtin_clzll(size - 1));
}

int place_mapping(const struct refdev_ioasid *ioasid, uint64_t pattern, uint64_t size,
		  uint64_t *iova)
{
	uint64_t page = memory_page_size(), low = page, high = UINT64_MAX - page;
	struct wish wish = {.size = size, .offset = pattern & (page - 1)};

	if (!size || size & (ioasid->alignment - 1))
		return -EINVAL;
	if (size >= UINT64_MAX / 2)
		return -EOVERFLOW;
	wish.alignment = round_up_to_power(size);
	if (pattern && (pattern & -pattern) < wish.alignment)
		wish.alignment = pattern & -pattern;
	if (wish.alignment > ALIGNMENT_MAX)
		wish.alignment = ALIGNMENT_MAX;
	if (wish.alignment < ioasid->alignment)
		return -EINVAL;
	if (!ioasid->n_allowed)
		return find_place(ioasid, &wish, low, high, iova) ? 0 : -ENOSPC;
	for (size_t i = 0; i < ioasid->n_allowed; i++) {
		uint64_t first = ioasid->allowed[i].first, last = ioasid->allowed[i].last;

		/* Ranges that touch are one. */
		while (i + 1 < ioasid->n_allowed && ioasid->allowed[i + 1].first == last + 1)
			last = ioasid->allowed[++i].last;
		first = first > low ? first : low;
		last = last < high ? last : high;
		if (first <= last && find_place(ioasid, &wish, first, last, iova))
			return 0;
	}
	return -ENOSPC;
}
