// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The iommufd driver on the kernel's mock IOMMU: faults, viommus and what belongs to them; of these
 * what the table of cases can't say of all backends: queues read in parts, in order, overflowing,
 * or held by others; caches that only this IOMMU lets one look into; what no config asks for.
 */
#include <fcntl.h>
#include <poll.h>

#include "mock_fixture.h"

static bool readable(int descriptor)
{
	struct pollfd p = {.fd = descriptor, .events = POLLIN};

	return poll(&p, 1, 0) == 1 && p.revents & POLLIN;
}

static void trigger_fault(uint32_t device, uint32_t pasid, uint32_t group, uint64_t address)
{
	assert_int_equal(test_op((struct iommufd_test){.op = IOMMUFD_TEST_TRIGGER_FAULT,
						       .fault = {.device_id = device,
								 .pasid = pasid,
								 .group = group,
								 .perm = 3,
								 .addr = address}}),
			 0);
}

static void test_faults(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	uint32_t parent, s1, s2, device;
	struct driver_device *dev;
	struct io_fault faults[4];
	size_t n;

	NEED_MOCK();
	dev = mock_device("dev");
	device = last_traced("IOMMU_HWPT_ALLOC", "device=");
	parent = gpa("gpa", IOASID_FLAG_NEST_PARENT | IOASID_FLAG_PASID);
	s1 = nested("s1", IOASID_FLAG_FAULT_QUEUE | IOASID_FLAG_PASID,
		    (struct nesting){parent, NO_INDEX, dev}, 1);
	s2 = nested("s2", IOASID_FLAG_FAULT_QUEUE | IOASID_FLAG_PASID,
		    (struct nesting){parent, NO_INDEX, dev}, 1);
	assert_int_equal(D.faults_fd(fd, parent), -1);
	assert_true(D.faults_fd(fd, s1) >= 0);
	attach(dev, s1, NO_PASID);
	attach(dev, s2, 9);
	assert_int_equal(D.faults_read(fd, s1, faults, 4, &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_false(readable(D.faults_fd(fd, s1)));

	for (uint32_t i = 0; i < 3; i++)
		trigger_fault(device, 0, i + 1, 0x1000 * i);
	trigger_fault(device, 9, 70, 0xabc000);
	assert_true(readable(D.faults_fd(fd, s1)));
	/* Less room than there are: the rest comes with the next call. */
	assert_int_equal(D.faults_read(fd, s1, faults, 2, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(faults[1].device, device);
	assert_int_equal(faults[1].group, 2);
	assert_int_equal(faults[1].address, 0x1000);
	assert_int_equal(faults[1].access, FAULT_READ | FAULT_WRITE);
	assert_true(faults[1].last);
	assert_true(faults[1].pasid == NO_PASID);
	assert_int_equal(D.faults_read(fd, s1, &faults[2], 2, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(faults[2].group, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(D.fault_answer(fd, s1, faults[i].cookie, i & 1, NULL), 0);
	assert_int_equal(D.fault_answer(fd, s1, faults[0].cookie, true, &err), -EINVAL);
	assert_non_null(strstr(err->cause, "it was answered, or its device has left"));
	error_free(steal_pointer(err));
	assert_int_equal(D.faults_read(fd, s2, faults, 4, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(faults[0].pasid, 9);
	assert_int_equal(D.fault_answer(fd, s2, faults[0].cookie, true, NULL), 0);
	assert_int_equal(D.faults_read(fd, parent, faults, 4, &n, &err), -EOPNOTSUPP);

	/* One that waits when its device leaves is answered by the kernel. */
	trigger_fault(device, 0, 8, 0x5000);
	detach(dev, NO_PASID);
	assert_false(readable(D.faults_fd(fd, s1)));
	detach(dev, 9);
	release(s1);
	release(s2);
	release(parent);
	D.device_close(dev);
}

static void test_queue_that_others_hold(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	uint32_t ioasid;
	int copy;

	NEED_MOCK();
	ioasid = gpa("gpa", IOASID_FLAG_FAULT_QUEUE);
	copy = fcntl(D.faults_fd(fd, ioasid), F_DUPFD_CLOEXEC, 0);
	assert_int_equal(D.ioasid_free(fd, ioasid, &err), -EBUSY);
	assert_string_equal(err->message,
			    "can't free the fault queue of gpa: Device or resource busy");
	assert_string_equal(err->cause, "a process that it was handed to has it open");
	close(copy);
}

static uint32_t make_viommu(enum viommu_type type, uint32_t parent, struct driver_device *dev)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct viommu spec;
	uint32_t id = 0;

	viommu_init(&spec);
	spec.name = (char *)"smmu";
	spec.type = type;
	if (D.viommu_alloc(fd, &spec, parent, dev, &id, &err))
		fail_msg("%s: %s", err->message, err->cause ? err->cause : "");
	return id;
}

static uint32_t make_vdevice(uint32_t viommu, struct driver_device *dev, uint64_t virt_id)
{
	uint32_t id = 0;

	assert_int_equal(D.vdevice_alloc(fd, viommu, dev, virt_id, &id, NULL), 0);
	return id;
}

static void trigger_event(uint32_t device)
{
	int ret = test_op(
		(struct iommufd_test){.op = IOMMUFD_TEST_TRIGGER_EVENT, .event.device_id = device});

	assert_true(!ret || ret == -EOVERFLOW); /* no room: it is lost, and the queue says so */
}

static void test_viommu_and_events(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	uint32_t parent, viommu, vdevice, events, s1, device, id, seen;
	struct viommu_event event[8];
	struct driver_device *dev;
	size_t n;

	NEED_MOCK();
	dev = mock_device("dev");
	device = last_traced("IOMMU_HWPT_ALLOC", "device=");
	parent = gpa("gpa", IOASID_FLAG_NEST_PARENT);
	viommu = make_viommu(VIOMMU_DEFAULT, parent, dev);
	assert_int_equal(domains(parent), 1);
	assert_int_equal(D.viommu_probe(fd, viommu), 0);
	assert_int_equal(D.events_alloc(fd, viommu, 4, &events, NULL), 0);
	assert_true(D.events_fd(fd, events) >= 0);
	assert_int_equal(D.events_alloc(fd, viommu, 4, &id, &err), -EEXIST);
	error_free(steal_pointer(err));
	s1 = nested("s1", 0, (struct nesting){parent, viommu, dev}, 7);

	assert_int_equal(D.attach(fd, dev, s1, NO_PASID, &err), -ENOENT);
	assert_non_null(strstr(err->cause, "no vdevice on the viommu that s1 is on"));
	error_free(steal_pointer(err));
	vdevice = make_vdevice(viommu, dev, 0x18);
	assert_int_equal(D.vdevice_alloc(fd, viommu, dev, 0x19, &id, &err), -EEXIST);
	assert_non_null(strstr(err->message, "can't make dev (0) known to smmu as 0x19"));
	error_free(steal_pointer(err));
	attach(dev, s1, NO_PASID);

	assert_int_equal(D.events_read(fd, events, event, 8, &n, NULL), 0);
	assert_int_equal(n, 0);
	trigger_event(device);
	trigger_event(device);
	assert_int_equal(D.events_read(fd, events, event, 1, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_false(event[0].lost);
	assert_int_equal(event[0].size, 4);
	memcpy(&seen, event[0].data, sizeof(seen));
	assert_int_equal(seen, 0x18);
	assert_int_equal(D.events_read(fd, events, &event[1], 7, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(event[1].sequence, event[0].sequence + 1);
	for (int i = 0; i < 7; i++)
		trigger_event(device);
	assert_int_equal(D.events_read(fd, events, event, 8, &n, NULL), 0);
	assert_int_equal(n, 5);
	assert_true(!event[3].lost && event[4].lost);

	assert_int_equal(D.viommu_free(fd, viommu, &err), -EBUSY);
	assert_non_null(strstr(err->cause, "still on it"));
	detach(dev, NO_PASID);
	assert_int_equal(D.vdevice_free(fd, vdevice, NULL), 0);
	release(s1);
	assert_int_equal(D.events_free(fd, events, NULL), 0);
	assert_int_equal(D.events_fd(fd, events), -1);
	assert_int_equal(D.viommu_free(fd, viommu, NULL), 0);
	assert_int_equal(D.viommu_probe(fd, viommu), -ENOENT);
	assert_int_equal(domains(parent), 0);
	release(parent);
	D.device_close(dev);
}

static int check_cache(uint32_t device, uint32_t entry, uint32_t value)
{
	return test_op((struct iommufd_test){.op = IOMMUFD_TEST_CHECK_CACHE,
					     .id = device,
					     .check_cache = {.entry = entry, .value = value}});
}

static void test_invalidation_by_viommu(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	const struct invalidation entries[] = {{.words = {2}, .n_words = 1},
					       {.words = {1, 0x21}, .n_words = 2},
					       {.words = {1, 0x99}, .n_words = 2},
					       {.everything = true}};
	const uint32_t fresh = 0xbaddad;
	uint32_t parent, viommu, first, second, vdevices[2];
	struct driver_device *a, *b;
	size_t done;

	NEED_MOCK();
	a = mock_device("a");
	first = last_traced("IOMMU_HWPT_ALLOC", "device=");
	b = mock_device("b");
	parent = gpa("gpa", IOASID_FLAG_NEST_PARENT);
	attach(b, parent, NO_PASID);
	second = last_traced("IOMMU_HWPT_ALLOC", "device=");
	viommu = make_viommu(VIOMMU_MOCK, parent, a);
	vdevices[0] = make_vdevice(viommu, a, 0x20);
	vdevices[1] = make_vdevice(viommu, b, 0x21);
	assert_int_equal(check_cache(first, 2, fresh), 0);
	assert_int_equal(D.invalidate(fd, viommu, true, entries, 2, &done, NULL), 0);
	assert_int_equal(done, 2);
	assert_int_equal(check_cache(first, 2, 0), 0);
	assert_int_equal(check_cache(second, 2, 0), 0);
	assert_int_equal(check_cache(first, 1, fresh), 0);
	assert_int_equal(check_cache(second, 1, 0), 0);
	/* An entry of two commands, one, and one that fails. */
	assert_int_equal(D.invalidate(fd, viommu, true, entries, 4, &done, &err), -EINVAL);
	assert_int_equal(done, 2);
	assert_int_equal(D.invalidate(fd, viommu, true, &entries[3], 1, &done, NULL), 0);
	assert_int_equal(check_cache(first, 1, 0), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(D.vdevice_free(fd, vdevices[i], NULL), 0);
	assert_int_equal(D.viommu_free(fd, viommu, NULL), 0);
	D.device_close(a);
	D.device_close(b);
	release(parent);
}

static void test_vfio_compatibility(void **state)
{
	uint32_t one, two;

	NEED_MOCK();
	one = gpa("one", 0);
	two = gpa("two", 0);
	assert_int_equal(D.set_vfio_compat(fd, NO_INDEX, NULL), 0);
	assert_int_equal(D.set_vfio_compat(fd, one, NULL), 0);
	assert_int_equal(D.set_vfio_compat(fd, one, NULL), 0);
	assert_int_equal(D.set_vfio_compat(fd, two, NULL), 0);
	assert_int_equal(traced("IOMMU_VFIO_IOAS"), 6);
	assert_int_equal(D.set_vfio_compat(fd, NO_INDEX, NULL), 0);
	release(one);
	release(two);
}

static void test_adoption(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct memory_file m;
	struct map_args args;
	uint32_t ioasid;

	NEED_MOCK();
	m = make_memory(PAGE);
	ioasid = gpa("gpa", 0);
	map_at(ioasid, &m, BASE);
	assert_int_equal(D.adopt(fd, NULL), 0);
	args = (struct map_args){
		.iova = BASE + PAGE, .length = PAGE, .access = ACCESS_RW, .va = m.va};
	assert_int_equal(D.map(fd, ioasid, &args, NULL), 0);
	assert_int_equal(D.adopt(fd, &err), -EINVAL);
	assert_non_null(strstr(err->cause, "some of it was mapped by address"));
	release(ioasid);
	drop_memory(&m);
}

/* The lowest that is free, which the kernel takes; it doesn't say so itself. */
static int next_fd(void)
{
	int next = fcntl(D.fd_number(fd), F_DUPFD_CLOEXEC, 0);

	assert_true(next >= 0);
	close(next);
	return next;
}

static void test_memory_of_a_device(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev;
	struct map_args args;
	uint64_t length = PAGE, physical;
	uint32_t ioasid;
	int buffer;

	NEED_MOCK();
	buffer = next_fd();
	assert_int_equal(
		test_op((struct iommufd_test){
			.op = IOMMUFD_TEST_DMABUF_GET,
			.dmabuf_get = {.length = 4 * PAGE, .open_flags = O_RDWR | O_CLOEXEC}}),
		0);
	dev = mock_device("dev");
	ioasid = gpa("gpa", IOASID_FLAG_PASID);
	args = (struct map_args){.iova = BASE,
				 .length = 2 * PAGE,
				 .offset = PAGE,
				 .access = ACCESS_RW,
				 .fd = buffer};
	assert_int_equal(D.map(fd, ioasid, &args, NULL), 0);
	attach(dev, ioasid, NO_PASID);
	assert_int_equal(D.physical(fd, ioasid, BASE, &length, &physical, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err->cause, "an IOMMU translates"));
	assert_int_equal(D.unmap(fd, ioasid, BASE, 2 * PAGE, NULL), 0);
	close(buffer);
	D.device_close(dev);
	release(ioasid);
}

static void test_what_is_left_goes_with_the_fd(void **state)
{
	struct driver_device *a, *b;
	uint32_t parent, viommu, events, s1;

	NEED_MOCK();
	a = mock_device("a");
	b = mock_device("b");
	parent = gpa("gpa", IOASID_FLAG_NEST_PARENT | IOASID_FLAG_PASID);
	viommu = make_viommu(VIOMMU_MOCK, parent, a);
	make_vdevice(viommu, a, 5);
	assert_int_equal(D.events_alloc(fd, viommu, 4, &events, NULL), 0);
	s1 = nested("s1", IOASID_FLAG_PASID | IOASID_FLAG_FAULT_QUEUE,
		    (struct nesting){parent, viommu, a}, 7);
	attach(a, s1, NO_PASID);
	attach(b, parent, NO_PASID);
	attach(b, parent, 3);
	D.close(fd);
	fd = NULL;
	D.device_close(a);
	D.device_close(b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_fd, close_fd)
	const struct CMUnitTest tests[] = {
		TEST(test_faults),
		TEST(test_queue_that_others_hold),
		TEST(test_viommu_and_events),
		TEST(test_invalidation_by_viommu),
		TEST(test_vfio_compatibility),
		TEST(test_adoption),
		TEST(test_memory_of_a_device),
		TEST(test_what_is_left_goes_with_the_fd),
	};

	return cmocka_run_group_tests_name("mock-guests", tests, NULL, NULL);
}
