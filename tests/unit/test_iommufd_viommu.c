// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The iommufd driver: viommus, what belongs to them, and stale caches. Each argument of each ioctl
 * is compared, and what its pointers lead to.
 */
#include <endian.h>

#include "iommufd_objects.h"

static void expect_viommu(uint32_t type, uint32_t hwpt, uint32_t id)
{
	EXPECT(IOMMUFD_VIOMMU_ALLOC, iommufd_viommu_alloc, .size = 40, .type = type, .dev_id = 3,
	       .hwpt_id = hwpt);
	ANSWER(iommufd_viommu_alloc, .size = 40, .hwpt_id = hwpt, .out_viommu_id = id);
}

static int try_viommu(enum viommu_type type, uint32_t parent, struct driver_device *dev,
		      uint32_t *id, struct ioasidctl_error **err)
{
	struct viommu spec;

	viommu_init(&spec);
	spec.name = (char *)"v";
	spec.type = type;
	return D.viommu_alloc(fd, &spec, parent, dev, id, err);
}

/* On IOAS 7 with HWPT 20. */
static void make_viommu(enum viommu_type type, uint32_t number, struct driver_device *dev)
{
	uint32_t id = 0;

	gpa(7, IOASID_FLAG_NEST_PARENT);
	expect_hwpt(1, 3, 7, 20);
	expect_viommu(number, 20, 40);
	assert_int_equal(try_viommu(type, 7, dev, &id, NULL), 0);
	assert_int_equal(id, 40);
}

static void test_types(void **state)
{
	static const struct {
		enum viommu_type type;
		uint32_t number;
	} types[] = {{VIOMMU_ARM_SMMUV3, 1}, {VIOMMU_MOCK, 0xdeadbeef}};
	struct driver_device *dev = device(3, 8);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		make_viommu(types[i].type, types[i].number, dev);
		/* Its parent's table goes with it. */
		expect_destroy(40);
		expect_destroy(20);
		assert_int_equal(D.viommu_free(fd, 40, NULL), 0);
		expect_destroy(7);
		assert_int_equal(D.ioasid_free(fd, 7, NULL), 0);
	}
	D.device_close(dev);
}

static void look_cmdqv(void *args, void *copy)
{
	struct iommufd_viommu_alloc *a = args, *c = copy;

	assert_true(a->data_uptr != 0);
	c->data_uptr = 0;
}

static void test_type_with_data(void **state)
{
	struct driver_device *dev = device(3, 8);
	uint32_t id;

	(void)state;
	gpa(7, IOASID_FLAG_NEST_PARENT);
	expect_hwpt(1, 3, 7, 20);
	EXPECT(IOMMUFD_VIOMMU_ALLOC, iommufd_viommu_alloc, .size = 40, .type = 2, .dev_id = 3,
	       .hwpt_id = 20, .data_len = 16);
	LOOK(look_cmdqv);
	ANSWER(iommufd_viommu_alloc, .size = 40, .hwpt_id = 20, .out_viommu_id = 40);
	assert_int_equal(try_viommu(VIOMMU_TEGRA241_CMDQV, 7, dev, &id, NULL), 0);
	EXPECT(IOMMUFD_HW_QUEUE_ALLOC, iommufd_hw_queue_alloc, .size = 40, .viommu_id = 40,
	       .type = 1, .index = 2, .nesting_parent_iova = 0x10000, .length = 0x1000);
	ANSWER(iommufd_hw_queue_alloc, .size = 40, .out_hw_queue_id = 50);
	assert_int_equal(
		D.queue_alloc(fd, 40,
			      &(struct hw_queue){.index = 2, .iova = 0x10000, .length = 0x1000},
			      &id, NULL),
		0);
	assert_int_equal(id, 50);
	expect_destroy(50);
	assert_int_equal(D.queue_free(fd, 50, NULL), 0);
	EXPECT(IOMMUFD_VEVENTQ_ALLOC, iommufd_veventq_alloc, .size = 32, .viommu_id = 40, .type = 2,
	       .veventq_depth = 9);
	FAIL(ENOMEM);
	assert_int_equal(D.events_alloc(fd, 40, 9, &id, NULL), -ENOMEM);
	D.device_close(dev);
}

