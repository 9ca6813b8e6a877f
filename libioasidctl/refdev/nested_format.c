// SPDX-License-Identifier: LGPL-2.1-or-later
/* Tables of guests, as hardware reads them: entries are guest addresses, translated by the parent.
 */
#include "refdev/nested.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "refdev/memory.h"

#define ENTRY_PRESENT 0x1ULL
#define ENTRY_WRITE   0x2ULL
#define ENTRY_USER    0x4ULL
#define ENTRY_LARGE   0x80ULL
#define ENTRY_ADDRESS 0xffffffffff000ULL

#define LEVEL_BITS 9
#define PAGE_SHIFT 12
#define LARGE_MAX  2 /* 1 GiB: the highest level with large pages */

static uint32_t width_of(const struct ioasid_table *table)
{
	return table->address_width ? table->address_width : 48;
}

static int check_radix(const struct ioasid_table *table)
{
	uint32_t width = width_of(table);

	if ((width != 48 && width != 57) || table->n_words || table->address & ~ENTRY_ADDRESS)
		return -EINVAL;
	for (size_t i = 0; i < IOASID_TABLE_WORDS; i++)
		if (table->words[i])
			return -EINVAL;
	return 0;
}

static int ranges_radix(const struct ioasid_table *table, struct ioasid_range **out, size_t *n)
{
	uint64_t half = 1ULL << (width_of(table) - 1);

	*out = calloc(2, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)[0] = (struct ioasid_range){0, half - 1};
	(*out)[1] = (struct ioasid_range){-half, UINT64_MAX};
	*n = 2;
	return 0;
}

/* An entry of a node, by its guest address. */
static bool read_entry(const struct refdev_domain *parent, pid_t process, uint64_t gpa,
		       uint64_t *entry, struct translation *t)
{
	t->stage = 2;
	if (!domain_translate(parent, gpa, false, t)) {
		t->fault = IOASID_FAULT_TABLE;
		return false;
	}
	if (memory_read(process, entry, t->vaddr, sizeof(*entry), NULL)) {
		t->fault = IOASID_FAULT_MEMORY;
		return false;
	}
	t->stage = 1;
	return true;
}

static bool fail(struct translation *t, enum ioasid_dma_fault fault)
{
	t->fault = fault;
	return false;
}

/* All bits from the highest one of the width on are the same. */
static bool is_canonical(uint64_t iova, uint32_t width)
{
	uint64_t top = iova >> (width - 1);

	return !top || top == UINT64_MAX >> (width - 1);
}

static bool walk_radix(const struct ioasid_table *table, const struct refdev_domain *parent,
		       pid_t process, uint64_t iova, uint64_t *gpa, uint32_t *flags,
		       struct translation *t)
{
	uint32_t width = width_of(table), left = (uint32_t)t->left;
	uint64_t node = table->address, entry = 0;

	*flags = IOASID_MAP_READ | IOASID_MAP_WRITE;
	if (!is_canonical(iova, width))
		return fail(t, IOASID_FAULT_WIDTH);
	for (t->level = (width - PAGE_SHIFT) / LEVEL_BITS - 1;; t->level--) {
		unsigned shift = PAGE_SHIFT + LEVEL_BITS * t->level;
		uint64_t slot = iova >> shift & ((1U << LEVEL_BITS) - 1),
			 mask = (1ULL << shift) - 1;

		if (!read_entry(parent, process, node + slot * sizeof(entry), &entry, t))
			return false;
		if (!(entry & ENTRY_PRESENT))
			return fail(t, IOASID_FAULT_NOT_MAPPED);
		/* Devices are users: what only the guest's kernel may reach is closed to them. */
		if (!(entry & ENTRY_USER))
			*flags = 0;
		if (!(entry & ENTRY_WRITE))
			*flags &= ~IOASID_MAP_WRITE;
		node = entry & ENTRY_ADDRESS;
		if (t->level && !(entry & ENTRY_LARGE))
			continue;
		if (t->level > LARGE_MAX || (t->level && node & mask))
			return fail(t, IOASID_FAULT_ENTRY);
		*gpa = node | (iova & mask);
		t->left = left;
		return true;
	}
}

static int check_mock(const struct ioasid_table *table)
{
	/* Linux takes 32 bits. */
	if (table->n_words != 1 || table->words[0] > UINT32_MAX || table->address ||
	    table->address_width)
		return -EINVAL;
	for (size_t i = 1; i < IOASID_TABLE_WORDS; i++)
		if (table->words[i])
			return -EINVAL;
	return 0;
}

static const struct nested_format formats[] = {
	[IOASID_TABLE_VTD_S1] = {check_radix, ranges_radix, walk_radix},
	[IOASID_TABLE_MOCK] = {check_mock, NULL, NULL},
	[IOASID_TABLE_X86_64] = {check_radix, ranges_radix, walk_radix},
};

const struct nested_format *nested_format(uint32_t format)
{
	return format < ARRAY_SIZE(formats) && formats[format].check ? &formats[format] : NULL;
}
