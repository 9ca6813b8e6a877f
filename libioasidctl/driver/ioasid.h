/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of the ioasid driver, which speaks uapi/ioasid.h: to itself only. */
#pragma once

#include "driver/driver.h"
#include "refdev/refdev.h"
#include "uapi/ioasid.h"

#define IOASID_NODE "/dev/ioasid"

struct driver_fd {
	const struct driver_env *env;
	char *name; /* as declared, or what it is opened for: stands in traces */
	struct refdev_file *file; /* the reference device in this process; else NULL */
	int fd; /* of the node; else -1 */
	/* The same structs either way: 0 or -errno. */
	int (*ioctl)(void *data, unsigned long command, void *args);
	void *ioctl_data;
	struct driver_device *devices; /* bound to it */
	struct ioasid_listener *listeners; /* of queues */
	uint64_t next_cookie;
};

/* An eventfd for a queue: of faults, or of a viommu's events. */
struct ioasid_listener {
	uint32_t object;
	int eventfd;
	struct ioasid_listener *next;
};

struct driver_device {
	const struct driver_env *env;
	struct ioasid_device_name name;
	uint32_t group;
	struct driver_fd *owner; /* bound to; NULL: to none, or it's closed */
	uint64_t cookie;
	struct driver_device *next; /* of the same owner */
};

/* ioasid_call.c */
/* `node` NULL: the reference device of `env`, or the default node where there is none. */
int ioasid_open(const struct driver_env *env, const char *node, const char *name,
		struct driver_fd **out, struct ioasidctl_error **err);
void ioasid_close(struct driver_fd *fd);
void ioasid_closep(struct driver_fd **fd);
/* One ioctl, traced; fills argsz in. 0 or -errno. */
int ioasid_call(struct driver_fd *fd, unsigned long command, void *args, uint32_t argsz);
const char *ioasid_call_name(unsigned long command);
/*
 * Calls `each` for the entries of a LIST until it returns non-zero, which is returned. `args` says
 * kind, object, cookie and start.
 */
int ioasid_list(struct driver_fd *fd, struct ioasid_list_args *args, size_t entry_size,
		int (*each)(void *data, const void *entry), void *data);

/* ioasid_explain.c */
/* error_new() for a failed call: kind, cause and hint as far as the number alone tells. Returns
 * ret. */
int ioasid_fail(struct ioasidctl_error **err, unsigned long command, int ret, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* What asking the device shows beyond that; these decorate the newest error. */
void ioasid_explain_map(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length, int ret,
			struct ioasidctl_error **err);
void ioasid_explain_bind(struct driver_fd *fd, const struct driver_device *dev, int ret,
			 struct ioasidctl_error **err);
void ioasid_explain_attach(struct driver_fd *fd, const struct driver_device *dev, uint32_t id,
			   uint32_t pasid, int ret, struct ioasidctl_error **err);
void ioasid_explain_driver(struct driver_fd *fd, const struct ioasid_device_name *name,
			   const char *driver, int ret, struct ioasidctl_error **err);

void ioasid_explain_alloc(struct driver_fd *fd, const struct ioasid_alloc_args *args, int ret,
			  struct ioasidctl_error **err);
void ioasid_explain_viommu(struct driver_fd *fd, const struct ioasid_viommu_args *args, int ret,
			   struct ioasidctl_error **err);
/* "0000:01:00.0", or what stands for a device that isn't known here. */
const char *ioasid_device_label(const struct driver_fd *fd, uint64_t cookie);

/* ioasid_queue.c: queues, and who hears of what is in them. */
/* Listens to the queue of the object. */
int ioasid_listen(struct driver_fd *fd, uint32_t object, struct ioasidctl_error **err);
void ioasid_unlisten(struct driver_fd *fd, uint32_t object);
int ioasid_queue_fd(const struct driver_fd *fd, uint32_t object);
int ioasid_faults_read(struct driver_fd *fd, uint32_t ioasid, struct io_fault *out, size_t room,
		       size_t *n, struct ioasidctl_error **err);
int ioasid_fault_answer(struct driver_fd *fd, uint32_t ioasid, uint32_t cookie, bool success,
			struct ioasidctl_error **err);
int ioasid_events_alloc(struct driver_fd *fd, uint32_t viommu, uint32_t depth, uint32_t *id,
			struct ioasidctl_error **err);
int ioasid_events_read(struct driver_fd *fd, uint32_t events, struct viommu_event *out, size_t room,
		       size_t *n, struct ioasidctl_error **err);

/* ioasid_viommu.c: viommus and what belongs to them; caches. */
int ioasid_viommu_alloc(struct driver_fd *fd, const struct viommu *spec, uint32_t parent,
			struct driver_device *dev, uint32_t *id, struct ioasidctl_error **err);
int ioasid_vdevice_alloc(struct driver_fd *fd, uint32_t viommu, struct driver_device *dev,
			 uint64_t virt_id, uint32_t *id, struct ioasidctl_error **err);
int ioasid_queue_alloc(struct driver_fd *fd, uint32_t viommu, const struct hw_queue *spec,
		       uint32_t *id, struct ioasidctl_error **err);
int ioasid_invalidate(struct driver_fd *fd, uint32_t id, bool viommu,
		      const struct invalidation *entries, size_t n, size_t *done,
		      struct ioasidctl_error **err);
int ioasid_viommu_probe(struct driver_fd *fd, uint32_t id);

/* ioasid.c */
/* Any object; `what` for people: "viommu". */
int ioasid_free_object(struct driver_fd *fd, const char *what, uint32_t id,
		       struct ioasidctl_error **err);

/* ioasid_device.c: the device calls of the vtable */
int ioasid_device_find(const struct driver_env *env, const struct device *spec,
		       struct device_facts *out, struct ioasidctl_error **err);
int ioasid_device_set_driver(const struct driver_env *env, const struct device *spec,
			     const char *driver, char **original, struct ioasidctl_error **err);
int ioasid_device_open(const struct driver_env *env, const struct device *spec,
		       struct driver_device **out, struct ioasidctl_error **err);
void ioasid_device_close(struct driver_device *dev);
int ioasid_device_bind(struct driver_fd *fd, struct driver_device *dev, uint32_t *id,
		       struct ioasidctl_error **err);
int ioasid_device_info(struct driver_fd *fd, struct driver_device *dev, struct device_info *out,
		       struct ioasidctl_error **err);
int ioasid_attach(struct driver_fd *fd, struct driver_device *dev, uint32_t id, uint32_t pasid,
		  struct ioasidctl_error **err);
int ioasid_detach(struct driver_fd *fd, struct driver_device *dev, uint32_t pasid,
		  struct ioasidctl_error **err);
int ioasid_device_probe(struct driver_fd *fd, struct driver_device *dev);
/* Asks about a device by name; `args` zeroed but for the name. */
int ioasid_query(struct driver_fd *fd, const struct ioasid_device_name *name,
		 struct ioasid_query_args *args, struct ioasidctl_error **err);
/* The members of a group; *out: iommu_group_done(). */
int ioasid_group_read(struct driver_fd *fd, uint32_t group, struct iommu_group *out);