/* The kernel has no default type: it is that of the hardware. */
static void test_default_type(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = device(3, 8);
	uint32_t id;

	(void)state;
	gpa(7, IOASID_FLAG_NEST_PARENT);
	expect_info(2, 0);
	expect_hwpt(1, 3, 7, 20);
	expect_viommu(1, 20, 40);
	assert_int_equal(try_viommu(VIOMMU_DEFAULT, 7, dev, &id, NULL), 0);
	expect_info(0xfeedbeef, 0);
	expect_viommu(0xdeadbeef, 20, 41);
	assert_int_equal(try_viommu(VIOMMU_DEFAULT, 7, dev, &id, NULL), 0);
	expect_info(1, 0);
	assert_int_equal(try_viommu(VIOMMU_DEFAULT, 7, dev, &id, &err), -EOPNOTSUPP);
	assert_string_equal(err->message, "v: Linux has no viommus of vt-d");
	assert_int_equal(err->kind, ERROR_REFUSED);
	/* The table stays for the viommu that is left. */
	expect_destroy(40);
	assert_int_equal(D.viommu_free(fd, 40, NULL), 0);
	expect_destroy(41);
	expect_destroy(20);
	assert_int_equal(D.viommu_free(fd, 41, NULL), 0);
	D.device_close(dev);
}

static void test_refusals(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = device(3, 8);
	uint32_t id;

	(void)state;
	gpa(6, 0);
	gpa(7, IOASID_FLAG_NEST_PARENT);
	assert_int_equal(try_viommu(VIOMMU_MOCK, 6, dev, &id, &err), -EINVAL);
	assert_string_equal(err->message, "v can't be put on gpa");
	error_free(steal_pointer(err));
	expect_hwpt(1, 3, 7, 20);
	EXPECT(IOMMUFD_VIOMMU_ALLOC, iommufd_viommu_alloc, .size = 40, .type = 1, .dev_id = 3,
	       .hwpt_id = 20);
	FAIL(EOPNOTSUPP);
	expect_info(1, 0);
	expect_destroy(20);
	assert_int_equal(try_viommu(VIOMMU_ARM_SMMUV3, 7, dev, &id, &err), -EOPNOTSUPP);
	assert_string_equal(err->message, "can't make v on gpa for nic (0000:03:03.0): Operation "
					  "not supported");
	assert_string_equal(err->cause, "the IOMMU of nic (0000:03:03.0) is vt-d, which has no "
					"viommus of type arm-smmuv3");
	error_free(steal_pointer(err));
	/* The right hardware, but its firmware doesn't promise coherent DMA. */
	expect_hwpt(1, 3, 7, 20);
	EXPECT(IOMMUFD_VIOMMU_ALLOC, iommufd_viommu_alloc, .size = 40, .type = 1, .dev_id = 3,
	       .hwpt_id = 20);
	FAIL(EOPNOTSUPP);
	expect_info(2, 0);
	expect_destroy(20);
	assert_int_equal(try_viommu(VIOMMU_ARM_SMMUV3, 7, dev, &id, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err->hint, "CANWBS"));
	error_free(steal_pointer(err));
	expect_busy(40);
	assert_int_equal(D.viommu_free(fd, 40, &err), -EBUSY);
	assert_non_null(strstr(err->cause, "still on it"));
	D.device_close(dev);
}

static void expect_vdevice(uint64_t virt_id, uint32_t id)
{
	EXPECT(IOMMUFD_VDEVICE_ALLOC, iommufd_vdevice_alloc, .size = 24, .viommu_id = 40,
	       .dev_id = 3, .virt_id = virt_id);
	ANSWER(iommufd_vdevice_alloc, .size = 24, .out_vdevice_id = id);
}

