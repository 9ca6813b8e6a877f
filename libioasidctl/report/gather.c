// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report/gather.h"

#include <stddef.h>
#include <stdlib.h>

struct gather_block {
	struct gather_block *next;
	max_align_t data[];
};

void *gather_array(struct gather *g, size_t n, size_t size)
{
	struct gather_block *block;
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) ||
	    __builtin_add_overflow(bytes, sizeof(*block) + 1, &bytes)) {
		g->failed = true;
		return NULL;
	}
	block = calloc(1, bytes);
	if (!block) {
		g->failed = true;
		return NULL;
	}
	block->next = g->blocks;
	g->blocks = block;
	return block->data;
}

void gather_done(struct gather *g)
{
	while (g->blocks) {
		struct gather_block *next = g->blocks->next;

		free(g->blocks);
		g->blocks = next;
	}
}
