/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The whole host: IOMMUs, groups, devices, nodes, who holds what, what the kernel can do and what
 * this process may lock. Read once, from sysfs, /proc and /dev below one root; texts live as long
 * as the inventory. Numbers that aren't known are HOST_UNKNOWN, texts NULL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "host/features.h"
#include "host/holders.h"
#include "host/memlock.h"
#include "host/node.h"

#define HOST_UNKNOWN UINT64_MAX

struct host_register {
	const char *name; /* as the hardware's manual calls it: "cap", "ecap", "efr" */
	uint64_t value;
};

struct host_iommu {
	const char *name; /* in /sys/class/iommu: "dmar0" */
	const char *type; /* of host_iommu_types */
	const char *device; /* it is itself: "0000:00:00.2"; NULL: none */
	/* What the registers in sysfs come to; unknown where a driver shows none (SMMUs). */
	uint64_t iova_bits; /* width of the I/O virtual addresses that Linux translates with it */
	const uint64_t *page_sizes; /* bytes; NULL: not told */
	size_t n_page_sizes;
	uint64_t nesting, dirty_tracking, snoop_control; /* 0 or 1 */
	uint64_t pasid_bits; /* 0: no PASIDs */
	const char **capabilities; /* everything decoded that is a yes or no: "device-tlb" */
	size_t n_capabilities;
	const struct host_register *registers;
	size_t n_registers;
	uint64_t devices; /* how many sit behind it */
};

/* Types: identifier, name in JSON, and how its name begins where its driver shows nothing else. */
#define HOST_IOMMU_TYPES(X)                       \
	X(VTD, "vt-d", NULL)                      \
	X(AMD, "amd", NULL)                       \
	X(SMMUV3, "smmuv3", "smmu3.")             \
	X(SMMU, "smmu", "smmu.")                  \
	X(VIRTIO, "virtio", NULL)                 \
	X(RISCV, "riscv", "riscv-iommu@")         \
	X(S390, "s390", "s390-iommu.")            \
	X(MOCK, "mock", "iommufd_selftest_iommu") \
	X(OTHER, "other", "")

enum host_iommu_type {
#define X(id, name, beginning) HOST_IOMMU_##id,
	HOST_IOMMU_TYPES(X)
#undef X
		HOST_IOMMU_TYPES_COUNT
};

/* NULL at the end. */
extern const char *const host_iommu_types[];

/*
 * The IOMMU in front of the device whose directory (with root) is `dir`. Texts live as long as the
 * arena. 0; -ENOENT: sysfs shows none; -errno.
 */
int host_iommu_of(const char *root, const char *dir, struct arena *arena, struct host_iommu *out);

struct host_device {
	const char *bus; /* as sysfs calls it: pci, mdev, vdpa, platform... */
	const char *address;
	const char *parent; /* mdev, vdpa: the device that it is made on */
	/* PCI only */
	const char *vendor, *device; /* ids, "0x8086" */
	const char *class; /* "0x020000" */
	const char *vendor_name, *device_name, *class_name; /* by pci.ids */
	uint64_t bridge; /* 0 or 1: to another PCI bus */
	uint64_t pasid_bits; /* of the PASID capability; 0: it has none */
	const char *physical_function; /* of a VF */
	uint64_t max_virtual_functions; /* a PF may have */
	const char **virtual_functions; /* a PF has, by index */
	size_t n_virtual_functions;

	const char *mdev_type;
	uint64_t numa_node;
	const char *driver; /* bound to */
	const char *driver_override; /* set in sysfs: no other driver may take it */
	const char *driver_origin; /* of host_driver_origins; NULL: not told, or no driver */
	uint64_t group;
	const char *iommu; /* name of the one in front of it */
	const char *node; /* that hands it out: /dev/vfio/devices/vfio0, /dev/vhost-vdpa-0 */
};

/* "override": by driver_override; "match": the driver knows devices like it. NULL at the end. */
extern const char *const host_driver_origins[];

struct host_reserved {
	uint64_t first, last; /* IOVA, inclusive */
	const char *type; /* "msi", "direct", "direct-relaxable", "reserved" */
};

struct host_group {
	uint64_t id;
	const char *type; /* of the domain that the host uses it with: DMA, DMA-FQ, identity... */
	const char *iommu; /* in front of its members */
	uint64_t viable; /* 0 or 1: no member is in the way of handing it out */
	const char **members; /* addresses */
	size_t n_members;
	const char **in_the_way; /* those that a host driver uses */
	size_t n_in_the_way;
	const struct host_reserved *reserved;
	size_t n_reserved;
	const char *node; /* /dev/vfio/7; NULL: no member is bound to VFIO */
};

struct host {
	struct kernel_features kernel;
	struct memlock memlock; /* of this process, or of who captured the tree */
	bool memlock_known;
	uint64_t memlock_used; /* of all processes of that user that hold nodes, bytes */
	bool translates; /* there are IOMMU groups, also if a filter keeps none */
	struct host_iommu *iommus; /* by name */
	size_t n_iommus;
	struct host_group *groups; /* by number */
	size_t n_groups;
	struct host_device *devices; /* by bus and address */
	size_t n_devices;
	const char **pci_drivers; /* that are there now, by name */
	size_t n_pci_drivers;
	struct host_nodes nodes;
	struct node_holders holders;
	const char *
		*unseen; /* what this process couldn't see, and what would help, a sentence each */
	size_t n_unseen;
	struct arena arena;
};

/*
 * Reads it all; release with host_done() also after a failure. What can't be read for lack of
 * permission is left out, and `unseen` says so. -ENOENT: there is no sysfs below root; -ENOMEM.
 */
int host_read(const char *root, struct host *out, struct ioasidctl_error **err);
void host_done(struct host *host);
#define _cleanup_host_ __attribute__((cleanup(host_done)))

/* What to keep; NULL and HOST_UNKNOWN: everything. */
struct host_filter {
	const char *device; /* address; PCI also without its domain 0000 */
	uint64_t group;
	const char *driver; /* bound to it */
};

/*
 * Keeps the groups that have a device which passes, whole, with what belongs to them: a group can
 * only be judged with all its members. -ENODEV: there is no such device or group.
 */
int host_apply_filter(struct host *host, const struct host_filter *filter,
		      struct ioasidctl_error **err);
