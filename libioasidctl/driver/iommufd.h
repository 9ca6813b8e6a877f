/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of the iommufd driver: what its files share.
 *
 *	iommufd.c		the vtable, opening and closing
 *	iommufd_ioas.c		IOVA ranges and mappings of an IOAS
 *	iommufd_ioasid.c	IOASIDs: an IOAS, or a nested HWPT
 *	iommufd_hwpt.c		the HWPTs below a gpa IOASID; dirty pages
 *	iommufd_device.c	devices
 *	iommufd_attach.c	devices and their PASIDs in IOASIDs
 *	iommufd_mock.c		devices of the kernel's mock IOMMU
 *	iommufd_viommu.c	vIOMMUs, vdevices, hardware queues
 *	iommufd_queue.c		reading faults and events
 *	iommufd_invalidate.c	stale caches
 *	iommufd_takeover.c	all of that for another process
 *	iommufd_info.c		decoding of hardware registers
 *	iommufd_calls*.c	one typed wrapper for each ioctl
 *	iommufd_explain*.c	why an ioctl failed
 *
 * A gpa IOASID is an IOAS. Where nothing special is asked of it the kernel makes its HWPTs itself
 * when a device comes ("auto domains") and drops them when the last one goes. An HWPT with flags
 * has to be made by hand, for one device's IOMMU, and may serve others: so the driver keeps those
 * of each IOASID, tries them in turn on a device that comes, makes another one when none fits, and
 * destroys it when its last user (device, PASID, nested HWPT, vIOMMU) has gone.
 */
#pragma once

#include "driver/linux.h"
#include "uapi/iommufd.h"
#include "uapi/iommufd_test.h"
#include "uapi/vfio.h"

/* Object ids start at 1 (the kernel's XA_FLAGS_ALLOC1), so this is none. */
#define NO_OBJECT 0

struct iommufd_hwpt {
	struct iommufd_hwpt *next;
	uint32_t id;
};

/* A queue that is read by a descriptor of its own. */
struct iommufd_queue {
	uint32_t id; /* NO_OBJECT: none */
	int fd;
	/* Read, but not handed to the caller yet: [start, end) of buffer. */
	unsigned char *buffer;
	size_t size, start, end;
};

/* An IOASID that this driver made. */
struct iommufd_space {
	struct iommufd_space *next;
	uint32_t id; /* of the IOAS, or of the nested HWPT */
	char *name;
	uint32_t flags; /* enum ioasid_flag */
	struct iommufd_queue faults;

	/* gpa */
	struct iommufd_hwpt *hwpts;
	bool dirty; /* pages are being tracked */

	/* nested */
	enum table_format format; /* TABLE_NONE: a gpa */
	uint32_t parent_hwpt;
	uint32_t viommu; /* NO_INDEX: none */
};

struct iommufd_vdevice {
	struct iommufd_vdevice *next;
	uint32_t id;
	uint64_t virt_id;
};

struct iommufd_viommu {
	struct iommufd_viommu *next;
	uint32_t id;
	char *name;
	enum viommu_type type; /* never VIOMMU_DEFAULT */
	uint32_t parent_hwpt;
	struct iommufd_vdevice *vdevices;
	struct iommufd_queue events;
};

struct driver_fd {
	const struct driver_env *env;
	char *node; /* without root */
	int fd;
	bool map_file; /* the kernel has IOAS_MAP_FILE (6.14) */
	struct driver_device *devices; /* bound to it */
	struct iommufd_space *spaces;
	struct iommufd_viommu *viommus;
	/* Where mock devices are that nobody attached; NO_OBJECT: none yet. */
	uint32_t parking_ioas, parking_hwpt;
};

/* A device, or one of its PASIDs, in an IOASID. */
struct iommufd_place {
	uint32_t pasid; /* NO_PASID: the whole device */
	uint32_t ioasid;
	uint32_t hwpt; /* that the kernel put it into */
};

struct driver_device {
	const struct driver_env *env;
	char *label; /* for messages: "nic0 (0000:01:00.0)" */
	char *dir; /* in sysfs, with root; mock: NULL */
	char *node; /* "/dev/vfio/devices/vfio0", without root; mock: NULL */
	enum selector selector;
	uint32_t group; /* NO_INDEX: in none, or in one of its own */
	int fd; /* mock: -1 */
	int request; /* tells when it is to be closed; -1: not asked for, or none */
	uint32_t id; /* on the iommufd, once bound */
	uint32_t mock_id; /* mock: the object to destroy */
	struct driver_fd *owner; /* bound to; NULL: not bound, or that fd is closed */
	struct driver_device *next; /* of the owner's */
	struct iommufd_place *places;
	size_t n_places;
};

