/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the reference device holds, and the steps between its parts. All of it is guarded by the
 * lock of the refdev, which ioctl.c takes.
 *
 *	refdev -- devices, groups         the machine: as described, plus what became of it
 *	       -- files -- objects: ioasids, viommus and what belongs to them
 *	                -- devices (bound)
 *	ioasid -- mappings, domains -> tables; children; attachments
 *	group  -- attachments -> ioasid   what its DMA goes through, by PASID
 */
#pragma once

#include <pthread.h>

#include "base/itree.h"
#include "refdev/machine.h"
#include "refdev/refdev.h"
#include "refdev/table.h"

struct refdev_event_queue;
struct refdev_hw_queue;
struct refdev_vdevice;

struct refdev_device {
	const struct machine_device *hw;
	char driver[IOASID_NAME_SIZE]; /* host driver now; "" none */
	struct refdev_group *group; /* NULL: no IOMMU in front of it */
	size_t member; /* index in there */
	struct refdev_file *file; /* bound to; NULL: to none */
	uint64_t cookie; /* there */
	struct refdev_vdevice *vdevice; /* NULL: none */
};

/* What a group does with one PASID, or without. */
struct refdev_attachment {
	struct refdev_group *group;
	uint32_t pasid; /* IOASID_NO_PASID: the whole devices */
	struct refdev_ioasid *ioasid;
	struct refdev_domain *domain; /* of that, or of its parent */
	struct refdev_attachment *next_of_group, *next_of_ioasid;
	size_t n_devices;
	bool has[]; /* by member of the group */
};

struct refdev_group {
	const struct machine_group *hw;
	struct refdev_device **members; /* hw->n_members of them */
	struct refdev_file *owner; /* NULL: the host */
	size_t n_bound; /* devices of it */
	struct refdev_attachment *attachments;
};

/* One piece of memory, pinned once however many mappings show it. */
struct refdev_pin {
	size_t refs;
	uint64_t size;
	bool writable; /* by devices: what is pinned for reading stays that, copied or not */
};

struct refdev_mapping {
	struct itree_node node; /* IOVA; first member */
	uint64_t vaddr;
	struct refdev_pin *pin;
	uint32_t flags; /* IOASID_MAP_* */
	uint32_t locks; /* hardware queues in it */
};

struct refdev_table {
	struct table *table;
	size_t refs; /* domains */
	struct refdev_table *next;
};

struct refdev_domain {
	const struct machine_iommu *iommu;
	struct refdev_table *table;
	size_t refs; /* attachments */
	struct refdev_domain *next;
};

enum object_kind {
	OBJECT_IOASID,
	OBJECT_VIOMMU,
	OBJECT_VDEVICE,
	OBJECT_HW_QUEUE,
	OBJECT_EVENT_QUEUE,
};

/* What has a number in a file; the first member of each. */
struct refdev_object {
	uint32_t id;
	enum object_kind kind;
	struct refdev_file *file;
	size_t users; /* attachments and objects that need it */
};

/* Records for the caller, and how it hears of them. */
struct refdev_queue {
	int eventfd; /* -1: nobody listens */
	uint64_t waiting; /* records that nobody has read */
};

struct refdev_request;

struct refdev_ioasid {
	struct refdev_object object;
	uint32_t flags; /* IOASID_ALLOC_* */
	struct refdev_attachment *attachments;

	/* gpa */
	struct itree mappings;
	uint64_t n_mappings, mapped_bytes;
	struct ioasid_range *allowed; /* sorted */
	size_t n_allowed;
	struct refdev_domain *domains;
	struct refdev_table *tables;
	struct refdev_ioasid *children;
	struct itree dirty; /* pages that devices wrote */
	bool tracking;
	/* Derived from attachments and domains by ioasid_refresh(). */
	uint64_t alignment;
	struct ioasid_range *permitted; /* sorted, disjoint */
	size_t n_permitted;
	struct ioasid_range *forbidden; /* scratch */
	size_t capacity; /* of forbidden; permitted has one more */

