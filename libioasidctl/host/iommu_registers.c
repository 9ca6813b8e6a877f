// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What capability registers come to. Sources: Intel's VT-d specification, 11.4.2 and 11.4.3
 * (CAP_REG, ECAP_REG); AMD's IOMMU specification, 3.4.13 (extended feature registers). Widths and
 * page sizes are those that Linux gives an address space by default.
 */
#include <errno.h>

#include "base/cleanup.h"
#include "host/scan.h"

#define BIT(n)		     (1ULL << (n))
#define FIELD(value, low, n) ((value) >> (low) & (BIT(n) - 1))

#define SIZE_4K (4ULL << 10)
#define SIZE_2M (2ULL << 20)
#define SIZE_1G (1ULL << 30)

/* A yes or no: which register, which bit. */
struct flag {
	const char *name;
	uint8_t word, bit;
};

enum { CAP, ECAP };
enum { EFR, EFR2 };

static const struct flag vtd_flags[] = {
	{"caching-mode", CAP, 7},
	{"posted-interrupts", CAP, 59},
	{"5-level-first-stage", CAP, 60},
	{"coherent-page-walk", ECAP, 0},
	{"queued-invalidation", ECAP, 1},
	{"device-tlb", ECAP, 2},
	{"interrupt-remapping", ECAP, 3},
	{"x2apic", ECAP, 4},
	{"pass-through", ECAP, 6},
	{"snoop-control", ECAP, 7},
	{"nested-translation", ECAP, 26},
	{"page-requests", ECAP, 29},
	{"pasid", ECAP, 40},
	{"scalable-mode", ECAP, 43},
	{"second-stage-dirty-bits", ECAP, 45},
	{"second-stage", ECAP, 46},
	{"first-stage", ECAP, 47},
	{"coherent-scalable-walk", ECAP, 48},
};

static const struct flag amd_flags[] = {
	{"prefetch", EFR, 0},
	{"page-requests", EFR, 1},
	{"x2apic", EFR, 2},
	{"no-execute", EFR, 3},
	{"guest-translation", EFR, 4},
	{"invalidate-all", EFR, 6},
	{"guest-apic", EFR, 7},
	{"performance-counters", EFR, 9},
	{"guest-io-protection", EFR, 48},
	{"host-access-bits", EFR, 49},
	{"host-dirty-bits", EFR, 52},
	{"snp", EFR, 63},
	{"gcr3-table-root", EFR2, 3},
};

static int fill(struct host_iommu *iommu, struct arena *arena, const struct flag *flags, size_t n,
		const uint64_t words[2])
{
	iommu->capabilities = arena_alloc_array(arena, n, sizeof(*iommu->capabilities));
	if (!iommu->capabilities)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (words[flags[i].word] & BIT(flags[i].bit))
			iommu->capabilities[iommu->n_capabilities++] = flags[i].name;
	return 0;
}

static int fill_registers(struct host_iommu *iommu, struct arena *arena, const char *const names[2],
			  const uint64_t words[2])
{
	struct host_register *registers = arena_alloc_array(arena, 2, sizeof(*registers));

	if (!registers)
		return -ENOMEM;
	for (size_t i = 0; i < 2; i++)
		registers[i] = (struct host_register){names[i], words[i]};
	iommu->registers = registers;
	iommu->n_registers = 2;
	return 0;
}

static int fill_page_sizes(struct host_iommu *iommu, struct arena *arena, bool two_megabytes,
			   bool one_gigabyte)
{
	uint64_t *sizes = arena_alloc_array(arena, 3, sizeof(*sizes));

	if (!sizes)
		return -ENOMEM;
	iommu->page_sizes = sizes;
	sizes[iommu->n_page_sizes++] = SIZE_4K;
	if (two_megabytes)
		sizes[iommu->n_page_sizes++] = SIZE_2M;
	if (one_gigabyte)
		sizes[iommu->n_page_sizes++] = SIZE_1G;
	return 0;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* First-stage addresses are sign-extended, and only the lower half is offered. */
static uint64_t vtd_first_stage_bits(uint64_t cap, uint64_t mgaw)
{
	bool five_levels = mgaw > 48 && cap & BIT(60);

	return lesser(five_levels ? 57 : 48, mgaw) - 1;
}

/* The largest table that both the widths of the table walk (SAGAW) and of addresses allow. */
static uint64_t vtd_second_stage_bits(uint64_t cap, uint64_t mgaw)
{
	uint64_t sagaw = FIELD(cap, 8, 5);

	if (mgaw > 48 && sagaw >= BIT(3))
		return lesser(57, mgaw);
	if (mgaw > 39 && sagaw >= BIT(2))
		return lesser(48, mgaw);
	return mgaw > 30 && sagaw >= BIT(1) ? lesser(39, mgaw) : HOST_UNKNOWN;
}

int decode_vtd(struct host_iommu *iommu, struct arena *arena, uint64_t cap, uint64_t ecap,
	       bool scalable)
{
	static const char *const names[] = {"cap", "ecap"};
	const uint64_t words[] = {cap, ecap}, mgaw = FIELD(cap, 16, 6) + 1;
	bool first_stage;
	int ret;

	scalable = scalable && ecap & BIT(43);
	first_stage = scalable && ecap & BIT(47);
	iommu->iova_bits =
		first_stage ? vtd_first_stage_bits(cap, mgaw) : vtd_second_stage_bits(cap, mgaw);
	iommu->nesting = scalable && ecap & BIT(26);
	iommu->dirty_tracking = scalable && ecap & BIT(45) && ecap & BIT(48);
	iommu->snoop_control = !!(ecap & BIT(7));
	iommu->pasid_bits = scalable && ecap & BIT(40) ? FIELD(ecap, 35, 5) + 1 : 0;
	ret = fill_page_sizes(iommu, arena, first_stage || cap & BIT(34),
			      first_stage ? !!(cap & BIT(56)) : !!(cap & BIT(35)));
	if (!ret)
		ret = fill(iommu, arena, vtd_flags, ARRAY_SIZE(vtd_flags), words);
	return ret ? ret : fill_registers(iommu, arena, names, words);
}

int decode_amd(struct host_iommu *iommu, struct arena *arena, uint64_t efr, uint64_t efr2)
{
	static const char *const names[] = {"efr", "efr2"};
	const uint64_t words[] = {efr, efr2}, levels = FIELD(efr, 10, 2);
	bool guest = efr & BIT(4);
	int ret;

	/* Host tables of 4, 5 or 6 levels; 3 is reserved, and Linux then translates nothing. */
	iommu->iova_bits = levels == 3 ? HOST_UNKNOWN : lesser(48 + 9 * levels, 64);
	iommu->nesting = guest && efr & BIT(48) && efr2 & BIT(3);
	iommu->dirty_tracking = !!(efr & BIT(52));
	iommu->snoop_control = 1; /* by a bit of each page-table entry */
	iommu->pasid_bits = guest ? FIELD(efr, 32, 5) + 1 : 0;
	/* Any power of two from 4K on; these have levels of their own. */
	ret = fill_page_sizes(iommu, arena, true, true);
	if (!ret)
		ret = fill(iommu, arena, amd_flags, ARRAY_SIZE(amd_flags), words);
	return ret ? ret : fill_registers(iommu, arena, names, words);
}
