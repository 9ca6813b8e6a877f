// SPDX-License-Identifier: GPL-2.0-or-later
/* The iommufd driver: mappings. Each argument of each ioctl is compared. */
#include "iommufd_fixture.h"

#include <sys/resource.h>

static const struct map_args file_args = {
	.iova = 0x100000, .length = 0x200000, .access = ACCESS_RW, .fd = 9, .offset = 0x3000};

static void expect_map_file(uint32_t flags)
{
	EXPECT(IOMMUFD_IOAS_MAP_FILE, iommufd_ioas_map_file, .size = 40, .flags = flags,
	       .ioas_id = 7, .fd = 9, .start = 0x3000, .length = 0x200000, .iova = 0x100000);
}

static void test_map_of_a_memfd(void **state)
{
	struct driver_fd *fd = open_fd(true);
	struct map_args args = file_args;
	struct memory memory;

	(void)state;
	memory_init(&memory);
	memory.backing = BACKING_MEMFD;
	assert_false(D.wants_va(fd, &memory));
	expect_map_file(1 | 2 | 4);
	assert_int_equal(D.map(fd, 7, &args, NULL), 0);
	args.access = ACCESS_READ;
	expect_map_file(1 | 4);
	assert_int_equal(D.map(fd, 7, &args, NULL), 0);
	args.access = ACCESS_WRITE;
	expect_map_file(1 | 2);
	assert_int_equal(D.map(fd, 7, &args, NULL), 0);
	D.close(fd);
	assert_non_null(strstr(trace_text, "ioas=7 iova=0x100000 length=0x200000 file=9 "
					   "start=0x3000 flags=0x7 = 0\n"));
}

static void test_map_by_address(void **state)
{
	struct driver_fd *old = open_fd(false), *fd = open_fd(true);
	struct map_args args = file_args;
	struct memory memory;

	(void)state;
	memory_init(&memory);
	memory.backing = BACKING_MEMFD;
	assert_true(D.wants_va(old, &memory));
	memory.backing = BACKING_FILE;
	assert_true(D.wants_va(fd, &memory));
	args.va = &memory;
	EXPECT(IOMMUFD_IOAS_MAP, iommufd_ioas_map, .size = 40, .flags = 7, .ioas_id = 7,
	       .user_va = (uintptr_t)&memory, .length = 0x200000, .iova = 0x100000);
	assert_int_equal(D.map(old, 7, &args, NULL), 0);
	D.close(old);
	D.close(fd);
}

static void look_nothing(void *args, void *copy)
{
	(void)args;
	((struct iommufd_hw_info *)copy)->data_uptr = 0;
}

static void test_map_refused_for_its_range(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_fd *fd = open_fd(true);
	struct map_args args = file_args;
	struct iommufd_place in = {.pasid = NO_PASID, .ioasid = 7},
			     out = {.pasid = NO_PASID, .ioasid = 8};
	struct driver_device there = {.env = &env,
				      .label = (char *)"nic1",
				      .group = 8,
				      .id = 3,
				      .places = &in,
				      .n_places = 1};
	struct driver_device elsewhere = {.env = &env,
					  .label = (char *)"nic0",
					  .group = 8,
					  .places = &out,
					  .n_places = 1,
					  .next = &there};

	(void)state;
	expect_map_file(7);
	FAIL(EEXIST);
	assert_int_equal(D.map(fd, 7, &args, &err), -EEXIST);
	assert_string_equal(err->cause, "part of the range is mapped already");
	assert_non_null(strstr(err->message, "can't map 0x100000-0x2fffff"));
	error_free(steal_pointer(err));

	expect_map_file(7);
	FAIL(EINVAL);
	expect_ranges(16, 2, 0x10000);
	assert_int_equal(D.map(fd, 7, &args, &err), -EINVAL);
	assert_non_null(strstr(err->cause, "must be multiples of 0x10000"));
	error_free(steal_pointer(err));

	args.iova = 0xfed00000;
	EXPECT(IOMMUFD_IOAS_MAP_FILE, iommufd_ioas_map_file, .size = 40, .flags = 7, .ioas_id = 7,
	       .fd = 9, .start = 0x3000, .length = 0x200000, .iova = 0xfed00000);
	FAIL(EINVAL);
	expect_ranges(16, 2, 4096);
	assert_int_equal(D.map(fd, 7, &args, &err), -EINVAL);
	assert_non_null(strstr(err->cause, "0xfee00000-0xfeefffff of it is out of reach"));
	error_free(steal_pointer(err));

	/* Whose they are, if it is in the IOASID: not the first one here. */
	tree_file(&tree, "0x00000000fee00000 0x00000000feefffff msi\n",
		  "/sys/kernel/iommu_groups/8/reserved_regions");
	fd->devices = &elsewhere;
	EXPECT(IOMMUFD_IOAS_MAP_FILE, iommufd_ioas_map_file, .size = 40, .flags = 7, .ioas_id = 7,
	       .fd = 9, .start = 0x3000, .length = 0x200000, .iova = 0xfed00000);
	FAIL(EINVAL);
	expect_ranges(16, 2, 4096);
	EXPECT(IOMMUFD_GET_HW_INFO, iommufd_hw_info, .size = 40, .dev_id = 3, .data_len = 256);
	LOOK(look_nothing);
	FAIL(ENOENT);
	assert_int_equal(D.map(fd, 7, &args, &err), -EINVAL);
	assert_string_equal(err->cause, "0xfee00000-0xfeefffff is reserved (msi) by nic1");
	fd->devices = NULL;
	D.close(fd);
}

