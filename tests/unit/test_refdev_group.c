// SPDX-License-Identifier: GPL-2.0-or-later
/* The reference device's groups: viability, blocked DMA, ownership; domains and their formats. */
#include "support_refdev.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#define PCI IOASID_SELECT_PCI
#define EDU "0000:00:03.0"

static int setup(void **state)
{
	static struct bench b;

	bench_setup(&b, NULL);
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	bench_teardown(*state);
	return 0;
}

static uint32_t group_state(struct refdev_file *f, const char *pci)
{
	return rd_query(f, PCI, pci).group_state;
}

static void test_query(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	struct ioasid_query_args q = rd_query(f, PCI, "0000:01:00.0");
	struct ioasid_query_args odd = {.argsz = sizeof(odd)};

	assert_int_equal(q.group, 7);
	assert_string_equal(q.driver, "e1000e");
	assert_string_equal(q.format, "vtd");
	assert_int_equal(q.device_flags, IOASID_DEVICE_PRESENT | IOASID_DEVICE_IN_THE_WAY);
	q = rd_query(f, PCI, "0000:02:00.0");
	assert_int_equal(q.device_flags,
			 IOASID_DEVICE_PRESENT | IOASID_DEVICE_VIABLE | IOASID_DEVICE_BRIDGE);
	q = rd_query(f, PCI, "0000:04:00.0");
	assert_true(q.device_flags & IOASID_DEVICE_NO_SNOOP);
	q = rd_query(f, PCI, "0000:99:00.0");
	assert_int_equal(q.device_flags, 0);
	assert_int_equal(q.group, IOASID_NONE);
	q = rd_query(f, PCI, "0000:ff:0b.0");
	assert_int_equal(q.group, IOASID_NONE);
	assert_string_equal(q.format, "");
	assert_true(q.device_flags & IOASID_DEVICE_PRESENT);
	/* one of each class */
	assert_true(rd_query(f, IOASID_SELECT_MOCK, "3").device_flags & IOASID_DEVICE_PRESENT);
	assert_true(rd_query(f, IOASID_SELECT_VDPA, "vdpa0").device_flags & IOASID_DEVICE_VIABLE);
	assert_string_equal(rd_query(f, IOASID_SELECT_PLATFORM, "fff00000.dma").format,
			    "arm-smmuv3");
	assert_int_equal(
		rd_query(f, IOASID_SELECT_MDEV, "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001").group, 12);
	/* names without an end, or of no class */
	memset(odd.device.name, 'a', sizeof(odd.device.name));
	assert_int_equal(refdev_ioctl(f, IOASID_QUERY_DEVICE, &odd), -EINVAL);
	odd.device.name[0] = '\0';
	assert_int_equal(refdev_ioctl(f, IOASID_QUERY_DEVICE, &odd), -EINVAL);
	odd.device.selector = 77;
	assert_int_equal(refdev_ioctl(f, IOASID_QUERY_DEVICE, &odd), -EOPNOTSUPP);
}

static void test_states(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	uint32_t id = rd_alloc(f, 0);

	assert_int_equal(group_state(f, EDU), IOASID_GROUP_HOST);
	assert_int_equal(rd_bind(f, PCI, EDU, 7), 0);
	assert_int_equal(group_state(f, EDU), IOASID_GROUP_BLOCKED);
	assert_int_equal(rd_attach(f, 7, id), 0);
	assert_int_equal(group_state(f, EDU), IOASID_GROUP_ATTACHED);
	assert_int_equal(rd_attach(f, 7, id), 0); /* to where it is */
	assert_int_equal(rd_info(f, id).n_attached, 1);
	assert_int_equal(rd_detach(f, 7), 0);
	assert_int_equal(group_state(f, EDU), IOASID_GROUP_BLOCKED);
	assert_int_equal(rd_detach(f, 7), -ENOENT);
	assert_int_equal(rd_attach(f, 7, id), 0);
	assert_int_equal(rd_unbind(f, 7), 0); /* detaches too */
	assert_int_equal(group_state(f, EDU), IOASID_GROUP_HOST);
	assert_int_equal(rd_info(f, id).n_attached, 0);
	assert_int_equal(rd_unbind(f, 7), -ENOENT);
	assert_int_equal(rd_attach(f, 7, id), -ENOENT);
}

