// SPDX-License-Identifier: GPL-2.0-or-later
/* What the iommufd driver makes of the registers of IOMMUs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "driver/iommufd.h"

#define SIZES_4K_2M_1G (1ULL << 12 | 1ULL << 21 | 1ULL << 30)

static uint8_t pasid_bits = 5;

static struct device_info decode(uint32_t type, const void *data, size_t length)
{
	const struct iommufd_hw_info args = {
		.data_type = type,
		.data_len = (uint32_t)length,
		.out_max_pasid_log2 = pasid_bits,
		.out_capabilities = IOMMUFD_HW_CAP_DIRTY_TRACKING | IOMMUFD_HW_CAP_PASID_EXEC,
	};
	struct device_info info;

	iommufd_decode_info(&args, data, length, &info);
	return info;
}

static void assert_register(const struct device_info *info, const char *name, uint64_t value)
{
	for (size_t i = 0; i < info->n_registers; i++) {
		if (strcmp(info->registers[i].name, name))
			continue;
		assert_int_equal(info->registers[i].value, value);
		return;
	}
	fail_msg("no register %s", name);
}

/* As QEMU's intel-iommu shows it on Linux 7.3. */
static void test_vtd_of_39_bits(void **state)
{
	const struct iommufd_hw_info_vtd vtd = {
		.flags = 1, .cap_reg = 0xd2008c22260286, .ecap_reg = 0xf00f4e};
	struct device_info info = decode(IOMMUFD_HW_INFO_INTEL_VTD, &vtd, sizeof(vtd));

	(void)state;
	assert_string_equal(info.type, "vt-d");
	assert_int_equal(info.iova_bits, 39);
	assert_int_equal(info.page_sizes, 1ULL << 12 | 1ULL << 21 | 1ULL << 30);
	assert_false(info.nesting);
	assert_false(info.snoop_control);
	assert_true(info.dirty_tracking);
	assert_int_equal(info.pasid_bits, 5);
	assert_register(&info, "cap", 0xd2008c22260286);
	assert_register(&info, "ecap", 0xf00f4e);
	assert_register(&info, "flags", 1);
	assert_register(&info, "capabilities", 3);
}

