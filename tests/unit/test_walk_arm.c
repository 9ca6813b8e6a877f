// SPDX-License-Identifier: GPL-2.0-or-later
/* Walks as an SMMUv3 does them: from the STE by the context descriptor through VMSAv8-64 tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support_walk.h"

#define TRANSLATION "F_TRANSLATION (0x10)"
#define ADDR_SIZE   "F_ADDR_SIZE (0x11)"
#define ACCESS_FLAG "F_ACCESS (0x12)"
#define PERMISSION  "F_PERMISSION (0x13)"
#define BAD_STE	    "C_BAD_STE (0x04)"
#define DISABLED    "F_STREAM_DISABLED (0x06)"
#define BAD_SSID    "C_BAD_SUBSTREAMID (0x08)"
#define BAD_CD	    "C_BAD_CD (0x0a)"

#define CD   0x9000ULL
#define ROOT 0x1000ULL
#define L1   0x2000ULL
#define L2   0x3000ULL
#define L3   0x4000ULL
#define PAGE 0x765000ULL

/* STE. */
#define V	 BIT(0)
#define STAGE1	 (V | 5ULL << 1)
#define S1FMT(n) ((uint64_t)(n) << 4)
#define CDMAX(n) ((uint64_t)(n) << 59)
#define S1STALLD BIT(27)

/* CD word 0. */
#define T0SZ(n) ((uint64_t)(n))
#define TG0(n)	((uint64_t)(n) << 6)
#define EPD0	BIT(14)
#define ENDI	BIT(15)
#define T1SZ(n) ((uint64_t)(n) << 16)
#define TG1(n)	((uint64_t)(n) << 22)
#define EPD1	BIT(30)
#define CD_V	BIT(31)
#define IPS(n)	((uint64_t)(n) << 32)
#define AFFD	BIT(35)
#define TBI0	BIT(38)
#define AA64	BIT(41)
#define HD	BIT(42)
#define HA	BIT(43)
#define S	BIT(44)
#define R	BIT(45)
#define HAD	BIT(1) /* word 1 */
/* As a guest's Linux makes it, for 48 bits and 4K. */
#define CD_4K (T0SZ(16) | EPD1 | CD_V | IPS(5) | AA64 | R)

/* Descriptors. */
#define TABLE  3ULL
#define BLOCK  1ULL
#define UNPRIV BIT(6)
#define RO     BIT(7)
#define AF     BIT(10)
#define DBM    BIT(51)
#define ATTRS  (UNPRIV | AF)
#define LEAF   (TABLE | ATTRS)

/* Index 1 on each of four levels, and an offset. */
#define IOVA (BIT(39) | BIT(30) | BIT(21) | BIT(12) | 0x123)

static struct table ste(uint64_t word0, uint64_t word1)
{
	return (struct table){.format = TABLE_ARM_SMMUV3, .n_words = 2, .words = {word0, word1}};
}

static const struct table plain = {
	.format = TABLE_ARM_SMMUV3, .n_words = 2, .words = {STAGE1 | CD, 0}};

static void put_cd(uint64_t address, uint64_t word0, uint64_t ttb0)
{
	guest_put(address, word0);
	guest_put(address + 8, ttb0);
}

static int set_up(void **state)
{
	guest_set_up(state);
	put_cd(CD, CD_4K, ROOT);
	guest_put(ROOT + 8, L1 | TABLE);
	guest_put(L1 + 8, L2 | TABLE);
	guest_put(L2 + 8, L3 | TABLE);
	guest_put(L3 + 8, PAGE | LEAF);
	return 0;
}

static void test_4k(void **state)
{
	(void)state;
	assert_leads(at(&plain, IOVA), PAGE | 0x123, 4096, ACCESS_RW);
	assert_way("STE,CD,level 0 descriptor,level 1 descriptor,level 2 descriptor,"
		   "level 3 descriptor");
	assert_false(walked.steps[0].in_memory);
	assert_int_equal(walked.steps[0].words[0], STAGE1 | CD);
	assert_int_equal(walked.steps[1].n_words, 8);
	assert_int_equal(walked.steps[1].words[1], ROOT);
	guest_put(L2 + 8, 0x40000000ULL | BLOCK | ATTRS);
	assert_leads(at(&plain, IOVA), 0x40000000ULL | BIT(12) | 0x123, 2 << 20, ACCESS_RW);
	guest_put(L1 + 8, 0x80000000ULL | BLOCK | ATTRS);
	assert_leads(at(&plain, IOVA), 0x80000000ULL | BIT(21) | BIT(12) | 0x123, 1 << 30,
		     ACCESS_RW);
	guest_put(ROOT + 8, BLOCK | ATTRS);
	assert_stops(at(&plain, IOVA), WALK_STOP_RESERVED, "level 0 descriptor", ROOT + 8,
		     "level 0 of a table of 4K pages", TRANSLATION);
}

