// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vDPA devices of Linux, ioctl by ioctl and message by message: what is copied into a device's
 * IOTLB, how it moves between its address spaces, and that a failure leaves it as it was.
 */
#include "mock_ioctl.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "driver/vdpa.h"
#include "support_tree.h"

#define D	     driver_vdpa
#define FEATURES     (1 << 1 | 1 << 2 | 1 << 3 | 1 << 8)
#define ALL	     NO_INDEX
#define MESSAGES_MAX 64

static struct tree tree;
static struct driver_env env = {.root = tree.root};

/* Messages that were written to the device, and the one to be refused. */
static struct vhost_vdpa_message written[MESSAGES_MAX];
static size_t n_written, n_read, fail_at;

ssize_t write(int fd, const void *data, size_t length)
{
	if (length != sizeof(struct vhost_vdpa_message))
		return syscall(SYS_write, fd, data, length);
	assert_true(n_written < MESSAGES_MAX);
	memcpy(&written[n_written++], data, length);
	if (n_written == fail_at) {
		errno = EFAULT;
		return -1;
	}
	return (ssize_t)length;
}

/* A file stands for a node: unlike a link to one it can be taken away. */
int fstat(int fd, struct stat *st)
{
	int ret = fstatat(fd, "", st, AT_EMPTY_PATH);

	if (!ret && S_ISREG(st->st_mode))
		st->st_mode = S_IFCHR;
	return ret;
}

/* The next message has these fields, all others 0. */
static void check_message(struct vhost_vdpa_message wanted)
{
	wanted.type = 2;
	assert_true(n_read < n_written);
	assert_memory_equal(&written[n_read++], &wanted, sizeof(wanted));
}

#define MESSAGE(...) check_message((struct vhost_vdpa_message){__VA_ARGS__})
#define BEGIN(n)     MESSAGE(.asid = (n), .request = 5)
#define END(n)	     MESSAGE(.asid = (n), .request = 6)
#define CLEARS(n)                                                                           \
	do {                                                                                \
		MESSAGE(.asid = (n), .request = 3, .size = 1ULL << 63);                     \
		MESSAGE(.asid = (n), .request = 3, .iova = 1ULL << 63, .size = 1ULL << 63); \
	} while (0)
#define MAPS(n, at, to, access)                                                         \
	MESSAGE(.asid = (n), .request = 2, .iova = (at), .size = 0x1000, .uaddr = (to), \
		.perm = (access))

static void no_more_messages(void)
{
	assert_int_equal(n_read, n_written);
	n_read = n_written = fail_at = 0;
}

static int setup(void **state)
{
	(void)state;
	n_called = n_expected = 0;
	n_written = n_read = fail_at = 0;
	tree_make(&tree);
	tree_dir(&tree, "/sys/bus/vdpa/devices/vdpa0/vhost-vdpa-0");
	tree_link(&tree, "/dev/null", "/dev/vhost-vdpa-0");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	expect_no_more();
	no_more_messages();
	tree_remove(&tree);
	return 0;
}

static const struct device spec = {
	.name = (char *)"net0", .selector = SELECTOR_VDPA, .address = (char *)"vdpa0"};

/* Structs for EXPECT and ANSWER. */
struct number64 {
	uint64_t value;
};
struct number32 {
	uint32_t value;
};

static struct driver_device *open_device(uint32_t spaces, uint32_t groups, uint64_t end)
{
	struct driver_device *dev;
	uint32_t id = 0;

	assert_int_equal(D.device_open(&env, &spec, &dev, NULL), 0);
	expect_bare(VHOST_VDPA_OWN);
	EXPECT(VHOST_VDPA_FEATURES_GET, number64, 0);
	ANSWER(number64, 0x1ff | 1ULL << 40);
	EXPECT(VHOST_VDPA_FEATURES_SET, number64, FEATURES);
	EXPECT(VHOST_VDPA_IOVA_RANGE, vhost_vdpa_range, 0);
	ANSWER(vhost_vdpa_range, .first = 0x1000, .last = end);
	EXPECT(VHOST_VDPA_SPACES, number32, 0);
	ANSWER(number32, spaces);
	EXPECT(VHOST_VDPA_GROUPS, number32, 0);
	ANSWER(number32, groups);
	assert_int_equal(D.device_bind(NULL, dev, &id, NULL), 0);
	assert_int_equal(id, NO_INDEX);
	return dev;
}

