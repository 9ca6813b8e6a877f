// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A file that is open for another process, as a server of the device has them: pointers lead into
 * that one's memory, descriptors are that one's.
 */
#include "support_refdev.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define NIC  "0000:05:00.0"
#define IOVA 0x1000000ULL
#define PAGE 4096ULL

struct client {
	struct bench b;
	struct refdev_file *f;
	pid_t pid;
	int to, from;
	char *memory; /* four pages of its, then a hole, then another; not of this process */
	int eventfd; /* its */
};

/* Waits for a byte, says whether its eventfd has been counted up, and so on. */
static void be_client(int in, int out)
{
	char *memory =
		mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = eventfd(0, EFD_NONBLOCK);
	char byte;

	if (memory == MAP_FAILED || fd < 0 || munmap(memory + 4 * PAGE, PAGE))
		_exit(1);
	memset(memory, 'c', PAGE);
	/* a number that means something else in the other process */
	fd = dup2(fd, 333);
	if (write(out, &memory, sizeof(memory)) < 0 || write(out, &fd, sizeof(fd)) < 0)
		_exit(1);
	while (read(in, &byte, 1) == 1) {
		eventfd_t count = 0;

		byte = !eventfd_read(fd, &count) && count == 1;
		if (write(out, &byte, 1) != 1)
			break;
	}
	_exit(0);
}

static int setup(void **state)
{
	static struct client c;
	int in[2], out[2];

	assert_int_equal(pipe(in) | pipe(out), 0);
	fflush(NULL);
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (!c.pid) {
		close(in[1]);
		close(out[0]);
		be_client(in[0], out[1]);
	}
	close(in[0]);
	close(out[1]);
	c.to = in[1];
	c.from = out[0];
	assert_int_equal(read(c.from, &c.memory, sizeof(c.memory)), sizeof(c.memory));
	assert_int_equal(read(c.from, &c.eventfd, sizeof(c.eventfd)), sizeof(c.eventfd));
	bench_setup(&c.b, NULL);
	assert_int_equal(rd_set_driver(c.b.file, NIC, "vfio-pci"), 0);
	assert_int_equal(rd_set_driver(c.b.file, "0000:05:00.1", "vfio-pci"), 0);
	assert_int_equal(refdev_open_for(c.b.refdev, c.pid, &c.f), 0);
	rd_caller = c.pid;
	*state = &c;
	return 0;
}

static int teardown(void **state)
{
	struct client *c = *state;

	rd_caller = 0;
	close(c->to);
	close(c->from);
	waitpid(c->pid, NULL, 0);
	refdev_close(c->f);
	bench_teardown(&c->b);
	return 0;
}

/* What is in the client's memory. */
static char peek(const struct client *c, size_t at)
{
	char byte = 0;
	struct iovec here = {&byte, 1}, there = {c->memory + at, 1};

	assert_int_equal(process_vm_readv(c->pid, &here, 1, &there, 1, 0), 1);
	return byte;
}