static void test_vdevices(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = device(3, 8);
	uint32_t id = 0;

	(void)state;
	make_viommu(VIOMMU_ARM_SMMUV3, 1, dev);
	expect_vdevice(0x18, 60);
	assert_int_equal(D.vdevice_alloc(fd, 40, dev, 0x18, &id, NULL), 0);
	assert_int_equal(id, 60);
	expect_vdevice(0x19, 0);
	FAIL(EEXIST);
	assert_int_equal(D.vdevice_alloc(fd, 40, dev, 0x19, &id, &err), -EEXIST);
	assert_int_equal(err->kind, ERROR_BUSY);
	assert_string_equal(err->message,
			    "can't make nic (0000:03:03.0) known to v as 0x19: File exists");
	error_free(steal_pointer(err));
	expect_busy(60);
	assert_int_equal(D.vdevice_free(fd, 60, &err), -EBUSY);
	expect_destroy(60);
	assert_int_equal(D.vdevice_free(fd, 60, NULL), 0);
	D.device_close(dev);
}

static void test_queues_refused(void **state)
{
	static const struct {
		int errnum;
		const char *says;
	} cases[] = {
		{ENOENT, "isn't mapped in the parent"},
		{EFAULT, "isn't in one piece"},
		{EEXIST, "has that index already"},
		{EIO, "the one before it isn't there"},
	};
	const struct hw_queue spec = {.index = 1, .iova = 0x5000, .length = 0x1000};
	_cleanup_error_ struct ioasidctl_error *smmu = NULL;
	struct driver_device *dev = device(3, 8);
	uint32_t id;

	(void)state;
	make_viommu(VIOMMU_MOCK, 0xdeadbeef, dev);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;

		EXPECT(IOMMUFD_HW_QUEUE_ALLOC, iommufd_hw_queue_alloc, .size = 40, .viommu_id = 40,
		       .type = 0xdeadbeef, .index = 1, .nesting_parent_iova = 0x5000,
		       .length = 0x1000);
		FAIL(cases[i].errnum);
		assert_int_equal(D.queue_alloc(fd, 40, &spec, &id, &err), -cases[i].errnum);
		assert_non_null(strstr(err->message, "can't give v hardware queue 1 at 0x5000"));
		assert_non_null(strstr(err->cause, cases[i].says));
	}
	expect_viommu(1, 20, 41);
	assert_int_equal(try_viommu(VIOMMU_ARM_SMMUV3, 7, dev, &id, NULL), 0);
	/* Known without asking. */
	assert_int_equal(D.queue_alloc(fd, 41, &spec, &id, &smmu), -EOPNOTSUPP);
	assert_string_equal(smmu->cause, "viommus of type arm-smmuv3 have none");
	D.device_close(dev);
}

/* What the entries of the next invalidation are to be, byte for byte. */
static const void *wanted_entries;
static size_t wanted_size;

static void look_entries(void *args, void *copy)
{
	struct iommufd_hwpt_invalidate *a = args, *c = copy;

	assert_int_equal((size_t)a->entry_len * a->entry_num, wanted_size);
	assert_memory_equal((void *)(uintptr_t)a->data_uptr, wanted_entries, wanted_size);
	c->data_uptr = 0;
}

static void expect_invalidation(uint32_t id, uint32_t type, uint32_t size, uint32_t n,
				const void *entries, uint32_t done)
{
	wanted_entries = entries;
	wanted_size = (size_t)size * n;
	EXPECT(IOMMUFD_HWPT_INVALIDATE, iommufd_hwpt_invalidate, .size = 32, .hwpt_id = id,
	       .data_type = type, .entry_len = size, .entry_num = n);
	LOOK(look_entries);
	ANSWER(iommufd_hwpt_invalidate, .size = 32, .entry_num = done);
}

/* Nested 30 on IOAS 7; what its table says doesn't matter here. */
static void look_table(void *args, void *copy)
{
	((struct iommufd_hwpt_alloc *)copy)->data_uptr = 0;
	assert_true(((struct iommufd_hwpt_alloc *)args)->data_uptr != 0);
}