/* ioctl(2), with -errno. */
int iommufd_call(int fd, unsigned long request, void *args);

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
int iommufd_vfio_ioas(struct driver_fd *fd, uint16_t op, uint32_t *ioas);
int iommufd_change_process(struct driver_fd *fd);
int iommufd_get_pa(struct driver_fd *fd, struct iommufd_ioas_noiommu_get_pa *args);
int iommufd_hwpt_alloc(struct driver_fd *fd, struct iommufd_hwpt_alloc *args);
int iommufd_hwpt_invalidate(struct driver_fd *fd, struct iommufd_hwpt_invalidate *args);
int iommufd_set_dirty_tracking(struct driver_fd *fd, uint32_t hwpt, bool on);
int iommufd_get_dirty_bitmap(struct driver_fd *fd, struct iommufd_hwpt_get_dirty_bitmap *args);
int iommufd_fault_alloc(struct driver_fd *fd, uint32_t *id, int *queue);
int iommufd_viommu_alloc(struct driver_fd *fd, struct iommufd_viommu_alloc *args);
int iommufd_vdevice_alloc(struct driver_fd *fd, struct iommufd_vdevice_alloc *args);
int iommufd_veventq_alloc(struct driver_fd *fd, struct iommufd_veventq_alloc *args);
int iommufd_hw_queue_alloc(struct driver_fd *fd, struct iommufd_hw_queue_alloc *args);
/* Of the mock IOMMU; `mock` is the id of the mock device. pasid_put: `again`, it is attached. */
int mock_create(struct driver_fd *fd, uint32_t pt, uint32_t flags, uint32_t *mock,
		uint32_t *device);
int mock_replace(struct driver_fd *fd, uint32_t mock, uint32_t pt, uint32_t *hwpt);
int mock_pasid_put(struct driver_fd *fd, uint32_t mock, uint32_t pasid, bool again, uint32_t pt,
		   uint32_t *hwpt);
int mock_pasid_detach(struct driver_fd *fd, uint32_t mock, uint32_t pasid);
int vfio_bind(struct driver_device *dev, int iommufd, uint32_t *id);
int vfio_attach(struct driver_device *dev, uint32_t pt, uint32_t pasid, uint32_t *hwpt);
int vfio_detach(struct driver_device *dev, uint32_t pasid);
int vfio_get_info(struct driver_device *dev);
/* The descriptor, or -errno. */
int vfio_get_dma_buf(struct driver_device *dev, uint32_t bar, uint64_t offset, uint64_t length);

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
void iommufd_explain_attach(struct driver_fd *fd, struct driver_device *dev, uint32_t id,
			    uint32_t pasid, int errnum, struct ioasidctl_error **err);
/* What the IOMMU of the device lacks of an HWPT with these flags (enum ioasid_flag). */
void iommufd_explain_hwpt(struct driver_fd *fd, struct driver_device *dev, uint32_t flags,
			  int errnum, struct ioasidctl_error **err);
/* The IOMMU of the device is of another kind than that format, or can't nest. */
void iommufd_explain_nested(struct driver_fd *fd, struct driver_device *dev,
			    enum table_format format, int errnum, struct ioasidctl_error **err);
void iommufd_explain_bar(const struct driver_device *dev, uint32_t bar, uint64_t offset,
			 uint64_t length, int errnum, struct ioasidctl_error **err);
/* What is still on an IOASID; `space` may be NULL. */
void iommufd_explain_free(const struct driver_fd *fd, const struct iommufd_space *space, int errnum,
			  struct ioasidctl_error **err);
void iommufd_explain_viommu(struct driver_fd *fd, struct driver_device *dev, enum viommu_type type,
			    int errnum, struct ioasidctl_error **err);

/*
 * Reads what GET_HW_INFO answered: `data` holds min(args->data_len, size of the buffer) bytes that
 * the kernel filled. Fields that a shorter answer doesn't reach stay 0.
 */
void iommufd_decode_info(const struct iommufd_hw_info *args, const void *data, size_t length,
			 struct device_info *out);

