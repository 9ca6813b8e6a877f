/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text -> object, found in logarithmic time whatever a hostile file chooses as names. */
#pragma once

#include <stdint.h>

#include "base/arena.h"

struct named {
	const char *text; /* borrowed */
	const void *object;
	uint32_t kind; /* of the caller's own meaning */
	uint32_t index;
	struct named *next; /* the one added before */
};

struct names {
	struct arena *arena;
	void *tree;
	struct named *newest;
	struct named *last; /* found: a list of mappings names one memory again and again */
};

/*
 * The entry of that text, made when there was none (its `object` is NULL then: the caller fills
 * it). NULL: out of memory.
 */
struct named *names_add(struct names *names, const char *text);
/* NULL: none. */
struct named *names_find(struct names *names, const char *text);
void names_done(struct names *names);

/* How many edits (insert, delete, change, swap of neighbours) make one of the other. */
unsigned edit_distance(const char *a, const char *b);
/*
 * The word that somebody who wrote `text` probably meant, or NULL. Feed candidates one by one:
 * returns the better of `best` and `candidate`.
 */
const char *better_guess(const char *text, const char *best, const char *candidate);
