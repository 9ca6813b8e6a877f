// SPDX-License-Identifier: GPL-2.0-or-later
/* PASIDs: address spaces of one device, side by side. */
#include "support_refdev.h"

#include <errno.h>
#include <sys/mman.h>

#define NIC  "0000:05:00.0" /* 20 bits of PASID; one group with the next */
#define MATE "0000:05:00.1"
#define EDU  "0000:00:03.0" /* none */
#define IOVA 0x1000000ULL
#define PAGE 4096ULL

struct devices {
	struct bench b;
	struct refdev_file *f;
	char *memory; /* four pages, page n mapped at IOVA of ioasids[n] */
	uint32_t ioasids[4]; /* the last one without IOASID_ALLOC_PASID */
};

static int setup(void **state)
{
	static struct devices d;

	bench_setup(&d.b, NULL);
	d.f = d.b.file;
	d.memory = pages(4 * PAGE);
	for (unsigned i = 0; i < 4; i++) {
		d.ioasids[i] = rd_alloc(d.f, i == 3 ? 0 : IOASID_ALLOC_PASID);
		assert_int_equal(rd_map(d.f, d.ioasids[i], IOVA, d.memory + i * PAGE, PAGE, RW), 0);
	}
	assert_int_equal(rd_set_driver(d.f, NIC, "vfio-pci"), 0);
	assert_int_equal(rd_set_driver(d.f, MATE, "vfio-pci"), 0);
	assert_int_equal(rd_bind(d.f, IOASID_SELECT_PCI, NIC, 1), 0);
	*state = &d;
	return 0;
}

static int teardown(void **state)
{
	struct devices *d = *state;

	bench_teardown(&d->b);
	munmap(d->memory, 4 * PAGE);
	return 0;
}

/* The number of the IOASID that a write of that PASID arrives in; -1: it is blocked. */
static int arrives(struct devices *d, uint64_t cookie, uint32_t pasid)
{
	char byte = 'p';
	uint32_t fault;
	int where = -2;

	memset(d->memory, 0, 4 * PAGE);
	fault = rd_dma_pasid(d->f, cookie, pasid, IOVA, &byte, 1, IOASID_DMA_WRITE).fault;
	if (fault == IOASID_FAULT_BLOCKED)
		where = -1;
	for (int i = 0; i < 4; i++)
		if (d->memory[(size_t)i * PAGE] == 'p')
			where = i;
	return where;
}

#define WHOLE IOASID_NO_PASID

static void test_each_its_own(void **state)
{
	struct devices *d = *state;
	struct ioasid_entry_attachment list[8];
	struct ioasid_entry_device device;

	assert_int_equal(rd_attach(d->f, 1, d->ioasids[0]), 0);
	assert_int_equal(rd_attach_pasid(d->f, 1, d->ioasids[1], 5), 0);
	assert_int_equal(rd_attach_pasid(d->f, 1, d->ioasids[2], (1 << 20) - 1), 0);
	assert_int_equal(arrives(d, 1, WHOLE), 0);
	assert_int_equal(arrives(d, 1, 5), 1);
	assert_int_equal(arrives(d, 1, (1 << 20) - 1), 2);
	assert_int_equal(arrives(d, 1, 6), -1);
	assert_int_equal(rd_info(d->f, d->ioasids[1]).n_attached, 1);
	assert_int_equal(rd_free(d->f, d->ioasids[1]), -EBUSY);

	assert_int_equal(rd_list(d->f, IOASID_LIST_ATTACHMENTS, IOASID_NONE, list, 8), 3);
	assert_int_equal(list[0].pasid, 5);
	assert_int_equal(list[0].ioasid, d->ioasids[1]);
	assert_int_equal(list[1].pasid, (1 << 20) - 1);
	assert_int_equal(list[2].pasid, WHOLE);
	assert_int_equal(rd_list(d->f, IOASID_LIST_ATTACHMENTS, d->ioasids[2], list, 8), 1);
	assert_int_equal(list[0].pasid, (1 << 20) - 1);
	assert_int_equal(rd_list(d->f, IOASID_LIST_DEVICES, 0, &device, 1), 1);
	assert_int_equal(device.ioasid, d->ioasids[0]);

	/* one is replaced, one detached, alone */
	assert_int_equal(rd_attach_pasid(d->f, 1, d->ioasids[2], 5), 0);
	assert_int_equal(arrives(d, 1, 5), 2);
	assert_int_equal(rd_free(d->f, d->ioasids[1]), 0);
	assert_int_equal(rd_detach_pasid(d->f, 1, 5), 0);
	assert_int_equal(rd_detach_pasid(d->f, 1, 5), -ENOENT);
	assert_int_equal(arrives(d, 1, 5), -1);
	assert_int_equal(arrives(d, 1, (1 << 20) - 1), 2);
	/* the whole device leaves, the PASID stays */
	assert_int_equal(rd_detach(d->f, 1), 0);
	assert_int_equal(arrives(d, 1, WHOLE), -1);
	assert_int_equal(arrives(d, 1, (1 << 20) - 1), 2);
	assert_int_equal(rd_unbind(d->f, 1), 0);
	assert_int_equal(rd_free(d->f, d->ioasids[2]), 0);
	assert_int_equal(rd_free(d->f, d->ioasids[0]), 0);
}

