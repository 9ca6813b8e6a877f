/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What ioasidctl uses of the ABI of a VFIO device node (/dev/vfio/devices/vfioN), Linux 6.6 and
 * later. Our own names, see uapi/iommufd.h. `argsz` is the size of the struct the caller knows.
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
