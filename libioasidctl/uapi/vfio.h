/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What ioasidctl uses of the ABI of VFIO: its device nodes (/dev/vfio/devices/vfioN, Linux 6.6 and
 * later), and its containers (/dev/vfio/vfio) and groups (/dev/vfio/N) with the IOMMU type "type 1
 * v2". Our own names, see uapi/iommufd.h. `argsz` is the size of the struct the caller knows.
 */
#pragma once

#include <stdint.h>
#include <sys/ioctl.h>

typedef uint64_t vfio_u64 __attribute__((aligned(8)));

#define VFIO_DEV_IOCTL(n) _IO(';', 100 + (n))

enum {
	VFIO_DEV_GET_INFO = VFIO_DEV_IOCTL(7),
	VFIO_DEV_SET_IRQS = VFIO_DEV_IOCTL(10),
	VFIO_DEV_FEATURE = VFIO_DEV_IOCTL(17),
	VFIO_DEV_BIND_IOMMUFD = VFIO_DEV_IOCTL(18),
	VFIO_DEV_ATTACH_IOMMUFD_PT = VFIO_DEV_IOCTL(19),
	VFIO_DEV_DETACH_IOMMUFD_PT = VFIO_DEV_IOCTL(20),
};

struct vfio_dev_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t num_regions;
	uint32_t num_irqs;
	uint32_t cap_offset;
	uint32_t pad;
};

enum { VFIO_DEV_BIND_TOKEN = 1 << 0 };

/* Once for each open of the node; undone by closing it. */
struct vfio_dev_bind_iommufd {
	uint32_t argsz;
	uint32_t flags;
	int32_t iommufd;
	uint32_t out_devid; /* the device's id on the iommufd */
	vfio_u64 token_uuid_ptr; /* 16 bytes, with TOKEN */
};

enum { VFIO_DEV_ATTACH_PASID = 1 << 0 };

/* On an attached device (or PASID) it replaces without a gap. */
struct vfio_dev_attach_iommufd_pt {
	uint32_t argsz;
	uint32_t flags;
	uint32_t pt_id; /* in: IOAS or HWPT; out: the HWPT it came to */
	uint32_t pasid;
};

enum { VFIO_DEV_DETACH_PASID = 1 << 0 };

struct vfio_dev_detach_iommufd_pt {
	uint32_t argsz;
	uint32_t flags;
	uint32_t pasid;
};

enum {
	VFIO_DEV_IRQ_EVENTFD = 1 << 2, /* data: an eventfd for each; -1 takes it away */
	VFIO_DEV_IRQ_TRIGGER = 1 << 5, /* is signalled when the interrupt comes */
};

/* Of a PCI device: not an interrupt, but the kernel's wish that the device be closed. */
enum { VFIO_DEV_PCI_REQUEST = 4 };

/* With one eventfd. */
struct vfio_dev_irq_set {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t start;
	uint32_t count;
	int32_t eventfd;
};

/* Which feature is in the low 16 bits of flags. */
enum {
	VFIO_DEV_DMA_BUF = 11,
	VFIO_DEV_FEATURE_GET = 1 << 16,
};

struct vfio_dev_feature {
	uint32_t argsz;
	uint32_t flags;
	/* data of the feature */
};

struct vfio_dev_dma_range {
	uint64_t offset; /* bytes, whole pages */
	uint64_t length;
};

/* GET exports parts of a BAR as a dma-buf; the ioctl returns its descriptor. Linux 6.19. */
struct vfio_dev_feature_dma_buf {
	uint32_t region_index; /* the BAR's number */
	uint32_t open_flags; /* of open(2) */
	uint32_t flags; /* 0 */
	uint32_t nr_ranges;
	/* struct vfio_dev_dma_range[nr_ranges] */
};

/* Of a container. Until it has a type, which takes a group in it, nothing else works on it. */
enum {
	VFIO_CONT_API_VERSION = VFIO_DEV_IOCTL(0), /* returns it */
	VFIO_CONT_CHECK_EXTENSION = VFIO_DEV_IOCTL(1), /* by value; returns 0: no */
	VFIO_CONT_SET_TYPE = VFIO_DEV_IOCTL(2), /* by value */
};

#define VFIO_CONT_VERSION 0

