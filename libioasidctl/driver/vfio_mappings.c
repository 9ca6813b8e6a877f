// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/vfio_mappings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

/* Few enough that moving them about costs less than a call of the kernel. */
#define BLOCK_ITEMS 256

/* Columns instead of rows: no byte is lost to alignment. None is empty. */
struct vfio_block {
	uint16_t n;
	uint8_t access[BLOCK_ITEMS];
	uint64_t iova[BLOCK_ITEMS];
	uint64_t length[BLOCK_ITEMS];
	void *va[BLOCK_ITEMS];
};

void vfio_mappings_done(struct vfio_mappings *all)
{
	for (size_t i = 0; i < all->n_blocks; i++)
		free(all->blocks[i]);
	free(all->blocks);
	*all = (struct vfio_mappings){0};
}

static uint64_t last_of(const struct vfio_block *b, size_t i)
{
	return range_last(b->iova[i], b->length[i]);
}

static void move(struct vfio_block *to, size_t at, struct vfio_block *from, size_t i, size_t n)
{
	memmove(&to->access[at], &from->access[i], n * sizeof(to->access[0]));
	memmove(&to->iova[at], &from->iova[i], n * sizeof(to->iova[0]));
	memmove(&to->length[at], &from->length[i], n * sizeof(to->length[0]));
	memmove(&to->va[at], &from->va[i], n * sizeof(to->va[0]));
}

struct vfio_cursor vfio_mappings_find(const struct vfio_mappings *all, uint64_t iova)
{
	struct vfio_cursor at = {0};
	size_t end = all->n_blocks;

	while (at.block < end) {
		size_t middle = at.block + (end - at.block) / 2;
		const struct vfio_block *b = all->blocks[middle];

		if (last_of(b, b->n - 1U) < iova)
			at.block = middle + 1;
		else
			end = middle;
	}
	end = at.block < all->n_blocks ? all->blocks[at.block]->n : 0;
	while (at.item < end) {
		size_t middle = at.item + (end - at.item) / 2;

		if (last_of(all->blocks[at.block], middle) < iova)
			at.item = middle + 1;
		else
			end = middle;
	}
	return at;
}

static struct vfio_block *insert_block(struct vfio_mappings *all, size_t at)
{
	struct vfio_block *b;

	if (all->n_blocks == all->room) {
		size_t room = all->room ? 2 * all->room : 4;
		struct vfio_block **grown = reallocarray(all->blocks, room, sizeof(*grown));

		if (!grown)
			return NULL;
		all->blocks = grown;
		all->room = room;
	}
	b = malloc(sizeof(*b));
	if (!b)
		return NULL;
	b->n = 0;
	memmove(&all->blocks[at + 1], &all->blocks[at], (all->n_blocks - at) * sizeof(b));
	all->blocks[at] = b;
	all->n_blocks++;
	return b;
}

/* Room in a full block: its upper half moves to a new one behind it. */
static int split(struct vfio_mappings *all, struct vfio_cursor *at)
{
	struct vfio_block *full = all->blocks[at->block], *b = insert_block(all, at->block + 1);

	if (!b)
		return -ENOMEM;
	b->n = BLOCK_ITEMS / 2;
	full->n = BLOCK_ITEMS - BLOCK_ITEMS / 2;
	move(b, 0, full, full->n, b->n);
	if (at->item > full->n)
		*at = (struct vfio_cursor){at->block + 1, at->item - full->n};
	return 0;
}

/* Mappings mostly come in order, so the end of a full block begins a new one and none is split. */
static int make_room(struct vfio_mappings *all, struct vfio_cursor *at)
{
	if (at->block && !at->item) {
		/* Behind the last one of the block before is the same place. */
		at->block--;
		at->item = all->blocks[at->block]->n;
	}
	if (at->block < all->n_blocks && all->blocks[at->block]->n < BLOCK_ITEMS)
		return 0;
	if (at->block < all->n_blocks && at->item < BLOCK_ITEMS)
		return split(all, at);
	if (at->block < all->n_blocks)
		*at = (struct vfio_cursor){at->block + 1, 0};
	return insert_block(all, at->block) ? 0 : -ENOMEM;
}

int vfio_mappings_add(struct vfio_mappings *all, const struct vfio_mapping *m)
{
	struct vfio_cursor at, next;
	struct vfio_mapping there;
	struct vfio_block *b;

	if (!range_valid(m->iova, m->length))
		return -EINVAL;
	next = at = vfio_mappings_find(all, m->iova);
	if (vfio_mappings_next(all, &next, &there) && there.iova <= range_last(m->iova, m->length))
		return -EEXIST;
	if (make_room(all, &at))
		return -ENOMEM;
	b = all->blocks[at.block];
	move(b, at.item + 1, b, at.item, b->n - at.item);
	b->access[at.item] = m->access;
	b->iova[at.item] = m->iova;
	b->length[at.item] = m->length;
	b->va[at.item] = m->va;
	b->n++;
	all->n++;
	return 0;
}

static void remove_block(struct vfio_mappings *all, size_t at)
{
	free(all->blocks[at]);
	all->n_blocks--;
	memmove(&all->blocks[at], &all->blocks[at + 1],
		(all->n_blocks - at) * sizeof(all->blocks[0]));
}

/* Two neighbours that have become nearly empty join, and still have room. */
static bool join(struct vfio_mappings *all, size_t at)
{
	struct vfio_block *b = all->blocks[at], *next;

	if (at + 1 == all->n_blocks)
		return false;
	next = all->blocks[at + 1];
	if (b->n + next->n > BLOCK_ITEMS / 2)
		return false;
	move(b, b->n, next, 0, next->n);
	b->n += next->n;
	remove_block(all, at + 1);
	return true;
}

int vfio_mappings_remove(struct vfio_mappings *all, uint64_t iova, uint64_t length)
{
	struct vfio_cursor at = vfio_mappings_find(all, iova);
	struct vfio_block *b = at.block < all->n_blocks ? all->blocks[at.block] : NULL;

	if (!b || b->iova[at.item] != iova || b->length[at.item] != length)
		return -ENOENT;
	b->n--;
	all->n--;
	move(b, at.item, b, at.item + 1, b->n - at.item);
	if (!b->n)
		remove_block(all, at.block);
	else if (!join(all, at.block) && at.block)
		join(all, at.block - 1);
	return 0;
}

bool vfio_mappings_next(const struct vfio_mappings *all, struct vfio_cursor *at,
			struct vfio_mapping *out)
{
	const struct vfio_block *b;

	if (at->block >= all->n_blocks)
		return false;
	b = all->blocks[at->block];
	*out = (struct vfio_mapping){.iova = b->iova[at->item],
				     .length = b->length[at->item],
				     .va = b->va[at->item],
				     .access = b->access[at->item]};
	if (++at->item == b->n)
		*at = (struct vfio_cursor){at->block + 1, 0};
	return true;
}

bool vfio_mappings_overlap(const struct vfio_mappings *all, uint64_t first, uint64_t last)
{
	struct vfio_cursor at = vfio_mappings_find(all, first);
	struct vfio_mapping m;

	return vfio_mappings_next(all, &at, &m) && m.iova <= last;
}