static void test_map_refused_for_its_memory(void **state)
{
	struct driver_fd *fd = open_fd(true);

	(void)state;
	static const struct {
		int errnum;
		enum error_kind kind;
		const char *cause;
	} cases[] = {
		{EPERM, ERROR_PERMISSION, "sealed"},
		{EFAULT, ERROR_KERNEL, "the file ends before"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;

		expect_map_file(7);
		FAIL(cases[i].errnum);
		assert_int_equal(D.map(fd, 7, &file_args, &err), -cases[i].errnum);
		assert_int_equal(err->kind, cases[i].kind);
		assert_non_null(strstr(err->cause, cases[i].cause));
	}
	D.close(fd);
}

static void refuse_for_memory(struct driver_fd *fd, const char *cause, const char *hint)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	expect_map_file(7);
	FAIL(ENOMEM);
	assert_int_equal(D.map(fd, 7, &file_args, &err), -ENOMEM);
	assert_int_equal(err->kind, ERROR_MEMORY);
	assert_string_equal(err->cause, cause);
	if (hint && !strstr(err->hint, hint))
		fail_msg("%s", err->hint);
}

static void test_map_past_the_limit_of_locked_memory(void **state)
{
	struct driver_fd *fd = open_fd(true);

	(void)state;
#define STATUS(caps, pinned) "Uid:\t1000\t1000\nCapEff:\t" caps "\nVmPin:\t" pinned " kB\n"
	tree_file(&tree, "Max locked memory 65536 65536 bytes\n", "/proc/self/limits");
	tree_file(&tree, STATUS("0000000000000000", "0"), "/proc/self/status");
	/* Which limit it is depends on who set it. */
	refuse_for_memory(fd, "it pins 2M, and the limit of locked memory is 64K",
			  " - memlock 2048\" (KiB) in /etc/security/limits.d/");
	tree_file(&tree, "0::/system.slice/vm0.service\n", "/proc/self/cgroup");
	refuse_for_memory(fd, "it pins 2M, and the limit of locked memory is 64K",
			  "LimitMEMLOCK=2M in [Service] (systemctl edit vm0.service)");
	tree_file(&tree, "0::/user.slice/user-1000.slice/user@1000.service\n", "/proc/self/cgroup");
	refuse_for_memory(fd, "it pins 2M, and the limit of locked memory is 64K",
			  "/etc/security/limits.d/");
	tree_file(&tree, "", "/run/.containerenv");
	refuse_for_memory(fd, "it pins 2M, and the limit of locked memory is 64K",
			  "--ulimit memlock=2097152:2097152");
	tree_unlink(&tree, "/run/.containerenv");
	/* With what is pinned already, here and by others of the user. */
	tree_file(&tree, STATUS("0000000000000000", "32"), "/proc/self/status");
	refuse_for_memory(fd,
			  "it pins 2M, beside 32K that this user has pinned already, and the limit "
			  "of locked memory is 64K",
			  "memlock 3072");
	tree_process(&tree, 4000000, "qemu\n", "/dev/iommu");
	tree_file(&tree, "Max locked memory 65536 65536 bytes\n", "/proc/4000000/limits");
	tree_file(&tree, STATUS("0000000000000000", "1024"), "/proc/4000000/status");
	refuse_for_memory(fd,
			  "it pins 2M, beside 1M that this user has pinned already, and the limit "
			  "of locked memory is 64K",
			  "memlock 3072");
	/* The limit would do: it isn't blamed. */
	tree_file(&tree, "Max locked memory 4194304 4194304 bytes\n", "/proc/self/limits");
	refuse_for_memory(
		fd,
		"it pins 2M, for which the limit of locked memory, 4M, has room as far as "
		"can be seen (1M are used); so this user has locked more (io_uring, XDP), "
		"or the machine or the process's control group is short of memory",
		"memory.max of the control group");
	tree_file(&tree, "Max locked memory 65536 65536 bytes\n", "/proc/self/limits");
	/* Whoever has CAP_IPC_LOCK isn't limited: it's something else. */
	tree_file(&tree, STATUS("0000000000004000", "0"), "/proc/self/status");
	refuse_for_memory(fd,
			  "no limit of locked memory applies, so the machine itself is short of "
			  "memory (or of huge pages)",
			  NULL);
	/* The capability of a container's root is none of the host's. */
	tree_file(&tree, "         0     100000      65536\n", "/proc/self/uid_map");
	refuse_for_memory(fd,
			  "it pins 2M, beside 1M that this user has pinned already, and the limit "
			  "of locked memory is 64K",
			  NULL);
	tree_file(&tree, "         0          0 4294967295\n", "/proc/self/uid_map");
	refuse_for_memory(fd,
			  "no limit of locked memory applies, so the machine itself is short of "
			  "memory (or of huge pages)",
			  NULL);
	D.close(fd);
}

