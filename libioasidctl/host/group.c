// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/group.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "host/device.h"
#include "host/root.h"
#include "host/sysfs.h"

/*
 * Drivers that leave DMA to others (driver_managed_dma in the kernel): VFIO's own, which are told
 * by the node they make or by their names, and these.
 */
bool host_driver_leaves_dma(const char *driver)
{
	static const char *const harmless[] = {"pci-stub", "pcieport"};

	if (strstr(driver, "vfio"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (!strcmp(driver, harmless[i]))
			return true;
	return false;
}

static void member_done(struct iommu_group_member *m)
{
	free(m->address);
	free(m->driver);
	free(m->node);
}

static int member_read(const char *dir, const char *address, struct iommu_group_member *out)
{
	struct iommu_group_member m = {.address = strdup(address)};
	int ret = m.address ? host_device_driver(dir, &m.driver) : -ENOMEM;

	if (!ret)
		ret = host_device_vfio(dir, &m.node);
	if (ret && ret != -ENOENT) {
		member_done(&m);
		return ret;
	}
	m.selector = host_device_selector(dir);
	m.bridge = host_device_class(dir) >> 16 == 0x06;
	m.in_the_way = m.driver && !m.node && !host_driver_leaves_dma(m.driver);
	*out = m;
	return 0;
}

int iommu_group_read(const char *root, uint32_t number, struct iommu_group *out)
{
	_cleanup_free_ char *devices =
		root_path(root, "/sys/kernel/iommu_groups/%u/devices", number);
	_cleanup_iommu_group_ struct iommu_group group = {.number = number};
	_cleanup_names_ struct name_list names = {0};
	int ret;

	if (!devices)
		return -ENOMEM;
	ret = sysfs_list(devices, &names);
	if (ret)
		return ret;
	group.members = calloc(names.n ? names.n : 1, sizeof(*group.members));
	if (!group.members)
		return -ENOMEM;
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_free_ char *dir = root_path(devices, "/%s", names.names[i]);

		if (!dir)
			return -ENOMEM;
		ret = member_read(dir, names.names[i], &group.members[group.n_members]);
		if (ret)
			return ret;
		group.n_members++;
	}
	*out = group;
	group = (struct iommu_group){0};
	return 0;
}

void iommu_group_done(struct iommu_group *group)
{
	for (size_t i = 0; i < group->n_members; i++)
		member_done(&group->members[i]);
	free(group->members);
	*group = (struct iommu_group){0};
}

int iommu_group_text(const struct iommu_group *group, bool only_in_the_way, char **text)
{
	_cleanup_free_ char *all = NULL;
	size_t size, listed = 0;
	FILE *f = open_memstream(&all, &size);

	*text = NULL;
	if (!f)
		return -ENOMEM;
	for (size_t i = 0; i < group->n_members; i++) {
		const struct iommu_group_member *m = &group->members[i];

		if (only_in_the_way && !m->in_the_way)
			continue;
		fprintf(f, "%s%s (%s)", listed++ ? ", " : "", m->address,
			m->driver ? m->driver : "no driver");
	}
	if (fclose(f))
		return -ENOMEM;
	if (listed)
		*text = steal_pointer(all);
	return 0;
}

/* "0x00000000fee00000 0x00000000feefffff msi" */
static int region_parse(char *line, struct reserved_region *out)
{
	char *rest = NULL, *first, *last, *type;

	first = strtok_r(line, " ", &rest);
	last = strtok_r(NULL, " ", &rest);
	type = strtok_r(NULL, " ", &rest);
	if (!type || number_parse(first, &out->first) || number_parse(last, &out->last) ||
	    out->last < out->first || strlen(type) >= sizeof(out->type))
		return -EINVAL;
	snprintf(out->type, sizeof(out->type), "%s", type);
	return 0;
}

int iommu_group_reserved(const char *root, uint32_t number, struct reserved_region **regions,
			 size_t *n)
{
	_cleanup_free_ char *path =
		root_path(root, "/sys/kernel/iommu_groups/%u/reserved_regions", number);
	_cleanup_free_ struct reserved_region *list = NULL;
	char text[SYSFS_TEXT_MAX], *rest = NULL;
	size_t count = 0;
	int ret;

	if (!path)
		return -ENOMEM;
	ret = sysfs_read(path, text, sizeof(text));
	if (ret)
		return ret;
	list = calloc(SYSFS_TEXT_MAX / 8, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		ret = region_parse(line, &list[count]);
		if (ret)
			return ret;
		count++;
	}
	*regions = steal_pointer(list);
	*n = count;
	return 0;
}
