// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The vfio driver: containers and their mappings. Each argument of each ioctl is compared, each
 * refusal explained.
 */
#include "vfio_fixture.h"

static void test_open_and_close(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t one = alloc(fd), two = alloc(fd);
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	assert_int_equal(one, 1);
	assert_int_equal(two, 2);
	assert_int_equal(D.fd_number(fd), -1);
	assert_true(D.ioasid_fd_number(fd, one) >= 0);
	assert_true(D.ioasid_fd_number(fd, two) >= 0);
	assert_int_not_equal(D.ioasid_fd_number(fd, one), D.ioasid_fd_number(fd, two));
	assert_int_equal(D.ioasid_fd_number(fd, 3), -1);
	assert_int_equal(D.ioasid_probe(fd, one), 0);
	assert_int_equal(D.ioasid_free(fd, one, NULL), 0);
	assert_int_equal(D.ioasid_probe(fd, one), -ENOENT);
	assert_int_equal(D.ioasid_free(fd, one, &err), -ENOENT);
	assert_string_equal(err->message, "there is no container 1");
	D.close(fd);
}

static void test_nothing_to_open(void **state)
{
	static const struct {
		const char *module, *cause, *hint;
	} cases[] = {
		{NULL, "the kernel has no VFIO, or its module isn't loaded", "modprobe vfio-pci"},
		{"/sys/class/misc/vfio", "the kernel has VFIO, but its node isn't here",
		 "in a container, pass /dev/vfio/vfio in"},
	};

	(void)state;
	tree_unlink(&tree, "/dev/vfio/vfio");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;

		if (cases[i].module)
			tree_dir(&tree, "%s", cases[i].module);
		assert_int_equal(D.available(&env, NULL, &err), -ENOENT);
		assert_int_equal(err->kind, ERROR_UNAVAILABLE);
		assert_string_equal(err->cause, cases[i].cause);
		assert_non_null(strstr(err->hint, cases[i].hint));
	}
}

static void test_another_interface(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	expect_bare(VFIO_CONT_API_VERSION);
	RETURNS(1);
	assert_int_equal(D.available(&env, NULL, &err), -EPROTO);
	assert_string_equal(err->message, "/dev/vfio/vfio speaks version 1 of VFIO, not 0");
	error_free(steal_pointer(err));

	expect_bare(VFIO_CONT_API_VERSION);
	FAIL(ENOTTY);
	assert_int_equal(D.available(&env, NULL, &err), -ENOTTY);
	error_free(steal_pointer(err));

	expect_bare(VFIO_CONT_API_VERSION);
	expect_number(VFIO_CONT_CHECK_EXTENSION, VFIO_CONT_TYPE1_V2);
	assert_int_equal(D.available(&env, NULL, &err), -ENODEV);
	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_non_null(strstr(err->hint, "modprobe vfio_iommu_type1"));
	error_free(steal_pointer(err));

	expect_container();
	assert_int_equal(D.available(&env, NULL, &err), 0);
}

static void test_what_cannot_be_allocated(void **state)
{
	const struct ioasid nested = {.name = (char *)"s1", .kind = IOASID_NESTED};
	const struct ioasid small = {.name = (char *)"s", .flags = IOASID_FLAG_NO_HUGE};
	struct driver_fd *fd = open_fd();
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	uint32_t id;

	(void)state;
	assert_int_equal(D.ioasid_alloc(fd, &nested, &(struct nesting){0}, &id, &err), -EOPNOTSUPP);
	assert_int_equal(err->kind, ERROR_REFUSED);
	assert_int_equal(D.ioasid_alloc(fd, &small, NULL, &id, NULL), -EOPNOTSUPP);
	D.close(fd);
}

static int collect_one(void *data, uint64_t iova, uint64_t length, uint8_t access)
{
	fprintf(data, "%lx+%lx:%u ", iova, length, access);
	return 0;
}

static bool collect(struct driver_fd *fd, uint32_t id, const char *wanted)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(D.list_mappings(fd, id, collect_one, f, NULL), 0);
	fclose(f);
	return !strcmp(text, wanted);
}

