// SPDX-License-Identifier: GPL-2.0-or-later
/* The interval tree, against a plain array of the same intervals. */
#include "support_refdev.h"

#include <stdbool.h>

#include "base/itree.h"

#define COUNT 600

static uint64_t seed = 88172645463325252ULL;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static bool overlaps(const struct itree_node *n, uint64_t first, uint64_t last)
{
	return n->first <= last && n->last >= first;
}

/* Every query finds exactly the members that overlap, in order. */
static void compare(const struct itree *tree, const struct itree_node *nodes, const bool *in,
		    uint64_t first, uint64_t last)
{
	size_t expected = 0, found = 0;
	const struct itree_node *before = NULL;

	for (size_t i = 0; i < COUNT; i++)
		expected += in[i] && overlaps(&nodes[i], first, last);
	for (struct itree_node *n = itree_first(tree, first, last); n;
	     n = itree_next(tree, n, first, last)) {
		assert_true(in[n - nodes]);
		assert_true(overlaps(n, first, last));
		if (before)
			assert_true(before->first <= n->first);
		before = n;
		found++;
	}
	assert_int_equal(found, expected);
}

/* AVL: no path is longer than 1.44 log2(n + 2). Also that the heights and ends are true. */
static int check_node(const struct itree_node *n, uint64_t *highest)
{
	uint64_t high[2] = {0, 0};
	int height[2];

	if (!n)
		return 0;
	for (int i = 0; i < 2; i++)
		height[i] = check_node(n->child[i], &high[i]);
	assert_in_range(height[0] - height[1] + 1, 0, 2);
	*highest = n->last;
	for (int i = 0; i < 2; i++)
		if (n->child[i] && high[i] > *highest)
			*highest = high[i];
	assert_true(n->highest == *highest);
	assert_int_equal(n->height, 1 + (height[0] > height[1] ? height[0] : height[1]));
	return n->height;
}

static void test_random(void **state)
{
	static struct itree_node nodes[COUNT];
	static bool in[COUNT];
	struct itree tree = {0};
	uint64_t highest;

	(void)state;
	for (int round = 0; round < 4000; round++) {
		size_t i = next_random() % COUNT;

		if (in[i]) {
			itree_remove(&tree, &nodes[i]);
		} else {
			nodes[i].first = next_random() % 1000;
			nodes[i].last = nodes[i].first + next_random() % 40;
			itree_insert(&tree, &nodes[i]);
		}
		in[i] = !in[i];
		if (round % 20 == 0) {
			uint64_t first = next_random() % 1000;

			compare(&tree, nodes, in, first, first + next_random() % 60);
			compare(&tree, nodes, in, 0, UINT64_MAX);
			check_node(tree.root, &highest);
		}
	}
	for (size_t i = 0; i < COUNT; i++)
		if (in[i])
			itree_remove(&tree, &nodes[i]);
	assert_null(tree.root);
}

static void test_edges(void **state)
{
	struct itree_node all = {.first = 0, .last = UINT64_MAX};
	struct itree_node end = {.first = UINT64_MAX, .last = UINT64_MAX};
	struct itree_node twin = end;
	struct itree tree = {0};

	(void)state;
	assert_null(itree_first(&tree, 0, UINT64_MAX));
	itree_insert(&tree, &end);
	assert_null(itree_first(&tree, 0, UINT64_MAX - 1));
	assert_ptr_equal(itree_first(&tree, UINT64_MAX, UINT64_MAX), &end);
	itree_insert(&tree, &all);
	itree_insert(&tree, &twin);
	assert_ptr_equal(itree_first(&tree, 5, 5), &all);
	assert_null(itree_next(&tree, &all, 5, 5));
	assert_non_null(itree_next(&tree, &all, 5, UINT64_MAX));
	itree_remove(&tree, &end);
	assert_ptr_equal(itree_next(&tree, &all, 0, UINT64_MAX), &twin);
}

/* Inserted in order, as configs do, it stays flat. */
static void test_sorted_stays_flat(void **state)
{
	const size_t n = 100000;
	struct itree_node *nodes = calloc(n, sizeof(*nodes));
	struct itree tree = {0};

	(void)state;
	assert_non_null(nodes);
	for (size_t i = 0; i < n; i++) {
		nodes[i].first = i * 4096;
		nodes[i].last = i * 4096 + 4095;
		itree_insert(&tree, &nodes[i]);
	}
	assert_in_range(tree.root->height, 17, 24);
	assert_ptr_equal(itree_first(&tree, 77777 * 4096 + 5, UINT64_MAX), &nodes[77777]);
	for (size_t i = 0; i < n; i++)
		itree_remove(&tree, &nodes[i]);
	assert_null(tree.root);
	free(nodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_sorted_stays_flat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
