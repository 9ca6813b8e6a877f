// SPDX-License-Identifier: GPL-2.0-or-later
/* Walks through x86-64 tables, as Intel's, AMD's and the reference device's IOMMU do them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support_walk.h"

#define P  BIT(0)
#define RW BIT(1)
#define US BIT(2)
#define A  BIT(5)
#define D  BIT(6)
#define PS BIT(7)
#define XD BIT(63)

#define LINK (P | RW | US | A)
#define LEAF (LINK | D)

/* Index 1 on each of four levels, and an offset. */
#define IOVA (BIT(39) | BIT(30) | BIT(21) | BIT(12) | 0x123)

#define PML4 0x1000ULL
#define PDPT 0x2000ULL
#define PD   0x3000ULL
#define PT   0x4000ULL
#define PAGE 0x765000ULL

static const struct table vtd = {.format = TABLE_VTD_S1, .address = PML4, .address_width = 48};
static const struct table reference = {.format = TABLE_X86_64, .address = PML4};

/* Both take the same table; what they report differs. */
static const struct table *const tables[] = {&vtd, &reference};

static void put_table(void)
{
	guest_put(PML4 + 8, PDPT | LINK);
	guest_put(PDPT + 8, PD | LINK);
	guest_put(PD + 8, PT | LINK);
	guest_put(PT + 8, PAGE | LEAF);
}

static int set_up(void **state)
{
	guest_set_up(state);
	put_table();
	return 0;
}

static void test_pages(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct table *t = tables[i];

		guest_put(PD + 8, PT | LINK);
		guest_put(PDPT + 8, PD | LINK);
		assert_leads(at(t, IOVA), PAGE | 0x123, 4096, ACCESS_RW);
		assert_way("PML4E,PDPTE,PDE,PTE");
		assert_int_equal(walked.steps[3].address, PT + 8);
		assert_int_equal(walked.steps[3].words[0], PAGE | LEAF);
		guest_put(PD + 8, 0x40000000ULL | LEAF | PS);
		assert_leads(at(t, IOVA), 0x40000000ULL | BIT(12) | 0x123, 2 << 20, ACCESS_RW);
		assert_way("PML4E,PDPTE,PDE");
		guest_put(PDPT + 8, 0x80000000ULL | LEAF | PS);
		assert_leads(at(t, IOVA), 0x80000000ULL | BIT(21) | BIT(12) | 0x123, 1 << 30,
			     ACCESS_RW);
		assert_way("PML4E,PDPTE");
	}
	/* What software may use, or decides nothing, changes nothing. */
	guest_put(PDPT + 8, PD | LINK);
	guest_put(PD + 8, PT | LINK | BIT(9) | BIT(52) | XD);
	guest_put(PT + 8, PAGE | LEAF | PS | BIT(8) | BIT(10) | BIT(3) | BIT(4) | XD);
	assert_leads(at(&vtd, IOVA), PAGE | 0x123, 4096, ACCESS_RW);
	/* Linux takes the root without its low bits. */
	assert_leads(at(&(struct table){.format = TABLE_VTD_S1, .address = PML4 | 0xfff}, IOVA),
		     PAGE | 0x123, 4096, ACCESS_RW);
}

static void test_highest_addresses(void **state)
{
	const uint64_t page = 0xffffffffff000ULL;

	(void)state;
	guest_put(PT + 8, page | LEAF);
	assert_leads(at(&vtd, IOVA), page | 0x123, 4096, ACCESS_RW);
	guest_put(PML4 + 8, page | LINK);
	assert_stops(at(&vtd, IOVA), WALK_STOP_NOT_MAPPED, "PDPTE", page + 8, "a hole", NULL);
	assert_int_equal(walked.steps[1].n_words, 0);
}

static void test_canonical(void **state)
{
	const uint64_t upper = UINT64_MAX << 47 | 0x123;

	(void)state;
	guest_put(PML4 + 256 * 8, PDPT | LINK);
	guest_put(PDPT, PD | LINK);
	guest_put(PD, PT | LINK);
	guest_put(PT, PAGE | LEAF);
	assert_leads(at(&vtd, upper), PAGE | 0x123, 4096, ACCESS_RW);
	assert_leads(at(&reference, upper), PAGE | 0x123, 4096, ACCESS_RW);
	assert_stops(at(&vtd, BIT(47)), WALK_STOP_ADDRESS, NULL, 0, "bits 63 to 48",
		     "DMAR fault reason 0x80");
	assert_stops(at(&reference, BIT(47)), WALK_STOP_ADDRESS, NULL, 0, "isn't canonical",
		     "IOASID_FAULT_WIDTH");
	assert_stops(at(&vtd, IOVA | BIT(63)), WALK_STOP_ADDRESS, NULL, 0, "isn't canonical",
		     "DMAR fault reason 0x80");
	assert_int_equal(walked.n_steps, 0);
}