/* Before the first device the kernel hears nothing; then all of it comes in order. */
static void test_mappings_wait_for_a_device(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, EDU, true);
	int c = container_fd(fd, id);

	(void)state;
	assert_int_equal(map(fd, id, 0x100000, 0x2000, NULL), 0);
	assert_int_equal(map(fd, id, 0, 0x1000, NULL), 0);
	assert_int_equal(map(fd, id, 0x200000, 0x1000, NULL), 0);
	assert_int_equal(D.unmap(fd, id, 0x200000, 0x1000, NULL), 0);
	assert_true(collect(fd, id, "0+1000:3 100000+2000:3 "));
	assert_int_equal(n_called, n_expected);

	expect_set_container(dev, c);
	expect_type(c);
	expect_info(c, look_usual);
	expect_map(c, 0, 0x1000, VA, VFIO_T1_MAP_READ | VFIO_T1_MAP_WRITE);
	expect_map(c, 0x100000, 0x2000, (char *)VA + 0x100000,
		   VFIO_T1_MAP_READ | VFIO_T1_MAP_WRITE);
	expect_open_device(dev, EDU);
	assert_int_equal(D.attach(fd, dev, id, NO_PASID, NULL), 0);
	assert_true(D.device_fd_number(dev) >= 0);

	/* From now on each change is the kernel's, too. */
	expect_map(c, 0x300000, 0x1000, (char *)VA + 0x300000,
		   VFIO_T1_MAP_READ | VFIO_T1_MAP_WRITE);
	assert_int_equal(map(fd, id, 0x300000, 0x1000, NULL), 0);
	expect_unmap(c, 0, 0x1000, 0x1000);
	assert_int_equal(D.unmap(fd, id, 0, 0x1000, NULL), 0);
	D.device_close(dev);
	D.close(fd);
}

static void test_access(void **state)
{
	static const uint32_t flags[] = {[ACCESS_READ] = 1, [ACCESS_WRITE] = 2, [ACCESS_RW] = 3};
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, EDU, true);

	(void)state;
	attach_first(fd, dev, EDU, id);
	for (uint8_t access = ACCESS_READ; access <= ACCESS_RW; access++) {
		const struct map_args args = {
			.iova = access * 0x1000, .length = 0x1000, .access = access, .va = VA};

		expect_map(container_fd(fd, id), access * 0x1000, 0x1000, VA, flags[access]);
		assert_int_equal(D.map(fd, id, &args, NULL), 0);
	}
	D.device_close(dev);
	D.close(fd);
}

static void test_a_failed_map_is_not_remembered(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, EDU, true);
	static const struct {
		int errnum;
		enum error_kind kind;
		const char *cause, *hint;
	} cases[] = {
		{EEXIST, ERROR_KERNEL, "mapped already", NULL},
		{ENOSPC, ERROR_KERNEL, "dma_entry_limit of vfio_iommu_type1 is 65535",
		 "fewer, larger mappings"},
		{EFAULT, ERROR_KERNEL, "the memory isn't all there", NULL},
	};

	(void)state;
	tree_file(&tree, "65535\n", "/sys/module/vfio_iommu_type1/parameters/dma_entry_limit");
	attach_first(fd, dev, EDU, id);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;

		expect_map(container_fd(fd, id), 0x1000, 0x1000, (char *)VA + 0x1000, 3);
		FAIL(cases[i].errnum);
		assert_int_equal(map(fd, id, 0x1000, 0x1000, &err), -cases[i].errnum);
		assert_int_equal(err->kind, cases[i].kind);
		assert_string_equal(err->ioctl, "VFIO_IOMMU_MAP_DMA");
		assert_non_null(strstr(err->cause, cases[i].cause));
		if (cases[i].hint)
			assert_non_null(strstr(err->hint, cases[i].hint));
		assert_true(collect(fd, id, ""));
	}
	D.device_close(dev);
	D.close(fd);
}

