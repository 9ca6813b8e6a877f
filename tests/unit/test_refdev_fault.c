// SPDX-License-Identifier: GPL-2.0-or-later
/* Page faults: a device waits for a page, and goes on or fails as it is answered. */
#include "support_refdev.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define NIC  "0000:05:00.0" /* can wait for pages */
#define MATE "0000:05:00.1" /* of its group; can't */
#define IOVA 0x1000000ULL
#define PAGE 4096ULL

struct fixture {
	struct bench b;
	struct refdev_file *f;
	char *memory; /* 8 pages */
	uint32_t id; /* with a fault queue; the device is in it */
	uint32_t next; /* another one */
};

static int setup(void **state)
{
	static struct fixture x;

	bench_setup(&x.b, NULL);
	x.f = x.b.file;
	x.memory = pages(8 * PAGE);
	x.id = rd_alloc(x.f, IOASID_ALLOC_FAULT | IOASID_ALLOC_PASID);
	x.next = rd_alloc(x.f, IOASID_ALLOC_FAULT | IOASID_ALLOC_PASID);
	assert_int_equal(rd_set_driver(x.f, NIC, "vfio-pci"), 0);
	assert_int_equal(rd_set_driver(x.f, MATE, "vfio-pci"), 0);
	rd_join(x.f, NIC, 7, x.id);
	*state = &x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	bench_teardown(&x->b);
	munmap(x->memory, 8 * PAGE);
	return 0;
}

static uint32_t dma(struct fixture *x, uint64_t iova, uint32_t flags)
{
	char byte = 'f';

	return rd_dma(x->f, 7, iova, &byte, 1, flags, NULL, NULL);
}

static uint32_t read_faults(struct fixture *x, uint32_t id, struct ioasid_fault *out, uint32_t room)
{
	struct ioasid_read_faults_args args = {
		.argsz = sizeof(args), .ioasid = id, .count = room, .faults = (uintptr_t)out};

	assert_int_equal(refdev_ioctl(x->f, IOASID_READ_FAULTS, &args), 0);
	return args.count;
}

static int answer(struct fixture *x, uint32_t id, uint32_t cookie, uint32_t response)
{
	struct ioasid_answer_fault_args args = {
		.argsz = sizeof(args), .ioasid = id, .cookie = cookie, .response = response};

	return refdev_ioctl(x->f, IOASID_ANSWER_FAULT, &args);
}

static void test_success(void **state)
{
	struct fixture *x = *state;
	struct ioasid_test_dma_args said;
	struct ioasid_entry_ioasid entries[2];
	struct ioasid_fault faults[4];
	char bytes[2 * 4096];

	memset(bytes, 'b', sizeof(bytes));
	assert_int_equal(rd_map(x->f, x->id, IOVA, x->memory, PAGE, RW), 0);
	said = rd_dma_pasid(x->f, 7, IOASID_NO_PASID, IOVA + 100, bytes, PAGE, IOASID_DMA_WRITE);
	assert_int_equal(said.fault, IOASID_FAULT_PENDING);
	assert_int_equal(said.done, PAGE - 100);
	assert_true(said.fault_iova == IOVA + PAGE);
	assert_int_equal(x->memory[PAGE - 1], 'b');
	/* asking again is no second fault */
	assert_int_equal(dma(x, IOVA + PAGE + 8, IOASID_DMA_WRITE), IOASID_FAULT_PENDING);
	assert_int_equal(rd_list(x->f, IOASID_LIST_IOASIDS, 0, entries, 2), 2);
	assert_int_equal(entries[0].n_faults, 1);

	assert_int_equal(read_faults(x, x->id, faults, 4), 1);
	assert_int_equal(faults[0].device, 7);
	assert_true(faults[0].address == IOVA + PAGE);
	assert_int_equal(faults[0].length, PAGE);
	assert_int_equal(faults[0].pasid, IOASID_NO_PASID);
	assert_int_equal(faults[0].access, IOASID_ACCESS_WRITE);
	assert_int_not_equal(faults[0].cookie, 0);
	assert_int_equal(read_faults(x, x->id, faults + 1, 3), 0);

	assert_int_equal(rd_map(x->f, x->id, IOVA + PAGE, x->memory + PAGE, PAGE, RW), 0);
	/* mapped meanwhile: the translation is there, whatever the answer will be */
	assert_int_equal(dma(x, IOVA + PAGE, IOASID_DMA_WRITE), 0);
	assert_int_equal(answer(x, x->id, faults[0].cookie, IOASID_RESPONSE_SUCCESS), 0);
	assert_int_equal(answer(x, x->id, faults[0].cookie, IOASID_RESPONSE_SUCCESS), -EINVAL);
	said = rd_dma_pasid(x->f, 7, IOASID_NO_PASID, IOVA + 100, bytes, PAGE, IOASID_DMA_WRITE);
	assert_int_equal(said.fault, 0);
	assert_int_equal(x->memory[PAGE + 99], 'b');

	/* success without a page: it asks again */
	assert_int_equal(dma(x, IOVA + 2 * PAGE, 0), IOASID_FAULT_PENDING);
	assert_int_equal(read_faults(x, x->id, faults, 4), 1);
	assert_int_equal(faults[0].access, IOASID_ACCESS_READ);
	assert_int_equal(answer(x, x->id, faults[0].cookie, IOASID_RESPONSE_SUCCESS), 0);
	assert_int_equal(dma(x, IOVA + 2 * PAGE, 0), IOASID_FAULT_PENDING);
	assert_int_equal(read_faults(x, x->id, faults + 1, 4), 1);
	assert_int_not_equal(faults[0].cookie, faults[1].cookie);
}

