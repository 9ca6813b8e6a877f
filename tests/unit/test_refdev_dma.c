// SPDX-License-Identifier: GPL-2.0-or-later
/* Mappings proven by data: what DMA reaches, and what stops it. Also from several threads. */
#include "support_refdev.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#define EDU  "0000:00:03.0"
#define BASE 0x40000000ULL
#define PAGE 4096ULL

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

static void test_data_arrives(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	int memfd = memfd_create("ram", MFD_CLOEXEC);
	const size_t size = 5 * PAGE;
	char *shared, out[3 * 4096], in[3 * 4096];
	uint32_t id = rd_alloc(f, 0);
	uint64_t done;

	/* real memory: what the device writes is in the file */
	assert_int_equal(ftruncate(memfd, (off_t)size), 0);
	shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	/* the pages of the file, in the other order */
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(rd_map(f, id, BASE + i * PAGE, shared + (4 - i) * PAGE, PAGE, RW),
				 0);
	rd_join(f, EDU, 1, id);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7 + 3);
	assert_int_equal(rd_dma(f, 1, BASE + 100, out, sizeof(out), IOASID_DMA_WRITE, &done, NULL),
			 0);
	assert_int_equal(done, sizeof(out));
	assert_int_equal(pread(memfd, in, PAGE - 100, 4 * PAGE + 100), PAGE - 100);
	assert_memory_equal(in, out, PAGE - 100);
	assert_int_equal(pread(memfd, in, PAGE, 3 * PAGE), PAGE);
	assert_memory_equal(in, out + PAGE - 100, PAGE);
	memset(in, 0, sizeof(in));
	assert_int_equal(rd_dma(f, 1, BASE + 100, in, sizeof(in), 0, &done, NULL), 0);
	assert_memory_equal(in, out, sizeof(out));
	munmap(shared, size);
	close(memfd);
}

static void test_faults(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	char *memory = pages(3 * PAGE), bytes[2 * 4096] = "data", untouched[4096] = {0};
	uint32_t id = rd_alloc(f, 0);
	uint64_t done, where;

	assert_int_equal(rd_bind(f, IOASID_SELECT_PCI, EDU, 1), 0);
	assert_int_equal(rd_dma(f, 1, BASE, bytes, 4, 0, &done, &where), IOASID_FAULT_BLOCKED);
	assert_int_equal(done, 0);
	assert_true(where == BASE);
	assert_int_equal(rd_attach(f, 1, id), 0);
	assert_int_equal(rd_dma(f, 1, BASE, bytes, 4, 0, NULL, NULL), IOASID_FAULT_NOT_MAPPED);
	assert_int_equal(rd_dma(f, 1, 0xfee00000, bytes, 4, IOASID_DMA_WRITE, NULL, NULL),
			 IOASID_FAULT_RESERVED);
	assert_int_equal(rd_dma(f, 1, 1ULL << 48, bytes, 4, 0, NULL, NULL), IOASID_FAULT_WIDTH);

	assert_int_equal(rd_map(f, id, BASE, memory, PAGE, IOASID_MAP_READ), 0);
	assert_int_equal(rd_map(f, id, BASE + PAGE, memory + PAGE, PAGE, IOASID_MAP_WRITE), 0);
	assert_int_equal(rd_dma(f, 1, BASE, bytes, 4, IOASID_DMA_WRITE, &done, &where),
			 IOASID_FAULT_NO_WRITE);
	assert_int_equal(rd_dma(f, 1, BASE + PAGE, bytes, 4, 0, NULL, NULL), IOASID_FAULT_NO_READ);
	assert_memory_equal(memory, untouched, PAGE);

	/* in the middle: what lies before has arrived, and it says where it stopped */
	assert_int_equal(
		rd_dma(f, 1, BASE + PAGE + 4000, bytes, 200, IOASID_DMA_WRITE, &done, &where),
		IOASID_FAULT_NOT_MAPPED);
	assert_int_equal(done, 96);
	assert_true(where == BASE + 2 * PAGE);
	assert_memory_equal(memory + PAGE + 4000, bytes, 96);
	assert_memory_equal(memory + 2 * PAGE, untouched, PAGE);

	/* unmapped, detached: no more */
	assert_int_equal(rd_unmap(f, id, BASE, PAGE), 0);
	assert_int_equal(rd_dma(f, 1, BASE, bytes, 4, 0, NULL, NULL), IOASID_FAULT_NOT_MAPPED);
	assert_int_equal(rd_detach(f, 1), 0);
	assert_int_equal(rd_dma(f, 1, BASE + PAGE, bytes, 4, IOASID_DMA_WRITE, NULL, NULL),
			 IOASID_FAULT_BLOCKED);
	munmap(memory, 3 * PAGE);
}

