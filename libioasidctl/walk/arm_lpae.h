/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The page table of 64-bit Arm processors (VMSAv8-64, Arm ARM D8) as an SMMUv3 walks it in stage 1:
 * granules of 4K, 16K and 64K.
 */
#pragma once

#include "walk/format.h"

/* Events of the SMMU that translations end with, by name and number: SMMUv3 7.3.13 to 7.3.16. */
#define F_TRANSLATION "F_TRANSLATION (0x10)"
#define F_ADDR_SIZE   "F_ADDR_SIZE (0x11)"
#define F_ACCESS      "F_ACCESS (0x12)"
#define F_PERMISSION  "F_PERMISSION (0x13)"

/* What a context descriptor says of one table. */
struct lpae_rules {
	uint64_t root;
	unsigned granule; /* log2: 12, 14, 16 */
	unsigned input_bits; /* that the table translates, above the granule */
	unsigned output_bits; /* that addresses out of it may have, up to 52 */
	bool no_hierarchy; /* rights in table descriptors don't count (HAD) */
	bool big_endian;
	bool sets_access; /* the hardware sets AF (HA) */
	bool sets_dirty; /* and makes writable what has DBM (HD) */
	bool access_optional; /* AF doesn't matter (AFFD) */
};

void walk_arm_lpae(struct walk *w, const struct lpae_rules *rules);
