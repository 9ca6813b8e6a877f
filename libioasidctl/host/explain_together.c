// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Several devices: one fd, one IOASID? Linux gives an IOASID a page table for each kind of IOMMU
 * that its devices sit behind, so what keeps them apart is little; what they leave of the addresses
 * is worth knowing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/explain_state.h"

/* More would not help anybody. */
#define REGIONS_SHOWN 8

/* Why the device can't be in an IOASID at all; NULL: it can. */
static const char *why_alone(const struct explaining *x, size_t i, enum explain_check *check)
{
	const struct host_device *d = x->found[i];

	*check = EXPLAIN_PRESENT;
	if (!d)
		return "there is no such device";
	*check = EXPLAIN_DRIVER;
	if (d->bridge == 1)
		return "it is a bridge";
	*check = EXPLAIN_IOMMU;
	if (d->group == HOST_UNKNOWN && needs_iommu(&x->asked[i]))
		return "no IOMMU translates for it";
	return NULL;
}

static void explain_groups(struct explaining *x, struct findings *f)
{
	for (size_t i = 0; i < x->n_asked; i++)
		for (size_t j = 0; j < i; j++) {
			const struct host_device *a = x->found[j], *b = x->found[i];

			if (!a || !b || a == b || a->group == HOST_UNKNOWN || a->group != b->group)
				continue;
			find(x, f, EXPLAIN_GROUP, FINDING_FINE,
			     TEXT(x,
				  "%s and %s are in IOMMU group %ju together: they can only be in "
				  "one IOASID",
				  a->address, b->address, (uintmax_t)a->group),
			     NULL);
			break;
		}
}

static const struct host_iommu *iommu_of(const struct host *host, const struct host_device *d)
{
	for (size_t i = 0; d && d->iommu && i < host->n_iommus; i++)
		if (!strcmp(host->iommus[i].name, d->iommu))
			return &host->iommus[i];
	return NULL;
}

static void explain_page_tables(struct explaining *x, struct findings *f)
{
	const struct host_iommu *first = NULL, *narrowest = NULL;
	bool kinds = false;

	for (size_t i = 0; i < x->n_asked; i++) {
		const struct host_iommu *iommu = iommu_of(x->host, x->found[i]);

		if (!iommu)
			continue;
		kinds |= first && strcmp(first->type, iommu->type);
		first = first ? first : iommu;
		if (iommu->iova_bits != HOST_UNKNOWN &&
		    (!narrowest || iommu->iova_bits < narrowest->iova_bits))
			narrowest = iommu;
	}
	if (kinds)
		find(x, f, EXPLAIN_PAGE_TABLES, FINDING_FINE,
		     "they sit behind IOMMUs of several kinds: the kernel keeps a page table for "
		     "each, with the same in it",
		     NULL);
	if (narrowest)
		find(x, f, EXPLAIN_ADDRESSES, FINDING_FINE,
		     TEXT(x, "addresses can have %ju bits: %s translates no more",
			  (uintmax_t)narrowest->iova_bits, narrowest->name),
		     NULL);
}

struct regions {
	struct host_reserved list[REGIONS_SHOWN];
	size_t n;
	bool more;
};

static void add_region(struct regions *r, const struct host_reserved *region)
{
	/* The kernel lets mappings lie there. */
	if (!strcmp(region->type, "direct-relaxable"))
		return;
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i].first == region->first && r->list[i].last == region->last)
			return;
	if (r->n == REGIONS_SHOWN)
		r->more = true;
	else
		r->list[r->n++] = *region;
}

static void explain_reserved(struct explaining *x, struct findings *f)
{
	_cleanup_free_ char *text = NULL;
	struct regions r = {0};
	size_t size;
	FILE *out;

	for (size_t i = 0; i < x->n_asked; i++) {
		const struct host_group *g =
			x->found[i] ? find_host_group(x->host, x->found[i]->group) : NULL;

		for (size_t j = 0; g && j < g->n_reserved; j++)
			add_region(&r, &g->reserved[j]);
	}
	if (!r.n)
		return;
	out = open_memstream(&text, &size);
	if (!out) {
		x->no_memory = true;
		return;
	}
	for (size_t i = 0; i < r.n; i++)
		fprintf(out, "%s0x%" PRIx64 "-0x%" PRIx64 " (%s)", i ? ", " : "", r.list[i].first,
			r.list[i].last, r.list[i].type);
	if (fclose(out)) {
		x->no_memory = true;
		return;
	}
	find(x, f, EXPLAIN_ADDRESSES, FINDING_FINE,
	     TEXT(x, "nothing can be mapped at %s%s", text, r.more ? " and others" : ""), NULL);
}

void explain_together(struct explaining *x, struct findings *f)
{
	x->out->one_fd = x->out->one_ioasid = 1;
	for (size_t i = 0; i < x->n_asked; i++) {
		enum explain_check check;
		const char *why = why_alone(x, i, &check);

		if (!why)
			continue;
		x->out->one_fd = x->out->one_ioasid = 0;
		find(x, f, check, FINDING_OBSTACLE,
		     TEXT(x, "%s can't be in any IOASID: %s", x->asked[i].address, why), NULL);
	}
	explain_groups(x, f);
	explain_page_tables(x, f);
	explain_reserved(x, f);
}