static void test_invalid(void **state)
{
	struct fixture *x = *state;
	struct ioasid_fault faults[4];

	assert_int_equal(rd_map(x->f, x->id, IOVA, x->memory, PAGE, IOASID_MAP_READ), 0);
	assert_int_equal(dma(x, IOVA, IOASID_DMA_WRITE), IOASID_FAULT_PENDING);
	assert_int_equal(dma(x, IOVA + PAGE, 0), IOASID_FAULT_PENDING);
	assert_int_equal(read_faults(x, x->id, faults, 1), 1);
	assert_int_equal(read_faults(x, x->id, faults + 1, 3), 1);
	assert_true(faults[0].address == IOVA && faults[1].address == IOVA + PAGE);
	assert_int_equal(answer(x, x->id, faults[1].cookie, IOASID_RESPONSE_INVALID), 0);
	assert_int_equal(dma(x, IOVA + PAGE, 0), IOASID_FAULT_NOT_MAPPED);
	assert_int_equal(dma(x, IOVA, IOASID_DMA_WRITE), IOASID_FAULT_PENDING);
	assert_int_equal(answer(x, x->id, faults[0].cookie, IOASID_RESPONSE_INVALID), 0);
	assert_int_equal(dma(x, IOVA, IOASID_DMA_WRITE), IOASID_FAULT_NO_WRITE);
	/* failed once; the next DMA is another one */
	assert_int_equal(dma(x, IOVA, IOASID_DMA_WRITE), IOASID_FAULT_PENDING);
	assert_int_equal(x->memory[0], 0);
}

