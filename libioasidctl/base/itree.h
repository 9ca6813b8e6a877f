/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An intrusive interval tree: an AVL tree by first address, each node knowing the highest last
 * address below it. Intervals are inclusive and may overlap. Insert, remove and each search step
 * are O(log n). The caller owns the nodes; nothing is allocated here.
 */
#pragma once

#include <stdint.h>

struct itree_node {
	uint64_t first, last; /* set before inserting, constant while in a tree */
	/* private */
	uint64_t highest; /* last address of any interval in this subtree */
	struct itree_node *child[2];
	uint8_t height;
};

struct itree {
	struct itree_node *root; /* NULL: empty */
};

void itree_insert(struct itree *tree, struct itree_node *node);
/* The node must be in the tree. */
void itree_remove(struct itree *tree, struct itree_node *node);

/* The overlap of [first, last] that begins lowest; NULL: none. */
struct itree_node *itree_first(const struct itree *tree, uint64_t first, uint64_t last);
/* The one that follows `node` in order; NULL: none. */
struct itree_node *itree_next(const struct itree *tree, const struct itree_node *node,
			      uint64_t first, uint64_t last);