/* A gpa IOASID that something (`name`) can be nested on; else refused. */
int iommufd_find_parent(const struct driver_fd *fd, uint32_t id, const char *name,
			struct iommufd_space **parent, struct ioasidctl_error **err);
void iommufd_spaces_done(struct driver_fd *fd);
void iommufd_viommus_done(struct driver_fd *fd);

/* The objects of an fd by their ids; NULL: this driver didn't make one. */
struct iommufd_space *iommufd_find_space(const struct driver_fd *fd, uint32_t id);
struct iommufd_viommu *iommufd_find_viommu(const struct driver_fd *fd, uint32_t id);
struct iommufd_place *iommufd_find_place(const struct driver_device *dev, uint32_t pasid);

/*
 * The HWPT of a gpa IOASID for a device: `try` is called with one HWPT after the other, the one the
 * device is in first, then with a new one, until it takes one. It returns 0, -EINVAL (this one
 * doesn't fit) or another -errno, which ends it; `fail` then makes the error. Not used, the new one
 * goes again.
 */
struct iommufd_hwpt_user {
	int (*try)(void *data, uint32_t hwpt);
	void (*fail)(void *data, int ret, struct ioasidctl_error **err);
	void *data;
};
int iommufd_with_hwpt(struct driver_fd *fd, struct iommufd_space *space, struct driver_device *dev,
		      const struct iommufd_hwpt_user *user, struct ioasidctl_error **err);
/* Destroys the HWPT if it is one of ours and nothing uses it any more. */
void iommufd_release_hwpt(struct driver_fd *fd, uint32_t hwpt);

/* Destroys all that nothing uses of an IOASID's HWPTs. */
void iommufd_release_hwpts(struct driver_fd *fd, struct iommufd_space *space);

/* Attaches a device or PASID to an IOAS or HWPT, replacing what it was in; *hwpt is the HWPT. */
int iommufd_put(struct driver_fd *fd, struct driver_device *dev, uint32_t pt, uint32_t pasid,
		uint32_t *hwpt);

/* Mock devices: the parts that differ from VFIO's. */
int iommufd_mock_bind(struct driver_fd *fd, struct driver_device *dev, uint32_t *id,
		      struct ioasidctl_error **err);
int iommufd_mock_put(struct driver_fd *fd, struct driver_device *dev, uint32_t pt, uint32_t pasid,
		     uint32_t *hwpt);
int iommufd_mock_take(struct driver_fd *fd, struct driver_device *dev, uint32_t pasid);
/* Before it is unlinked from its owner, which is still open. */
void iommufd_mock_close(struct driver_device *dev);
/* Takes the parking place away if no mock device is left. */
void iommufd_mock_release(struct driver_fd *fd);

/* Queues. free: closes the descriptor and destroys the object; 0 or -errno of that. */
int iommufd_queue_free(struct driver_fd *fd, struct iommufd_queue *queue);
void iommufd_queue_done(struct iommufd_queue *queue); /* what this process has of it */

/* The vtable's parts that iommufd.c doesn't hold itself. */
int iommufd_ioasid_alloc(struct driver_fd *fd, const struct ioasid *spec, const struct nesting *on,
			 uint32_t *id, struct ioasidctl_error **err);
int iommufd_ioasid_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err);
int iommufd_ioasid_info(struct driver_fd *fd, uint32_t id, struct ioasid_info *out,
			struct ioasidctl_error **err);
int iommufd_ioasid_probe(struct driver_fd *fd, uint32_t id);
int iommufd_ioas_info(struct driver_fd *fd, uint32_t id, struct ioasid_info *out,
		      struct ioasidctl_error **err);
int iommufd_allow(struct driver_fd *fd, uint32_t id, const struct range *ranges, size_t n,
		  struct ioasidctl_error **err);
bool iommufd_wants_va(const struct driver_fd *fd, const struct memory *memory);
int iommufd_map(struct driver_fd *fd, uint32_t id, const struct map_args *args,
		struct ioasidctl_error **err);
int iommufd_copy(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length, uint8_t access,
		 uint32_t source, uint64_t from, struct ioasidctl_error **err);
int iommufd_unmap(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length,
		  struct ioasidctl_error **err);
int iommufd_physical(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t *length,
		     uint64_t *physical, struct ioasidctl_error **err);
