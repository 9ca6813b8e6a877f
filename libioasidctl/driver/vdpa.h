/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of the device calls for vDPA devices, which Linux hands out by /dev/vhost-vdpa-N.
 *
 *	vdpa.c		the partial vtable; making, opening, owning
 *	vdpa_iotlb.c	IOASIDs in a device's IOTLB: address spaces, virtqueue groups, mappings
 *	vdpa_calls.c	one typed wrapper for each ioctl and message
 *	vdpa_explain.c	why one failed
 *
 * Such a device translates by itself, or its parent does: the IOMMU fd doesn't know it. It has one
 * or more address spaces (ASIDs), and each group of its virtqueues uses one of them. So the
 * IOASIDs that it is in live in it as copies, kept up with every change of their mappings.
 */
#pragma once

#include "driver/linux.h"
#include "uapi/vhost.h"

#define VDPA_GROUPS_MAX 256

/* The whole device, or one of its virtqueue groups, in an IOASID. */
struct vdpa_place {
	uint32_t group; /* NO_INDEX: all that have no place of their own */
	struct iotlb_space space;
	uint32_t asid;
	uint64_t entries; /* mappings in it */
};

struct driver_device {
	const struct driver_env *env;
	char *label; /* "net0 (vdpa0)" */
	char *node; /* "/dev/vhost-vdpa-0", without root */
	int fd;
	dev_t number;
	int request; /* inotify, of the node; -1: there is none */
	bool owned; /* SET_OWNER was called: mappings can be made */
	uint64_t features; /* of the backend, as agreed on */
	uint32_t spaces, groups; /* how many it has */
	struct range usable; /* IOVAs */
	uint32_t group_asid[VDPA_GROUPS_MAX]; /* as last set */
	struct vdpa_place *places;
	size_t n_places;
};

/* vdpa_calls.c: 0 or -errno, and a line for the trace. */
int vhost_vdpa_call(const struct driver_device *dev, const char *name, unsigned long request,
		    void *args);
int vhost_vdpa_write(const struct driver_device *dev, uint32_t asid, uint8_t request,
		     const struct map_args *args);
/* The whole address space. */
int vhost_vdpa_clear(const struct driver_device *dev, uint32_t asid);

/* vdpa_explain.c: linux_fail() with what numbers mean here. */
int vdpa_fail(struct ioasidctl_error **err, const char *call, int ret, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* A mapping wasn't taken; the kernel tells nothing but EFAULT. */
void vdpa_explain_update(const struct driver_device *dev, const struct map_args *args,
			 struct ioasidctl_error **err);

/* vdpa_iotlb.c: of the vtable. */
int vdpa_iotlb_attach(struct driver_device *dev, uint32_t vq_group, const struct iotlb_space *space,
		      const struct iotlb_content *content, const struct iotlb_content *before,
		      struct ioasidctl_error **err);
int vdpa_iotlb_detach(struct driver_device *dev, uint32_t vq_group, struct ioasidctl_error **err);
int vdpa_iotlb_map(struct driver_device *dev, const struct iotlb_space *space,
		   const struct map_args *args, struct ioasidctl_error **err);
int vdpa_iotlb_unmap(struct driver_device *dev, const struct iotlb_space *space,
		     const struct map_args *args, struct ioasidctl_error **err);
bool vdpa_iotlb_has(const struct driver_device *dev, const struct iotlb_space *space);
void vdpa_iotlb_info(const struct driver_device *dev, struct iotlb_info *out);