/* Memory that goes away under a mapping is a fault, not the end of the process. */
static void test_memory_that_goes(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	char *memory = pages(4 * PAGE), bytes[16] = "0123456789abcde";
	uint32_t id = rd_alloc(f, 0);
	uint64_t done, where;

	assert_int_equal(rd_map(f, id, BASE, memory, 4 * PAGE, RW), 0);
	rd_join(f, EDU, 1, id);
	munmap(memory + PAGE, PAGE);
	assert_int_equal(rd_dma(f, 1, BASE + PAGE, bytes, 16, IOASID_DMA_WRITE, &done, &where),
			 IOASID_FAULT_MEMORY);
	assert_int_equal(rd_dma(f, 1, BASE + PAGE - 6, bytes, 16, 0, &done, &where),
			 IOASID_FAULT_MEMORY);
	assert_int_equal(done, 6);
	assert_true(where == BASE + PAGE);
	mprotect(memory + 2 * PAGE, PAGE, PROT_READ);
	assert_int_equal(rd_dma(f, 1, BASE + 2 * PAGE, bytes, 16, 0, NULL, NULL), 0);
	assert_int_equal(rd_dma(f, 1, BASE + 2 * PAGE, bytes, 16, IOASID_DMA_WRITE, NULL, NULL),
			 IOASID_FAULT_MEMORY);
	munmap(memory, PAGE);
	munmap(memory + 2 * PAGE, 2 * PAGE);
}

static void test_dma_arguments(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	char *memory = pages(PAGE), byte = 0;
	uint32_t id = rd_alloc(f, 0);
	struct ioasid_test_dma_args args = {.argsz = sizeof(args),
					    .cookie = 1,
					    .pasid = 3,
					    .iova = BASE,
					    .length = 1,
					    .buffer = (uintptr_t)&byte};

	assert_int_equal(rd_map(f, id, BASE, memory, PAGE, RW), 0);
	rd_join(f, EDU, 1, id);
	/* a PASID that nothing is attached to is blocked, whatever the whole device is in */
	assert_int_equal(refdev_ioctl(f, IOASID_TEST_DMA, &args), 0);
	assert_int_equal(args.fault, IOASID_FAULT_BLOCKED);
	args.pasid = IOASID_NO_PASID;
	args.flags = 2;
	assert_int_equal(refdev_ioctl(f, IOASID_TEST_DMA, &args), -EOPNOTSUPP);
	args.flags = 0;
	args.cookie = 2;
	assert_int_equal(refdev_ioctl(f, IOASID_TEST_DMA, &args), -ENOENT);
	args.cookie = 1;
	args.buffer = 8;
	assert_int_equal(refdev_ioctl(f, IOASID_TEST_DMA, &args), -EFAULT);
	args.flags = IOASID_DMA_WRITE;
	assert_int_equal(refdev_ioctl(f, IOASID_TEST_DMA, &args), -EFAULT);
	args.iova = UINT64_MAX;
	args.length = 2;
	assert_int_equal(refdev_ioctl(f, IOASID_TEST_DMA, &args), -EOVERFLOW);
	args.length = 0;
	assert_int_equal(refdev_ioctl(f, IOASID_TEST_DMA, &args), 0);
	assert_int_equal(args.done, 0);
	munmap(memory, PAGE);
}

/* Each thread in an address space of its own, on one file; and one that moves a device about. */
struct worker {
	struct refdev_file *file;
	uint32_t ioasid;
	char *memory;
	int failures;
};

static void *map_and_unmap(void *data)
{
	struct worker *w = data;

	for (uint64_t i = 0; i < 2000; i++) {
		w->failures += rd_map(w->file, w->ioasid, i % 50 * PAGE, w->memory, PAGE, RW) != 0;
		if (i % 50 == 49)
			w->failures += rd_unmap(w->file, w->ioasid, 0, 50 * PAGE) != 0;
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	struct worker workers[4];
	pthread_t threads[4];
	char *memory = pages(PAGE);

	assert_int_equal(rd_bind(f, IOASID_SELECT_PCI, EDU, 1), 0);
	for (int i = 0; i < 4; i++) {
		workers[i] = (struct worker){f, rd_alloc(f, 0), memory, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, map_and_unmap, &workers[i]), 0);
	}
	for (int i = 0; i < 2000; i++)
		assert_int_equal(rd_attach(f, 1, workers[i % 4].ioasid), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(workers[i].failures, 0);
		assert_int_equal(rd_info(f, workers[i].ioasid).n_mappings, 0);
	}
	assert_int_equal(rd_fd_info(f).pinned_bytes, 0);
	munmap(memory, PAGE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_data_arrives),  TEST(test_faults),  TEST(test_memory_that_goes),
		TEST(test_dma_arguments), TEST(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
