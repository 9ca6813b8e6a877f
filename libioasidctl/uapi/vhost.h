/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What ioasidctl uses of the ABI of /dev/vhost-vdpa-N (Linux 5.7 and later). Our own names, see
 * uapi/iommufd.h.
 *
 * Only one process can have a node open, and only the process that called SET_OWNER can write to it
 * and touch virtqueues and their groups (EPERM); that stays so until it is closed. A message that
 * the kernel doesn't like is EFAULT, whatever is wrong with it.
 */
#pragma once

#include <stdint.h>
#include <sys/ioctl.h>

typedef uint64_t vhost_u64 __attribute__((aligned(8)));

#define VHOST_IOCTL_TYPE 0xaf

struct vhost_vdpa_range {
	vhost_u64 first, last;
};

struct vhost_vdpa_state {
	uint32_t index; /* of a virtqueue, or of a group */
	uint32_t num; /* a group, or an ASID */
};

#define VHOST_VDPA_FEATURES_GET	 _IOR(VHOST_IOCTL_TYPE, 0x26, uint64_t)
#define VHOST_VDPA_FEATURES_SET	 _IOW(VHOST_IOCTL_TYPE, 0x25, uint64_t)
#define VHOST_VDPA_OWN		 _IO(VHOST_IOCTL_TYPE, 0x01)
#define VHOST_VDPA_DEVICE_ID	 _IOR(VHOST_IOCTL_TYPE, 0x70, uint32_t)
#define VHOST_VDPA_IOVA_RANGE	 _IOR(VHOST_IOCTL_TYPE, 0x78, struct vhost_vdpa_range)
#define VHOST_VDPA_SPACES	 _IOR(VHOST_IOCTL_TYPE, 0x7a, uint32_t)
#define VHOST_VDPA_GROUP_TO_ASID _IOW(VHOST_IOCTL_TYPE, 0x7c, struct vhost_vdpa_state)
#define VHOST_VDPA_GROUPS	 _IOR(VHOST_IOCTL_TYPE, 0x81, uint32_t)

/* Bit numbers of the backend features. */
enum {
	VHOST_VDPA_F_MSG_V2 = 1,
	VHOST_VDPA_F_BATCH = 2,
	VHOST_VDPA_F_ASID = 3,
	VHOST_VDPA_F_PERSIST = 8, /* mappings survive a reset of the device */
};

enum { VHOST_VDPA_MESSAGE_V2 = 2 };

enum {
	VHOST_VDPA_UPDATE = 2,
	VHOST_VDPA_INVALIDATE = 3,
	/* Between these the device's table changes all at once, where it has one. */
	VHOST_VDPA_BATCH_BEGIN = 5,
	VHOST_VDPA_BATCH_END = 6,
};

enum { VHOST_VDPA_READ = 1, VHOST_VDPA_WRITE = 2 };

/* Written to the node. */
struct vhost_vdpa_message {
	uint32_t type; /* VHOST_VDPA_MESSAGE_V2 */
	uint32_t asid; /* with F_ASID */
	vhost_u64 iova;
	vhost_u64 size;
	vhost_u64 uaddr; /* in the process that owns the node */
	uint8_t perm;
	uint8_t request;
	uint8_t padding[38];
};
