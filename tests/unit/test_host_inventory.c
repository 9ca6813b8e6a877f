// SPDX-License-Identifier: GPL-2.0-or-later
/* The inventory: IOMMUs, groups and devices of every kind, from trees as sysfs shows them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "host/inventory.h"
#include "support_tree.h"

static struct tree tree;
static struct host host;

static int setup(void **state)
{
	(void)state;
	tree_make(&tree);
	/* A library of names that is the same on every machine. */
	tree_file(&tree,
		  "# comment\n"
		  "8086  Intel Corporation\n"
		  "\t10d3  82574L Gigabit Network Connection\n"
		  "\t\t103c 3250  a subsystem\n"
		  "15b3  Mellanox\n"
		  "\t10d3  not this one\n"
		  "C 02  Network controller\n"
		  "\t00  Ethernet controller\n"
		  "C 06  Bridge\n",
		  "/usr/share/misc/pci.ids");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_done(&host);
	tree_remove(&tree);
	return 0;
}

static void read_host(void)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	host_done(&host);
	assert_int_equal(host_read(tree.root, &host, &err), 0);
	assert_null(err);
}

/* An IOMMU, with an attribute where its driver shows one. */
static void iommu(const char *name, const char *attribute, const char *text)
{
	char target[128];

	snprintf(target, sizeof(target), "/sys/devices/virtual/iommu/%s", name);
	if (attribute)
		tree_file(&tree, text, "%s/%s", target, attribute);
	else
		tree_dir(&tree, "%s", target);
	tree_link(&tree, target, "/sys/class/iommu/%s", name);
}

static void vtd(const char *name, const char *cap, const char *ecap)
{
	iommu(name, "intel-iommu/cap", cap);
	iommu(name, "intel-iommu/ecap", ecap);
}

static const struct host_device *device(const char *address)
{
	for (size_t i = 0; i < host.n_devices; i++)
		if (!strcmp(host.devices[i].address, address))
			return &host.devices[i];
	fail_msg("no device %s", address);
	return NULL;
}

static void assert_sizes(const struct host_iommu *i, size_t n, uint64_t largest)
{
	assert_int_equal(i->n_page_sizes, n);
	assert_int_equal(i->page_sizes[0], 4096);
	assert_int_equal(i->page_sizes[n - 1], largest);
}

static bool can(const struct host_iommu *i, const char *capability)
{
	for (size_t n = 0; n < i->n_capabilities; n++)
		if (!strcmp(i->capabilities[n], capability))
			return true;
	return false;
}

static void test_a_place_that_is_no_host(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	assert_int_equal(host_read(tree.root, &host, &err), -ENOENT);
	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_non_null(strstr(err->message, "/sys"));
	assert_non_null(strstr(err->hint, "captured"));
}

static void test_a_host_without_anything(void **state)
{
	(void)state;
	tree_dir(&tree, "/sys");
	read_host();
	assert_int_equal(host.n_iommus, 0);
	assert_int_equal(host.n_groups, 0);
	assert_int_equal(host.n_devices, 0);
	assert_false(host.translates);
	assert_false(host.memlock_known);
	assert_int_equal(host.n_unseen, 2);
	assert_non_null(strstr(host.unseen[0], "that /proc doesn't list"));
	assert_non_null(strstr(host.unseen[1], "locked"));
}

/* The registers of QEMU's VT-d: legacy mode, 39 bits. */
static void test_legacy_vtd(void **state)
{
	const struct host_iommu *i;

	(void)state;
	vtd("dmar0", "d2008c22260286\n", "f00f4e\n");
	read_host();
	assert_int_equal(host.n_iommus, 1);
	i = &host.iommus[0];
	assert_string_equal(i->name, "dmar0");
	assert_string_equal(i->type, "vt-d");
	assert_null(i->device);
	assert_int_equal(i->iova_bits, 39);
	assert_sizes(i, 3, 1 << 30);
	assert_int_equal(i->nesting, 0);
	assert_int_equal(i->dirty_tracking, 0);
	assert_int_equal(i->pasid_bits, 0);
	assert_int_equal(i->snoop_control, 0);
	assert_true(can(i, "interrupt-remapping"));
	assert_true(can(i, "caching-mode"));
	assert_false(can(i, "x2apic"));
	assert_int_equal(i->n_registers, 2);
	assert_string_equal(i->registers[0].name, "cap");
	assert_true(i->registers[0].value == 0xd2008c22260286);
	assert_int_equal(i->registers[1].value, 0xf00f4e);
}