static void test_viability(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;

	/* its own driver */
	assert_int_equal(rd_bind(f, PCI, "0000:01:00.0", 1), -EPERM);
	assert_int_equal(group_state(f, "0000:01:00.0"), IOASID_GROUP_HOST);
	assert_int_equal(rd_set_driver(f, "0000:01:00.0", "vfio-pci"), 0);
	assert_int_equal(rd_bind(f, PCI, "0000:01:00.0", 1), 0);
	/* a neighbour's */
	assert_int_equal(rd_bind(f, PCI, "0000:00:1f.3", 2), -EPERM);
	assert_int_equal(rd_set_driver(f, "0000:00:1f.2", ""), 0);
	assert_int_equal(rd_bind(f, PCI, "0000:00:1f.3", 2), 0);
	/* a bridge is never in the way */
	assert_int_equal(rd_bind(f, PCI, "0000:03:01.0", 3), 0);
	/* no IOMMU, no device */
	assert_int_equal(rd_bind(f, PCI, "0000:ff:0b.0", 4), -ENXIO);
	assert_int_equal(rd_bind(f, PCI, "0000:88:00.0", 4), -ENODEV);
	assert_int_equal(rd_fd_info(f).n_devices, 3);
	/* other classes: what serves user space isn't in the way, what serves the host is */
	assert_int_equal(rd_bind(f, IOASID_SELECT_VDPA, "vdpa0", 5), 0);
	assert_int_equal(rd_bind(f, IOASID_SELECT_VDPA, "vdpa1", 6), -EPERM);
}

static void test_ownership(void **state)
{
	struct bench *b = *state;
	struct refdev_file *second;

	assert_int_equal(refdev_open(b->refdev, &second), 0);
	assert_int_equal(rd_bind(b->file, PCI, "0000:03:01.0", 1), 0);
	assert_int_equal(rd_bind(b->file, PCI, "0000:03:01.0", 2), -EBUSY); /* device twice */
	assert_int_equal(rd_bind(b->file, PCI, EDU, 1), -EBUSY); /* cookie twice */
	assert_int_equal(rd_bind(second, PCI, "0000:03:01.0", 1), -EBUSY); /* another file */
	assert_int_equal(rd_bind(second, PCI, "0000:03:02.0", 1), -EBUSY); /* its group */
	assert_int_equal(rd_bind(second, PCI, EDU, 1), 0); /* cookies are per file */
	assert_true(rd_query(b->file, PCI, EDU).device_flags & IOASID_DEVICE_BOUND);
	assert_false(rd_query(b->file, PCI, EDU).device_flags & IOASID_DEVICE_BOUND_HERE);
	assert_true(rd_query(second, PCI, EDU).device_flags & IOASID_DEVICE_BOUND_HERE);
	/* the first member leaves, the group stays; the last one goes, it's free */
	assert_int_equal(rd_bind(b->file, PCI, "0000:03:02.0", 2), 0);
	assert_int_equal(rd_unbind(b->file, 1), 0);
	assert_int_equal(rd_bind(second, PCI, "0000:03:01.0", 2), -EBUSY);
	assert_int_equal(rd_unbind(b->file, 2), 0);
	assert_int_equal(rd_bind(second, PCI, "0000:03:01.0", 2), 0);
	/* another file's objects are none here */
	assert_int_equal(rd_attach(b->file, 2, rd_alloc(second, 0)), -ENOENT);
	refdev_close(second);
	assert_int_equal(group_state(b->file, EDU), IOASID_GROUP_HOST);
	assert_int_equal(group_state(b->file, "0000:03:01.0"), IOASID_GROUP_HOST);
}

