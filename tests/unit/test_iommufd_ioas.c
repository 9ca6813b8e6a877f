// SPDX-License-Identifier: GPL-2.0-or-later
/* The iommufd driver: opening and IOASIDs. Each argument of each ioctl is compared. */
#include "iommufd_fixture.h"

static void test_open_and_close(void **state)
{
	struct driver_fd *fd;
	char closed[64];

	(void)state;
	assert_int_equal(D.available(&env, NULL, NULL), 0);
	fd = open_fd(true);
	assert_true(D.fd_number(fd) >= 0);
	snprintf(closed, sizeof(closed), "close /dev/iommu fd=%d = 0\n", D.fd_number(fd));
	D.close(fd);
	assert_non_null(strstr(trace_text, "/dev/iommu = 0 fd="));
	assert_non_null(strstr(trace_text, "IOMMU_IOAS_MAP_FILE"));
	assert_non_null(strstr(trace_text, closed));
}

static void test_node_of_the_config(void **state)
{
	struct iommu_fd spec = {.name = (char *)"main", .node = (char *)"/dev/other"};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_fd *fd;

	(void)state;
	assert_int_equal(D.open(&env, &spec, &fd, &err), -ENOENT);
	assert_non_null(strstr(err->message, "/dev/other"));
	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	tree_link(&tree, "/dev/null", "/dev/other");
	expect_map_file_probe(ENOENT);
	assert_int_equal(D.open(&env, &spec, &fd, NULL), 0);
	D.close(fd);
}

static void test_kernel_without_iommufd(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	tree_unlink(&tree, "/dev/iommu");
	assert_int_equal(D.available(&env, NULL, &err), -ENOENT);
	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_string_equal(err->cause, "the kernel has no iommufd, or its module isn't loaded");
	assert_non_null(strstr(err->hint, "modprobe iommufd"));
	error_free(steal_pointer(err));
	tree_file(&tree, "6.12.1\n", "/proc/sys/kernel/osrelease");
	tree_file(&tree, "kernel/fs/ext4/ext4.ko\n", "/lib/modules/6.12.1/modules.builtin");
	tree_file(&tree, "kernel/drivers/vfio/vfio.ko.xz:\n", "/lib/modules/6.12.1/modules.dep");
	assert_int_equal(D.available(&env, NULL, &err), -ENOENT);
	assert_string_equal(err->cause, "this kernel was built without iommufd");
	assert_non_null(strstr(err->hint, "CONFIG_IOMMUFD"));
	error_free(steal_pointer(err));
	tree_file(&tree, "a.ko:\nkernel/drivers/iommu/iommufd/iommufd.ko.xz: a.ko\n",
		  "/lib/modules/6.12.1/modules.dep");
	assert_int_equal(D.available(&env, NULL, &err), -ENOENT);
	assert_string_equal(err->cause, "the kernel's module for it, iommufd, isn't loaded");
	assert_string_equal(err->hint, "modprobe iommufd");
	error_free(steal_pointer(err));
	tree_dir(&tree, "/sys/class/misc/iommu");
	assert_int_equal(D.available(&env, NULL, &err), -ENOENT);
	assert_string_equal(err->cause, "the kernel has iommufd, but its node isn't here");
}

static void test_node_that_is_a_file(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	tree_file(&tree, "", "/dev/file");
	assert_int_equal(D.available(&env, "/dev/file", &err), -ENODEV);
	assert_non_null(strstr(err->message, "is no character device"));
}

/* Opening is denied to root by nothing, so the text is made as open would make it. */
static void test_node_without_access(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	tree_file(&tree, "", "/dev/secret");
	iommufd_fail(&err, "open", -EACCES, "can't open it");
	linux_explain_open(&env, "/dev/secret", EACCES, &err);
	assert_int_equal(err->kind, ERROR_PERMISSION);
	assert_non_null(strstr(err->cause, "with mode 0"));
	assert_non_null(strstr(err->hint, "KERNEL==\"secret\""));
}

