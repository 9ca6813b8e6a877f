// SPDX-License-Identifier: GPL-2.0-or-later
/* Translations of a device: attachment, guest's table, mapping, memory; and where each stops. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_config.h"
#include "walk/translate.h"

static const char config[] =
	"version: 1\nname: t\n"
	"memory: [{name: ram, size: 1M}, {name: low, size: 64K}]\n"
	"devices:\n"
	"  - {name: plain, pci: '0000:01:00.0'}\n"
	"  - {name: copier, pci: '0000:02:00.0'}\n"
	"  - {name: guest, pci: '0000:03:00.0'}\n"
	"  - {name: arm, pci: '0000:04:00.0'}\n"
	"  - {name: idle, pci: '0000:05:00.0'}\n"
	"  - {name: amd, pci: '0000:06:00.0'}\n"
	"fds:\n"
	"  - name: main\n"
	"    ioasids:\n"
	"      - name: gpa\n"
	"        kind: gpa\n"
	"        nest_parent: true\n"
	"        map:\n"
	"          - {iova: 0x0, memory: low, length: 64K}\n"
	"          - {iova: 0x100000, memory: ram, offset: 0x8000, length: 64K}\n"
	"          - {iova: 0x200000, memory: ram, offset: 0x20000, length: 64K, access: r}\n"
	"          - {iova: 0x300000, memory: ram, offset: 0x30000, length: 64K, access: w}\n"
	"        attach: [{device: plain}]\n"
	"      - name: giova\n"
	"        kind: gpa\n"
	"        map: [{iova: 0x700000, copy: gpa, from: 0x200000, length: 64K, access: r}]\n"
	"        attach: [{device: copier}, {device: plain, pasid: 9}]\n"
	"      - name: s1\n"
	"        kind: nested\n"
	"        parent: gpa\n"
	"        table: {format: vtd-s1, address: 0x1000}\n"
	"        attach: [{device: guest}, {device: plain, pasid: 7}]\n"
	"      - name: stream\n"
	"        kind: nested\n"
	"        parent: gpa\n"
	"        table: {format: arm-smmuv3, ste: ['0x9', '0x2']}\n"
	"        attach: [{device: arm}]\n"
	"      - name: dte\n"
	"        kind: nested\n"
	"        parent: gpa\n"
	"        table: {format: amd-guest, dte: [0, 0, 0, 0]}\n"
	"        attach: [{device: amd}]\n";

#define LINK (1 | 2 | 4 | 32)
#define LEAF (LINK | 64)

struct fixture {
	struct topology *t;
	uint64_t low[64 * 1024 / 8]; /* the memory of that name */
	uint64_t low_size;
	int fails; /* errno of a read; 0: none */
	struct range excluded; /* by the kernel; last 0: nothing */
	struct translation out;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->t = config_must_parse(config, strlen(config), "t.yaml");
	f->low_size = sizeof(f->low);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	topology_free(f->t);
	free(f);
	return 0;
}

static int read_memory(void *data, uint32_t memory, uint64_t offset, void *buffer, size_t size)
{
	struct fixture *f = data;

	assert_string_equal(f->t->memories[memory].name, "low");
	if (f->fails)
		return -f->fails;
	if (offset + size > f->low_size)
		return -ENODATA;
	memcpy(buffer, (char *)f->low + offset, size);
	return 0;
}

static bool excludes(void *data, const struct iommu_fd *fd, const struct ioasid *gpa,
		     uint64_t address, struct range *range)
{
	struct fixture *f = data;

	assert_string_equal(fd->name, "main");
	assert_int_equal(gpa->kind, IOASID_GPA);
	*range = f->excluded;
	return f->excluded.last && address >= range->first && address <= range->last;
}

static const struct translation *go(struct fixture *f, const char *device, uint32_t pasid,
				    uint64_t iova, uint8_t access)
{
	const struct translate_world world = {f->t, read_memory, excludes, f};
	const struct walk_request request = {iova, pasid ? pasid : NO_PASID, access};
	uint32_t index = topology_find_device(f->t, device);

	assert_int_not_equal(index, NO_INDEX);
	translate(&world, index, &request, &f->out);
	return &f->out;
}

