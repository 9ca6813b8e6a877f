// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Binding drivers. A plain directory doesn't answer writes as sysfs does, so this program's own
 * write(2) plays the kernel behind the fake tree: driver_override keeps one line, unbind takes the
 * driver link away, drivers_probe makes one.
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
#include "host/bind.h"
#include "host/device.h"
#include "host/root.h"
#include "host/sysfs.h"
#include "support_tree.h"

#define NIC "0000:01:00.0"
#define DIR "/sys/devices/pci0000:00/" NIC

static struct tree tree;
static struct {
	bool plays;
	unsigned writes; /* so far */
	unsigned fails_at; /* the how-manieth fails; 0: none */
	unsigned also_at;
	int errnum;
	const char *declines; /* this driver's probe binds nothing */
	const char *instead; /* probing binds this one, whatever the override says */
	bool stuck; /* unbind does nothing */
} kernel;
static char log_text[4096];

static void read_text(const char *below, char *buf, size_t size)
{
	_cleanup_free_ char *path = root_path(tree.root, "%s", below);

	assert_int_equal(sysfs_read(path, buf, size), 0);
}

static void play_override(const char *text)
{
	tree_file(&tree, *text == '\n' ? "(null)\n" : text, DIR "/driver_override");
}

static void play_probe(void)
{
	char driver[64], link[128];

	read_text(DIR "/driver_override", driver, sizeof(driver));
	if (kernel.instead)
		snprintf(driver, sizeof(driver), "%s", kernel.instead);
	if (!strcmp(driver, "(null)") || (kernel.declines && !strcmp(driver, kernel.declines)))
		return;
	snprintf(link, sizeof(link), "/sys/bus/pci/drivers/%s", driver);
	tree_link(&tree, link, DIR "/driver");
}

static void play(const char *path, const char *text)
{
	const char *name = strrchr(path, '/') + 1;

	if (!strcmp(name, "driver_override"))
		play_override(text);
	else if (!strcmp(name, "unbind") && !kernel.stuck)
		tree_unlink(&tree, DIR "/driver");
	else if (!strcmp(name, "drivers_probe"))
		play_probe();
}

ssize_t write(int fd, const void *buf, size_t n)
{
	char link[64], path[TREE_PATH_MAX], text[256];
	ssize_t length;

	if (!kernel.plays)
		return syscall(SYS_write, fd, buf, n);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	assert_true(length > 0 && n < sizeof(text));
	path[length] = '\0';
	memcpy(text, buf, n);
	text[n] = '\0';
	kernel.writes++;
	if (kernel.writes == kernel.fails_at || kernel.writes == kernel.also_at) {
		errno = kernel.errnum;
		return -1;
	}
	kernel.plays = false;
	play(path, text);
	kernel.plays = true;
	return (ssize_t)n;
}

static void wrote(void *data, const char *path, const char *text, int ret)
{
	size_t length = strlen(log_text);

	assert_ptr_equal(data, &tree);
	snprintf(log_text + length, sizeof(log_text) - length, "%s<%.*s>%d ",
		 path + strlen(tree.root), (int)strcspn(text, "\n"), text, ret);
}

static int set_driver(const char *driver, char **original, struct ioasidctl_error **err)
{
	const struct host_binder binder = {tree.root, NULL, wrote, &tree};
	int ret;

	log_text[0] = '\0';
	kernel.writes = 0;
	kernel.plays = true;
	ret = host_set_driver(&binder, SELECTOR_PCI, NIC, driver, original, err);
	kernel.plays = false;
	return ret;
}

static void assert_driver(const char *driver, const char *override)
{
	_cleanup_free_ char *dir = root_path(tree.root, DIR);
	_cleanup_free_ char *is = NULL;
	char text[64];

	assert_int_equal(host_device_driver(dir, &is), 0);
	if (driver)
		assert_string_equal(is, driver);
	else
		assert_null(is);
	read_text(DIR "/driver_override", text, sizeof(text));
	assert_string_equal(text, override);
}

static int setup(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	tree_make(&tree);
	tree_pci(&tree, NIC, 7, "e1000e", NULL);
	tree_dir(&tree, "/proc");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_remove(&tree);
	return 0;
}

