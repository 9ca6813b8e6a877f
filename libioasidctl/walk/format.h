/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the walkers of the formats are made with; internal to walk/. */
#pragma once

#include "walk/walk.h"

#define BIT(n) (1ULL << (n))
/* Bits [high:low], and their value in a word; "high, low" may be one macro. */
#define BITS(high, low)		((~0ULL >> (63 - (high))) & (~0ULL << (low)))
#define FIELD(word, ...)	FIELD_(word, __VA_ARGS__)
#define FIELD_(word, high, low) (((word)&BITS(high, low)) >> (low))

void walk_begin(struct walk *w, const struct walk_request *request,
		const struct walk_memory *memory);

/*
 * Reads an entry of that many words and records it. NULL: it can't be read, and the walk has
 * stopped. The step stays where it is for the rest of the walk.
 */
const struct walk_step *walk_read(struct walk *w, const char *entry, uint64_t address,
				  unsigned n_words);

/* Records an entry that came with the config. */
void walk_given(struct walk *w, const char *entry, const uint64_t *words, unsigned n_words);

/*
 * Ends the walk at the entry read last. `fault`: what the hardware reports, NULL: nothing. Returns
 * false: what was looked for isn't there.
 */
bool walk_stop(struct walk *w, enum walk_stop_kind kind, const char *fault, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * The entry read last takes rights away. No stop yet: hardware tells a missing right only once it
 * knows that there is a translation.
 */
void walk_deny(struct walk *w, uint8_t access, const char *fault, const char *reason);

/* Ends the walk at a translation: stops after all if a right that is asked for is missing. */
void walk_finish(struct walk *w, uint64_t gpa, uint64_t page_size);

/* No table in the way: the address is a guest-physical one already. */
void walk_bypass(struct walk *w);

void walk_vtd_s1(struct walk *w, const struct table *table);
void walk_arm_smmuv3(struct walk *w, const struct table *table);
void walk_amd_guest(struct walk *w, const struct table *table);
void walk_x86_64(struct walk *w, const struct table *table);