static void make_nested(enum table_format format, uint32_t type, uint32_t length, uint32_t viommu,
			struct driver_device *dev)
{
	struct ioasid spec;
	uint32_t id;

	ioasid_init(&spec);
	spec.name = (char *)"s1";
	spec.kind = IOASID_NESTED;
	spec.table.format = format;
	if (viommu == NO_INDEX) {
		gpa(7, IOASID_FLAG_NEST_PARENT);
		expect_hwpt(1, 3, 7, 20);
	}
	EXPECT(IOMMUFD_HWPT_ALLOC, iommufd_hwpt_alloc, .size = 48, .dev_id = 3,
	       .pt_id = viommu == NO_INDEX ? 20 : viommu, .data_type = type, .data_len = length);
	LOOK(look_table);
	ANSWER(iommufd_hwpt_alloc, .size = 48, .out_hwpt_id = 30);
	assert_int_equal(D.ioasid_alloc(fd, &spec, &(struct nesting){7, viommu, dev}, &id, NULL),
			 0);
}

static void test_invalidation_of_vtd(void **state)
{
	static const struct invalidation entries[] = {
		{.everything = true},
		{.range = {0x1800, 0x3000}, .leaf = true},
		{.range = {0, UINT64_MAX}},
	};
	static const struct iommufd_hwpt_vtd_s1_invalidate wanted[] = {
		{.npages = UINT64_MAX},
		{.addr = 0x1000, .npages = 3, .flags = 1},
		{.npages = 1ULL << 52},
	};
	const struct invalidation command = {.words = {1}, .n_words = 1};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = device(3, 8);
	size_t done = 99;

	(void)state;
	make_nested(TABLE_VTD_S1, 1, 24, NO_INDEX, dev);
	expect_invalidation(30, 0, 24, 3, wanted, 3);
	assert_int_equal(D.invalidate(fd, 30, false, entries, 3, &done, NULL), 0);
	assert_int_equal(done, 3);
	expect_invalidation(30, 0, 24, 3, wanted, 1);
	FAIL(EINVAL);
	assert_int_equal(D.invalidate(fd, 30, false, entries, 3, &done, &err), -EINVAL);
	assert_int_equal(done, 1);
	assert_non_null(strstr(err->message, "can't invalidate entry 2 of 3 of s1"));
	error_free(steal_pointer(err));
	assert_int_equal(D.invalidate(fd, 30, false, &command, 1, &done, &err), -EOPNOTSUPP);
	assert_int_equal(done, 0);
	assert_int_equal(D.invalidate(fd, 30, false, NULL, 0, &done, NULL), 0);
	D.device_close(dev);
}

static void test_invalidation_of_smmuv3(void **state)
{
	static const struct invalidation entries[] = {
		{.words = {0x10, 7}, .n_words = 2},
		{.range = {0x5000, 0x6fff}, .leaf = true},
		{.everything = true},
		{.range = {0, 0xfffffff}}, /* long: everything is no more work */
	};
	const uint64_t wanted[] = {
		htole64(0x10),	       htole64(7), /* as it was given */
		htole64(0x13),	       htole64(0x5001),
		htole64(0x13),	       htole64(0x6001), /* two pages */
		htole64(0x1800000006), 0,
		htole64(0x30),	       0, /* the stream's descriptors, and all translations */
		htole64(0x30),	       0,
	};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = device(3, 8);
	uint32_t id;
	size_t done;

	(void)state;
	make_viommu(VIOMMU_ARM_SMMUV3, 1, dev);
	expect_vdevice(0x18, 60);
	assert_int_equal(D.vdevice_alloc(fd, 40, dev, 0x18, &id, NULL), 0);
	expect_invalidation(40, 1, 16, 6, wanted, 6);
	assert_int_equal(D.invalidate(fd, 40, true, entries, 4, &done, NULL), 0);
	assert_int_equal(done, 4);
	/* Half of the second entry isn't all of it. */
	expect_invalidation(40, 1, 16, 6, wanted, 2);
	FAIL(EIO);
	assert_int_equal(D.invalidate(fd, 40, true, entries, 4, &done, &err), -EIO);
	assert_int_equal(done, 1);
	assert_non_null(strstr(err->cause, "isn't a command a guest may give"));
	error_free(steal_pointer(err));
	make_nested(TABLE_ARM_SMMUV3, 2, 16, 40, dev);
	assert_int_equal(D.invalidate(fd, 30, false, entries, 1, &done, &err), -EOPNOTSUPP);
	assert_string_equal(err->cause, "caches of format arm-smmuv3 belong to the viommu");
	assert_string_equal(err->hint, "invalidate those of its viommu instead");
	D.device_close(dev);
}

