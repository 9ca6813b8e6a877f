// SPDX-License-Identifier: LGPL-2.1-or-later
/* Nested IOASIDs: the guest's table, walked in the memory its parent maps, and what is kept of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "refdev/memory.h"
#include "refdev/nested.h"
#include "refdev/state.h"

#define PAGE_SHIFT 12
#define PAGE_MASK  ((1ULL << PAGE_SHIFT) - 1)

#define IOTLB_ENTRIES 256U

/* Translations of single pages, however large the entry was that they come from. */
struct iotlb {
	struct {
		uint64_t page, gpa;
		uint32_t flags; /* IOASID_MAP_*; 0: empty */
	} entries[IOTLB_ENTRIES];
};

static void iotlb_fill(struct refdev_ioasid *ioasid, uint64_t iova, uint64_t gpa, uint32_t flags)
{
	uint64_t page = iova & ~PAGE_MASK;

	/* A cache: without memory it goes on without. */
	if (!ioasid->iotlb)
		ioasid->iotlb = calloc(1, sizeof(*ioasid->iotlb));
	if (!ioasid->iotlb)
		return;
	ioasid->iotlb->entries[page >> PAGE_SHIFT & (IOTLB_ENTRIES - 1)] =
		(__typeof__(ioasid->iotlb->entries[0])){page, gpa & ~PAGE_MASK, flags};
}

/* An entry that doesn't grant the access is no reason to refuse it: the table is walked again. */
static bool iotlb_find(const struct refdev_ioasid *ioasid, uint64_t iova, uint32_t needed,
		       uint64_t *gpa)
{
	const struct iotlb *iotlb = ioasid->iotlb;
	size_t i = iova >> PAGE_SHIFT & (IOTLB_ENTRIES - 1);

	if (!iotlb || iotlb->entries[i].page != (iova & ~PAGE_MASK) ||
	    !(iotlb->entries[i].flags & needed))
		return false;
	*gpa = iotlb->entries[i].gpa | (iova & PAGE_MASK);
	return true;
}

static void iotlb_drop(struct refdev_ioasid *ioasid, uint64_t first, uint64_t last)
{
	for (size_t i = 0; ioasid->iotlb && i < IOTLB_ENTRIES; i++)
		if (ioasid->iotlb->entries[i].page >= first &&
		    ioasid->iotlb->entries[i].page <= last)
			ioasid->iotlb->entries[i].flags = 0;
}

void nested_forget(struct refdev_ioasid *ioasid)
{
	iotlb_drop(ioasid, 0, UINT64_MAX);
}

bool nested_translate(struct refdev_ioasid *ioasid, const struct refdev_domain *parent,
		      uint64_t iova, bool write, struct translation *t)
{
	const struct nested_format *format = nested_format(ioasid->table.format);
	struct nested_walk walk = {
		.ioasid = ioasid, .parent = parent, .iova = iova, .write = write, .t = t};
	uint64_t left = PAGE_MASK + 1 - (iova & PAGE_MASK);

	t->stage = 1;
	t->left = left;
	if (!format->walk) {
		t->gpa = iova;
		return true;
	}
	if (iotlb_find(ioasid, iova, write ? IOASID_MAP_WRITE : IOASID_MAP_READ, &t->gpa))
		return true;
	if (!format->walk(&walk))
		return false;
	iotlb_fill(ioasid, iova, walk.gpa, walk.flags);
	t->gpa = walk.gpa;
	t->left = left;
	return true;
}

/* The order of the checks is Linux's, ids that lead nowhere included. */
static int find_parent(const struct refdev_file *file, const struct ioasid_alloc_args *args,
		       const struct machine_iommu *iommu, struct refdev_ioasid **parent,
		       struct refdev_viommu **viommu)
{
	*parent = ioasid_find(file, args->parent);
	*viommu = NULL;
	if (args->viommu) {
		*viommu = (struct refdev_viommu *)object_find(file, args->viommu, OBJECT_VIOMMU);
		if (!*viommu || (args->parent != IOASID_NONE && *parent != (*viommu)->parent))
			return -EINVAL;
		*parent = (*viommu)->parent;
		if ((*viommu)->iommu != iommu)
			return -EINVAL;
	}
	if (!*parent || (*parent)->parent)
		return -EINVAL;
	return 0;
}

int nested_init(struct refdev_ioasid *ioasid, const struct ioasid_alloc_args *args)
{
	const struct refdev_file *file = ioasid->object.file;
	const struct refdev_device *device = device_find_cookie(file, args->cookie);
	const struct nested_format *format = nested_format(args->table.format);
	const struct machine_iommu *iommu;
	struct refdev_ioasid *parent;
	struct refdev_viommu *viommu;
	int ret;

	if (args->table.reserved)
		return -EOPNOTSUPP;
	if (args->table.format == IOASID_TABLE_NONE)
		return -EINVAL;
	if (!device)
		return -ENOENT;
	iommu = device->group->hw->iommu;
	ret = find_parent(file, args, iommu, &parent, &viommu);
	if (!ret && (args->flags & ~IOASID_ALLOC_NESTED_FLAGS || !iommu->nesting))
		ret = -EOPNOTSUPP;
	if (!ret && !(parent->flags & IOASID_ALLOC_NEST_PARENT))
		ret = -EINVAL;
	if (!ret && (!format || !(iommu->nested_formats & 1U << args->table.format)))
		ret = -EOPNOTSUPP;
	if (!ret)
		ret = format->check(&args->table);
	if (!ret && format->ranges)
		ret = format->ranges(&args->table, &ioasid->permitted, &ioasid->n_permitted);
	if (!ret)
		ret = ioasid_realise(parent, NULL, iommu, &ioasid->below);
	if (ret)
		return ret;
	ioasid_refresh(parent);
	ioasid->iommu = iommu;
	ioasid->alignment = PAGE_MASK + 1;
	ioasid->table = args->table;
	if (args->table.format == IOASID_TABLE_MOCK)
		for (size_t i = 0; i < IOASID_TABLE_WORDS; i++)
			ioasid->table.words[i] = args->table.words[0];
	ioasid->parent = parent;
	ioasid->sibling = parent->children;
	parent->children = ioasid;
	parent->object.users++;
	ioasid->viommu = viommu;
	if (viommu)
		viommu->object.users++;
	return 0;
}