static void test_copy(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_fd *fd = open_fd(true);

	(void)state;
	for (int i = 0; i < 2; i++)
		EXPECT(IOMMUFD_IOAS_COPY, iommufd_ioas_copy, .size = 40, .flags = 1 | 4,
		       .dst_ioas_id = 8, .src_ioas_id = 7, .length = 0x2000, .dst_iova = 0x5000,
		       .src_iova = 0x9000);
	FAIL(ENOENT);
	assert_int_equal(D.copy(fd, 8, 0x5000, 0x2000, ACCESS_READ, 7, 0x9000, NULL), 0);
	assert_int_equal(D.copy(fd, 8, 0x5000, 0x2000, ACCESS_READ, 7, 0x9000, &err), -ENOENT);
	assert_string_equal(err->cause, "the source has no mapping of exactly that range");
	D.close(fd);
}

static void expect_unmap(uint64_t length, uint64_t unmapped)
{
	EXPECT(IOMMUFD_IOAS_UNMAP, iommufd_ioas_unmap, .size = 24, .ioas_id = 7, .iova = 0x5000,
	       .length = length);
	ANSWER(iommufd_ioas_unmap, .size = 24, .ioas_id = 7, .iova = 0x5000, .length = unmapped);
}

static void test_unmap(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_fd *fd = open_fd(true);

	(void)state;
	expect_unmap(0x2000, 0x2000);
	assert_int_equal(D.unmap(fd, 7, 0x5000, 0x2000, NULL), 0);
	expect_unmap(0x2000, 0x1000);
	assert_int_equal(D.unmap(fd, 7, 0x5000, 0x2000, &err), -EIO);
	assert_int_equal(err->kind, ERROR_VERIFY);
	assert_non_null(strstr(err->message, "took away 0x1000 bytes instead of 0x2000"));
	error_free(steal_pointer(err));
	expect_unmap(0x2000, 0);
	FAIL(ENOENT);
	assert_int_equal(D.unmap(fd, 7, 0x5000, 0x2000, &err), -ENOENT);
	assert_non_null(strstr(err->cause, "cut a mapping"));
	/* "Everything" to the kernel, nonsense or wrapping: never asked. */
	assert_int_equal(D.unmap(fd, 7, 0, UINT64_MAX, NULL), -EINVAL);
	assert_int_equal(D.unmap(fd, 7, 0x5000, 0, NULL), -EINVAL);
	assert_int_equal(D.unmap(fd, 7, 0x5000, UINT64_MAX - 5, NULL), -EINVAL);
	D.close(fd);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_map_of_a_memfd),
		TEST(test_map_by_address),
		TEST(test_map_refused_for_its_range),
		TEST(test_map_refused_for_its_memory),
		TEST(test_map_past_the_limit_of_locked_memory),
		TEST(test_copy),
		TEST(test_unmap),
	};

	return cmocka_run_group_tests_name("iommufd-map", tests, NULL, NULL);
}
