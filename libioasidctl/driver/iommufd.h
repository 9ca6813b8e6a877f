/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of the iommufd driver: what its files share. iommufd.c holds the vtable and the IOASIDs,
 * iommufd_device.c devices, iommufd_info.c the decoding of hardware registers, iommufd_calls.c one
 * typed wrapper for each ioctl, iommufd_explain.c why an ioctl failed.
 */
#pragma once

#include "driver/linux.h"
#include "uapi/iommufd.h"
#include "uapi/vfio.h"

struct driver_fd {
	const struct driver_env *env;
	char *node; /* without root */
	int fd;
	bool map_file; /* the kernel has IOAS_MAP_FILE (6.14) */
	struct driver_device *devices; /* bound to it */
};

struct driver_device {
	const struct driver_env *env;
	char *label; /* for messages: "nic0 (0000:01:00.0)" */
	char *dir; /* in sysfs, with root */
	char *node; /* "/dev/vfio/devices/vfio0", without root */
	enum selector selector;
	uint32_t group; /* NO_INDEX: in none */
	int fd;
	int request; /* tells when it is to be closed; -1: not asked for, or none */
	uint32_t id; /* on the iommufd, once bound */
	struct driver_fd *owner; /* bound to; NULL: not bound, or that fd is closed */
	struct driver_device *next; /* of the owner's */
	uint32_t attached; /* the IOAS it is in; NO_INDEX: none */
};

/*
 * One wrapper for each call: 0 or -errno, and a line for the trace. What the kernel answers in a
 * struct is left there for the caller, who checks it.
 */
int iommufd_destroy(struct driver_fd *fd, uint32_t id);
int iommufd_ioas_alloc(struct driver_fd *fd, uint32_t *id);
int iommufd_ioas_allow(struct driver_fd *fd, uint32_t id, const struct iommufd_iova_range *ranges,
		       uint32_t n);
int iommufd_ioas_ranges(struct driver_fd *fd, struct iommufd_ioas_iova_ranges *args);
int iommufd_ioas_map(struct driver_fd *fd, struct iommufd_ioas_map *args);
int iommufd_ioas_map_file(struct driver_fd *fd, struct iommufd_ioas_map_file *args);
int iommufd_ioas_copy(struct driver_fd *fd, struct iommufd_ioas_copy *args);
int iommufd_ioas_unmap(struct driver_fd *fd, struct iommufd_ioas_unmap *args);
/* Whether something is mapped in [first, last]; looks at the first 16M of it (4K pages) only. */
bool iommufd_is_mapped(struct driver_fd *fd, uint32_t id, uint64_t first, uint64_t last);
int iommufd_option(struct driver_fd *fd, uint32_t option, uint16_t op, uint32_t object,
		   uint64_t *value);
int iommufd_get_hw_info(struct driver_fd *fd, struct iommufd_hw_info *args);
int vfio_bind(struct driver_device *dev, int iommufd, uint32_t *id);
int vfio_attach(struct driver_device *dev, uint32_t pt, uint32_t pasid, uint32_t *hwpt);
int vfio_detach(struct driver_device *dev, uint32_t pasid);
int vfio_get_info(struct driver_device *dev);

/* linux_fail() with what numbers mean in this driver. */
int iommufd_fail(struct ioasidctl_error **err, const char *ioctl_name, int ret, const char *fmt,
		 ...) __attribute__((format(printf, 4, 5)));

/* Found out on this machine, after the failure; each replaces cause and hint where it knows more.
 */
void iommufd_explain_allow(struct driver_fd *fd, uint32_t id, const struct range *ranges, size_t n,
			   struct ioasidctl_error **err);
void iommufd_explain_map(struct driver_fd *fd, uint32_t id, const struct map_args *args, int errnum,
			 struct ioasidctl_error **err);
void iommufd_explain_bind(const struct driver_device *dev, int errnum,
			  struct ioasidctl_error **err);
void iommufd_explain_attach(struct driver_fd *fd, const struct driver_device *dev, uint32_t id,
			    int errnum, struct ioasidctl_error **err);

/*
 * Reads what GET_HW_INFO answered: `data` holds min(args->data_len, size of the buffer) bytes that
 * the kernel filled. Fields that a shorter answer doesn't reach stay 0.
 */
void iommufd_decode_info(const struct iommufd_hw_info *args, const void *data, size_t length,
			 struct device_info *out);

/* The vtable's parts that iommufd.c doesn't hold itself. */
int iommufd_ioasid_info(struct driver_fd *fd, uint32_t id, struct ioasid_info *out,
			struct ioasidctl_error **err);
int iommufd_device_open(const struct driver_env *env, const struct device *spec,
			struct driver_device **out, struct ioasidctl_error **err);
void iommufd_device_close(struct driver_device *dev);
int iommufd_device_fd_number(const struct driver_device *dev);
int iommufd_device_request_fd(struct driver_device *dev);
int iommufd_device_bind(struct driver_fd *fd, struct driver_device *dev, uint32_t *id,
			struct ioasidctl_error **err);
int iommufd_device_info(struct driver_fd *fd, struct driver_device *dev, struct device_info *out,
			struct ioasidctl_error **err);
int iommufd_attach(struct driver_fd *fd, struct driver_device *dev, uint32_t id, uint32_t pasid,
		   struct ioasidctl_error **err);
int iommufd_detach(struct driver_fd *fd, struct driver_device *dev, uint32_t pasid,
		   struct ioasidctl_error **err);
int iommufd_device_probe(struct driver_fd *fd, struct driver_device *dev);
