// SPDX-License-Identifier: GPL-2.0-or-later
/* The vfio driver's record of mappings, against a bare sorted array. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/number.h"
#include "driver/vfio_mappings.h"

#define PAGE 0x1000UL
#define MANY 3000

static int add(struct vfio_mappings *all, uint64_t iova, uint64_t length)
{
	const struct vfio_mapping m = {iova, length, (void *)(uintptr_t)(iova + 1), 3};

	return vfio_mappings_add(all, &m);
}

/* Exactly these, in order, with all that belongs to each. */
static void assert_mappings(const struct vfio_mappings *all, const uint64_t (*wanted)[2], size_t n)
{
	struct vfio_cursor at = {0};
	struct vfio_mapping m;

	assert_int_equal(all->n, n);
	for (size_t i = 0; i < n; i++) {
		assert_true(vfio_mappings_next(all, &at, &m));
		assert_int_equal(m.iova, wanted[i][0]);
		assert_int_equal(m.length, wanted[i][1]);
		assert_ptr_equal(m.va, (void *)(uintptr_t)(m.iova + 1));
		assert_int_equal(m.access, 3);
	}
	assert_false(vfio_mappings_next(all, &at, &m));
}

static void test_empty(void **state)
{
	struct vfio_mappings all = {0};

	(void)state;
	assert_mappings(&all, NULL, 0);
	assert_int_equal(vfio_mappings_remove(&all, 0, PAGE), -ENOENT);
	assert_false(vfio_mappings_overlap(&all, 0, UINT64_MAX));
	vfio_mappings_done(&all);
}

static void test_overlaps_are_refused(void **state)
{
	static const uint64_t left[][2] = {{0x1000, 0x2000}, {0x8000, 0x1000}, {~0xfffUL, 0x1000}};
	struct vfio_mappings all = {0};

	(void)state;
	assert_int_equal(add(&all, 0x8000, 0x1000), 0);
	assert_int_equal(add(&all, 0x1000, 0x2000), 0);
	assert_int_equal(add(&all, ~0xfffUL, 0x1000), 0);
	assert_int_equal(add(&all, 0x2000, 0x1000), -EEXIST);
	assert_int_equal(add(&all, 0, 0x1001), -EEXIST);
	assert_int_equal(add(&all, 0, 0x100000), -EEXIST);
	assert_int_equal(add(&all, 0x2fff, 1), -EEXIST);
	assert_int_equal(add(&all, UINT64_MAX, 1), -EEXIST);
	assert_int_equal(add(&all, 0x5000, 0), -EINVAL);
	assert_int_equal(add(&all, UINT64_MAX, 2), -EINVAL);
	assert_int_equal(vfio_mappings_remove(&all, 0x1000, 0x1000), -ENOENT);
	assert_int_equal(vfio_mappings_remove(&all, 0x2000, 0x1000), -ENOENT);
	assert_mappings(&all, left, 3);
	assert_true(vfio_mappings_overlap(&all, 0x2fff, 0x2fff));
	assert_false(vfio_mappings_overlap(&all, 0x3000, 0x7fff));
	assert_true(vfio_mappings_overlap(&all, 0x3000, 0x8000));
	vfio_mappings_done(&all);
}

/* A model: whether each of MANY pages is mapped. */
static void assert_model(const struct vfio_mappings *all, const bool *mapped)
{
	static uint64_t wanted[MANY][2];
	size_t n = 0;

	for (size_t i = 0; i < MANY; i++)
		if (mapped[i]) {
			wanted[n][0] = i * PAGE;
			wanted[n++][1] = PAGE;
		}
	assert_mappings(all, wanted, n);
}

static void toggle(struct vfio_mappings *all, bool *mapped, size_t i)
{
	if (mapped[i]) {
		assert_int_equal(add(all, i * PAGE, PAGE), -EEXIST);
		assert_int_equal(vfio_mappings_remove(all, i * PAGE, PAGE), 0);
	} else {
		assert_int_equal(vfio_mappings_remove(all, i * PAGE, PAGE), -ENOENT);
		assert_int_equal(add(all, i * PAGE, PAGE), 0);
	}
	mapped[i] = !mapped[i];
}

static size_t forwards(size_t i)
{
	return i;
}

static size_t backwards(size_t i)
{
	return MANY - 1 - i;
}

/* Every second one, then those between. */
static size_t interleaved(size_t i)
{
	return 2 * i < MANY ? 2 * i : 2 * (i - MANY / 2) + 1;
}

static void test_in_every_order(void **state)
{
	static size_t (*const orders[])(size_t) = {forwards, backwards, interleaved};
	static bool mapped[MANY];

	(void)state;
	for (size_t a = 0; a < 3; a++)
		for (size_t b = 0; b < 3; b++) {
			struct vfio_mappings all = {0};

			for (size_t i = 0; i < MANY; i++)
				toggle(&all, mapped, orders[a](i));
			assert_model(&all, mapped);
			for (size_t i = 0; i < MANY; i++) {
				toggle(&all, mapped, orders[b](i));
				if (i == MANY / 3)
					assert_model(&all, mapped);
			}
			assert_int_equal(all.n_blocks, 0);
			vfio_mappings_done(&all);
		}
}

static void test_at_random(void **state)
{
	static bool mapped[MANY];
	struct vfio_mappings all = {0};
	struct vfio_mapping m;

	(void)state;
	srandom(1);
	for (size_t i = 0; i < 40000; i++) {
		size_t page = (size_t)random() % MANY;
		struct vfio_cursor at;

		toggle(&all, mapped, (size_t)random() % MANY);
		assert_int_equal(vfio_mappings_overlap(&all, page * PAGE, page * PAGE),
				 mapped[page]);
		at = vfio_mappings_find(&all, page * PAGE);
		while (page < MANY && !mapped[page])
			page++;
		assert_int_equal(vfio_mappings_next(&all, &at, &m), page < MANY);
		if (page < MANY)
			assert_int_equal(m.iova, page * PAGE);
	}
	assert_model(&all, mapped);
	vfio_mappings_done(&all);
}

/* A holder may have hundreds of thousands. */
static void test_small(void **state)
{
	struct vfio_mappings all = {0};
	size_t after_adding;

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(add(&all, i * PAGE, PAGE), 0);
	after_adding = all.n_blocks;
	assert_in_range(after_adding, 1, 100000 / 256 + 1);
	for (size_t i = 0; i < 100000; i++)
		if (i % 64)
			assert_int_equal(vfio_mappings_remove(&all, i * PAGE, PAGE), 0);
	assert_in_range(all.n_blocks, 1, after_adding / 8);
	vfio_mappings_done(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),	       cmocka_unit_test(test_overlaps_are_refused),
		cmocka_unit_test(test_in_every_order), cmocka_unit_test(test_at_random),
		cmocka_unit_test(test_small),
	};

	return cmocka_run_group_tests_name("vfio_mappings", tests, NULL, NULL);
}
