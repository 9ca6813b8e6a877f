/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest memory for walks: pages in which a word was put are there, all others are holes. */
#pragma once

#include "walk/walk.h"

#define BIT(n) (1ULL << (n))

int guest_set_up(void **state); /* CMocka fixture: empty */
void guest_put(uint64_t address, uint64_t word);
/* The IOMMU may read that page, but not set bits in it. */
void guest_protect(uint64_t page);

/* The walk of the last call, for what the assertions leave out. */
extern struct walk walked;

struct walk_case {
	const struct table *table;
	uint64_t iova;
	uint32_t pasid; /* 0: none */
	uint8_t access;
};

static inline struct walk_case at(const struct table *table, uint64_t iova)
{
	return (struct walk_case){.table = table, .iova = iova};
}

static inline struct walk_case at_pasid(const struct table *table, uint64_t iova, uint32_t pasid)
{
	return (struct walk_case){.table = table, .iova = iova, .pasid = pasid};
}

static inline struct walk_case at_access(const struct table *table, uint64_t iova, uint8_t access)
{
	return (struct walk_case){.table = table, .iova = iova, .access = access};
}

/* access: what the table allows. */
void assert_leads(struct walk_case what, uint64_t gpa, uint64_t page_size, uint8_t access);

/*
 * Stops with that kind, at that entry (NULL: at none), the reason holding `reason`, the fault
 * being `fault` (NULL: none).
 */
void assert_stops(struct walk_case what, enum walk_stop_kind kind, const char *entry,
		  uint64_t address, const char *reason, const char *fault);

/* The names of the entries on the way of the last walk, with commas between. */
void assert_way(const char *names);
