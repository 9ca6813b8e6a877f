// SPDX-License-Identifier: LGPL-2.1-or-later
/* Mappings: map, copy, unmap. */
#include <errno.h>
#include <stdlib.h>

#include "base/number.h"
#include "refdev/memory.h"
#include "refdev/state.h"

static struct refdev_mapping *mapping_of(struct itree_node *node)
{
	return (struct refdev_mapping *)node;
}

static uint64_t size_of(const struct refdev_mapping *m)
{
	return m->node.last - m->node.first + 1;
}

/* Of the one limit the machine has; 0: none. */
static bool pin_fits(const struct refdev_file *file, uint64_t size)
{
	uint64_t limit = file->refdev->machine->max_pinned_bytes, sum = 0;

	if (!limit)
		return true;
	for (const struct refdev_file *f = file->refdev->files; f; f = f->next)
		if (f->accounting == file->accounting)
			sum += f->pinned_bytes;
	return sum <= limit && size <= limit - sum;
}

static struct refdev_pin *pin_new(struct refdev_file *file, uint64_t size, bool writable)
{
	struct refdev_pin *pin = pin_fits(file, size) ? malloc(sizeof(*pin)) : NULL;

	if (!pin)
		return NULL;
	*pin = (struct refdev_pin){.refs = 1, .size = size, .writable = writable};
	file->pinned_bytes += size;
	return pin;
}

static void pin_put(struct refdev_file *file, struct refdev_pin *pin)
{
	if (--pin->refs)
		return;
	file->pinned_bytes -= pin->size;
	free(pin);
}

/* The order of the checks is Linux's, so that what is wrong in two ways is refused alike. */
static int check_iova(const struct refdev_ioasid *ioasid, uint64_t iova, uint64_t size)
{
	size_t low = 0, high = ioasid->n_permitted;
	uint64_t last;

	if (!size || size & (ioasid->alignment - 1) || iova & (ioasid->alignment - 1))
		return -EINVAL;
	if (!range_valid(iova, size))
		return -EOVERFLOW;
	last = range_last(iova, size);
	while (low < high) { /* the last permitted range that begins at or before iova */
		size_t middle = low + (high - low) / 2;

		if (ioasid->permitted[middle].first <= iova)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || last > ioasid->permitted[low - 1].last)
		return -EINVAL;
	return itree_first(&ioasid->mappings, iova, last) ? -EEXIST : 0;
}

/* Enters a mapping into one table after the other; on failure into none. */
static int enter_tables(struct refdev_ioasid *ioasid, const struct refdev_mapping *m)
{
	if (!ioasid->tables)
		return 0;
	if (memory_present(ioasid->object.file->process, m->vaddr, size_of(m)))
		return -EFAULT;
	for (struct refdev_table *t = ioasid->tables; t; t = t->next) {
		int ret = table_map(t->table, m->node.first, m->vaddr, size_of(m), m->flags);

		if (!ret)
			continue;
		for (struct refdev_table *u = ioasid->tables; u != t; u = u->next)
			table_unmap(u->table, m->node.first, size_of(m));
		return ret;
	}
	return 0;
}

static void remove_mapping(struct refdev_ioasid *ioasid, struct refdev_mapping *m)
{
	for (struct refdev_table *t = ioasid->tables; t; t = t->next)
		table_unmap(t->table, m->node.first, size_of(m));
	dirty_forget(ioasid, m->node.first, m->node.last);
	itree_remove(&ioasid->mappings, &m->node);
	ioasid->n_mappings--;
	ioasid->mapped_bytes -= size_of(m);
	pin_put(ioasid->object.file, m->pin);
	free(m);
}