static void assert_at(const struct fixture *f, const char *ioasid, const char *memory,
		      uint64_t offset, uint8_t access, uint64_t length)
{
	const struct translation *out = &f->out;

	if (out->walk.stopped)
		fail_msg("stops: %s", out->walk.stop.reason);
	assert_string_equal(out->ioasid->name, ioasid);
	assert_string_equal(f->t->memories[out->place.memory].name, memory);
	assert_int_equal(out->place.offset, offset);
	assert_int_equal(out->access, access);
	assert_int_equal(out->length, length);
}

static void assert_stop(const struct fixture *f, enum walk_stop_kind kind, const char *reason)
{
	const struct walk *w = &f->out.walk;

	assert_true(w->stopped);
	assert_string_equal(walk_stop_names[w->stop.kind], walk_stop_names[kind]);
	if (!strstr(w->stop.reason, reason))
		fail_msg("\"%s\" doesn't hold \"%s\"", w->stop.reason, reason);
}

static void test_mappings(void **state)
{
	struct fixture *f = *state;

	go(f, "plain", 0, 0x100010, 0);
	assert_at(f, "gpa", "ram", 0x8010, ACCESS_RW, 0xfff0);
	assert_int_equal(f->out.walk.n_steps, 0);
	assert_ptr_equal(f->out.gpa, f->out.ioasid);
	go(f, "plain", 0, 0x10ffff, 0);
	assert_at(f, "gpa", "ram", 0x17fff, ACCESS_RW, 1);
	go(f, "plain", 0, 0, 0);
	assert_at(f, "gpa", "low", 0, ACCESS_RW, 0x10000);
	go(f, "plain", 0, 0x200000, 0);
	assert_at(f, "gpa", "ram", 0x20000, ACCESS_READ, 0x10000);
	go(f, "plain", 0, 0x200000, ACCESS_READ);
	assert_at(f, "gpa", "ram", 0x20000, ACCESS_READ, 0x10000);
	go(f, "plain", 0, 0x200000, ACCESS_RW);
	assert_stop(f, WALK_STOP_ACCESS, "the mapping of gpa allows r, not w");
	/* Copies lead to the memory of what they copy. */
	go(f, "copier", 0, 0x700123, 0);
	assert_at(f, "giova", "ram", 0x20123, ACCESS_READ, 0x10000 - 0x123);
	go(f, "plain", 9, 0x700123, 0);
	assert_at(f, "giova", "ram", 0x20123, ACCESS_READ, 0x10000 - 0x123);
}

static void test_lost_source(void **state)
{
	struct fixture *f = *state;
	struct ioasid *gpa = &f->t->fds[0].ioasids[0];

	gpa->n_maps = 2;
	go(f, "copier", 0, 0x700123, 0);
	assert_stop(f, WALK_STOP_UNREADABLE, "is a copy, and what it copied is gone");
	assert_non_null(f->out.place.mapping);
}

static void test_holes(void **state)
{
	struct fixture *f = *state;
	const struct mapping *maps = f->t->fds[0].ioasids[0].maps;

	go(f, "plain", 0, 0x110000, 0);
	assert_stop(f, WALK_STOP_NOT_MAPPED, "gpa maps nothing at 0x110000");
	assert_true(f->out.hole.met);
	assert_int_equal(f->out.hole.address, 0x110000);
	assert_ptr_equal(f->out.hole.below, &maps[1]);
	assert_ptr_equal(f->out.hole.above, &maps[2]);
	assert_false(f->out.hole.excluded);
	f->excluded = (struct range){0xfee00000, 0xfeefffff};
	go(f, "plain", 0, 0xfee00000, 0);
	assert_stop(f, WALK_STOP_NOT_MAPPED, "gpa maps nothing at 0xfee00000");
	assert_true(f->out.hole.excluded);
	assert_int_equal(f->out.hole.range.last, 0xfeefffff);
	assert_ptr_equal(f->out.hole.below, &maps[3]);
	assert_null(f->out.hole.above);
	go(f, "copier", 0, UINT64_MAX, 0);
	assert_non_null(f->out.hole.below);
	go(f, "copier", 0, 0, 0);
	assert_stop(f, WALK_STOP_NOT_MAPPED, "giova maps nothing at 0x0");
	assert_null(f->out.hole.below);
	assert_non_null(f->out.hole.above);
}

