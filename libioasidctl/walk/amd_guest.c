// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * AMD's guest translation: the device table entry holds the root of the GCR3 table, that holds by
 * PASID the roots of page tables. AMD IOMMU specification 2.2.2.1 (DTE), 2.2.6 (guest tables).
 * Linux takes from the guest's DTE what is named here and sets V, TV and GV itself.
 */
#include <inttypes.h>

#include "walk/x86_radix.h"

#define PASID_BITS	20
#define GCR3_LEVEL_BITS 9
#define GCR3_LEVELS_MAX 3
#define GCR3_VALID	BIT(0)
#define GCR3_ADDRESS	BITS(51, 12)

/* Word 0 of the DTE. */
#define DTE_GIOV    BIT(54) /* DMA without PASID goes through the table of PASID 0 */
#define DTE_GLX	    57, 56 /* levels of the GCR3 table, less one */
#define DTE_GCR3_LO 60, 58 /* bits 14:12 of its root; bits 30:15 and 51:31 are in word 1 */
#define DTE_GCR3_MI 31, 16
#define DTE_GCR3_HI 63, 43
/* Word 2. */
#define DTE_GUEST_LEVELS 55, 54 /* of the page tables: 0 for 4, 1 for 5 */

#define EVENT "IO_PAGE_FAULT"

static const struct x86_faults faults = {
	.address = EVENT,
	.not_present = EVENT,
	.reserved = EVENT,
	.user = EVENT,
	.write = EVENT,
	.update = EVENT,
};

/* The root of the page table of that PASID. */
static bool walk_gcr3(struct walk *w, const uint64_t *dte, uint32_t pasid, uint64_t *root)
{
	static const char *const names[GCR3_LEVELS_MAX] = {"GCR3 entry", "GCR3 level 2 entry",
							   "GCR3 level 3 entry"};
	const unsigned levels = (unsigned)FIELD(dte[0], DTE_GLX) + 1;
	uint64_t table = FIELD(dte[0], DTE_GCR3_LO) << 12 | FIELD(dte[1], DTE_GCR3_MI) << 15 |
			 FIELD(dte[1], DTE_GCR3_HI) << 31;

	if (levels > GCR3_LEVELS_MAX)
		return walk_stop(w, WALK_STOP_CONTEXT, NULL, "its GLX is 3, which is reserved");
	if (levels * GCR3_LEVEL_BITS < PASID_BITS && pasid >> (levels * GCR3_LEVEL_BITS))
		return walk_stop(w, WALK_STOP_CONTEXT, EVENT,
				 "PASID %" PRIu32 " is past the GCR3 table: its GLX of %u makes "
				 "room for %u",
				 pasid, levels - 1, 1U << (levels * GCR3_LEVEL_BITS));
	for (unsigned level = levels; level-- > 0;) {
		const uint64_t index =
			(pasid >> (level * GCR3_LEVEL_BITS)) & BITS(GCR3_LEVEL_BITS - 1, 0);
		const struct walk_step *step = walk_read(w, names[level], table + index * 8, 1);

		if (!step)
			return false;
		if (!(step->words[0] & GCR3_VALID))
			return walk_stop(w, WALK_STOP_CONTEXT, EVENT,
					 "its bit 0 (V) is clear: there is no table for PASID "
					 "%" PRIu32,
					 pasid);
		table = step->words[0] & GCR3_ADDRESS;
	}
	*root = table;
	return true;
}

void walk_amd_guest(struct walk *w, const struct table *table)
{
	const uint64_t *dte = table->words;
	const uint64_t guest_levels = FIELD(dte[2], DTE_GUEST_LEVELS);
	const bool tagged = w->request->pasid != NO_PASID;
	struct x86_rules rules = {
		.levels = 4 + (unsigned)guest_levels,
		.large = BIT(1) | BIT(2),
		.memory_type = true,
		/* Linux counts on it: the table of PASID 0 decodes all its bits. */
		.sign_extended = tagged && w->request->pasid,
		.faults = &faults,
	};

	walk_given(w, "DTE", dte, TABLE_WORDS_MAX);
	if (!tagged && !(dte[0] & DTE_GIOV)) {
		walk_bypass(w);
		return;
	}
	if (guest_levels > 1) {
		walk_stop(w, WALK_STOP_CONTEXT, NULL,
			  "its guest paging mode is %" PRIu64 ", and there are 0 and 1",
			  guest_levels);
		return;
	}
	if (walk_gcr3(w, dte, tagged ? w->request->pasid : 0, &rules.root))
		walk_x86_radix(w, &rules);
}