/* Takes a reference of `pin` over if it succeeds. */
static int add_mapping(struct refdev_ioasid *ioasid, uint64_t iova, uint64_t size, uint64_t vaddr,
		       uint32_t flags, struct refdev_pin *pin)
{
	struct refdev_mapping *m = malloc(sizeof(*m));
	int ret;

	if (!m)
		return -ENOMEM;
	*m = (struct refdev_mapping){.node = {.first = iova, .last = range_last(iova, size)},
				     .vaddr = vaddr,
				     .pin = pin,
				     .flags = flags};
	ret = enter_tables(ioasid, m);
	if (ret) {
		free(m);
		return ret;
	}
	itree_insert(&ioasid->mappings, &m->node);
	ioasid->n_mappings++;
	ioasid->mapped_bytes += size;
	return 0;
}

/* Linux refuses the very last byte of both: it keeps the number for itself. */
static bool beyond(uint64_t iova, uint64_t size)
{
	return iova == UINT64_MAX || size == UINT64_MAX;
}

int call_map_dma(struct refdev_file *file, struct ioasid_map_args *args)
{
	struct refdev_ioasid *ioasid;
	struct refdev_pin *pin;
	uint64_t offset = args->vaddr & (memory_page_size() - 1), iova = args->iova;
	uint32_t access = args->flags & MAP_FLAGS;
	int ret;

	if (args->reserved)
		return -EOPNOTSUPP;
	if (file->caller != file->process)
		return -EPERM;
	if (beyond(args->iova, args->size))
		return -EOVERFLOW;
	if (!access)
		return -EINVAL;
	ioasid = ioasid_find(file, args->ioasid);
	if (!ioasid)
		return -ENOENT;
	if (ioasid->parent)
		return -EINVAL;
	if (args->size && !range_valid(args->vaddr, args->size))
		return -EOVERFLOW;
	if (args->flags & IOASID_MAP_ANYWHERE)
		ret = place_mapping(ioasid, args->iova, args->size, &iova);
	else
		ret = check_iova(ioasid, iova, args->size);
	if (ret)
		return ret;
	if (offset & (ioasid->alignment - 1))
		return -EINVAL;
	pin = pin_new(file, args->size, access & IOASID_MAP_WRITE);
	if (!pin)
		return -ENOMEM;
	ret = add_mapping(ioasid, iova, args->size, args->vaddr, access, pin);
	if (ret)
		pin_put(file, pin);
	else
		args->iova = iova;
	return ret;
}

/* [iova, last] without a hole? */
static bool is_covered(const struct refdev_ioasid *ioasid, uint64_t iova, uint64_t last)
{
	struct itree_node *node = itree_first(&ioasid->mappings, iova, last);

	while (node && node->first <= iova) {
		if (node->last >= last)
			return true;
		iova = node->last + 1;
		node = itree_next(&ioasid->mappings, node, iova, last);
	}
	return false;
}

static void remove_range(struct refdev_ioasid *ioasid, uint64_t iova, uint64_t last)
{
	struct itree_node *node;

	while ((node = itree_first(&ioasid->mappings, iova, last)))
		remove_mapping(ioasid, mapping_of(node));
}

/* A mapping for each piece of one in the source. */
static int copy_pieces(struct refdev_ioasid *ioasid, const struct refdev_ioasid *source,
		       const struct ioasid_copy_args *args)
{
	uint64_t last = range_last(args->source_iova, args->size), at = args->source_iova;

	for (;;) {
		/* Looked up anew each time: in a copy within one IOASID the tree grows. */
		struct refdev_mapping *from = mapping_of(itree_first(&source->mappings, at, at));
		uint64_t end = from->node.last < last ? from->node.last : last;
		uint64_t vaddr = from->vaddr + (at - from->node.first);
		uint64_t iova = args->iova + (at - args->source_iova);
		int ret = vaddr & (memory_page_size() - 1) & (ioasid->alignment - 1) ||
					  (end - at + 1) & (ioasid->alignment - 1)
				  ? -EINVAL
				  : add_mapping(ioasid, iova, end - at + 1, vaddr, args->flags,
						from->pin);

		if (ret) {
			if (iova != args->iova)
				remove_range(ioasid, args->iova, iova - 1);
			return ret;
		}
		from->pin->refs++;
		if (end == last)
			return 0;
		at = end + 1;
	}
}