/* The kernel says EINVAL; which part of it is wrong is found in what the container tells. */
static void test_a_map_out_of_range(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, EDU, true);
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	attach_first(fd, dev, EDU, id);
	expect_map(container_fd(fd, id), 0xfedff000, 0x2000, (char *)VA + 0xfedff000, 3);
	FAIL(EINVAL);
	expect_info(container_fd(fd, id), look_usual);
	assert_int_equal(map(fd, id, 0xfedff000, 0x2000, &err), -EINVAL);
	assert_int_equal(err->kind, ERROR_KERNEL);
	assert_non_null(strstr(err->cause, "0xfee00000-0xfee00fff"));
	error_free(steal_pointer(err));

	expect_map(container_fd(fd, id), 0x1100, 0x1000, (char *)VA + 0x1100, 3);
	FAIL(EINVAL);
	expect_info(container_fd(fd, id), look_usual);
	assert_int_equal(map(fd, id, 0x1100, 0x1000, &err), -EINVAL);
	assert_non_null(strstr(err->cause, "multiples of 0x1000"));
	D.device_close(dev);
	D.close(fd);
}

static void test_locked_memory(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, EDU, true);
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	attach_first(fd, dev, EDU, id);
	expect_map(container_fd(fd, id), 0x1000, 0x1000, (char *)VA + 0x1000, 3);
	FAIL(ENOMEM);
	assert_int_equal(map(fd, id, 0x1000, 0x1000, &err), -ENOMEM);
	assert_int_equal(err->kind, ERROR_MEMORY);
	assert_non_null(strstr(err->cause, "memory"));
	D.device_close(dev);
	D.close(fd);
}

static void test_overlaps(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	assert_int_equal(map(fd, id, 0x1000, 0x2000, NULL), 0);
	assert_int_equal(map(fd, id, 0x2000, 0x2000, &err), -EEXIST);
	assert_non_null(strstr(err->cause, "mapped already"));
	assert_int_equal(map(fd, id, UINT64_MAX, 0x2000, NULL), -EINVAL);
	assert_int_equal(map(fd, 77, 0x2000, 0x2000, NULL), -ENOENT);
	assert_true(collect(fd, id, "1000+2000:3 "));
	D.close(fd);
}

static void test_unmap_of_what_is_not_there(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, EDU, true);
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	int c = container_fd(fd, id);

	(void)state;
	attach_first(fd, dev, EDU, id);
	expect_map(c, 0x1000, 0x2000, (char *)VA + 0x1000, 3);
	assert_int_equal(map(fd, id, 0x1000, 0x2000, NULL), 0);
	assert_int_equal(D.unmap(fd, id, 0x1000, 0x1000, &err), -ENOENT);
	assert_int_equal(D.unmap(fd, id, 0x2000, 0x1000, NULL), -ENOENT);
	assert_int_equal(D.unmap(fd, 77, 0x1000, 0x2000, NULL), -ENOENT);
	error_free(steal_pointer(err));
	expect_unmap(c, 0x1000, 0x2000, 0);
	assert_int_equal(D.unmap(fd, id, 0x1000, 0x2000, &err), -EIO);
	assert_int_equal(err->kind, ERROR_VERIFY);
	assert_non_null(strstr(err->message, "took away 0x0 bytes instead of 0x2000"));
	error_free(steal_pointer(err));
	expect_unmap(c, 0x1000, 0x2000, 0);
	FAIL(EINVAL);
	assert_int_equal(D.unmap(fd, id, 0x1000, 0x2000, &err), -EINVAL);
	assert_string_equal(err->ioctl, "VFIO_IOMMU_UNMAP_DMA");
	D.device_close(dev);
	D.close(fd);
}

static void expect_probe(int c, uint64_t iova, uint64_t size, int errnum)
{
	expect_map(c, iova, size, (char *)VA + iova, VFIO_T1_MAP_VADDR);
	FAIL(errnum);
}

