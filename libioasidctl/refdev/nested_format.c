// SPDX-License-Identifier: LGPL-2.1-or-later
/* Tables of guests, as hardware reads them: entries are guest addresses, translated by the parent.
 */
#include "refdev/nested.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "refdev/memory.h"

#define ENTRY_PRESENT  0x1ULL
#define ENTRY_WRITE    0x2ULL
#define ENTRY_USER     0x4ULL
#define ENTRY_ACCESSED 0x20ULL
#define ENTRY_DIRTY    0x40ULL
#define ENTRY_LARGE    0x80ULL
#define ENTRY_ADDRESS  0xffffffffff000ULL

#define LEVEL_BITS 9
#define PAGE_SHIFT 12
#define LEVELS_MAX 5
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

static bool fail(struct nested_walk *walk, enum ioasid_dma_fault fault)
{
	walk->t->fault = fault;
	return false;
}

/* Where an entry is, by its guest address. What stops it there is a matter of the parent. */
static bool find_entry(struct nested_walk *walk, uint64_t gpa, bool write)
{
	walk->t->stage = 2;
	if (!domain_translate(walk->parent, gpa, write, walk->t))
		return fail(walk, IOASID_FAULT_TABLE);
	return true;
}

static bool read_entry(struct nested_walk *walk, uint64_t gpa, uint64_t *entry)
{
	pid_t process = walk->ioasid->object.file->process;

	if (!find_entry(walk, gpa, false))
		return false;
	if (memory_read(process, entry, walk->t->vaddr, sizeof(*entry), NULL))
		return fail(walk, IOASID_FAULT_MEMORY);
	walk->t->stage = 1;
	return true;
}

/* The hardware itself writes to the table, and needs the right to. */
static bool set_bits(struct nested_walk *walk, uint64_t gpa, uint64_t entry, uint64_t bits)
{
	pid_t process = walk->ioasid->object.file->process;

	if ((entry & bits) == bits)
		return true;
	if (!find_entry(walk, gpa, true))
		return false;
	entry |= bits;
	if (walk->ioasid->parent->tracking && dirty_mark(walk->ioasid->parent, gpa, sizeof(entry)))
		return fail(walk, IOASID_FAULT_MEMORY);
	if (memory_write(process, walk->t->vaddr, &entry, sizeof(entry), NULL))
		return fail(walk, IOASID_FAULT_MEMORY);
	walk->t->stage = 1;
	return true;
}

/* All bits from the highest one of the width on are the same. */
static bool is_canonical(uint64_t iova, uint32_t width)
{
	uint64_t top = iova >> (width - 1);

	return !top || top == UINT64_MAX >> (width - 1);
}

/* Where the formats that have the CPU's layout differ. */
struct radix_rules {
	bool memory_type; /* bit 12 of a large page is one, and no part of its address */
	bool accessed; /* it sets bits 5 (accessed) and 6 (dirty) */
};

static bool take_page(struct nested_walk *walk, const struct radix_rules *rules, uint64_t entry)
{
	uint32_t level = walk->t->level;
	uint64_t mask = (1ULL << (PAGE_SHIFT + LEVEL_BITS * level)) - 1;
	uint64_t address = entry & ENTRY_ADDRESS;

	if (level && rules->memory_type)
		address &= ~(1ULL << PAGE_SHIFT);
	if (level > LARGE_MAX || address & mask)
		return fail(walk, IOASID_FAULT_ENTRY);
	walk->gpa = address | (walk->iova & mask);
	return true;
}

/* Every level has been read: what was used is marked, what is missing is a fault. */
static bool finish(struct nested_walk *walk, const struct radix_rules *rules,
		   const uint64_t *places, const uint64_t *entries, uint32_t top)
{
	uint32_t leaf = walk->t->level;

	if (!(walk->flags & (walk->write ? IOASID_MAP_WRITE : IOASID_MAP_READ)))
		return fail(walk, walk->write ? IOASID_FAULT_NO_WRITE : IOASID_FAULT_NO_READ);
	if (!rules->accessed)
		return true;
	for (walk->t->level = top;; walk->t->level--) {
		uint32_t level = walk->t->level;
		bool dirty = level == leaf && walk->write;

		if (!set_bits(walk, places[level], entries[level],
			      ENTRY_ACCESSED | (dirty ? ENTRY_DIRTY : 0)))
			return false;
		if (level == leaf)
			break;
	}
	/* The first write has to come by again, to leave its mark. */
	if (!walk->write && !(entries[leaf] & ENTRY_DIRTY))
		walk->flags &= ~IOASID_MAP_WRITE;
	return true;
}

static bool walk_radix(struct nested_walk *walk, const struct radix_rules *rules)
{
	uint32_t width = width_of(&walk->ioasid->table),
		 top = (width - PAGE_SHIFT) / LEVEL_BITS - 1;
	uint64_t node = walk->ioasid->table.address, places[LEVELS_MAX], entries[LEVELS_MAX];

	walk->flags = IOASID_MAP_READ | IOASID_MAP_WRITE;
	if (!is_canonical(walk->iova, width))
		return fail(walk, IOASID_FAULT_WIDTH);
	for (uint32_t level = top;; level--) {
		uint64_t slot =
			walk->iova >> (PAGE_SHIFT + LEVEL_BITS * level) & ((1U << LEVEL_BITS) - 1);
		uint64_t *entry = &entries[level];

		walk->t->level = level;
		places[level] = node + slot * sizeof(*entry);
		if (!read_entry(walk, places[level], entry))
			return false;
		if (!(*entry & ENTRY_PRESENT))
			return fail(walk, IOASID_FAULT_NOT_MAPPED);
		/* Devices are users: what only the guest's kernel may reach is closed to them. */
		if (!(*entry & ENTRY_USER))
			walk->flags = 0;
		if (!(*entry & ENTRY_WRITE))
			walk->flags &= ~IOASID_MAP_WRITE;
		if (!level || *entry & ENTRY_LARGE)
			return take_page(walk, rules, *entry) &&
			       finish(walk, rules, places, entries, top);
		node = *entry & ENTRY_ADDRESS;
	}
}

static bool walk_vtd_s1(struct nested_walk *walk)
{
	static const struct radix_rules rules = {.memory_type = true, .accessed = true};

	return walk_radix(walk, &rules);
}

static bool walk_x86_64(struct nested_walk *walk)
{
	static const struct radix_rules rules = {0};

	return walk_radix(walk, &rules);
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
	[IOASID_TABLE_VTD_S1] = {check_radix, ranges_radix, walk_vtd_s1},
	[IOASID_TABLE_MOCK] = {check_mock, NULL, NULL},
	[IOASID_TABLE_X86_64] = {check_radix, ranges_radix, walk_x86_64},
};

const struct nested_format *nested_format(uint32_t format)
{
	return format < ARRAY_SIZE(formats) && formats[format].check ? &formats[format] : NULL;
}
