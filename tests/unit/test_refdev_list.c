// SPDX-License-Identifier: GPL-2.0-or-later
/* The reference device's introspection: every list, whole and in pages. */
#include "support_refdev.h"

#include <errno.h>
#include <sys/mman.h>

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

static struct ioasid_list_args list(struct refdev_file *f, uint32_t kind, uint32_t object,
				    uint64_t start, void *entries, uint32_t count)
{
	struct ioasid_list_args args = {.argsz = sizeof(args),
					.kind = kind,
					.object = object,
					.start = start,
					.entries = (uintptr_t)entries,
					.count = count};

	assert_int_equal(refdev_ioctl(f, IOASID_LIST, &args), 0);
	return args;
}

static void test_ioasids(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	struct ioasid_entry_ioasid e[4];
	struct ioasid_list_args args = list(f, IOASID_LIST_IOASIDS, 0, 0, e, 4);
	uint32_t a, b;
	char *memory = pages(4096);

	assert_int_equal(args.count, 0);
	assert_int_equal(args.flags, 0);
	a = rd_alloc(f, 0);
	b = rd_alloc(f, IOASID_ALLOC_SMALL_PAGES);
	assert_int_equal(rd_map(f, b, 0, memory, 4096, RW), 0);
	rd_join(f, EDU, 1, b);
	args = list(f, IOASID_LIST_IOASIDS, 0, 0, e, 4);
	assert_int_equal(args.count, 2);
	assert_int_equal(e[0].ioasid, a);
	assert_int_equal(e[0].parent, IOASID_NONE);
	assert_int_equal(e[1].ioasid, b);
	assert_int_equal(e[1].kind, IOASID_KIND_GPA);
	assert_int_equal(e[1].alloc_flags, IOASID_ALLOC_SMALL_PAGES);
	assert_int_equal(e[1].n_mappings, 1);
	assert_int_equal(e[1].n_attached, 1);
	assert_int_equal(e[1].domains, 1);
	args = list(f, IOASID_LIST_IOASIDS, 0, 0, e, 1);
	assert_int_equal(args.count, 1);
	assert_int_equal(args.flags, IOASID_LIST_MORE);
	assert_int_equal(args.next, b);
	args = list(f, IOASID_LIST_IOASIDS, 0, args.next, e, 1);
	assert_int_equal(e[0].ioasid, b);
	assert_int_equal(args.flags, 0);
	munmap(memory, 4096);
}

/* Pages of every size give each mapping once, in order. */
static void test_mappings(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	uint32_t id = rd_alloc(f, 0), room;
	char *memory = pages(4096);
	struct ioasid_entry_mapping e[700];

	for (uint64_t i = 0; i < 700; i++)
		assert_int_equal(rd_map(f, id, (699 - i) * 8192, memory, 4096,
					i % 2 ? IOASID_MAP_READ : IOASID_MAP_WRITE),
				 0);
	for (room = 1; room <= 700; room += 233) {
		uint64_t start = 0, seen = 0;
		struct ioasid_list_args args;

		do {
			args = list(f, IOASID_LIST_MAPPINGS, id, start, e, room);
			for (uint32_t i = 0; i < args.count; i++, seen++) {
				assert_true(e[i].iova == seen * 8192);
				assert_int_equal(e[i].size, 4096);
				assert_true(e[i].vaddr == (uintptr_t)memory);
				assert_int_equal(e[i].flags, (699 - seen) % 2 ? IOASID_MAP_READ
									      : IOASID_MAP_WRITE);
			}
			start = args.next;
		} while (args.flags & IOASID_LIST_MORE);
		assert_int_equal(seen, 700);
	}
	/* a start inside a mapping begins with the next one */
	list(f, IOASID_LIST_MAPPINGS, id, 1, e, 1);
	assert_true(e[0].iova == 8192);
	munmap(memory, 4096);
}

static void test_devices_and_attachments(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	uint32_t id = rd_alloc(f, 0), other = rd_alloc(f, 0);
	struct ioasid_entry_device d[4];
	struct ioasid_entry_attachment a[4];
	struct ioasid_list_args args;

	rd_join(f, EDU, 500, id);
	rd_join(f, "0000:03:01.0", 3, id);
	assert_int_equal(rd_bind(f, IOASID_SELECT_PCI, "0000:03:02.0", 4), 0);
	args = list(f, IOASID_LIST_DEVICES, 0, 0, d, 4);
	assert_int_equal(args.count, 3);
	assert_int_equal(d[0].cookie, 3);
	assert_int_equal(d[0].group, 8);
	assert_int_equal(d[0].ioasid, id);
	assert_int_equal(d[1].ioasid, IOASID_NONE);
	assert_int_equal(d[2].cookie, 500);
	assert_string_equal(d[2].device.name, EDU);
	assert_int_equal(d[2].device.selector, IOASID_SELECT_PCI);
	args = list(f, IOASID_LIST_DEVICES, 0, 4, d, 1);
	assert_int_equal(d[0].cookie, 4);
	assert_int_equal(args.next, 500);
	args = list(f, IOASID_LIST_ATTACHMENTS, id, 0, a, 4);
	assert_int_equal(args.count, 2);
	assert_int_equal(a[1].cookie, 500);
	assert_int_equal(a[1].ioasid, id);
	assert_int_equal(a[1].pasid, IOASID_NO_PASID);
	assert_int_equal(list(f, IOASID_LIST_ATTACHMENTS, other, 0, a, 4).count, 0);
}

