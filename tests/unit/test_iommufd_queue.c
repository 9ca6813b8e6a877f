// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The iommufd driver: queues of faults and events. What the kernel would give comes out of pipes
 * and sockets, well-formed and not.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "iommufd_objects.h"

/* Both ends of something like the kernel's queue: records to read, answers to write. */
static int ends[2];

static uint32_t faulting(uint32_t id, uint32_t queue)
{
	struct ioasid spec;
	uint32_t got;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends),
			 0);
	EXPECT(IOMMUFD_FAULT_QUEUE_ALLOC, iommufd_fault_alloc, .size = 16);
	ANSWER(iommufd_fault_alloc, .size = 16, .out_fault_id = queue,
	       .out_fault_fd = (uint32_t)ends[0]);
	expect_ioas(id);
	ioasid_init(&spec);
	spec.name = (char *)"gpa";
	spec.flags = IOASID_FLAG_FAULT_QUEUE;
	assert_int_equal(D.ioasid_alloc(fd, &spec, NULL, &got, NULL), 0);
	return got;
}

static void release(uint32_t id, uint32_t queue)
{
	expect_destroy(id);
	expect_destroy(queue);
	assert_int_equal(D.ioasid_free(fd, id, NULL), 0);
	close(ends[1]);
}

static void test_queue_of_an_ioasid(void **state)
{
	struct driver_device *dev = device(3, 8);

	(void)state;
	faulting(7, 25);
	assert_int_equal(D.faults_fd(fd, 7), ends[0]);
	assert_int_equal(D.faults_fd(fd, 8), -1);
	EXPECT(IOMMUFD_HWPT_ALLOC, iommufd_hwpt_alloc, .size = 48, .flags = 4, .dev_id = 3,
	       .pt_id = 7, .fault_id = 25);
	ANSWER(iommufd_hwpt_alloc, .size = 48, .out_hwpt_id = 20);
	expect_attach(20, NO_PASID, 20);
	assert_int_equal(D.attach(fd, dev, 7, NO_PASID, NULL), 0);
	expect_destroy(20);
	D.device_close(dev);
	release(7, 25);
	/* It has been closed. */
	assert_int_equal(fcntl(ends[0], F_GETFD), -1);
}

static void test_failed_ioasid_takes_its_queue_along(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct ioasid spec;
	uint32_t id;

	(void)state;
	ioasid_init(&spec);
	spec.name = (char *)"gpa";
	spec.flags = IOASID_FLAG_FAULT_QUEUE;
	EXPECT(IOMMUFD_FAULT_QUEUE_ALLOC, iommufd_fault_alloc, .size = 16);
	FAIL(EMFILE);
	assert_int_equal(D.ioasid_alloc(fd, &spec, NULL, &id, &err), -EMFILE);
	assert_int_equal(err->kind, ERROR_MEMORY);
	assert_string_equal(err->ioctl, "IOMMU_FAULT_QUEUE_ALLOC");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	EXPECT(IOMMUFD_FAULT_QUEUE_ALLOC, iommufd_fault_alloc, .size = 16);
	ANSWER(iommufd_fault_alloc, .size = 16, .out_fault_id = 25,
	       .out_fault_fd = (uint32_t)ends[0]);
	EXPECT(IOMMUFD_IOAS_ALLOC, iommufd_ioas_alloc, .size = 12);
	FAIL(ENOMEM);
	expect_destroy(25);
	assert_int_equal(D.ioasid_alloc(fd, &spec, NULL, &id, NULL), -ENOMEM);
	assert_int_equal(fcntl(ends[0], F_GETFD), -1);
	close(ends[1]);
}

static const struct iommufd_pgfault raw_faults[] = {
	{.flags = 3,
	 .dev_id = 3,
	 .pasid = 9,
	 .grpid = 1,
	 .perm = 0xf,
	 .addr = 0x1000,
	 .length = 0x2000,
	 .cookie = 5},
	{.dev_id = 3, .pasid = 9, .grpid = 2, .perm = 1, .addr = 0x3000, .cookie = 6},
	{.flags = 2, .dev_id = 4, .grpid = 2, .perm = 2, .addr = UINT64_MAX, .cookie = 6},
};