/* The size decides where the walk begins: 39 bits, 31, and what small tables have. */
static void test_start_level(void **state)
{
	(void)state;
	put_cd(CD, (CD_4K & ~0x3fULL) | T0SZ(25), L1);
	assert_leads(at(&plain, IOVA & (BIT(39) - 1)), PAGE | 0x123, 4096, ACCESS_RW);
	assert_way("STE,CD,level 1 descriptor,level 2 descriptor,level 3 descriptor");
	assert_stops(at(&plain, IOVA), WALK_STOP_ADDRESS, "CD", CD, "T0SZ leaves 39 bits",
		     TRANSLATION);
	/* Of a first table with two entries, the address is aligned to 16 bytes. */
	put_cd(CD, (CD_4K & ~0x3fULL) | T0SZ(33), L1 + 16);
	guest_put(L1 + 16 + 8, L2 | TABLE);
	assert_leads(at(&plain, IOVA & (BIT(31) - 1)), PAGE | 0x123, 4096, ACCESS_RW);
	assert_int_equal(walked.steps[2].address, L1 + 24);
	put_cd(CD, (CD_4K & ~0x3fULL) | T0SZ(48), L3);
	assert_leads(at(&plain, 0x1123), PAGE | 0x123, 4096, ACCESS_RW);
	assert_way("STE,CD,level 3 descriptor");
	for (unsigned size = 0; size < 64; size++) {
		put_cd(CD, (CD_4K & ~0x3fULL) | T0SZ(size), ROOT);
		if (size < 16 || size > 48)
			assert_stops(at(&plain, 0), WALK_STOP_CONTEXT, "CD", CD, "which no table",
				     BAD_CD);
	}
}

static void test_16k(void **state)
{
	const uint64_t root = 0x10000, l1 = 0x14000, l2 = 0x18000, l3 = 0x1c000;
	const uint64_t iova = BIT(47) | BIT(36) | BIT(25) | BIT(14) | 0x3123;
	/* Bit 47 is the one bit that level 0 has. */
	(void)state;
	put_cd(CD, CD_4K | TG0(2), root);
	guest_put(root + 8, l1 | TABLE);
	guest_put(l1 + 8, l2 | TABLE);
	guest_put(l2 + 8, l3 | TABLE);
	guest_put(l3 + 8, 0x7654000ULL | LEAF);
	assert_leads(at(&plain, iova), 0x7654000ULL | 0x3123, 16384, ACCESS_RW);
	assert_way("STE,CD,level 0 descriptor,level 1 descriptor,level 2 descriptor,"
		   "level 3 descriptor");
	guest_put(l2 + 8, BIT(33) | BLOCK | ATTRS);
	assert_leads(at(&plain, iova), BIT(33) | BIT(14) | 0x3123, 32 << 20, ACCESS_RW);
	guest_put(l1 + 8, BIT(36) | BLOCK | ATTRS);
	assert_stops(at(&plain, iova), WALK_STOP_RESERVED, "level 1 descriptor", l1 + 8,
		     "level 1 of a table of 16K pages", TRANSLATION);
}

