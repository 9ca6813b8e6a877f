// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The iommufd driver: devices of the kernel's mock IOMMU, BARs, physical addresses, and what
 * concerns a whole fd. Each argument of each ioctl is compared.
 */
#include <fcntl.h>

#include "iommufd_objects.h"

static struct driver_device *mock_handle(void)
{
	const struct device spec = {
		.name = (char *)"m0", .selector = SELECTOR_MOCK, .address = (char *)"0"};
	struct driver_device *dev;

	assert_int_equal(D.device_open(&env, &spec, &dev, NULL), 0);
	assert_int_equal(D.device_fd_number(dev), -1);
	return dev;
}

static void expect_mock(uint32_t pt, uint32_t mock, uint32_t id)
{
	EXPECT(IOMMUFD_TEST, iommufd_test, .size = 72, .op = 12, .id = pt, .mock_device.flags = 4);
	ANSWER(iommufd_test, .size = 72, .mock_device = {.out_mock_id = mock, .out_device_id = id});
}

static void expect_replace(uint32_t mock, uint32_t pt, uint32_t hwpt)
{
	EXPECT(IOMMUFD_TEST, iommufd_test, .size = 72, .op = 10, .id = mock, .replace.pt_id = pt);
	ANSWER(iommufd_test, .size = 72, .replace.pt_id = hwpt);
}

static void expect_pasid(uint32_t op, uint32_t pasid, uint32_t pt)
{
	EXPECT(IOMMUFD_TEST, iommufd_test, .size = 72, .op = op, .id = 2,
	       .pasid_attach = {.pasid = pasid, .pt_id = pt});
	ANSWER(iommufd_test, .size = 72, .pasid_attach = {.pasid = pasid, .pt_id = pt});
}

/* IOAS 1 and HWPT 5 to park in; mock object 2, device 3. */
static struct driver_device *first_mock(void)
{
	struct driver_device *dev = mock_handle();
	uint32_t id = 0;

	expect_ioas(1);
	expect_mock(1, 2, 3);
	expect_hwpt(8, 3, 1, 5);
	expect_replace(2, 5, 5);
	assert_int_equal(D.device_bind(fd, dev, &id, NULL), 0);
	assert_int_equal(id, 3);
	return dev;
}

static void expect_gone(uint32_t mock, bool last)
{
	expect_destroy(mock);
	if (!last)
		return;
	expect_destroy(5);
	expect_destroy(1);
}

static void test_finding(void **state)
{
	struct device spec = {
		.name = (char *)"m0", .selector = SELECTOR_MOCK, .address = (char *)"0"};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct device_facts facts;

	(void)state;
	assert_int_equal(D.device_find(&env, &spec, &facts, NULL), 0);
	assert_true(facts.present && facts.group == NO_INDEX && !facts.driver);
	device_facts_done(&facts);
	assert_int_equal(D.device_set_driver(&env, &spec, "vfio-pci", NULL, &err), -EOPNOTSUPP);
	assert_string_equal(err->message, "mock device m0 takes no host driver");
}

static void test_life(void **state)
{
	struct driver_device *first, *second = mock_handle();
	uint32_t id;

	(void)state;
	first = first_mock();
	/* The next one comes into the same place. */
	expect_mock(5, 4, 6);
	assert_int_equal(D.device_bind(fd, second, &id, NULL), 0);
	assert_int_equal(id, 6);
	gpa(7, 0);
	expect_replace(2, 7, 20);
	assert_int_equal(D.attach(fd, first, 7, NO_PASID, NULL), 0);
	/* There is no detaching: it is parked again. */
	expect_replace(2, 5, 5);
	assert_int_equal(D.detach(fd, first, NO_PASID, NULL), 0);
	expect_gone(2, false);
	D.device_close(first);
	expect_gone(4, true);
	D.device_close(second);
}