static void test_refusals(void **state)
{
	struct fixture *x = *state;
	uint32_t plain = rd_alloc(x->f, 0);
	struct ioasid_fault fault = {0};
	struct ioasid_read_faults_args args = {
		.argsz = sizeof(args), .ioasid = plain, .count = 1, .faults = (uintptr_t)&fault};
	struct ioasid_answer_fault_args odd = {
		.argsz = sizeof(odd), .ioasid = x->id, .cookie = 1, .reserved = 1};

	assert_int_equal(refdev_ioctl(x->f, IOASID_READ_FAULTS, &args), -EOPNOTSUPP);
	args.ioasid = 99;
	assert_int_equal(refdev_ioctl(x->f, IOASID_READ_FAULTS, &args), -ENOENT);
	assert_int_equal(dma(x, IOVA, 0), IOASID_FAULT_PENDING);
	args.ioasid = x->id;
	args.faults = 8;
	assert_int_equal(refdev_ioctl(x->f, IOASID_READ_FAULTS, &args), -EFAULT);
	/* nobody has read it: nobody can answer it */
	assert_int_equal(answer(x, x->id, 1, IOASID_RESPONSE_SUCCESS), -EINVAL);
	assert_int_equal(read_faults(x, x->id, &fault, 0), 0);
	assert_int_equal(read_faults(x, x->id, &fault, 1), 1);
	assert_int_equal(fault.cookie, 1);
	assert_int_equal(answer(x, x->id, 1, 2), -EINVAL);
	assert_int_equal(answer(x, x->id, 2, IOASID_RESPONSE_SUCCESS), -EINVAL);
	assert_int_equal(answer(x, x->next, 1, IOASID_RESPONSE_SUCCESS), -EINVAL);
	assert_int_equal(answer(x, plain, 1, IOASID_RESPONSE_SUCCESS), -EOPNOTSUPP);
	assert_int_equal(answer(x, 99, 1, IOASID_RESPONSE_SUCCESS), -ENOENT);
	assert_int_equal(refdev_ioctl(x->f, IOASID_ANSWER_FAULT, &odd), -EOPNOTSUPP);
	assert_int_equal(answer(x, x->id, 1, IOASID_RESPONSE_SUCCESS), 0);

	/* a device that can't wait, and faults that no page could help */
	assert_int_equal(rd_bind(x->f, IOASID_SELECT_PCI, MATE, 8), 0);
	assert_int_equal(rd_dma(x->f, 8, IOVA, &fault, 1, 0, NULL, NULL), IOASID_FAULT_NOT_MAPPED);
	assert_int_equal(dma(x, 0xfee00000, 0), IOASID_FAULT_RESERVED);
	assert_int_equal(dma(x, 1ULL << 50, 0), IOASID_FAULT_WIDTH);
	assert_int_equal(rd_detach(x->f, 7), 0);
	assert_int_equal(rd_attach(x->f, 8, x->id), -ENODEV);
	assert_int_equal(rd_attach_pasid(x->f, 8, x->id, 5), -ENODEV);
	assert_int_equal(rd_attach(x->f, 8, plain), 0);
}

/* Who leaves is answered. */
static void test_leaving(void **state)
{
	struct fixture *x = *state;
	struct ioasid_fault faults[4];

	assert_int_equal(dma(x, IOVA, 0), IOASID_FAULT_PENDING);
	assert_int_equal(dma(x, IOVA + PAGE, 0), IOASID_FAULT_PENDING);
	assert_int_equal(read_faults(x, x->id, faults, 1), 1);
	assert_int_equal(rd_attach_pasid(x->f, 7, x->id, 5), 0);
	assert_int_equal(rd_dma_pasid(x->f, 7, 5, IOVA, faults, 1, 0).fault, IOASID_FAULT_PENDING);
	assert_int_equal(rd_attach(x->f, 7, x->next), 0);
	assert_int_equal(answer(x, x->id, 1, IOASID_RESPONSE_SUCCESS), -EINVAL);
	/* the PASID stayed */
	assert_int_equal(read_faults(x, x->id, faults, 4), 1);
	assert_int_equal(faults[0].pasid, 5);
	assert_int_equal(dma(x, IOVA, 0), IOASID_FAULT_PENDING);
	assert_int_equal(rd_detach(x->f, 7), 0);
	assert_int_equal(read_faults(x, x->next, faults, 4), 0);
	assert_int_equal(rd_unbind(x->f, 7), 0);
	assert_int_equal(rd_free(x->f, x->id), 0);
	assert_int_equal(rd_free(x->f, x->next), 0);
}

/* More than the queue holds fail at once. */
static void test_full(void **state)
{
	struct fixture *x = *state;
	struct ioasid_fault faults[600];
	unsigned n = 0;

	while (n < 600 && dma(x, IOVA + n * PAGE, 0) == IOASID_FAULT_PENDING)
		n++;
	assert_int_equal(n, 512);
	assert_int_equal(dma(x, IOVA + n * PAGE, 0), IOASID_FAULT_NOT_MAPPED);
	assert_int_equal(read_faults(x, x->id, faults, 600), 512);
	assert_int_equal(answer(x, x->id, faults[300].cookie, IOASID_RESPONSE_SUCCESS), 0);
	assert_int_equal(dma(x, IOVA + n * PAGE, 0), IOASID_FAULT_PENDING);
}

