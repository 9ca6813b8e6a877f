/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a container should map. Containers of VFIO lose their mappings with their last group and
 * can't be asked for them, so the driver remembers: sorted by IOVA, in blocks, 25 bytes a mapping.
 * Adding, removing and finding take O(log n).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vfio_mapping {
	uint64_t iova, length; /* bytes */
	void *va; /* in this process */
	uint8_t access; /* enum mapping_access */
};

struct vfio_mappings {
	struct vfio_block **blocks;
	size_t n_blocks, room;
	size_t n; /* mappings */
};

void vfio_mappings_done(struct vfio_mappings *all);

/* 0; -EEXIST: overlaps one that is there; -EINVAL: no range; -ENOMEM. */
int vfio_mappings_add(struct vfio_mappings *all, const struct vfio_mapping *m);

/* 0; -ENOENT: no mapping is exactly that range. */
int vfio_mappings_remove(struct vfio_mappings *all, uint64_t iova, uint64_t length);

/* A place in the order; {0} is the first. */
struct vfio_cursor {
	size_t block, item;
};

/* The mapping there, and on to the next one; false: past the last. */
bool vfio_mappings_next(const struct vfio_mappings *all, struct vfio_cursor *at,
			struct vfio_mapping *out);

/* The place of the first mapping that ends at or behind `iova`. */
struct vfio_cursor vfio_mappings_find(const struct vfio_mappings *all, uint64_t iova);

bool vfio_mappings_overlap(const struct vfio_mappings *all, uint64_t first, uint64_t last);
