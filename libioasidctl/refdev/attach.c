// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Attachments: what the DMA of a group, or of one PASID of it, goes through. The order of the
 * checks is Linux's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "refdev/memory.h"
#include "refdev/state.h"

/* Does a mapping or an allowed range of the IOASID need [first, last]? */
static bool is_needed(const struct refdev_ioasid *ioasid, uint64_t first, uint64_t last)
{
	if (itree_first(&ioasid->mappings, first, last))
		return true;
	for (size_t i = 0; i < ioasid->n_allowed; i++)
		if (ioasid->allowed[i].first <= last && ioasid->allowed[i].last >= first)
			return true;
	return false;
}

static int check_reserved(const struct refdev_ioasid *ioasid, const struct refdev_group *group)
{
	for (size_t i = 0; i < group->hw->n_reserved; i++)
		if (is_needed(ioasid, group->hw->reserved[i].first, group->hw->reserved[i].last))
			return -EADDRINUSE;
	return 0;
}

static int check_aperture(const struct refdev_ioasid *ioasid, const struct machine_iommu *iommu)
{
	if (iommu->first && is_needed(ioasid, 0, iommu->first - 1))
		return -EADDRINUSE;
	if (iommu->last != UINT64_MAX && is_needed(ioasid, iommu->last + 1, UINT64_MAX))
		return -EADDRINUSE;
	return 0;
}

static int check_alignment(const struct refdev_ioasid *ioasid, const struct machine_iommu *iommu)
{
	uint64_t smallest = iommu->page_sizes & -iommu->page_sizes, mask = smallest - 1;

	/* Memory comes in pages of the CPU: a larger IOMMU page could show its neighbours. */
	if (smallest > memory_page_size())
		return -EINVAL;
	if (smallest <= ioasid->alignment)
		return 0;
	for (struct itree_node *n = itree_first(&ioasid->mappings, 0, UINT64_MAX); n;
	     n = itree_next(&ioasid->mappings, n, 0, UINT64_MAX))
		if ((n->first | (n->last + 1) | ((struct refdev_mapping *)n)->vaddr) & mask)
			return -EADDRINUSE;
	return 0;
}

/* What the flags want and the IOMMU hasn't got. */
static int check_abilities(const struct refdev_ioasid *paging, const struct machine_iommu *iommu)
{
	if (paging->flags & IOASID_ALLOC_NEST_PARENT && !iommu->nesting)
		return -EOPNOTSUPP;
	if (paging->flags & IOASID_ALLOC_DIRTY && !iommu->dirty_tracking)
		return -EOPNOTSUPP;
	return 0;
}

int ioasid_realise(struct refdev_ioasid *ioasid, const struct refdev_group *group,
		   const struct machine_iommu *iommu, struct refdev_domain **out)
{
	int ret = check_abilities(ioasid, iommu);

	if (!ret)
		ret = check_aperture(ioasid, iommu);
	if (!ret)
		ret = check_alignment(ioasid, iommu);
	if (!ret)
		ret = ioasid_reserve(ioasid, group);
	return ret ? ret : domain_get(ioasid, iommu, out);
}

/* PASIDs and whole devices of a group side by side want the flag on both sides. */
static int check_pasid_flags(const struct refdev_group *group, const struct refdev_ioasid *ioasid,
			     uint32_t pasid)
{
	const struct refdev_attachment *whole = group_attachment(group, IOASID_NO_PASID);

	if (ioasid->flags & IOASID_ALLOC_PASID)
		return pasid != IOASID_NO_PASID && whole &&
				       !(whole->ioasid->flags & IOASID_ALLOC_PASID)
			       ? -EINVAL
			       : 0;
	if (pasid != IOASID_NO_PASID)
		return -EINVAL;
	for (const struct refdev_attachment *a = group->attachments; a; a = a->next_of_group)
		if (a != whole)
			return -EINVAL;
	return 0;
}

static int check_pasid(const struct refdev_device *device, uint32_t pasid)
{
	const struct refdev_group *group = device->group;

	if (pasid == IOASID_NO_PASID)
		return 0;
	if (!device_pasid_bits(device))
		return -EOPNOTSUPP;
	/* 0 stands for the whole device. Members that have no PASIDs don't count. */
	if (!pasid)
		return -EINVAL;
	for (size_t i = 0; i < group->hw->n_members; i++) {
		uint32_t bits = device_pasid_bits(group->members[i]);

		if (bits && pasid >> bits)
			return -EINVAL;
	}
	return 0;
}

static int check_nested(const struct refdev_device *device, const struct refdev_ioasid *ioasid,
			uint32_t pasid)
{
	const struct machine_iommu *iommu = device->group->hw->iommu;
	const struct refdev_viommu *viommu = ioasid->viommu;

	if (viommu ? iommu != viommu->iommu
		   : strcmp(iommu->format, ioasid->iommu->format) ||
			     !(iommu->nested_formats & 1U << ioasid->table.format))
		return -EINVAL;
	if (viommu && pasid == IOASID_NO_PASID &&
	    (!device->vdevice || device->vdevice->viommu != viommu))
		return -ENOENT;
	return 0;
}

