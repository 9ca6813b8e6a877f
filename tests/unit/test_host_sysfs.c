// SPDX-License-Identifier: GPL-2.0-or-later
/* What the host layer reads: attributes, devices, groups. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "host/device.h"
#include "host/group.h"
#include "host/root.h"
#include "host/sysfs.h"
#include "support_tree.h"

static struct tree tree;

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

static void test_root_is_put_in_front_of_any_length(void **state)
{
	_cleanup_free_ char *plain = root_path("", "/sys/%s", "x");
	_cleanup_free_ char *moved = root_path("/tmp/r", "/sys/%s", "x");
	_cleanup_free_ char *none = root_path(NULL, "/sys");
	_cleanup_free_ char *name = malloc(3 * PATH_MAX);
	_cleanup_free_ char *path = NULL;
	char buf[16];

	(void)state;
	assert_string_equal(plain, "/sys/x");
	assert_string_equal(moved, "/tmp/r/sys/x");
	assert_string_equal(none, "/sys");
	memset(name, 'a', 3 * PATH_MAX - 1);
	name[3 * PATH_MAX - 1] = '\0';
	path = root_path(tree.root, "/sys/%s", name);
	assert_int_equal(strlen(path), strlen(tree.root) + strlen("/sys/") + 3 * PATH_MAX - 1);
	assert_int_equal(sysfs_read(path, buf, sizeof(buf)), -ENAMETOOLONG);
}

static void test_attributes(void **state)
{
	_cleanup_free_ char *path = root_path(tree.root, "/attribute");
	uint64_t number;
	char buf[8];

	(void)state;
	assert_int_equal(sysfs_read(path, buf, sizeof(buf)), -ENOENT);
	tree_file(&tree, "seven77", "/attribute");
	assert_int_equal(sysfs_read(path, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "seven77");
	tree_file(&tree, "eight888", "/attribute");
	assert_int_equal(sysfs_read(path, buf, sizeof(buf)), -E2BIG);
	tree_file(&tree, "", "/attribute");
	assert_int_equal(sysfs_read(path, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	assert_int_equal(sysfs_read_number(path, &number), -EINVAL);
	tree_file(&tree, "0x1f\n", "/attribute");
	assert_int_equal(sysfs_read_number(path, &number), 0);
	assert_int_equal(number, 0x1f);
	tree_file(&tree, "Y\n", "/attribute");
	assert_int_equal(sysfs_read_number(path, &number), -EINVAL);
}

static void test_attribute_with_a_nul_is_refused(void **state)
{
	_cleanup_free_ char *path = root_path(tree.root, "/attribute");
	FILE *f;
	char buf[8];

	(void)state;
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite("a\0b", 1, 3, f), 3);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(sysfs_read(path, buf, sizeof(buf)), -EILSEQ);
}

static void test_directories_are_sorted(void **state)
{
	_cleanup_free_ char *path = root_path(tree.root, "/d");
	_cleanup_names_ struct name_list names = {0};

	(void)state;
	assert_int_equal(sysfs_list(path, &names), -ENOENT);
	for (int i = 39; i >= 0; i--)
		tree_file(&tree, "", "/d/%02d", i);
	tree_file(&tree, "", "/d/.hidden");
	assert_int_equal(sysfs_list(path, &names), 0);
	assert_int_equal(names.n, 40);
	assert_string_equal(names.names[0], "00");
	assert_string_equal(names.names[39], "39");
}

static int find(enum selector selector, const char *address, char **dir,
		struct ioasidctl_error **err)
{
	return host_device_dir(tree.root, selector, address, dir, err);
}

static void test_addresses_that_are_none(void **state)
{
	static const char *const pci[] = {
		"",
		"00:03.0",
		"0000:00:03.8",
		"0000:00:20.0",
		"0000:00:03.0x",
		"0000:00:3.0",
		"0000:00:03.0/",
		"../0000:00:03",
		"000000000:00:03.0",
		"zzzz:00:03.0",
		"0000:00:03,0",
		"0000:+0:03.0",
	};
	static const char *const names[] = {"", ".", "..", "../../etc", "a/b", ".hidden"};

	(void)state;
	tree_pci(&tree, "0000:00:03.0", 2, NULL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(pci); i++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;
		char *dir = NULL;

		assert_int_equal(find(SELECTOR_PCI, pci[i], &dir, &err), -EINVAL);
		assert_null(dir);
		assert_int_equal(err->kind, ERROR_CONFIG);
		assert_non_null(strstr(err->hint, "lspci -D"));
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *dir = NULL;

		assert_int_equal(find(SELECTOR_PLATFORM, names[i], &dir, NULL), -EINVAL);
		assert_null(dir);
	}
}

static void test_device_that_is_not_there(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	char *dir = NULL;

	(void)state;
	assert_int_equal(find(SELECTOR_PCI, "0000:00:03.0", &dir, &err), -ENODEV);
	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_string_equal(err->message, "this machine has no pci device 0000:00:03.0");
	assert_non_null(strstr(err->cause, "No such file"));
	error_free(steal_pointer(err));
	assert_int_equal(find(SELECTOR_MOCK, "1", &dir, &err), -EOPNOTSUPP);
	assert_int_equal(err->kind, ERROR_REFUSED);
}

static void test_device_facts(void **state)
{
	_cleanup_free_ char *dir = NULL, *driver = NULL, *node = NULL;
	uint32_t group;

	(void)state;
	tree_pci(&tree, "0000:00:03.0", 2, "vfio-pci", "vfio4");
	assert_int_equal(find(SELECTOR_PCI, "0000:00:03.0", &dir, NULL), 0);
	assert_int_equal(host_device_driver(dir, &driver), 0);
	assert_string_equal(driver, "vfio-pci");
	assert_int_equal(host_device_group(dir, &group), 0);
	assert_int_equal(group, 2);
	assert_int_equal(host_device_vfio(dir, &node), 0);
	assert_string_equal(node, "/dev/vfio/devices/vfio4");
	assert_false(host_device_is_bridge(dir));
}

static void test_device_with_nothing(void **state)
{
	_cleanup_free_ char *dir = NULL, *driver = NULL, *node = NULL;
	uint32_t group;

	(void)state;
	tree_bridge(&tree, "10000:00:07.0", NO_INDEX, NULL);
	assert_int_equal(find(SELECTOR_PCI, "10000:00:07.0", &dir, NULL), 0);
	assert_int_equal(host_device_driver(dir, &driver), 0);
	assert_null(driver);
	assert_int_equal(host_device_group(dir, &group), 0);
	assert_int_equal(group, NO_INDEX);
	assert_int_equal(host_device_vfio(dir, &node), -ENOENT);
	assert_true(host_device_is_bridge(dir));
	tree_link(&tree, "/sys/kernel/iommu_groups/x",
		  "/sys/devices/pci0000:00/10000:00:07.0/iommu_group");
	assert_int_equal(host_device_group(dir, &group), -EINVAL);
}

static void test_group_tells_who_is_in_the_way(void **state)
{
	_cleanup_iommu_group_ struct iommu_group group = {0};
	_cleanup_free_ char *all = NULL, *way = NULL;

	(void)state;
	tree_bridge(&tree, "0000:02:00.0", 8, "pcieport");
	tree_pci(&tree, "0000:03:01.0", 8, "vfio-pci", "vfio0");
	tree_pci(&tree, "0000:03:02.0", 8, "e1000e", NULL);
	tree_pci(&tree, "0000:03:03.0", 8, NULL, NULL);
	tree_pci(&tree, "0000:03:04.0", 8, "pci-stub", NULL);
	tree_pci(&tree, "0000:03:05.0", 8, "mlx5_vfio_pci", NULL);
	tree_pci(&tree, "0000:03:06.0", 8, "snd_hda_intel", NULL);
	/* A driver of any name that made a VFIO node is one of VFIO's. */
	tree_pci(&tree, "0000:03:07.0", 8, "special", "vfio9");
	assert_int_equal(iommu_group_read(tree.root, 8, &group), 0);
	assert_int_equal(group.n_members, 8);
	assert_int_equal(iommu_group_text(&group, false, &all), 0);
	assert_string_equal(all, "0000:02:00.0 (pcieport), 0000:03:01.0 (vfio-pci), "
				 "0000:03:02.0 (e1000e), 0000:03:03.0 (no driver), "
				 "0000:03:04.0 (pci-stub), 0000:03:05.0 (mlx5_vfio_pci), "
				 "0000:03:06.0 (snd_hda_intel), 0000:03:07.0 (special)");
	assert_int_equal(iommu_group_text(&group, true, &way), 0);
	assert_string_equal(way, "0000:03:02.0 (e1000e), 0000:03:06.0 (snd_hda_intel)");
}

