/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the reference device holds, and the steps between its parts. All of it is guarded by the
 * lock of the refdev, which ioctl.c takes.
 *
 *	refdev -- devices, groups         the machine: as described, plus what became of it
 *	       -- files -- ioasids -- mappings, domains -> tables
 *	                -- devices (bound)
 *	group  -> ioasid, domain          what its DMA goes through
 */
#pragma once

#include <pthread.h>

#include "base/itree.h"
#include "refdev/machine.h"
#include "refdev/refdev.h"
#include "refdev/table.h"

struct refdev_device {
	const struct machine_device *hw;
	char driver[IOASID_NAME_SIZE]; /* host driver now; "" none */
	struct refdev_group *group; /* NULL: no IOMMU in front of it */
	struct refdev_file *file; /* bound to; NULL: to none */
	uint64_t cookie; /* there */
	bool attached; /* to the IOASID its group is in */
};

struct refdev_group {
	const struct machine_group *hw;
	struct refdev_device **members; /* hw->n_members of them */
	struct refdev_file *owner; /* NULL: the host */
	size_t n_bound, n_attached; /* devices of it */
	struct refdev_ioasid *ioasid; /* NULL: host or blocked */
	struct refdev_domain *domain; /* of that IOASID */
	struct refdev_group *next; /* in the same IOASID */
};

/* One piece of memory, pinned once however many mappings show it. */
struct refdev_pin {
	size_t refs;
	uint64_t size;
};

struct refdev_mapping {
	struct itree_node node; /* IOVA; first member */
	uint64_t vaddr;
	struct refdev_pin *pin;
	uint32_t flags; /* IOASID_MAP_* */
};

struct refdev_table {
	struct table *table;
	size_t refs; /* domains */
	struct refdev_table *next;
};

struct refdev_domain {
	const struct machine_iommu *iommu;
	struct refdev_table *table;
	size_t refs; /* groups */
	struct refdev_domain *next;
};

struct refdev_ioasid {
	uint32_t id;
	uint32_t flags; /* IOASID_ALLOC_* */
	struct refdev_file *file;
	struct itree mappings;
	uint64_t n_mappings, mapped_bytes;
	struct ioasid_range *allowed; /* sorted */
	size_t n_allowed;
	struct refdev_group *groups;
	struct refdev_domain *domains;
	struct refdev_table *tables;
	/* Derived from groups and domains by ioasid_refresh(). */
	uint64_t alignment;
	struct ioasid_range *permitted; /* sorted, disjoint */
	size_t n_permitted;
	struct ioasid_range *forbidden; /* scratch */
	size_t capacity; /* of forbidden; permitted has one more */
};

struct refdev_file {
	struct refdev *refdev;
	const struct machine_iommu *tied; /* its format; NULL: no device bound */
	struct refdev_ioasid **ioasids; /* sorted by id */
	size_t n_ioasids, ioasids_capacity;
	uint32_t next_id;
	struct refdev_device **devices; /* bound, sorted by cookie */
	size_t n_devices, devices_capacity;
	enum ioasid_accounting accounting;
	uint64_t pinned_bytes;
	struct refdev_file *next;
};

struct refdev {
	pthread_mutex_t lock;
	struct machine *machine;
	struct refdev_device *devices; /* machine->n_devices of them */
	struct refdev_group *groups; /* machine->n_groups of them */
	struct refdev_file *files;
};

/* ioasid.c */
struct refdev_ioasid *ioasid_find(const struct refdev_file *file, uint32_t id);
void ioasid_destroy(struct refdev_ioasid *ioasid); /* no group may be in it */
uint64_t ioasid_table_bytes(const struct refdev_ioasid *ioasid);
uint32_t ioasid_count_domains(const struct refdev_ioasid *ioasid);
uint32_t ioasid_count_attached(const struct refdev_ioasid *ioasid);
/* Makes room for what `group` forbids, so that ioasid_refresh() can't fail. 0 or -ENOMEM. */
int ioasid_reserve(struct refdev_ioasid *ioasid, const struct refdev_group *group);
void ioasid_refresh(struct refdev_ioasid *ioasid);

/* mapping.c */
void mappings_destroy(struct refdev_ioasid *ioasid);
/* Enters all mappings into a new table. 0, -ENOMEM or -EFAULT. */
int mappings_fill(struct refdev_ioasid *ioasid, struct table *table);

/* domain.c: the realisation of the IOASID for the IOMMU, made where there is none. */
int domain_get(struct refdev_ioasid *ioasid, const struct machine_iommu *iommu,
	       struct refdev_domain **out);
void domain_put(struct refdev_ioasid *ioasid, struct refdev_domain *domain);

/* group.c */
bool driver_is_viable(const char *driver); /* leaves its device to user space */
bool device_is_in_the_way(const struct refdev_device *device);
bool group_is_viable(const struct refdev_group *group);
enum ioasid_group_state group_state(const struct refdev_group *group);
int device_attach(struct refdev_device *device, struct refdev_ioasid *ioasid);
void device_detach(struct refdev_device *device);

/* device.c */
struct refdev_device *device_find_cookie(const struct refdev_file *file, uint64_t cookie);
void device_unbind(struct refdev_device *device);
uint32_t device_flags(const struct refdev_file *file, const struct refdev_device *device);
void device_name_write(const struct refdev_device *device, struct ioasid_device_name *out);

/* The calls, by what they are about; each gets its own struct, checked for size and flags. */
#define CALLS(X)                                                                           \
	X(CHECK_EXTENSION, check_extension, struct ioasid_extension_args, 0)               \
	X(ALLOC, ioasid_alloc, struct ioasid_alloc_args, UINT32_MAX)                       \
	X(FREE, ioasid_free, struct ioasid_free_args, 0)                                   \
	X(GET_INFO, ioasid_get_info, struct ioasid_info_args, 0)                           \
	X(MAP_DMA, map_dma, struct ioasid_map_args, IOASID_MAP_READ | IOASID_MAP_WRITE)    \
	X(UNMAP_DMA, unmap_dma, struct ioasid_unmap_args, 0)                               \
	X(COPY_DMA, copy_dma, struct ioasid_copy_args, IOASID_MAP_READ | IOASID_MAP_WRITE) \
	X(SET_ALLOWED, set_allowed, struct ioasid_allowed_args, 0)                         \
	X(QUERY_DEVICE, query_device, struct ioasid_query_args, 0)                         \
	X(BIND_DEVICE, bind_device, struct ioasid_bind_args, 0)                            \
	X(UNBIND_DEVICE, unbind_device, struct ioasid_unbind_args, 0)                      \
	X(DEVICE_GET_INFO, device_get_info, struct ioasid_device_info_args, 0)             \
	X(ATTACH, attach, struct ioasid_attach_args, 0)                                    \
	X(DETACH, detach, struct ioasid_detach_args, 0)                                    \
	X(LIST, list, struct ioasid_list_args, 0)                                          \
	X(GET_FD_INFO, fd_get_info, struct ioasid_fd_info_args, 0)                         \
	X(SET_ACCOUNTING, set_accounting, struct ioasid_accounting_args, 0)                \
	X(SET_HOST_DRIVER, set_host_driver, struct ioasid_host_driver_args, 0)             \
	X(TEST_DMA, test_dma, struct ioasid_test_dma_args, IOASID_DMA_WRITE)

#define X(command, function, type, flags) int call_##function(struct refdev_file *, type *);
CALLS(X)
#undef X
