// SPDX-License-Identifier: GPL-2.0-or-later
/* The reference device's address spaces: their life, their ranges, their mappings. */
#include "support_refdev.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define EDU "0000:00:03.0"
#define K   1024ULL
#define M   (1024 * K)
#define G   (1024 * M)

static int setup(void **state)
{
	static struct bench b;

	bench_setup(&b, NULL);
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	bench_teardown(*state);
	return 0;
}

static void test_arguments(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	struct {
		struct ioasid_alloc_args args;
		uint64_t future;
	} newer = {.args = {.argsz = sizeof(newer), .parent = IOASID_NONE}};
	struct ioasid_alloc_args args = {.argsz = sizeof(args), .parent = IOASID_NONE};

	assert_int_equal(refdev_ioctl(f, IOASID_ALLOC, &newer), 0);
	newer.future = 1;
	assert_int_equal(refdev_ioctl(f, IOASID_ALLOC, &newer), -E2BIG);
	args.argsz = sizeof(args) - 1;
	assert_int_equal(refdev_ioctl(f, IOASID_ALLOC, &args), -EINVAL);
	args.argsz = 1U << 31;
	assert_int_equal(refdev_ioctl(f, IOASID_ALLOC, &args), -E2BIG);
	args.argsz = sizeof(args);
	assert_int_equal(refdev_ioctl(f, IOASID_ALLOC, NULL), -EFAULT);
	assert_int_equal(refdev_ioctl(f, _IO(IOASID_TYPE, IOASID_BASE + 60), &args), -ENOTTY);
	assert_int_equal(refdev_ioctl(f, _IO(IOASID_TYPE, IOASID_BASE - 1), &args), -ENOTTY);
	assert_int_equal(refdev_ioctl(f, _IO('w', IOASID_BASE + 3), &args), -ENOTTY);
	assert_int_equal(refdev_ioctl(f, IOASID_ALLOC | 1UL << 40, &args), -ENOTTY);
	assert_int_equal(refdev_ioctl(f, IOASID_BIND_PGTABLE, &args), -EOPNOTSUPP);
	assert_int_equal(refdev_ioctl(f, IOASID_CREATE_NESTING, &args), -EOPNOTSUPP);
	assert_int_equal(rd_fd_info(f).n_ioasids, 1);
}

static void test_unserved_is_refused(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	const uint32_t flags[] = {1U << 31, 1U << 6, IOASID_ALLOC_FAULT | IOASID_ALLOC_NEST_PARENT};
	struct ioasid_alloc_args args = {.argsz = sizeof(args), .parent = IOASID_NONE};
	struct ioasid_free_args release = {.argsz = sizeof(release), .flags = 1};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		args.flags = flags[i];
		assert_int_equal(refdev_ioctl(f, IOASID_ALLOC, &args), -EOPNOTSUPP);
	}
	args.flags = 0;
	args.kind = IOASID_KIND_NESTED + 1;
	assert_int_equal(refdev_ioctl(f, IOASID_ALLOC, &args), -EOPNOTSUPP);
	args.kind = IOASID_KIND_GPA;
	args.parent = 1;
	assert_int_equal(refdev_ioctl(f, IOASID_ALLOC, &args), -EINVAL);
	args.parent = IOASID_NONE;
	args.viommu = 1;
	assert_int_equal(refdev_ioctl(f, IOASID_ALLOC, &args), -EINVAL);
	args.viommu = 0;
	args.table.address = 4096;
	assert_int_equal(refdev_ioctl(f, IOASID_ALLOC, &args), -EINVAL);
	assert_int_equal(refdev_ioctl(f, IOASID_FREE, &release), -EOPNOTSUPP);
	assert_int_equal(rd_fd_info(f).n_ioasids, 0);
}

