// SPDX-License-Identifier: LGPL-2.1-or-later
/* One IOMMU of a machine description. */
#include "refdev/machine_iommu.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"

/* As in configs; what the reference device has no code for is a fault. */
static const char *const table_names[] = {
	[IOASID_TABLE_VTD_S1] = "vtd-s1",
	[IOASID_TABLE_MOCK] = "mock",
	[IOASID_TABLE_X86_64] = "x86-64",
};

static const char *const viommu_names[] = {
	[IOASID_VIOMMU_DEFAULT] = "default",
	[IOASID_VIOMMU_ARM_SMMUV3] = "arm-smmuv3",
	[IOASID_VIOMMU_TEGRA241_CMDQV] = "tegra241-cmdqv",
	[IOASID_VIOMMU_MOCK] = "mock",
};

/* An array of names, each a bit. */
static int read_set(struct reader *r, const json_t *object, const char *key,
		    const char *const names[], size_t n_names, uint32_t *out)
{
	json_t *array, *value;
	size_t i, n;
	int ret = reader_array(r, object, key, 32, &array);

	if (ret)
		return ret;
	json_array_foreach (array, i, value) {
		const char *text = json_string_value(value);

		n = 0;
		while (n < n_names && !(text && names[n] && !strcmp(names[n], text)))
			n++;
		if (n == n_names)
			return reader_fail(r, key,
					   "expected names that ioasidctl.yaml(5) has for "
					   "this, of those that the reference device plays");
		*out |= 1U << n;
	}
	return 0;
}

static int read_page_sizes(struct reader *r, const json_t *object, uint64_t *out)
{
	json_t *array, *value;
	size_t i;
	int ret = reader_array(r, object, "page_sizes", 64, &array);

	if (ret)
		return ret;
	*out = 0;
	json_array_foreach (array, i, value) {
		const char *text = json_string_value(value);
		uint64_t size;

		if (!text || number_parse(text, &size) || !size || size & (size - 1))
			return reader_fail(r, "page_sizes", "expected powers of two in strings");
		*out |= size;
	}
	/* A page of a table holds 512 entries; bits 0 to 2 of an entry are flags. */
	if (!*out || __builtin_ctzll(*out) < 9 || __builtin_ctzll(*out) > 16)
		return reader_fail(r, "page_sizes", "expected a smallest size from 512 to 64K");
	return 0;
}

static int read_aperture(struct reader *r, const json_t *object, struct machine_iommu *iommu)
{
	static const char *const known[] = {"first", "last", NULL};
	json_t *aperture = json_object_get(object, "aperture");
	uint64_t end = UINT64_MAX >> (64 - iommu->address_bits);
	int ret;

	iommu->last = end;
	if (!aperture)
		return 0;
	reader_enter(r, "aperture", -1);
	ret = reader_object(r, aperture, known);
	if (!ret)
		ret = reader_number(r, aperture, "first", true, &iommu->first);
	if (!ret)
		ret = reader_number(r, aperture, "last", true, &iommu->last);
	if (!ret && (iommu->first > iommu->last || iommu->last > end))
		ret = reader_fail(r, NULL, "expected first <= last, within address_bits");
	reader_leave(r);
	return ret;
}

static int read_nesting(struct reader *r, const json_t *object, struct machine_iommu *iommu)
{
	int ret = reader_bool(r, object, "nesting", &iommu->nesting);

	if (!ret)
		ret = read_set(r, object, "nested_formats", table_names, ARRAY_SIZE(table_names),
			       &iommu->nested_formats);
	if (!ret)
		ret = read_set(r, object, "viommu_types", viommu_names, ARRAY_SIZE(viommu_names),
			       &iommu->viommu_types);
	if (!ret)
		ret = reader_integer(r, object, "hw_queues", false, 0, 128, &iommu->hw_queues);
	if (!ret && !iommu->nesting &&
	    (iommu->nested_formats || iommu->viommu_types || iommu->hw_queues))
		ret = reader_fail(r, "nesting",
				  "nested_formats, viommu_types and hw_queues want "
				  "nesting to be true");
	return ret;
}

int machine_read_iommu(struct reader *r, const json_t *object, struct machine_iommu *iommu)
{
	static const char *const known[] = {
		"name",		  "format",	    "address_bits",  "page_sizes", "aperture",
		"nesting",	  "dirty_tracking", "snoop_control", "pasid_bits", "info",
		"nested_formats", "viommu_types",   "hw_queues",     NULL};
	int ret = reader_object(r, object, known);

	if (!ret)
		ret = reader_text(r, object, "name", true, iommu->name, sizeof(iommu->name));
	if (!ret)
		ret = reader_text(r, object, "format", true, iommu->format, sizeof(iommu->format));
	if (!ret)
		ret = reader_integer(r, object, "address_bits", true, 20, 64, &iommu->address_bits);
	if (!ret)
		ret = read_page_sizes(r, object, &iommu->page_sizes);
	if (!ret)
		ret = read_aperture(r, object, iommu);
	if (!ret)
		ret = read_nesting(r, object, iommu);
	if (!ret)
		ret = reader_bool(r, object, "dirty_tracking", &iommu->dirty_tracking);
	if (!ret)
		ret = reader_bool(r, object, "snoop_control", &iommu->snoop_control);
	if (!ret)
		ret = reader_integer(r, object, "pasid_bits", false, 0, 20, &iommu->pasid_bits);
	return ret;
}