/* MGAW 57 and SAGAW of 4 and 5 levels; scalable mode, both stages, nesting, 20 PASID bits. */
static void test_scalable_vtd(void **state)
{
	const uint64_t cap = 1ULL << 56 | 3ULL << 34 | 56ULL << 16 | 0xcULL << 8;
	const uint64_t ecap = 1ULL << 48 | 1ULL << 47 | 1ULL << 46 | 1ULL << 45 | 1ULL << 43 |
			      1ULL << 40 | 19ULL << 35 | 1ULL << 26 | 1ULL << 7;
	char cap_text[32], ecap_text[32];

	(void)state;
	snprintf(cap_text, sizeof(cap_text), "%jx\n", (uintmax_t)cap);
	snprintf(ecap_text, sizeof(ecap_text), "%jx\n", (uintmax_t)ecap);
	vtd("dmar0", cap_text, ecap_text);
	read_host();
	/* First stage of 4 levels: 48 bits, of which the upper half is not offered. */
	assert_int_equal(host.iommus[0].iova_bits, 47);
	assert_sizes(&host.iommus[0], 3, 1 << 30);
	assert_int_equal(host.iommus[0].nesting, 1);
	assert_int_equal(host.iommus[0].dirty_tracking, 1);
	assert_int_equal(host.iommus[0].snoop_control, 1);
	assert_int_equal(host.iommus[0].pasid_bits, 20);

	tree_file(&tree, "intel_iommu=on,sm_off\n", "/proc/cmdline");
	read_host();
	assert_int_equal(host.iommus[0].iova_bits, 57);
	assert_int_equal(host.iommus[0].nesting, 0);
	assert_int_equal(host.iommus[0].dirty_tracking, 0);
	assert_int_equal(host.iommus[0].pasid_bits, 0);
}

static void test_amd(void **state)
{
	const uint64_t efr = 1ULL << 52 | 1ULL << 48 | 15ULL << 32 | 2ULL << 10 | 1ULL << 4;
	char text[64];

	(void)state;
	snprintf(text, sizeof(text), "%jx:8\n", (uintmax_t)efr);
	iommu("ivhd0", "amd-iommu/features", text);
	iommu("ivhd1", "amd-iommu/features", "c00\n"); /* an older kernel; a reserved level */
	iommu("ivhd2", "amd-iommu/features", "nonsense\n");
	tree_link(&tree, "/sys/devices/pci0000:00/0000:00:00.2",
		  "/sys/devices/virtual/iommu/ivhd0/device");
	read_host();
	assert_int_equal(host.n_iommus, 3);
	assert_string_equal(host.iommus[0].type, "amd");
	assert_string_equal(host.iommus[0].device, "0000:00:00.2");
	assert_int_equal(host.iommus[0].iova_bits, 64);
	assert_sizes(&host.iommus[0], 3, 1 << 30);
	assert_int_equal(host.iommus[0].nesting, 1);
	assert_int_equal(host.iommus[0].dirty_tracking, 1);
	assert_int_equal(host.iommus[0].pasid_bits, 16);
	assert_true(can(&host.iommus[0], "gcr3-table-root"));
	assert_true(host.iommus[1].iova_bits == HOST_UNKNOWN);
	assert_int_equal(host.iommus[1].pasid_bits, 0);
	assert_string_equal(host.iommus[2].type, "other");
	assert_true(host.iommus[2].iova_bits == HOST_UNKNOWN);
	assert_null(host.iommus[2].page_sizes);
}