static void test_extensions(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	struct ioasid_extension_args args = {.argsz = sizeof(args)};

	for (args.extension = 0; args.extension < 20; args.extension++) {
		args.supported = 7;
		assert_int_equal(refdev_ioctl(f, IOASID_CHECK_EXTENSION, &args), 0);
		assert_int_equal(args.supported, args.extension >= IOASID_EXT_GPA &&
							 args.extension <= IOASID_EXT_ANYWHERE);
	}
}

static void test_alloc_free(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	uint32_t a = rd_alloc(f, 0), b = rd_alloc(f, IOASID_ALLOC_NEST_PARENT);
	char *memory = pages(8 * K);

	assert_int_not_equal(a, b);
	assert_int_equal(rd_info(f, b).alloc_flags, IOASID_ALLOC_NEST_PARENT);
	assert_int_equal(rd_map(f, a, 0, memory, 8 * K, RW), 0);
	rd_join(f, EDU, 1, a);
	assert_int_equal(rd_free(f, a), -EBUSY);
	assert_int_equal(rd_info(f, a).n_mappings, 1);
	assert_int_equal(rd_detach(f, 1), 0);
	assert_int_equal(rd_free(f, a), 0);
	assert_int_equal(rd_free(f, a), -ENOENT);
	assert_int_equal(rd_fd_info(f).pinned_bytes, 0);
	/* an id that was freed never comes back */
	assert_int_not_equal(rd_alloc(f, 0), a);
	assert_int_equal(rd_free(f, b), 0);
	munmap(memory, 8 * K);
}

static void test_map_refusals(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	uint32_t id = rd_alloc(f, 0);
	char *memory = pages(64 * K);
	struct ioasid_map_args odd = {
		.argsz = sizeof(odd), .flags = RW | 8, .ioasid = id, .size = 4 * K};

	rd_join(f, EDU, 1, id);
	assert_int_equal(rd_info(f, id).alignment, 4 * K);
	assert_int_equal(rd_map(f, id, 0x10000, memory, 16 * K, RW), 0);
	assert_int_equal(rd_map(f, id, 0x10000, memory, 16 * K, RW), -EEXIST);
	assert_int_equal(rd_map(f, id, 0xf000, memory, 8 * K, RW), -EEXIST);
	assert_int_equal(rd_map(f, id, 0x13000, memory, 4 * K, IOASID_MAP_READ), -EEXIST);
	assert_int_equal(rd_map(f, id, 0x14000, memory, 4 * K, RW), 0);
	assert_int_equal(rd_map(f, id, 0x20800, memory, 4 * K, RW), -EINVAL);
	assert_int_equal(rd_map(f, id, 0x20000, memory, 4 * K + 1, RW), -EINVAL);
	assert_int_equal(rd_map(f, id, 0x20000, memory + 8, 4 * K, RW), -EINVAL);
	assert_int_equal(rd_map(f, id, 0x20000, memory, 0, RW), -EINVAL);
	assert_int_equal(rd_map(f, id, 0x20000, memory, 4 * K, 0), -EINVAL);
	assert_int_equal(refdev_ioctl(f, IOASID_MAP_DMA, &odd), -EOPNOTSUPP);
	odd.flags = RW;
	odd.reserved = 1;
	assert_int_equal(refdev_ioctl(f, IOASID_MAP_DMA, &odd), -EOPNOTSUPP);
	assert_int_equal(rd_map(f, id, UINT64_MAX, memory, 4 * K, RW), -EOVERFLOW);
	assert_int_equal(rd_map(f, id, UINT64_MAX - 4 * K + 1, memory, 8 * K, RW), -EOVERFLOW);
	assert_int_equal(rd_map(f, id, 0x20000, (void *)(UINTPTR_MAX - 4095), 8 * K, RW),
			 -EOVERFLOW);
	assert_int_equal(rd_map(f, id + 9, 0x20000, memory, 4 * K, RW), -ENOENT);
	munmap(memory + 32 * K, 4 * K);
	assert_int_equal(rd_map(f, id, 0x20000, memory + 16 * K, 32 * K, RW), -EFAULT);
	assert_int_equal(rd_map(f, id, 0x20000, NULL, 4 * K, RW), -EFAULT);
	/* nothing of all that is left */
	assert_int_equal(rd_info(f, id).n_mappings, 2);
	assert_int_equal(rd_info(f, id).mapped_bytes, 20 * K);
	assert_int_equal(rd_fd_info(f).pinned_bytes, 20 * K);
	munmap(memory, 32 * K);
	munmap(memory + 36 * K, 28 * K);
}

