// SPDX-License-Identifier: GPL-2.0-or-later
/* What this machine (a fake one) shows of why a call failed: the right culprit is named, or none.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "driver/linux.h"
#include "host/module.h"
#include "support_tree.h"

static struct tree tree;
static const struct driver_env env = {.root = tree.root};

static int setup(void **state)
{
	(void)state;
	tree_make(&tree);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_remove(&tree);
	return 0;
}

static struct ioasidctl_error *failed(int errnum)
{
	struct ioasidctl_error *err = NULL;

	error_new(&err, ERROR_KERNEL, errnum, "it failed");
	return err;
}

static void test_who_takes_addresses_away(void **state)
{
	struct range usable[] = {
		{0x1000, 0xbfffffff}, {0xc1000000, 0xfedfffff}, {0xfef00000, 0x7fffffffff}};
	const struct ioasid_info info = {.ranges = usable, .n_ranges = 3};
	static const struct {
		struct range wanted;
		const char *cause; /* NULL: this device isn't it */
	} cases[] = {
		{{0xfee10000, 0xfee1ffff}, "0xfee00000-0xfeefffff is reserved (msi) by nic0"},
		{{0xfed00000, 0xffffffff}, "0xfee00000-0xfeefffff is reserved (msi) by nic0"},
		{{0xc0000000, 0xc0000fff}, "0xc0000000-0xc0ffffff is reserved (direct) by nic0"},
		/* What the kernel lets be, and what is somebody else's. */
		{{0x0, 0xfff}, NULL},
		{{0x10000, 0x1ffff}, NULL},
		{{0x7fffff0000, 0x80ffffffff},
		 "the IOMMU of nic0 translates addresses of 39 bits, up to 0x7fffffffff; "
		 "0x80ffffffff is beyond"},
	};

	(void)state;
	tree_file(&tree,
		  "0x0000000000000000 0x0000000000000fff direct-relaxable\n"
		  "0x00000000c0000000 0x00000000c0ffffff direct\n"
		  "0x00000000fee00000 0x00000000feefffff msi\n",
		  "/sys/kernel/iommu_groups/8/reserved_regions");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct ioasidctl_error *err = failed(EINVAL);
		bool found =
			linux_explain_culprit(&env, &info, cases[i].wanted, "nic0", 8, 39, &err);

		assert_int_equal(found, cases[i].cause != NULL);
		if (found)
			assert_string_equal(err->cause, cases[i].cause);
		else
			assert_null(err->cause);
	}
	/* Neither group nor width known. */
	assert_false(linux_explain_culprit(&env, &info, (struct range){0xfee10000, 0xfee1ffff},
					   "mdev0", NO_INDEX, 0, NULL));
}

static void test_a_device_that_is_gone(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = failed(ENODEV);

	(void)state;
	tree_dir(&tree, "/here");
	assert_false(linux_explain_gone(tree.root, &err));
	assert_false(linux_explain_gone(NULL, &err));
	assert_null(err->cause);
	assert_true(linux_explain_gone("/nonexistent/0000:01:00.0", &err));
	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_non_null(strstr(err->cause, "the device is gone"));
}

