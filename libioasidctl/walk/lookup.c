// SPDX-License-Identifier: LGPL-2.1-or-later
#include "walk/lookup.h"

#include "base/number.h"

/* The number of mappings that begin at or below the address; those with no place yet are first. */
static size_t count_up_to(const struct ioasid *gpa, uint64_t address)
{
	size_t low = 0, high = gpa->n_maps;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (!mapping_is_placed(&gpa->maps[middle]) || gpa->maps[middle].iova <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct mapping *find_mapping(const struct ioasid *gpa, uint64_t address, size_t n)
{
	const struct mapping *m = n ? &gpa->maps[n - 1] : NULL;

	return m && mapping_is_placed(m) && address <= range_last(m->iova, m->length) ? m : NULL;
}

/* What a copy copies is a mapping of memory: copies of copies aren't declared. */
static void find_memory(const struct iommu_fd *fd, const struct mapping *m, uint64_t into,
			struct lookup *out)
{
	const struct ioasid *source;
	const struct mapping *origin;
	uint64_t from;

	if (m->memory != NO_INDEX) {
		out->memory = m->memory;
		out->offset = m->offset + into;
		return;
	}
	if (m->source == NO_INDEX)
		return;
	source = &fd->ioasids[m->source];
	from = m->offset + into;
	origin = find_mapping(source, from, count_up_to(source, from));
	if (!origin || origin->memory == NO_INDEX)
		return;
	out->memory = origin->memory;
	out->offset = origin->offset + (from - origin->iova);
}

void lookup_address(const struct iommu_fd *fd, const struct ioasid *gpa, uint64_t address,
		    struct lookup *out)
{
	const size_t n = count_up_to(gpa, address);
	const struct mapping *m = find_mapping(gpa, address, n);

	*out = (struct lookup){.mapping = m, .memory = NO_INDEX};
	if (!m) {
		out->below = n && mapping_is_placed(&gpa->maps[n - 1]) ? &gpa->maps[n - 1] : NULL;
		out->above = n < gpa->n_maps ? &gpa->maps[n] : NULL;
		return;
	}
	out->rest = m->length - (address - m->iova);
	find_memory(fd, m, address - m->iova, out);
}
