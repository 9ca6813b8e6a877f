// SPDX-License-Identifier: LGPL-2.1-or-later
/* The guest table of the reference device: uapi/ioasid.h, IOASID_TABLE_X86_64. */
#include "walk/x86_radix.h"

#define WIDTH_5_LEVELS 57

static const struct x86_faults faults = {
	.address = "IOASID_FAULT_WIDTH",
	.not_present = "IOASID_FAULT_NOT_MAPPED",
	.reserved = "IOASID_FAULT_ENTRY",
	.write = "IOASID_FAULT_NO_WRITE",
};

void walk_x86_64(struct walk *w, const struct table *table)
{
	const struct x86_rules rules = {
		.root = table->address,
		.levels = table->address_width == WIDTH_5_LEVELS ? 5 : 4,
		.large = BIT(1) | BIT(2),
		.sign_extended = true,
		.faults = &faults,
	};

	walk_x86_radix(w, &rules);
}