static int listen_to(struct fixture *x, uint32_t object, int fd)
{
	struct ioasid_eventfd_args args = {.argsz = sizeof(args), .object = object, .eventfd = fd};

	return refdev_ioctl(x->f, IOASID_SET_EVENTFD, &args);
}

static bool told(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	eventfd_t count;

	return poll(&p, 1, 0) == 1 && !eventfd_read(fd, &count);
}

static void test_eventfd(void **state)
{
	struct fixture *x = *state;
	struct ioasid_fault fault;
	int fd = eventfd(0, EFD_CLOEXEC), other = eventfd(0, EFD_CLOEXEC), pipes[2];

	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(listen_to(x, 99, fd), -ENOENT);
	assert_int_equal(listen_to(x, rd_alloc(x->f, 0), fd), -EOPNOTSUPP);
	assert_int_equal(listen_to(x, x->id, 1000), -EBADF);
	assert_int_equal(listen_to(x, x->id, -2), -EBADF);
	assert_int_equal(listen_to(x, x->id, pipes[1]), -EINVAL);
	assert_int_equal(listen_to(x, x->id, fd), 0);
	assert_false(told(fd));
	assert_int_equal(dma(x, IOVA, 0), IOASID_FAULT_PENDING);
	assert_true(told(fd));
	assert_false(told(fd));
	assert_int_equal(dma(x, IOVA, 0), IOASID_FAULT_PENDING); /* no news */
	assert_false(told(fd));
	assert_int_equal(listen_to(x, x->id, other), 0); /* what waits is told at once */
	assert_true(told(other));
	assert_int_equal(read_faults(x, x->id, &fault, 1), 1);
	assert_int_equal(listen_to(x, x->id, other), 0);
	assert_false(told(other));
	assert_int_equal(dma(x, IOVA + PAGE, 0), IOASID_FAULT_PENDING);
	assert_false(told(fd));
	assert_true(told(other));
	/* one that is full doesn't hold anybody up, nor does one that its owner closed */
	assert_int_equal(eventfd_write(other, UINT64_MAX - 1), 0);
	assert_int_equal(dma(x, IOVA + 2 * PAGE, 0), IOASID_FAULT_PENDING);
	close(other);
	assert_int_equal(dma(x, IOVA + 3 * PAGE, 0), IOASID_FAULT_PENDING);
	assert_int_equal(listen_to(x, x->id, -1), 0);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
}

/* Faults of a guest's own table; never of the memory behind it. */
static void test_nested(void **state)
{
	struct fixture *x = *state;
	uint32_t parent = rd_alloc(x->f, IOASID_ALLOC_NEST_PARENT), id;
	struct ioasid_fault fault;

	assert_int_equal(rd_map(x->f, parent, 0, x->memory, 8 * PAGE, RW), 0);
	guest_table(x->memory, 0);
	assert_int_equal(
		rd_nest(x->f, parent, 0, 7, IOASID_TABLE_X86_64, 0, IOASID_ALLOC_FAULT, &id), 0);
	assert_int_equal(rd_attach(x->f, 7, id), 0);
	assert_int_equal(dma(x, GUEST_IOVA, IOASID_DMA_WRITE), IOASID_FAULT_PENDING);
	assert_int_equal(read_faults(x, id, &fault, 1), 1);
	assert_true(fault.address == GUEST_IOVA);
	*guest_entry(x->memory, 0) = 5 * PAGE | GUEST_ENTRY;
	assert_int_equal(answer(x, id, fault.cookie, IOASID_RESPONSE_SUCCESS), 0);
	assert_int_equal(dma(x, GUEST_IOVA, IOASID_DMA_WRITE), 0);
	assert_int_equal(x->memory[5 * PAGE], 'f');
	*guest_entry(x->memory, 1) = 9 * PAGE | GUEST_ENTRY;
	assert_int_equal(dma(x, GUEST_IOVA + PAGE, 0), IOASID_FAULT_NOT_MAPPED);
	assert_int_equal(read_faults(x, id, &fault, 1), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_success), TEST(test_invalid), TEST(test_refusals), TEST(test_leaving),
		TEST(test_full),    TEST(test_eventfd), TEST(test_nested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