static void test_aperture_and_reserved(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	uint32_t id = rd_alloc(f, 0);
	char *memory = pages(2 * M);
	struct ioasid_range ranges[4];
	struct ioasid_info_args info = {
		.argsz = sizeof(info), .ioasid = id, .n_ranges = 4, .ranges = (uintptr_t)ranges};

	/* nobody attached: everything goes, at any alignment */
	assert_int_equal(refdev_ioctl(f, IOASID_GET_INFO, &info), 0);
	assert_int_equal(info.n_ranges, 1);
	assert_true(ranges[0].first == 0 && ranges[0].last == UINT64_MAX);
	assert_int_equal(info.alignment, 1);

	rd_join(f, EDU, 1, id);
	info.n_ranges = 4;
	assert_int_equal(refdev_ioctl(f, IOASID_GET_INFO, &info), 0);
	assert_int_equal(info.n_ranges, 2);
	assert_true(ranges[0].first == 0 && ranges[0].last == 0xfedfffff);
	assert_true(ranges[1].first == 0xfef00000 && ranges[1].last == 0xffffffffffff);
	assert_int_equal(rd_map(f, id, 0xfee00000, memory, 4 * K, RW), -EINVAL);
	assert_int_equal(rd_map(f, id, 0xfedff000, memory, 8 * K, RW), -EINVAL);
	assert_int_equal(rd_map(f, id, 0xfed00000, memory, 2 * M, RW), -EINVAL);
	assert_int_equal(rd_map(f, id, 0xfedff000, memory, 4 * K, RW), 0);
	assert_int_equal(rd_map(f, id, 0xfef00000, memory, 4 * K, RW), 0);
	assert_int_equal(rd_map(f, id, 1ULL << 48, memory, 4 * K, RW), -EINVAL);
	assert_int_equal(rd_map(f, id, (1ULL << 48) - 4 * K, memory, 8 * K, RW), -EINVAL);
	assert_int_equal(rd_map(f, id, (1ULL << 48) - 4 * K, memory, 4 * K, RW), 0);

	/* too little room is said, with the number that is needed */
	info.n_ranges = 1;
	assert_int_equal(refdev_ioctl(f, IOASID_GET_INFO, &info), -EMSGSIZE);
	assert_int_equal(info.n_ranges, 2);
	info.ranges = 16;
	assert_int_equal(refdev_ioctl(f, IOASID_GET_INFO, &info), -EFAULT);

	/* leaving widens it again */
	assert_int_equal(rd_detach(f, 1), 0);
	assert_int_equal(rd_info(f, id).n_ranges, 1);
	assert_int_equal(rd_map(f, id, 0xfee00000, memory, 4 * K, RW), 0);
	assert_int_equal(rd_attach(f, 1, id), -EADDRINUSE);
	assert_int_equal(rd_unmap(f, id, 0xfee00000, 4 * K), 0);
	assert_int_equal(rd_attach(f, 1, id), 0);
	munmap(memory, 2 * M);
}

