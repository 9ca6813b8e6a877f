/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A radix page table as IOMMUs have it: nodes of 512 entries of 8 bytes, a level for each 9 bits
 * of address above the smallest page, an entry of a higher level being a large page where the
 * format has that size.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "refdev/machine.h"

#define TABLE_NODE_BYTES 4096

struct table;

/* NULL: no memory. `small`: entries of the smallest page size only. */
struct table *table_new(const struct machine_iommu *iommu, bool small);
void table_free(struct table *table); /* NULL is fine */

/* Whether the IOMMU can walk this table: same format, same width, same page sizes. */
bool table_fits(const struct table *table, const struct machine_iommu *iommu);

/*
 * Enters [iova, iova + size) -> vaddr, all multiples of the smallest page, free until now and
 * within the width. `flags` are IOASID_MAP_*. 0, or -ENOMEM with nothing entered.
 */
int table_map(struct table *table, uint64_t iova, uint64_t vaddr, uint64_t size, uint32_t flags);

/* Removes the entries of a range whose ends don't cut a page of the table. */
void table_unmap(struct table *table, uint64_t iova, uint64_t size);

/*
 * Walks as the hardware does: the address behind iova, its IOASID_MAP_* flags and in *left the
 * bytes from there to the end of the page. False: no entry.
 */
bool table_walk(const struct table *table, uint64_t iova, uint64_t *vaddr, uint32_t *flags,
		uint64_t *left);

/* What the nodes take. */
uint64_t table_bytes(const struct table *table);
