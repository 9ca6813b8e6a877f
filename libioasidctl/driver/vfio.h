/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of the vfio driver: what its files share. vfio.c holds the vtable, vfio_container.c the
 * IOASIDs and their mappings, vfio_group.c which group is in which container, vfio_device.c
 * devices, vfio_info.c reads what a container says of itself, vfio_dirty.c dirty pages,
 * vfio_calls.c has one typed wrapper for each ioctl, vfio_explain.c why one failed.
 *
 * An IOASID is a container (an open /dev/vfio/vfio), so a driver_fd holds any number of them. A
 * container has a page table only while a group is in it: with the last group all of its mappings
 * go. So the driver remembers them, and makes them anew when a group comes. A group changes
 * containers only while all of its devices are closed: their DMA stops meanwhile.
 */
#pragma once

#include "driver/linux.h"
#include "driver/vfio_mappings.h"
#include "uapi/vfio.h"

struct vfio_container {
	uint32_t id;
	int fd;
	size_t n_groups; /* in it; 0: the kernel knows nothing of it */
	struct vfio_mappings mappings;
	struct range *allow; /* sorted, disjoint; owned */
	size_t n_allow;
	bool dirty; /* dirty pages are to be tracked */
	struct vfio_container *next;
};

/* An open group, for as long as a device of it is bound to the driver_fd. */
struct vfio_group {
	uint32_t number;
	char *node; /* "/dev/vfio/8", without root */
	int fd;
	struct vfio_container *container; /* NULL: in none */
	struct vfio_group *next;
};

struct driver_fd {
	const struct driver_env *env;
	char *node; /* without root */
	uint32_t last_id;
	struct vfio_container *containers;
	struct vfio_group *groups;
	struct driver_device *devices; /* bound to it */
};

struct driver_device {
	const struct driver_env *env;
	char *label; /* for messages: "nic0 (0000:01:00.0)" */
	char *name; /* in sysfs: "0000:01:00.0" */
	char *dir; /* in sysfs, with root */
	enum selector selector;
	uint32_t group_number;
	int fd; /* open while its group is in a container and it was attached; else -1 */
	int request; /* eventfd, see device_request_fd(); -1: not asked for */
	struct driver_fd *owner; /* bound to; NULL: not bound, or that fd is closed */
	struct vfio_group *group; /* once bound */
	struct driver_device *next; /* of the owner's */
};

/* What a container says of itself. */
struct vfio_info {
	uint64_t page_sizes; /* bit n: pages of 2^n bytes */
	struct range *ranges; /* usable IOVA, sorted; owned, vfio_info_done() */
	size_t n_ranges;
	bool limited; /* `available` is told */
	uint32_t available; /* mappings that can still be made */
};

/*
 * One wrapper for each call: 0 (or what the call returns) or -errno, and a line for the trace.
 */
int vfio_open_container(const struct driver_env *env, const char *node,
			struct ioasidctl_error **err);
int vfio_set_type(struct driver_fd *fd, const struct vfio_container *c);
int vfio_type1_info(struct driver_fd *fd, const struct vfio_container *c,
		    struct vfio_t1_info *args);
int vfio_type1_map(struct driver_fd *fd, const struct vfio_container *c,
		   const struct vfio_mapping *m);
int vfio_type1_unmap(struct driver_fd *fd, const struct vfio_container *c, uint64_t iova,
		     uint64_t length, uint64_t *unmapped);
/* Whether the mapping is there, without changing anything: 0; -ENOENT: it isn't. Not traced. */
int vfio_probe_mapping(const struct vfio_container *c, const struct vfio_mapping *m);
int vfio_type1_dirty(struct driver_fd *fd, const struct vfio_container *c,
		     struct vfio_t1_dirty *args, size_t size);
int vfio_group_status(const struct driver_env *env, const struct vfio_group *g, uint32_t *flags);
int vfio_set_container(const struct driver_env *env, const struct vfio_group *g,
		       const struct vfio_container *c);
int vfio_unset_container(const struct driver_env *env, const struct vfio_group *g);
int vfio_open_device(const struct driver_env *env, const struct vfio_group *g, const char *name);
int vfio_device_get_info(const struct driver_device *dev);