static int check_members(const struct refdev_device *device, const struct refdev_ioasid *ioasid)
{
	const struct refdev_group *group = device->group;

	if (ioasid->flags & IOASID_ALLOC_FAULT && !device->hw->page_faults)
		return -ENODEV;
	if (!(ioasid->flags & IOASID_ALLOC_ENFORCE_SNOOP))
		return 0;
	for (size_t i = 0; i < group->hw->n_members; i++)
		if (group->members[i]->hw->no_snoop)
			return -EINVAL;
	return 0;
}

/* All that can fail; *domain is referenced, and there is room for what the group forbids. */
static int prepare(const struct refdev_device *device, struct refdev_ioasid *ioasid, uint32_t pasid,
		   struct refdev_domain **domain)
{
	struct refdev_ioasid *paging = ioasid_paging(ioasid);
	struct refdev_group *group = device->group;
	bool whole = pasid == IOASID_NO_PASID;
	int ret = check_abilities(paging, group->hw->iommu);

	if (!ret)
		ret = check_pasid_flags(group, ioasid, pasid);
	if (!ret && whole)
		ret = check_reserved(paging, group);
	if (!ret)
		ret = check_pasid(device, pasid);
	if (!ret && ioasid->parent)
		ret = check_nested(device, ioasid, pasid);
	if (!ret)
		ret = check_members(device, ioasid);
	return ret ? ret : ioasid_realise(paging, whole ? group : NULL, group->hw->iommu, domain);
}

static void leave(struct refdev_attachment *a)
{
	struct refdev_ioasid *ioasid = a->ioasid, *paging = ioasid_paging(ioasid);
	struct refdev_attachment **at = &ioasid->attachments;

	fault_drop(a, NULL);
	while (*at != a)
		at = &(*at)->next_of_ioasid;
	*at = a->next_of_ioasid;
	/* Its tag in the caches is free for another one's. */
	if (!ioasid->attachments)
		nested_forget(ioasid);
	ioasid->object.users--;
	domain_put(paging, a->domain);
	ioasid_refresh(paging);
}

static void enter(struct refdev_attachment *a, struct refdev_ioasid *ioasid,
		  struct refdev_domain *domain)
{
	a->ioasid = ioasid;
	a->domain = domain;
	a->next_of_ioasid = ioasid->attachments;
	ioasid->attachments = a;
	ioasid->object.users++;
	ioasid_refresh(ioasid_paging(ioasid));
}

static struct refdev_attachment *attachment_new(struct refdev_group *group, uint32_t pasid)
{
	struct refdev_attachment *a = calloc(1, sizeof(*a) + group->hw->n_members);

	if (a) {
		a->group = group;
		a->pasid = pasid;
	}
	return a;
}

static int attach_first(struct refdev_device *device, struct refdev_ioasid *ioasid, uint32_t pasid)
{
	struct refdev_group *group = device->group;
	struct refdev_attachment *a = attachment_new(group, pasid);
	struct refdev_domain *domain;
	int ret = a ? prepare(device, ioasid, pasid, &domain) : -ENOMEM;

	if (ret) {
		free(a);
		return ret;
	}
	a->next_of_group = group->attachments;
	group->attachments = a;
	enter(a, ioasid, domain);
	a->has[device->member] = true;
	a->n_devices = 1;
	return 0;
}

struct refdev_attachment *device_attachment(const struct refdev_device *device, uint32_t pasid)
{
	struct refdev_attachment *a = device->group ? group_attachment(device->group, pasid) : NULL;

	return a && a->has[device->member] ? a : NULL;
}

int device_attach(struct refdev_device *device, struct refdev_ioasid *ioasid, uint32_t pasid)
{
	struct refdev_attachment *a = group_attachment(device->group, pasid);
	struct refdev_domain *domain;
	int ret;

	if (!a)
		return attach_first(device, ioasid, pasid);
	if (a->ioasid == ioasid) {
		if (!a->has[device->member])
			a->n_devices++;
		a->has[device->member] = true;
		return 0;
	}
	/* Only a member that is in there may take the group somewhere else. */
	if (!a->has[device->member])
		return -EINVAL;
	ret = prepare(device, ioasid, pasid, &domain);
	if (ret)
		return ret;
	/* Nothing has failed, nothing can: no gap, no way back needed. */
	leave(a);
	enter(a, ioasid, domain);
	return 0;
}

bool device_detach(struct refdev_device *device, uint32_t pasid)
{
	struct refdev_attachment *a = device_attachment(device, pasid), **at;

	if (!a)
		return false;
	a->has[device->member] = false;
	if (--a->n_devices) {
		fault_drop(a, device);
		return true;
	}
	leave(a);
	at = &device->group->attachments;
	while (*at != a)
		at = &(*at)->next_of_group;
	*at = a->next_of_group;
	free(a);
	return true;
}

void device_detach_all(struct refdev_device *device)
{
	struct refdev_attachment *a = device->group->attachments;

	while (a) {
		struct refdev_attachment *next = a->next_of_group;

		device_detach(device, a->pasid);
		a = next;
	}
}