static void test_faults(void **state)
{
	struct io_fault f[4];
	size_t n = 9;

	(void)state;
	faulting(7, 25);
	assert_int_equal(D.faults_read(fd, 7, f, 4, &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_int_equal(write(ends[1], raw_faults, sizeof(raw_faults)), sizeof(raw_faults));
	assert_int_equal(D.faults_read(fd, 7, f, 2, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(f[0].device, 3);
	assert_int_equal(f[0].pasid, 9);
	assert_int_equal(f[0].group, 1);
	assert_int_equal(f[0].cookie, 5);
	assert_int_equal(f[0].access, FAULT_READ | FAULT_WRITE | FAULT_EXEC | FAULT_PRIVILEGED);
	assert_true(f[0].last);
	assert_int_equal(f[0].address, 0x1000);
	assert_int_equal(f[0].length, 0x2000);
	/* A PASID that isn't marked as one is none. */
	assert_true(f[1].pasid == NO_PASID && !f[1].last && f[1].access == FAULT_READ);
	assert_int_equal(D.faults_read(fd, 7, f, 4, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_true(f[0].device == 4 && f[0].last && f[0].address == UINT64_MAX);
	release(7, 25);
}

static void test_more_faults_than_one_read_takes(void **state)
{
	enum { MANY = 250 };
	struct iommufd_pgfault raw[MANY] = {0};
	struct io_fault f[MANY + 1];
	size_t n;

	(void)state;
	faulting(7, 25);
	for (uint32_t i = 0; i < MANY; i++)
		raw[i].cookie = i;
	assert_int_equal(write(ends[1], raw, sizeof(raw)), sizeof(raw));
	assert_int_equal(D.faults_read(fd, 7, f, MANY + 1, &n, NULL), 0);
	assert_int_equal(n, MANY);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(f[i].cookie, i);
	release(7, 25);
}

/* Those that aren't taken stay where the descriptor tells of them. */
static void test_what_is_left_can_be_waited_for(void **state)
{
	struct iommufd_pgfault raw[5] = {0};
	struct pollfd queue = {.events = POLLIN};
	struct io_fault f[5];
	size_t n;

	(void)state;
	faulting(7, 25);
	queue.fd = ends[0];
	assert_int_equal(write(ends[1], raw, sizeof(raw)), sizeof(raw));
	assert_int_equal(D.faults_read(fd, 7, f, 2, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(poll(&queue, 1, 0), 1);
	assert_int_equal(D.faults_read(fd, 7, f, 5, &n, NULL), 0);
	assert_int_equal(n, 3);
	assert_int_equal(poll(&queue, 1, 0), 0);
	release(7, 25);
}

static void test_half_a_fault(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct io_fault f[4];
	size_t n;

	(void)state;
	faulting(7, 25);
	assert_int_equal(write(ends[1], raw_faults, 60), 60);
	assert_int_equal(D.faults_read(fd, 7, f, 4, &n, &err), -EPROTO);
	assert_int_equal(n, 1);
	assert_int_equal(err->kind, ERROR_PROTOCOL);
	assert_non_null(strstr(err->message, "less than a whole record of the queue of gpa"));
	/* What follows is taken for what it is. */
	assert_int_equal(write(ends[1], raw_faults, 40), 40);
	assert_int_equal(D.faults_read(fd, 7, f, 4, &n, NULL), 0);
	assert_int_equal(n, 1);
	release(7, 25);
}

/* Reading an epoll descriptor is EINVAL however large the room, as no kernel's queue would be. */
static void test_queue_that_never_has_enough_room(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct io_fault f[4];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	size_t n;

	(void)state;
	faulting(7, 25);
	assert_int_equal(dup2(epoll, ends[0]), ends[0]);
	close(epoll);
	assert_int_equal(D.faults_read(fd, 7, f, 4, &n, &err), -EPROTO);
	assert_int_equal(n, 0);
	assert_non_null(strstr(err->message, "can't read the queue of gpa"));
	release(7, 25);
}

static void test_answers(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	uint32_t got[4];
	size_t n;

	(void)state;
	faulting(7, 25);
	assert_int_equal(D.fault_answer(fd, 7, 5, true, NULL), 0);
	assert_int_equal(D.fault_answer(fd, 7, 6, false, NULL), 0);
	assert_int_equal(read(ends[1], got, sizeof(got)), sizeof(got));
	assert_true(got[0] == 5 && got[1] == 0 && got[2] == 6 && got[3] == 1);
	close(ends[1]);
	ends[1] = -1;
	assert_int_equal(D.fault_answer(fd, 8, 5, true, &err), -EOPNOTSUPP);
	assert_string_equal(err->message, "this IOASID has no fault queue");
	error_free(steal_pointer(err));
	assert_int_equal(D.faults_read(fd, 8, NULL, 0, &n, &err), -EOPNOTSUPP);
	release(7, 25);
}

static void test_queue_that_others_hold(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	faulting(7, 25);
	expect_destroy(7);
	expect_busy(25);
	assert_int_equal(D.ioasid_free(fd, 7, &err), -EBUSY);
	assert_int_equal(err->kind, ERROR_BUSY);
	assert_string_equal(err->cause, "a process that it was handed to has it open");
	close(ends[1]);
}

/* Viommu 40 with event queue 45, of which `ends` are both ends. */
static void eventful(enum viommu_type type, uint32_t number, uint32_t queue_type,
		     struct driver_device *dev)
{
	struct viommu spec;
	uint32_t id;

	viommu_init(&spec);
	spec.name = (char *)"v";
	spec.type = type;
	gpa(7, IOASID_FLAG_NEST_PARENT);
	expect_hwpt(1, 3, 7, 20);
	EXPECT(IOMMUFD_VIOMMU_ALLOC, iommufd_viommu_alloc, .size = 40, .type = number, .dev_id = 3,
	       .hwpt_id = 20);
	ANSWER(iommufd_viommu_alloc, .size = 40, .hwpt_id = 20, .out_viommu_id = 40);
	assert_int_equal(D.viommu_alloc(fd, &spec, 7, dev, &id, NULL), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends),
			 0);
	EXPECT(IOMMUFD_VEVENTQ_ALLOC, iommufd_veventq_alloc, .size = 32, .viommu_id = 40,
	       .type = queue_type, .veventq_depth = 16);
	ANSWER(iommufd_veventq_alloc, .size = 32, .out_veventq_id = 45,
	       .out_veventq_fd = (uint32_t)ends[0]);
	assert_int_equal(D.events_alloc(fd, 40, 16, &id, NULL), 0);
	assert_int_equal(id, 45);
	assert_int_equal(D.events_fd(fd, 45), ends[0]);
}

static void test_events_of_smmuv3(void **state)
{
	static const struct {
		struct iommufd_event_header first;
		uint64_t event[4];
		struct iommufd_event_header lost;
		struct iommufd_event_header second;
		uint64_t again[4];
	} raw = {{0, 7}, {1, 2, 3, 4}, {1, 9}, {0, 10}, {5, 6, 7, 8}};
	struct driver_device *dev = device(3, 8);
	struct viommu_event e[4];
	size_t n;

	(void)state;
	eventful(VIOMMU_ARM_SMMUV3, 1, 1, dev);
	assert_int_equal(D.events_read(fd, 45, e, 4, &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_int_equal(write(ends[1], &raw, sizeof(raw)), sizeof(raw));
	assert_int_equal(D.events_read(fd, 45, e, 1, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(e[0].sequence, 7);
	assert_int_equal(e[0].size, 32);
	assert_memory_equal(e[0].data, raw.event, 32);
	assert_int_equal(D.events_read(fd, 45, e, 4, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_true(e[0].lost && e[0].sequence == 9 && e[0].size == 0);
	assert_true(!e[1].lost && e[1].sequence == 10);
	assert_memory_equal(e[1].data, raw.again, 32);
	/* Its descriptor is closed, and then the object goes. */
	expect_destroy(45);
	assert_int_equal(D.events_free(fd, 45, NULL), 0);
	assert_int_equal(fcntl(ends[0], F_GETFD), -1);
	assert_int_equal(D.events_fd(fd, 45), -1);
	close(ends[1]);
	D.device_close(dev);
}

static void test_half_an_event(void **state)
{
	static const uint32_t raw[] = {0, 1, 0x18, 0, 2};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = device(3, 8);
	struct viommu_event e[4];
	size_t n;

	(void)state;
	eventful(VIOMMU_MOCK, 0xdeadbeef, 0xbeefbeef, dev);
	assert_int_equal(write(ends[1], raw, sizeof(raw)), sizeof(raw));
	assert_int_equal(D.events_read(fd, 45, e, 4, &n, &err), -EPROTO);
	assert_int_equal(n, 1);
	assert_true(e[0].size == 4 && !memcmp(e[0].data, &raw[2], 4));
	assert_non_null(strstr(err->message, "queue of v"));
	error_free(steal_pointer(err));
	assert_int_equal(write(ends[1], raw, 5), 5);
	assert_int_equal(D.events_read(fd, 45, e, 4, &n, NULL), -EPROTO);
	assert_int_equal(D.events_read(fd, 99, e, 4, &n, NULL), -ENOENT);
	expect_busy(45);
	assert_int_equal(D.events_free(fd, 45, &err), -EBUSY);
	assert_string_equal(err->cause, "a process that it was handed to has it open");
	error_free(steal_pointer(err));
	assert_int_equal(D.events_free(fd, 45, &err), -ENOENT);
	close(ends[1]);
	D.device_close(dev);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_one, close_one)
	const struct CMUnitTest tests[] = {
		TEST(test_queue_of_an_ioasid),
		TEST(test_failed_ioasid_takes_its_queue_along),
		TEST(test_faults),
		TEST(test_more_faults_than_one_read_takes),
		TEST(test_what_is_left_can_be_waited_for),
		TEST(test_half_a_fault),
		TEST(test_queue_that_never_has_enough_room),
		TEST(test_answers),
		TEST(test_queue_that_others_hold),
		TEST(test_events_of_smmuv3),
		TEST(test_half_an_event),
	};

	return cmocka_run_group_tests_name("iommufd-queue", tests, NULL, NULL);
}