/* IOASID_ALLOC_PASID on both sides. */
static void test_flags(void **state)
{
	struct devices *d = *state;
	uint32_t plain = d->ioasids[3], able = d->ioasids[0];

	assert_int_equal(rd_attach_pasid(d->f, 1, plain, 5), -EINVAL);
	assert_int_equal(rd_attach(d->f, 1, plain), 0);
	assert_int_equal(rd_attach_pasid(d->f, 1, able, 5), -EINVAL);
	assert_int_equal(arrives(d, 1, 5), -1);
	assert_int_equal(rd_attach(d->f, 1, d->ioasids[1]), 0);
	assert_int_equal(rd_attach_pasid(d->f, 1, able, 5), 0);
	assert_int_equal(rd_attach(d->f, 1, plain), -EINVAL);
	assert_int_equal(rd_attach_pasid(d->f, 1, plain, 5), -EINVAL);
	assert_int_equal(arrives(d, 1, WHOLE), 1);
	assert_int_equal(arrives(d, 1, 5), 0);
	/* without the whole device, a PASID's own flag is enough; then the device comes */
	assert_int_equal(rd_detach(d->f, 1), 0);
	assert_int_equal(rd_attach(d->f, 1, plain), -EINVAL);
	assert_int_equal(rd_attach(d->f, 1, able), 0);
	assert_int_equal(rd_detach_pasid(d->f, 1, 5), 0);
	assert_int_equal(rd_attach(d->f, 1, plain), 0);
}

static void test_numbers(void **state)
{
	struct devices *d = *state;
	struct ioasid_attach_args odd = {
		.argsz = sizeof(odd), .flags = 1, .cookie = 1, .ioasid = d->ioasids[0], .pasid = 5};

	assert_int_equal(rd_attach_pasid(d->f, 1, d->ioasids[0], 0), -EINVAL);
	assert_int_equal(rd_attach_pasid(d->f, 1, d->ioasids[0], 1 << 20), -EINVAL);
	assert_int_equal(rd_attach_pasid(d->f, 1, 99, 5), -ENOENT);
	assert_int_equal(rd_attach_pasid(d->f, 9, d->ioasids[0], 5), -ENOENT);
	assert_int_equal(rd_detach_pasid(d->f, 9, 5), -ENOENT);
	assert_int_equal(refdev_ioctl(d->f, IOASID_ATTACH, &odd), -EOPNOTSUPP);
	assert_int_equal(rd_bind(d->f, IOASID_SELECT_PCI, EDU, 2), 0);
	assert_int_equal(rd_attach_pasid(d->f, 2, d->ioasids[0], 5), -EOPNOTSUPP);
	assert_int_equal(rd_attach_pasid(d->f, 2, d->ioasids[3], 5), -EINVAL);
	assert_int_equal(rd_info(d->f, d->ioasids[0]).n_attached, 0);
	assert_int_equal(rd_info(d->f, d->ioasids[0]).domains, 0);
}

/* What the IOMMU hasn't got, no device has. */
static void test_bits_of_the_iommu(void **state)
{
	static const char machine[] =
		"{\"schema_version\": 1, \"iommus\": ["
		"{\"name\": \"a\", \"format\": \"x\", \"address_bits\": 48,"
		" \"page_sizes\": [\"4K\"], \"pasid_bits\": 4}],"
		"\"groups\": [{\"id\": 1}], \"devices\": ["
		"{\"pci\": \"0000:01:00.0\", \"iommu\": \"a\", \"group\": 1, \"pasid_bits\": 20}]}";
	struct bench b;
	uint32_t id;

	(void)state;
	bench_setup(&b, machine);
	id = rd_alloc(b.file, IOASID_ALLOC_PASID);
	assert_int_equal(rd_bind(b.file, IOASID_SELECT_PCI, "0000:01:00.0", 1), 0);
	assert_int_equal(rd_attach_pasid(b.file, 1, id, 16), -EINVAL);
	assert_int_equal(rd_attach_pasid(b.file, 1, id, 15), 0);
	bench_teardown(&b);
}

