// SPDX-License-Identifier: GPL-2.0-or-later
/* Who holds what, which nodes there are, what the kernel has and how much may be locked. */
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
#include "host/features.h"
#include "host/holders.h"
#include "host/memlock.h"
#include "host/node.h"
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

static void test_holders_in_a_message(void **state)
{
	static const char *const nodes[] = {"/dev/vfio/devices/vfio0", "/dev/vfio/8", NULL};
	_cleanup_free_ char *text = NULL, *others = NULL, *none = NULL;

	(void)state;
	assert_int_equal(holders_text(tree.root, nodes, 0, &text), -ENOENT);
	tree_process(&tree, 1234, "qemu-system-x86\n", "/dev/vfio/devices/vfio0");
	tree_process(&tree, 77, "dpdk\x1b[2J\n", "/dev/vfio/8");
	tree_process(&tree, 1, "init\n", "/dev/vfio/devices/vfio01");
	tree_dir(&tree, "/proc/99"); /* one that ended while we look */
	tree_file(&tree, "", "/proc/self");
	tree_file(&tree, "0::/system.slice/vm0.service\n", "/proc/1234/cgroup");
	assert_int_equal(holders_text(tree.root, nodes, 0, &text), 0);
	assert_string_equal(text, "pid 77 (dpdk?[2J), pid 1234 (qemu-system-x86, vm0.service)");
	assert_int_equal(holders_text(tree.root, nodes, 1234, &others), 0);
	assert_string_equal(others, "pid 77 (dpdk?[2J)");
	assert_int_equal(holders_text(tree.root, (const char *const[]){"/dev/x", NULL}, 0, &none),
			 0);
	assert_null(none);
}

static void open_as(int pid, int fd, const char *target)
{
	tree_link(&tree, target, "/proc/%d/fd/%d", pid, fd);
}

static void assert_open(const struct node_holder *holder, size_t i, unsigned fd, const char *kind,
			const char *node, const char *device)
{
	assert_int_equal(holder->open[i].fd, fd);
	assert_string_equal(holder->open[i].kind, kind);
	if (node)
		assert_string_equal(holder->open[i].node, node);
	else
		assert_null(holder->open[i].node);
	if (device)
		assert_string_equal(holder->open[i].device, device);
	else
		assert_null(holder->open[i].device);
}

/* Links in /proc name nodes as the process sees them, so the tree's root isn't in front. */
static void test_every_kind_of_node(void **state)
{
	_cleanup_holders_ struct node_holders holders = {0};
	const struct node_holder *holder;
	char path[TREE_PATH_MAX];

	(void)state;
	tree_process(&tree, 1234, "vmm\n", "/dev/iommu");
	snprintf(path, sizeof(path), "%s/proc/1234/fd", tree.root);
	assert_int_equal(symlink("/dev/vfio/vfio", strcat(path, "/10")), 0);
	path[strlen(path) - 1] = '1';
	assert_int_equal(symlink("/dev/vfio/8", path), 0);
	path[strlen(path) - 1] = '2';
	assert_int_equal(symlink("/dev/vfio/devices/vfio3", path), 0);
	path[strlen(path) - 1] = '3';
	assert_int_equal(symlink("/dev/vfio/devices/vfio4 (deleted)", path), 0);
	open_as(1234, 14, "/dev/vhost-vdpa-0");
	open_as(1234, 15, "anon_inode:[vfio-device]");
	open_as(1234, 16, "/dev/ioasid");
	open_as(1234, 17, "/dev/null");
	open_as(1234, 18, "/dev/iommu0");
	open_as(1234, 19, "/devices/iommu");
	open_as(1234, 20, "socket:[1]");
	open_as(1234, 21, "/dev/vhost-vdpa-");
	tree_link(&tree, "/sys/devices/pci0000:00/0000:00:03.0",
		  "/sys/class/vfio-dev/vfio3/device");
	tree_dir(&tree, "/sys/bus/vdpa/devices/vdpa0/vhost-vdpa-0");
	tree_dir(&tree, "/sys/bus/vdpa/devices/vdpa1/vhost-vdpa-1");
	tree_file(&tree,
		  "pos:\t0\nvfio-device-syspath: "
		  "/sys/devices/pci0000:00/0000:00:05.0/0000:01:00.0\n",
		  "/proc/1234/fdinfo/13");
	tree_file(&tree, "pos:\t0\nvfio-device-syspath: /sys/devices/pci0000:00/0000:00:04.0\n",
		  "/proc/1234/fdinfo/15");
	assert_int_equal(node_holders_read(tree.root, &holders), 0);
	assert_int_equal(holders.n, 1);
	holder = &holders.list[0];
	assert_int_equal(holder->pid, 1234);
	assert_string_equal(holder->command, "vmm");
	assert_null(holder->unit);
	assert_int_equal(holder->n_open, 8);
	assert_open(holder, 0, 7, "iommufd", "/dev/iommu", NULL);
	assert_open(holder, 1, 10, "container", "/dev/vfio/vfio", NULL);
	assert_open(holder, 2, 11, "group", "/dev/vfio/8", NULL);
	assert_open(holder, 3, 12, "device", "/dev/vfio/devices/vfio3", "0000:00:03.0");
	assert_open(holder, 4, 13, "device", "/dev/vfio/devices/vfio4", "0000:01:00.0");
	assert_open(holder, 5, 14, "vdpa", "/dev/vhost-vdpa-0", "vdpa0");
	assert_open(holder, 6, 15, "device", NULL, "0000:00:04.0");
	assert_open(holder, 7, 16, "ioasid", "/dev/ioasid", NULL);
}