static void test_attach_checks_what_is_mapped(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	uint32_t id = rd_alloc(f, 0);
	char *memory = pages(16 * K);

	assert_int_equal(rd_bind(f, IOASID_SELECT_PCI, "0000:06:00.0", 1), 0);
	/* 39 bits */
	assert_int_equal(rd_map(f, id, 1ULL << 39, memory, 4 * K, RW), 0);
	assert_int_equal(rd_attach(f, 1, id), -EADDRINUSE);
	assert_int_equal(rd_unmap(f, id, 1ULL << 39, 4 * K), 0);
	/* half pages */
	assert_int_equal(rd_map(f, id, 0x800, memory, 2 * K, RW), 0);
	assert_int_equal(rd_attach(f, 1, id), -EADDRINUSE);
	assert_int_equal(rd_unmap(f, id, 0x800, 2 * K), 0);
	/* memory that isn't there */
	assert_int_equal(rd_map(f, id, 0, memory, 16 * K, RW), 0);
	munmap(memory + 8 * K, 4 * K);
	assert_int_equal(rd_attach(f, 1, id), -EFAULT);
	assert_int_equal(rd_info(f, id).domains, 0);
	assert_int_equal(rd_info(f, id).page_table_bytes, 0);
	assert_int_equal(rd_info(f, id).n_ranges, 1);
	assert_int_equal(rd_unmap(f, id, 0, 16 * K), 0);
	assert_int_equal(rd_attach(f, 1, id), 0);
	assert_int_equal(rd_map(f, id, 1ULL << 39, memory, 4 * K, RW), -EINVAL);
	assert_int_equal(rd_map(f, id, (1ULL << 39) - 4 * K, memory, 4 * K, RW), 0);
	munmap(memory, 8 * K);
	munmap(memory + 12 * K, 4 * K);
}

static void test_unmap(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	uint32_t id = rd_alloc(f, 0);
	char *memory = pages(64 * K);
	struct ioasid_unmap_args all = {.argsz = sizeof(all), .ioasid = id, .size = UINT64_MAX};

	assert_int_equal(refdev_ioctl(f, IOASID_UNMAP_DMA, &all), 0);
	assert_int_equal(all.size, 0);
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(rd_map(f, id, i * 16 * K, memory, 8 * K, RW), 0);
	assert_int_equal(rd_unmap(f, id, 8 * K, 8 * K), -ENOENT);
	assert_int_equal(rd_unmap(f, id, 4 * K, 4 * K), -ENOENT);
	assert_int_equal(rd_unmap(f, id, 0, 4 * K), -ENOENT);
	/* a whole one and a part of one: neither goes */
	assert_int_equal(rd_unmap(f, id, 0, 20 * K), -ENOENT);
	assert_int_equal(rd_unmap(f, id, 4 * K, 20 * K), -ENOENT);
	assert_int_equal(rd_unmap(f, id, 0, 0), -EINVAL);
	assert_int_equal(rd_unmap(f, id, UINT64_MAX, 4 * K), -EOVERFLOW);
	assert_int_equal(rd_unmap(f, id, UINT64_MAX - 5, 4 * K), -EOVERFLOW);
	assert_int_equal(rd_unmap(f, id + 1, 0, 4 * K), -ENOENT);
	assert_int_equal(rd_info(f, id).n_mappings, 4);
	/* two at once, with holes around */
	all.size = 32 * K;
	assert_int_equal(refdev_ioctl(f, IOASID_UNMAP_DMA, &all), 0);
	assert_int_equal(all.size, 16 * K);
	assert_int_equal(rd_info(f, id).n_mappings, 2);
	all.size = UINT64_MAX;
	assert_int_equal(refdev_ioctl(f, IOASID_UNMAP_DMA, &all), 0);
	assert_int_equal(all.size, 16 * K);
	assert_int_equal(rd_fd_info(f).pinned_bytes, 0);
	munmap(memory, 64 * K);
}