/* An IOMMU type, and an extension that says whether there is such. */
#define VFIO_CONT_TYPE1_V2 3

/* Of a group. It leaves its container when the last device of it is closed and it's told to. */
enum {
	VFIO_GRP_STATUS = VFIO_DEV_IOCTL(3),
	VFIO_GRP_SET_CONTAINER = VFIO_DEV_IOCTL(4), /* int *: the container's descriptor */
	VFIO_GRP_UNSET_CONTAINER = VFIO_DEV_IOCTL(5),
	/* char *: its name in sysfs; returns a descriptor. */
	VFIO_GRP_OPEN_DEVICE = VFIO_DEV_IOCTL(6),
};

enum {
	VFIO_GRP_VIABLE = 1 << 0, /* no member has a host driver */
	VFIO_GRP_HAS_CONTAINER = 1 << 1,
};

struct vfio_grp_status {
	uint32_t argsz;
	uint32_t flags;
};

/* Of a container of type 1. */
enum {
	VFIO_T1_INFO = VFIO_DEV_IOCTL(12),
	VFIO_T1_MAP = VFIO_DEV_IOCTL(13),
	VFIO_T1_UNMAP = VFIO_DEV_IOCTL(14),
	VFIO_T1_DIRTY = VFIO_DEV_IOCTL(17),
};

enum {
	VFIO_T1_INFO_PGSIZES = 1 << 0, /* iova_pgsizes is there */
	VFIO_T1_INFO_CAPS = 1 << 1, /* cap_offset is there */
};

/* Where it is too short for the capabilities, argsz becomes what it takes and cap_offset 0. */
struct vfio_t1_info {
	uint32_t argsz;
	uint32_t flags;
	vfio_u64 iova_pgsizes; /* bit n: pages of 2^n bytes */
	uint32_t cap_offset; /* of the first capability, from the start of this struct */
	uint32_t pad;
};

struct vfio_cap {
	uint16_t id;
	uint16_t version;
	uint32_t next; /* offset of the next one, from the start of the info; 0: the last */
};

enum {
	VFIO_T1_CAP_IOVA_RANGE = 1,
	VFIO_T1_CAP_MIGRATION = 2,
	VFIO_T1_CAP_DMA_AVAIL = 3,
};

struct vfio_t1_iova_range {
	vfio_u64 start, end; /* inclusive */
};

struct vfio_t1_cap_iova_range {
	struct vfio_cap cap;
	uint32_t nr_iovas;
	uint32_t reserved;
	struct vfio_t1_iova_range ranges[];
};

struct vfio_t1_cap_migration {
	struct vfio_cap cap;
	uint32_t flags;
	vfio_u64 pgsize_bitmap; /* page sizes that dirty pages can be asked for */
	vfio_u64 max_dirty_bitmap_size; /* bytes */
};

struct vfio_t1_cap_dma_avail {
	struct vfio_cap cap;
	uint32_t avail; /* mappings that can still be made */
};

enum {
	VFIO_T1_MAP_READ = 1 << 0,
	VFIO_T1_MAP_WRITE = 1 << 1,
	VFIO_T1_MAP_VADDR = 1 << 2, /* gives an existing mapping, invalidated before, a new vaddr */
};

struct vfio_t1_map {
	uint32_t argsz;
	uint32_t flags;
	vfio_u64 vaddr;
	vfio_u64 iova;
	vfio_u64 size;
};

/* Takes away whole mappings only; size becomes the bytes unmapped. */
struct vfio_t1_unmap {
	uint32_t argsz;
	uint32_t flags;
	vfio_u64 iova;
	vfio_u64 size;
};

struct vfio_t1_bitmap {
	vfio_u64 pgsize;
	vfio_u64 size; /* bytes of data, a multiple of 8 */
	vfio_u64 data; /* pointer */
};

enum {
	VFIO_T1_DIRTY_START = 1 << 0,
	VFIO_T1_DIRTY_STOP = 1 << 1,
	VFIO_T1_DIRTY_GET = 1 << 2,
};

/* START and STOP take argsz and flags alone. */
struct vfio_t1_dirty {
	uint32_t argsz;
	uint32_t flags;
	vfio_u64 iova; /* GET: a range that cuts no mapping */
	vfio_u64 size;
	struct vfio_t1_bitmap bitmap;
};
