// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtual functions. This program's own write(2) plays the kernel behind the fake tree: it makes
 * and removes virtfnN when sriov_numvfs is written, with its rules and errors.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "host/device.h"
#include "host/root.h"
#include "host/sriov.h"
#include "support_tree.h"

#define PF  "0000:01:00.0"
#define DIR "/sys/devices/pci0000:00/" PF

static struct tree tree;
static struct {
	bool plays;
	unsigned writes;
	unsigned fails_at, also_at; /* the how-manieth write fails; 0: none */
	int errnum;
	unsigned has; /* VFs */
	unsigned makes; /* no more than that */
} kernel;

static void make_vfs(unsigned n)
{
	char text[16];

	for (unsigned i = 0; i < kernel.has; i++)
		tree_unlink(&tree, DIR "/virtfn%u", i);
	for (unsigned i = 0; i < n; i++) {
		char address[32], dir[64];

		snprintf(address, sizeof(address), "0000:01:10.%u", i);
		snprintf(dir, sizeof(dir), "/sys/devices/pci0000:00/%s", address);
		tree_pci(&tree, address, 20 + i, "iavf", NULL);
		tree_link(&tree, dir, DIR "/virtfn%u", i);
	}
	kernel.has = n;
	snprintf(text, sizeof(text), "%u\n", n);
	tree_file(&tree, text, DIR "/sriov_numvfs");
}

ssize_t write(int fd, const void *buf, size_t n)
{
	char link[64], path[TREE_PATH_MAX], text[256];
	ssize_t length;
	unsigned wanted;

	if (!kernel.plays)
		return syscall(SYS_write, fd, buf, n);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	assert_true(length > 0 && n < sizeof(text));
	path[length] = '\0';
	assert_string_equal(strrchr(path, '/') + 1, "sriov_numvfs");
	memcpy(text, buf, n);
	text[n] = '\0';
	wanted = (unsigned)atoi(text);
	errno = 0;
	if (++kernel.writes == kernel.fails_at || kernel.writes == kernel.also_at)
		errno = kernel.errnum;
	else if (wanted && kernel.has)
		errno = EBUSY;
	if (errno)
		return -1;
	kernel.plays = false;
	make_vfs(wanted < kernel.makes ? wanted : kernel.makes);
	kernel.plays = true;
	return (ssize_t)n;
}

static int set_vfs(uint32_t n, bool back, uint32_t *before, struct ioasidctl_error **err)
{
	const struct host_binder binder = {.root = tree.root};
	int ret;

	kernel.writes = 0;
	kernel.plays = true;
	ret = host_set_vfs(&binder, PF, n, back, before, err);
	kernel.plays = false;
	return ret;
}