static void test_64k(void **state)
{
	const uint64_t l1 = 0x10000, l2 = 0x20000, l3 = 0x30000;
	const uint64_t iova = BIT(42) | BIT(29) | BIT(16) | 0xf123;

	(void)state;
	put_cd(CD, CD_4K | TG0(1), l1);
	guest_put(l1 + 8, l2 | TABLE);
	guest_put(l2 + 8, l3 | TABLE);
	guest_put(l3 + 8, 0x7650000ULL | LEAF);
	assert_leads(at(&plain, iova), 0x7650000ULL | 0xf123, 65536, ACCESS_RW);
	assert_way("STE,CD,level 1 descriptor,level 2 descriptor,level 3 descriptor");
	guest_put(l2 + 8, BIT(33) | BLOCK | ATTRS);
	assert_leads(at(&plain, iova), BIT(33) | BIT(16) | 0xf123, 512 << 20, ACCESS_RW);
	guest_put(l1 + 8, BIT(42) | BLOCK | ATTRS);
	assert_stops(at(&plain, iova), WALK_STOP_RESERVED, "level 1 descriptor", l1 + 8,
		     "level 1 of a table of 64K pages", TRANSLATION);
	/* 52 bits: out, with blocks of 4T, the high bits down at 12... */
	put_cd(CD, (CD_4K & ~IPS(7)) | IPS(6) | TG0(1), l1);
	assert_leads(at(&plain, iova), BIT(42) | BIT(29) | BIT(16) | 0xf123, 1ULL << 42, ACCESS_RW);
	guest_put(l1 + 8, l2 | TABLE);
	guest_put(l2 + 8, l3 | TABLE);
	guest_put(l3 + 8, 0x7650000ULL | BIT(15) | LEAF);
	assert_leads(at(&plain, iova), BIT(51) | 0x7650000ULL | 0xf123, 65536, ACCESS_RW);
	/* ...and in. */
	put_cd(CD, (CD_4K & ~IPS(7) & ~0x3fULL) | T0SZ(12) | IPS(6) | TG0(1), l1);
	guest_put(l1 + 512 * 8 + 8, l2 | TABLE);
	assert_leads(at(&plain, iova | BIT(51)), BIT(51) | 0x7650000ULL | 0xf123, 65536, ACCESS_RW);
	put_cd(CD, (CD_4K & ~0x3fULL) | T0SZ(48) | TG0(1), l1);
	assert_stops(at(&plain, 0), WALK_STOP_CONTEXT, "CD", CD, "T0SZ is 48", BAD_CD);
}

static void test_not_valid(void **state)
{
	static const struct {
		const char *name;
		uint64_t address, good;
	} entries[] = {{"level 0 descriptor", ROOT + 8, L1 | TABLE},
		       {"level 1 descriptor", L1 + 8, L2 | TABLE},
		       {"level 2 descriptor", L2 + 8, L3 | TABLE},
		       {"level 3 descriptor", L3 + 8, PAGE | LEAF}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		guest_put(entries[i].address, entries[i].good & ~V);
		assert_stops(at(&plain, IOVA), WALK_STOP_NOT_PRESENT, entries[i].name,
			     entries[i].address, "bit 0 (valid)", TRANSLATION);
		guest_put(entries[i].address, entries[i].good);
	}
	guest_put(L3 + 8, PAGE | BLOCK | ATTRS);
	assert_stops(at(&plain, IOVA), WALK_STOP_RESERVED, "level 3 descriptor", L3 + 8,
		     "level 3 of a table of 4K pages", TRANSLATION);
	guest_put(L2 + 8, 0x500000 | TABLE);
	assert_stops(at(&plain, IOVA), WALK_STOP_NOT_MAPPED, "level 3 descriptor", 0x500008,
		     "a hole", NULL);
}

static void test_output_size(void **state)
{
	(void)state;
	put_cd(CD, CD_4K & ~IPS(7), ROOT); /* 32 bits */
	assert_leads(at(&plain, IOVA), PAGE | 0x123, 4096, ACCESS_RW);
	guest_put(L3 + 8, BIT(32) | LEAF);
	assert_stops(at(&plain, IOVA), WALK_STOP_ADDRESS, "level 3 descriptor", L3 + 8,
		     "0x100000000 in it has more than the 32 bits", ADDR_SIZE);
	guest_put(L1 + 8, BIT(40) | TABLE);
	assert_stops(at(&plain, IOVA), WALK_STOP_ADDRESS, "level 1 descriptor", L1 + 8,
		     "more than the 32 bits", ADDR_SIZE);
	put_cd(CD, CD_4K & ~IPS(7), ROOT | BIT(32));
	assert_stops(at(&plain, IOVA), WALK_STOP_CONTEXT, "CD", CD, "TTB0 has more than the 32",
		     BAD_CD);
	/* Tables of 4K have no place for more than 48. */
	put_cd(CD, (CD_4K & ~IPS(7)) | IPS(6), ROOT | BIT(48));
	assert_stops(at(&plain, IOVA), WALK_STOP_CONTEXT, "CD", CD, "TTB0 has more than the 48",
		     BAD_CD);
}

