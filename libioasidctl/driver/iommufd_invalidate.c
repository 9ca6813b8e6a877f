// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What became stale in the caches of a nested HWPT or viommu, in the format of its hardware. One
 * entry of the caller can become several of the kernel's (a range: one command for each page), so
 * it is remembered where the kernel's entries of each end.
 */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "driver/iommufd.h"

#define PAGE_SHIFT 12

/*
 * Commands of SMMUv3 (its specification, 4.3 and 4.4): all context descriptors of a stream; of the
 * translations, those of a virtual address for all ASIDs, and all.
 */
#define SMMU_CFGI_CD_ALL   0x06
#define SMMU_STREAM(id)	   ((uint64_t)(id) << 32)
#define SMMU_TLBI_NH_VAA   0x13
#define SMMU_TLBI_NSNH_ALL 0x30
#define SMMU_TLBI_LEAF	   (1ULL << 0)
#define SMMU_ADDRESS	   (~0ULL << PAGE_SHIFT)

/* A longer range is done as everything, which is never wrong and no slower by then. */
#define SMMU_PAGES_MAX 256

/* What a call can hold; the kernel takes no more than 1 << 19. */
#define ENTRIES_MAX (1U << 16)

struct batch {
	const char *name; /* of the nested IOASID or viommu */
	const struct iommufd_viommu *viommu; /* NULL: a nested HWPT */
	uint32_t type; /* the kernel's */
	size_t size; /* of an entry, bytes */
	unsigned char *raw;
	size_t n, capacity;
	uint32_t *ends; /* for each of the caller's entries: n after it */
};

static int add(struct batch *b, const void *entry, struct ioasidctl_error **err)
{
	if (b->n == ENTRIES_MAX)
		return error_new(err, ERROR_REFUSED, E2BIG,
				 "%s: more than %u entries to invalidate", b->name, ENTRIES_MAX);
	if (b->n == b->capacity) {
		size_t capacity = b->capacity ? 2 * b->capacity : 16;
		unsigned char *grown = reallocarray(b->raw, capacity, b->size);

		if (!grown)
			return error_nomem(err);
		b->raw = grown;
		b->capacity = capacity;
	}
	memcpy(b->raw + b->n++ * b->size, entry, b->size);
	return 0;
}

static int refuse_entry(const struct batch *b, const char *cause, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_REFUSED, EOPNOTSUPP, "can't invalidate that of %s", b->name);

	error_cause(err, "%s", cause);
	return ret;
}

static int add_vtd(struct batch *b, const struct invalidation *e, struct ioasidctl_error **err)
{
	struct iommufd_hwpt_vtd_s1_invalidate raw = {
		.npages = UINT64_MAX,
		.flags = e->leaf ? IOMMUFD_VTD_S1_INVALIDATE_LEAF : 0,
	};

	if (e->n_words)
		return refuse_entry(b, "tables of format vtd-s1 take everything or a range", err);
	if (!e->everything) {
		raw.addr = e->range.first & ~((1ULL << PAGE_SHIFT) - 1);
		raw.npages = (e->range.last >> PAGE_SHIFT) - (e->range.first >> PAGE_SHIFT) + 1;
	}
	return add(b, &raw, err);
}

static int add_command(struct batch *b, uint64_t first, uint64_t second,
		       struct ioasidctl_error **err)
{
	struct iommufd_viommu_arm_smmuv3_invalidate raw = {{htole64(first), htole64(second)}};

	return add(b, &raw, err);
}

static int add_smmuv3_all(struct batch *b, struct ioasidctl_error **err)
{
	int ret = 0;

	for (const struct iommufd_vdevice *d = b->viommu->vdevices; !ret && d; d = d->next)
		ret = add_command(b, SMMU_CFGI_CD_ALL | SMMU_STREAM(d->virt_id), 0, err);
	return ret ? ret : add_command(b, SMMU_TLBI_NSNH_ALL, 0, err);
}

static int add_smmuv3(struct batch *b, const struct invalidation *e, struct ioasidctl_error **err)
{
	uint64_t page = e->range.first >> PAGE_SHIFT, last = e->range.last >> PAGE_SHIFT;
	int ret = 0;

	if (e->n_words)
		return add_command(b, e->words[0], e->n_words > 1 ? e->words[1] : 0, err);
	if (e->everything)
		return add_smmuv3_all(b, err);
	if (last - page >= SMMU_PAGES_MAX)
		return add_command(b, SMMU_TLBI_NSNH_ALL, 0, err);
	for (; !ret && page <= last; page++)
		ret = add_command(b, SMMU_TLBI_NH_VAA,
				  ((page << PAGE_SHIFT) & SMMU_ADDRESS) |
					  (e->leaf ? SMMU_TLBI_LEAF : 0),
				  err);
	return ret;
}

static int add_mock(struct batch *b, const struct invalidation *e, struct ioasidctl_error **err)
{
	struct iommufd_hwpt_mock_invalidate raw = {
		.flags = e->everything ? IOMMUFD_MOCK_INVALIDATE_ALL : 0,
		.iotlb_id = e->n_words ? (uint32_t)e->words[0] : 0,
	};

	if (!e->everything && !e->n_words)
		return refuse_entry(b, "the mock IOMMU takes everything or the number of an entry",
				    err);
	return add(b, &raw, err);
}

