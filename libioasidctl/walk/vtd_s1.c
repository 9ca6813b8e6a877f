// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The first-stage table of Intel VT-d in scalable mode, nested on a second stage: VT-d
 * specification 3.6 (first-stage translation), 3.8 (nested), 9.7 (entries). A request without
 * PASID is treated as one of user privilege; whoever sets SRE doesn't change that. The numbers
 * are the fault reasons that Linux prints (7.1.3).
 */
#include "walk/x86_radix.h"

#define WIDTH_4_LEVELS 48
#define WIDTH_5_LEVELS 57

static const struct x86_faults faults = {
	.address = "DMAR fault reason 0x80",
	.not_present = "DMAR fault reason 0x71",
	.reserved = "DMAR fault reason 0x72",
	.user = "DMAR fault reason 0x81",
	.write = "DMAR fault reason 0x85",
	.update = "DMAR fault reason 0x77",
};

void walk_vtd_s1(struct walk *w, const struct table *table)
{
	const unsigned width = table->address_width ? table->address_width : WIDTH_4_LEVELS;
	const struct x86_rules rules = {
		.root = table->address,
		.levels = width == WIDTH_5_LEVELS ? 5 : 4,
		.large = BIT(1) | BIT(2), /* 2M; 1G where the hardware has FS1GP */
		.memory_type = true,
		.sign_extended = true,
		.sets_bits = true,
		.faults = &faults,
	};

	if (width != WIDTH_4_LEVELS && width != WIDTH_5_LEVELS) {
		walk_stop(w, WALK_STOP_CONTEXT, NULL,
			  "address_width is %u, and VT-d has tables for 48 and for 57", width);
		return;
	}
	walk_x86_radix(w, &rules);
}