static void test_rights(void **state)
{
	(void)state;
	guest_put(L3 + 8, PAGE | LEAF | RO);
	assert_leads(at(&plain, IOVA), PAGE | 0x123, 4096, ACCESS_READ);
	assert_stops(at_access(&plain, IOVA, ACCESS_WRITE), WALK_STOP_ACCESS, "level 3 descriptor",
		     L3 + 8, "bit 7 (AP[2])", PERMISSION);
	guest_put(L3 + 8, (PAGE | LEAF) & ~UNPRIV);
	assert_stops(at(&plain, IOVA), WALK_STOP_ACCESS, "level 3 descriptor", L3 + 8,
		     "bit 6 (AP[1])", PERMISSION);
	guest_put(L3 + 8, PAGE | LEAF);
	guest_put(L1 + 8, L2 | TABLE | BIT(62));
	assert_stops(at_access(&plain, IOVA, ACCESS_RW), WALK_STOP_ACCESS, "level 1 descriptor",
		     L1 + 8, "bit 62 (APTable)", PERMISSION);
	guest_put(L1 + 8, L2 | TABLE | BIT(61));
	assert_stops(at(&plain, IOVA), WALK_STOP_ACCESS, "level 1 descriptor", L1 + 8,
		     "bit 61 (APTable)", PERMISSION);
	put_cd(CD, CD_4K, ROOT | HAD);
	assert_leads(at(&plain, IOVA), PAGE | 0x123, 4096, ACCESS_RW);
}

static void test_access_flag(void **state)
{
	(void)state;
	guest_put(L3 + 8, (PAGE | LEAF) & ~AF);
	assert_stops(at(&plain, IOVA), WALK_STOP_ACCESS, "level 3 descriptor", L3 + 8,
		     "bit 10 (AF)", ACCESS_FLAG);
	put_cd(CD, CD_4K | AFFD, ROOT);
	assert_leads(at(&plain, IOVA), PAGE | 0x123, 4096, ACCESS_RW);
	put_cd(CD, CD_4K | HA, ROOT);
	assert_leads(at(&plain, IOVA), PAGE | 0x123, 4096, ACCESS_RW);
	guest_protect(L3);
	assert_stops(at(&plain, IOVA), WALK_STOP_ACCESS, "level 3 descriptor", L3 + 8,
		     "doesn't let the hardware set it", PERMISSION);
}

static void test_dirty(void **state)
{
	(void)state;
	guest_put(L3 + 8, PAGE | LEAF | RO | DBM);
	put_cd(CD, CD_4K | HA, ROOT);
	assert_leads(at(&plain, IOVA), PAGE | 0x123, 4096, ACCESS_READ);
	put_cd(CD, CD_4K | HD, ROOT); /* nothing without HA */
	assert_leads(at(&plain, IOVA), PAGE | 0x123, 4096, ACCESS_READ);
	put_cd(CD, CD_4K | HA | HD, ROOT);
	assert_leads(at(&plain, IOVA), PAGE | 0x123, 4096, ACCESS_RW);
	guest_protect(L3);
	assert_leads(at(&plain, IOVA), PAGE | 0x123, 4096, ACCESS_READ);
	assert_stops(at_access(&plain, IOVA, ACCESS_WRITE), WALK_STOP_ACCESS, "level 3 descriptor",
		     L3 + 8, "doesn't let the hardware clear it", PERMISSION);
}

static void test_halves(void **state)
{
	const uint64_t upper = UINT64_MAX << 48 | IOVA;

	(void)state;
	assert_stops(at(&plain, upper), WALK_STOP_ADDRESS, "CD", CD, "EPD1 is set", TRANSLATION);
	put_cd(CD, (CD_4K & ~EPD1) | EPD0 | T1SZ(16) | TG1(2), 0);
	guest_put(CD + 16, ROOT);
	assert_leads(at(&plain, upper), PAGE | 0x123, 4096, ACCESS_RW);
	assert_stops(at(&plain, IOVA), WALK_STOP_ADDRESS, "CD", CD, "EPD0 is set", TRANSLATION);
	assert_stops(at(&plain, upper & ~BIT(60)), WALK_STOP_ADDRESS, "CD", CD,
		     "T1SZ leaves 48 bits", TRANSLATION);
	put_cd(CD, (CD_4K & ~EPD1) | T1SZ(16), ROOT); /* TG1 0 */
	assert_stops(at(&plain, upper), WALK_STOP_CONTEXT, "CD", CD, "TG1 is a reserved", BAD_CD);
	assert_leads(at(&plain, IOVA), PAGE | 0x123, 4096, ACCESS_RW);
	put_cd(CD, CD_4K | TG0(3), ROOT);
	assert_stops(at(&plain, IOVA), WALK_STOP_CONTEXT, "CD", CD, "TG0 is a reserved", BAD_CD);
	/* The top byte may be ignored. */
	put_cd(CD, CD_4K, ROOT);
	assert_stops(at(&plain, IOVA | BIT(60)), WALK_STOP_ADDRESS, "CD", CD, "T0SZ leaves 48",
		     TRANSLATION);
	put_cd(CD, CD_4K | TBI0, ROOT);
	assert_leads(at(&plain, IOVA | BIT(60)), PAGE | 0x123, 4096, ACCESS_RW);
	assert_stops(at(&plain, IOVA | BIT(50)), WALK_STOP_ADDRESS, "CD", CD, "T0SZ leaves 48",
		     TRANSLATION);
}