static const struct iotlb_space one = {(struct driver_fd *)0x10, 1},
				two = {(struct driver_fd *)0x10, 2};

static struct map_args mapping(uint64_t iova, uint64_t va, uint8_t access)
{
	return (struct map_args){.iova = iova,
				 .length = 0x1000,
				 .va = (void *)(uintptr_t)va,
				 .access = access,
				 .fd = -1};
}

static const struct iotlb_content nothing;

/* One mapping at 0x2000 of the space `one`. */
static struct driver_device *open_attached(uint32_t spaces)
{
	struct driver_device *dev = open_device(spaces, 2, UINT64_MAX);
	const struct map_args maps[] = {mapping(0x2000, 0x700000, ACCESS_RW)};

	assert_int_equal(
		D.iotlb_attach(dev, ALL, &one, &(struct iotlb_content){maps, 1}, &nothing, NULL),
		0);
	BEGIN(0);
	MAPS(0, 0x2000, 0x700000, 3);
	END(0);
	no_more_messages();
	return dev;
}

static void check_table(struct driver_device *dev, size_t i, uint32_t asid, uint32_t group,
			uint64_t entries)
{
	struct iotlb_info info;

	D.iotlb_info(dev, &info);
	assert_true(i < info.n_tables);
	assert_int_equal(info.tables[i].asid, asid);
	assert_int_equal(info.tables[i].vq_group, group);
	assert_int_equal(info.tables[i].entries, entries);
}

static void test_open_and_own(void **state)
{
	struct driver_device *dev = open_device(2, 3, 0xffffffff);
	struct iotlb_info info;

	(void)state;
	D.iotlb_info(dev, &info);
	assert_int_equal(info.spaces, 2);
	assert_int_equal(info.groups, 3);
	assert_int_equal(info.usable.first, 0x1000);
	assert_int_equal(info.usable.last, 0xffffffff);
	assert_int_equal(info.n_tables, 0);
	D.device_close(dev);
}

static bool is_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

/* The kernel takes the node away before it waits for the device to be closed. */
static void test_the_node_goes(void **state)
{
	struct driver_device *dev;
	char node[TREE_PATH_MAX];
	int request;

	(void)state;
	/* A file that isn't a link to somewhere else, as a node isn't. */
	tree_unlink(&tree, "/dev/vhost-vdpa-0");
	tree_file(&tree, "", "/dev/vhost-vdpa-0");
	snprintf(node, sizeof(node), "%s/dev/vhost-vdpa-0", tree.root);
	dev = open_device(1, 1, UINT64_MAX);
	request = D.device_request_fd(dev);
	assert_true(request >= 0);
	assert_false(is_readable(request));
	assert_int_equal(chmod(node, 0600), 0);
	assert_true(is_readable(request));
	assert_false(D.device_requested(dev));
	assert_false(is_readable(request));
	assert_int_equal(unlink(node), 0);
	assert_true(is_readable(request));
	assert_true(D.device_requested(dev));
	D.device_close(dev);
	assert_int_equal(fcntl(request, F_GETFD), -1);
}

static void test_not_bound_to_vhost(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev;

	(void)state;
	tree_dir(&tree, "/sys/bus/vdpa/drivers/virtio_vdpa");
	tree_dir(&tree, "/sys/bus/vdpa/devices/vdpa1");
	tree_link(&tree, "/sys/bus/vdpa/drivers/virtio_vdpa", "/sys/bus/vdpa/devices/vdpa1/driver");
	assert_int_equal(D.device_open(&env,
				       &(struct device){.name = (char *)"net1",
							.selector = SELECTOR_VDPA,
							.address = (char *)"vdpa1"},
				       &dev, &err),
			 -ENODEV);
	assert_string_equal(err->message, "net1 (vdpa1) belongs to the host's driver virtio_vdpa");
	assert_non_null(strstr(err->hint, "driver: vhost_vdpa"));
}