static void test_five_levels(void **state)
{
	const uint64_t pml5 = 0x8000, iova = BIT(49) | IOVA;

	(void)state;
	guest_put(pml5 + 16, PML4 | LINK);
	for (size_t i = 0; i < 2; i++) {
		const struct table wide = {
			.format = tables[i]->format, .address = pml5, .address_width = 57};

		assert_leads(at(&wide, iova), PAGE | 0x123, 4096, ACCESS_RW);
		assert_way("PML5E,PML4E,PDPTE,PDE,PTE");
		assert_stops(at(&wide, BIT(56)), WALK_STOP_ADDRESS, NULL, 0, "bits 63 to 57",
			     i ? "IOASID_FAULT_WIDTH" : "DMAR fault reason 0x80");
		guest_put(pml5 + 16, PML4 | LINK | PS);
		assert_stops(at(&wide, iova), WALK_STOP_RESERVED, "PML5E", pml5 + 16,
			     "reserved in a PML5E",
			     i ? "IOASID_FAULT_ENTRY" : "DMAR fault reason 0x72");
		guest_put(pml5 + 16, PML4 | LINK);
	}
	assert_stops(at(&(struct table){.format = TABLE_VTD_S1, .address_width = 39}, 0),
		     WALK_STOP_CONTEXT, NULL, 0, "address_width is 39", NULL);
}

static void test_not_present(void **state)
{
	static const struct {
		const char *name;
		uint64_t address, good;
	} entries[] = {{"PML4E", PML4 + 8, PDPT | LINK},
		       {"PDPTE", PDPT + 8, PD | LINK},
		       {"PDE", PD + 8, PT | LINK},
		       {"PTE", PT + 8, PAGE | LEAF}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		guest_put(entries[i].address, entries[i].good & ~P);
		assert_stops(at(&vtd, IOVA), WALK_STOP_NOT_PRESENT, entries[i].name,
			     entries[i].address, "bit 0 (P) is clear", "DMAR fault reason 0x71");
		assert_int_equal(walked.n_steps, i + 1);
		assert_int_equal(walked.stop.step, i);
		guest_put(entries[i].address, entries[i].good);
	}
	guest_put(PML4 + 8, (PDPT + 0x100000) | LINK);
	assert_stops(at(&vtd, IOVA), WALK_STOP_NOT_MAPPED, "PDPTE", PDPT + 0x100008, "a hole",
		     NULL);
}

static void test_reserved(void **state)
{
	(void)state;
	guest_put(PML4 + 8, PDPT | LINK | PS);
	assert_stops(at(&vtd, IOVA), WALK_STOP_RESERVED, "PML4E", PML4 + 8, "bit 7 (PS)",
		     "DMAR fault reason 0x72");
	guest_put(PML4 + 8, PDPT | LINK);
	guest_put(PD + 8, LEAF | PS | BIT(13) | BIT(20));
	assert_stops(at(&vtd, IOVA), WALK_STOP_RESERVED, "PDE", PD + 8, "bits 0x102000 are set",
		     "DMAR fault reason 0x72");
	/* Bit 12 of a large page is a memory type; the reference device has none. */
	guest_put(PD + 8, LEAF | PS | BIT(12));
	assert_leads(at(&vtd, IOVA), BIT(12) | 0x123, 2 << 20, ACCESS_RW);
	assert_stops(at(&reference, IOVA), WALK_STOP_RESERVED, "PDE", PD + 8, "bits 0x1000 are set",
		     "IOASID_FAULT_ENTRY");
	guest_put(PDPT + 8, LEAF | PS | BIT(29));
	assert_stops(at(&vtd, IOVA), WALK_STOP_RESERVED, "PDPTE", PDPT + 8, "reserved in a PDPTE",
		     "DMAR fault reason 0x72");
}