int iommufd_device_find(const struct driver_env *env, const struct device *spec,
			struct device_facts *out, struct ioasidctl_error **err);
int iommufd_device_set_driver(const struct driver_env *env, const struct device *spec,
			      const char *driver, char **original, struct ioasidctl_error **err);
int iommufd_device_open(const struct driver_env *env, const struct device *spec,
			struct driver_device **out, struct ioasidctl_error **err);
void iommufd_device_close(struct driver_device *dev);
int iommufd_device_fd_number(const struct driver_device *dev);
int iommufd_device_request_fd(struct driver_device *dev);
bool iommufd_device_requested(struct driver_device *dev);
int iommufd_device_bind(struct driver_fd *fd, struct driver_device *dev, uint32_t *id,
			struct ioasidctl_error **err);
int iommufd_device_info(struct driver_fd *fd, struct driver_device *dev, struct device_info *out,
			struct ioasidctl_error **err);
int iommufd_device_bar_fd(struct driver_device *dev, uint32_t bar, uint64_t offset, uint64_t length,
			  int *out, struct ioasidctl_error **err);
int iommufd_device_probe(struct driver_fd *fd, struct driver_device *dev);
int iommufd_record(const struct driver_fd *fd, const char *name, struct descriptors *out,
		   json_t **state, struct ioasidctl_error **err);
int iommufd_restore(const struct driver_env *env, const char *name, const json_t *state,
		    struct descriptors *given, struct driver_fd **out,
		    struct ioasidctl_error **err);
int iommufd_device_record(const struct driver_device *dev, const char *name,
			  struct descriptors *out, json_t **state, struct ioasidctl_error **err);
int iommufd_device_restore(struct driver_fd *fd, const char *name, const json_t *state,
			   struct descriptors *given, struct driver_device **out,
			   struct ioasidctl_error **err);
void iommufd_leave(struct driver_fd *fd);
int iommufd_attach(struct driver_fd *fd, struct driver_device *dev, uint32_t id, uint32_t pasid,
		   struct ioasidctl_error **err);
int iommufd_detach(struct driver_fd *fd, struct driver_device *dev, uint32_t pasid,
		   struct ioasidctl_error **err);
int iommufd_viommu_make(struct driver_fd *fd, const struct viommu *spec, uint32_t parent,
			struct driver_device *dev, uint32_t *id, struct ioasidctl_error **err);
int iommufd_viommu_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err);
int iommufd_vdevice_make(struct driver_fd *fd, uint32_t viommu, struct driver_device *dev,
			 uint64_t virt_id, uint32_t *id, struct ioasidctl_error **err);
int iommufd_vdevice_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err);
int iommufd_hw_queue_make(struct driver_fd *fd, uint32_t viommu, const struct hw_queue *spec,
			  uint32_t *id, struct ioasidctl_error **err);
int iommufd_hw_queue_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err);
int iommufd_viommu_probe(struct driver_fd *fd, uint32_t id);
int iommufd_events_make(struct driver_fd *fd, uint32_t viommu, uint32_t depth, uint32_t *id,
			struct ioasidctl_error **err);
int iommufd_events_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err);
int iommufd_events_fd(const struct driver_fd *fd, uint32_t events);
int iommufd_events_read(struct driver_fd *fd, uint32_t events, struct viommu_event *out,
			size_t room, size_t *n, struct ioasidctl_error **err);
int iommufd_faults_fd(const struct driver_fd *fd, uint32_t ioasid);
int iommufd_faults_read(struct driver_fd *fd, uint32_t ioasid, struct io_fault *out, size_t room,
			size_t *n, struct ioasidctl_error **err);
int iommufd_fault_answer(struct driver_fd *fd, uint32_t ioasid, uint32_t cookie, bool success,
			 struct ioasidctl_error **err);
int iommufd_dirty_set(struct driver_fd *fd, uint32_t ioasid, bool on, struct ioasidctl_error **err);
int iommufd_dirty_read(struct driver_fd *fd, uint32_t ioasid, const struct range *range,
		       uint64_t page_size, bool keep, uint64_t *bitmap,
		       struct ioasidctl_error **err);
int iommufd_invalidate(struct driver_fd *fd, uint32_t id, bool viommu,
		       const struct invalidation *entries, size_t n, size_t *done,
		       struct ioasidctl_error **err);
