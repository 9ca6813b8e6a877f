// SPDX-License-Identifier: LGPL-2.1-or-later
#include "walk/x86_radix.h"

#include <inttypes.h>

#define PAGE_SHIFT 12
#define LEVEL_BITS 9
#define LEVELS_MAX 5

#define ENTRY_P	      BIT(0)
#define ENTRY_RW      BIT(1)
#define ENTRY_US      BIT(2)
#define ENTRY_A	      BIT(5)
#define ENTRY_D	      BIT(6)
#define ENTRY_PS      BIT(7) /* of a PTE it is a memory type bit */
#define ENTRY_ADDRESS BITS(51, PAGE_SHIFT)

static const char *const entry_names[LEVELS_MAX] = {"PTE", "PDE", "PDPTE", "PML4E", "PML5E"};

static bool check_address(struct walk *w, const struct x86_rules *rules)
{
	const unsigned width = PAGE_SHIFT + LEVEL_BITS * rules->levels, unused = 64 - width;
	const uint64_t iova = w->request->iova;
	const uint64_t extended = rules->sign_extended
					  ? (uint64_t)((int64_t)(iova << unused) >> unused)
					  : iova & BITS(width - 1, 0);

	if (extended == iova)
		return true;
	if (rules->sign_extended)
		walk_stop(w, WALK_STOP_ADDRESS, rules->faults->address,
			  "the address isn't canonical: bits 63 to %u of 0x%" PRIx64
			  " must all be as bit %u is",
			  width, iova, width - 1);
	else
		walk_stop(w, WALK_STOP_ADDRESS, rules->faults->address,
			  "the address has more than the %u bits that the table translates", width);
	w->stop.step = WALK_NO_STEP;
	return false;
}

/* Bits below the address of a large page. */
static uint64_t reserved_bits(const struct x86_rules *rules, unsigned level)
{
	const unsigned low = rules->memory_type ? PAGE_SHIFT + 1 : PAGE_SHIFT;

	return level ? BITS(PAGE_SHIFT + LEVEL_BITS * level - 1, low) : 0;
}

static bool check_page(struct walk *w, const struct x86_rules *rules, uint64_t entry,
		       unsigned level)
{
	uint64_t reserved = entry & reserved_bits(rules, level);

	if (level && !(rules->large & BIT(level)))
		return walk_stop(w, WALK_STOP_RESERVED, rules->faults->reserved,
				 "its bit 7 (PS) is set, which is reserved in a %s",
				 entry_names[level]);
	if (reserved)
		return walk_stop(w, WALK_STOP_RESERVED, rules->faults->reserved,
				 "bits 0x%" PRIx64 " are set, reserved in a %s that maps a page",
				 reserved, entry_names[level]);
	return true;
}

static void take_rights(struct walk *w, const struct x86_rules *rules, const struct walk_step *step,
			bool page)
{
	const struct x86_faults *faults = rules->faults;
	const uint64_t entry = step->words[0];
	const bool stuck = rules->sets_bits && !step->writable;

	if (!(entry & ENTRY_US))
		walk_deny(w, ACCESS_RW, faults->user,
			  "its bit 2 (U/S) is clear, and a device's DMA is a user access");
	if (!(entry & ENTRY_RW))
		walk_deny(w, ACCESS_WRITE, faults->write, "its bit 1 (R/W) is clear");
	if (stuck && !(entry & ENTRY_A))
		walk_deny(w, ACCESS_RW, faults->update,
			  "its bit 5 (A) is clear, and the parent's mapping doesn't let the "
			  "hardware set it");
	if (stuck && page && !(entry & ENTRY_D))
		walk_deny(w, ACCESS_WRITE, faults->update,
			  "its bit 6 (D) is clear, and the parent's mapping doesn't let the "
			  "hardware set it");
}

void walk_x86_radix(struct walk *w, const struct x86_rules *rules)
{
	const uint64_t iova = w->request->iova;
	uint64_t table = rules->root & ENTRY_ADDRESS;

	if (!check_address(w, rules))
		return;
	for (unsigned level = rules->levels; level-- > 0;) {
		const unsigned shift = PAGE_SHIFT + LEVEL_BITS * level;
		const uint64_t index = FIELD(iova, shift + LEVEL_BITS - 1, shift);
		const struct walk_step *step =
			walk_read(w, entry_names[level], table + index * 8, 1);
		uint64_t entry;
		bool page;

		if (!step)
			return;
		entry = step->words[0];
		if (!(entry & ENTRY_P)) {
			walk_stop(w, WALK_STOP_NOT_PRESENT, rules->faults->not_present,
				  "its bit 0 (P) is clear");
			return;
		}
		page = !level || entry & ENTRY_PS;
		if (page && !check_page(w, rules, entry, level))
			return;
		take_rights(w, rules, step, page);
		if (page) {
			const uint64_t in_page = BITS(shift - 1, 0);

			walk_finish(w, (entry & ENTRY_ADDRESS & ~in_page) | (iova & in_page),
				    in_page + 1);
			return;
		}
		table = entry & ENTRY_ADDRESS;
	}
}