static void test_bind_and_give_back(void **state)
{
	_cleanup_free_ char *original = NULL, *second = NULL;

	(void)state;
	assert_int_equal(set_driver("vfio-pci", &original, NULL), 0);
	assert_string_equal(original, "e1000e");
	assert_driver("vfio-pci", "(null)");
	assert_string_equal(log_text, "/sys/bus/pci/devices/" NIC "/driver/unbind<" NIC ">0 "
				      "/sys/bus/pci/devices/" NIC "/driver_override<vfio-pci>0 "
				      "/sys/bus/pci/drivers_probe<" NIC ">0 "
				      "/sys/bus/pci/devices/" NIC "/driver_override<>0 ");
	assert_int_equal(set_driver(original, &second, NULL), 0);
	assert_string_equal(second, "vfio-pci");
	assert_driver("e1000e", "(null)");
}

static void test_from_no_driver_and_back(void **state)
{
	_cleanup_free_ char *original = NULL;

	(void)state;
	tree_unlink(&tree, DIR "/driver");
	assert_int_equal(set_driver("vfio-pci", &original, NULL), 0);
	assert_string_equal(original, "");
	assert_driver("vfio-pci", "(null)");
	assert_int_equal(set_driver(original, NULL, NULL), 0);
	assert_driver(NULL, "(null)");
}

static void test_the_driver_it_has_writes_nothing(void **state)
{
	_cleanup_free_ char *original = NULL;

	(void)state;
	assert_int_equal(set_driver("e1000e", &original, NULL), 0);
	assert_string_equal(original, "e1000e");
	assert_int_equal(kernel.writes, 0);
	tree_unlink(&tree, DIR "/driver");
	assert_int_equal(set_driver("", NULL, NULL), 0);
	assert_int_equal(kernel.writes, 0);
}

static void test_an_override_of_others_comes_back(void **state)
{
	(void)state;
	tree_file(&tree, "pci-stub\n", DIR "/driver_override");
	assert_int_equal(set_driver("vfio-pci", NULL, NULL), 0);
	assert_driver("vfio-pci", "pci-stub");
}

static void test_a_driver_that_declines_is_an_error(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	char *original = NULL;

	(void)state;
	kernel.declines = "vfio-pci";
	assert_int_equal(set_driver("vfio-pci", &original, &err), -ENXIO);
	assert_null(original);
	assert_string_equal(err->message, "vfio-pci didn't take " NIC);
	assert_null(err->cause);
	assert_non_null(strstr(err->hint, "dmesg"));
	assert_driver("e1000e", "(null)");
}

static void test_reasons_for_declining(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	kernel.declines = "vfio-pci";
	tree_file(&tree, "0x060400\n", DIR "/class");
	assert_int_equal(set_driver("vfio-pci", NULL, &err), -ENXIO);
	assert_string_equal(err->cause, "it is a PCI bridge, and bridges can't be handed out");
	error_free(steal_pointer(err));
	tree_file(&tree, "0x020000\n", DIR "/class");
	tree_unlink(&tree, DIR "/iommu_group");
	assert_int_equal(set_driver("vfio-pci", NULL, &err), -ENXIO);
	assert_string_equal(err->cause, "it is in no IOMMU group: no IOMMU translates for it");
	assert_non_null(strstr(err->hint, "intel_iommu=on"));
	error_free(steal_pointer(err));
	tree_driver(&tree, "igb");
	kernel.instead = "igb";
	assert_int_equal(set_driver("vfio-pci", NULL, &err), -ENXIO);
	assert_non_null(strstr(err->cause, "igb has bound it instead; and it could not be given "
					   "back to e1000e: e1000e didn't take " NIC));
}

static void test_a_driver_that_does_not_let_go(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	kernel.stuck = true;
	assert_int_equal(set_driver("vfio-pci", NULL, &err), -EBUSY);
	assert_string_equal(err->message, NIC " is still bound to e1000e after unbinding");
	assert_driver("e1000e", "(null)");
}

static void test_every_write_failing_in_turn_changes_nothing(void **state)
{
	(void)state;
	kernel.errnum = EIO;
	for (kernel.fails_at = 1; kernel.fails_at <= 4; kernel.fails_at++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;

		assert_int_equal(set_driver("vfio-pci", NULL, &err), -EIO);
		assert_non_null(strstr(err->message, "Input/output error"));
		assert_driver("e1000e", "(null)");
		assert_null(err->next);
	}
}

static void test_an_undo_that_fails_is_told(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	kernel.errnum = EIO;
	kernel.fails_at = 3; /* the probe */
	kernel.also_at = 6; /* the probe that gives it back */
	assert_int_equal(set_driver("vfio-pci", NULL, &err), -EIO);
	assert_non_null(strstr(err->cause, "and it could not be given back to e1000e"));
	assert_driver(NULL, "(null)");
}