/* The cache is that of a device; without a second word, of each that the viommu has. */
static int add_mock_viommu(struct batch *b, const struct invalidation *e,
			   struct ioasidctl_error **err)
{
	struct iommufd_viommu_mock_invalidate raw = {
		.flags = e->everything ? IOMMUFD_MOCK_INVALIDATE_ALL : 0,
		.cache_id = e->n_words ? (uint32_t)e->words[0] : 0,
	};
	int ret = 0;

	if (!e->everything && !e->n_words)
		return refuse_entry(b, "the mock IOMMU takes everything or the number of an entry",
				    err);
	if (e->n_words > 1) {
		raw.vdev_id = (uint32_t)e->words[1];
		return add(b, &raw, err);
	}
	for (const struct iommufd_vdevice *d = b->viommu->vdevices; !ret && d; d = d->next) {
		raw.vdev_id = (uint32_t)d->virt_id;
		ret = add(b, &raw, err);
	}
	return ret;
}

typedef int adder(struct batch *b, const struct invalidation *e, struct ioasidctl_error **err);

static adder *nested_format(enum table_format format, struct batch *b)
{
	switch (format) {
	case TABLE_VTD_S1:
		b->type = IOMMUFD_INVALIDATE_VTD_S1;
		b->size = sizeof(struct iommufd_hwpt_vtd_s1_invalidate);
		return add_vtd;
	case TABLE_MOCK:
		b->type = IOMMUFD_INVALIDATE_MOCK;
		b->size = sizeof(struct iommufd_hwpt_mock_invalidate);
		return add_mock;
	default:
		return NULL;
	}
}

static adder *viommu_format(enum viommu_type type, struct batch *b)
{
	if (type == VIOMMU_MOCK) {
		b->type = IOMMUFD_INVALIDATE_MOCK;
		b->size = sizeof(struct iommufd_viommu_mock_invalidate);
		return add_mock_viommu;
	}
	b->type = IOMMUFD_INVALIDATE_ARM_SMMUV3;
	b->size = sizeof(struct iommufd_viommu_arm_smmuv3_invalidate);
	return add_smmuv3;
}

static int find_format(const struct driver_fd *fd, uint32_t id, bool viommu, struct batch *b,
		       adder **out, struct ioasidctl_error **err)
{
	const struct iommufd_viommu *v = viommu ? iommufd_find_viommu(fd, id) : NULL;
	const struct iommufd_space *space = viommu ? NULL : iommufd_find_space(fd, id);
	int ret;

	if (v) {
		b->name = v->name;
		b->viommu = v;
		*out = viommu_format(v->type, b);
		return 0;
	}
	if (!space)
		return error_new(err, ERROR_KERNEL, ENOENT, "there is no %s %u",
				 viommu ? "viommu" : "nested IOASID", id);
	b->name = space->name;
	*out = nested_format(space->format, b);
	if (*out)
		return 0;
	ret = error_new(err, ERROR_REFUSED, EOPNOTSUPP, "%s has no cache to invalidate", b->name);
	if (space->format == TABLE_NONE)
		error_cause(err, "the kernel keeps the caches of a gpa IOASID itself");
	else
		error_cause(err, "caches of format %s belong to the viommu",
			    table_format_names[space->format]);
	if (space->format == TABLE_ARM_SMMUV3)
		error_hint(err, "invalidate those of its viommu instead");
	return ret;
}

int iommufd_invalidate(struct driver_fd *fd, uint32_t id, bool viommu,
		       const struct invalidation *entries, size_t n, size_t *done,
		       struct ioasidctl_error **err)
{
	struct iommufd_hwpt_invalidate args = {.hwpt_id = id};
	_cleanup_free_ unsigned char *raw = NULL;
	_cleanup_free_ uint32_t *ends = calloc(n ? n : 1, sizeof(*ends));
	struct batch b = {.ends = ends};
	adder *add_entry = NULL;
	int ret = find_format(fd, id, viommu, &b, &add_entry, err);

	*done = 0;
	if (!ends)
		return error_nomem(err);
	for (size_t i = 0; !ret && i < n; i++) {
		ret = add_entry(&b, &entries[i], err);
		ends[i] = (uint32_t)b.n;
	}
	raw = b.raw;
	if (ret)
		return ret;
	args.data_uptr = (uintptr_t)raw;
	args.data_type = b.type;
	args.entry_len = (uint32_t)b.size;
	args.entry_num = (uint32_t)b.n;
	if (b.n)
		ret = iommufd_hwpt_invalidate(fd, &args);
	while (*done < n && ends[*done] <= args.entry_num)
		(*done)++;
	if (ret)
		return iommufd_fail(err, "IOMMU_HWPT_INVALIDATE", ret,
				    "can't invalidate entry %zu of %zu of %s", *done + 1, n,
				    b.name);
	return 0;
}