/* Closing takes mappings, attachments and bindings along. */
static void test_close_frees(void **state)
{
	struct bench *b = *state;
	struct refdev_file *second;
	char *memory = pages(4096);

	assert_int_equal(refdev_open(b->refdev, &second), 0);
	for (int i = 0; i < 2; i++) {
		uint32_t id = rd_alloc(second, 0);

		assert_int_equal(rd_map(second, id, 0, memory, 4096, RW), 0);
		rd_join(second, i ? "0000:03:01.0" : EDU, (uint64_t)i + 1, id);
	}
	refdev_close(second);
	assert_int_equal(group_state(b->file, EDU), IOASID_GROUP_HOST);
	assert_int_equal(rd_bind(b->file, PCI, EDU, 1), 0);
	munmap(memory, 4096);
}

static void test_group_moves_as_one(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	uint32_t a = rd_alloc(f, 0), b = rd_alloc(f, 0);
	char *memory = pages(8192), byte = 1;

	assert_int_equal(rd_map(f, a, 0, memory, 4096, RW), 0);
	assert_int_equal(rd_map(f, b, 0, memory + 4096, 4096, RW), 0);
	rd_join(f, "0000:03:01.0", 1, a);
	assert_int_equal(rd_bind(f, PCI, "0000:03:02.0", 2), 0);
	/* not in there itself: it may join, not take the group elsewhere */
	assert_int_equal(rd_attach(f, 2, b), -EINVAL);
	assert_int_equal(rd_attach(f, 2, a), 0);
	assert_int_equal(rd_info(f, a).n_attached, 2);
	/* a member that is in there moves all */
	assert_int_equal(rd_attach(f, 2, b), 0);
	assert_int_equal(rd_info(f, a).n_attached, 0);
	assert_int_equal(rd_info(f, b).n_attached, 2);
	assert_int_equal(rd_dma(f, 1, 0, &byte, 1, IOASID_DMA_WRITE, NULL, NULL), 0);
	assert_int_equal(memory[4096], 1);
	assert_int_equal(memory[0], 0);
	/* one leaves: the group stays where it is, until the other leaves too */
	assert_int_equal(rd_detach(f, 2), 0);
	assert_int_equal(group_state(f, "0000:03:02.0"), IOASID_GROUP_ATTACHED);
	assert_int_equal(rd_detach(f, 1), 0);
	assert_int_equal(group_state(f, "0000:03:02.0"), IOASID_GROUP_BLOCKED);
	munmap(memory, 8192);
}

/* A replacement that is refused leaves the device where it was. */
static void test_failed_replace(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	uint32_t a = rd_alloc(f, 0), b = rd_alloc(f, 0);
	char *memory = pages(4096), byte = 9;

	assert_int_equal(rd_map(f, a, 0, memory, 4096, RW), 0);
	assert_int_equal(rd_map(f, b, 0xfee00000, memory, 4096, RW), 0);
	rd_join(f, EDU, 1, a);
	assert_int_equal(rd_attach(f, 1, b), -EADDRINUSE);
	assert_int_equal(rd_attach(f, 1, 99), -ENOENT);
	assert_int_equal(rd_info(f, a).n_attached, 1);
	assert_int_equal(rd_info(f, b).domains, 0);
	assert_int_equal(rd_dma(f, 1, 0, &byte, 1, IOASID_DMA_WRITE, NULL, NULL), 0);
	assert_int_equal(memory[0], 9);
	munmap(memory, 4096);
}