static void test_memory(void **state)
{
	struct client *c = *state;
	uint32_t id = rd_alloc(c->f, 0);
	struct ioasid_list_args list = {.argsz = sizeof(list),
					.kind = IOASID_LIST_MAPPINGS,
					.object = id,
					.count = 2,
					.entries = (uintptr_t)c->memory + 2 * PAGE};

	assert_int_equal(rd_map(c->f, id, IOVA, c->memory + PAGE, PAGE, RW), 0);
	rd_join(c->f, NIC, 1, id);
	/* from the client's memory, through its mapping, to the client's memory */
	assert_int_equal(rd_dma(c->f, 1, IOVA + 7, c->memory, 16, IOASID_DMA_WRITE, NULL, NULL), 0);
	assert_int_equal(peek(c, PAGE + 6), 0);
	assert_int_equal(peek(c, PAGE + 7), 'c');
	assert_int_equal(refdev_ioctl_of(c->f, c->pid, IOASID_LIST, &list), 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(peek(c, 2 * PAGE + 3), IOVA >> 24);

	/* memory that it hasn't got, some or all of it */
	assert_int_equal(rd_map(c->f, id, 0x2000000, c->memory + 4 * PAGE, PAGE, RW), -EFAULT);
	assert_int_equal(rd_map(c->f, id, 0x2000000, c->memory + 3 * PAGE, 3 * PAGE, RW), -EFAULT);
	assert_int_equal(rd_map(c->f, id, 0x2000000, (void *)(8 * PAGE), PAGE, RW), -EFAULT);
	assert_int_equal(rd_map(c->f, id, 0x2000000, c->memory, 4 * PAGE, RW), 0);
	assert_int_equal(rd_map(c->f, id, 0x3000000, c->memory + 5 * PAGE, PAGE, RW), 0);
	list.entries = (uintptr_t)c->memory + 4 * PAGE;
	list.flags = 0;
	assert_int_equal(refdev_ioctl_of(c->f, c->pid, IOASID_LIST, &list), -EFAULT);
}

static void test_descriptor(void **state)
{
	struct client *c = *state;
	uint32_t id = rd_alloc(c->f, IOASID_ALLOC_FAULT);
	struct ioasid_eventfd_args args = {
		.argsz = sizeof(args), .object = id, .eventfd = c->eventfd};
	struct pollfd answer = {.fd = c->from, .events = POLLIN};
	int ret = refdev_ioctl_of(c->f, c->pid, IOASID_SET_EVENTFD, &args);
	char byte = 0;

	if (ret == -EPERM)
		skip(); /* a sandbox that lets nobody take descriptors */
	assert_int_equal(ret, 0);
	args.eventfd = 999;
	assert_int_equal(refdev_ioctl_of(c->f, c->pid, IOASID_SET_EVENTFD, &args), -EBADF);
	rd_join(c->f, NIC, 1, id);
	assert_int_equal(rd_dma(c->f, 1, IOVA, c->memory, 1, 0, NULL, NULL), IOASID_FAULT_PENDING);
	assert_int_equal(write(c->to, &byte, 1), 1);
	assert_int_equal(poll(&answer, 1, 30000), 1);
	assert_int_equal(read(c->from, &byte, 1), 1);
	assert_int_equal(byte, 1);
}

/* A third process that got the file from it: what it maps would be somebody else's. */
static void test_another_caller(void **state)
{
	struct client *c = *state;
	uint32_t id = rd_alloc(c->f, 0);
	struct ioasid_range ranges[2];
	struct ioasid_info_args info = {
		.argsz = sizeof(info), .ioasid = id, .n_ranges = 2, .ranges = (uintptr_t)ranges};

	rd_caller = getpid();
	assert_int_equal(rd_map(c->f, id, IOVA, pages(PAGE), PAGE, RW), -EPERM);
	assert_int_equal(refdev_ioctl_of(c->f, getpid(), IOASID_GET_INFO, &info), 0);
	assert_int_equal(info.n_mappings, 0);
	assert_true(ranges[0].last == UINT64_MAX);
}

/* The process ends while its file is open. */
static void test_end(void **state)
{
	struct client *c = *state;
	uint32_t id = rd_alloc(c->f, 0);
	struct ioasid_test_dma_args args = {.argsz = sizeof(args),
					    .cookie = 1,
					    .pasid = IOASID_NO_PASID,
					    .iova = IOVA,
					    .length = 1,
					    .buffer = (uintptr_t)c->memory};

	assert_int_equal(rd_map(c->f, id, IOVA, c->memory, PAGE, RW), 0);
	rd_join(c->f, NIC, 1, id);
	kill(c->pid, SIGKILL);
	assert_int_equal(waitpid(c->pid, NULL, 0), c->pid);
	assert_int_equal(refdev_ioctl_of(c->f, c->pid, IOASID_TEST_DMA, &args), 0);
	assert_int_equal(args.fault, IOASID_FAULT_MEMORY);
	args.flags = IOASID_DMA_WRITE;
	assert_int_equal(refdev_ioctl_of(c->f, c->pid, IOASID_TEST_DMA, &args), -EFAULT);
	assert_int_equal(rd_map(c->f, id, 2 * IOVA, c->memory, PAGE, RW), -EFAULT);
	assert_int_equal(rd_detach(c->f, 1), 0);
	assert_int_equal(rd_free(c->f, id), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_memory),
		TEST(test_descriptor),
		TEST(test_another_caller),
		TEST(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