/* What waits for a place is nowhere yet. */
static void test_unplaced(void **state)
{
	struct fixture *f = *state;
	struct mapping *first = &f->t->fds[0].ioasids[0].maps[0];

	first->auto_iova = true;
	go(f, "plain", 0, 0x10, 0);
	assert_stop(f, WALK_STOP_NOT_MAPPED, "gpa maps nothing at 0x10");
	assert_null(f->out.hole.below);
	first->placed = true;
	go(f, "plain", 0, 0x10, 0);
	assert_at(f, "gpa", "low", 0x10, ACCESS_RW, 0xfff0);
}

static void test_blocked(void **state)
{
	struct fixture *f = *state;

	go(f, "idle", 0, 0, 0);
	assert_stop(f, WALK_STOP_BLOCKED, "device idle is in no IOASID");
	assert_null(f->out.ioasid);
	go(f, "plain", 8, 0, 0);
	assert_stop(f, WALK_STOP_BLOCKED, "PASID 8 of device plain is in no IOASID");
	go(f, "guest", 8, 0, 0);
	assert_stop(f, WALK_STOP_BLOCKED, "PASID 8 of device guest is in no IOASID");
	go(f, "idle", 8, 0, 0);
	assert_stop(f, WALK_STOP_BLOCKED, "PASID 8 of device idle is in no IOASID");
}

static void put(struct fixture *f, uint64_t address, uint64_t word)
{
	f->low[address / 8] = word;
}

static void put_table(struct fixture *f, uint64_t page)
{
	put(f, 0x1000, 0x2000 | LINK);
	put(f, 0x2000, 0x3000 | LINK);
	put(f, 0x3000, 0x4000 | LINK);
	put(f, 0x4000 + 5 * 8, page | LEAF);
}

static void test_nested(void **state)
{
	struct fixture *f = *state;

	put_table(f, 0x101000);
	go(f, "guest", 0, 0x5123, 0);
	assert_at(f, "s1", "ram", 0x9123, ACCESS_RW, 0x1000 - 0x123);
	assert_string_equal(f->out.gpa->name, "gpa");
	assert_int_equal(f->out.walk.gpa, 0x101123);
	assert_int_equal(f->out.walk.n_steps, 4);
	assert_string_equal(f->t->memories[f->out.walk.steps[3].memory].name, "low");
	assert_int_equal(f->out.walk.steps[3].offset, 0x4000 + 5 * 8);
	go(f, "plain", 7, 0x5123, 0);
	assert_at(f, "s1", "ram", 0x9123, ACCESS_RW, 0x1000 - 0x123);
	/* A large page that the parent maps only a part of. */
	put(f, 0x3000, 0x0 | LEAF | 128);
	go(f, "guest", 0, 0x100123, 0);
	assert_at(f, "s1", "ram", 0x8123, ACCESS_RW, 0x10000 - 0x123);
	go(f, "guest", 0, 0x110000, 0);
	assert_stop(f, WALK_STOP_NOT_MAPPED, "gpa maps nothing at 0x110000");
	assert_true(f->out.walked);
	assert_int_equal(f->out.walk.stop.step, WALK_NO_STEP);
}

static void test_nested_rights(void **state)
{
	struct fixture *f = *state;

	put_table(f, 0x201000);
	go(f, "guest", 0, 0x5123, 0);
	assert_at(f, "s1", "ram", 0x21123, ACCESS_READ, 0x1000 - 0x123);
	go(f, "guest", 0, 0x5123, ACCESS_WRITE);
	assert_stop(f, WALK_STOP_ACCESS, "the mapping of gpa allows r, not w");
	/* Nothing is left of read-only and write-only. */
	put(f, 0x4000 + 5 * 8, (0x301000 | LEAF) & ~2ULL);
	go(f, "guest", 0, 0x5123, 0);
	assert_stop(f, WALK_STOP_ACCESS, "allows w, and the table r: nothing is left");
	go(f, "guest", 0, 0x5123, ACCESS_WRITE);
	assert_stop(f, WALK_STOP_ACCESS, "bit 1 (R/W)");
	assert_false(f->out.walked);
}