static void test_pasids(void **state)
{
	struct driver_device *dev = first_mock();

	(void)state;
	gpa(7, IOASID_FLAG_PASID);
	gpa(8, IOASID_FLAG_PASID);
	expect_hwpt(8, 3, 7, 20);
	expect_pasid(18, 9, 20);
	assert_int_equal(D.attach(fd, dev, 7, 9, NULL), 0);
	expect_hwpt(8, 3, 8, 21);
	expect_pasid(19, 9, 21);
	expect_destroy(20);
	assert_int_equal(D.attach(fd, dev, 8, 9, NULL), 0);
	EXPECT(IOMMUFD_TEST, iommufd_test, .size = 72, .op = 20, .id = 2, .pasid_detach.pasid = 9);
	expect_destroy(21);
	assert_int_equal(D.detach(fd, dev, 9, NULL), 0);
	expect_hwpt(8, 3, 7, 22);
	expect_pasid(18, 10, 22);
	assert_int_equal(D.attach(fd, dev, 7, 10, NULL), 0);
	/* The kernel wouldn't detach a PASID by itself. */
	EXPECT(IOMMUFD_TEST, iommufd_test, .size = 72, .op = 20, .id = 2, .pasid_detach.pasid = 10);
	expect_destroy(2);
	expect_destroy(22);
	expect_destroy(5);
	expect_destroy(1);
	D.device_close(dev);
}

static void test_kernel_without(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = mock_handle();
	uint32_t id;

	(void)state;
	expect_ioas(1);
	EXPECT(IOMMUFD_TEST, iommufd_test, .size = 72, .op = 12, .id = 1, .mock_device.flags = 4);
	FAIL(ENOTTY);
	expect_destroy(1);
	assert_int_equal(D.device_bind(fd, dev, &id, &err), -ENOTTY);
	assert_int_equal(err->kind, ERROR_REFUSED);
	assert_string_equal(err->cause, "this kernel has no mock IOMMU (CONFIG_IOMMUFD_TEST)");
	assert_non_null(strstr(err->hint, "driver: ioasid"));
	D.device_close(dev);
}

static void test_failed_binds_leave_nothing(void **state)
{
	struct driver_device *dev = mock_handle();
	uint32_t id;

	(void)state;
	EXPECT(IOMMUFD_IOAS_ALLOC, iommufd_ioas_alloc, .size = 12);
	FAIL(ENOMEM);
	assert_int_equal(D.device_bind(fd, dev, &id, NULL), -ENOMEM);
	expect_ioas(1);
	expect_mock(1, 2, 3);
	EXPECT(IOMMUFD_HWPT_ALLOC, iommufd_hwpt_alloc, .size = 48, .flags = 8, .dev_id = 3,
	       .pt_id = 1);
	FAIL(ENOMEM);
	expect_destroy(2);
	expect_destroy(1);
	assert_int_equal(D.device_bind(fd, dev, &id, NULL), -ENOMEM);
	expect_ioas(1);
	expect_mock(1, 2, 3);
	expect_hwpt(8, 3, 1, 5);
	EXPECT(IOMMUFD_TEST, iommufd_test, .size = 72, .op = 10, .id = 2, .replace.pt_id = 5);
	FAIL(ENOMEM);
	expect_destroy(2);
	expect_destroy(5);
	expect_destroy(1);
	assert_int_equal(D.device_bind(fd, dev, &id, NULL), -ENOMEM);
	D.device_close(dev);
}

static void test_fd_that_closes_first(void **state)
{
	struct driver_device *dev = first_mock();

	(void)state;
	expect_destroy(2);
	D.close(fd);
	D.device_close(dev);
	fd = open_fd(true);
}

static void look_bar(void *args, void *copy)
{
	static const uint32_t wanted[] = {2, O_RDWR | O_CLOEXEC, 0, 1, 0x1000, 0, 0x3000, 0};

	(void)copy;
	assert_memory_equal((unsigned char *)args + 8, wanted, sizeof(wanted));
}

static void expect_bar(int errnum)
{
	EXPECT(VFIO_DEV_FEATURE, vfio_dev_feature, .argsz = 40, .flags = 1 << 16 | 11);
	LOOK(look_bar);
	if (errnum)
		FAIL(errnum);
}

