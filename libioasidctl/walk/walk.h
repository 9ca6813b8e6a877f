/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the hardware does with one address: the walk through a guest's own table, entry by entry,
 * up to a guest-physical address, or to the point where it stops. Knows the model and a callback
 * that reads guest-physical memory, nothing else; changes nothing; allocates nothing. The number
 * of reads is bounded by the format, whatever the table holds.
 *
 * DMA is taken as a device does it by default: data, not instructions; unprivileged.
 */
#pragma once

#include "model/topology.h"

/* The most that a format has: a DTE, three levels of GCR3 table, five of page table. */
#define WALK_STEPS_MAX	10
#define WALK_WORDS_MAX	8
#define WALK_REASON_MAX 256
#define WALK_FAULT_MAX	96

/* Something the hardware looks at on its way. */
struct walk_step {
	const char *entry; /* "PML4E", "CD", "level 1 descriptor" */
	bool in_memory; /* else it came with the config, as an STE or DTE does */
	uint64_t address; /* guest-physical */
	uint64_t words[WALK_WORDS_MAX]; /* as they lie in memory, little-endian */
	unsigned n_words; /* 0: it couldn't be read */
	bool writable; /* the hardware may write there, to set the bits that it sets */
	uint32_t memory; /* where the entry lies; NO_INDEX: not known */
	uint64_t offset;
};

#define WALK_STOPS(X)                                                             \
	X(BLOCKED, "blocked") /* the device is in no IOASID */                    \
	X(NO_TABLE, "no-table") /* the format has none to walk */                 \
	X(CONTEXT, "context") /* what leads to the table: STE, CD, DTE, PASID */  \
	X(ADDRESS, "address") /* outside what the table, or an entry, can mean */ \
	X(NOT_PRESENT, "not-present") /* an entry that translates nothing */      \
	X(RESERVED, "reserved") /* an entry with bits that must be zero */        \
	X(ACCESS, "access") /* translated, but the access isn't allowed */        \
	X(NOT_MAPPED, "not-mapped") /* the gpa IOASID has no mapping there */     \
	X(UNREADABLE, "unreadable") /* mapped, but the memory can't be read here */

enum walk_stop_kind {
#define X(id, name) WALK_STOP_##id,
	WALK_STOPS(X)
#undef X
};

/* Terminated by NULL. */
extern const char *const walk_stop_names[];

#define WALK_NO_STEP UINT32_MAX

struct walk_stop {
	enum walk_stop_kind kind;
	uint32_t step; /* the entry that is at fault; WALK_NO_STEP: none */
	char reason[WALK_REASON_MAX];
	char fault[WALK_FAULT_MAX]; /* what the hardware reports; "": nothing, or not known */
};

/* Guest-physical memory as the IOMMU reaches it, through the parent. */
struct walk_memory {
	/*
	 * Reads step->n_words words at step->address, and fills in where they lie. false: `stop`
	 * says why not.
	 */
	bool (*read)(void *data, struct walk_step *step, struct walk_stop *stop);
	void *data;
};

struct walk_request {
	uint64_t iova;
	uint32_t pasid; /* NO_PASID: the DMA has none */
	uint8_t access; /* enum mapping_access: what must be allowed; 0: any of it */
};

/* Who took a right away. */
struct walk_denial {
	bool denied;
	uint32_t step;
	const char *reason, *fault;
};

struct walk {
	const struct walk_request *request;
	const struct walk_memory *memory;
	struct walk_step steps[WALK_STEPS_MAX];
	uint32_t n_steps;
	uint64_t gpa; /* unless stopped */
	uint64_t page_size; /* bytes around it that translate alike; 0: no table was in the way */
	uint8_t access; /* enum mapping_access: what the table allows */
	struct walk_denial denials[2]; /* of reading and of writing */
	const char *aftermath; /* appended to the fault of a translation; NULL: nothing */
	bool stopped;
	struct walk_stop stop;
};

/* Walks `table`. What the arguments point to must outlive *out. */
void walk_table(const struct table *table, const struct walk_request *request,
		const struct walk_memory *memory, struct walk *out);
