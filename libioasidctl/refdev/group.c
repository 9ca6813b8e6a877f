// SPDX-License-Identifier: LGPL-2.1-or-later
/* Groups: viability, state. */
#include <string.h>

#include "refdev/state.h"

/* Drivers that do no DMA of their own: they leave the device to user space. */
bool driver_is_viable(const char *driver)
{
	return !driver[0] || strstr(driver, "vfio") || !strcmp(driver, "vhost_vdpa") ||
	       !strcmp(driver, "pci-stub") || !strcmp(driver, "pcieport");
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
	return group_attachment(group, IOASID_NO_PASID) ? IOASID_GROUP_ATTACHED
							: IOASID_GROUP_BLOCKED;
}

struct refdev_attachment *group_attachment(const struct refdev_group *group, uint32_t pasid)
{
	struct refdev_attachment *a = group->attachments;

	while (a && a->pasid != pasid)
		a = a->next_of_group;
	return a;
}