static void test_formats(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;

	assert_string_equal(rd_fd_info(f).format, "");
	assert_int_equal(rd_bind(f, PCI, EDU, 1), 0);
	assert_string_equal(rd_fd_info(f).format, "vtd");
	assert_int_equal(rd_bind(f, IOASID_SELECT_PLATFORM, "fff00000.dma", 2), -EXDEV);
	/* listed as able to share */
	assert_int_equal(rd_bind(f, IOASID_SELECT_MOCK, "0", 2), 0);
	/* tied until the last device goes */
	assert_int_equal(rd_unbind(f, 1), 0);
	assert_int_equal(rd_bind(f, IOASID_SELECT_PLATFORM, "fff00000.dma", 1), -EXDEV);
	assert_int_equal(rd_unbind(f, 2), 0);
	assert_int_equal(rd_bind(f, IOASID_SELECT_PLATFORM, "fff00000.dma", 1), 0);
	assert_string_equal(rd_fd_info(f).format, "arm-smmuv3");
	assert_int_equal(rd_bind(f, PCI, EDU, 2), -EXDEV);
}

/* Domains are per IOMMU; tables are shared by all that can walk them. */
static void test_domains_share_tables(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	uint32_t id = rd_alloc(f, 0);
	char *memory = pages(4096), byte = 5;
	uint64_t bytes;

	assert_int_equal(rd_map(f, id, 0x1000000, memory, 4096, RW), 0);
	rd_join(f, EDU, 1, id);
	assert_int_equal(rd_info(f, id).domains, 1);
	bytes = rd_info(f, id).page_table_bytes;
	assert_int_equal(bytes, 4 * 4096);
	rd_join(f, "0000:00:04.0", 2, id); /* the same IOMMU */
	assert_int_equal(rd_info(f, id).domains, 1);
	rd_join(f, "0000:04:00.0", 3, id); /* another of its kind */
	assert_int_equal(rd_info(f, id).domains, 2);
	assert_int_equal(rd_info(f, id).tables, 1);
	assert_int_equal(rd_info(f, id).page_table_bytes, bytes);
	rd_join(f, "0000:06:00.0", 4, id); /* 39 bits: three levels, so a table of its own */
	assert_int_equal(rd_info(f, id).domains, 3);
	assert_int_equal(rd_info(f, id).tables, 2);
	assert_int_equal(rd_info(f, id).page_table_bytes, bytes + 3 * 4096);
	assert_int_equal(rd_bind(f, IOASID_SELECT_MOCK, "1", 5), 0);
	assert_int_equal(rd_attach(f, 5, id), 0); /* 31 bits of 2K pages */
	assert_int_equal(rd_info(f, id).tables, 3);
	assert_int_equal(rd_fd_info(f).domains, 4);
	for (uint64_t cookie = 1; cookie <= 5; cookie++) {
		memory[0] = 0;
		assert_int_equal(
			rd_dma(f, cookie, 0x1000000, &byte, 1, IOASID_DMA_WRITE, NULL, NULL), 0);
		assert_int_equal(memory[0], 5);
	}
	/* what is mapped later reaches all of them */
	assert_int_equal(rd_map(f, id, 0x2000000, memory, 4096, RW), 0);
	for (uint64_t cookie = 1; cookie <= 5; cookie++)
		assert_int_equal(rd_dma(f, cookie, 0x2000000, &byte, 1, 0, NULL, NULL), 0);
	/* and goes from all of them */
	assert_int_equal(rd_unmap(f, id, 0x2000000, 4096), 0);
	for (uint64_t cookie = 1; cookie <= 5; cookie++)
		assert_int_equal(rd_dma(f, cookie, 0x2000000, &byte, 1, 0, NULL, NULL),
				 IOASID_FAULT_NOT_MAPPED);
	for (uint64_t cookie = 1; cookie <= 5; cookie++)
		assert_int_equal(rd_detach(f, cookie), 0);
	assert_int_equal(rd_info(f, id).domains, 0);
	assert_int_equal(rd_info(f, id).page_table_bytes, 0);
	munmap(memory, 4096);
}