static void test_kernel_without_messages(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev;
	uint32_t id;

	(void)state;
	assert_int_equal(D.device_open(&env, &spec, &dev, NULL), 0);
	expect_bare(VHOST_VDPA_OWN);
	EXPECT(VHOST_VDPA_FEATURES_GET, number64, 0);
	ANSWER(number64, 0);
	assert_int_equal(D.device_bind(NULL, dev, &id, &err), -EOPNOTSUPP);
	D.device_close(dev);
}

static void test_maps_follow(void **state)
{
	struct driver_device *dev = open_attached(2);
	struct map_args read_only = mapping(0x5000, 0x800000, ACCESS_READ);

	(void)state;
	assert_true(D.iotlb_has(dev, &one));
	assert_false(D.iotlb_has(dev, &two));
	assert_int_equal(D.iotlb_map(dev, &one, &read_only, NULL), 0);
	MAPS(0, 0x5000, 0x800000, 1);
	check_table(dev, 0, 0, ALL, 2);
	assert_int_equal(D.iotlb_map(dev, &two, &read_only, NULL), 0); /* nothing to it */
	assert_int_equal(D.iotlb_unmap(dev, &one, &read_only, NULL), 0);
	MESSAGE(.request = 3, .iova = 0x5000, .size = 0x1000);
	check_table(dev, 0, 0, ALL, 1);
	assert_int_equal(D.iotlb_detach(dev, ALL, NULL), 0);
	BEGIN(0);
	CLEARS(0);
	END(0);
	assert_false(D.iotlb_has(dev, &one));
	D.device_close(dev);
}

/* A second address space is filled, both groups go over, and only then the first is emptied. */
/* In one batch, and in the address space that it comes back to when a driver resets it. */
static void test_move(void **state)
{
	struct driver_device *dev = open_attached(2);
	const struct map_args maps[] = {mapping(0x9000, 0x900000, ACCESS_WRITE)};
	const struct map_args before[] = {mapping(0x2000, 0x700000, ACCESS_RW)};

	(void)state;
	assert_int_equal(D.iotlb_attach(dev, ALL, &two, &(struct iotlb_content){maps, 1},
					&(struct iotlb_content){before, 1}, NULL),
			 0);
	BEGIN(0);
	CLEARS(0);
	MAPS(0, 0x9000, 0x900000, 2);
	END(0);
	check_table(dev, 0, 0, ALL, 1);
	assert_true(D.iotlb_has(dev, &two));
	D.device_close(dev);
}

/* The kernel refuses the second of two mappings: what was there comes back. */
static void test_move_that_fails(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = open_attached(1);
	const struct map_args maps[] = {mapping(0x9000, 0x900000, ACCESS_RW),
					mapping(0xa000, 0x901000, ACCESS_RW)};
	const struct map_args before[] = {mapping(0x2000, 0x700000, ACCESS_RW)};

	(void)state;
	fail_at = 5;
	assert_int_equal(D.iotlb_attach(dev, ALL, &two, &(struct iotlb_content){maps, 2},
					&(struct iotlb_content){before, 1}, &err),
			 -EFAULT);
	BEGIN(0);
	CLEARS(0);
	MAPS(0, 0x9000, 0x900000, 3);
	MAPS(0, 0xa000, 0x901000, 3);
	CLEARS(0);
	MAPS(0, 0x2000, 0x700000, 3);
	END(0);
	assert_non_null(strstr(err->message, "can't map 0xa000-0xafff for net0 (vdpa0)"));
	assert_string_equal(err->ioctl, "VHOST_IOTLB_UPDATE");
	assert_non_null(err->cause);
	check_table(dev, 0, 0, ALL, 1);
	assert_true(D.iotlb_has(dev, &one));
	D.device_close(dev);
}