static void test_big_endian(void **state)
{
	(void)state;
	put_cd(CD, CD_4K | ENDI, ROOT);
	guest_put(ROOT + 8, __builtin_bswap64(L1 | TABLE));
	guest_put(L1 + 8, __builtin_bswap64(L2 | TABLE));
	guest_put(L2 + 8, __builtin_bswap64(L3 | TABLE));
	guest_put(L3 + 8, __builtin_bswap64(PAGE | LEAF));
	assert_leads(at(&plain, IOVA), PAGE | 0x123, 4096, ACCESS_RW);
}

static void test_ste(void **state)
{
	struct table t = ste((STAGE1 | CD) & ~V, 0);

	(void)state;
	assert_stops(at(&t, IOVA), WALK_STOP_CONTEXT, "STE", 0, "bit 0 (V)", BAD_STE);
	t = ste(V, 0);
	assert_stops(at(&t, IOVA), WALK_STOP_CONTEXT, "STE", 0, "Config is 0", NULL);
	t = ste(V | 4 << 1, 0);
	assert_leads(at(&t, IOVA), IOVA, 0, ACCESS_RW);
	assert_stops(at_pasid(&t, IOVA, 1), WALK_STOP_CONTEXT, "STE", 0, "bypasses stage 1",
		     BAD_SSID);
	for (unsigned config = 1; config < 8; config++) {
		if (config == 4 || config == 5)
			continue;
		t = ste(V | config << 1, 0);
		assert_stops(at(&t, IOVA), WALK_STOP_CONTEXT, "STE", 0, "Linux takes", BAD_STE);
	}
	t = ste(STAGE1 | CD | CDMAX(21), 0);
	assert_stops(at(&t, IOVA), WALK_STOP_CONTEXT, "STE", 0, "S1CDMax is 21", BAD_STE);
}

static void test_cd(void **state)
{
	struct table elsewhere = ste(STAGE1 | 0x55000, 0);

	(void)state;
	put_cd(CD, CD_4K & ~CD_V, ROOT);
	assert_stops(at(&plain, IOVA), WALK_STOP_CONTEXT, "CD", CD, "bit 31 (V)", BAD_CD);
	put_cd(CD, CD_4K & ~AA64, ROOT);
	assert_stops(at(&plain, IOVA), WALK_STOP_CONTEXT, "CD", CD, "bit 41 (AA64)", BAD_CD);
	assert_stops(at(&elsewhere, IOVA), WALK_STOP_NOT_MAPPED, "CD", 0x55000, "a hole", NULL);
}

static void test_aftermath(void **state)
{
	struct table no_stall = ste(STAGE1 | CD, S1STALLD);

	(void)state;
	guest_put(L3 + 8, 0);
	put_cd(CD, CD_4K & ~R, ROOT);
	assert_stops(at(&plain, UINT64_MAX), WALK_STOP_ADDRESS, "CD", CD, "EPD1",
		     TRANSLATION ", but it isn't recorded (R in the CD)");
	assert_stops(at(&plain, IOVA), WALK_STOP_NOT_PRESENT, "level 3 descriptor", L3 + 8, "valid",
		     TRANSLATION ", but it isn't recorded (R in the CD)");
	/* Faults of the context itself always are. */
	put_cd(CD, (CD_4K & ~R) | TG0(3), ROOT);
	assert_stops(at(&plain, IOVA), WALK_STOP_CONTEXT, "CD", CD, "TG0", BAD_CD);
	put_cd(CD, CD_4K | S, ROOT);
	assert_stops(at(&plain, IOVA), WALK_STOP_NOT_PRESENT, "level 3 descriptor", L3 + 8, "valid",
		     TRANSLATION ", and the DMA waits for an answer (S in the CD)");
	assert_stops(at(&no_stall, IOVA), WALK_STOP_NOT_PRESENT, "level 3 descriptor", L3 + 8,
		     "valid", TRANSLATION);
}

