// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/name_index.h"

#include <stdlib.h>
#include <string.h>

#include "model/topology.h"

struct entry {
	const char *name;
	uint32_t position;
};

struct name_index {
	const char *array;
	size_t count, size, offset;
	struct entry *sorted;
};

static const char *name_at(const struct name_index *index, size_t i)
{
	return *(char *const *)(index->array + i * index->size + index->offset);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

struct name_index *name_index_new(const void *array, size_t count, size_t size, size_t offset)
{
	struct name_index *index = calloc(1, sizeof(*index));

	if (!index)
		return NULL;
	*index = (struct name_index){array, count, size, offset, NULL};
	index->sorted = calloc(count ? count : 1, sizeof(*index->sorted));
	if (!index->sorted) {
		free(index);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		index->sorted[i] = (struct entry){name_at(index, i), (uint32_t)i};
	qsort(index->sorted, count, sizeof(*index->sorted), compare);
	return index;
}

void name_index_free(struct name_index *index)
{
	if (index)
		free(index->sorted);
	free(index);
}

void name_index_freep(struct name_index **index)
{
	name_index_free(*index);
}

uint32_t name_index_find(const struct name_index *index, const char *name, size_t hint)
{
	const struct entry key = {name, 0}, *found;

	if (hint < index->count && !strcmp(name_at(index, hint), name))
		return (uint32_t)hint;
	found = bsearch(&key, index->sorted, index->count, sizeof(key), compare);
	return found ? found->position : NO_INDEX;
}
