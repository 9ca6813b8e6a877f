// SPDX-License-Identifier: LGPL-2.1-or-later
/* The HWPTs that the driver makes below a gpa IOASID, one or more for each, and dirty pages. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "driver/iommufd.h"

static bool device_uses(const struct driver_device *dev, uint32_t hwpt)
{
	for (size_t i = 0; i < dev->n_places; i++)
		if (dev->places[i].hwpt == hwpt)
			return true;
	return false;
}

static bool in_use(const struct driver_fd *fd, uint32_t hwpt)
{
	for (const struct driver_device *d = fd->devices; d; d = d->next)
		if (device_uses(d, hwpt))
			return true;
	for (const struct iommufd_space *s = fd->spaces; s; s = s->next)
		if (s->parent_hwpt == hwpt)
			return true;
	for (const struct iommufd_viommu *v = fd->viommus; v; v = v->next)
		if (v->parent_hwpt == hwpt)
			return true;
	return false;
}

static void destroy_unused(struct driver_fd *fd, struct iommufd_hwpt **link)
{
	struct iommufd_hwpt *hwpt = *link;
	int ret;

	if (in_use(fd, hwpt->id))
		return;
	/* Busy by somebody else, who has the same file: tried again with the next user to go. */
	ret = iommufd_destroy(fd, hwpt->id);
	if (ret && ret != -ENOENT)
		return;
	*link = hwpt->next;
	free(hwpt);
}

void iommufd_release_hwpt(struct driver_fd *fd, uint32_t id)
{
	for (struct iommufd_space *s = fd->spaces; s; s = s->next)
		for (struct iommufd_hwpt **link = &s->hwpts; *link; link = &(*link)->next) {
			if ((*link)->id != id)
				continue;
			/* While pages are tracked it may hold some that nobody has read. */
			if (!s->dirty)
				destroy_unused(fd, link);
			return;
		}
}

void iommufd_release_hwpts(struct driver_fd *fd, struct iommufd_space *space)
{
	struct iommufd_hwpt **link = &space->hwpts;

	while (*link) {
		struct iommufd_hwpt *hwpt = *link;

		destroy_unused(fd, link);
		if (*link == hwpt)
			link = &hwpt->next;
	}
}

static uint32_t hwpt_flags(const struct iommufd_space *space)
{
	static const struct {
		uint32_t flag, hwpt;
	} flags[] = {
		{IOASID_FLAG_NEST_PARENT, IOMMUFD_HWPT_NEST_PARENT},
		{IOASID_FLAG_DIRTY, IOMMUFD_HWPT_DIRTY_TRACKING},
		{IOASID_FLAG_PASID, IOMMUFD_HWPT_PASID},
		{IOASID_FLAG_FAULT_QUEUE, IOMMUFD_HWPT_HAS_FAULT_ID},
	};
	uint32_t set = 0;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (space->flags & flags[i].flag)
			set |= flags[i].hwpt;
	return set;
}

static int make_hwpt(struct driver_fd *fd, struct iommufd_space *space, struct driver_device *dev,
		     uint32_t *id, struct ioasidctl_error **err)
{
	struct iommufd_hwpt *hwpt = calloc(1, sizeof(*hwpt));
	struct iommufd_hwpt_alloc args = {
		.flags = hwpt_flags(space),
		.dev_id = dev->id,
		.pt_id = space->id,
		.fault_id = space->faults.id,
	};
	int ret;

	if (!hwpt)
		return error_nomem(err);
	ret = iommufd_hwpt_alloc(fd, &args);
	if (ret) {
		free(hwpt);
		iommufd_fail(err, "IOMMU_HWPT_ALLOC", ret,
			     "can't make a page table of %s for the IOMMU of %s", space->name,
			     dev->label);
		iommufd_explain_hwpt(fd, dev, space->flags, -ret, err);
		return ret;
	}
	if (space->dirty)
		ret = iommufd_set_dirty_tracking(fd, args.out_hwpt_id, true);
	if (ret) {
		free(hwpt);
		iommufd_destroy(fd, args.out_hwpt_id);
		return iommufd_fail(err, "IOMMU_HWPT_SET_DIRTY_TRACKING", ret,
				    "can't track dirty pages of %s for %s", space->name,
				    dev->label);
	}
	hwpt->id = args.out_hwpt_id;
	hwpt->next = space->hwpts;
	space->hwpts = hwpt;
	*id = hwpt->id;
	return 0;
}