static bool is_writable(struct refdev_ioasid *source, uint64_t iova, uint64_t last)
{
	for (struct itree_node *n = itree_first(&source->mappings, iova, last); n;
	     n = itree_next(&source->mappings, n, iova, last))
		if (!mapping_of(n)->pin->writable)
			return false;
	return true;
}

int call_copy_dma(struct refdev_file *file, struct ioasid_copy_args *args)
{
	struct refdev_ioasid *source, *ioasid;
	int ret;

	if (beyond(args->iova, args->size) || beyond(args->source_iova, args->size))
		return -EOVERFLOW;
	if (!args->flags)
		return -EINVAL;
	source = ioasid_find(file, args->source);
	if (!source)
		return -ENOENT;
	if (!args->size)
		return -EINVAL;
	if (!range_valid(args->source_iova, args->size))
		return -EOVERFLOW;
	if (!is_covered(source, args->source_iova, range_last(args->source_iova, args->size)))
		return -ENOENT;
	ioasid = ioasid_find(file, args->ioasid);
	if (!ioasid)
		return -ENOENT;
	if (ioasid->parent)
		return -EINVAL;
	ret = check_iova(ioasid, args->iova, args->size);
	if (!ret && args->flags & IOASID_MAP_WRITE &&
	    !is_writable(source, args->source_iova, range_last(args->source_iova, args->size)))
		ret = -EPERM;
	return ret ? ret : copy_pieces(ioasid, source, args);
}

/* Memory that a hardware queue lies in. */
static bool is_locked(const struct refdev_ioasid *ioasid, uint64_t iova, uint64_t last)
{
	struct itree_node *node = itree_first(&ioasid->mappings, iova, last);

	while (node && !mapping_of(node)->locks)
		node = itree_next(&ioasid->mappings, node, iova, last);
	return node;
}

int call_unmap_dma(struct refdev_file *file, struct ioasid_unmap_args *args)
{
	struct refdev_ioasid *ioasid = ioasid_find(file, args->ioasid);
	bool everything = !args->iova && args->size == UINT64_MAX;
	struct itree_node *node;
	uint64_t last, before;

	if (args->reserved)
		return -EOPNOTSUPP;
	if (!ioasid)
		return -ENOENT;
	if (!args->size)
		return -EINVAL;
	if (!everything && (beyond(args->iova, args->size) || !range_valid(args->iova, args->size)))
		return -EOVERFLOW;
	last = everything ? UINT64_MAX : range_last(args->iova, args->size);
	if (is_locked(ioasid, args->iova, last))
		return -EBUSY;
	node = itree_first(&ioasid->mappings, args->iova, last);
	if (!node && !everything)
		return -ENOENT;
	/* Mappings are disjoint: only the first and the one at the end can reach out. */
	if (node && node->first < args->iova)
		return -ENOENT;
	node = itree_first(&ioasid->mappings, last, last);
	if (node && node->last > last)
		return -ENOENT;
	before = ioasid->mapped_bytes;
	remove_range(ioasid, args->iova, last);
	args->size = before - ioasid->mapped_bytes;
	return 0;
}

void mappings_destroy(struct refdev_ioasid *ioasid)
{
	remove_range(ioasid, 0, UINT64_MAX);
}

int mappings_fill(struct refdev_ioasid *ioasid, struct table *table)
{
	for (struct itree_node *n = itree_first(&ioasid->mappings, 0, UINT64_MAX); n;
	     n = itree_next(&ioasid->mappings, n, 0, UINT64_MAX)) {
		const struct refdev_mapping *m = mapping_of(n);

		if (memory_present(ioasid->object.file->process, m->vaddr, size_of(m)))
			return -EFAULT;
		if (table_map(table, n->first, m->vaddr, size_of(m), m->flags))
			return -ENOMEM;
	}
	return 0;
}