static void test_substreams_linear(void **state)
{
	struct table t = ste(STAGE1 | CD | CDMAX(4), 0);

	(void)state;
	put_cd(CD + 5 * 64, CD_4K, ROOT);
	assert_leads(at_pasid(&t, IOVA, 5), PAGE | 0x123, 4096, ACCESS_RW);
	assert_way("STE,CD,level 0 descriptor,level 1 descriptor,level 2 descriptor,"
		   "level 3 descriptor");
	assert_stops(at_pasid(&t, IOVA, 6), WALK_STOP_CONTEXT, "CD", CD + 6 * 64, "V", BAD_CD);
	assert_stops(at_pasid(&t, IOVA, 16), WALK_STOP_CONTEXT, "STE", 0, "past the 16", BAD_SSID);
	assert_stops(at_pasid(&plain, IOVA, 1), WALK_STOP_CONTEXT, "STE", 0, "S1CDMax is 0",
		     BAD_SSID);
	/* DMA without one, by S1DSS. */
	assert_stops(at(&t, IOVA), WALK_STOP_CONTEXT, "STE", 0, "S1DSS ends DMA", DISABLED);
	t = ste(STAGE1 | CD | CDMAX(4), 1);
	assert_leads(at(&t, IOVA), IOVA, 0, ACCESS_RW);
	assert_way("STE");
	t = ste(STAGE1 | CD | CDMAX(4), 2);
	assert_leads(at(&t, IOVA), PAGE | 0x123, 4096, ACCESS_RW);
	assert_int_equal(walked.steps[1].address, CD);
	t = ste(STAGE1 | CD | CDMAX(4), 3);
	assert_stops(at(&t, IOVA), WALK_STOP_CONTEXT, "STE", 0, "S1DSS ends DMA", DISABLED);
}

static void test_substreams_two_levels(void **state)
{
	const uint64_t l1 = 0x20000, l2 = 0x30000;

	(void)state;
	for (unsigned format = 1; format <= 2; format++) {
		const unsigned split = format == 1 ? 6 : 10;
		const uint32_t pasid = 3U << split | 5;
		const struct table t = ste(STAGE1 | l1 | S1FMT(format) | CDMAX(20), 0);

		guest_set_up(state);
		set_up(state);
		guest_put(l1 + 3 * 8, l2 | V);
		put_cd(l2 + 5 * 64, CD_4K, ROOT);
		assert_leads(at_pasid(&t, IOVA, pasid), PAGE | 0x123, 4096, ACCESS_RW);
		assert_way("STE,level 1 CD,CD,level 0 descriptor,level 1 descriptor,"
			   "level 2 descriptor,level 3 descriptor");
		assert_int_equal(walked.steps[1].address, l1 + 3 * 8);
		assert_int_equal(walked.steps[2].address, l2 + 5 * 64);
		assert_stops(at_pasid(&t, IOVA, 2U << split), WALK_STOP_CONTEXT, "level 1 CD",
			     l1 + 2 * 8, "no context for substream", BAD_SSID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_4k, set_up),
		cmocka_unit_test_setup(test_start_level, set_up),
		cmocka_unit_test_setup(test_16k, set_up),
		cmocka_unit_test_setup(test_64k, set_up),
		cmocka_unit_test_setup(test_not_valid, set_up),
		cmocka_unit_test_setup(test_output_size, set_up),
		cmocka_unit_test_setup(test_rights, set_up),
		cmocka_unit_test_setup(test_access_flag, set_up),
		cmocka_unit_test_setup(test_dirty, set_up),
		cmocka_unit_test_setup(test_halves, set_up),
		cmocka_unit_test_setup(test_big_endian, set_up),
		cmocka_unit_test_setup(test_ste, set_up),
		cmocka_unit_test_setup(test_cd, set_up),
		cmocka_unit_test_setup(test_aftermath, set_up),
		cmocka_unit_test_setup(test_substreams_linear, set_up),
		cmocka_unit_test_setup(test_substreams_two_levels, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
