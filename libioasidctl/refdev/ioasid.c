// SPDX-License-Identifier: LGPL-2.1-or-later
/* Address spaces: their life, and what is asked of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "refdev/memory.h"
#include "refdev/state.h"

struct refdev_ioasid *ioasid_find(const struct refdev_file *file, uint32_t id)
{
	return (struct refdev_ioasid *)object_find(file, id, OBJECT_IOASID);
}

struct refdev_ioasid *ioasid_paging(struct refdev_ioasid *ioasid)
{
	return ioasid->parent ? ioasid->parent : ioasid;
}

static int gpa_init(struct refdev_ioasid *ioasid, const struct ioasid_alloc_args *args)
{
	static const struct ioasid_table none;
	const uint32_t served = IOASID_ALLOC_NEST_PARENT | IOASID_ALLOC_DIRTY | IOASID_ALLOC_PASID |
				IOASID_ALLOC_FAULT | IOASID_ALLOC_SMALL_PAGES |
				IOASID_ALLOC_ENFORCE_SNOOP;
	int ret;

	if (args->flags & ~served)
		return -EOPNOTSUPP;
	/* Who waits for a page is told by the guest's table, not by the memory's. */
	if (args->flags & IOASID_ALLOC_FAULT && args->flags & IOASID_ALLOC_NEST_PARENT)
		return -EOPNOTSUPP;
	if (args->parent != IOASID_NONE || args->viommu || args->cookie ||
	    memcmp(&args->table, &none, sizeof(none)))
		return -EINVAL;
	ret = ioasid_reserve(ioasid, NULL);
	if (!ret)
		ioasid_refresh(ioasid);
	return ret;
}

int call_ioasid_alloc(struct refdev_file *file, struct ioasid_alloc_args *args)
{
	struct refdev_ioasid *ioasid;
	int ret;

	if (args->kind > IOASID_KIND_NESTED)
		return -EOPNOTSUPP;
	ioasid = object_new(file, OBJECT_IOASID, sizeof(*ioasid), &ret);
	if (!ioasid)
		return ret;
	ioasid->flags = args->flags;
	ioasid->next_fault = 1;
	queue_init(&ioasid->faults);
	ret = args->kind == IOASID_KIND_GPA ? gpa_init(ioasid, args) : nested_init(ioasid, args);
	if (ret) {
		ioasid_destroy(ioasid);
		free(ioasid);
		return ret;
	}
	object_publish(&ioasid->object);
	args->ioasid = ioasid->object.id;
	return 0;
}

void ioasid_destroy(struct refdev_ioasid *ioasid)
{
	if (ioasid->parent)
		nested_destroy(ioasid);
	faults_destroy(ioasid);
	queue_done(&ioasid->faults);
	mappings_destroy(ioasid);
	free(ioasid->allowed);
	free(ioasid->permitted);
	free(ioasid->forbidden);
}

uint64_t ioasid_table_bytes(const struct refdev_ioasid *ioasid)
{
	uint64_t bytes = 0;

	for (const struct refdev_table *t = ioasid->tables; t; t = t->next)
		bytes += table_bytes(t->table);
	return bytes;
}

/* Whether no attachment before it is on the same IOMMU. */
static bool is_first_there(const struct refdev_ioasid *ioasid,
			   const struct refdev_attachment *attachment)
{
	const struct refdev_attachment *a = ioasid->attachments;

	while (a->domain != attachment->domain)
		a = a->next_of_ioasid;
	return a == attachment;
}

uint32_t ioasid_count_domains(const struct refdev_ioasid *ioasid)
{
	uint32_t n = 0;

	for (const struct refdev_domain *d = ioasid->domains; d; d = d->next)
		n++;
	/* A nested one has no tables of its own to realise: one for each IOMMU that walks it. */
	for (const struct refdev_attachment *a = ioasid->parent ? ioasid->attachments : NULL; a;
	     a = a->next_of_ioasid)
		n += is_first_there(ioasid, a);
	return n;
}

uint32_t ioasid_count_attached(const struct refdev_ioasid *ioasid)
{
	uint32_t n = 0;

	for (const struct refdev_attachment *a = ioasid->attachments; a; a = a->next_of_ioasid)
		n += (uint32_t)a->n_devices;
	return n;
}

int call_ioasid_get_info(struct refdev_file *file, struct ioasid_info_args *args)
{
	const struct refdev_ioasid *ioasid = ioasid_find(file, args->ioasid), *ranges = ioasid;
	uint32_t room = args->n_ranges;
	size_t n;

	if (!ioasid)
		return -ENOENT;
	/* A nested one without a table translates what its parent does. */
	if (ioasid->parent && !ioasid->n_permitted)
		ranges = ioasid->parent;
	n = room < ranges->n_permitted ? room : ranges->n_permitted;
	if (n && memory_write(file->caller, args->ranges, ranges->permitted,
			      n * sizeof(struct ioasid_range), NULL))
		return -EFAULT;
	args->n_ranges = (uint32_t)ranges->n_permitted;
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
	return ranges->n_permitted > room ? -EMSGSIZE : 0;
}