	/* nested */
	struct refdev_ioasid *parent; /* NULL: a gpa */
	struct refdev_viommu *viommu;
	struct refdev_domain *below; /* of the parent, for the IOMMU it was made for */
	struct refdev_ioasid *sibling;
	const struct machine_iommu *iommu; /* the one it was made for, or one of its kind */
	struct ioasid_table table;
	struct iotlb *iotlb; /* NULL: nothing cached yet */

	/* IOASID_ALLOC_FAULT */
	struct refdev_queue faults;
	struct refdev_request *requests; /* oldest first */
	size_t n_requests;
	uint32_t next_fault; /* cookie */
};

struct refdev_viommu {
	struct refdev_object object;
	enum ioasid_viommu_type type;
	struct refdev_ioasid *parent;
	struct refdev_domain *below; /* of the parent */
	const struct machine_iommu *iommu;
	uint64_t cookie; /* of the device it was made for */
	struct refdev_vdevice *vdevices;
	struct refdev_hw_queue **queues; /* iommu->hw_queues of them */
	struct refdev_event_queue *events; /* NULL: none */
};

struct refdev_vdevice {
	struct refdev_object object;
	struct refdev_viommu *viommu;
	struct refdev_device *device;
	uint64_t virt_id;
	uint32_t cache[4]; /* of a mock device */
	struct refdev_vdevice *next;
};

