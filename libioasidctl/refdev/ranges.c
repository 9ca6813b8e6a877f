// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which IOVAs a gpa may use: permitted by its devices, and allowed by its owner. */
#include <errno.h>
#include <stdlib.h>

#include "refdev/memory.h"
#include "refdev/state.h"

/* A domain forbids what lies below and above its IOMMU's aperture, a group its reserved regions. */
#define FORBIDDEN_BY_DOMAIN 2

/* From `a` on, in the lists of one IOASID and its next siblings. */
static struct refdev_attachment *whole_devices(struct refdev_attachment *a,
					       struct refdev_ioasid *child)
{
	for (;;) {
		while (a && a->pasid != IOASID_NO_PASID)
			a = a->next_of_ioasid;
		if (a || !child)
			return a;
		a = child->attachments;
		child = child->sibling;
	}
}

/*
 * The attachments that narrow a gpa: whole devices in it and in what is nested on it. PASIDs bring
 * no reserved regions, as in Linux, which takes those for a matter of interrupts.
 */
static struct refdev_attachment *first_restriction(const struct refdev_ioasid *ioasid)
{
	return whole_devices(ioasid->attachments, ioasid->children);
}

static struct refdev_attachment *next_restriction(const struct refdev_attachment *a)
{
	struct refdev_ioasid *ioasid = a->ioasid;

	return whole_devices(a->next_of_ioasid,
			     ioasid->parent ? ioasid->sibling : ioasid->children);
}

int ioasid_reserve(struct refdev_ioasid *ioasid, const struct refdev_group *group)
{
	size_t needed = (group ? group->hw->n_reserved : 0) +
			FORBIDDEN_BY_DOMAIN * (ioasid_count_domains(ioasid) + 1);
	struct ioasid_range *bigger;

	for (const struct refdev_attachment *a = first_restriction(ioasid); a;
	     a = next_restriction(a))
		needed += a->group->hw->n_reserved;
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

	for (const struct refdev_attachment *a = first_restriction(ioasid); a;
	     a = next_restriction(a)) {
		const struct machine_group *group = a->group->hw;

		for (size_t i = 0; i < group->n_reserved; i++)
			out[n++] = (struct ioasid_range){group->reserved[i].first,
							 group->reserved[i].last};
	}
	for (const struct refdev_domain *d = ioasid->domains; d; d = d->next) {
		const struct machine_iommu *iommu = d->iommu;

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
	if (ioasid->parent)
		return -EINVAL;
	if (args->n_ranges > IOASID_ALLOWED_MAX)
		return -E2BIG;
	ranges = calloc(args->n_ranges + 1, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	ret = memory_read(file->caller, ranges, args->ranges, args->n_ranges * sizeof(*ranges),
			  NULL);
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