void nested_destroy(struct refdev_ioasid *ioasid)
{
	struct refdev_ioasid **at = &ioasid->parent->children;

	while (*at != ioasid)
		at = &(*at)->sibling;
	*at = ioasid->sibling;
	ioasid->parent->object.users--;
	domain_put(ioasid->parent, ioasid->below);
	ioasid_refresh(ioasid->parent);
	if (ioasid->viommu)
		ioasid->viommu->object.users--;
	free(ioasid->iotlb);
}

/* 0: the range is one that can be dropped. */
static int check_range(const struct ioasid_invalidation *e)
{
	if (e->first > e->last || e->first & PAGE_MASK || (e->last + 1) & PAGE_MASK)
		return -EINVAL;
	return 0;
}

/* Linux looks at the number of the cell also where all are meant. */
static int invalidate_mock(struct refdev_ioasid *ioasid, const struct ioasid_invalidation *e)
{
	uint64_t cell = e->n_words ? e->words[0] : 0;

	if (!(e->flags & IOASID_INVALIDATE_ALL) && !e->n_words)
		return -EOPNOTSUPP;
	if (cell >= IOASID_TABLE_WORDS)
		return -EINVAL;
	if (e->flags & IOASID_INVALIDATE_ALL)
		memset(ioasid->table.words, 0, sizeof(ioasid->table.words));
	else
		ioasid->table.words[cell] = 0;
	return 0;
}

static int invalidate_table(struct refdev_ioasid *ioasid, const struct ioasid_invalidation *e)
{
	int ret;

	if (ioasid->table.format == IOASID_TABLE_MOCK)
		return invalidate_mock(ioasid, e);
	if (e->n_words)
		return -EOPNOTSUPP;
	if (e->flags & IOASID_INVALIDATE_ALL) {
		iotlb_drop(ioasid, 0, UINT64_MAX);
		return 0;
	}
	ret = check_range(e);
	if (!ret)
		iotlb_drop(ioasid, e->first, e->last);
	return ret;
}

static int drop_cells(struct refdev_vdevice *v, const struct ioasid_invalidation *e)
{
	uint64_t cell = e->n_words ? e->words[0] : 0;

	if (cell >= sizeof(v->cache) / sizeof(v->cache[0]))
		return -EINVAL;
	if (e->flags & IOASID_INVALIDATE_ALL)
		memset(v->cache, 0, sizeof(v->cache));
	else
		v->cache[cell] = 0;
	return 0;
}

/* Linux's mock vIOMMU has caches of its devices, and none of tables. */
static int invalidate_devices(const struct refdev_viommu *viommu,
			      const struct ioasid_invalidation *e)
{
	bool all_devices = e->n_words < 2, found = all_devices;
	int ret = 0;

	if (!(e->flags & IOASID_INVALIDATE_ALL) && !e->n_words)
		return -EOPNOTSUPP;
	for (struct refdev_vdevice *v = viommu->vdevices; v && !ret; v = v->next) {
		if (!all_devices && v->virt_id != e->words[1])
			continue;
		ret = drop_cells(v, e);
		found = true;
	}
	return ret || found ? ret : -EINVAL;
}

static int invalidate_viommu(struct refdev_viommu *viommu, const struct ioasid_invalidation *e)
{
	int ret = 0;

	if (viommu->type == IOASID_VIOMMU_MOCK)
		return invalidate_devices(viommu, e);
	for (struct refdev_ioasid *i = viommu->parent->children; i && !ret; i = i->sibling)
		if (i->viommu == viommu)
			ret = invalidate_table(i, e);
	return ret;
}

int call_invalidate(struct refdev_file *file, struct ioasid_invalidate_args *args)
{
	const uint32_t known = IOASID_INVALIDATE_ALL | IOASID_INVALIDATE_LEAF;
	struct refdev_object *object = object_find_any(file, args->object);
	struct refdev_ioasid *ioasid = ioasid_find(file, args->object);
	uint32_t n = args->n_entries;

	args->n_entries = 0;
	if (n && (!args->entries || n > IOASID_INVALIDATE_MAX))
		return -EINVAL;
	if (!object)
		return -ENOENT;
	if (object->kind != OBJECT_VIOMMU && !(ioasid && ioasid->parent))
		return -EINVAL;
	for (uint32_t i = 0; i < n; i++) {
		struct ioasid_invalidation e;
		int ret = memory_read(file->caller, &e, args->entries + i * sizeof(e), sizeof(e),
				      NULL);

		if (!ret && e.flags & ~known)
			ret = -EOPNOTSUPP;
		if (!ret && e.n_words > sizeof(e.words) / sizeof(e.words[0]))
			ret = -EINVAL;
		if (!ret)
			ret = ioasid ? invalidate_table(ioasid, &e)
				     : invalidate_viommu((struct refdev_viommu *)object, &e);
		if (ret)
			return ret;
		args->n_entries++;
	}
	return 0;
}