static void test_tables_out_of_reach(void **state)
{
	struct fixture *f = *state;

	put_table(f, 0x101000);
	put(f, 0x3000, 0x55000 | LINK);
	go(f, "guest", 0, 0x5123, 0);
	assert_stop(f, WALK_STOP_NOT_MAPPED, "gpa maps nothing at 0x55028");
	assert_int_equal(f->out.walk.stop.step, 3);
	assert_int_equal(f->out.hole.address, 0x55028);
	assert_false(f->out.walked);
	put(f, 0x3000, 0x300000 | LINK);
	go(f, "guest", 0, 0x5123, 0);
	assert_stop(f, WALK_STOP_ACCESS, "for writing alone");
	put(f, 0x3000, 0x4000 | LINK);
	f->low_size = 0x4000;
	go(f, "guest", 0, 0x5123, 0);
	assert_stop(f, WALK_STOP_UNREADABLE, "memory low ends before it, at less than 0x4030");
	assert_int_equal(f->out.walk.steps[3].n_words, 0);
	f->fails = EIO;
	go(f, "guest", 0, 0x5123, 0);
	assert_stop(f, WALK_STOP_UNREADABLE, "memory low can't be read here: Input/output error");
	assert_int_equal(f->out.walk.stop.step, 0);
}

/* Where the IOMMU may not write, it can't set the bits that it needs to. */
static void test_tables_read_only(void **state)
{
	struct fixture *f = *state;

	put_table(f, 0x101000);
	f->t->fds[0].ioasids[0].maps[0].access = ACCESS_READ;
	go(f, "guest", 0, 0x5123, 0);
	assert_at(f, "s1", "ram", 0x9123, ACCESS_RW, 0x1000 - 0x123);
	put(f, 0x4000 + 5 * 8, (0x101000 | LEAF) & ~64ULL);
	go(f, "guest", 0, 0x5123, ACCESS_WRITE);
	assert_stop(f, WALK_STOP_ACCESS, "bit 6 (D) is clear, and the parent's mapping");
}

/* Mappings of odd sizes: an entry that lies in one only half can't be read. */
static void test_entry_across_an_end(void **state)
{
	struct fixture *f = *state;

	put_table(f, 0x101000);
	f->t->fds[0].ioasids[0].maps[0].length = 0x4000 + 5 * 8 + 4;
	go(f, "guest", 0, 0x5123, 0);
	assert_stop(f, WALK_STOP_NOT_MAPPED, "gpa maps nothing at 0x402c");
	assert_int_equal(f->out.hole.address, 0x402c);
}

static void test_pasids_in_the_table(void **state)
{
	struct fixture *f = *state;

	/* Bypass: the address is a guest's already. */
	go(f, "arm", 0, 0x100010, 0);
	assert_at(f, "stream", "ram", 0x8010, ACCESS_RW, 0xfff0);
	f->t->fds[0].ioasids[3].table.words[0] = 1 | 5 << 1 | 0x5000 | 4ULL << 59;
	go(f, "arm", 3, 0x1000, 0);
	assert_stop(f, WALK_STOP_CONTEXT, "bit 31 (V)");
	assert_int_equal(f->out.walk.steps[1].address, 0x5000 + 3 * 64);
	assert_int_equal(f->out.walk.steps[1].n_words, 8);
	go(f, "amd", 3, 0x1000, 0);
	assert_stop(f, WALK_STOP_CONTEXT, "no table for PASID 3");
	/* Without GIOV the guest's table isn't for DMA without PASID. */
	go(f, "amd", 0, 0x100010, 0);
	assert_at(f, "dte", "ram", 0x8010, ACCESS_RW, 0xfff0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_mappings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lost_source, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_holes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unplaced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_blocked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nested, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nested_rights, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tables_out_of_reach, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tables_read_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_entry_across_an_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pasids_in_the_table, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
