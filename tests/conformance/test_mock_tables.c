// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The iommufd driver on the kernel's mock IOMMU: page tables of every kind, and devices in them; of
 * these what the table of cases can't say of all backends: which kernel objects the driver makes
 * and when they go, by its trace, and what the kernel's own test operations find in them.
 */
#include "mock_fixture.h"

/* The kernel compares what its page table holds with what lies at an address of ours. */
static int check_map(uint32_t hwpt, uint64_t iova, const struct memory_file *m)
{
	return test_op((struct iommufd_test){
		.op = IOMMUFD_TEST_CHECK_MAP,
		.id = hwpt,
		.check_map = {.iova = iova, .length = m->size, .va = (uintptr_t)m->va}});
}

static void test_plain(void **state)
{
	struct driver_device *a, *b;
	struct memory_file m;
	uint32_t ioasid;

	NEED_MOCK();
	m = make_memory(16 * PAGE);
	a = mock_device("a");
	b = mock_device("b");
	ioasid = gpa("gpa", 0);
	map_at(ioasid, &m, BASE);
	assert_int_equal(domains(ioasid), 0);
	attach(a, ioasid, NO_PASID);
	attach(b, ioasid, NO_PASID);
	assert_int_equal(domains(ioasid), 1);
	/* Nothing was made by hand but the parking place. */
	assert_int_equal(traced("IOMMU_HWPT_ALLOC"), 1);
	detach(a, NO_PASID);
	detach(b, NO_PASID);
	assert_int_equal(domains(ioasid), 0);
	release(ioasid);
	D.device_close(a);
	D.device_close(b);
	drop_memory(&m);
}

static void test_flags_share_one_table(void **state)
{
	static const uint32_t flags[] = {
		IOASID_FLAG_NEST_PARENT,
		IOASID_FLAG_DIRTY,
		IOASID_FLAG_PASID,
		IOASID_FLAG_FAULT_QUEUE,
		IOASID_FLAG_NEST_PARENT | IOASID_FLAG_DIRTY | IOASID_FLAG_PASID |
			IOASID_FLAG_NO_HUGE,
	};
	struct driver_device *a, *b;
	struct memory_file m;

	NEED_MOCK();
	m = make_memory(16 * PAGE);
	a = mock_device("a");
	b = mock_device("b");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		uint32_t ioasid = gpa("gpa", flags[i]), hwpt;

		map_at(ioasid, &m, BASE);
		attach(a, ioasid, NO_PASID);
		hwpt = last_traced("IOMMU_HWPT_ALLOC", " id=");
		attach(b, ioasid, NO_PASID);
		assert_int_equal(domains(ioasid), 1);
		assert_int_equal(last_traced("IOMMU_HWPT_ALLOC", " id="), hwpt);
		assert_int_equal(check_map(hwpt, BASE, &m), 0);
		detach(a, NO_PASID);
		assert_int_equal(domains(ioasid), 1);
		detach(b, NO_PASID);
		assert_int_equal(domains(ioasid), 0);
		assert_int_equal(check_map(hwpt, BASE, &m), -ENOENT);
		release(ioasid);
	}
	D.device_close(a);
	D.device_close(b);
	drop_memory(&m);
}

static void test_failed_attach_leaves_nothing(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev;
	struct memory_file m;
	uint32_t ioasid;

	NEED_MOCK();
	m = make_memory(PAGE);
	dev = mock_device("dev");
	ioasid = gpa("gpa", IOASID_FLAG_NEST_PARENT);
	map_at(ioasid, &m, 0); /* below what the mock IOMMU reaches */
	assert_int_equal(D.attach(fd, dev, ioasid, NO_PASID, &err), -EADDRINUSE);
	assert_non_null(strstr(err->message, "page table of gpa"));
	assert_non_null(strstr(err->cause, "past the addresses"));
	assert_int_equal(domains(ioasid), 0);
	assert_int_equal(D.unmap(fd, ioasid, 0, PAGE, NULL), 0);
	attach(dev, ioasid, NO_PASID);
	assert_int_equal(domains(ioasid), 1);
	/* What is attached goes with the device. */
	D.device_close(dev);
	assert_int_equal(domains(ioasid), 0);
	release(ioasid);
	drop_memory(&m);
}

