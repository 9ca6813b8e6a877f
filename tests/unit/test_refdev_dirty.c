// SPDX-License-Identifier: GPL-2.0-or-later
/* Dirty tracking: the pages that devices wrote, and no others. */
#include "support_refdev.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#define EDU   "0000:00:03.0"
#define OTHER "0000:04:00.0" /* behind an IOMMU that doesn't track */
#define IOVA  0x1000000ULL
#define PAGE  4096ULL
#define N     256ULL /* pages that are mapped */

struct fixture {
	struct bench b;
	struct refdev_file *f;
	char *memory;
	uint32_t id;
};

static int setup(void **state)
{
	static struct fixture x;

	bench_setup(&x.b, NULL);
	x.f = x.b.file;
	x.memory = pages(N * PAGE);
	x.id = rd_alloc(x.f, IOASID_ALLOC_DIRTY | IOASID_ALLOC_NEST_PARENT);
	assert_int_equal(rd_map(x.f, x.id, IOVA, x.memory, N * PAGE, RW), 0);
	rd_join(x.f, EDU, 1, x.id);
	*state = &x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	bench_teardown(&x->b);
	munmap(x->memory, N * PAGE);
	return 0;
}

static int track(struct fixture *x, uint32_t id, bool on)
{
	struct ioasid_set_dirty_args args = {
		.argsz = sizeof(args), .flags = on ? IOASID_DIRTY_ON : 0, .ioasid = id};

	return refdev_ioctl(x->f, IOASID_SET_DIRTY, &args);
}

static int read_at(struct fixture *x, uint64_t iova, uint64_t length, uint64_t page_size,
		   uint32_t flags, void *bitmap)
{
	struct ioasid_read_dirty_args args = {.argsz = sizeof(args),
					      .flags = flags,
					      .ioasid = x->id,
					      .iova = iova,
					      .length = length,
					      .page_size = page_size,
					      .bitmap = (uintptr_t)bitmap};

	return refdev_ioctl(x->f, IOASID_READ_DIRTY, &args);
}

/* The dirty pages as text, "3 7-9"; what is read is taken for clean unless `flags` say otherwise.
 */
static const char *dirty(struct fixture *x, uint32_t flags)
{
	static char text[512];
	uint64_t bits[N / 64] = {0};
	size_t used = 0;

	assert_int_equal(read_at(x, IOVA, N * PAGE, PAGE, flags, bits), 0);
	text[0] = '\0';
	for (unsigned i = 0, j; i < N; i = j + 1) {
		for (j = i; j < N && bits[j / 64] >> j % 64 & 1; j++)
			;
		if (j > i)
			used += (size_t)snprintf(text + used, sizeof(text) - used,
						 j > i + 1 ? "%s%u-%u" : "%s%u", used ? " " : "", i,
						 j - 1);
	}
	return text;
}

static void write_at(struct fixture *x, uint64_t iova, uint64_t length)
{
	static char bytes[64 * 4096];

	assert_int_equal(rd_dma(x->f, 1, iova, bytes, length, IOASID_DMA_WRITE, NULL, NULL), 0);
}

static void test_what_was_written(void **state)
{
	struct fixture *x = *state;
	char byte;

	write_at(x, IOVA, 1); /* before it began */
	assert_int_equal(track(x, x->id, true), 0);
	assert_string_equal(dirty(x, 0), "");
	write_at(x, IOVA + 3 * PAGE + 17, 1);
	write_at(x, IOVA + 8 * PAGE - 1, 2);
	write_at(x, IOVA + 60 * PAGE, 10 * PAGE); /* over the end of a word */
	write_at(x, IOVA + 255 * PAGE + 4095, 1);
	assert_int_equal(rd_dma(x->f, 1, IOVA + 100 * PAGE, &byte, 1, 0, NULL, NULL), 0);
	assert_string_equal(dirty(x, IOASID_DIRTY_KEEP), "3 7-8 60-69 255");
	assert_string_equal(dirty(x, 0), "3 7-8 60-69 255");
	assert_string_equal(dirty(x, 0), "");
	write_at(x, IOVA + 9 * PAGE, 1);
	write_at(x, IOVA + 10 * PAGE, 1);
	write_at(x, IOVA + 11 * PAGE, 1);
	write_at(x, IOVA + 10 * PAGE, 1);
	assert_string_equal(dirty(x, IOASID_DIRTY_KEEP), "9-11");
	/* off: nothing is added; on again: all is clean */
	assert_int_equal(track(x, x->id, false), 0);
	write_at(x, IOVA + 20 * PAGE, 1);
	assert_string_equal(dirty(x, IOASID_DIRTY_KEEP), "9-11");
	assert_int_equal(track(x, x->id, true), 0);
	assert_string_equal(dirty(x, 0), "");
}

static void test_part_of_it(void **state)
{
	struct fixture *x = *state;
	uint64_t bits[2] = {1ULL << 40, 0};

	assert_int_equal(track(x, x->id, true), 0);
	write_at(x, IOVA + 4 * PAGE, 8 * PAGE);
	/* bit 0 is at iova, what was set stays set, and only that range becomes clean */
	assert_int_equal(read_at(x, IOVA + 6 * PAGE, 3 * PAGE, PAGE, 0, bits), 0);
	assert_true(bits[0] == (1ULL << 40 | 7));
	assert_string_equal(dirty(x, IOASID_DIRTY_KEEP), "4-5 9-11");
	/* a bit for more than a page, and for less */
	bits[0] = 0;
	assert_int_equal(read_at(x, IOVA, 16 * PAGE, 8 * PAGE, IOASID_DIRTY_KEEP, bits), 0);
	assert_true(bits[0] == 3);
	bits[0] = 0;
	assert_int_equal(read_at(x, IOVA + 4 * PAGE, PAGE, 1024, IOASID_DIRTY_KEEP, bits), 0);
	assert_true(bits[0] == 15 && !bits[1]);
}

