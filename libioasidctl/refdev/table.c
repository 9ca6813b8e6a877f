// SPDX-License-Identifier: LGPL-2.1-or-later
#include "refdev/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LEVEL_BITS 9
#define ENTRIES	   (1U << LEVEL_BITS)

/* Nodes and pages are aligned to 8 bytes at least, so an entry has three bits to spare. */
#define ENTRY_READ  ((uint64_t)IOASID_MAP_READ)
#define ENTRY_WRITE ((uint64_t)IOASID_MAP_WRITE)
#define ENTRY_LEAF  4ULL
#define ENTRY_FLAGS 7ULL

struct node {
	uint64_t entry[ENTRIES];
	unsigned used; /* beside the table proper, like a struct page */
};

_Static_assert(sizeof(((struct node *)0)->entry) == TABLE_NODE_BYTES, "a node is a page");

struct table {
	const struct machine_iommu *iommu;
	struct node *root;
	uint64_t nodes;
	uint64_t page_sizes;
	unsigned shift; /* of the smallest page */
	unsigned top; /* level of the root; 0 is the lowest */
};

static struct node *node_new(struct table *table)
{
	struct node *node = calloc(1, sizeof(*node));

	if (node)
		table->nodes++;
	return node;
}

struct table *table_new(const struct machine_iommu *iommu, bool small)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->iommu = iommu;
	table->shift = (unsigned)__builtin_ctzll(iommu->page_sizes);
	table->page_sizes = small ? 1ULL << table->shift : iommu->page_sizes;
	table->top = (iommu->address_bits - table->shift - 1) / LEVEL_BITS;
	table->root = node_new(table);
	if (!table->root) {
		free(table);
		return NULL;
	}
	return table;
}

static struct node *child_of(uint64_t entry)
{
	return entry && !(entry & ENTRY_LEAF) ? (struct node *)(uintptr_t)entry : NULL;
}

static void node_free(struct node *node)
{
	for (unsigned i = 0; i < ENTRIES && node->used; i++)
		if (child_of(node->entry[i]))
			node_free(child_of(node->entry[i]));
	free(node);
}

void table_free(struct table *table)
{
	if (!table)
		return;
	node_free(table->root);
	free(table);
}

bool table_fits(const struct table *table, const struct machine_iommu *iommu)
{
	return !strcmp(table->iommu->format, iommu->format) &&
	       table->iommu->address_bits == iommu->address_bits &&
	       table->iommu->page_sizes == iommu->page_sizes;
}

uint64_t table_bytes(const struct table *table)
{
	return table->nodes * TABLE_NODE_BYTES;
}

/* What one entry of a level covers, as a mask of the bits below. */
static uint64_t span_mask(const struct table *table, unsigned level)
{
	return (1ULL << (table->shift + LEVEL_BITS * level)) - 1;
}

static unsigned slot(const struct table *table, unsigned level, uint64_t iova)
{
	return (unsigned)(iova >> (table->shift + LEVEL_BITS * level)) & (ENTRIES - 1);
}

static bool leaf_possible(const struct table *table, unsigned level, uint64_t iova, uint64_t last,
			  uint64_t vaddr)
{
	uint64_t mask = span_mask(table, level);

	return table->page_sizes & (mask + 1) && !(iova & mask) && last - iova >= mask &&
	       !(vaddr & mask);
}

static int map_level(struct table *table, struct node *node, unsigned level, uint64_t iova,
		     uint64_t last, uint64_t vaddr, uint64_t flags)
{
	for (;;) {
		uint64_t end = iova | span_mask(table, level);
		uint64_t *entry = &node->entry[slot(table, level, iova)];

		if (end > last)
			end = last;
		if (!*entry)
			node->used++;
		if (leaf_possible(table, level, iova, last, vaddr)) {
			*entry = vaddr | flags | ENTRY_LEAF;
		} else {
			if (!*entry)
				*entry = (uintptr_t)node_new(table);
			if (!*entry) {
				node->used--;
				return -ENOMEM;
			}
			if (map_level(table, child_of(*entry), level - 1, iova, end, vaddr, flags))
				return -ENOMEM;
		}
		if (end == last)
			return 0;
		vaddr += end - iova + 1;
		iova = end + 1;
	}
}

static void unmap_level(struct table *table, struct node *node, unsigned level, uint64_t iova,
			uint64_t last)
{
	for (;;) {
		uint64_t end = iova | span_mask(table, level);
		uint64_t *entry = &node->entry[slot(table, level, iova)];
		struct node *child = child_of(*entry);
		bool gone = *entry != 0;

		if (end > last)
			end = last;
		if (child) {
			unmap_level(table, child, level - 1, iova, end);
			gone = !child->used;
		}
		if (child && gone) {
			free(child);
			table->nodes--;
		}
		if (gone) {
			*entry = 0;
			node->used--;
		}
		if (end == last)
			return;
		iova = end + 1;
	}
}

int table_map(struct table *table, uint64_t iova, uint64_t vaddr, uint64_t size, uint32_t flags)
{
	int ret = map_level(table, table->root, table->top, iova, iova + (size - 1), vaddr, flags);

	if (ret)
		table_unmap(table, iova, size);
	return ret;
}

void table_unmap(struct table *table, uint64_t iova, uint64_t size)
{
	unmap_level(table, table->root, table->top, iova, iova + (size - 1));
}

bool table_walk(const struct table *table, uint64_t iova, uint64_t *vaddr, uint32_t *flags,
		uint64_t *left)
{
	const struct node *node = table->root;

	for (unsigned level = table->top;; level--) {
		uint64_t entry = node->entry[slot(table, level, iova)];
		uint64_t mask = span_mask(table, level);

		if (!entry)
			return false;
		if (entry & ENTRY_LEAF) {
			*vaddr = (entry & ~ENTRY_FLAGS) + (iova & mask);
			*flags = (uint32_t)(entry & (ENTRY_READ | ENTRY_WRITE));
			*left = mask - (iova & mask) + 1;
			return true;
		}
		node = child_of(entry);
	}
}