static int check_iotlb(uint32_t hwpt, uint32_t entry, uint32_t value)
{
	return test_op((struct iommufd_test){.op = IOMMUFD_TEST_CHECK_IOTLB,
					     .id = hwpt,
					     .check_iotlb = {.entry = entry, .value = value}});
}

static void test_nesting(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	const struct invalidation second = {.words = {1}, .n_words = 1}, all = {.everything = true},
				  range = {.range = {0, 0xfff}};
	const struct invalidation bad[] = {second, {.words = {77}, .n_words = 1}, all};
	struct driver_device *dev;
	uint32_t parent, one, two;
	size_t done;

	NEED_MOCK();
	dev = mock_device("dev");
	parent = gpa("gpa", IOASID_FLAG_NEST_PARENT);
	/* A table is needed for nesting before any device has come. */
	one = nested("one", 0, (struct nesting){parent, NO_INDEX, dev}, 0xabcd);
	two = nested("two", 0, (struct nesting){parent, NO_INDEX, dev}, 0x1234);
	assert_int_equal(domains(parent), 1);
	assert_int_equal(domains(one), 1);
	attach(dev, parent, NO_PASID);
	assert_int_equal(domains(parent), 1);
	attach(dev, one, NO_PASID);
	attach(dev, two, NO_PASID);
	assert_int_equal(D.ioasid_probe(fd, one), 0);
	assert_int_equal(D.ioasid_free(fd, two, &err), -EBUSY);
	assert_string_equal(err->cause, "dev (0) is attached to it");
	error_free(steal_pointer(err));
	attach(dev, parent, NO_PASID);
	assert_int_equal(check_iotlb(two, 3, 0x1234), 0);

	assert_int_equal(check_iotlb(one, 1, 0xabcd), 0);
	assert_int_equal(D.invalidate(fd, one, false, &second, 1, &done, NULL), 0);
	assert_int_equal(done, 1);
	assert_int_equal(check_iotlb(one, 1, 0), 0);
	assert_int_equal(check_iotlb(one, 2, 0xabcd), 0);
	assert_int_equal(D.invalidate(fd, one, false, bad, 3, &done, &err), -EINVAL);
	assert_int_equal(done, 1);
	assert_non_null(strstr(err->message, "entry 2 of 3 of one"));
	error_free(steal_pointer(err));
	assert_int_equal(check_iotlb(one, 2, 0xabcd), 0);
	assert_int_equal(D.invalidate(fd, one, false, &all, 1, &done, NULL), 0);
	assert_int_equal(check_iotlb(one, 2, 0), 0);
	assert_int_equal(D.invalidate(fd, one, false, &range, 1, &done, &err), -EOPNOTSUPP);
	error_free(steal_pointer(err));
	assert_int_equal(D.invalidate(fd, parent, false, &all, 1, &done, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err->cause, "the kernel keeps the caches"));
	error_free(steal_pointer(err));

	assert_int_equal(D.ioasid_free(fd, parent, &err), -EBUSY);
	detach(dev, NO_PASID);
	error_free(steal_pointer(err));
	assert_int_equal(D.ioasid_free(fd, parent, &err), -EBUSY);
	assert_non_null(strstr(err->cause, "the nested IOASID two is on it"));
	release(one);
	release(two);
	assert_int_equal(D.ioasid_probe(fd, one), -ENOENT);
	assert_int_equal(domains(parent), 0);
	release(parent);
	D.device_close(dev);
}

static int check_pasid(uint32_t mock_id, uint32_t pasid, uint32_t hwpt)
{
	return test_op((struct iommufd_test){.op = IOMMUFD_TEST_PASID_CHECK,
					     .id = mock_id,
					     .pasid_check = {.pasid = pasid, .hwpt_id = hwpt}});
}