static void test_a_device_without_a_node_has_its_holder(void **state)
{
	static const char *const nodes[] = {"/dev/vfio/devices/vfio5", NULL};
	static const char *const devices[] = {"0000:00:04.0", NULL};
	_cleanup_holders_ struct node_holders holders = {0};
	_cleanup_free_ char *by_node = NULL, *by_device = NULL;

	(void)state;
	tree_process(&tree, 5, "dpdk\n", "anon_inode:[vfio-device]");
	tree_file(&tree, "vfio-device-syspath: /sys/devices/0000:00:04.0\n", "/proc/5/fdinfo/7");
	assert_int_equal(node_holders_read(tree.root, &holders), 0);
	assert_int_equal(node_holders_text(&holders, nodes, NULL, 0, &by_node), 0);
	assert_null(by_node);
	assert_int_equal(node_holders_text(&holders, nodes, devices, 0, &by_device), 0);
	assert_string_equal(by_device, "pid 5 (dpdk)");
}

static void test_odd_fdinfo(void **state)
{
	static const char *const texts[] = {"", "vfio-device-syspath:", "vfio-device-syspath: x",
					    "vfio-device-syspath: /sys/devices/\n", "flags: 02\n"};

	(void)state;
	tree_process(&tree, 5, "dpdk\n", "anon_inode:[vfio-device]");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_holders_ struct node_holders holders = {0};

		tree_file(&tree, texts[i], "/proc/5/fdinfo/7");
		assert_int_equal(node_holders_read(tree.root, &holders), 0);
		assert_int_equal(holders.n, 1);
		assert_null(holders.list[0].open[0].device);
	}
}

static void test_units(void **state)
{
	static const struct {
		const char *cgroup, *unit;
	} cases[] = {
		{"0::/system.slice/vm0.service\n", "vm0.service"},
		{"0::/machine.slice/machine-qemu\\x2d1.scope/libvirt/emulator\n",
		 "machine-qemu\\x2d1.scope"},
		{"0::/user.slice/user-0.slice/user@0.service/app.slice/vmm.service\n",
		 "vmm.service"},
		{"12:cpu:/x\n1:name=systemd:/system.slice/old.service\n0::/\n", "old.service"},
		{"0::/system.slice/a\x1b.service\n", "a?.service"},
		{"0::/\n", NULL},
		{"0::/user.slice\n", NULL},
		{"0::/.service\n", NULL},
		{"nonsense", NULL},
		{"", NULL},
	};

	(void)state;
	tree_process(&tree, 5, "vmm\n", "/dev/iommu");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_holders_ struct node_holders holders = {0};

		tree_file(&tree, cases[i].cgroup, "/proc/5/cgroup");
		assert_int_equal(node_holders_read(tree.root, &holders), 0);
		if (cases[i].unit)
			assert_string_equal(holders.list[0].unit, cases[i].unit);
		else
			assert_null(holders.list[0].unit);
	}
}

