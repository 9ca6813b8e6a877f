// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define ALIGNMENT  sizeof(void *)
#define BLOCK_SIZE (256U << 10)

struct arena_block {
	struct arena_block *next;
	char bytes[];
};

static bool add_block(struct arena *arena, size_t size)
{
	struct arena_block *block;

	if (size > SIZE_MAX - sizeof(*block))
		return false;
	if (size < BLOCK_SIZE)
		size = BLOCK_SIZE;
	block = malloc(sizeof(*block) + size);
	if (!block)
		return false;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->next = block->bytes;
	arena->left = size;
	return true;
}

/* Not cleared, `alignment` a power of two up to ALIGNMENT. */
static void *take(struct arena *arena, size_t size, size_t alignment)
{
	size_t padding = -(uintptr_t)arena->next & (alignment - 1);
	void *piece;

	if (arena->left < padding || arena->left - padding < size) {
		if (!add_block(arena, size))
			return NULL;
		padding = 0;
	}
	piece = arena->next + padding;
	arena->next += padding + size;
	arena->left -= padding + size;
	return piece;
}

void *arena_take(struct arena *arena, size_t size)
{
	return take(arena, size, ALIGNMENT);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *piece = take(arena, size, ALIGNMENT);

	return piece ? memset(piece, 0, size) : NULL;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		return NULL;
	return arena_alloc(arena, total);
}

char *arena_copy(struct arena *arena, const char *text, size_t length)
{
	char *copy = take(arena, length + 1, 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;
	int length;

	va_start(args, fmt);
	length = vasprintf(&text, fmt, args);
	va_end(args);
	if (length < 0) {
		text = NULL;
		return NULL;
	}
	return arena_copy(arena, text, (size_t)length);
}

void arena_done(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
	arena->next = NULL;
	arena->left = 0;
}
