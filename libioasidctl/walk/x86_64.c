// SPDX-License-Identifier: LGPL-2.1-or-later
/* The guest table that the reference device walks: four levels of x86-64, pages of 4K. */
#include "walk/x86_radix.h"

static const struct x86_faults faults = {0};

void walk_x86_64(struct walk *w, const struct table *table)
{
	const struct x86_rules rules = {
		.root = table->address,
		.levels = 4,
		.large = 0,
		.faults = &faults,
	};

	walk_x86_radix(w, &rules);
}
