// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Domains: an IOASID as one IOMMU has it. The expensive part is the page table, so all domains
 * whose IOMMUs can walk the same one share it.
 */
#include <errno.h>
#include <stdlib.h>

#include "refdev/state.h"

static int table_get(struct refdev_ioasid *ioasid, const struct machine_iommu *iommu,
		     struct refdev_table **out)
{
	struct refdev_table *t;
	int ret = -ENOMEM;

	for (t = ioasid->tables; t; t = t->next)
		if (table_fits(t->table, iommu)) {
			t->refs++;
			*out = t;
			return 0;
		}
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->table = table_new(iommu, ioasid->flags & IOASID_ALLOC_SMALL_PAGES);
	if (t->table)
		ret = mappings_fill(ioasid, t->table);
	if (ret) {
		table_free(t->table);
		free(t);
		return ret;
	}
	t->refs = 1;
	t->next = ioasid->tables;
	ioasid->tables = t;
	*out = t;
	return 0;
}

static void table_put(struct refdev_ioasid *ioasid, struct refdev_table *table)
{
	struct refdev_table **at = &ioasid->tables;

	if (--table->refs)
		return;
	while (*at != table)
		at = &(*at)->next;
	*at = table->next;
	table_free(table->table);
	free(table);
}

int domain_get(struct refdev_ioasid *ioasid, const struct machine_iommu *iommu,
	       struct refdev_domain **out)
{
	uint32_t limit = ioasid->object.file->refdev->machine->max_domains;
	struct refdev_domain *d;
	int ret;

	for (d = ioasid->domains; d; d = d->next)
		if (d->iommu == iommu) {
			d->refs++;
			*out = d;
			return 0;
		}
	if (limit && ioasid_count_domains(ioasid) >= limit)
		return -ENOSPC;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	ret = table_get(ioasid, iommu, &d->table);
	if (ret) {
		free(d);
		return ret;
	}
	d->iommu = iommu;
	d->refs = 1;
	d->next = ioasid->domains;
	ioasid->domains = d;
	*out = d;
	return 0;
}

void domain_put(struct refdev_ioasid *ioasid, struct refdev_domain *domain)
{
	struct refdev_domain **at = &ioasid->domains;

	if (--domain->refs)
		return;
	while (*at != domain)
		at = &(*at)->next;
	*at = domain->next;
	table_put(ioasid, domain->table);
	free(domain);
}