/* linux_fail() with what numbers mean in this driver. */
int vfio_fail(struct ioasidctl_error **err, const char *call, int ret, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Found out on this machine, after the failure. */
void vfio_explain_group(const struct driver_env *env, const struct vfio_group *g, int errnum,
			struct ioasidctl_error **err);
void vfio_explain_attach(struct driver_fd *fd, const struct vfio_group *g,
			 const struct vfio_container *c, int errnum, struct ioasidctl_error **err);
/* The group in the container that takes some of the range away. */
void vfio_explain_culprit(const struct driver_fd *fd, const struct vfio_container *c,
			  const struct ioasid_info *usable, struct range wanted,
			  struct ioasidctl_error **err);
void vfio_explain_leave(const struct driver_fd *fd, const struct vfio_group *g,
			struct ioasidctl_error **err);
void vfio_explain_map(struct driver_fd *fd, const struct vfio_container *c,
		      const struct vfio_mapping *m, int errnum, struct ioasidctl_error **err);
/* A container is full. */
void vfio_explain_limit(const struct driver_env *env, struct ioasidctl_error **err);

/* vfio_info.c: asks a container that has a group. Every length and order is checked. */
int vfio_info_read(struct driver_fd *fd, const struct vfio_container *c, struct vfio_info *out,
		   struct ioasidctl_error **err);
/* The reading itself: `answer` is argsz bytes long, whatever the kernel wrote there. */
int vfio_info_take(const struct vfio_t1_info *answer, struct vfio_info *out,
		   struct ioasidctl_error **err);
void vfio_info_done(struct vfio_info *info);

/* vfio_container.c. The one of that id; NULL and an error: there is none. */
struct vfio_container *vfio_find_container(const struct driver_fd *fd, uint32_t id,
					   struct ioasidctl_error **err);
void vfio_container_close(struct driver_fd *fd, struct vfio_container *c);
/*
 * A group is in it now: everything that it should have is made, if it is its first one; else only
 * checked against what the devices allow. On failure the group must leave again.
 */
int vfio_container_fill(struct driver_fd *fd, struct vfio_container *c, const struct vfio_group *g,
			struct ioasidctl_error **err);

/*
 * vfio_group.c. The open group of that number, opened by the first caller; vfio_group_put() closes
 * it when no bound device is in it any more.
 */
int vfio_group_get(struct driver_fd *fd, uint32_t number, struct vfio_group **out,
		   struct ioasidctl_error **err);
void vfio_group_put(struct driver_fd *fd, struct vfio_group *g);
void vfio_group_close(struct driver_fd *fd, struct vfio_group *g);
/*
 * Into the container, from wherever it is, with all of its devices that are open. On failure it is
 * where it was; if that fails too, the error's cause says so.
 */
int vfio_group_enter(struct driver_fd *fd, struct vfio_group *g, struct vfio_container *c,
		     struct ioasidctl_error **err);
/* Out of its container; its devices must be closed. */
int vfio_group_leave(struct driver_fd *fd, struct vfio_group *g, struct ioasidctl_error **err);

/* vfio_device.c: opens a device whose group is in a container; nothing if it is open. */
int vfio_device_open_in_group(struct driver_fd *fd, struct driver_device *dev,
			      struct ioasidctl_error **err);

/* vfio_dirty.c */
int vfio_track_dirty(struct driver_fd *fd, struct vfio_container *c, bool on,
		     struct ioasidctl_error **err);
int vfio_dirty_set(struct driver_fd *fd, uint32_t ioasid, bool on, struct ioasidctl_error **err);
int vfio_dirty_read(struct driver_fd *fd, uint32_t ioasid, const struct range *range,
		    uint64_t page_size, bool keep, uint64_t *bitmap, struct ioasidctl_error **err);

/* The vtable's parts that vfio.c doesn't hold itself. */
int vfio_ioasid_alloc(struct driver_fd *fd, const struct ioasid *spec, const struct nesting *on,
		      uint32_t *id, struct ioasidctl_error **err);
int vfio_ioasid_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err);
int vfio_ioasid_info(struct driver_fd *fd, uint32_t id, struct ioasid_info *out,
		     struct ioasidctl_error **err);
int vfio_allow(struct driver_fd *fd, uint32_t id, const struct range *ranges, size_t n,
	       struct ioasidctl_error **err);
int vfio_ioasid_map(struct driver_fd *fd, uint32_t id, const struct map_args *args,
		    struct ioasidctl_error **err);
int vfio_ioasid_unmap(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length,
		      struct ioasidctl_error **err);
int vfio_list_mappings(struct driver_fd *fd, uint32_t id,
		       int (*each)(void *data, uint64_t iova, uint64_t length, uint8_t access),
		       void *data, struct ioasidctl_error **err);
int vfio_ioasid_probe(struct driver_fd *fd, uint32_t id);
int vfio_device_open(const struct driver_env *env, const struct device *spec,
		     struct driver_device **out, struct ioasidctl_error **err);
void vfio_device_close(struct driver_device *dev);
int vfio_device_fd_number(const struct driver_device *dev);
int vfio_device_request_fd(struct driver_device *dev);
bool vfio_device_requested(struct driver_device *dev);
int vfio_group_fd_number(const struct driver_device *dev);
int vfio_device_bind(struct driver_fd *fd, struct driver_device *dev, uint32_t *id,
		     struct ioasidctl_error **err);
int vfio_device_info(struct driver_fd *fd, struct driver_device *dev, struct device_info *out,
		     struct ioasidctl_error **err);
int vfio_device_attach(struct driver_fd *fd, struct driver_device *dev, uint32_t id, uint32_t pasid,
		       struct ioasidctl_error **err);
int vfio_device_detach(struct driver_fd *fd, struct driver_device *dev, uint32_t pasid,
		       struct ioasidctl_error **err);
int vfio_device_probe(struct driver_fd *fd, struct driver_device *dev);