static void test_pasids(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	uint32_t parent, one, two, plain, whole, object;
	struct driver_device *dev;

	NEED_MOCK();
	dev = mock_device("dev");
	object = last_traced("IOMMU_TEST_CMD", "replace mock=");
	parent = gpa("gpa", IOASID_FLAG_NEST_PARENT | IOASID_FLAG_PASID);
	whole = gpa("whole", IOASID_FLAG_PASID);
	plain = gpa("plain", 0);
	one = nested("one", IOASID_FLAG_PASID, (struct nesting){parent, NO_INDEX, dev}, 1);
	two = nested("two", IOASID_FLAG_PASID, (struct nesting){parent, NO_INDEX, dev}, 2);

	/* Of a device that is in nothing as a whole. */
	attach(dev, one, 5);
	assert_int_equal(check_pasid(object, 5, one), 0);
	attach(dev, whole, NO_PASID);
	attach(dev, two, 5);
	attach(dev, one, 6);
	assert_int_equal(check_pasid(object, 5, two), 0);
	assert_int_equal(check_pasid(object, 6, one), 0);
	/* The parent itself by PASID, beside the whole device in it. */
	attach(dev, parent, NO_PASID);
	attach(dev, parent, 7);
	assert_int_equal(domains(parent), 1);

	assert_int_equal(D.attach(fd, dev, plain, 8, &err), -EINVAL);
	assert_string_equal(err->cause, "the IOASID lacks pasid: true");
	error_free(steal_pointer(err));
	assert_int_equal(D.attach(fd, dev, plain, NO_PASID, &err), -EINVAL);
	assert_non_null(strstr(err->cause, "PASIDs of the device are attached"));
	error_free(steal_pointer(err));
	assert_int_equal(D.attach(fd, dev, parent, PASID_MAX + 1, &err), -EINVAL);
	assert_string_equal(err->cause,
			    "the device and its IOMMU have PASIDs of 20 bits, up to 1048575");
	error_free(steal_pointer(err));

	detach(dev, 5);
	assert_int_equal(check_pasid(object, 5, 0), 0);
	detach(dev, 6);
	detach(dev, 7);
	attach(dev, plain, NO_PASID);
	assert_int_equal(D.attach(fd, dev, one, 5, &err), -EINVAL);
	assert_non_null(strstr(err->cause, "that the whole device is in lacks pasid: true"));
	attach(dev, parent, NO_PASID);
	attach(dev, one, 9);
	/* The device goes while one of its PASIDs is attached. */
	D.device_close(dev);
	release(one);
	release(two);
	assert_int_equal(domains(parent), 0);
	release(parent);
	release(whole);
	release(plain);
}

