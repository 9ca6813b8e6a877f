/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that lives as long as one piece of work: handed out bit by bit, given back all at once. */
#pragma once

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks;
	char *next; /* free space in the newest block */
	size_t left;
};

/* Zeroed, aligned for any object; NULL: out of memory. Owned by the arena. */
void *arena_alloc(struct arena *arena, size_t size);
/* The same, not zeroed: for what is filled at once. */
void *arena_take(struct arena *arena, size_t size);
/* The same, zeroed, for `count` elements; NULL also when the product overflows. */
void *arena_alloc_array(struct arena *arena, size_t count, size_t size);
/* A copy with a NUL behind it. */
char *arena_copy(struct arena *arena, const char *text, size_t length);
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void arena_done(struct arena *arena);
#define _cleanup_arena_ __attribute__((cleanup(arena_done)))