static void test_vtd_field_by_field(void **state)
{
	static const struct {
		uint64_t cap, ecap;
		uint32_t iova_bits;
		uint64_t page_sizes;
		bool nesting, snoop;
	} cases[] = {
		/* 4 levels, 57 guest bits: the tables are the narrower. */
		{4ULL << 8 | 56ULL << 16, 0, 48, 1ULL << 12, false, false},
		/* 3 to 5 levels, 48 guest bits: the guest is. */
		{14ULL << 8 | 47ULL << 16 | 1ULL << 34, 1ULL << 26, 48, 1ULL << 12 | 1ULL << 21,
		 true, false},
		{8ULL << 8 | 63ULL << 16 | 3ULL << 34, 1ULL << 7, 57, SIZES_4K_2M_1G, false, true},
		/* No second-stage tables: first-stage ones, of 5 levels or 4. */
		{1ULL << 60 | 63ULL << 16, 0, 57, 1ULL << 12, false, false},
		{63ULL << 16, 0, 48, 1ULL << 12, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct iommufd_hw_info_vtd vtd = {.cap_reg = cases[i].cap,
							.ecap_reg = cases[i].ecap};
		struct device_info info = decode(IOMMUFD_HW_INFO_INTEL_VTD, &vtd, sizeof(vtd));

		assert_int_equal(info.iova_bits, cases[i].iova_bits);
		assert_int_equal(info.page_sizes, cases[i].page_sizes);
		assert_int_equal(info.nesting, cases[i].nesting);
		assert_int_equal(info.snoop_control, cases[i].snoop);
	}
}

static void test_smmuv3(void **state)
{
	struct iommufd_hw_info_arm_smmuv3 smmu = {
		.flags = 1,
		.idr = {0x3, 0x11, 0x22, 0x33, 0x44, 1U << 4 | 1U << 6},
		.iidr = 0x43b,
		.aidr = 2,
	};
	struct device_info info = decode(IOMMUFD_HW_INFO_ARM_SMMUV3, &smmu, sizeof(smmu));

	(void)state;
	assert_string_equal(info.type, "smmuv3");
	assert_int_equal(info.iova_bits, 48);
	assert_int_equal(info.page_sizes, SIZES_4K_2M_1G | 1ULL << 16 | 1ULL << 29);
	assert_true(info.nesting);
	assert_register(&info, "idr0", 3);
	assert_register(&info, "idr5", 0x50);
	assert_register(&info, "iidr", 0x43b);
	assert_register(&info, "aidr", 2);
	smmu.idr[0] = 1;
	smmu.idr[5] = 1U << 5 | 1U << 10;
	info = decode(IOMMUFD_HW_INFO_ARM_SMMUV3, &smmu, sizeof(smmu));
	assert_int_equal(info.iova_bits, 52);
	assert_int_equal(info.page_sizes, 1ULL << 14 | 1ULL << 25);
	assert_false(info.nesting);
}

static void test_amd(void **state)
{
	static const uint32_t widths[] = {48, 57, 64, 0};

	(void)state;
	for (uint64_t hats = 0; hats < 4; hats++) {
		const struct iommufd_hw_info_amd amd = {.efr = hats << 10 | (hats & 1) << 4,
							.efr2 = 0x77};
		struct device_info info = decode(IOMMUFD_HW_INFO_AMD, &amd, sizeof(amd));

		assert_string_equal(info.type, "amd");
		assert_int_equal(info.iova_bits, widths[hats]);
		assert_int_equal(info.page_sizes, SIZES_4K_2M_1G);
		assert_int_equal(info.nesting, hats & 1);
		assert_register(&info, "efr2", 0x77);
	}
}

static void test_mock(void **state)
{
	const uint32_t mock[2] = {0, 0xbeefdead};
	struct device_info info = decode(0xfeedbeef, mock, sizeof(mock));

	(void)state;
	assert_string_equal(info.type, "mock");
	assert_register(&info, "test_reg", 0xbeefdead);
}

/* An older kernel tells less, a newer one more; what isn't told is 0 and never read past. */
static void test_answers_of_other_lengths(void **state)
{
	const struct iommufd_hw_info_vtd vtd = {.cap_reg = 0xd2008c22260286, .ecap_reg = ~0ULL};
	unsigned char large[256] = {0};
	struct device_info info = decode(IOMMUFD_HW_INFO_INTEL_VTD, &vtd, 16);

	(void)state;
	assert_int_equal(info.iova_bits, 39);
	assert_false(info.nesting);
	assert_register(&info, "ecap", 0);
	memcpy(large, &vtd, sizeof(vtd));
	memset(large + sizeof(vtd), 0xff, sizeof(large) - sizeof(vtd));
	info = decode(IOMMUFD_HW_INFO_INTEL_VTD, large, sizeof(large));
	assert_int_equal(info.iova_bits, 39);
	assert_register(&info, "ecap", ~0ULL);
	info = decode(IOMMUFD_HW_INFO_ARM_SMMUV3, large, 0);
	assert_int_equal(info.page_sizes, 0);
}

static void test_types_without_a_meaning(void **state)
{
	struct device_info info = decode(IOMMUFD_HW_INFO_NONE, "", 0);

	(void)state;
	assert_string_equal(info.type, "none");
	assert_int_equal(info.iova_bits, 0);
	assert_int_equal(info.n_registers, 1);
	info = decode(99, "", 0);
	assert_string_equal(info.type, "none");
	assert_register(&info, "hw_info_type", 99);
	pasid_bits = 255;
	assert_int_equal(decode(99, "", 0).pasid_bits, 20);
	pasid_bits = 5;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vtd_of_39_bits),
		cmocka_unit_test(test_vtd_field_by_field),
		cmocka_unit_test(test_smmuv3),
		cmocka_unit_test(test_amd),
		cmocka_unit_test(test_mock),
		cmocka_unit_test(test_answers_of_other_lengths),
		cmocka_unit_test(test_types_without_a_meaning),
	};

	return cmocka_run_group_tests_name("iommufd-info", tests, NULL, NULL);
}