static void test_interrupts(void **state)
{
	static const struct {
		const char *interrupts, *cmdline, *unsafe;
		const char *cause; /* NULL: that isn't it */
	} cases[] = {
		{NULL, "quiet", NULL, NULL},
		{"30: 0 IR-PCI-MSIX-0000:00:01.0 0-edge\n", "quiet", NULL, NULL},
		{"13: 0 ITS-PCI-MSI 0 Edge\n", "quiet", NULL, NULL},
		{"30: 0 PCI-MSIX-0000:00:01.0 0-edge\n", "quiet", "Y\n", NULL},
		{"30: 0 PCI-MSIX-0000:00:01.0 0-edge\n", "quiet", "N\n",
		 "the platform doesn't isolate its interrupts (no interrupt remapping)"},
		{"2: 0 IO-APIC 2-edge timer\n", "quiet nointremap", NULL,
		 "the platform doesn't isolate its interrupts (no interrupt remapping: the kernel "
		 "was booted with nointremap)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct ioasidctl_error *err = failed(EPERM);

		if (cases[i].interrupts)
			tree_file(&tree, cases[i].interrupts, "/proc/interrupts");
		tree_file(&tree, cases[i].cmdline, "/proc/cmdline");
		tree_file(&tree, cases[i].unsafe ? cases[i].unsafe : "N\n",
			  "/sys/module/iommufd/parameters/allow_unsafe_interrupts");
		assert_int_equal(linux_explain_interrupts(&env, "iommufd", &err),
				 cases[i].cause != NULL);
		if (cases[i].cause)
			assert_string_equal(err->cause, cases[i].cause);
		else
			assert_null(err->cause);
	}
}

/* Group 8: a VFIO device and `member`; the machine's interrupts as given. */
static void make_group(const char *member_driver, const char *interrupts)
{
	tree_pci(&tree, "0000:01:00.0", 8, "vfio-pci", "vfio0");
	tree_pci(&tree, "0000:01:00.1", 8, member_driver,
		 strcmp(member_driver, "vfio-pci") ? NULL : "vfio1");
	tree_file(&tree, interrupts, "/proc/interrupts");
	tree_file(&tree, "quiet\n", "/proc/cmdline");
	tree_file(&tree, "N\n", "/sys/module/iommufd/parameters/allow_unsafe_interrupts");
}

static void expect_owner(const char *module, const char *cause, const char *hint)
{
	_cleanup_error_ struct ioasidctl_error *err = failed(EPERM);

	linux_explain_owner(&env, module, 8, "/dev/vfio/devices/vfio0", &err);
	if (strcmp(err->cause, cause) || !strstr(err->hint, hint))
		fail_msg("%s / %s", err->cause, err->hint);
}

#define ISOLATED     "30: 0 IR-PCI-MSIX-0000:00:01.0 0-edge\n"
#define NOT_ISOLATED "30: 0 PCI-MSIX-0000:00:01.0 0-edge\n"
#define MEMBERS	     "its IOMMU group 8 has members that the host uses: 0000:01:00.1 (igb)"
#define INTERRUPTS   "the platform doesn't isolate its interrupts (no interrupt remapping)"

static void test_whose_a_group_is(void **state)
{
	char by_us[128];

	(void)state;
	make_group("igb", ISOLATED);
	expect_owner("iommufd", MEMBERS, "`group: take`");
	/* Two causes, both to be dealt with; each is named. */
	make_group("igb", NOT_ISOLATED);
	expect_owner("iommufd", MEMBERS "; besides, " INTERRUPTS, "`group: take`");
	expect_owner("iommufd", MEMBERS "; besides, " INTERRUPTS,
		     "iommufd.allow_unsafe_interrupts");
	/* Where the kernel didn't look at them, they aren't it. */
	expect_owner(NULL, MEMBERS, "`group: take`");
	make_group("vfio-pci", NOT_ISOLATED);
	/* Whoever has it open hasn't bound it, perhaps; the interrupts are certain. */
	tree_process(&tree, 4321, "qemu\n", "/dev/vfio/devices/vfio1");
	expect_owner("iommufd", INTERRUPTS, "iommufd.allow_unsafe_interrupts");
	make_group("vfio-pci", ISOLATED);
	expect_owner("iommufd", "pid 4321 (qemu) has its IOMMU group 8 or a device of it open",
		     "end that process");
	tree_unlink(&tree, "/proc/4321/fd/7");
	/* Its own node alone: that isn't why the group can't be had. */
	tree_process(&tree, 4322, "other\n", "/dev/vfio/devices/vfio0");
	expect_owner("iommufd", "its IOMMU group 8 has another owner, which this process can't see",
		     "root sees it");
	make_group("vfio-pci", "0: 1 timer\n");
	expect_owner("iommufd",
		     "its IOMMU group 8 has another owner, which this process can't see; or the "
		     "platform doesn't isolate its interrupts, of which /proc tells nothing here",
		     "root sees it");
	/* By the group alone, by a device that only fdinfo tells of, by ourselves. */
	tree_process(&tree, 4323, "dpdk\n", "/dev/vfio/8");
	expect_owner("iommufd", "pid 4323 (dpdk) has its IOMMU group 8 or a device of it open", "");
	tree_unlink(&tree, "/proc/4323/fd/7");
	tree_link(&tree, "anon_inode:[vfio-device]", "/proc/4323/fd/8");
	tree_file(&tree, "vfio-device-syspath: /sys/devices/pci0000:00/0000:01:00.1\n",
		  "/proc/4323/fdinfo/8");
	expect_owner("iommufd", "pid 4323 (dpdk) has its IOMMU group 8 or a device of it open", "");
	tree_unlink(&tree, "/proc/4323/fd/8");
	tree_process(&tree, getpid(), "ioasidctl\n", "/dev/vfio/devices/vfio1");
	snprintf(by_us, sizeof(by_us),
		 "this process itself (pid %d) has another device of its IOMMU group 8, through "
		 "another fd",
		 getpid());
	expect_owner("iommufd", by_us, "to one fd together");
}

static void explain_open(const char *node, int errnum, enum error_kind kind, const char *cause,
			 const char *hint)
{
	_cleanup_error_ struct ioasidctl_error *err = failed(errnum);

	err->kind = ERROR_PERMISSION;
	linux_explain_open(&env, node, errnum, &err);
	assert_int_equal(err->kind, kind);
	if (!strstr(err->cause, cause) || !strstr(err->hint, hint))
		fail_msg("%s / %s", err->cause, err->hint);
}

static void test_nodes(void **state)
{
	char path[TREE_PATH_MAX];

	(void)state;
	explain_open("/dev/vfio/devices/vfio3", ENOENT, ERROR_UNAVAILABLE,
		     "the kernel has the device, but its node isn't here",
		     "pass /dev/vfio/devices/vfio3 in");
	tree_file(&tree, "", "/dev/iommu");
	snprintf(path, sizeof(path), "%s/dev/iommu", tree.root);
	assert_int_equal(chmod(path, 0600), 0);
	/* The mode allows it, so it is something else. */
	explain_open("/dev/iommu", EPERM, ERROR_PERMISSION, "control group may not use the device",
		     "--device /dev/iommu");
	explain_open("/dev/iommu", EACCES, ERROR_PERMISSION, "with mode 0600", "udev rule");
}

static void test_modules(void **state)
{
	(void)state;
	assert_int_equal(host_module(tree.root, "vfio-pci"), MODULE_UNKNOWN);
	tree_file(&tree, "6.12.1\n", "/proc/sys/kernel/osrelease");
	assert_int_equal(host_module(tree.root, "vfio-pci"), MODULE_UNKNOWN);
	tree_file(&tree, "kernel/drivers/vfio/vfio.ko\n", "/lib/modules/6.12.1/modules.builtin");
	assert_int_equal(host_module(tree.root, "vfio"), MODULE_BUILTIN);
	assert_int_equal(host_module(tree.root, "vfio_pci"), MODULE_UNKNOWN);
	tree_file(&tree,
		  "kernel/a/vfio-pci-core.ko.zst: kernel/b/vfio-pci.ko.zst\n"
		  "kernel/drivers/vfio/pci/vfio-pci.ko.zst: kernel/a/vfio-pci-core.ko.zst\n",
		  "/lib/modules/6.12.1/modules.dep");
	assert_int_equal(host_module(tree.root, "vfio_pci"), MODULE_LOADABLE);
	assert_int_equal(host_module(tree.root, "vfio-pci"), MODULE_LOADABLE);
	assert_int_equal(host_module(tree.root, "vfio-pc"), MODULE_ABSENT);
	assert_int_equal(host_module(tree.root, "pci"), MODULE_ABSENT);
	tree_file(&tree, "../../6.12.1\n", "/proc/sys/kernel/osrelease");
	assert_int_equal(host_module(tree.root, "vfio"), MODULE_UNKNOWN);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_who_takes_addresses_away),
		TEST(test_a_device_that_is_gone),
		TEST(test_interrupts),
		TEST(test_whose_a_group_is),
		TEST(test_nodes),
		TEST(test_modules),
	};

	return cmocka_run_group_tests_name("explain-calls", tests, NULL, NULL);
}
