// SPDX-License-Identifier: LGPL-2.1-or-later
/* Address spaces: their life, and which IOVAs they may use. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "refdev/memory.h"
#include "refdev/state.h"

#define IOASIDS_MAX (1U << 20)

/* Index of the first id that isn't below `id`. */
static size_t position(const struct refdev_file *file, uint32_t id)
{
	size_t low = 0, high = file->n_ioasids;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (file->ioasids[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct refdev_ioasid *ioasid_find(const struct refdev_file *file, uint32_t id)
{
	size_t i = position(file, id);

	return i < file->n_ioasids && file->ioasids[i]->id == id ? file->ioasids[i] : NULL;
}

static int make_room(struct refdev_file *file)
{
	size_t capacity = file->ioasids_capacity ? 2 * file->ioasids_capacity : 8;
	struct refdev_ioasid **bigger;

	if (file->n_ioasids < file->ioasids_capacity)
		return 0;
	/* Ids are never used twice, or a stale one would name a stranger. */
	if (file->n_ioasids >= IOASIDS_MAX || file->next_id == IOASID_NONE)
		return -ENOSPC;
	bigger = realloc(file->ioasids, capacity * sizeof(struct refdev_ioasid *));
	if (!bigger)
		return -ENOMEM;
	file->ioasids = bigger;
	file->ioasids_capacity = capacity;
	return 0;
}

int call_ioasid_alloc(struct refdev_file *file, struct ioasid_alloc_args *args)
{
	const uint32_t served =
		IOASID_ALLOC_NEST_PARENT | IOASID_ALLOC_SMALL_PAGES | IOASID_ALLOC_ENFORCE_SNOOP;
	struct refdev_ioasid *ioasid;
	int ret;

	if (args->flags & ~served || args->kind != IOASID_KIND_GPA || args->reserved)
		return -EOPNOTSUPP;
	if (args->parent != IOASID_NONE)
		return -EINVAL;
	ret = make_room(file);
	if (ret)
		return ret;
	ioasid = calloc(1, sizeof(*ioasid));
	if (!ioasid)
		return -ENOMEM;
	ioasid->file = file;
	ioasid->flags = args->flags;
	ioasid->id = file->next_id;
	ret = ioasid_reserve(ioasid, NULL);
	if (ret) {
		ioasid_destroy(ioasid);
		return ret;
	}
	ioasid_refresh(ioasid);
	file->next_id++;
	file->ioasids[file->n_ioasids++] = ioasid;
	args->ioasid = ioasid->id;
	return 0;
}

void ioasid_destroy(struct refdev_ioasid *ioasid)
{
	mappings_destroy(ioasid);
	free(ioasid->allowed);
	free(ioasid->permitted);
	free(ioasid->forbidden);
	free(ioasid);
}

int call_ioasid_free(struct refdev_file *file, struct ioasid_free_args *args)
{
	size_t i = position(file, args->ioasid);

	if (args->reserved)
		return -EOPNOTSUPP;
	if (!ioasid_find(file, args->ioasid))
		return -ENOENT;
	if (file->ioasids[i]->groups)
		return -EBUSY;
	ioasid_destroy(file->ioasids[i]);
	file->n_ioasids--;
	memmove(&file->ioasids[i], &file->ioasids[i + 1],
		(file->n_ioasids - i) * sizeof(struct refdev_ioasid *));
	return 0;
}

uint64_t ioasid_table_bytes(const struct refdev_ioasid *ioasid)
{
	uint64_t bytes = 0;

	for (const struct refdev_table *t = ioasid->tables; t; t = t->next)
		bytes += table_bytes(t->table);
	return bytes;
}

uint32_t ioasid_count_domains(const struct refdev_ioasid *ioasid)
{
	uint32_t n = 0;

	for (const struct refdev_domain *d = ioasid->domains; d; d = d->next)
		n++;
	return n;
}

uint32_t ioasid_count_attached(const struct refdev_ioasid *ioasid)
{
	uint32_t n = 0;

	for (const struct refdev_group *g = ioasid->groups; g; g = g->next)
		n += (uint32_t)g->n_attached;
	return n;
}

/* A group forbids its reserved regions and what lies below and above its IOMMU's aperture. */
static size_t count_forbidden(const struct refdev_group *group)
{
	return group->hw->n_reserved + 2;
}

int ioasid_reserve(struct refdev_ioasid *ioasid, const struct refdev_group *group)
{
	size_t needed = group ? count_forbidden(group) : 0;
	struct ioasid_range *bigger;

	for (const struct refdev_group *g = ioasid->groups; g; g = g->next)
		needed += count_forbidden(g);
	if (ioasid->permitted && needed <= ioasid->capacity)
		return 0;
	bigger = realloc(ioasid->permitted, (needed + 1) * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	ioasid->permitted = bigger;
	bigger = realloc(ioasid->forbidden, (needed + 1) * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	ioasid->forbidden = bigger;
	ioasid->capacity = needed;
	return 0;
}

static int by_first(const void *a, const void *b)
{
	const struct ioasid_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

static size_t collect_forbidden(struct refdev_ioasid *ioasid)
{
	struct ioasid_range *out = ioasid->forbidden;
	size_t n = 0;

	for (const struct refdev_group *g = ioasid->groups; g; g = g->next) {
		const struct machine_iommu *iommu = g->hw->iommu;

		for (size_t i = 0; i < g->hw->n_reserved; i++)
			out[n++] = (struct ioasid_range){g->hw->reserved[i].first,
							 g->hw->reserved[i].last};
		if (iommu->first)
			out[n++] = (struct ioasid_range){0, iommu->first - 1};
		if (iommu->last != UINT64_MAX)
			out[n++] = (struct ioasid_range){iommu->last + 1, UINT64_MAX};
	}
	qsort(out, n, sizeof(*out), by_first);
	return n;
}

void ioasid_refresh(struct refdev_ioasid *ioasid)
{
	size_t n = collect_forbidden(ioasid);
	uint64_t free_from = 0;
	bool full = false;

	ioasid->n_permitted = 0;
	for (size_t i = 0; i < n && !full; i++) {
		const struct ioasid_range *f = &ioasid->forbidden[i];

		if (f->first > free_from)
			ioasid->permitted[ioasid->n_permitted++] =
				(struct ioasid_range){free_from, f->first - 1};
		full = f->last == UINT64_MAX;
		if (!full && f->last + 1 > free_from)
			free_from = f->last + 1;
	}
	if (!full)
		ioasid->permitted[ioasid->n_permitted++] =
			(struct ioasid_range){free_from, UINT64_MAX};

	/* Nothing walks a table yet: no page size to heed. */
	ioasid->alignment = 1;
	for (const struct refdev_domain *d = ioasid->domains; d; d = d->next) {
		uint64_t smallest = d->iommu->page_sizes & -d->iommu->page_sizes;

		if (smallest > ioasid->alignment)
			ioasid->alignment = smallest;
	}
}

int call_ioasid_get_info(struct refdev_file *file, struct ioasid_info_args *args)
{
	const struct refdev_ioasid *ioasid = ioasid_find(file, args->ioasid);
	uint32_t room = args->n_ranges;
	size_t n;

	if (!ioasid)
		return -ENOENT;
	n = room < ioasid->n_permitted ? room : ioasid->n_permitted;
	if (n &&
	    memory_write(args->ranges, ioasid->permitted, n * sizeof(struct ioasid_range), NULL))
		return -EFAULT;
	args->n_ranges = (uint32_t)ioasid->n_permitted;
	args->alignment = ioasid->alignment;
	args->page_table_bytes = ioasid_table_bytes(ioasid);
	args->domains = ioasid_count_domains(ioasid);
	args->tables = 0;
	for (const struct refdev_table *t = ioasid->tables; t; t = t->next)
		args->tables++;
	args->alloc_flags = ioasid->flags;
	args->n_attached = ioasid_count_attached(ioasid);
	args->n_mappings = ioasid->n_mappings;
	args->mapped_bytes = ioasid->mapped_bytes;
	return ioasid->n_permitted > room ? -EMSGSIZE : 0;
}

static bool is_permitted(const struct refdev_ioasid *ioasid, const struct ioasid_range *range)
{
	for (size_t i = 0; i < ioasid->n_permitted; i++)
		if (range->first >= ioasid->permitted[i].first &&
		    range->last <= ioasid->permitted[i].last)
			return true;
	return false;
}

static int check_allowed(const struct refdev_ioasid *ioasid, const struct ioasid_range *ranges,
			 size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ranges[i].first >= ranges[i].last ||
		    (i && ranges[i].first <= ranges[i - 1].last))
			return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (!is_permitted(ioasid, &ranges[i]))
			return -EADDRINUSE;
	return 0;
}

int call_set_allowed(struct refdev_file *file, struct ioasid_allowed_args *args)
{
	struct refdev_ioasid *ioasid = ioasid_find(file, args->ioasid);
	struct ioasid_range *ranges;
	int ret;

	if (!ioasid)
		return -ENOENT;
	if (args->n_ranges > IOASID_ALLOWED_MAX)
		return -E2BIG;
	ranges = calloc(args->n_ranges + 1, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	ret = memory_read(ranges, args->ranges, args->n_ranges * sizeof(*ranges), NULL);
	if (!ret) {
		qsort(ranges, args->n_ranges, sizeof(*ranges), by_first);
		ret = check_allowed(ioasid, ranges, args->n_ranges);
	}
	if (ret) {
		free(ranges);
		return ret;
	}
	free(ioasid->allowed);
	ioasid->allowed = ranges;
	ioasid->n_allowed = args->n_ranges;
	return 0;
}