static int setup(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.makes = 8;
	tree_make(&tree);
	tree_pci(&tree, PF, 7, "ice", NULL);
	tree_dir(&tree, "/proc");
	tree_file(&tree, "8\n", DIR "/sriov_totalvfs");
	make_vfs(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_remove(&tree);
	return 0;
}

static void test_made_and_removed(void **state)
{
	uint32_t before = 77;

	(void)state;
	assert_int_equal(set_vfs(4, false, &before, NULL), 0);
	assert_int_equal(before, 0);
	assert_int_equal(kernel.has, 4);
	assert_int_equal(kernel.writes, 1);
	assert_int_equal(set_vfs(4, false, &before, NULL), 0);
	assert_int_equal(before, 4);
	assert_int_equal(kernel.writes, 0);
	assert_int_equal(set_vfs(0, true, &before, NULL), 0);
	assert_int_equal(kernel.has, 0);
}

static void test_address_of_a_vf(void **state)
{
	static const char *const bad[] = {PF "/virtfn",	 PF "/virtfn1x", PF "/virtfn1/driver",
					  "../virtfn1",	 "virtfn1",	 PF,
					  PF "/virtfn-1"};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	_cleanup_free_ char *dir = NULL;

	(void)state;
	make_vfs(2);
	assert_int_equal(host_device_dir(tree.root, SELECTOR_VF, PF "/virtfn1", &dir, NULL), 0);
	assert_string_equal(dir + strlen(tree.root), "/sys/bus/pci/devices/0000:01:10.1");
	assert_int_equal(host_device_dir(tree.root, SELECTOR_VF, PF "/virtfn2", &dir, &err),
			 -ENODEV);
	assert_string_equal(err->message, PF " has no virtual function 2");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(host_device_dir(tree.root, SELECTOR_VF, bad[i], &dir, NULL),
				 -EINVAL);
}

static void test_another_number(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	uint32_t before;

	(void)state;
	make_vfs(2);
	/* Host drivers have them. */
	assert_int_equal(set_vfs(4, false, &before, &err), -EBUSY);
	assert_string_equal(err->message,
			    "the number of virtual functions of " PF " can't change from 2 to 4");
	assert_string_equal(err->cause, "all 2 would have to go first, and one is in use: "
					"0000:01:10.0: iavf drives it for the host");
	assert_non_null(strstr(err->hint, "`vfs: 2`"));
	assert_int_equal(kernel.writes, 0);
	/* What was made for the topology goes with it, whoever drives it. */
	assert_int_equal(set_vfs(4, true, &before, NULL), 0);
	assert_int_equal(before, 2);
	assert_int_equal(kernel.has, 4);
}

static void test_open_ones_are_not_torn_away(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	make_vfs(2);
	tree_pci(&tree, "0000:01:10.0", 20, "vfio-pci", NULL);
	tree_pci(&tree, "0000:01:10.1", 21, "vfio-pci", "vfio0");
	tree_process(&tree, 4321, "qemu\n", "/dev/vfio/devices/vfio0");
	assert_int_equal(set_vfs(0, true, NULL, &err), -EBUSY);
	assert_string_equal(err->cause, "all 2 would have to go first, and one is in use: "
					"0000:01:10.1: pid 4321 (qemu) has it open");
	assert_int_equal(kernel.writes, 0);
}

static void test_needed_ones(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	make_vfs(1);
	tree_dir(&tree, "/sys/devices/pci0000:00/0000:01:10.0/net/eth1");
	tree_link(&tree, "/sys/devices/pci0000:00/0000:01:10.0/net/eth1", "/sys/class/net/eth1");
	tree_file(&tree, "eth1\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
		  "/proc/net/route");
	assert_int_equal(set_vfs(0, true, NULL, &err), -EBUSY);
	assert_non_null(strstr(err->cause, "0000:01:10.0: eth1 has the default route"));
}

static void test_what_can_not_be(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	assert_int_equal(set_vfs(9, false, NULL, &err), -ERANGE);
	assert_int_equal(err->kind, ERROR_REFUSED);
	assert_string_equal(err->cause, "it has at most 8 (sriov_totalvfs)");
	error_free(steal_pointer(err));
	tree_unlink(&tree, DIR "/driver");
	assert_int_equal(set_vfs(2, false, NULL, &err), -ENOENT);
	assert_string_equal(err->cause, "it has no driver, and only its own driver makes them");
	error_free(steal_pointer(err));
	tree_unlink(&tree, DIR "/sriov_totalvfs");
	assert_int_equal(set_vfs(2, false, NULL, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err->cause, "it has no SR-IOV capability"));
	assert_int_equal(kernel.writes, 0);
}

static void test_errors_of_the_kernel(void **state)
{
	static const struct {
		int errnum;
		enum error_kind kind;
		const char *cause, *hint;
	} cases[] = {
		{ENOENT, ERROR_KERNEL, "its driver, ice, makes no virtual functions", "driver"},
		{ENOMEM, ERROR_KERNEL, "too few bus numbers", "pci=realloc"},
		{EACCES, ERROR_PERMISSION, NULL, "root"},
		{EIO, ERROR_KERNEL, NULL, "dmesg | grep " PF},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;

		kernel.fails_at = 1;
		kernel.errnum = cases[i].errnum;
		assert_int_equal(set_vfs(2, false, NULL, &err), -cases[i].errnum);
		assert_int_equal(err->kind, cases[i].kind);
		if (cases[i].cause)
			assert_non_null(strstr(err->cause, cases[i].cause));
		else
			assert_null(err->cause);
		assert_non_null(strstr(err->hint, cases[i].hint));
		assert_int_equal(kernel.has, 0);
	}
}

static void test_fewer_than_asked_for(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	kernel.makes = 3;
	assert_int_equal(set_vfs(4, false, NULL, &err), -ENOSPC);
	assert_string_equal(err->message, PF " has 3 virtual functions instead of the 4 asked for");
	assert_int_equal(kernel.has, 0);
}

static void test_failure_brings_back_those_of_before(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	make_vfs(2);
	kernel.errnum = ENOMEM;
	kernel.fails_at = 2; /* the new number, after the 0 */
	assert_int_equal(set_vfs(4, true, NULL, &err), -ENOMEM);
	assert_int_equal(kernel.has, 2);
	error_free(steal_pointer(err));
	kernel.also_at = 4; /* the old number, after another 0 */
	assert_int_equal(set_vfs(4, true, NULL, &err), -ENOMEM);
	assert_non_null(strstr(err->cause, "and the 2 of before could not be made again"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_made_and_removed),
		TEST(test_address_of_a_vf),
		TEST(test_another_number),
		TEST(test_open_ones_are_not_torn_away),
		TEST(test_needed_ones),
		TEST(test_what_can_not_be),
		TEST(test_errors_of_the_kernel),
		TEST(test_fewer_than_asked_for),
		TEST(test_failure_brings_back_those_of_before),
	};

	return cmocka_run_group_tests_name("host-sriov", tests, NULL, NULL);
}