/* As whole devices, PASIDs belong to the group: its devices can't be told apart. */
static void test_group(void **state)
{
	struct devices *d = *state;

	assert_int_equal(rd_bind(d->f, IOASID_SELECT_PCI, MATE, 2), 0);
	assert_int_equal(rd_attach_pasid(d->f, 1, d->ioasids[0], 5), 0);
	assert_int_equal(rd_attach_pasid(d->f, 2, d->ioasids[1], 5), -EINVAL);
	assert_int_equal(rd_attach_pasid(d->f, 2, d->ioasids[1], 6), 0);
	assert_int_equal(rd_attach_pasid(d->f, 2, d->ioasids[0], 5), 0);
	assert_int_equal(rd_info(d->f, d->ioasids[0]).n_attached, 2);
	assert_int_equal(rd_attach_pasid(d->f, 2, d->ioasids[2], 5), 0);
	assert_int_equal(arrives(d, 1, 5), 2);
	assert_int_equal(rd_detach_pasid(d->f, 1, 5), 0);
	assert_int_equal(arrives(d, 2, 5), 2);
	assert_int_equal(rd_unbind(d->f, 2), 0);
	assert_int_equal(arrives(d, 1, 5), -1);
	assert_int_equal(arrives(d, 1, 6), -1);
}

/* As on Linux, reserved IOVA is no matter of PASIDs; the IOMMU's page size is. */
static void test_ranges(void **state)
{
	struct devices *d = *state;
	uint32_t id = d->ioasids[0];

	assert_int_equal(rd_map(d->f, id, 0xfee00000, d->memory, PAGE, RW), 0);
	assert_int_equal(rd_attach(d->f, 1, id), -EADDRINUSE);
	assert_int_equal(rd_attach_pasid(d->f, 1, id, 5), 0);
	assert_int_equal(rd_info(d->f, id).n_ranges, 1);
	assert_int_equal(rd_info(d->f, id).alignment, PAGE);
	assert_int_equal(
		rd_dma_pasid(d->f, 1, 5, 0xfee00000, (char[]){'i'}, 1, IOASID_DMA_WRITE).fault, 0);
	assert_int_equal(d->memory[0], 'i');
}

/* Guest SVA: tables of processes, one for each PASID. */
static void test_nested(void **state)
{
	struct devices *d = *state;
	uint32_t parent = rd_alloc(d->f, IOASID_ALLOC_NEST_PARENT | IOASID_ALLOC_PASID), one, two;
	char *guest = pages(16 * PAGE), byte = 's';

	assert_int_equal(rd_map(d->f, parent, 0, guest, 16 * PAGE, RW), 0);
	guest_table(guest, 0);
	guest_table(guest + 4 * PAGE, 4 * PAGE);
	*guest_entry(guest, 0) = 9 * PAGE | GUEST_ENTRY;
	*guest_entry(guest + 4 * PAGE, 0) = 10 * PAGE | GUEST_ENTRY;
	assert_int_equal(
		rd_nest(d->f, parent, 0, 1, IOASID_TABLE_VTD_S1, 0, IOASID_ALLOC_PASID, &one), 0);
	assert_int_equal(rd_nest(d->f, parent, 0, 1, IOASID_TABLE_VTD_S1, 4 * PAGE, 0, &two), 0);
	assert_int_equal(rd_attach(d->f, 1, parent), 0);
	assert_int_equal(rd_attach_pasid(d->f, 1, two, 6), -EINVAL);
	assert_int_equal(rd_free(d->f, two), 0);
	assert_int_equal(rd_nest(d->f, parent, 0, 1, IOASID_TABLE_VTD_S1, 4 * PAGE,
				 IOASID_ALLOC_PASID, &two),
			 0);
	assert_int_equal(rd_attach_pasid(d->f, 1, one, 5), 0);
	assert_int_equal(rd_attach_pasid(d->f, 1, two, 6), 0);
	rd_dma_pasid(d->f, 1, 5, GUEST_IOVA, &byte, 1, IOASID_DMA_WRITE);
	assert_int_equal(guest[9 * PAGE], 's');
	assert_int_equal(guest[10 * PAGE], 0);
	rd_dma_pasid(d->f, 1, 6, GUEST_IOVA, &byte, 1, IOASID_DMA_WRITE);
	assert_int_equal(guest[10 * PAGE], 's');
	assert_int_equal(rd_info(d->f, parent).domains, 1);
	refdev_close(d->f); /* with everything in it */
	assert_int_equal(refdev_open(d->b.refdev, &d->b.file), 0);
	munmap(guest, 16 * PAGE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_its_own), TEST(test_flags),
		TEST(test_numbers),	 cmocka_unit_test(test_bits_of_the_iommu),
		TEST(test_group),	 TEST(test_ranges),
		TEST(test_nested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
