/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The 4-level and 5-level page table of x86-64 processors, which the IOMMUs of Intel and AMD and
 * the reference device walk each by rules of their own. Intel SDM volume 3, 4.5; VT-d 3.6 and 9.7;
 * AMD IOMMU 2.2.6.
 */
#pragma once

#include "walk/format.h"

/* What the hardware reports; NULL: nothing. */
struct x86_faults {
	const char *address, *not_present, *reserved;
	const char *user, *write;
	const char *update; /* a bit that it must set is where it can't write */
};

struct x86_rules {
	uint64_t root; /* guest-physical; bits that aren't part of it are ignored */
	unsigned levels;
	unsigned large; /* bit n: entries of level n (from 0, the PTE) may be pages */
	bool memory_type; /* bit 12 of a large page is one; else part of its address, and 0 */
	bool sign_extended; /* the bits above those translated repeat the highest; else are 0 */
	bool sets_bits; /* it sets A and D in the entries, and has to be able to */
	const struct x86_faults *faults;
};

void walk_x86_radix(struct walk *w, const struct x86_rules *rules);