static void test_copy_pins_once(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	uint32_t a = rd_alloc(f, 0), b = rd_alloc(f, 0);
	char *memory = pages(64 * K), byte = 'x', seen = 0;

	rd_join(f, EDU, 1, b);
	assert_int_equal(rd_map(f, a, 0, memory, 32 * K, RW), 0);
	assert_int_equal(rd_map(f, a, 32 * K, memory + 32 * K, 32 * K, RW), 0);
	assert_int_equal(rd_copy(f, b, 0x100000, a, 0, 32 * K, RW), 0);
	assert_int_equal(rd_fd_info(f).pinned_bytes, 64 * K);
	/* a part, and a piece over both */
	assert_int_equal(rd_copy(f, b, 0x200000, a, 4 * K, 8 * K, IOASID_MAP_READ), 0);
	assert_int_equal(rd_copy(f, b, 0x300000, a, 28 * K, 8 * K, RW), 0);
	assert_int_equal(rd_fd_info(f).pinned_bytes, 64 * K);
	assert_int_equal(rd_info(f, b).n_mappings, 4);

	assert_int_equal(rd_copy(f, b, 0x100000, a, 0, 32 * K, RW), -EEXIST);
	assert_int_equal(rd_copy(f, b, 0x400000, a, 48 * K, 32 * K, RW), -ENOENT);
	assert_int_equal(rd_copy(f, b, 0x400000, a, 128 * K, 4 * K, RW), -ENOENT);
	assert_int_equal(rd_copy(f, b, 0x400000, 99, 0, 4 * K, RW), -ENOENT);
	assert_int_equal(rd_copy(f, 99, 0x400000, a, 0, 4 * K, RW), -ENOENT);
	assert_int_equal(rd_copy(f, b, 0x400000, a, 0, 4 * K, 0), -EINVAL);
	assert_int_equal(rd_copy(f, b, 0x400000, a, 0, 0, RW), -EINVAL);
	assert_int_equal(rd_copy(f, b, 0x400800, a, 0, 4 * K, RW), -EINVAL);
	assert_int_equal(rd_copy(f, b, 0x400000, a, 2 * K, 4 * K, RW), -EINVAL);
	assert_int_equal(rd_copy(f, b, 0xfee00000, a, 0, 4 * K, RW), -EINVAL);
	assert_int_equal(rd_copy(f, b, UINT64_MAX, a, 0, 4 * K, RW), -EOVERFLOW);
	assert_int_equal(rd_copy(f, b, 0x400000, a, UINT64_MAX - 4, 4 * K, RW), -EOVERFLOW);
	assert_int_equal(rd_info(f, b).n_mappings, 4);

	/* the copy outlives its source, bytes and all */
	assert_int_equal(rd_free(f, a), 0);
	assert_int_equal(rd_fd_info(f).pinned_bytes, 64 * K);
	assert_int_equal(rd_dma(f, 1, 0x301000, &byte, 1, IOASID_DMA_WRITE, NULL, NULL), 0);
	assert_int_equal(memory[32 * K], 'x');
	memory[4 * K] = 'y';
	assert_int_equal(rd_dma(f, 1, 0x200000, &seen, 1, 0, NULL, NULL), 0);
	assert_int_equal(seen, 'y');
	assert_int_equal(rd_dma(f, 1, 0x200000, &byte, 1, IOASID_DMA_WRITE, NULL, NULL),
			 IOASID_FAULT_NO_WRITE);
	assert_int_equal(rd_unmap(f, b, 0, UINT64_MAX), 0);
	assert_int_equal(rd_fd_info(f).pinned_bytes, 0);
	munmap(memory, 64 * K);
}

/* A copy that fails in its second piece leaves nothing of the first. */
static void test_copy_is_whole_or_nothing(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	uint32_t a = rd_alloc(f, 0), b = rd_alloc(f, 0);
	char *memory = pages(16 * K);
	uint64_t bytes;

	rd_join(f, EDU, 1, b);
	assert_int_equal(rd_map(f, a, 0, memory, 8 * K, RW), 0);
	assert_int_equal(rd_map(f, a, 8 * K, memory + 8 * K, 8 * K, RW), 0);
	munmap(memory + 8 * K, 8 * K);
	bytes = rd_info(f, b).page_table_bytes;
	assert_int_equal(rd_copy(f, b, 0, a, 0, 16 * K, RW), -EFAULT);
	assert_int_equal(rd_info(f, b).n_mappings, 0);
	assert_int_equal(rd_info(f, b).page_table_bytes, bytes);
	assert_int_equal(rd_fd_info(f).pinned_bytes, 16 * K);
	munmap(memory, 8 * K);
}