static void test_group_of_its_own(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = open_attached(2);
	const struct map_args maps[] = {mapping(0x9000, 0x900000, ACCESS_RW)};

	(void)state;
	EXPECT(VHOST_VDPA_GROUP_TO_ASID, vhost_vdpa_state, .index = 1, .num = 1);
	assert_int_equal(
		D.iotlb_attach(dev, 1, &two, &(struct iotlb_content){maps, 1}, &nothing, NULL), 0);
	BEGIN(1);
	MAPS(1, 0x9000, 0x900000, 3);
	END(1);
	check_table(dev, 1, 1, 1, 1);
	/* No third address space. */
	assert_int_equal(D.iotlb_attach(dev, 0, &two, &nothing, &nothing, &err), -ENOSPC);
	assert_non_null(strstr(err->cause, "it has 2 in all"));
	EXPECT(VHOST_VDPA_GROUP_TO_ASID, vhost_vdpa_state, .index = 1, .num = 0);
	assert_int_equal(D.iotlb_detach(dev, 1, NULL), 0);
	BEGIN(1);
	CLEARS(1);
	END(1);
	D.device_close(dev);
}

static void test_group_that_is_not_there(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = open_attached(2);

	(void)state;
	assert_int_equal(D.iotlb_attach(dev, 2, &two, &nothing, &nothing, &err), -EINVAL);
	assert_string_equal(err->cause, "its groups are 0 to 1");
	D.device_close(dev);
}

static void test_outside_of_its_addresses(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = open_device(1, 1, 0xffff);
	const struct map_args maps[] = {mapping(0x2000, 0x700000, ACCESS_RW),
					mapping(0xf800, 0x701000, ACCESS_RW)};
	const struct map_args low = mapping(0x0, 0x700000, ACCESS_RW);

	(void)state;
	assert_int_equal(
		D.iotlb_attach(dev, ALL, &one, &(struct iotlb_content){maps, 2}, &nothing, &err),
		-ERANGE);
	assert_non_null(strstr(err->message, "can't reach 0xf800-0x107ff"));
	assert_non_null(strstr(err->cause, "0x1000-0xffff"));
	no_more_messages(); /* not even the first */
	assert_int_equal(D.iotlb_attach(dev, ALL, &one, &nothing, &nothing, NULL), 0);
	BEGIN(0);
	END(0);
	assert_int_equal(D.iotlb_map(dev, &one, &low, NULL), -ERANGE);
	D.device_close(dev);
}

/* The kernel says EFAULT alone; the limit is found by looking. */
static void test_memlock(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = open_attached(1);
	const struct map_args big = mapping(0x9000, 0x900000, ACCESS_RW);
	struct rlimit was, low = {.rlim_cur = 1 << 20};

	(void)state;
	tree_file(&tree, "Name:\tx\nVmPin:\t    1024 kB\n", "/proc/self/status");
	tree_file(&tree, "0::/system.slice/vm0.service\n", "/proc/self/cgroup");
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &was), 0);
	low.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &low), 0);
	fail_at = 1;
	assert_int_equal(D.iotlb_map(dev, &one, &big, &err), -EFAULT);
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &was), 0);
	MAPS(0, 0x9000, 0x900000, 3);
	assert_int_equal(err->kind, ERROR_MEMORY);
	assert_non_null(strstr(err->cause, "it pins 4K beside the 1M that are pinned, and the "
					   "limit of locked memory is 1M"));
	assert_string_equal(err->hint, "raise it for the unit: LimitMEMLOCK=2M in [Service] "
				       "(systemctl edit vm0.service), then restart it");
	check_table(dev, 0, 0, ALL, 1);
	D.device_close(dev);
}

static void test_node_gone(void **state)
{
	struct driver_device *dev = open_attached(1);

	(void)state;
	EXPECT(VHOST_VDPA_DEVICE_ID, number32, 0);
	FAIL(ENODEV);
	assert_int_equal(D.device_probe(NULL, dev), -ENOENT);
	D.device_close(dev);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_open_and_own),
		TEST(test_the_node_goes),
		TEST(test_not_bound_to_vhost),
		TEST(test_kernel_without_messages),
		TEST(test_maps_follow),
		TEST(test_move),
		TEST(test_move_that_fails),
		TEST(test_group_of_its_own),
		TEST(test_group_that_is_not_there),
		TEST(test_outside_of_its_addresses),
		TEST(test_memlock),
		TEST(test_node_gone),
	};

	return cmocka_run_group_tests_name("vdpa device", tests, NULL, NULL);
}