/* The kernel is asked for each, in a way that changes nothing. */
static void test_read_back(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, EDU, true);
	int c = container_fd(fd, id);

	(void)state;
	attach_first(fd, dev, EDU, id);
	for (uint64_t iova = 0x1000; iova <= 0x3000; iova += 0x1000) {
		expect_map(c, iova, 0x1000, (char *)VA + iova, 3);
		assert_int_equal(map(fd, id, iova, 0x1000, NULL), 0);
	}
	expect_probe(c, 0x1000, 0x1000, EINVAL);
	expect_probe(c, 0x2000, 0x1000, ENOENT);
	expect_probe(c, 0x3000, 0x1000, EINVAL);
	assert_true(collect(fd, id, "1000+1000:3 3000+1000:3 "));
	assert_non_null(strstr(trace_text, "each of 3 mappings = 1 gone"));
	D.device_close(dev);
	D.close(fd);
}

static void test_info(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, EDU, true);
	struct ioasid_info info;
	struct device_info hardware;

	(void)state;
	assert_int_equal(D.ioasid_info(fd, id, &info, NULL), 0);
	assert_int_equal(info.n_ranges, 1);
	assert_int_equal(info.ranges[0].first, 0);
	assert_int_equal(info.ranges[0].last, UINT64_MAX);
	assert_int_equal(info.alignment, 0);
	ioasid_info_done(&info);
	assert_int_equal(D.device_info(fd, dev, &hardware, NULL), 0);
	assert_string_equal(hardware.type, "none");

	/* What VFIO doesn't tell of the IOMMU, sysfs does. */
	tree_link(&tree, "/sys/class/iommu/dmar0", "/sys/bus/pci/devices/" EDU "/iommu");
	tree_file(&tree, "d2008c222f0686\n", "/sys/class/iommu/dmar0/intel-iommu/cap");
	tree_file(&tree, "f0008a\n", "/sys/class/iommu/dmar0/intel-iommu/ecap");
	attach_first(fd, dev, EDU, id);
	expect_info(container_fd(fd, id), look_usual);
	assert_int_equal(D.ioasid_info(fd, id, &info, NULL), 0);
	assert_int_equal(info.alignment, 0x1000);
	assert_int_equal(info.n_ranges, 2);
	assert_int_equal(info.ranges[1].first, 0xfef00000);
	assert_int_equal(info.ranges[1].last, 0x7fffffffff);
	assert_false(info.counted || info.measured);
	ioasid_info_done(&info);
	expect_info(container_fd(fd, id), look_usual);
	assert_int_equal(D.device_info(fd, dev, &hardware, NULL), 0);
	assert_string_equal(hardware.type, "vt-d");
	assert_int_equal(hardware.page_sizes, 0x40201000);
	assert_int_equal(hardware.iova_bits, 39);
	assert_false(hardware.nesting || hardware.dirty_tracking);
	assert_true(hardware.snoop_control);
	assert_int_equal(hardware.n_registers, 2);
	assert_string_equal(hardware.registers[0].name, "cap");
	assert_int_equal(hardware.registers[0].value, 0xd2008c222f0686);
	assert_int_equal(hardware.registers[1].value, 0xf0008a);
	EXPECT(VFIO_T1_INFO, vfio_t1_info, .argsz = 24);
	assert_int_equal(D.ioasid_probe(fd, id), 0);
	EXPECT(VFIO_T1_INFO, vfio_t1_info, .argsz = 24);
	FAIL(EINVAL);
	assert_int_equal(D.ioasid_probe(fd, id), -ENOENT);
	D.device_close(dev);
	D.close(fd);
}