static int set_allowed(struct refdev_file *f, uint32_t id, const struct ioasid_range *r, uint32_t n)
{
	struct ioasid_allowed_args args = {
		.argsz = sizeof(args), .ioasid = id, .n_ranges = n, .ranges = (uintptr_t)r};

	return refdev_ioctl(f, IOASID_SET_ALLOWED, &args);
}

static void test_allowed(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	uint32_t id = rd_alloc(f, 0);
	const struct ioasid_range low = {0, 0xfedfffff}, msi = {0xfee00000, 0xfee0ffff};
	const struct ioasid_range empty = {5, 5}, overlapping[] = {{0, 100}, {100, 200}};
	const struct ioasid_range unsorted[] = {{0x100000, 0x1fffff}, {0, 0xfffff}};

	assert_int_equal(rd_bind(f, IOASID_SELECT_PCI, EDU, 1), 0);
	assert_int_equal(set_allowed(f, id, &empty, 1), -EINVAL);
	assert_int_equal(set_allowed(f, id, overlapping, 2), -EINVAL);
	assert_int_equal(set_allowed(f, id, unsorted, 2), 0);
	assert_int_equal(set_allowed(f, id, (void *)16, 1), -EFAULT);
	assert_int_equal(set_allowed(f, id, &low, IOASID_ALLOWED_MAX + 1), -E2BIG);
	assert_int_equal(set_allowed(f, id + 1, &low, 1), -ENOENT);
	/* an attachment that would narrow it is refused */
	assert_int_equal(set_allowed(f, id, &msi, 1), 0);
	assert_int_equal(rd_attach(f, 1, id), -EADDRINUSE);
	assert_int_equal(set_allowed(f, id, &low, 1), 0);
	assert_int_equal(rd_attach(f, 1, id), 0);
	/* and the other way round */
	assert_int_equal(set_allowed(f, id, &msi, 1), -EADDRINUSE);
	assert_int_equal(set_allowed(f, id, NULL, 0), 0);
}

static void test_pin_limit(void **state)
{
	const char *machine = "{\"schema_version\": 1, \"max_pinned_bytes\": \"64K\"}";
	struct ioasid_accounting_args args = {.argsz = sizeof(args),
					      .accounting = IOASID_ACCOUNT_USER};
	char *memory = pages(64 * K);
	struct refdev_file *second;
	struct bench b;
	uint32_t one, two;

	(void)state;
	bench_setup(&b, machine);
	assert_int_equal(refdev_open(b.refdev, &second), 0);
	one = rd_alloc(b.file, 0);
	assert_int_equal(rd_map(b.file, one, 0, memory, 48 * K, RW), 0);
	assert_int_equal(rd_map(b.file, one, 48 * K, memory, 20 * K, RW), -ENOMEM);
	assert_int_equal(rd_copy(b.file, one, 64 * K, one, 0, 48 * K, RW), 0);
	/* files that count the same way share the limit */
	two = rd_alloc(second, 0);
	assert_int_equal(rd_map(second, two, 0, memory, 20 * K, RW), -ENOMEM);
	assert_int_equal(refdev_ioctl(second, IOASID_SET_ACCOUNTING, &args), -EBUSY);
	assert_int_equal(rd_free(second, two), 0);
	assert_int_equal(refdev_ioctl(second, IOASID_SET_ACCOUNTING, &args), 0);
	two = rd_alloc(second, 0);
	assert_int_equal(rd_map(second, two, 0, memory, 20 * K, RW), 0);
	assert_int_equal(rd_fd_info(second).accounting, IOASID_ACCOUNT_USER);
	assert_int_equal(rd_fd_info(second).max_pinned_bytes, 64 * K);
	args.accounting = 2;
	assert_int_equal(refdev_ioctl(second, IOASID_SET_ACCOUNTING, &args), -EOPNOTSUPP);
	refdev_close(second);
	bench_teardown(&b);
	munmap(memory, 64 * K);
}

