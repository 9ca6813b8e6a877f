/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IOMMU groups: who is in them, who keeps them from being handed out, what addresses they lose. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/topology.h"

struct iommu_group_member {
	char *address;
	char *driver; /* NULL: none */
	char *node; /* its VFIO device node; NULL: none */
	enum selector selector; /* of its bus; SELECTOR_COUNT: none is for that bus */
	bool in_the_way; /* its driver does DMA of its own, so nobody else can have the group */
	bool bridge; /* of any kind (PCI class 0x06....): the machine hangs on it */
};

struct iommu_group {
	uint32_t number;
	struct iommu_group_member *members; /* by address */
	size_t n_members;
};

/* Whether a device bound to it leaves the rest of its group free to be handed out. */
bool host_driver_leaves_dma(const char *driver);

/* Reads /sys/kernel/iommu_groups/NUMBER. Members that vanish meanwhile are left out. 0, -errno. */
int iommu_group_read(const char *root, uint32_t number, struct iommu_group *out);
void iommu_group_done(struct iommu_group *group);
#define _cleanup_iommu_group_ __attribute__((cleanup(iommu_group_done)))

/*
 * "0000:03:01.0 (vfio-pci), 0000:03:02.0 (no driver)"; only_in_the_way: only those, *text NULL if
 * there are none. *text owned. 0 or -ENOMEM.
 */
int iommu_group_text(const struct iommu_group *group, bool only_in_the_way, char **text);

struct reserved_region {
	uint64_t first, last; /* inclusive */
	char type[20]; /* "msi", "direct", "direct-relaxable", "reserved" */
};

/* The IOVA ranges that no mapping may use; *regions owned, free(). 0 or -errno. */
int iommu_group_reserved(const char *root, uint32_t number, struct reserved_region **regions,
			 size_t *n);
