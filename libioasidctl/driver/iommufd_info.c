// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What IOMMUs say of themselves. The bits are those of the vendors' specifications: Intel VT-d
 * (capability and extended capability registers, 11.4.2 and 11.4.3), ARM SMMUv3 (IDR0, IDR5, 6.3),
 * AMD I/O Virtualization (extended feature register, MMIO 0030h).
 */
#include <string.h>

#include "base/cleanup.h"
#include "driver/iommufd.h"

#define PAGE_4K	  (1ULL << 12)
#define PAGE_16K  (1ULL << 14)
#define PAGE_64K  (1ULL << 16)
#define PAGE_2M	  (1ULL << 21)
#define PAGE_32M  (1ULL << 25)
#define PAGE_512M (1ULL << 29)
#define PAGE_1G	  (1ULL << 30)

/* PCI has no wider ones. */
#define PASID_BITS_MAX 20

static uint64_t bits(uint64_t value, unsigned high, unsigned low)
{
	return (value >> low) & ((1ULL << (high - low + 1)) - 1);
}

static void add_register(struct device_info *out, const char *name, uint64_t value)
{
	if (out->n_registers == ARRAY_SIZE(out->registers))
		return;
	out->registers[out->n_registers].name = name;
	out->registers[out->n_registers].value = value;
	out->n_registers++;
}

static void decode_vtd(const void *data, struct device_info *out)
{
	const struct iommufd_hw_info_vtd *vtd = data;
	uint64_t cap = vtd->cap_reg, ecap = vtd->ecap_reg;
	uint32_t guest_bits = (uint32_t)bits(cap, 21, 16) + 1, table_bits = 0;

	/* Second-stage tables of 3, 4, 5 levels; without any, first-stage ones of 4 or 5. */
	for (unsigned level = 0; level < 3; level++)
		if (cap & (1ULL << (9 + level)))
			table_bits = 39 + 9 * level;
	if (!table_bits)
		table_bits = bits(cap, 60, 60) ? 57 : 48;
	out->iova_bits = guest_bits < table_bits ? guest_bits : table_bits;
	out->page_sizes =
		PAGE_4K | (bits(cap, 34, 34) ? PAGE_2M : 0) | (bits(cap, 35, 35) ? PAGE_1G : 0);
	out->nesting = bits(ecap, 26, 26);
	out->snoop_control = bits(ecap, 7, 7);
	add_register(out, "flags", vtd->flags);
	add_register(out, "cap", cap);
	add_register(out, "ecap", ecap);
}

static void decode_smmuv3(const void *data, struct device_info *out)
{
	static const char *const names[] = {"idr0", "idr1", "idr2", "idr3", "idr4", "idr5"};
	const struct iommufd_hw_info_arm_smmuv3 *smmu = data;
	uint32_t idr0 = smmu->idr[0], idr5 = smmu->idr[5];

	out->iova_bits = bits(idr5, 11, 10) == 1 ? 52 : 48;
	out->page_sizes = (bits(idr5, 4, 4) ? PAGE_4K | PAGE_2M | PAGE_1G : 0) |
			  (bits(idr5, 5, 5) ? PAGE_16K | PAGE_32M : 0) |
			  (bits(idr5, 6, 6) ? PAGE_64K | PAGE_512M : 0);
	/* Both stages; the kernel asks the same two bits before it lets a guest nest. */
	out->nesting = bits(idr0, 1, 0) == 3;
	add_register(out, "flags", smmu->flags);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		add_register(out, names[i], smmu->idr[i]);
	add_register(out, "iidr", smmu->iidr);
	add_register(out, "aidr", smmu->aidr);
}

static void decode_amd(const void *data, struct device_info *out)
{
	const struct iommufd_hw_info_amd *amd = data;
	uint64_t levels = 4 + bits(amd->efr, 11, 10); /* HATS; 3 is reserved */

	out->iova_bits = levels == 4 ? 48 : levels == 5 ? 57 : levels == 6 ? 64 : 0;
	/* The format takes any power of two from 4K on; these are its whole levels. */
	out->page_sizes = PAGE_4K | PAGE_2M | PAGE_1G;
	out->nesting = bits(amd->efr, 4, 4);
	add_register(out, "efr", amd->efr);
	add_register(out, "efr2", amd->efr2);
}

static void decode_mock(const void *data, struct device_info *out)
{
	const struct iommufd_hw_info_mock *mock = data;

	out->iova_bits = 31; /* up to IOMMUFD_TEST_APERTURE_LAST */
	out->page_sizes = IOMMUFD_TEST_PAGE_SIZE;
	out->nesting = true;
	add_register(out, "flags", mock->flags);
	add_register(out, "test_reg", mock->test_reg);
}

static const struct {
	uint32_t type;
	const char *name;
	void (*decode)(const void *data, struct device_info *out);
} types[] = {
	{IOMMUFD_HW_INFO_INTEL_VTD, "vt-d", decode_vtd},
	{IOMMUFD_HW_INFO_ARM_SMMUV3, "smmuv3", decode_smmuv3},
	{IOMMUFD_HW_INFO_AMD, "amd", decode_amd},
	{IOMMUFD_HW_INFO_MOCK, "mock", decode_mock},
};

void iommufd_decode_info(const struct iommufd_hw_info *args, const void *data, size_t length,
			 struct device_info *out)
{
	union {
		struct iommufd_hw_info_vtd vtd;
		struct iommufd_hw_info_arm_smmuv3 smmuv3;
		struct iommufd_hw_info_amd amd;
		struct iommufd_hw_info_mock mock;
	} raw = {0};

	memcpy(&raw, data, length < sizeof(raw) ? length : sizeof(raw));
	*out = (struct device_info){
		.type = "none",
		.dirty_tracking = args->out_capabilities & IOMMUFD_HW_CAP_DIRTY_TRACKING,
		.pasid_bits = args->out_max_pasid_log2 <= PASID_BITS_MAX ? args->out_max_pasid_log2
									 : PASID_BITS_MAX,
	};
	add_register(out, "capabilities", args->out_capabilities);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (types[i].type != args->data_type)
			continue;
		out->type = types[i].name;
		types[i].decode(&raw, out);
		return;
	}
	if (args->data_type != IOMMUFD_HW_INFO_NONE)
		add_register(out, "hw_info_type", args->data_type);
}