static void test_group_without_obstacles_and_without_members(void **state)
{
	_cleanup_iommu_group_ struct iommu_group group = {0}, empty = {0};
	_cleanup_free_ char *way = NULL, *none = NULL;

	(void)state;
	tree_pci(&tree, "0000:03:01.0", 8, NULL, NULL);
	assert_int_equal(iommu_group_read(tree.root, 8, &group), 0);
	assert_int_equal(iommu_group_text(&group, true, &way), 0);
	assert_null(way);
	assert_int_equal(iommu_group_read(tree.root, 9, &empty), -ENOENT);
	tree_dir(&tree, "/sys/kernel/iommu_groups/9/devices");
	assert_int_equal(iommu_group_read(tree.root, 9, &empty), 0);
	assert_int_equal(iommu_group_text(&empty, false, &none), 0);
	assert_null(none);
}

static void test_reserved_regions(void **state)
{
	_cleanup_free_ struct reserved_region *regions = NULL;
	size_t n;

	(void)state;
	tree_file(&tree,
		  "0x00000000000a0000 0x00000000000bffff direct-relaxable\n"
		  "0x00000000fee00000 0x00000000feefffff msi\n",
		  "/sys/kernel/iommu_groups/3/reserved_regions");
	assert_int_equal(iommu_group_reserved(tree.root, 3, &regions, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(regions[0].first, 0xa0000);
	assert_string_equal(regions[0].type, "direct-relaxable");
	assert_int_equal(regions[1].first, 0xfee00000);
	assert_int_equal(regions[1].last, 0xfeefffff);
	assert_string_equal(regions[1].type, "msi");
}

static void test_reserved_regions_that_make_no_sense(void **state)
{
	static const char *const texts[] = {
		"0x1000 msi\n",		"0x2000 0x1fff msi\n",
		"0x1000 0x1fffg msi\n", "0x1000 0x1fff a-type-of-more-than-twenty-characters\n",
		"-1 0x1fff msi\n",
	};
	struct reserved_region *regions = NULL;
	size_t n;

	(void)state;
	assert_int_equal(iommu_group_reserved(tree.root, 3, &regions, &n), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		tree_file(&tree, texts[i], "/sys/kernel/iommu_groups/3/reserved_regions");
		assert_int_equal(iommu_group_reserved(tree.root, 3, &regions, &n), -EINVAL);
		assert_null(regions);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_root_is_put_in_front_of_any_length),
		TEST(test_attributes),
		TEST(test_attribute_with_a_nul_is_refused),
		TEST(test_directories_are_sorted),
		TEST(test_addresses_that_are_none),
		TEST(test_device_that_is_not_there),
		TEST(test_device_facts),
		TEST(test_device_with_nothing),
		TEST(test_group_tells_who_is_in_the_way),
		TEST(test_group_without_obstacles_and_without_members),
		TEST(test_reserved_regions),
		TEST(test_reserved_regions_that_make_no_sense),
	};

	return cmocka_run_group_tests_name("host-sysfs", tests, NULL, NULL);
}