/* A promise that the driver keeps, for the kernel doesn't know it. */
static void test_allowed_ranges(void **state)
{
	const struct range good[] = {{0, 0xffff}, {0xfef00000, 0xfef0ffff}},
			   bad[] = {{0, 0xffff}, {0xfed00000, 0xfef00fff}};
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, EDU, true);
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	int c = container_fd(fd, id);

	(void)state;
	assert_int_equal(D.allow(fd, id, bad, 2, NULL), 0);
	expect_set_container(dev, c);
	expect_type(c);
	expect_info(c, look_usual);
	expect_unset_container(dev);
	assert_int_equal(D.attach(fd, dev, id, NO_PASID, &err), -EADDRINUSE);
	assert_int_equal(err->kind, ERROR_KERNEL);
	assert_non_null(strstr(err->message, "0xfed00000-0xfef00fff"));
	assert_non_null(strstr(err->cause, "0xfee00000-0xfeefffff"));
	error_free(steal_pointer(err));

	assert_int_equal(D.allow(fd, id, good, 2, NULL), 0);
	attach_first(fd, dev, EDU, id);
	expect_info(c, look_usual);
	assert_int_equal(D.allow(fd, id, bad, 2, &err), -EADDRINUSE);
	expect_info(c, look_usual);
	assert_int_equal(D.allow(fd, id, good, 1, NULL), 0);
	assert_int_equal(D.allow(fd, id, NULL, 0, NULL), 0);
	D.device_close(dev);
	D.close(fd);
}

static uint64_t placed(struct driver_fd *fd, uint32_t id, uint64_t length, int *ret)
{
	uint64_t iova = 0;
	const struct map_args args = {
		.length = length, .access = ACCESS_RW, .va = VA, .placed = &iova};

	*ret = D.map(fd, id, &args, NULL);
	return iova;
}

static void test_placed_mappings(void **state)
{
	const struct range allow[] = {{0x1000, 0x4fff}, {0x10000, 0x10fff}};
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd), free_id = alloc(fd);
	int ret;

	(void)state;
	assert_int_equal(D.allow(fd, id, allow, 2, NULL), 0);
	assert_int_equal(map(fd, id, 0x2000, 0x1000, NULL), 0);
	assert_int_equal(placed(fd, id, 0x2000, &ret), 0x3000);
	assert_int_equal(ret, 0);
	assert_int_equal(placed(fd, id, 0x1000, &ret), 0x1000);
	assert_int_equal(ret, 0);
	assert_int_equal(placed(fd, id, 0x1000, &ret), 0x10000);
	assert_int_equal(ret, 0);
	placed(fd, id, 0x1000, &ret);
	assert_int_equal(ret, -ENOSPC);
	assert_true(collect(fd, id, "1000+1000:3 2000+1000:3 3000+2000:3 10000+1000:3 "));

	assert_int_equal(map(fd, free_id, ~0xfffUL, 0x1000, NULL), 0);
	assert_int_equal(placed(fd, free_id, ~0xfffUL, &ret), 0);
	assert_int_equal(ret, 0);
	placed(fd, free_id, 0x1000, &ret);
	assert_int_equal(ret, -ENOSPC);
	D.close(fd);
}

/* With a device the kernel's ranges count. */
static void test_placed_beside_what_is_reserved(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, EDU, true);
	int c = container_fd(fd, id), ret;

	(void)state;
	attach_first(fd, dev, EDU, id);
	expect_info(c, look_usual);
	expect_map(c, 0xfef00000, 0x100000000, VA, 3);
	assert_int_equal(placed(fd, id, 0x100000000, &ret), 0xfef00000);
	assert_int_equal(ret, 0);
	D.device_close(dev);
	D.close(fd);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_open_and_close),
		TEST(test_nothing_to_open),
		TEST(test_another_interface),
		TEST(test_what_cannot_be_allocated),
		TEST(test_mappings_wait_for_a_device),
		TEST(test_access),
		TEST(test_a_failed_map_is_not_remembered),
		TEST(test_a_map_out_of_range),
		TEST(test_locked_memory),
		TEST(test_overlaps),
		TEST(test_unmap_of_what_is_not_there),
		TEST(test_read_back),
		TEST(test_info),
		TEST(test_allowed_ranges),
		TEST(test_placed_mappings),
		TEST(test_placed_beside_what_is_reserved),
	};

	return cmocka_run_group_tests_name("vfio_container", tests, NULL, NULL);
}