static void test_processes_of_others_are_counted(void **state)
{
	_cleanup_holders_ struct node_holders holders = {0};
	const uid_t uid = geteuid();
	char path[TREE_PATH_MAX];

	(void)state;
	tree_process(&tree, 5, "vmm\n", "/dev/iommu");
	tree_process(&tree, 6, "vmm\n", "/dev/iommu");
	snprintf(path, sizeof(path), "%s/proc/5/fd", tree.root);
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(chmod(tree.root, 0755), 0);
	if (!uid)
		assert_int_equal(seteuid(65534), 0);
	assert_int_equal(node_holders_read(tree.root, &holders), 0);
	assert_int_equal(seteuid(uid), 0);
	assert_int_equal(chmod(path, 0700), 0);
	assert_int_equal(holders.n, 1);
	assert_int_equal(holders.list[0].pid, 6);
	assert_int_equal(holders.hidden, 1);
}

#define LIMITS                                                                             \
	"Limit                     Soft Limit           Hard Limit           Units     \n" \
	"Max cpu time              unlimited            unlimited            seconds   \n" \
	"Max locked memory         8388608              unlimited            bytes     \n" \
	"Max address space         unlimited            unlimited            bytes     \n"

static void test_locked_memory(void **state)
{
	struct memlock lock;

	(void)state;
	assert_int_equal(memlock_read(tree.root, "self", &lock), -ENOENT);
	tree_file(&tree, LIMITS, "/proc/self/limits");
	assert_int_equal(memlock_read(tree.root, "self", &lock), -ENOENT);
	tree_file(&tree,
		  "Name:\tx\nVmLck:\t    2048 kB\nVmPin:\t       4 kB\nCapEff:\t0000000000004000\n",
		  "/proc/self/status");
	assert_int_equal(memlock_read(tree.root, "self", &lock), 0);
	assert_int_equal(lock.soft, 8388608);
	assert_true(lock.hard == MEMLOCK_UNLIMITED);
	assert_int_equal(lock.locked, 2048 << 10);
	assert_int_equal(lock.pinned, 4096);
	assert_int_equal(lock.exempt, 1);
	tree_file(&tree, "Name:\tkthread\nCapEff:\tffffffffffffbfff\n", "/proc/self/status");
	assert_int_equal(memlock_read(tree.root, "self", &lock), 0);
	assert_int_equal(lock.locked, 0);
	assert_int_equal(lock.exempt, 0);
}

static void test_limits_that_make_no_sense(void **state)
{
	static const char *const texts[] = {
		"",
		"Max locked memory\n",
		"Max locked memory 12\n",
		"Max locked memory much more bytes\n",
		"Max locked memory -1 -1 bytes\n",
		"x Max locked memory 1 1 bytes\n",
	};
	struct memlock lock;

	(void)state;
	tree_file(&tree, "", "/proc/self/status");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		tree_file(&tree, texts[i], "/proc/self/limits");
		assert_int_equal(memlock_read(tree.root, "self", &lock), -EINVAL);
	}
}

static void test_locked_memory_of_this_process(void **state)
{
	struct memlock lock;

	(void)state;
	assert_int_equal(memlock_read("", "self", &lock), 0);
	assert_true(lock.soft <= lock.hard);
}