static void test_members(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	struct ioasid_entry_member m[64];
	struct ioasid_list_args args = list(f, IOASID_LIST_MEMBERS, 6, 0, m, 64);
	uint32_t all;

	assert_int_equal(args.count, 3);
	assert_string_equal(m[0].device.name, "0000:00:1f.0");
	assert_true(m[0].device_flags & IOASID_DEVICE_BRIDGE);
	assert_string_equal(m[1].driver, "ahci");
	assert_true(m[1].device_flags & IOASID_DEVICE_IN_THE_WAY);
	assert_false(m[2].device_flags & IOASID_DEVICE_IN_THE_WAY);
	assert_int_equal(m[2].group, 6);
	all = list(f, IOASID_LIST_MEMBERS, IOASID_NONE, 0, m, 64).count;
	assert_true(all > 20);
	/* in pages of 5 they are as many */
	args = (struct ioasid_list_args){0};
	for (uint32_t n = 0;; n += args.count) {
		args = list(f, IOASID_LIST_MEMBERS, IOASID_NONE, args.next, m, 5);
		if (!(args.flags & IOASID_LIST_MORE)) {
			assert_int_equal(n + args.count, all);
			break;
		}
		assert_int_equal(args.count, 5);
	}
}

static void test_reserved(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	uint32_t id = rd_alloc(f, 0);
	struct ioasid_entry_reserved r[8];
	struct ioasid_list_args args = {.argsz = sizeof(args),
					.kind = IOASID_LIST_RESERVED_DEVICE,
					.cookie = 2,
					.entries = (uintptr_t)r,
					.count = 8};

	rd_join(f, EDU, 1, id);
	assert_int_equal(rd_bind(f, IOASID_SELECT_MOCK, "0", 2), 0);
	assert_int_equal(list(f, IOASID_LIST_RESERVED, id, 0, r, 8).count, 2);
	assert_true(r[0].first == 0xfee00000 && r[0].last == 0xfeefffff);
	assert_int_equal(r[0].type, IOASID_RESERVED_MSI);
	assert_int_equal(r[0].cookie, 1);
	assert_true(r[1].first == 1ULL << 48 && r[1].last == UINT64_MAX);
	assert_int_equal(r[1].type, IOASID_RESERVED_APERTURE);
	assert_int_equal(refdev_ioctl(f, IOASID_LIST, &args), 0);
	assert_int_equal(args.count, 2);
	assert_true(r[0].first == 0 && r[0].last == 0xffffff);
	assert_true(r[1].first == 0x80000000 && r[1].last == UINT64_MAX);
	assert_int_equal(rd_attach(f, 2, id), 0);
	args = list(f, IOASID_LIST_RESERVED, id, 0, r, 3);
	assert_int_equal(args.flags, IOASID_LIST_MORE);
	args = list(f, IOASID_LIST_RESERVED, id, args.next, r, 3);
	assert_int_equal(args.count, 1);
	assert_true(r[0].first == 0x80000000);
}

static void test_refusals(void **state)
{
	struct refdev_file *f = ((struct bench *)*state)->file;
	const uint32_t kinds[] = {IOASID_LIST_MAPPINGS, IOASID_LIST_ATTACHMENTS,
				  IOASID_LIST_MEMBERS, IOASID_LIST_RESERVED,
				  IOASID_LIST_RESERVED_DEVICE};
	struct ioasid_list_args args = {.argsz = sizeof(args), .object = 4711, .cookie = 4711};

	for (size_t i = 0; i < 5; i++) {
		args.kind = kinds[i];
		assert_int_equal(refdev_ioctl(f, IOASID_LIST, &args), -ENOENT);
	}
	args.kind = 99;
	assert_int_equal(refdev_ioctl(f, IOASID_LIST, &args), -EINVAL);
	args.kind = IOASID_LIST_IOASIDS;
	args.flags = IOASID_LIST_MORE;
	assert_int_equal(refdev_ioctl(f, IOASID_LIST, &args), -EOPNOTSUPP);
	args.flags = 0;
	rd_alloc(f, 0);
	args.count = 1;
	args.entries = 8;
	assert_int_equal(refdev_ioctl(f, IOASID_LIST, &args), -EFAULT);
	args.count = 0; /* a question without room for an answer */
	assert_int_equal(refdev_ioctl(f, IOASID_LIST, &args), 0);
	assert_int_equal(args.flags, IOASID_LIST_MORE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_ioasids), TEST(test_mappings), TEST(test_devices_and_attachments),
		TEST(test_members), TEST(test_reserved), TEST(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
