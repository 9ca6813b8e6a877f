// SPDX-License-Identifier: LGPL-2.1-or-later
/* Mappings with `iova: auto` stay where they have come to lie. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "plan/match.h"

/* A live mapping of memory, to be found by what it maps. */
struct placed {
	uint32_t memory; /* of the live topology */
	uint8_t access;
	bool taken;
	uint64_t offset, length, iova;
};

static int compare_target(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->memory != y->memory)
		return x->memory < y->memory ? -1 : 1;
	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return x->access < y->access ? -1 : x->access > y->access;
}

/* Whether something that has its place by declaration reaches into the range. */
static bool is_claimed(const struct ioasid *desired, uint64_t first, uint64_t last)
{
	size_t low = 0, high = desired->n_maps;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct mapping *m = &desired->maps[middle];

		if (!mapping_is_placed(m) || range_last(m->iova, m->length) < first)
			low = middle + 1;
		else
			high = middle;
	}
	return low < desired->n_maps && desired->maps[low].iova <= last;
}

static size_t collect(const struct ioasid *live, const struct ioasid *desired, struct placed *out)
{
	size_t n = 0;

	for (size_t i = 0; i < live->n_maps; i++) {
		const struct mapping *m = &live->maps[i];

		if (m->memory != NO_INDEX)
			out[n++] = (struct placed){
				m->memory,
				m->access,
				is_claimed(desired, m->iova, range_last(m->iova, m->length)),
				m->offset,
				m->length,
				m->iova};
	}
	qsort(out, n, sizeof(*out), compare_target);
	return n;
}

static struct placed *find(struct placed *all, size_t n, const struct placed *key)
{
	struct placed *found = bsearch(key, all, n, sizeof(*all), compare_target);

	if (!found)
		return NULL;
	while (found > all && !compare_target(found - 1, key))
		found--;
	for (; found < all + n && !compare_target(found, key); found++)
		if (!found->taken)
			return found;
	return NULL;
}

static size_t count_unplaced(const struct ioasid *ioasid)
{
	size_t n = 0;

	while (n < ioasid->n_maps && !mapping_is_placed(&ioasid->maps[n]))
		n++;
	return n;
}

int match_placements(const struct ioasid *live, const struct topology *desired,
		     struct ioasid *ioasid)
{
	const size_t unplaced = count_unplaced(ioasid);
	_cleanup_free_ struct placed *all = NULL;
	size_t n;

	if (!unplaced)
		return 0;
	all = calloc(live->n_maps + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	n = collect(live, ioasid, all);
	for (size_t i = 0; i < unplaced; i++) {
		struct mapping *m = &ioasid->maps[i];
		const struct placed key = {.memory = desired->memories[m->memory].prev,
					   .access = m->access,
					   .offset = m->offset,
					   .length = m->length};
		struct placed *found = key.memory == NO_INDEX ? NULL : find(all, n, &key);

		if (!found)
			continue;
		found->taken = true;
		m->iova = found->iova;
		m->placed = true;
	}
	ioasid_sort_mappings(ioasid);
	return 0;
}