static void test_nodes(void **state)
{
	_cleanup_nodes_ struct host_nodes nodes = {0};
	static const char *const paths[] = {
		"/dev/iommu",  "/dev/vfio/vfio",      "/dev/vfio/devices/vfio0",
		"/dev/vfio/8", "/dev/vfio/noiommu-0", "/dev/vhost-vdpa-1",
	};
	char path[TREE_PATH_MAX];

	(void)state;
	assert_int_equal(host_nodes_read(tree.root, &nodes), 0);
	assert_int_equal(nodes.n, 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		tree_file(&tree, "", "%s", paths[i]);
	tree_file(&tree, "", "/dev/null");
	tree_file(&tree, "", "/dev/vhost-net");
	snprintf(path, sizeof(path), "%s/dev/iommu", tree.root);
	assert_int_equal(chmod(path, 0660), 0);
	assert_int_equal(host_nodes_read(tree.root, &nodes), 0);
	assert_int_equal(nodes.n, ARRAY_SIZE(paths));
	for (size_t i = 0; i < nodes.n; i++)
		assert_string_equal(nodes.list[i].path, paths[i]);
	assert_string_equal(nodes.list[0].kind, "iommufd");
	assert_string_equal(nodes.list[4].kind, "group");
	assert_string_equal(nodes.list[0].mode, "0660");
	assert_int_equal(nodes.list[0].uid, geteuid());
	/* Who may open a copy says nothing of the original. */
	assert_true(nodes.list[0].can_open == NODE_UNKNOWN);
}

static void test_a_kernel_with_nothing(void **state)
{
	_cleanup_features_ struct kernel_features features = {0};

	(void)state;
	assert_int_equal(kernel_features_read(tree.root, &features), 0);
	assert_null(features.release);
	assert_int_equal(features.iommufd, 0);
	assert_true(features.vfio_device == FEATURE_UNKNOWN);
	assert_int_equal(features.vfio_group, 0);
	assert_int_equal(features.vfio_type1, 0);
	assert_int_equal(features.vhost_vdpa, 0);
	assert_true(features.interrupt_remapping == FEATURE_UNKNOWN);
	assert_int_equal(features.unsafe_interrupts, 0);
	assert_int_equal(features.n_parameters, 0);
}

static void test_a_kernel_with_everything(void **state)
{
	_cleanup_features_ struct kernel_features features = {0};

	(void)state;
	tree_file(&tree, "7.3.4\n", "/proc/sys/kernel/osrelease");
	tree_file(&tree, "Character devices:\n  1 mem\n240 vfio-dev\n241 vfio\n\nBlock devices:\n",
		  "/proc/devices");
	tree_dir(&tree, "/sys/class/misc/iommu");
	tree_dir(&tree, "/sys/class/vfio");
	tree_dir(&tree, "/sys/bus/vdpa/drivers/vhost_vdpa");
	tree_file(&tree, "Y\n", "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts");
	tree_file(&tree, "N\n", "/sys/module/iommufd/parameters/allow_unsafe_interrupts");
	tree_file(&tree, " CPU0\n 2: 31  IR-IO-APIC    2-edge      timer\n", "/proc/interrupts");
	tree_file(
		&tree,
		"root=/dev/sda intel_iommu=on password=iommu=1 iommu=nopt quiet vfio-pci.ids=1234:11e8\n",
		"/proc/cmdline");
	assert_int_equal(kernel_features_read(tree.root, &features), 0);
	assert_string_equal(features.release, "7.3.4");
	assert_int_equal(features.iommufd, 1);
	assert_int_equal(features.vfio_device, 1);
	assert_int_equal(features.vfio_group, 1);
	assert_int_equal(features.vfio_type1, 1);
	assert_int_equal(features.vhost_vdpa, 1);
	assert_int_equal(features.interrupt_remapping, 1);
	assert_int_equal(features.unsafe_interrupts, 1);
	assert_int_equal(features.n_parameters, 3);
	assert_string_equal(features.parameters[0], "intel_iommu=on");
	assert_string_equal(features.parameters[1], "iommu=nopt");
	assert_string_equal(features.parameters[2], "vfio-pci.ids=1234:11e8");
}

static void test_interrupts(void **state)
{
	static const struct {
		const char *text;
		uint64_t isolated;
	} cases[] = {
		{"  2:  0  IO-APIC    2-edge timer\n 30: 0 PCI-MSIX-0000:00:01.0 0-edge\n", 0},
		{" 30: 0 0 PCI-MSIX-0000:00:01.0 0-edge\n", 0},
		{" 30: 0 0 IR-PCI-MSIX-0000:00:01.0 0-edge\n", 1},
		{" 11: 5 GICv3  27 Level arch_timer\n", FEATURE_UNKNOWN},
		{" 11: 5 GICv3  27 Level arch_timer\n 50: 1 ITS-PCI-MSI-0000:00:03.0 0 Edge x\n",
		 1},
		{"", FEATURE_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_features_ struct kernel_features features = {0};

		tree_file(&tree, cases[i].text, "/proc/interrupts");
		assert_int_equal(kernel_features_read(tree.root, &features), 0);
		assert_true(features.interrupt_remapping == cases[i].isolated);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_holders_in_a_message),
		TEST(test_every_kind_of_node),
		TEST(test_a_device_without_a_node_has_its_holder),
		TEST(test_odd_fdinfo),
		TEST(test_units),
		TEST(test_processes_of_others_are_counted),
		TEST(test_locked_memory),
		TEST(test_limits_that_make_no_sense),
		TEST(test_locked_memory_of_this_process),
		TEST(test_nodes),
		TEST(test_a_kernel_with_nothing),
		TEST(test_a_kernel_with_everything),
		TEST(test_interrupts),
	};

	return cmocka_run_group_tests_name("host-holders", tests, NULL, NULL);
}
