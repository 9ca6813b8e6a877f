/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding objects by name in n log n: the arrays of a topology are in the order of the file. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct name_index;

/*
 * Indexes `count` objects of `size` bytes at `array`, each with its name (char *) at `offset`. The
 * names are borrowed. NULL: out of memory.
 */
struct name_index *name_index_new(const void *array, size_t count, size_t size, size_t offset);
void name_index_free(struct name_index *index);
void name_index_freep(struct name_index **index);

/* Position of the name; `hint` is tried first. NO_INDEX: not there. */
uint32_t name_index_find(const struct name_index *index, const char *name, size_t hint);