static void expect_option(uint32_t option, uint16_t op, uint32_t object, uint64_t value)
{
	EXPECT(IOMMUFD_OPTION, iommufd_set_option, .size = 24, .option_id = option, .op = op,
	       .object_id = object, .val64 = value);
}

static void test_accounting_by_process(void **state)
{
	const struct iommu_fd spec = {.name = (char *)"m", .accounting = ACCOUNTING_PROCESS};
	struct driver_fd *fd;

	(void)state;
	expect_option(0, 1, 0, 0);
	expect_option(0, 0, 0, 1);
	expect_map_file_probe(ENOENT);
	assert_int_equal(D.open(&env, &spec, &fd, NULL), 0);
	D.close(fd);
}

static void test_accounting_that_it_has(void **state)
{
	const struct iommu_fd spec = {.name = (char *)"m", .accounting = ACCOUNTING_USER};
	struct driver_fd *fd;

	(void)state;
	expect_option(0, 1, 0, 0);
	expect_map_file_probe(ENOENT);
	assert_int_equal(D.open(&env, &spec, &fd, NULL), 0);
	D.close(fd);
}

static void test_accounting_without_privilege(void **state)
{
	const struct iommu_fd spec = {.name = (char *)"m", .accounting = ACCOUNTING_PROCESS};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_fd *fd = NULL;

	(void)state;
	expect_option(0, 1, 0, 0);
	expect_option(0, 0, 0, 1);
	FAIL(EPERM);
	assert_int_equal(D.open(&env, &spec, &fd, &err), -EPERM);
	assert_null(fd);
	assert_int_equal(err->kind, ERROR_PERMISSION);
	assert_string_equal(err->ioctl, "IOMMU_OPTION");
	assert_non_null(strstr(err->message, "can't account memory by process"));
	assert_non_null(strstr(err->cause, "CAP_SYS_RESOURCE"));
	/* Nothing is left open. */
	assert_non_null(strstr(trace_text, "close /dev/iommu"));
}

static void expect_alloc(uint32_t id)
{
	EXPECT(IOMMUFD_IOAS_ALLOC, iommufd_ioas_alloc, .size = 12);
	ANSWER(iommufd_ioas_alloc, .size = 12, .out_ioas_id = id);
}

static void test_alloc_and_free(void **state)
{
	struct driver_fd *fd = open_fd(true);
	struct ioasid spec;
	uint32_t id = 0;

	(void)state;
	ioasid_init(&spec);
	spec.name = (char *)"gpa";
	expect_alloc(7);
	assert_int_equal(D.ioasid_alloc(fd, &spec, NULL, &id, NULL), 0);
	assert_int_equal(id, 7);
	EXPECT(IOMMUFD_DESTROY, iommufd_destroy, .size = 8, .id = 7);
	assert_int_equal(D.ioasid_free(fd, 7, NULL), 0);
	D.close(fd);
}

static void test_free_of_what_is_used(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_fd *fd = open_fd(true);

	(void)state;
	EXPECT(IOMMUFD_DESTROY, iommufd_destroy, .size = 8, .id = 7);
	FAIL(EBUSY);
	assert_int_equal(D.ioasid_free(fd, 7, &err), -EBUSY);
	assert_int_equal(err->kind, ERROR_BUSY);
	assert_string_equal(err->ioctl, "IOMMU_DESTROY");
	D.close(fd);
}

static void test_small_pages(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_fd *fd = open_fd(true);
	struct ioasid spec;
	uint32_t id = 0;

	(void)state;
	ioasid_init(&spec);
	spec.name = (char *)"gpa";
	spec.flags = IOASID_FLAG_NO_HUGE;
	expect_alloc(7);
	expect_option(1, 0, 7, 0);
	assert_int_equal(D.ioasid_alloc(fd, &spec, NULL, &id, NULL), 0);
	/* When the second call fails, what the first made goes again. */
	expect_alloc(8);
	expect_option(1, 0, 8, 0);
	FAIL(EINVAL);
	EXPECT(IOMMUFD_DESTROY, iommufd_destroy, .size = 8, .id = 8);
	assert_int_equal(D.ioasid_alloc(fd, &spec, NULL, &id, &err), -EINVAL);
	assert_int_equal(id, 7);
	assert_non_null(strstr(err->message, "can't keep gpa to small pages"));
	D.close(fd);
}