static void test_max_domains(void **state)
{
	const char *machine =
		"{\"schema_version\": 1, \"max_domains\": 1, \"iommus\": ["
		"{\"name\": \"a\", \"format\": \"x\", \"address_bits\": 48, \"page_sizes\": [\"4K\"]},"
		"{\"name\": \"b\", \"format\": \"x\", \"address_bits\": 48, \"page_sizes\": [\"4K\"]}],"
		"\"groups\": [{\"id\": 1}, {\"id\": 2}, {\"id\": 3}], \"devices\": ["
		"{\"pci\": \"0000:01:00.0\", \"iommu\": \"a\", \"group\": 1},"
		"{\"pci\": \"0000:02:00.0\", \"iommu\": \"b\", \"group\": 2},"
		"{\"pci\": \"0000:03:00.0\", \"iommu\": \"a\", \"group\": 3}]}";
	uint32_t id, other;
	struct bench b;

	(void)state;
	bench_setup(&b, machine);
	id = rd_alloc(b.file, 0);
	other = rd_alloc(b.file, 0);
	assert_int_equal(rd_fd_info(b.file).max_domains, 1);
	rd_join(b.file, "0000:01:00.0", 1, id);
	rd_join(b.file, "0000:03:00.0", 3, id);
	assert_int_equal(rd_bind(b.file, PCI, "0000:02:00.0", 2), 0);
	assert_int_equal(rd_attach(b.file, 2, id), -ENOSPC);
	assert_int_equal(rd_info(b.file, id).domains, 1);
	assert_int_equal(rd_attach(b.file, 2, other), 0);
	bench_teardown(&b);
}

static void test_abilities(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	uint32_t parent = rd_alloc(f, IOASID_ALLOC_NEST_PARENT);
	uint32_t snoop = rd_alloc(f, IOASID_ALLOC_ENFORCE_SNOOP), plain = rd_alloc(f, 0);

	assert_int_equal(rd_bind(f, PCI, EDU, 1), 0);
	assert_int_equal(rd_bind(f, PCI, "0000:04:00.0", 2), 0); /* no-snoop, no nesting */
	assert_int_equal(rd_attach(f, 2, parent), -EOPNOTSUPP);
	assert_int_equal(rd_attach(f, 2, snoop), -EINVAL);
	assert_int_equal(rd_attach(f, 2, plain), 0);
	assert_int_equal(rd_attach(f, 1, parent), 0);
	assert_int_equal(rd_attach(f, 1, snoop), 0);
	assert_int_equal(rd_info(f, plain).n_attached, 1);
}

static void test_large_pages_are_refused(void **state)
{
	const char *machine =
		"{\"schema_version\": 1, \"iommus\": [{\"name\": \"a\", \"format\": \"x\","
		"\"address_bits\": 48, \"page_sizes\": [\"64K\"]}], \"groups\": [{\"id\": 1}],"
		"\"devices\": [{\"pci\": \"0000:01:00.0\", \"iommu\": \"a\", \"group\": 1}]}";
	struct bench b;

	(void)state;
	bench_setup(&b, machine);
	assert_int_equal(rd_bind(b.file, PCI, "0000:01:00.0", 1), 0);
	assert_int_equal(rd_attach(b.file, 1, rd_alloc(b.file, 0)), -EINVAL);
	bench_teardown(&b);
}