static void test_rights(void **state)
{
	(void)state;
	/* Any level takes writing away. */
	guest_put(PDPT + 8, (PD | LINK) & ~RW);
	assert_leads(at(&vtd, IOVA), PAGE | 0x123, 4096, ACCESS_READ);
	assert_leads(at_access(&vtd, IOVA, ACCESS_READ), PAGE | 0x123, 4096, ACCESS_READ);
	assert_stops(at_access(&vtd, IOVA, ACCESS_WRITE), WALK_STOP_ACCESS, "PDPTE", PDPT + 8,
		     "bit 1 (R/W) is clear", "DMAR fault reason 0x85");
	assert_int_equal(walked.n_steps, 4); /* told only after all is translated */
	assert_stops(at_access(&reference, IOVA, ACCESS_RW), WALK_STOP_ACCESS, "PDPTE", PDPT + 8,
		     "bit 1 (R/W) is clear", "IOASID_FAULT_NO_WRITE");
	/* The first that does is named. */
	guest_put(PT + 8, (PAGE | LEAF) & ~RW);
	assert_stops(at_access(&vtd, IOVA, ACCESS_WRITE), WALK_STOP_ACCESS, "PDPTE", PDPT + 8,
		     "R/W", "DMAR fault reason 0x85");
	/* What isn't there is told before what isn't allowed. */
	guest_put(PT + 8, 0);
	assert_stops(at_access(&vtd, IOVA, ACCESS_WRITE), WALK_STOP_NOT_PRESENT, "PTE", PT + 8, "P",
		     "DMAR fault reason 0x71");
	/* Supervisor pages are nobody's. */
	guest_put(PT + 8, (PAGE | LEAF) & ~US);
	assert_stops(at(&vtd, IOVA), WALK_STOP_ACCESS, "PTE", PT + 8, "bit 2 (U/S) is clear",
		     "DMAR fault reason 0x81");
	assert_stops(at(&reference, IOVA), WALK_STOP_ACCESS, "PTE", PT + 8, "bit 2 (U/S) is clear",
		     NULL);
}

static void test_accessed_and_dirty(void **state)
{
	(void)state;
	guest_protect(PT);
	guest_protect(PD);
	assert_leads(at(&vtd, IOVA), PAGE | 0x123, 4096, ACCESS_RW);
	guest_put(PT + 8, (PAGE | LEAF) & ~D);
	assert_leads(at(&vtd, IOVA), PAGE | 0x123, 4096, ACCESS_READ);
	assert_stops(at_access(&vtd, IOVA, ACCESS_WRITE), WALK_STOP_ACCESS, "PTE", PT + 8,
		     "bit 6 (D) is clear", "DMAR fault reason 0x77");
	guest_put(PD + 8, (PT | LINK) & ~A);
	assert_stops(at(&vtd, IOVA), WALK_STOP_ACCESS, "PDE", PD + 8, "bit 5 (A) is clear",
		     "DMAR fault reason 0x77");
	/* The reference device sets none. */
	assert_leads(at(&reference, IOVA), PAGE | 0x123, 4096, ACCESS_RW);
}

#define GIOV   BIT(54)
#define GV     BIT(55)
#define GLX(n) ((uint64_t)(n) << 56)

/* A DTE whose GCR3 table has a bit in each part of its address. */
#define GCR3 (BIT(12) | BIT(20) | BIT(40))

static struct table amd_table(uint64_t flags, uint64_t paging_mode)
{
	return (struct table){
		.format = TABLE_AMD_GUEST,
		.n_words = 4,
		.words = {BIT(0) | BIT(1) | GV | flags | (GCR3 >> 12 & 7) << 58,
			  (GCR3 >> 15 & 0xffff) << 16 | (GCR3 >> 31 & 0x1fffff) << 43,
			  paging_mode << 54},
	};
}

static void test_amd(void **state)
{
	struct table t = amd_table(GIOV, 0);

	(void)state;
	guest_put(GCR3, PML4 | P);
	assert_leads(at(&t, IOVA), PAGE | 0x123, 4096, ACCESS_RW);
	assert_way("DTE,GCR3 entry,PML4E,PDPTE,PDE,PTE");
	assert_false(walked.steps[0].in_memory);
	assert_int_equal(walked.steps[0].n_words, 4);
	assert_int_equal(walked.steps[1].address, GCR3);
	/* By PASID; nine bits on one level. */
	guest_put(GCR3 + 511 * 8, PML4 | P);
	assert_leads(at_pasid(&t, IOVA, 511), PAGE | 0x123, 4096, ACCESS_RW);
	assert_stops(at_pasid(&t, IOVA, 510), WALK_STOP_CONTEXT, "GCR3 entry", GCR3 + 510 * 8,
		     "no table for PASID 510", "IO_PAGE_FAULT");
	assert_stops(at_pasid(&t, IOVA, 512), WALK_STOP_CONTEXT, "DTE", 0, "room for 512",
		     "IO_PAGE_FAULT");
	/* Without GIOV, DMA without PASID isn't the guest table's. */
	t = amd_table(0, 0);
	assert_leads(at(&t, IOVA), IOVA, 0, ACCESS_RW);
	assert_way("DTE");
	assert_leads(at_pasid(&t, IOVA, 511), PAGE | 0x123, 4096, ACCESS_RW);
	/* Sign extension is for PASIDs alone. */
	assert_stops(at_pasid(&t, BIT(47), 511), WALK_STOP_ADDRESS, NULL, 0, "isn't canonical",
		     "IO_PAGE_FAULT");
	t = amd_table(GIOV, 0);
	assert_stops(at(&t, BIT(47)), WALK_STOP_NOT_PRESENT, "PML4E", PML4 + 256 * 8, "P",
		     "IO_PAGE_FAULT");
	assert_stops(at(&t, BIT(48)), WALK_STOP_ADDRESS, NULL, 0, "more than the 48 bits",
		     "IO_PAGE_FAULT");
}