static void test_invalidation_of_the_mock(void **state)
{
	static const struct invalidation entries[] = {
		{.words = {2}, .n_words = 1}, {.everything = true}, {.range = {0, 1}}};
	static const uint32_t nested[] = {0, 2, 1, 0};
	static const uint32_t each_vdevice[] = {0, 0x19, 2, 0, 0x18, 2, 1, 0x19, 0, 1, 0x18, 0};
	struct driver_device *dev = device(3, 8);
	uint32_t id;
	size_t done;

	(void)state;
	make_viommu(VIOMMU_MOCK, 0xdeadbeef, dev);
	make_nested(TABLE_MOCK, 0xdead, 8, 40, dev);
	expect_invalidation(30, 0xdeadbeef, 8, 2, nested, 2);
	assert_int_equal(D.invalidate(fd, 30, false, entries, 2, &done, NULL), 0);
	/* Without a device there is no cache. */
	assert_int_equal(D.invalidate(fd, 40, true, entries, 2, &done, NULL), 0);
	assert_int_equal(done, 2);
	expect_vdevice(0x18, 60);
	assert_int_equal(D.vdevice_alloc(fd, 40, dev, 0x18, &id, NULL), 0);
	expect_vdevice(0x19, 61);
	assert_int_equal(D.vdevice_alloc(fd, 40, dev, 0x19, &id, NULL), 0);
	expect_invalidation(40, 0xdeadbeef, 12, 4, each_vdevice, 3);
	FAIL(EINVAL);
	assert_int_equal(D.invalidate(fd, 40, true, entries, 2, &done, NULL), -EINVAL);
	assert_int_equal(done, 1);
	assert_int_equal(D.invalidate(fd, 40, true, &entries[2], 1, &done, NULL), -EOPNOTSUPP);
	assert_int_equal(D.invalidate(fd, 99, true, entries, 1, &done, NULL), -ENOENT);
	assert_int_equal(D.invalidate(fd, 99, false, entries, 1, &done, NULL), -ENOENT);
	D.device_close(dev);
}

static void test_more_than_a_call_holds(void **state)
{
	const size_t n = 65537;
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	_cleanup_free_ struct invalidation *entries = calloc(n, sizeof(*entries));
	struct driver_device *dev = device(3, 8);
	size_t done;

	(void)state;
	for (size_t i = 0; i < n; i++)
		entries[i].everything = true;
	make_viommu(VIOMMU_ARM_SMMUV3, 1, dev);
	assert_int_equal(D.invalidate(fd, 40, true, entries, n, &done, &err), -E2BIG);
	assert_int_equal(done, 0);
	assert_string_equal(err->message, "v: more than 65536 entries to invalidate");
	D.device_close(dev);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_one, close_one)
	const struct CMUnitTest tests[] = {
		TEST(test_types),
		TEST(test_type_with_data),
		TEST(test_default_type),
		TEST(test_refusals),
		TEST(test_vdevices),
		TEST(test_queues_refused),
		TEST(test_invalidation_of_vtd),
		TEST(test_invalidation_of_smmuv3),
		TEST(test_invalidation_of_the_mock),
		TEST(test_more_than_a_call_holds),
	};

	return cmocka_run_group_tests_name("iommufd-viommu", tests, NULL, NULL);
}
