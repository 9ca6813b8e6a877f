// SPDX-License-Identifier: LGPL-2.1-or-later
/* viommus of the ioasid driver, what belongs to them, and caches of nested tables. */
#include <errno.h>
#include <inttypes.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "driver/ioasid.h"

_Static_assert((int)IOASID_VIOMMU_DEFAULT == (int)VIOMMU_DEFAULT, "one numbering");
_Static_assert((int)IOASID_VIOMMU_ARM_SMMUV3 == (int)VIOMMU_ARM_SMMUV3, "one numbering");
_Static_assert((int)IOASID_VIOMMU_TEGRA241_CMDQV == (int)VIOMMU_TEGRA241_CMDQV, "one numbering");
_Static_assert((int)IOASID_VIOMMU_MOCK == (int)VIOMMU_MOCK, "one numbering");

int ioasid_viommu_alloc(struct driver_fd *fd, const struct viommu *spec, uint32_t parent,
			struct driver_device *dev, uint32_t *id, struct ioasidctl_error **err)
{
	struct ioasid_viommu_args args = {
		.type = spec->type, .parent = parent, .cookie = dev->cookie};
	int ret = dev->owner == fd ? ioasid_call(fd, IOASID_VIOMMU_ALLOC, &args, sizeof(args))
				   : -ENOENT;

	if (ret) {
		ioasid_fail(err, IOASID_VIOMMU_ALLOC, ret, "can't allocate viommu %s", spec->name);
		ioasid_explain_viommu(fd, &args, ret, err);
		return ret;
	}
	*id = args.viommu;
	return 0;
}

int ioasid_vdevice_alloc(struct driver_fd *fd, uint32_t viommu, struct driver_device *dev,
			 uint64_t virt_id, uint32_t *id, struct ioasidctl_error **err)
{
	struct ioasid_vdevice_args args = {
		.viommu = viommu, .cookie = dev->cookie, .virt_id = virt_id};
	int ret = dev->owner == fd ? ioasid_call(fd, IOASID_VDEVICE_ALLOC, &args, sizeof(args))
				   : -ENOENT;

	if (ret)
		return ioasid_fail(err, IOASID_VDEVICE_ALLOC, ret,
				   "can't give device %s the id 0x%" PRIx64 " on viommu %u",
				   dev->name.name, virt_id, viommu);
	*id = args.vdevice;
	return 0;
}

int ioasid_queue_alloc(struct driver_fd *fd, uint32_t viommu, const struct hw_queue *spec,
		       uint32_t *id, struct ioasidctl_error **err)
{
	struct ioasid_hw_queue_args args = {
		.viommu = viommu, .index = spec->index, .iova = spec->iova, .length = spec->length};
	int ret = ioasid_call(fd, IOASID_HW_QUEUE_ALLOC, &args, sizeof(args));

	if (ret)
		return ioasid_fail(err, IOASID_HW_QUEUE_ALLOC, ret,
				   "can't make hardware queue %u of viommu %u", spec->index,
				   viommu);
	*id = args.queue;
	return 0;
}

static void put_entry(const struct invalidation *from, struct ioasid_invalidation *to)
{
	*to = (struct ioasid_invalidation){
		.flags = (from->everything ? IOASID_INVALIDATE_ALL : 0) |
			 (from->leaf ? IOASID_INVALIDATE_LEAF : 0),
		.n_words = (uint32_t)from->n_words,
		.first = from->range.first,
		.last = from->range.last,
	};
	for (size_t i = 0; i < from->n_words && i < ARRAY_SIZE(to->words); i++)
		to->words[i] = from->words[i];
}

int ioasid_invalidate(struct driver_fd *fd, uint32_t id, bool viommu,
		      const struct invalidation *entries, size_t n, size_t *done,
		      struct ioasidctl_error **err)
{
	_cleanup_free_ struct ioasid_invalidation *raw = NULL;
	struct ioasid_invalidate_args args = {.object = id, .n_entries = (uint32_t)n};
	int ret;

	*done = 0;
	if (n > IOASID_INVALIDATE_MAX)
		return error_new(err, ERROR_REFUSED, E2BIG,
				 "%zu invalidations at once are more than the device takes (%u)", n,
				 IOASID_INVALIDATE_MAX);
	raw = calloc(n + 1, sizeof(*raw));
	if (!raw)
		return error_nomem(err);
	for (size_t i = 0; i < n; i++)
		put_entry(&entries[i], &raw[i]);
	args.entries = (uintptr_t)raw;
	ret = ioasid_call(fd, IOASID_INVALIDATE_CACHE, &args, sizeof(args));
	if (!ret) {
		*done = n;
		return 0;
	}
	/* As long as it was, nobody has counted: one of them failed. */
	*done = args.n_entries < n ? args.n_entries : 0;
	return ioasid_fail(err, IOASID_INVALIDATE_CACHE, ret,
			   "can't invalidate caches of %s %u (%zu of %zu done)",
			   viommu ? "viommu" : "IOASID", id, *done, n);
}

int ioasid_viommu_probe(struct driver_fd *fd, uint32_t id)
{
	struct ioasid_invalidate_args args = {.object = id};

	return ioasid_call(fd, IOASID_INVALIDATE_CACHE, &args, sizeof(args));
}