static void test_ioasids_it_cannot_make(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_fd *fd = open_fd(true);
	struct ioasid spec;
	uint32_t id;

	(void)state;
	ioasid_init(&spec);
	spec.name = (char *)"s1";
	spec.kind = IOASID_NESTED;
	assert_int_equal(D.ioasid_alloc(fd, &spec, &(struct nesting){.parent = 7}, &id, &err),
			 -EINVAL);
	assert_int_equal(err->kind, ERROR_REFUSED);
	spec.kind = IOASID_GPA;
	spec.flags = IOASID_FLAG_NEST_PARENT | IOASID_FLAG_FAULT_QUEUE;
	assert_int_equal(D.ioasid_alloc(fd, &spec, NULL, &id, NULL), -EOPNOTSUPP);
	D.close(fd);
}

static const struct range two_ranges[] = {{0, 0xfedfffff}, {0x100000000, 0x1ffffffff}};

static void look_allow(void *args, void *copy)
{
	struct iommufd_ioas_allow_iovas *a = args, *c = copy;
	const struct iommufd_iova_range *ranges = (void *)(uintptr_t)a->allowed_iovas;

	for (uint32_t i = 0; i < a->num_iovas; i++) {
		assert_int_equal(ranges[i].start, two_ranges[i].first);
		assert_int_equal(ranges[i].last, two_ranges[i].last);
	}
	c->allowed_iovas = 0;
}

static void test_allow(void **state)
{
	struct driver_fd *fd = open_fd(true);

	(void)state;
	EXPECT(IOMMUFD_IOAS_ALLOW_IOVAS, iommufd_ioas_allow_iovas, .size = 24, .ioas_id = 7,
	       .num_iovas = 2);
	LOOK(look_allow);
	assert_int_equal(D.allow(fd, 7, two_ranges, 2, NULL), 0);
	EXPECT(IOMMUFD_IOAS_ALLOW_IOVAS, iommufd_ioas_allow_iovas, .size = 24, .ioas_id = 7);
	LOOK(look_allow);
	assert_int_equal(D.allow(fd, 7, NULL, 0, NULL), 0);
	D.close(fd);
}

static void look_one_range(void *args, void *copy)
{
	struct iommufd_ioas_allow_iovas *a = args, *c = copy;
	const struct iommufd_iova_range *range = (void *)(uintptr_t)a->allowed_iovas;

	assert_int_equal(range->start, 0x1000);
	assert_int_equal(range->last, 0xffffffff);
	c->allowed_iovas = 0;
}

static void test_allow_that_collides(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_fd *fd = open_fd(true);

	(void)state;
	EXPECT(IOMMUFD_IOAS_ALLOW_IOVAS, iommufd_ioas_allow_iovas, .size = 24, .ioas_id = 7,
	       .num_iovas = 1);
	FAIL(EADDRINUSE);
	LOOK(look_one_range);
	expect_ranges(16, 2, 4096);
	assert_int_equal(D.allow(fd, 7, &(struct range){0x1000, 0xffffffff}, 1, &err), -EADDRINUSE);
	assert_non_null(strstr(err->cause, "0xfee00000-0xfeefffff of it is out of reach"));
	D.close(fd);
}

static void test_info(void **state)
{
	struct driver_fd *fd = open_fd(true);
	struct ioasid_info info;

	(void)state;
	expect_ranges(16, 2, 4096);
	assert_int_equal(D.ioasid_info(fd, 7, &info, NULL), 0);
	assert_int_equal(info.n_ranges, 2);
	assert_int_equal(info.ranges[0].last, 0xfedfffff);
	assert_int_equal(info.ranges[1].first, 0xfef00000);
	assert_int_equal(info.alignment, 4096);
	assert_true(info.counted);
	assert_int_equal(info.domains, 0);
	ioasid_info_done(&info);
	D.close(fd);
}