/* What a table costs follows from its shape: counted by hand here. */
static void test_table_bytes(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	uint32_t id = rd_alloc(f, 0), small = rd_alloc(f, IOASID_ALLOC_SMALL_PAGES);
	char *area = pages(8 * M), *memory = (char *)(((uintptr_t)area + 2 * M - 1) & -(2 * M));
	char byte = 'z';

	assert_int_equal(rd_info(f, id).page_table_bytes, 0);
	rd_join(f, EDU, 1, id);
	assert_int_equal(rd_info(f, id).page_table_bytes, 4096); /* the root */
	assert_int_equal(rd_map(f, id, 0, memory, 4 * K, RW), 0);
	assert_int_equal(rd_info(f, id).page_table_bytes, 4 * 4096); /* 4 levels */
	assert_int_equal(rd_map(f, id, 4 * K, memory, 4 * K, RW), 0);
	assert_int_equal(rd_info(f, id).page_table_bytes, 4 * 4096);
	/* 2M on 2M: one large entry in a table that is there */
	assert_int_equal(rd_map(f, id, 4 * M, memory, 2 * M, RW), 0);
	assert_int_equal(rd_info(f, id).page_table_bytes, 4 * 4096);
	/* not aligned alike: small pages, two more tables */
	assert_int_equal(rd_map(f, id, 8 * M + 4 * K, memory, 2 * M, RW), 0);
	assert_int_equal(rd_info(f, id).page_table_bytes, 6 * 4096);
	assert_int_equal(rd_dma(f, 1, 6 * M - 1, &byte, 1, IOASID_DMA_WRITE, NULL, NULL), 0);
	assert_int_equal(memory[2 * M - 1], 'z');
	/* empty tables go */
	assert_int_equal(rd_unmap(f, id, 8 * M + 4 * K, 2 * M), 0);
	assert_int_equal(rd_info(f, id).page_table_bytes, 4 * 4096);
	assert_int_equal(rd_unmap(f, id, 0, UINT64_MAX), 0);
	assert_int_equal(rd_info(f, id).page_table_bytes, 4096);

	assert_int_equal(rd_map(f, small, 4 * M, memory, 2 * M, RW), 0);
	assert_int_equal(rd_attach(f, 1, small), 0);
	assert_int_equal(rd_info(f, small).page_table_bytes, 4 * 4096);
	assert_int_equal(rd_info(f, id).page_table_bytes, 0);
	munmap(area, 8 * M);
}

/* Many mappings, in the worst order for a list. */
static void test_many(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	const uint64_t n = 50000;
	uint32_t id = rd_alloc(f, 0);
	char *memory = pages(4 * K), byte = 'm';

	rd_join(f, EDU, 1, id);
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(rd_map(f, id, 8 * G + i * 7919 % n * 8 * K, memory, 4 * K, RW), 0);
	assert_int_equal(rd_info(f, id).n_mappings, n);
	assert_int_equal(
		rd_dma(f, 1, 8 * G + (n - 1) * 8 * K, &byte, 1, IOASID_DMA_WRITE, NULL, NULL), 0);
	assert_int_equal(memory[0], 'm');
	for (uint64_t i = 0; i < n; i += 2)
		assert_int_equal(rd_unmap(f, id, 8 * G + i * 8 * K, 4 * K), 0);
	assert_int_equal(rd_info(f, id).n_mappings, n / 2);
	munmap(memory, 4 * K);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_arguments),
		TEST(test_unserved_is_refused),
		TEST(test_extensions),
		TEST(test_alloc_free),
		TEST(test_map_refusals),
		TEST(test_aperture_and_reserved),
		TEST(test_attach_checks_what_is_mapped),
		TEST(test_unmap),
		TEST(test_copy_pins_once),
		TEST(test_copy_is_whole_or_nothing),
		TEST(test_allowed),
		TEST(test_pin_limit),
		TEST(test_table_bytes),
		TEST(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
