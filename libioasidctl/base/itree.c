// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/itree.h"

#include <stdbool.h>
#include <stddef.h>

enum { LEFT, RIGHT };

/* Total order: by first, then last; equal intervals by where they lie. */
static bool before(const struct itree_node *a, const struct itree_node *b)
{
	if (a->first != b->first)
		return a->first < b->first;
	if (a->last != b->last)
		return a->last < b->last;
	return (uintptr_t)a < (uintptr_t)b;
}

static int height(const struct itree_node *node)
{
	return node ? node->height : 0;
}

static void refresh(struct itree_node *node)
{
	uint64_t highest = node->last;
	int left = height(node->child[LEFT]), right = height(node->child[RIGHT]);

	for (int side = LEFT; side <= RIGHT; side++)
		if (node->child[side] && node->child[side]->highest > highest)
			highest = node->child[side]->highest;
	node->highest = highest;
	node->height = (uint8_t)(1 + (left > right ? left : right));
}

/* The child on `side` becomes the root of this subtree. */
static struct itree_node *lift(struct itree_node *node, int side)
{
	struct itree_node *up = node->child[side];

	node->child[side] = up->child[!side];
	up->child[!side] = node;
	refresh(node);
	refresh(up);
	return up;
}

static struct itree_node *balance(struct itree_node *node)
{
	int lean = height(node->child[RIGHT]) - height(node->child[LEFT]);
	int side = lean > 0 ? RIGHT : LEFT;
	struct itree_node *heavy;

	refresh(node);
	if (lean >= -1 && lean <= 1)
		return node;
	heavy = node->child[side];
	if (height(heavy->child[!side]) > height(heavy->child[side]))
		node->child[side] = lift(heavy, !side);
	return lift(node, side);
}

static struct itree_node *insert(struct itree_node *root, struct itree_node *node)
{
	int side;

	if (!root)
		return node;
	side = before(node, root) ? LEFT : RIGHT;
	root->child[side] = insert(root->child[side], node);
	return balance(root);
}

void itree_insert(struct itree *tree, struct itree_node *node)
{
	node->child[LEFT] = node->child[RIGHT] = NULL;
	refresh(node);
	tree->root = insert(tree->root, node);
}

static struct itree_node *take_lowest(struct itree_node *root, struct itree_node **lowest)
{
	if (!root->child[LEFT]) {
		*lowest = root;
		return root->child[RIGHT];
	}
	root->child[LEFT] = take_lowest(root->child[LEFT], lowest);
	return balance(root);
}

static struct itree_node *remove_node(struct itree_node *root, struct itree_node *node)
{
	if (root == node) {
		struct itree_node *heir, *right;

		if (!node->child[LEFT] || !node->child[RIGHT])
			return node->child[node->child[LEFT] ? LEFT : RIGHT];
		right = take_lowest(node->child[RIGHT], &heir);
		heir->child[LEFT] = node->child[LEFT];
		heir->child[RIGHT] = right;
		return balance(heir);
	}
	if (before(node, root))
		root->child[LEFT] = remove_node(root->child[LEFT], node);
	else
		root->child[RIGHT] = remove_node(root->child[RIGHT], node);
	return balance(root);
}

void itree_remove(struct itree *tree, struct itree_node *node)
{
	tree->root = remove_node(tree->root, node);
}

/* The lowest overlap in this subtree that comes after `after` (NULL: any). */
static struct itree_node *search(struct itree_node *root, const struct itree_node *after,
				 uint64_t first, uint64_t last)
{
	struct itree_node *found;

	if (!root || root->highest < first)
		return NULL;
	if (!after || before(after, root)) {
		found = search(root->child[LEFT], after, first, last);
		if (found)
			return found;
		if (root->first > last)
			return NULL;
		if (root->last >= first)
			return root;
	}
	return search(root->child[RIGHT], after, first, last);
}

struct itree_node *itree_first(const struct itree *tree, uint64_t first, uint64_t last)
{
	return search(tree->root, NULL, first, last);
}

struct itree_node *itree_next(const struct itree *tree, const struct itree_node *node,
			      uint64_t first, uint64_t last)
{
	return search(tree->root, node, first, last);
}