static void test_dirty_pages(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	uint64_t bitmap[2] = {0}, some = 0x8000000000000005;
	struct range range = {BASE, BASE + 128 * PAGE - 1};
	struct driver_device *dev;
	uint32_t ioasid, plain, hwpt;
	struct memory_file m;

	NEED_MOCK();
	m = make_memory(128 * PAGE);
	dev = mock_device("dev");
	plain = gpa("plain", 0);
	assert_int_equal(D.dirty_set(fd, plain, true, &err), -EOPNOTSUPP);
	assert_string_equal(err->cause, "it lacks dirty_tracking: true");
	error_free(steal_pointer(err));
	/* With large pages one bit may stand for more than one page that was written. */
	ioasid = gpa("gpa", IOASID_FLAG_DIRTY | IOASID_FLAG_NO_HUGE);
	map_at(ioasid, &m, BASE);
	/* Before the device comes, and with it. */
	assert_int_equal(D.dirty_set(fd, ioasid, true, NULL), 0);
	attach(dev, ioasid, NO_PASID);
	hwpt = last_traced("IOMMU_HWPT_ALLOC", " id=");
	assert_int_equal(test_op((struct iommufd_test){.op = IOMMUFD_TEST_DIRTY,
						       .id = hwpt,
						       .dirty = {.iova = BASE,
								 .length = 64 * PAGE,
								 .page_size = PAGE,
								 .bitmap = (uintptr_t)&some}}),
			 0);
	assert_int_equal(D.dirty_read(fd, ioasid, &range, PAGE, true, bitmap, NULL), 0);
	assert_true(bitmap[0] == some && bitmap[1] == 0);
	/* It was kept, and what the caller has stays set. */
	bitmap[1] = 4;
	bitmap[0] = 0;
	assert_int_equal(D.dirty_read(fd, ioasid, &range, PAGE, false, bitmap, NULL), 0);
	assert_true(bitmap[0] == some && bitmap[1] == 4);
	bitmap[0] = 0;
	assert_int_equal(D.dirty_read(fd, ioasid, &range, PAGE, false, bitmap, NULL), 0);
	assert_true(bitmap[0] == 0 && bitmap[1] == 4);

	/* A device that leaves doesn't take along what nobody has read. */
	some = 2;
	assert_int_equal(test_op((struct iommufd_test){.op = IOMMUFD_TEST_DIRTY,
						       .id = hwpt,
						       .dirty = {.iova = BASE,
								 .length = 64 * PAGE,
								 .page_size = PAGE,
								 .bitmap = (uintptr_t)&some}}),
			 0);
	detach(dev, NO_PASID);
	assert_int_equal(D.dirty_read(fd, ioasid, &range, PAGE, false, bitmap, NULL), 0);
	assert_true(bitmap[0] == 2);
	assert_int_equal(D.dirty_read(fd, ioasid, &(struct range){BASE + 100, BASE + 5000}, PAGE,
				      false, bitmap, &err),
			 -EINVAL);
	assert_int_equal(D.dirty_set(fd, ioasid, false, NULL), 0);
	assert_int_equal(domains(ioasid), 0);
	release(ioasid);
	release(plain);
	D.device_close(dev);
	drop_memory(&m);
}

static void test_placing(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct memory_file m;
	struct driver_device *dev;
	uint64_t first = 0, second = 0;
	struct map_args args;
	uint32_t ioasid, hwpt;

	NEED_MOCK();
	m = make_memory(16 * PAGE);
	dev = mock_device("dev");
	ioasid = gpa("gpa", IOASID_FLAG_PASID);
	attach(dev, ioasid, NO_PASID);
	hwpt = last_traced("IOMMU_HWPT_ALLOC", " id=");
	args = (struct map_args){
		.length = m.size, .access = ACCESS_RW, .fd = m.fd, .placed = &first};
	assert_int_equal(D.map(fd, ioasid, &args, NULL), 0);
	assert_in_range(first, BASE, IOMMUFD_TEST_APERTURE_LAST - m.size + 1);
	assert_int_equal(check_map(hwpt, first, &m), 0);
	args.placed = &second;
	args.va = m.va;
	assert_int_equal(D.map(fd, ioasid, &args, NULL), 0);
	assert_true(second != first);
	assert_int_equal(check_map(hwpt, second, &m), 0);
	assert_int_equal(D.allow(fd, ioasid, NULL, 0, NULL), 0);
	args.length = 1ULL << 40;
	args.va = NULL;
	assert_true(D.map(fd, ioasid, &args, &err) < 0);
	assert_non_null(strstr(err->message, "can't find a place for 0x10000000000 bytes"));
	D.device_close(dev);
	release(ioasid);
	drop_memory(&m);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_fd, close_fd)
	const struct CMUnitTest tests[] = {
		TEST(test_plain),
		TEST(test_flags_share_one_table),
		TEST(test_failed_attach_leaves_nothing),
		TEST(test_nesting),
		TEST(test_pasids),
		TEST(test_dirty_pages),
		TEST(test_placing),
	};

	return cmocka_run_group_tests_name("mock-tables", tests, NULL, NULL);
}
