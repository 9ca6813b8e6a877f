// SPDX-License-Identifier: GPL-2.0-or-later
/* Mappings that nobody gave a place. */
#include "support_refdev.h"

#include <errno.h>
#include <sys/mman.h>

#define EDU  "0000:00:03.0"
#define PAGE 4096ULL
#define M    (1ULL << 20)
#define SIZE (8 * M)

struct fixture {
	struct bench b;
	struct refdev_file *f;
	char *memory; /* SIZE, aligned to 2 MiB */
	void *mapped;
	uint32_t id;
};

static int setup(void **state)
{
	static struct fixture x;

	bench_setup(&x.b, NULL);
	x.f = x.b.file;
	x.mapped = pages(SIZE + 2 * M);
	x.memory = (char *)(((uintptr_t)x.mapped + 2 * M - 1) & ~(2 * M - 1));
	x.id = rd_alloc(x.f, 0);
	*state = &x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	bench_teardown(&x->b);
	munmap(x->mapped, SIZE + 2 * M);
	return 0;
}

static int place_like(struct fixture *x, uint64_t pattern, const void *va, uint64_t size,
		      uint64_t *iova)
{
	struct ioasid_map_args args = {.argsz = sizeof(args),
				       .flags = RW | IOASID_MAP_ANYWHERE,
				       .ioasid = x->id,
				       .iova = pattern,
				       .vaddr = (uintptr_t)va,
				       .size = size};
	int ret = refdev_ioctl(x->f, IOASID_MAP_DMA, &args);

	if (ret)
		assert_true(args.iova == pattern);
	else
		*iova = args.iova;
	return ret;
}

static uint64_t placed(struct fixture *x, uint64_t size)
{
	uint64_t iova = 0;

	assert_int_equal(place_like(x, (uintptr_t)x->memory, x->memory, size, &iova), 0);
	return iova;
}

static int allow(struct fixture *x, const struct ioasid_range *ranges, uint32_t n)
{
	struct ioasid_allowed_args args = {
		.argsz = sizeof(args), .ioasid = x->id, .n_ranges = n, .ranges = (uintptr_t)ranges};

	return refdev_ioctl(x->f, IOASID_SET_ALLOWED, &args);
}

static void test_lowest(void **state)
{
	struct fixture *x = *state;
	struct ioasid_entry_mapping list[8];
	char byte = 'a';

	assert_true(placed(x, PAGE) == PAGE); /* never at 0 */
	assert_true(placed(x, PAGE) == 2 * PAGE);
	assert_true(placed(x, 4 * PAGE) == 4 * PAGE);
	assert_true(placed(x, PAGE) == 3 * PAGE);
	assert_int_equal(rd_unmap(x->f, x->id, 2 * PAGE, PAGE), 0);
	assert_true(placed(x, PAGE) == 2 * PAGE);
	assert_true(placed(x, 5 * PAGE) == 8 * PAGE);
	assert_int_equal(rd_list(x->f, IOASID_LIST_MAPPINGS, x->id, list, 8), 5);
	assert_int_equal(list[0].flags, RW);
	rd_join(x->f, EDU, 1, x->id);
	assert_int_equal(rd_dma(x->f, 1, 8 * PAGE, &byte, 1, IOASID_DMA_WRITE, NULL, NULL), 0);
	assert_int_equal(x->memory[0], 'a');
}

/* As aligned as size and pattern allow, so that large pages fit. */
static void test_alignment(void **state)
{
	struct fixture *x = *state;
	uint64_t iova;

	assert_true(placed(x, 2 * M) == 2 * M);
	assert_true(placed(x, 5 * M) == 4 * M);
	assert_int_equal(place_like(x, (uintptr_t)x->memory + 16 * PAGE, x->memory + 16 * PAGE,
				    4 * M, &iova),
			 0);
	assert_true(iova == 9 * M);
	assert_int_equal(place_like(x, 0, x->memory + PAGE, 4 * M, &iova), 0);
	assert_true(iova == 14 * M);
	/* the place within a page is kept */
	assert_int_equal(place_like(x, (uintptr_t)x->memory + 512, x->memory + 512, 1024, &iova),
			 0);
	assert_true(iova == PAGE + 512);
	assert_int_equal(rd_info(x->f, x->id).n_mappings, 5);
}

static void test_limits(void **state)
{
	struct fixture *x = *state;
	const struct ioasid_range two[] = {{0x100000, 0x10ffff}, {0x110000, 0x11ffff}};
	const struct ioasid_range odd[] = {{0x5000, 0x5fff}, {0x100800, 0x102fff}};
	uint64_t iova;

	/* ranges that touch are one */
	assert_int_equal(allow(x, two, 2), 0);
	assert_true(placed(x, 0x20000) == 0x100000);
	assert_int_equal(place_like(x, 0, x->memory, PAGE, &iova), -ENOSPC);
	assert_int_equal(rd_unmap(x->f, x->id, 0, UINT64_MAX), 0);
	assert_int_equal(allow(x, odd, 2), 0);
	assert_int_equal(rd_unmap(x->f, x->id, 0, UINT64_MAX), 0);
	assert_true(placed(x, PAGE) == 0x5000);
	assert_true(placed(x, PAGE) == 0x101000);
	assert_int_equal(rd_unmap(x->f, x->id, 0, UINT64_MAX), 0);
	assert_int_equal(allow(x, NULL, 0), 0);

	/* around what the device reserves, below what it reaches */
	rd_join(x->f, EDU, 1, x->id);
	assert_int_equal(rd_map(x->f, x->id, 0, x->memory, PAGE, RW), 0);
	assert_int_equal(
		allow(x,
		      (struct ioasid_range[]){{0xfed00000, 0xfedfffff}, {0xfef00000, 0xfef00fff}},
		      2),
		0);
	assert_true(placed(x, M) == 0xfed00000);
	assert_true(placed(x, PAGE) == 0xfef00000);
	assert_int_equal(place_like(x, 0, x->memory, PAGE, &iova), -ENOSPC);
}

static void test_refusals(void **state)
{
	struct fixture *x = *state;
	uint64_t iova;

	assert_int_equal(place_like(x, 0, x->memory, 0, &iova), -EINVAL);
	assert_int_equal(place_like(x, 0, NULL, UINT64_MAX / 2 + 1, &iova), -EOVERFLOW);
	assert_int_equal(place_like(x, UINT64_MAX, x->memory, PAGE, &iova), -EOVERFLOW);
	rd_join(x->f, EDU, 1, x->id);
	assert_int_equal(place_like(x, 0, x->memory, PAGE / 2, &iova), -EINVAL);
	assert_int_equal(place_like(x, 512, x->memory, PAGE, &iova), -EINVAL);
	assert_int_equal(place_like(x, 0, x->memory + 512, PAGE, &iova), -EINVAL);
	assert_int_equal(rd_info(x->f, x->id).n_mappings, 0);
	assert_int_equal(rd_fd_info(x->f).pinned_bytes, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lowest),
		TEST(test_alignment),
		TEST(test_limits),
		TEST(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