static void test_amd_levels(void **state)
{
	const uint64_t level2 = 0x20000, level1 = 0x21000, pml5 = 0x22000;
	const uint32_t pasid = 2 << 18 | 3 << 9 | 4;
	struct table t = amd_table(GLX(2), 0);

	(void)state;
	guest_put(GCR3 + 2 * 8, level2 | P);
	guest_put(level2 + 3 * 8, level1 | P);
	guest_put(level1 + 4 * 8, PML4 | P);
	assert_leads(at_pasid(&t, IOVA, pasid), PAGE | 0x123, 4096, ACCESS_RW);
	assert_way("DTE,GCR3 level 3 entry,GCR3 level 2 entry,GCR3 entry,PML4E,PDPTE,PDE,PTE");
	t = amd_table(GLX(2), 1);
	guest_put(level1 + 4 * 8, pml5 | P);
	guest_put(pml5 + 8, PML4 | LINK);
	assert_leads(at_pasid(&t, IOVA | BIT(48), pasid), PAGE | 0x123, 4096, ACCESS_RW);
	assert_way("DTE,GCR3 level 3 entry,GCR3 level 2 entry,GCR3 entry,PML5E,PML4E,PDPTE,PDE,"
		   "PTE");
	guest_put(level2 + 3 * 8, level1);
	assert_stops(at_pasid(&t, IOVA, pasid), WALK_STOP_CONTEXT, "GCR3 level 2 entry",
		     level2 + 3 * 8, "bit 0 (V) is clear", "IO_PAGE_FAULT");
	t = amd_table(GLX(1), 0);
	guest_put(GCR3 + 3 * 8, level1 | P);
	guest_put(level1 + 4 * 8, PML4 | P);
	assert_leads(at_pasid(&t, IOVA, 3 << 9 | 4), PAGE | 0x123, 4096, ACCESS_RW);
	assert_stops(at_pasid(&t, IOVA, 1 << 18), WALK_STOP_CONTEXT, "DTE", 0, "room for 262144",
		     "IO_PAGE_FAULT");
	t = amd_table(GLX(3), 0);
	assert_stops(at_pasid(&t, IOVA, 1), WALK_STOP_CONTEXT, "DTE", 0, "GLX is 3", NULL);
	t = amd_table(GIOV, 2);
	assert_stops(at(&t, IOVA), WALK_STOP_CONTEXT, "DTE", 0, "guest paging mode is 2", NULL);
	t = amd_table(GIOV, 0);
	t.words[1] |= BIT(63);
	assert_stops(at(&t, IOVA), WALK_STOP_NOT_MAPPED, "GCR3 entry", GCR3 | BIT(51), "a hole",
		     NULL);
}

static void test_no_table(void **state)
{
	const struct table mock = {.format = TABLE_MOCK, .n_words = 1, .words = {0x55}};
	const struct table none = {.format = TABLE_NONE};

	(void)state;
	assert_leads(at(&mock, 0x12345), 0x12345, 0, ACCESS_RW);
	assert_way("IOTLB value");
	assert_int_equal(walked.steps[0].words[0], 0x55);
	assert_stops(at(&none, 0), WALK_STOP_NO_TABLE, NULL, 0, "no table", NULL);
}

/* A table that leads to itself is walked as deep as it has levels. */
static void test_loop(void **state)
{
	(void)state;
	guest_put(PML4 + 8, PML4 | LINK | D);
	assert_leads(at(&vtd, IOVA), PML4 | 0x123, 4096, ACCESS_RW);
	assert_int_equal(walked.n_steps, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pages, set_up),
		cmocka_unit_test_setup(test_highest_addresses, set_up),
		cmocka_unit_test_setup(test_canonical, set_up),
		cmocka_unit_test_setup(test_five_levels, set_up),
		cmocka_unit_test_setup(test_not_present, set_up),
		cmocka_unit_test_setup(test_reserved, set_up),
		cmocka_unit_test_setup(test_rights, set_up),
		cmocka_unit_test_setup(test_accessed_and_dirty, set_up),
		cmocka_unit_test_setup(test_amd, set_up),
		cmocka_unit_test_setup(test_amd_levels, set_up),
		cmocka_unit_test_setup(test_no_table, set_up),
		cmocka_unit_test_setup(test_loop, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