static void test_iommus_that_show_nothing(void **state)
{
	static const struct {
		const char *name, *type;
	} cases[] = {
		{"0000:00:05.0", "virtio"},
		{"fe000000.iommu", "other"},
		{"iommufd_selftest_iommu.0", "mock"},
		{"riscv-iommu@0000:00:01.0", "riscv"},
		{"s390-iommu.00000001", "s390"},
		{"smmu.0x0000000012000000", "smmu"},
		{"smmu3.0x0000000009050000", "smmuv3"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		iommu(cases[i].name, NULL, NULL);
	tree_link(&tree, "/sys/bus/virtio/drivers/virtio_iommu",
		  "/sys/devices/virtual/iommu/0000:00:05.0/device/driver");
	read_host();
	assert_int_equal(host.n_iommus, ARRAY_SIZE(cases));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_string_equal(host.iommus[i].name, cases[i].name);
		assert_string_equal(host.iommus[i].type, cases[i].type);
		assert_true(host.iommus[i].nesting == HOST_UNKNOWN);
		assert_int_equal(host.iommus[i].n_registers, 0);
	}
}

static void test_a_pci_device(void **state)
{
	const struct host_device *d;

	(void)state;
	vtd("dmar0", "d2008c22260286\n", "f00f4e\n");
	tree_pci(&tree, "0000:01:00.0", 7, "e1000e", NULL);
	tree_link(&tree, "/sys/devices/virtual/iommu/dmar0",
		  "/sys/devices/pci0000:00/0000:01:00.0/iommu");
	tree_file(&tree, "1\n", "/sys/devices/pci0000:00/0000:01:00.0/numa_node");
	read_host();
	assert_int_equal(host.n_devices, 1);
	d = device("0000:01:00.0");
	assert_string_equal(d->bus, "pci");
	assert_string_equal(d->vendor, "0x8086");
	assert_string_equal(d->device, "0x10d3");
	assert_string_equal(d->class, "0x020000");
	assert_string_equal(d->vendor_name, "Intel Corporation");
	assert_string_equal(d->device_name, "82574L Gigabit Network Connection");
	assert_string_equal(d->class_name, "Ethernet controller");
	assert_string_equal(d->driver, "e1000e");
	assert_null(d->driver_override);
	assert_string_equal(d->driver_origin, "match");
	assert_int_equal(d->group, 7);
	assert_string_equal(d->iommu, "dmar0");
	assert_int_equal(d->numa_node, 1);
	assert_int_equal(d->bridge, 0);
	assert_null(d->node);
	assert_null(d->physical_function);
	assert_true(d->max_virtual_functions == HOST_UNKNOWN);
	assert_int_equal(host.iommus[0].devices, 1);
	assert_int_equal(host.n_pci_drivers, 2);
	assert_string_equal(host.pci_drivers[0], "e1000e");
	assert_string_equal(host.pci_drivers[1], "vfio-pci");
}

static void test_drivers_and_where_they_come_from(void **state)
{
	(void)state;
	tree_pci(&tree, "0000:01:00.0", 1, "vfio-pci", "vfio0");
	tree_file(&tree, "vfio-pci\n", "/sys/devices/pci0000:00/0000:01:00.0/driver_override");
	tree_pci(&tree, "0000:02:00.0", 2, "vfio-pci", "vfio1");
	tree_pci(&tree, "0000:03:00.0", 3, NULL, NULL);
	tree_file(&tree, "vfio-pci\n", "/sys/devices/pci0000:00/0000:03:00.0/driver_override");
	tree_pci(&tree, "0000:04:00.0", 4, "nvme", NULL);
	tree_file(&tree, "vfio-pci\n", "/sys/devices/pci0000:00/0000:04:00.0/driver_override");
	tree_file(&tree, "-1\n", "/sys/devices/pci0000:00/0000:04:00.0/numa_node");
	read_host();
	assert_string_equal(device("0000:01:00.0")->driver_origin, "override");
	assert_string_equal(device("0000:01:00.0")->node, "/dev/vfio/devices/vfio0");
	assert_string_equal(device("0000:02:00.0")->driver, "vfio-pci");
	assert_null(device("0000:02:00.0")->driver_origin);
	assert_null(device("0000:03:00.0")->driver);
	assert_null(device("0000:03:00.0")->driver_origin);
	assert_string_equal(device("0000:03:00.0")->driver_override, "vfio-pci");
	assert_string_equal(device("0000:04:00.0")->driver_origin, "match");
	assert_true(device("0000:04:00.0")->numa_node == HOST_UNKNOWN);
}

static void test_functions(void **state)
{
	static const char pf[] = "/sys/devices/pci0000:00/0000:01:00.0";

	(void)state;
	tree_pci(&tree, "0000:01:00.0", 1, "igb", NULL);
	tree_pci(&tree, "0000:01:10.0", 2, NULL, NULL);
	tree_pci(&tree, "0000:01:10.2", 3, NULL, NULL);
	tree_file(&tree, "7\n", "%s/sriov_totalvfs", pf);
	tree_file(&tree, "2\n", "%s/sriov_numvfs", pf);
	/* By index, not by address. */
	tree_link(&tree, "/sys/devices/pci0000:00/0000:01:10.2", "%s/virtfn0", pf);
	tree_link(&tree, "/sys/devices/pci0000:00/0000:01:10.0", "%s/virtfn1", pf);
	tree_link(&tree, pf, "/sys/devices/pci0000:00/0000:01:10.0/physfn");
	tree_link(&tree, pf, "/sys/devices/pci0000:00/0000:01:10.2/physfn");
	read_host();
	assert_int_equal(device("0000:01:00.0")->max_virtual_functions, 7);
	assert_int_equal(device("0000:01:00.0")->n_virtual_functions, 2);
	assert_string_equal(device("0000:01:00.0")->virtual_functions[0], "0000:01:10.2");
	assert_string_equal(device("0000:01:00.0")->virtual_functions[1], "0000:01:10.0");
	assert_string_equal(device("0000:01:10.0")->physical_function, "0000:01:00.0");
	/* A count that the links don't keep up with. */
	tree_file(&tree, "60000\n", "%s/sriov_numvfs", pf);
	read_host();
	assert_int_equal(device("0000:01:00.0")->n_virtual_functions, 2);
	tree_file(&tree, "99999999999\n", "%s/sriov_numvfs", pf);
	read_host();
	assert_int_equal(device("0000:01:00.0")->n_virtual_functions, 0);
}

static void test_devices_made_on_others(void **state)
{
	static const char uuid[] = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

	(void)state;
	tree_pci(&tree, "0000:00:02.0", 1, "i915", NULL);
	tree_file(&tree, "DRIVER=vfio_mdev\n", "/sys/devices/pci0000:00/0000:00:02.0/%s/uevent",
		  uuid);
	tree_link(&tree, "/sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types/i915-GVTg_V5_4",
		  "/sys/devices/pci0000:00/0000:00:02.0/%s/mdev_type", uuid);
	tree_dir(&tree, "/sys/devices/pci0000:00/0000:00:02.0/%s/vfio-dev/vfio3", uuid);
	tree_link(&tree,
		  "/sys/devices/pci0000:00/0000:00:02.0/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
		  "/sys/bus/mdev/devices/%s", uuid);
	tree_file(&tree, "DRIVER=vhost_vdpa\n", "/sys/devices/vdpa0/uevent");
	tree_dir(&tree, "/sys/devices/vdpa0/vhost-vdpa-0");
	tree_link(&tree, "/sys/devices/vdpa0", "/sys/bus/vdpa/devices/vdpa0");
	tree_file(&tree, "DRIVER=virtio_vdpa\n",
		  "/sys/devices/pci0000:00/0000:00:02.0/vdpa1/uevent");
	tree_link(&tree, "/sys/devices/pci0000:00/0000:00:02.0/vdpa1",
		  "/sys/bus/vdpa/devices/vdpa1");
	read_host();
	assert_int_equal(host.n_devices, 4);
	assert_string_equal(device(uuid)->bus, "mdev");
	assert_string_equal(device(uuid)->parent, "0000:00:02.0");
	assert_string_equal(device(uuid)->mdev_type, "i915-GVTg_V5_4");
	assert_string_equal(device(uuid)->node, "/dev/vfio/devices/vfio3");
	assert_true(device(uuid)->bridge == HOST_UNKNOWN);
	assert_string_equal(device("vdpa0")->bus, "vdpa");
	assert_null(device("vdpa0")->parent);
	assert_string_equal(device("vdpa0")->node, "/dev/vhost-vdpa-0");
	assert_string_equal(device("vdpa1")->parent, "0000:00:02.0");
	assert_null(device("vdpa1")->node);
}

static void test_groups(void **state)
{
	const struct host_group *g;

	(void)state;
	tree_pci(&tree, "0000:03:01.0", 10, "vfio-pci", "vfio0");
	tree_pci(&tree, "0000:03:02.0", 10, "e1000e", NULL);
	tree_bridge(&tree, "0000:02:00.0", 10, "pcieport");
	tree_pci(&tree, "0000:00:03.0", 9, NULL, NULL);
	tree_dir(&tree, "/sys/kernel/iommu_groups/100/devices");
	tree_dir(&tree, "/sys/kernel/iommu_groups/no-number");
	tree_file(&tree, "DMA-FQ\n", "/sys/kernel/iommu_groups/10/type");
	tree_file(&tree, "unknown\n", "/sys/kernel/iommu_groups/9/type");
	tree_file(&tree, "0xfee00000 0xfeefffff msi\n0xc0000000 0xc0ffffff direct\n",
		  "/sys/kernel/iommu_groups/10/reserved_regions");
	tree_file(&tree, "nonsense\n", "/sys/kernel/iommu_groups/9/reserved_regions");
	tree_file(&tree, "", "/dev/vfio/10");
	read_host();
	assert_true(host.translates);
	assert_int_equal(host.n_groups, 3);
	g = &host.groups[0];
	assert_int_equal(g->id, 9);
	assert_null(g->type);
	assert_int_equal(g->viable, 1);
	assert_int_equal(g->n_reserved, 0);
	assert_null(g->node);
	g = &host.groups[1];
	assert_int_equal(g->id, 10);
	assert_string_equal(g->type, "DMA-FQ");
	assert_int_equal(g->n_members, 3);
	assert_string_equal(g->members[0], "0000:02:00.0");
	assert_int_equal(g->viable, 0);
	assert_int_equal(g->n_in_the_way, 1);
	assert_string_equal(g->in_the_way[0], "0000:03:02.0");
	assert_int_equal(g->n_reserved, 2);
	assert_int_equal(g->reserved[1].first, 0xc0000000);
	assert_int_equal(g->reserved[1].last, 0xc0ffffff);
	assert_string_equal(g->reserved[1].type, "direct");
	assert_string_equal(g->node, "/dev/vfio/10");
	assert_int_equal(host.groups[2].id, 100);
	assert_int_equal(host.groups[2].n_members, 0);
}

/* Devices of buses that aren't looked through come in by their groups. */
static void test_members_of_other_buses(void **state)
{
	(void)state;
	iommu("smmu3.0x0000000009050000", NULL, NULL);
	tree_file(&tree, "DRIVER=xgmac\n", "/sys/devices/platform/fff51000.ethernet/uevent");
	tree_link(&tree, "/sys/bus/platform", "/sys/devices/platform/fff51000.ethernet/subsystem");
	tree_link(&tree, "/sys/kernel/iommu_groups/4",
		  "/sys/devices/platform/fff51000.ethernet/iommu_group");
	tree_link(&tree, "/sys/devices/virtual/iommu/smmu3.0x0000000009050000",
		  "/sys/devices/platform/fff51000.ethernet/iommu");
	tree_link(&tree, "/sys/devices/platform/fff51000.ethernet",
		  "/sys/kernel/iommu_groups/4/devices/fff51000.ethernet");
	tree_link(&tree, "/sys/devices/gone", "/sys/kernel/iommu_groups/4/devices/gone");
	read_host();
	assert_int_equal(host.n_devices, 1);
	assert_string_equal(device("fff51000.ethernet")->bus, "platform");
	assert_string_equal(device("fff51000.ethernet")->driver, "xgmac");
	assert_int_equal(device("fff51000.ethernet")->group, 4);
	assert_int_equal(host.groups[0].n_members, 1);
	assert_string_equal(host.groups[0].iommu, "smmu3.0x0000000009050000");
	assert_int_equal(host.groups[0].viable, 0);
	assert_int_equal(host.iommus[0].devices, 1);
}

static void write_config(const char *address, const unsigned char *bytes, size_t size)
{
	char path[TREE_PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/sys/devices/pci0000:00/%s/config", tree.root, address);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static void put_word(unsigned char *config, size_t at, uint32_t word)
{
	for (int i = 0; i < 4; i++)
		config[at + (size_t)i] = (unsigned char)(word >> 8 * i);
}

static void test_pasids(void **state)
{
	unsigned char config[4096] = {0};

	(void)state;
	iommu("smmu3.0", NULL, NULL); /* may have PASIDs, sysfs doesn't tell */
	tree_pci(&tree, "0000:01:00.0", 1, NULL, NULL);
	tree_link(&tree, "/sys/devices/virtual/iommu/smmu3.0",
		  "/sys/devices/pci0000:00/0000:01:00.0/iommu");
	read_host();
	assert_true(device("0000:01:00.0")->pasid_bits == HOST_UNKNOWN);
	write_config("0000:01:00.0", config, 256);
	read_host();
	assert_int_equal(device("0000:01:00.0")->pasid_bits, 0);
	put_word(config, 0x100, 0x20010001); /* next at 0x200 */
	put_word(config, 0x200, 0x0001001b);
	put_word(config, 0x204, 16 << 8 | 6);
	write_config("0000:01:00.0", config, sizeof(config));
	read_host();
	assert_int_equal(device("0000:01:00.0")->pasid_bits, 16);
	tree_pci(&tree, "0000:01:10.0", 2, NULL, NULL);
	tree_link(&tree, "/sys/devices/virtual/iommu/smmu3.0",
		  "/sys/devices/pci0000:00/0000:01:10.0/iommu");
	tree_link(&tree, "/sys/devices/pci0000:00/0000:01:00.0",
		  "/sys/devices/pci0000:00/0000:01:10.0/physfn");
	read_host();
	assert_int_equal(device("0000:01:10.0")->pasid_bits, 16);
	/* Lists that are broken: a circle, a hole, a device that is gone. */
	put_word(config, 0x200, 0x10010002);
	write_config("0000:01:00.0", config, sizeof(config));
	read_host();
	assert_int_equal(device("0000:01:00.0")->pasid_bits, 0);
	put_word(config, 0x200, 0x00410002);
	write_config("0000:01:00.0", config, sizeof(config));
	read_host();
	assert_int_equal(device("0000:01:00.0")->pasid_bits, 0);
	put_word(config, 0x100, UINT32_MAX);
	write_config("0000:01:00.0", config, sizeof(config));
	read_host();
	assert_int_equal(device("0000:01:00.0")->pasid_bits, 0);
}

static void test_names_that_are_missing(void **state)
{
	(void)state;
	tree_bridge(&tree, "0000:00:01.0", 1, NULL);
	tree_file(&tree, "PCI_CLASS=60400\nPCI_ID=15B3:1019\n",
		  "/sys/devices/pci0000:00/0000:00:01.0/uevent");
	tree_pci(&tree, "0000:00:02.0", 2, NULL, NULL);
	tree_file(&tree, "PCI_CLASS=FF0000\nPCI_ID=1234:11E8\n",
		  "/sys/devices/pci0000:00/0000:00:02.0/uevent");
	tree_pci(&tree, "0000:00:03.0", 3, NULL, NULL);
	tree_file(&tree, "PCI_CLASS=\nPCI_ID\n=\nPCI_ID=zz\n",
		  "/sys/devices/pci0000:00/0000:00:03.0/uevent");
	read_host();
	assert_int_equal(device("0000:00:01.0")->bridge, 1);
	assert_string_equal(device("0000:00:01.0")->class_name, "Bridge");
	assert_string_equal(device("0000:00:01.0")->vendor_name, "Mellanox");
	assert_null(device("0000:00:01.0")->device_name);
	assert_null(device("0000:00:02.0")->vendor_name);
	assert_null(device("0000:00:02.0")->class_name);
	assert_string_equal(device("0000:00:02.0")->device, "0x11e8");
	assert_null(device("0000:00:03.0")->vendor);
	assert_null(device("0000:00:03.0")->class);
}

static void test_a_file_of_names_that_is_broken(void **state)
{
	(void)state;
	tree_pci(&tree, "0000:01:00.0", 1, NULL, NULL);
	tree_file(&tree,
		  "\t10d3  before any vendor\n"
		  "808\n"
		  "zzzz  no hex\n"
		  "C\n"
		  "C 0\n"
		  "8086\n"
		  "\t10d\n"
		  "\t\n"
		  "\t10d3 one space, no end of line",
		  "/usr/share/misc/pci.ids");
	read_host();
	assert_string_equal(device("0000:01:00.0")->vendor_name, "");
	assert_string_equal(device("0000:01:00.0")->device_name, "one space, no end of line");
	assert_null(device("0000:01:00.0")->class_name);
}

static void many_groups(void)
{
	vtd("dmar0", "d2008c22260286\n", "f00f4e\n");
	vtd("dmar1", "d2008c22260286\n", "f00f4e\n");
	tree_pci(&tree, "0000:01:00.0", 1, "vfio-pci", "vfio0");
	tree_pci(&tree, "0000:01:00.1", 1, "e1000e", NULL);
	tree_pci(&tree, "0000:02:00.0", 2, "e1000e", NULL);
	tree_pci(&tree, "0000:03:00.0", UINT32_MAX, "e1000e", NULL);
	tree_link(&tree, "/sys/devices/virtual/iommu/dmar0",
		  "/sys/devices/pci0000:00/0000:01:00.0/iommu");
	tree_link(&tree, "/sys/devices/virtual/iommu/dmar1",
		  "/sys/devices/pci0000:00/0000:02:00.0/iommu");
	tree_file(&tree, "", "/dev/iommu");
	tree_file(&tree, "", "/dev/vfio/1");
	tree_file(&tree, "", "/dev/vfio/9");
	tree_process(&tree, 5, "vmm\n", "/dev/vfio/devices/vfio0");
	tree_process(&tree, 6, "dpdk\n", "/dev/vfio/9");
	tree_process(&tree, 7, "other\n", "/dev/iommu");
	read_host();
	/* The tree's /dev/vfio/devices/vfio0 is a link to /dev/null. */
	assert_int_equal(host.nodes.n, 4);
	assert_int_equal(host.holders.n, 3);
}

static int filter(const char *address, uint64_t group, const char *driver,
		  struct ioasidctl_error **err)
{
	const struct host_filter f = {address, group, driver};

	return host_apply_filter(&host, &f, err);
}

static void test_filter_by_device(void **state)
{
	(void)state;
	many_groups();
	assert_int_equal(filter("01:00.1", HOST_UNKNOWN, NULL, NULL), 0);
	assert_int_equal(host.n_groups, 1);
	assert_int_equal(host.groups[0].id, 1);
	/* The whole group, so that it can be judged. */
	assert_int_equal(host.n_devices, 2);
	assert_int_equal(host.n_iommus, 1);
	assert_string_equal(host.iommus[0].name, "dmar0");
	assert_int_equal(host.holders.n, 1);
	assert_int_equal(host.holders.list[0].pid, 5);
	assert_int_equal(host.nodes.n, 3);
	assert_string_equal(host.nodes.list[0].path, "/dev/iommu");
	assert_string_equal(host.nodes.list[2].path, "/dev/vfio/1");
}

static void test_filter_by_group_and_driver(void **state)
{
	(void)state;
	many_groups();
	assert_int_equal(filter(NULL, 2, NULL, NULL), 0);
	assert_int_equal(host.n_devices, 1);
	assert_string_equal(host.devices[0].address, "0000:02:00.0");
	read_host();
	assert_int_equal(filter(NULL, HOST_UNKNOWN, "e1000e", NULL), 0);
	assert_int_equal(host.n_groups, 2);
	assert_int_equal(host.n_devices, 4);
	read_host();
	assert_int_equal(filter(NULL, 2, "vfio-pci", NULL), 0);
	assert_int_equal(host.n_groups, 0);
	assert_int_equal(host.n_devices, 0);
	assert_int_equal(host.holders.n, 0);
	read_host();
	assert_int_equal(filter("0000:03:00.0", HOST_UNKNOWN, NULL, NULL), 0);
	assert_int_equal(host.n_groups, 0);
	assert_int_equal(host.n_devices, 1);
	assert_true(host.translates);
}

static void test_filter_for_what_is_not_there(void **state)
{
	_cleanup_error_ struct ioasidctl_error *no_device = NULL, *no_group = NULL;

	(void)state;
	many_groups();
	assert_int_equal(filter("0000:09:00.0", HOST_UNKNOWN, NULL, &no_device), -ENODEV);
	assert_int_equal(no_device->kind, ERROR_UNAVAILABLE);
	assert_string_equal(no_device->message, "there is no device 0000:09:00.0");
	assert_int_equal(filter(NULL, 3, NULL, &no_group), -ENODEV);
	assert_string_equal(no_group->message, "there is no IOMMU group 3");
	/* Nothing was dropped. */
	assert_int_equal(host.n_devices, 4);
}

static void test_memory_of_the_same_user(void **state)
{
	(void)state;
	tree_dir(&tree, "/sys");
	for (int i = 0; i < 3; i++) {
		int pid = 10 + i;

		tree_process(&tree, pid, "vmm\n", "/dev/iommu");
		tree_file(&tree, "Max locked memory 8388608 8388608 bytes\n", "/proc/%d/limits",
			  pid);
	}
	tree_file(&tree, "Max locked memory 8388608 unlimited bytes\n", "/proc/self/limits");
	tree_file(&tree, "Uid:\t1000\t1000\t1000\t1000\n", "/proc/self/status");
	tree_file(&tree, "Uid:\t1000\t0\t0\t0\nVmLck:\t4 kB\nVmPin:\t8 kB\n", "/proc/10/status");
	tree_file(&tree, "Uid:\t1000\t1000\t0\t0\nVmLck:\t16 kB\n", "/proc/11/status");
	tree_file(&tree, "Uid:\t0\t0\t0\t0\nVmLck:\t16 kB\n", "/proc/12/status");
	read_host();
	assert_true(host.memlock_known);
	assert_int_equal(host.memlock.uid, 1000);
	assert_int_equal(host.memlock.soft, 8388608);
	assert_int_equal(host.memlock_used, 24 << 10);
	/* Whoever captured it wasn't root. */
	assert_int_equal(host.n_unseen, 1);
	assert_non_null(strstr(host.unseen[0], "run it as root"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_place_that_is_no_host),
		TEST(test_a_host_without_anything),
		TEST(test_legacy_vtd),
		TEST(test_scalable_vtd),
		TEST(test_amd),
		TEST(test_iommus_that_show_nothing),
		TEST(test_a_pci_device),
		TEST(test_drivers_and_where_they_come_from),
		TEST(test_functions),
		TEST(test_devices_made_on_others),
		TEST(test_groups),
		TEST(test_members_of_other_buses),
		TEST(test_pasids),
		TEST(test_names_that_are_missing),
		TEST(test_a_file_of_names_that_is_broken),
		TEST(test_filter_by_device),
		TEST(test_filter_by_group_and_driver),
		TEST(test_filter_for_what_is_not_there),
		TEST(test_memory_of_the_same_user),
	};

	return cmocka_run_group_tests_name("host-inventory", tests, NULL, NULL);
}