static void test_without_permission(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	kernel.errnum = EACCES;
	kernel.fails_at = 1;
	assert_int_equal(set_driver("vfio-pci", NULL, &err), -EACCES);
	assert_int_equal(err->kind, ERROR_PERMISSION);
	assert_non_null(strstr(err->hint, "root"));
	assert_driver("e1000e", "(null)");
}

static void test_drivers_that_cannot_be(void **state)
{
	static const char *const names[] = {"../../evil", "a/b", ".", ".."};
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(set_driver(names[i], NULL, NULL), -EINVAL);
	assert_int_equal(set_driver("vfio-pcy", NULL, &err), -ENOENT);
	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_string_equal(err->hint, "load its module: modprobe vfio-pcy");
	assert_int_equal(kernel.writes, 0);
	assert_driver("e1000e", "(null)");
}

static void test_an_open_device_is_not_torn_away(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	tree_pci(&tree, NIC, 7, "vfio-pci", "vfio0");
	tree_process(&tree, 4321, "qemu\n", "/dev/vfio/devices/vfio0");
	assert_int_equal(set_driver("e1000e", NULL, &err), -EBUSY);
	assert_int_equal(err->kind, ERROR_BUSY);
	assert_string_equal(err->cause, "held by pid 4321 (qemu)");
	assert_int_equal(kernel.writes, 0);
	error_free(steal_pointer(err));
	tree_unlink(&tree, "/proc/4321/fd/7");
	tree_link(&tree, "/null", "/proc/4321/fd/7");
	assert_int_equal(set_driver("e1000e", NULL, &err), 0);
	assert_driver("e1000e", "(null)");
}

static void test_a_mapped_device_is_not_torn_away(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	tree_pci(&tree, NIC, 7, "vfio-pci", "vfio0");
	tree_process(&tree, 4321, "vmm\n", "/dev/null");
	tree_file(&tree,
		  "7f00-7f01 r--p 00000000 00:06 3  /usr/lib/x.so\n"
		  "7f01-7f02 rw-s 00000000 00:06 4  /dev/vfio/devices/vfio0 (deleted)\n",
		  "/proc/4321/maps");
	assert_int_equal(set_driver("e1000e", NULL, &err), -EBUSY);
	assert_string_equal(err->cause, "held by pid 4321 (vmm; by a mapping)");
	assert_int_equal(kernel.writes, 0);
}

/* Anybody can have files, and memory, of such names. */
static void test_mapped_names_that_only_look_like_a_device(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	tree_pci(&tree, NIC, 7, "vfio-pci", "vfio0");
	tree_process(&tree, 4321, "someone\n", "/dev/null");
	tree_file(&tree,
		  "7f00-7f01 rw-s 00000000 00:06 3  /tmp/x/dev/vfio/devices/vfio0\n"
		  "7f01-7f02 rw-s 00000000 00:06 4  /tmp/x /dev/vfio/devices/vfio0\n"
		  "7f02-7f03 rw-s 00000000 00:06 5  /tmp/anon_inode:[vfio-device]\n"
		  "7f03-7f04 rw-p 00000000 00:00 0 \n"
		  "7f04-7f05 rw-p 00000000 00:00 0\n"
		  "7f05-7f06 rw-p 00000000 00:00 0  [anon:/dev/vfio/devices/vfio0]\n"
		  "/dev/vfio/devices/vfio0\n",
		  "/proc/4321/maps");
	assert_int_equal(set_driver("e1000e", NULL, &err), 0);
	assert_driver("e1000e", "(null)");
}