static void test_unmapped_is_forgotten(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(rd_unmap(x->f, x->id, IOVA, N * PAGE), 0);
	assert_int_equal(rd_map(x->f, x->id, IOVA, x->memory, 8 * PAGE, RW), 0);
	assert_int_equal(rd_map(x->f, x->id, IOVA + 8 * PAGE, x->memory, 8 * PAGE, RW), 0);
	assert_int_equal(track(x, x->id, true), 0);
	write_at(x, IOVA + 6 * PAGE, 4 * PAGE);
	assert_int_equal(rd_unmap(x->f, x->id, IOVA + 8 * PAGE, 8 * PAGE), 0);
	assert_string_equal(dirty(x, IOASID_DIRTY_KEEP), "6-7");
	assert_int_equal(rd_map(x->f, x->id, IOVA + 8 * PAGE, x->memory, 8 * PAGE, RW), 0);
	assert_string_equal(dirty(x, IOASID_DIRTY_KEEP), "6-7");
}

/* By way of a guest's table it is the guest's page that becomes dirty. */
static void test_nested(void **state)
{
	struct fixture *x = *state;
	uint32_t id;

	guest_table(x->memory, IOVA);
	*guest_entry(x->memory, 0) = (IOVA + 77 * PAGE) | GUEST_ENTRY;
	assert_int_equal(rd_nest(x->f, x->id, 0, 1, IOASID_TABLE_X86_64, IOVA, 0, &id), 0);
	assert_int_equal(track(x, x->id, true), 0);
	assert_int_equal(rd_attach(x->f, 1, id), 0);
	write_at(x, GUEST_IOVA + 8, 8);
	assert_string_equal(dirty(x, 0), "77");
}

static void test_refusals(void **state)
{
	struct fixture *x = *state;
	uint32_t plain = rd_alloc(x->f, 0);
	uint64_t bits[N / 64] = {0};
	struct ioasid_set_dirty_args odd = {.argsz = sizeof(odd), .flags = 2, .ioasid = x->id};
	struct ioasid_read_dirty_args args = {.argsz = sizeof(args),
					      .ioasid = plain,
					      .length = PAGE,
					      .page_size = PAGE,
					      .bitmap = (uintptr_t)bits};

	assert_int_equal(track(x, plain, true), -EOPNOTSUPP);
	assert_int_equal(track(x, 99, true), -ENOENT);
	assert_int_equal(refdev_ioctl(x->f, IOASID_SET_DIRTY, &odd), -EOPNOTSUPP);
	assert_int_equal(refdev_ioctl(x->f, IOASID_READ_DIRTY, &args), -EOPNOTSUPP);
	args.page_size = 0;
	assert_int_equal(refdev_ioctl(x->f, IOASID_READ_DIRTY, &args), -EINVAL);
	args.ioasid = 99;
	assert_int_equal(refdev_ioctl(x->f, IOASID_READ_DIRTY, &args), -ENOENT);

	assert_int_equal(track(x, x->id, true), 0);
	write_at(x, IOVA, 2 * PAGE);
	assert_int_equal(read_at(x, IOVA, 0, PAGE, 0, bits), -EINVAL);
	assert_int_equal(read_at(x, IOVA, PAGE, 0, 0, bits), -EINVAL);
	assert_int_equal(read_at(x, IOVA, 3 * PAGE, 3 * PAGE, 0, bits), -EINVAL);
	assert_int_equal(read_at(x, IOVA + 512, PAGE, PAGE, 0, bits), -EINVAL);
	assert_int_equal(read_at(x, IOVA, PAGE + 512, 512, 0, bits), -EINVAL);
	assert_int_equal(read_at(x, IOVA + PAGE, 2 * PAGE, 2 * PAGE, 0, bits), -EINVAL);
	assert_int_equal(read_at(x, UINT64_MAX - PAGE + 1, 2 * PAGE, PAGE, 0, bits), -EOVERFLOW);
	assert_int_equal(read_at(x, IOVA, PAGE, PAGE, 0, (void *)8), -EFAULT);
	assert_int_equal(read_at(x, IOVA, PAGE, PAGE, 4, bits), -EOPNOTSUPP);
	assert_int_equal(bits[0], 0);
	/* nothing was lost by all that */
	assert_string_equal(dirty(x, 0), "0-1");

	assert_int_equal(rd_bind(x->f, IOASID_SELECT_PCI, OTHER, 2), 0);
	assert_int_equal(rd_attach(x->f, 2, rd_alloc(x->f, IOASID_ALLOC_DIRTY)), -EOPNOTSUPP);
	assert_int_equal(rd_attach(x->f, 2, plain), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_was_written),
		TEST(test_part_of_it),
		TEST(test_unmapped_is_forgotten),
		TEST(test_nested),
		TEST(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