/* 0 or the -errno of the last try; *end: there is no point in trying on. */
static int try_known(struct iommufd_space *space, uint32_t first,
		     const struct iommufd_hwpt_user *user, bool *end)
{
	int ret = -EINVAL;

	if (first != NO_OBJECT)
		ret = user->try(user->data, first);
	for (const struct iommufd_hwpt *h = space->hwpts; h && ret == -EINVAL; h = h->next)
		if (h->id != first)
			ret = user->try(user->data, h->id);
	*end = ret != -EINVAL;
	return ret;
}

int iommufd_with_hwpt(struct driver_fd *fd, struct iommufd_space *space, struct driver_device *dev,
		      const struct iommufd_hwpt_user *user, struct ioasidctl_error **err)
{
	const struct iommufd_place *whole = iommufd_find_place(dev, NO_PASID);
	uint32_t id = NO_OBJECT;
	bool end;
	int ret;

	ret = try_known(space, whole && whole->ioasid == space->id ? whole->hwpt : NO_OBJECT, user,
			&end);
	if (!end) {
		ret = make_hwpt(fd, space, dev, &id, err);
		if (ret)
			return ret;
		ret = user->try(user->data, id);
	}
	if (!ret)
		return 0;
	user->fail(user->data, ret, err);
	if (id != NO_OBJECT)
		iommufd_release_hwpt(fd, id);
	return ret;
}

static int find_tracked(const struct driver_fd *fd, uint32_t id, struct iommufd_space **out,
			struct ioasidctl_error **err)
{
	int ret;

	*out = iommufd_find_space(fd, id);
	if (*out && (*out)->flags & IOASID_FLAG_DIRTY)
		return 0;
	ret = error_new(err, ERROR_REFUSED, EOPNOTSUPP, "dirty pages of %s can't be tracked",
			*out ? (*out)->name : "this IOASID");
	error_cause(err, "it lacks dirty_tracking: true");
	error_hint(err, "add that to it in the config, and apply it");
	return ret;
}

int iommufd_dirty_set(struct driver_fd *fd, uint32_t ioasid, bool on, struct ioasidctl_error **err)
{
	struct iommufd_space *space;
	int ret = find_tracked(fd, ioasid, &space, err);

	if (ret)
		return ret;
	for (struct iommufd_hwpt *h = space->hwpts; h; h = h->next) {
		ret = iommufd_set_dirty_tracking(fd, h->id, on);
		if (!ret)
			continue;
		for (struct iommufd_hwpt *done = space->hwpts; done != h; done = done->next)
			iommufd_set_dirty_tracking(fd, done->id, space->dirty);
		return iommufd_fail(err, "IOMMU_HWPT_SET_DIRTY_TRACKING", ret,
				    "can't %s tracking dirty pages of %s", on ? "start" : "stop",
				    space->name);
	}
	space->dirty = on;
	if (!on)
		iommufd_release_hwpts(fd, space);
	return 0;
}

int iommufd_dirty_read(struct driver_fd *fd, uint32_t ioasid, const struct range *range,
		       uint64_t page_size, bool keep, uint64_t *bitmap,
		       struct ioasidctl_error **err)
{
	struct iommufd_space *space;
	int ret = find_tracked(fd, ioasid, &space, err);

	if (ret)
		return ret;
	if (range->last < range->first || range->last - range->first == UINT64_MAX)
		return error_new(err, ERROR_REFUSED, EINVAL, "no range to read dirty pages of");
	/* The kernel sets bits only, so each adds its own to those of the others. */
	for (const struct iommufd_hwpt *h = space->hwpts; h; h = h->next) {
		struct iommufd_hwpt_get_dirty_bitmap args = {
			.hwpt_id = h->id,
			.flags = keep ? IOMMUFD_DIRTY_BITMAP_NO_CLEAR : 0,
			.iova = range->first,
			.length = range->last - range->first + 1,
			.page_size = page_size,
			.data = (uintptr_t)bitmap,
		};

		ret = iommufd_get_dirty_bitmap(fd, &args);
		if (ret)
			return iommufd_fail(err, "IOMMU_HWPT_GET_DIRTY_BITMAP", ret,
					    "can't read the dirty pages of %s in 0x%" PRIx64
					    "-0x%" PRIx64,
					    space->name, range->first, range->last);
	}
	return 0;
}