struct refdev_file {
	struct refdev *refdev;
	pid_t process; /* whose memory is mapped; 0: this one's */
	pid_t caller; /* of the call under way: whose pointers and descriptors; 0: this one */
	const struct machine_iommu *tied; /* its format; NULL: no device bound */
	struct refdev_object **objects; /* sorted by id */
	size_t n_objects, objects_capacity, n_ioasids;
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

/* object.c */
struct refdev_object *object_find(const struct refdev_file *file, uint32_t id,
				  enum object_kind kind);
/* Of any kind. */
struct refdev_object *object_find_any(const struct refdev_file *file, uint32_t id);
/*
 * A zeroed object of `size` bytes with the next number; it isn't found before object_publish().
 * NULL and *ret: -ENOMEM or -ENOSPC. Thrown away with free().
 */
void *object_new(struct refdev_file *file, enum object_kind kind, size_t size, int *ret);
void object_publish(struct refdev_object *object);
/* Nothing may need it any more. */
void object_destroy(struct refdev_object *object);

/* ioasid.c */
struct refdev_ioasid *ioasid_find(const struct refdev_file *file, uint32_t id);
/* What maps memory for it: itself or its parent. */
struct refdev_ioasid *ioasid_paging(struct refdev_ioasid *ioasid);
void ioasid_destroy(struct refdev_ioasid *ioasid); /* nothing may be attached */
uint64_t ioasid_table_bytes(const struct refdev_ioasid *ioasid);
uint32_t ioasid_count_domains(const struct refdev_ioasid *ioasid);
uint32_t ioasid_count_attached(const struct refdev_ioasid *ioasid);

/* ranges.c: what a gpa may use. */
/*
 * attach.c: the domain that serves an IOMMU, with room for what it and the group (may be NULL)
 * forbid; ioasid_refresh() is the caller's. 0 or what an attachment would fail with.
 */
int ioasid_realise(struct refdev_ioasid *ioasid, const struct refdev_group *group,
		   const struct machine_iommu *iommu, struct refdev_domain **out);
/* Makes room for what `group` forbids, so that ioasid_refresh() can't fail. 0 or -ENOMEM. */
int ioasid_reserve(struct refdev_ioasid *ioasid, const struct refdev_group *group);
void ioasid_refresh(struct refdev_ioasid *ioasid);

/* mapping.c */
void mappings_destroy(struct refdev_ioasid *ioasid);
/* Enters all mappings into a new table. 0, -ENOMEM or -EFAULT. */
int mappings_fill(struct refdev_ioasid *ioasid, struct table *table);

/* place.c: where IOASID_MAP_ANYWHERE goes. 0, -EINVAL, -EOVERFLOW or -ENOSPC. */
int place_mapping(const struct refdev_ioasid *ioasid, uint64_t pattern, uint64_t size,
		  uint64_t *iova);

/* domain.c: the realisation of the IOASID for the IOMMU, made where there is none. */
int domain_get(struct refdev_ioasid *ioasid, const struct machine_iommu *iommu,
	       struct refdev_domain **out);
void domain_put(struct refdev_ioasid *ioasid, struct refdev_domain *domain);

/* group.c */
bool driver_is_viable(const char *driver); /* leaves its device to user space */
bool device_is_in_the_way(const struct refdev_device *device);
bool group_is_viable(const struct refdev_group *group);
enum ioasid_group_state group_state(const struct refdev_group *group);
struct refdev_attachment *group_attachment(const struct refdev_group *group, uint32_t pasid);

/* attach.c */
/* Of this device; NULL: none. */
struct refdev_attachment *device_attachment(const struct refdev_device *device, uint32_t pasid);
int device_attach(struct refdev_device *device, struct refdev_ioasid *ioasid, uint32_t pasid);
/* False: it wasn't attached. */
bool device_detach(struct refdev_device *device, uint32_t pasid);
void device_detach_all(struct refdev_device *device);

/* device.c */
struct refdev_device *device_find_cookie(const struct refdev_file *file, uint64_t cookie);
void device_unbind(struct refdev_device *device);
uint32_t device_flags(const struct refdev_file *file, const struct refdev_device *device);
void device_name_write(const struct refdev_device *device, struct ioasid_device_name *out);
uint32_t device_pasid_bits(const struct refdev_device *device);

/* nested.c */
/* Where a translation leads, or where and why it stops. */
struct translation {
	enum ioasid_dma_fault fault;
	uint32_t stage, level;
	uint64_t gpa; /* that the second stage gets */
	uint64_t vaddr;
	uint64_t left; /* bytes from there on in one piece */
};
/* 0 or -errno for a new nested IOASID; fills it in. */
int nested_init(struct refdev_ioasid *ioasid, const struct ioasid_alloc_args *args);
void nested_destroy(struct refdev_ioasid *ioasid);
/* Nothing of its table is cached any more. */
void nested_forget(struct refdev_ioasid *ioasid);
/* Through the nested table only: to t->gpa. False: t->fault. */
bool nested_translate(struct refdev_ioasid *ioasid, const struct refdev_domain *parent,
		      uint64_t iova, bool write, struct translation *t);

/* dma.c: the second stage. False: t->fault. */
bool domain_translate(const struct refdev_domain *domain, uint64_t gpa, bool write,
		      struct translation *t);

/* dirty.c */
int dirty_mark(struct refdev_ioasid *ioasid, uint64_t iova, uint64_t length); /* 0 or -ENOMEM */
void dirty_forget(struct refdev_ioasid *ioasid, uint64_t first, uint64_t last);

/* queue.c: telling a listener. */
void queue_init(struct refdev_queue *queue);
void queue_done(struct refdev_queue *queue);
void queue_added(struct refdev_queue *queue);
/* Listens through a descriptor of the process; -1: no more. */
int queue_listen(struct refdev_queue *queue, pid_t process, int eventfd);

/* fault.c */
/* Which way a DMA that failed goes: -ENOMEM, 0: it fails, 1: it waits. */
int fault_request(const struct refdev_attachment *attachment, const struct refdev_device *device,
		  uint64_t iova, bool write);
/* What waits of that device, or of all of the group (NULL), is answered: invalid. */
void fault_drop(const struct refdev_attachment *attachment, const struct refdev_device *device);
void faults_destroy(struct refdev_ioasid *ioasid);

/* viommu.c */
void viommu_destroy(struct refdev_viommu *viommu);
void vdevice_destroy(struct refdev_vdevice *vdevice);
void hw_queue_destroy(struct refdev_hw_queue *queue);
void hw_queue_describe(const struct refdev_object *object, struct ioasid_entry_hw_queue *out);

/* event.c */
void event_queue_destroy(struct refdev_event_queue *queue);
void event_queue_describe(const struct refdev_object *object, struct ioasid_entry_event_queue *out);
/* NULL: the object is no event queue. */
struct refdev_queue *event_queue_listeners(struct refdev_object *object);
void event_report(const struct refdev_viommu *viommu, const struct refdev_device *device,
		  const struct ioasid_translation_event *event);

/* The calls, by what they are about; each gets its own struct, checked for size and flags. */
#define MAP_FLAGS (IOASID_MAP_READ | IOASID_MAP_WRITE)
#define CALLS(X)                                                                     \
	X(CHECK_EXTENSION, check_extension, struct ioasid_extension_args, 0)         \
	X(ALLOC, ioasid_alloc, struct ioasid_alloc_args, UINT32_MAX)                 \
	X(FREE, object_free, struct ioasid_free_args, 0)                             \
	X(GET_INFO, ioasid_get_info, struct ioasid_info_args, 0)                     \
	X(MAP_DMA, map_dma, struct ioasid_map_args, MAP_FLAGS | IOASID_MAP_ANYWHERE) \
	X(UNMAP_DMA, unmap_dma, struct ioasid_unmap_args, 0)                         \
	X(COPY_DMA, copy_dma, struct ioasid_copy_args, MAP_FLAGS)                    \
	X(INVALIDATE_CACHE, invalidate, struct ioasid_invalidate_args, 0)            \
	X(SET_ALLOWED, set_allowed, struct ioasid_allowed_args, 0)                   \
	X(QUERY_DEVICE, query_device, struct ioasid_query_args, 0)                   \
	X(BIND_DEVICE, bind_device, struct ioasid_bind_args, 0)                      \
	X(UNBIND_DEVICE, unbind_device, struct ioasid_unbind_args, 0)                \
	X(DEVICE_GET_INFO, device_get_info, struct ioasid_device_info_args, 0)       \
	X(ATTACH, attach, struct ioasid_attach_args, 0)                              \
	X(DETACH, detach, struct ioasid_detach_args, 0)                              \
	X(LIST, list, struct ioasid_list_args, 0)                                    \
	X(GET_FD_INFO, fd_get_info, struct ioasid_fd_info_args, 0)                   \
	X(SET_ACCOUNTING, set_accounting, struct ioasid_accounting_args, 0)          \
	X(SET_DIRTY, set_dirty, struct ioasid_set_dirty_args, IOASID_DIRTY_ON)       \
	X(READ_DIRTY, read_dirty, struct ioasid_read_dirty_args, IOASID_DIRTY_KEEP)  \
	X(SET_EVENTFD, set_eventfd, struct ioasid_eventfd_args, 0)                   \
	X(READ_FAULTS, read_faults, struct ioasid_read_faults_args, 0)               \
	X(ANSWER_FAULT, answer_fault, struct ioasid_answer_fault_args, 0)            \
	X(VIOMMU_ALLOC, viommu_alloc, struct ioasid_viommu_args, 0)                  \
	X(VDEVICE_ALLOC, vdevice_alloc, struct ioasid_vdevice_args, 0)               \
	X(HW_QUEUE_ALLOC, hw_queue_alloc, struct ioasid_hw_queue_args, 0)            \
	X(EVENT_QUEUE_ALLOC, event_queue_alloc, struct ioasid_event_queue_args, 0)   \
	X(READ_EVENTS, read_events, struct ioasid_read_events_args, 0)               \
	X(SET_HOST_DRIVER, set_host_driver, struct ioasid_host_driver_args, 0)       \
	X(TEST_DMA, test_dma, struct ioasid_test_dma_args, IOASID_DMA_WRITE)

#define X(command, function, type, flags) int call_##function(struct refdev_file *, type *);
CALLS(X)
#undef X