static void test_device_info(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	struct ioasid_device_info_args args = {.argsz = sizeof(args), .cookie = 4};

	assert_int_equal(refdev_ioctl(f, IOASID_DEVICE_GET_INFO, &args), -ENOENT);
	assert_int_equal(rd_set_driver(f, "0000:05:00.0", "vfio-pci"), 0);
	assert_int_equal(rd_set_driver(f, "0000:05:00.1", ""), 0);
	assert_int_equal(rd_bind(f, PCI, "0000:05:00.0", 4), 0);
	assert_int_equal(refdev_ioctl(f, IOASID_DEVICE_GET_INFO, &args), 0);
	assert_string_equal(args.format, "vtd");
	assert_int_equal(args.page_sizes, 0x40201000);
	assert_int_equal(args.iova_bits, 48);
	assert_int_equal(args.pasid_bits, 20);
	assert_int_equal(args.group, 10);
	assert_int_equal(args.info_flags, IOASID_INFO_NESTING | IOASID_INFO_DIRTY |
						  IOASID_INFO_SNOOP_CONTROL | IOASID_INFO_FAULTS);
	assert_int_equal(args.nested_formats, 1 << IOASID_TABLE_VTD_S1 | 1 << IOASID_TABLE_X86_64);
	assert_int_equal(args.viommu_types, 1 << IOASID_VIOMMU_DEFAULT);
	assert_int_equal(args.hw_queues, 2);
	assert_true(args.aperture_first == 0 && args.aperture_last == 0xffffffffffff);
	assert_int_equal(rd_bind(f, PCI, "0000:04:00.0", 5), 0);
	args.cookie = 5;
	assert_int_equal(refdev_ioctl(f, IOASID_DEVICE_GET_INFO, &args), 0);
	assert_int_equal(args.info_flags, IOASID_INFO_SNOOP_CONTROL | IOASID_INFO_NO_SNOOP);
	assert_int_equal(args.pasid_bits, 0);
}

static void test_host_drivers(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	struct ioasid_host_driver_args odd = {.argsz = sizeof(odd)};

	assert_int_equal(rd_set_driver(f, EDU, "vfio-pci"), 0);
	assert_string_equal(rd_query(f, PCI, EDU).driver, "vfio-pci");
	assert_int_equal(rd_set_driver(f, EDU, "vfio-pcii"), -ENODEV);
	assert_int_equal(rd_set_driver(f, EDU, "vfio-platform"), -ENODEV);
	assert_int_equal(rd_set_driver(f, "0000:77:00.0", "vfio-pci"), -ENODEV);
	assert_int_equal(rd_set_driver(f, EDU, "edu"), 0); /* listed in "drivers" */
	assert_int_equal(rd_set_driver(f, EDU, "e1000e"), 0); /* in use elsewhere */
	snprintf(odd.device.name, sizeof(odd.device.name), EDU);
	memset(odd.driver, 'v', sizeof(odd.driver));
	assert_int_equal(refdev_ioctl(f, IOASID_SET_HOST_DRIVER, &odd), -EINVAL);
	assert_string_equal(rd_query(f, PCI, EDU).driver, "e1000e");
	assert_int_equal(rd_set_driver(f, EDU, ""), 0);
	assert_string_equal(rd_query(f, PCI, EDU).driver, "");

	/* not under a device that is bound, nor into a group that is owned */
	assert_int_equal(rd_bind(f, PCI, "0000:03:01.0", 1), 0);
	assert_int_equal(rd_set_driver(f, "0000:03:01.0", "vfio-pci"), -EBUSY);
	assert_int_equal(rd_set_driver(f, "0000:03:02.0", "edu"), -EBUSY);
	assert_int_equal(rd_set_driver(f, "0000:03:02.0", "vfio-pci"), 0);
	assert_int_equal(rd_set_driver(f, "0000:02:00.0", "pcieport"), 0);
	assert_string_equal(rd_query(f, PCI, "0000:03:02.0").driver, "vfio-pci");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_query),
		TEST(test_states),
		TEST(test_viability),
		TEST(test_ownership),
		TEST(test_close_frees),
		TEST(test_group_moves_as_one),
		TEST(test_failed_replace),
		TEST(test_formats),
		TEST(test_domains_share_tables),
		TEST(test_max_domains),
		TEST(test_abilities),
		TEST(test_large_pages_are_refused),
		TEST(test_device_info),
		TEST(test_host_drivers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