/* Older kernels don't tell which device of a group it is. */
static void test_devices_of_groups_that_nothing_tells_apart(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	tree_pci(&tree, NIC, 7, "vfio-pci", "vfio0");
	tree_process(&tree, 4321, "vmm\n", "/dev/vfio/8");
	tree_link(&tree, "anon_inode:[vfio-device]", "/proc/4321/fd/8");
	/* The group alone is no obstacle, whoever has it. */
	tree_process(&tree, 4322, "owner\n", "/dev/vfio/7");
	assert_int_equal(set_driver("e1000e", NULL, &err), 0);
	tree_pci(&tree, NIC, 7, "vfio-pci", "vfio0");
	tree_link(&tree, "anon_inode:[vfio-device]", "/proc/4322/fd/8");
	assert_int_equal(set_driver("e1000e", NULL, &err), -EBUSY);
	assert_string_equal(err->cause, "held by pid 4322 (owner)");
	error_free(steal_pointer(err));
	/* It is another one. */
	tree_file(&tree, "vfio-device-syspath: /sys/devices/0000:00:04.0\n", "/proc/4322/fdinfo/8");
	assert_int_equal(set_driver("e1000e", NULL, &err), 0);
	tree_pci(&tree, NIC, 7, "vfio-pci", "vfio0");
	/* Handed out without its group, it could be any. */
	tree_process(&tree, 4323, "guest\n", "/dev/null");
	tree_file(&tree, "7f01-7f02 rw-s 00000000 00:10 4  anon_inode:[vfio-device]\n",
		  "/proc/4323/maps");
	assert_int_equal(set_driver("e1000e", NULL, &err), -EBUSY);
	assert_string_equal(err->cause, "held by pid 4323 (guest)");
}

static void test_a_host_driver_and_a_group_that_somebody_has(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	tree_pci(&tree, NIC, 7, "vfio-pci", "vfio0");
	tree_pci(&tree, "0000:01:00.1", 7, "vfio-pci", "vfio1");
	tree_process(&tree, 4321, "qemu\n", "/dev/vfio/devices/vfio1");
	kernel.declines = "e1000e";
	assert_int_equal(set_driver("e1000e", NULL, &err), -ENXIO);
	assert_string_equal(err->cause,
			    "pid 4321 (qemu) has its IOMMU group 7 or a device of it open");
	assert_driver("vfio-pci", "(null)");
}

static unsigned writes_until_stuck;

static int write_until_stuck(const char *path, const char *text)
{
	if (!writes_until_stuck--)
		return -ETIMEDOUT;
	return sysfs_write(path, text);
}

static void test_a_write_that_never_returns(void **state)
{
	const struct host_binder binder = {tree.root, write_until_stuck, NULL, NULL};

	(void)state;
	/* Unbinding, and probing: whoever waits has the device's lock, so nothing else is tried. */
	for (unsigned i = 0; i <= 2; i += 2) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;

		writes_until_stuck = i;
		kernel.writes = 0;
		kernel.plays = true;
		assert_int_equal(
			host_set_driver(&binder, SELECTOR_PCI, NIC, "vfio-pci", NULL, &err),
			-ETIMEDOUT);
		kernel.plays = false;
		assert_int_equal(err->kind, ERROR_BUSY);
		assert_non_null(strstr(err->message, "takes more than 60 s, and goes on"));
		assert_non_null(strstr(err->cause, "a process that this one can't see"));
		assert_int_equal(kernel.writes, i);
	}
}

static void test_devices_whose_driver_is_fixed(void **state)
{
	const struct host_binder binder = {.root = tree.root};
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	assert_int_equal(host_set_driver(&binder, SELECTOR_MDEV, "x", "vfio-pci", NULL, &err),
			 -EOPNOTSUPP);
	assert_int_equal(err->kind, ERROR_REFUSED);
	assert_int_equal(
		host_set_driver(&binder, SELECTOR_PCI, "0000:99:00.0", "vfio-pci", NULL, NULL),
		-ENODEV);
	tree_unlink(&tree, DIR "/driver_override");
	assert_int_equal(set_driver("vfio-pci", NULL, NULL), -ENOENT);
	assert_int_equal(kernel.writes, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_bind_and_give_back),
		TEST(test_from_no_driver_and_back),
		TEST(test_the_driver_it_has_writes_nothing),
		TEST(test_an_override_of_others_comes_back),
		TEST(test_a_driver_that_declines_is_an_error),
		TEST(test_reasons_for_declining),
		TEST(test_a_driver_that_does_not_let_go),
		TEST(test_every_write_failing_in_turn_changes_nothing),
		TEST(test_an_undo_that_fails_is_told),
		TEST(test_without_permission),
		TEST(test_drivers_that_cannot_be),
		TEST(test_an_open_device_is_not_torn_away),
		TEST(test_a_mapped_device_is_not_torn_away),
		TEST(test_mapped_names_that_only_look_like_a_device),
		TEST(test_devices_of_groups_that_nothing_tells_apart),
		TEST(test_a_host_driver_and_a_group_that_somebody_has),
		TEST(test_a_write_that_never_returns),
		TEST(test_devices_whose_driver_is_fixed),
	};

	return cmocka_run_group_tests_name("host-bind", tests, NULL, NULL);
}