static void look_many_ranges(void *args, void *copy)
{
	struct iommufd_ioas_iova_ranges *a = args, *c = copy;
	struct iommufd_iova_range *ranges = (void *)(uintptr_t)a->allowed_iovas;

	for (uint32_t i = 0; i < a->num_iovas; i++)
		ranges[i] = (struct iommufd_iova_range){i * 0x10000ULL, i * 0x10000ULL + 0xfff};
	c->allowed_iovas = 0;
}

static void test_more_ranges_than_expected(void **state)
{
	struct driver_fd *fd = open_fd(true);
	struct ioasid_info info;

	(void)state;
	expect_ranges(16, 40, 4096);
	FAIL(EMSGSIZE);
	expect_ranges(40, 40, 4096);
	LOOK(look_many_ranges);
	assert_int_equal(D.ioasid_info(fd, 7, &info, NULL), 0);
	assert_int_equal(info.n_ranges, 40);
	assert_int_equal(info.ranges[39].last, 39 * 0x10000 + 0xfff);
	ioasid_info_done(&info);
	D.close(fd);
}

static void test_answers_nobody_should_believe(void **state)
{
	static const struct {
		uint32_t n;
		int errnum;
	} lies[] = {{0xffffffff, EMSGSIZE}, {65537, EMSGSIZE}, {16, EMSGSIZE}, {17, 0}};
	struct driver_fd *fd = open_fd(true);
	struct ioasid_info info = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;

		expect_ranges(16, lies[i].n, 4096);
		FAIL(lies[i].errnum);
		assert_int_equal(D.ioasid_info(fd, 7, &info, &err), -EPROTO);
		assert_int_equal(err->kind, ERROR_PROTOCOL);
		assert_null(info.ranges);
	}
	/* Ranges that the kernel left out are 0-0 twice: out of order. */
	expect_ranges(16, 4, 4096);
	assert_int_equal(D.ioasid_info(fd, 7, &info, NULL), -EPROTO);
	for (int i = 0; i < 4; i++) {
		expect_ranges(16U << i, 32U << i, 4096);
		FAIL(EMSGSIZE);
	}
	assert_int_equal(D.ioasid_info(fd, 7, &info, NULL), -EAGAIN);
	D.close(fd);
}

static void test_probe(void **state)
{
	struct driver_fd *fd = open_fd(true);

	(void)state;
	expect_ranges(0, 2, 4096);
	FAIL(EMSGSIZE);
	assert_int_equal(D.ioasid_probe(fd, 7), 0);
	expect_ranges(0, 0, 4096);
	assert_int_equal(D.ioasid_probe(fd, 7), 0);
	expect_ranges(0, 0, 0);
	FAIL(ENOENT);
	assert_int_equal(D.ioasid_probe(fd, 7), -ENOENT);
	D.close(fd);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_open_and_close),
		TEST(test_node_of_the_config),
		TEST(test_kernel_without_iommufd),
		TEST(test_node_that_is_a_file),
		TEST(test_node_without_access),
		TEST(test_accounting_by_process),
		TEST(test_accounting_that_it_has),
		TEST(test_accounting_without_privilege),
		TEST(test_alloc_and_free),
		TEST(test_free_of_what_is_used),
		TEST(test_small_pages),
		TEST(test_ioasids_it_cannot_make),
		TEST(test_allow),
		TEST(test_allow_that_collides),
		TEST(test_info),
		TEST(test_more_ranges_than_expected),
		TEST(test_answers_nobody_should_believe),
		TEST(test_probe),
	};

	return cmocka_run_group_tests_name("iommufd-ioas", tests, NULL, NULL);
}
