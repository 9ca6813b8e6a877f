// SPDX-License-Identifier: LGPL-2.1-or-later
/* Groups: viability, and what their DMA goes through. */
#include <errno.h>
#include <string.h>

#include "refdev/memory.h"
#include "refdev/state.h"

/* Drivers that do no DMA of their own: they leave the device to user space. */
bool driver_is_viable(const char *driver)
{
	return !driver[0] || !strncmp(driver, "vfio-", 5) || !strcmp(driver, "vhost_vdpa") ||
	       !strcmp(driver, "pci-stub");
}

bool device_is_in_the_way(const struct refdev_device *device)
{
	return !device->hw->bridge && !driver_is_viable(device->driver);
}

bool group_is_viable(const struct refdev_group *group)
{
	for (size_t i = 0; i < group->hw->n_members; i++)
		if (device_is_in_the_way(group->members[i]))
			return false;
	return true;
}

enum ioasid_group_state group_state(const struct refdev_group *group)
{
	if (!group->owner)
		return IOASID_GROUP_HOST;
	return group->ioasid ? IOASID_GROUP_ATTACHED : IOASID_GROUP_BLOCKED;
}

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

static int check_ranges(const struct refdev_ioasid *ioasid, const struct refdev_group *group)
{
	const struct machine_iommu *iommu = group->hw->iommu;

	for (size_t i = 0; i < group->hw->n_reserved; i++)
		if (is_needed(ioasid, group->hw->reserved[i].first, group->hw->reserved[i].last))
			return -EADDRINUSE;
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

static int check_abilities(const struct refdev_ioasid *ioasid, const struct refdev_group *group)
{
	if (ioasid->flags & IOASID_ALLOC_NEST_PARENT && !group->hw->iommu->nesting)
		return -EOPNOTSUPP;
	if (!(ioasid->flags & IOASID_ALLOC_ENFORCE_SNOOP))
		return 0;
	for (size_t i = 0; i < group->hw->n_members; i++)
		if (group->members[i]->hw->no_snoop)
			return -EINVAL;
	return 0;
}

static void leave(struct refdev_group *group)
{
	struct refdev_ioasid *ioasid = group->ioasid;
	struct refdev_group **at = &ioasid->groups;

	while (*at != group)
		at = &(*at)->next;
	*at = group->next;
	domain_put(ioasid, group->domain);
	group->ioasid = NULL;
	group->domain = NULL;
	ioasid_refresh(ioasid);
}

/* All that can fail comes before the group leaves where it was: no gap, no way back needed. */
static int enter(struct refdev_group *group, struct refdev_ioasid *ioasid)
{
	struct refdev_domain *domain;
	int ret = check_abilities(ioasid, group);

	if (!ret)
		ret = check_ranges(ioasid, group);
	if (!ret)
		ret = check_alignment(ioasid, group->hw->iommu);
	if (!ret)
		ret = ioasid_reserve(ioasid, group);
	if (!ret)
		ret = domain_get(ioasid, group->hw->iommu, &domain);
	if (ret)
		return ret;
	if (group->ioasid)
		leave(group);
	group->ioasid = ioasid;
	group->domain = domain;
	group->next = ioasid->groups;
	ioasid->groups = group;
	ioasid_refresh(ioasid);
	return 0;
}

int device_attach(struct refdev_device *device, struct refdev_ioasid *ioasid)
{
	struct refdev_group *group = device->group;
	int ret;

	if (group->ioasid != ioasid) {
		/* Only a member that is in there may take the group somewhere else. */
		if (group->ioasid && !device->attached)
			return -EINVAL;
		ret = enter(group, ioasid);
		if (ret)
			return ret;
	}
	if (!device->attached) {
		device->attached = true;
		group->n_attached++;
	}
	return 0;
}

void device_detach(struct refdev_device *device)
{
	if (!device->attached)
		return;
	device->attached = false;
	if (!--device->group->n_attached)
		leave(device->group);
}