static void test_bar(void **state)
{
	static const struct {
		int errnum;
		const char *resources, *cause;
	} cases[] = {
		{ENOTTY, NULL, "the kernel can't export BARs"},
		{EOPNOTSUPP, NULL, "the device's driver can't export BARs"},
		{ENODEV, NULL, "the device has no BAR 2 of memory"},
		{EINVAL, "0 0 0\n0 0 0\n0xfe000000 0xfe001fff 0x40200\n", "the BAR has 8K only"},
		{EINVAL, "0 0 0\n0 0 0\n0xfe000000 0xfe00ffff 0x40200\n",
		 "can't have other devices reach this BAR"},
	};
	struct driver_device *dev = device(3, 8), *mock = mock_handle();
	_cleanup_error_ struct ioasidctl_error *none = NULL;
	int bar = -1;

	(void)state;
	expect_bar(0);
	assert_int_equal(D.device_bar_fd(dev, 2, 0x1000, 0x3000, &bar, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;

		if (cases[i].resources)
			tree_file(&tree, cases[i].resources,
				  "/sys/bus/pci/devices/0000:03:03.0/resource");
		expect_bar(cases[i].errnum);
		assert_int_equal(D.device_bar_fd(dev, 2, 0x1000, 0x3000, &bar, &err),
				 -cases[i].errnum);
		assert_int_equal(err->kind, ERROR_REFUSED);
		assert_string_equal(err->ioctl, "VFIO_DEVICE_FEATURE");
		assert_non_null(strstr(err->message, "can't export BAR 2 of nic (0000:03:03.0)"));
		assert_non_null(strstr(err->cause, cases[i].cause));
	}
	assert_int_equal(D.device_bar_fd(mock, 2, 0x1000, 0x3000, &bar, &none), -EOPNOTSUPP);
	assert_string_equal(none->message, "m0 (0) has no BARs: it is no PCI device");
	D.device_close(mock);
	D.device_close(dev);
}

static void expect_pa(uint64_t length, uint64_t physical, int errnum)
{
	EXPECT(IOMMUFD_IOAS_NOIOMMU_GET_PA, iommufd_ioas_noiommu_get_pa, .size = 40, .ioas_id = 7,
	       .iova = 0x5000, .length = 0x10000);
	ANSWER(iommufd_ioas_noiommu_get_pa, .size = 40, .length = length, .out_phys = physical);
	if (errnum)
		FAIL(errnum);
}

static void test_physical_addresses(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	uint64_t length = 0x10000, physical;

	(void)state;
	expect_pa(0x3000, 0x123450000, 0);
	assert_int_equal(D.physical(fd, 7, 0x5000, &length, &physical, NULL), 0);
	assert_true(length == 0x3000 && physical == 0x123450000);
	length = 0x10000;
	/* What no kernel would say isn't believed. */
	expect_pa(0x20000, 0x123450000, 0);
	assert_int_equal(D.physical(fd, 7, 0x5000, &length, &physical, &err), -EPROTO);
	error_free(steal_pointer(err));
	expect_pa(0, 0x123450000, 0);
	assert_int_equal(D.physical(fd, 7, 0x5000, &length, &physical, NULL), -EPROTO);
	expect_pa(0x3000, UINT64_MAX, 0);
	assert_int_equal(D.physical(fd, 7, 0x5000, &length, &physical, NULL), -EPROTO);
	assert_true(length == 0x10000);
	expect_pa(0, 0, EPERM);
	assert_int_equal(D.physical(fd, 7, 0x5000, &length, &physical, &err), -EPERM);
	assert_int_equal(err->kind, ERROR_PERMISSION);
	assert_non_null(strstr(err->cause, "CAP_SYS_RAWIO"));
}

static void expect_compat(uint16_t op, uint32_t ioas, uint32_t answer)
{
	EXPECT(IOMMUFD_VFIO_IOAS, iommufd_vfio_ioas, .size = 12, .op = op, .ioas_id = ioas);
	ANSWER(iommufd_vfio_ioas, .size = 12, .op = op, .ioas_id = answer);
}

static void test_stand_in_for_a_container(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	expect_compat(0, 0, 0);
	FAIL(ENODEV);
	expect_compat(1, 7, 7);
	assert_int_equal(D.set_vfio_compat(fd, 7, NULL), 0);
	expect_compat(0, 0, 7);
	assert_int_equal(D.set_vfio_compat(fd, 7, NULL), 0);
	expect_compat(0, 0, 7);
	expect_compat(2, 0, 0);
	assert_int_equal(D.set_vfio_compat(fd, NO_INDEX, NULL), 0);
	expect_compat(0, 0, 0);
	FAIL(ENODEV);
	assert_int_equal(D.set_vfio_compat(fd, NO_INDEX, NULL), 0);
	expect_compat(0, 0, 0);
	FAIL(ENODEV);
	expect_compat(1, 9, 0);
	FAIL(ENOENT);
	assert_int_equal(D.set_vfio_compat(fd, 9, &err), -ENOENT);
	assert_string_equal(err->ioctl, "IOMMU_VFIO_IOAS");
}

static void test_adoption(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	EXPECT(IOMMUFD_IOAS_CHANGE_PROCESS, iommufd_ioas_change_process, .size = 8);
	assert_int_equal(D.adopt(fd, NULL), 0);
	/* Once for a process that ended before it could be relieved: then all is done. */
	EXPECT(IOMMUFD_IOAS_CHANGE_PROCESS, iommufd_ioas_change_process, .size = 8);
	FAIL(EINVAL);
	EXPECT(IOMMUFD_IOAS_CHANGE_PROCESS, iommufd_ioas_change_process, .size = 8);
	assert_int_equal(D.adopt(fd, NULL), 0);
	EXPECT(IOMMUFD_IOAS_CHANGE_PROCESS, iommufd_ioas_change_process, .size = 8);
	FAIL(ENOMEM);
	assert_int_equal(D.adopt(fd, &err), -ENOMEM);
	assert_int_equal(err->kind, ERROR_MEMORY);
	error_free(steal_pointer(err));
	EXPECT(IOMMUFD_IOAS_CHANGE_PROCESS, iommufd_ioas_change_process, .size = 8);
	FAIL(EINVAL);
	EXPECT(IOMMUFD_IOAS_CHANGE_PROCESS, iommufd_ioas_change_process, .size = 8);
	FAIL(EINVAL);
	assert_int_equal(D.adopt(fd, &err), -EINVAL);
	assert_int_equal(err->kind, ERROR_REFUSED);
	assert_string_equal(err->message,
			    "can't take over the pinned memory of /dev/iommu: Invalid "
			    "argument");
	assert_non_null(strstr(err->cause, "mapped by address"));
}

static void expect_placed(uint64_t answer)
{
	EXPECT(IOMMUFD_IOAS_MAP_FILE, iommufd_ioas_map_file, .size = 40, .flags = 6, .ioas_id = 7,
	       .fd = 9, .start = 0x3000, .length = 0x200000);
	ANSWER(iommufd_ioas_map_file, .size = 40, .length = 0x200000, .iova = answer);
}

static void test_placing(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	uint64_t placed = 0;
	struct map_args args = {.iova = 99, /* of no matter */
				.length = 0x200000,
				.access = ACCESS_RW,
				.fd = 9,
				.offset = 0x3000,
				.placed = &placed};

	(void)state;
	expect_placed(0x40000000);
	assert_int_equal(D.map(fd, 7, &args, NULL), 0);
	assert_int_equal(placed, 0x40000000);
	expect_placed(UINT64_MAX - 0xfff);
	assert_int_equal(D.map(fd, 7, &args, &err), -EPROTO);
	assert_int_equal(placed, 0x40000000);
	error_free(steal_pointer(err));
	expect_placed(0);
	FAIL(ENOSPC);
	assert_int_equal(D.map(fd, 7, &args, &err), -ENOSPC);
	assert_non_null(strstr(err->message, "can't find a place for 0x200000 bytes"));
	assert_non_null(strstr(err->cause, "no free range of that length"));
}

static void test_bar_is_mapped_by_file(void **state)
{
	struct driver_fd *old;
	struct memory memory;

	(void)state;
	memory_init(&memory);
	memory.backing = BACKING_DMABUF;
	assert_false(D.wants_va(fd, &memory));
	old = open_fd(false);
	assert_false(D.wants_va(old, &memory));
	D.close(old);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_one, close_one)
	const struct CMUnitTest tests[] = {
		TEST(test_finding),
		TEST(test_life),
		TEST(test_pasids),
		TEST(test_kernel_without),
		TEST(test_failed_binds_leave_nothing),
		TEST(test_fd_that_closes_first),
		TEST(test_bar),
		TEST(test_physical_addresses),
		TEST(test_stand_in_for_a_container),
		TEST(test_adoption),
		TEST(test_placing),
		TEST(test_bar_is_mapped_by_file),
	};

	return cmocka_run_group_tests_name("iommufd-mock", tests, NULL, NULL);
}
