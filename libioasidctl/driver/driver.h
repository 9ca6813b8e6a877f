/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One vtable for all kernel interfaces. A driver is stateless; what it holds hangs on a driver_fd
 * (an open IOMMU node) or a driver_device (an open device). It knows the ABI headers and the
 * model, never the config. Each call does one kernel action, undoes its own partial work when it
 * fails, returns -errno and fills `err` with kind, message, ioctl and, where known, cause and hint.
 */
#pragma once

#include <jansson.h>

#include "base/descriptors.h"
#include "base/error.h"
#include "host/group.h"
#include "model/topology.h"

struct refdev;

/*
 * What a driver can lack. `missing[]` of a driver holds the reason, NULL where it is able. The
 * text completes "driver NAME can't do it: ".
 */
#define CAPABILITIES(X)                                \
	X(NESTED, "nested IOASIDs")                    \
	X(NEST_PARENT, "nest_parent")                  \
	X(VIOMMU, "viommus")                           \
	X(EVENTS, "event queues of viommus")           \
	X(HW_QUEUE, "hardware queues")                 \
	X(VFIO_COMPAT, "vfio_compat")                  \
	X(PASID, "PASIDs")                             \
	X(FAULT_QUEUE, "fault queues")                 \
	X(DIRTY, "dirty tracking")                     \
	X(ALLOW, "allowed ranges")                     \
	X(AUTO_IOVA, "automatic IOVA placement")       \
	X(SMALL_PAGES, "huge_pages: false")            \
	X(ENFORCE_SNOOP, "enforce_snoop")              \
	X(COPY, "mappings copied from another IOASID") \
	X(BY_PROCESS, "accounting: process")           \
	X(BY_USER, "accounting: user")                 \
	X(DMABUF, "memory backed by a device's BAR")   \
	X(WRITE_ONLY, "write-only mappings")           \
	X(GAPLESS, "moves without a gap")              \
	X(TAKEOVER, "takeover by another holder")      \
	X(GROUP_TAKE, "group: take")                   \
	X(SRIOV, "virtual functions")                  \
	X(PCI, "pci devices")                          \
	X(MDEV, "mdev devices")                        \
	X(PLATFORM, "platform devices")                \
	X(VDPA, "vdpa devices")                        \
	X(VQ_GROUP, "virtqueue groups")                \
	X(MOCK, "mock devices")                        \
	X(RAW, "devices handed over unbound")

enum capability {
#define X(id, text) CAP_##id,
	CAPABILITIES(X)
#undef X
		CAP_COUNT
};

/* What the capability is, for people: "nested IOASIDs". */
const char *capability_text(enum capability cap);

struct driver;

/* The world a driver works in; owned by the caller, outlives everything made with it. */
struct driver_env {
	const struct driver *const *drivers; /* to choose from, NULL-terminated; NULL: all */
	const char *root; /* prefix of /sys, /proc and /dev; "" on a live machine */
	struct refdev *refdev; /* the machine behind the ioasid driver */
	/* Each kernel action as a line without newline; NULL: nobody listens. */
	void (*trace)(void *data, const char *line);
	void *trace_data;
};

/* What can be known of a device before anything is opened. Strings owned; device_facts_done(). */
struct device_facts {
	bool present;
	char *name; /* in sysfs, by which it is among the members of its group; NULL: its address */
	uint32_t group; /* IOMMU group number; NO_INDEX: in none */
	char *driver; /* bound to; NULL: to none */
	char *override; /* its driver_override; NULL: none */
	uint32_t vfs; /* how many VFs it has; NO_INDEX: it can't have any */
	struct iommu_group members; /* of its group, itself among them */
};
void device_facts_done(struct device_facts *facts);

/* What the hardware says of a bound device. */
struct device_info {
	const char *type; /* "vt-d", "smmuv3", "amd", "mock", "reference", "none" */
	uint32_t iova_bits; /* address width the IOMMU gives the device; 0: not told */
	uint64_t page_sizes; /* bit n: pages of 2^n bytes; 0: not told */
	bool nesting;
	bool dirty_tracking;
	bool snoop_control;
	uint32_t pasid_bits; /* 0: none */
	/* Raw registers as the interface reports them, for those who know them. */
	struct {
		const char *name;
		uint64_t value;
	} registers[12];
	size_t n_registers;
};

/* What the kernel says of one IOASID. */
struct ioasid_info {
	struct range *ranges; /* allowed IOVA, sorted; owned, ioasid_info_done() */
	size_t n_ranges;
	uint64_t alignment; /* of IOVA and length, bytes; 0: not told */
	bool counted; /* domains is known */
	uint32_t domains;
	bool measured; /* page_table_bytes is known (only the reference device tells) */
	uint64_t page_table_bytes;
};
void ioasid_info_done(struct ioasid_info *info);

/* What a nested IOASID is put on. */
struct nesting {
	uint32_t parent; /* id of the gpa IOASID */
	uint32_t viommu; /* id of the viommu; NO_INDEX: on the parent alone */
	struct driver_device *device; /* bound to the fd: for whose IOMMU */
};

/* A page fault that a device waits with, until fault_answer() has been called for it. */
enum fault_access {
	FAULT_READ = 1 << 0,
	FAULT_WRITE = 1 << 1,
	FAULT_EXEC = 1 << 2,
	FAULT_PRIVILEGED = 1 << 3,
};

struct io_fault {
	uint32_t device; /* id on the fd */
	uint32_t pasid; /* NO_PASID: of the whole device */
	uint32_t group; /* faults that are answered together */
	uint32_t cookie; /* to answer with */
	uint32_t access; /* enum fault_access */
	bool last; /* of its group: the one to answer */
	uint64_t address;
	uint64_t length; /* a hint, bytes; 0: none */
};

#define VIOMMU_EVENT_MAX 64

/* What a viommu's event queue says, in the format of its hardware. */
struct viommu_event {
	bool lost; /* events before this one were lost; no data */
	uint32_t sequence;
	uint32_t size; /* bytes of data */
	_Alignas(8) unsigned char data[VIOMMU_EVENT_MAX];
};

/*
 * What became stale in the caches of a nested IOASID or of a viommu: everything, a range, or a
 * command in the format of the hardware (arm-smmuv3: the two words of a CMDQ entry; mock: the
 * number of a cache entry).
 */
struct invalidation {
	bool everything;
	bool leaf; /* of a range: the last level only */
	struct range range;
	uint64_t words[2];
	size_t n_words; /* 0: no command */
};

struct map_args {
	uint64_t iova, length;
	uint8_t access; /* enum mapping_access */
	int fd; /* of the memory */
	uint64_t offset;
	void *va; /* of the range in this process; NULL unless wants_va() */
	uint64_t *placed; /* NULL: at iova; else anywhere free and usable, and this says where */
};

/*
 * Devices that translate by themselves (vhost-vdpa), unknown to the IOMMU fd: what is in the
 * IOASIDs that they are in is copied into their IOTLB. An IOASID, of whatever driver:
 */
struct iotlb_space {
	const struct driver_fd *fd;
	uint32_t ioasid; /* id on it */
};

/* All mappings of one; each has `va`. */
struct iotlb_content {
	const struct map_args *maps;
	size_t n;
};

#define IOTLB_TABLES_MAX 64

struct iotlb_info {
	uint32_t spaces, groups; /* address spaces and virtqueue groups of the device */
	struct range usable; /* IOVAs */
	struct iotlb_table {
		uint32_t asid;
		uint32_t vq_group; /* NO_INDEX: all that are in no other table */
		uint64_t entries; /* mappings */
	} tables[IOTLB_TABLES_MAX];
	size_t n_tables;
};

struct driver {
	const char *name;
	enum driver_choice choice;
	const char *node; /* default node, below root */
	const char *missing[CAP_COUNT]; /* NULL: able; else why not */
	/* Of nested IOASIDs, bits by enum table_format: known at all; only on a viommu. */
	uint32_t tables, viommu_tables;
	/* Bits by enum viommu_type: viommus; those that have event queues, hardware queues. */
	uint32_t viommus, event_viommus, queue_viommus;
	bool nested_needs_device; /* a nested IOASID is made for the IOMMU of one device */

	/* Whether it could be opened here, changing nothing. 0, or -errno and why. */
	int (*available)(const struct driver_env *env, const char *node,
			 struct ioasidctl_error **err);

	/* fd: one open IOMMU node, accounting set. Closing frees whatever is left in it. */
	int (*open)(const struct driver_env *env, const struct iommu_fd *spec,
		    struct driver_fd **out, struct ioasidctl_error **err);
	void (*close)(struct driver_fd *fd);
	int (*fd_number)(const struct driver_fd *fd); /* to hand over; -1: it has none */

	/* Devices. find and set_driver work by address and open nothing. */
	int (*device_find)(const struct driver_env *env, const struct device *spec,
			   struct device_facts *out, struct ioasidctl_error **err);
	/*
	 * Binds the device to the host driver of that name ("" to none) and verifies it. *original
	 * (owned by the caller; may be NULL) gets the driver it had, "" for none.
	 */
	int (*device_set_driver)(const struct driver_env *env, const struct device *spec,
				 const char *driver, char **original, struct ioasidctl_error **err);
	/*
	 * Gives a physical function that many VFs. *before (may be NULL) gets how many it had.
	 * `back`: to a number of before, so that the VFs of now were made for that purpose.
	 * -EBUSY: one is in use.
	 */
	int (*device_set_vfs)(const struct driver_env *env, const struct device *spec, uint32_t n,
			      bool back, uint32_t *before, struct ioasidctl_error **err);
	/*
	 * What the host itself uses the device for, as text for people (owned); NULL: nothing. No
	 * function: the machine has no host that would lose anything.
	 */
	int (*device_carries)(const struct driver_env *env, const struct device *spec, char **text,
			      struct ioasidctl_error **err);
	/*
	 * Who else has the device open, so that it can't be given back: "pid 1234 (qemu)" (owned);
	 * NULL: nobody that could be seen. No function: there it doesn't matter.
	 */
	int (*device_users)(const struct driver_env *env, const struct device *spec, char **text,
			    struct ioasidctl_error **err);
	/* Sets driver_override (NULL: none). No function: the machine has no such thing. */
	int (*device_set_override)(const struct driver_env *env, const struct device *spec,
				   const char *override, struct ioasidctl_error **err);
	/*
	 * Makes and deletes a device that the machine doesn't have by itself; NULL: its machine has
	 * all there can be. delete leaves one alone that somebody else has made meanwhile: -EXDEV.
	 */
	int (*device_create)(const struct driver_env *env, const struct device *spec,
			     struct ioasidctl_error **err);
	int (*device_delete)(const struct driver_env *env, const struct device *spec,
			     struct ioasidctl_error **err);
	int (*device_open)(const struct driver_env *env, const struct device *spec,
			   struct driver_device **out, struct ioasidctl_error **err);
	void (*device_close)(struct driver_device *dev); /* unbinds, detaches */
	int (*device_fd_number)(const struct driver_device *dev);
	/*
	 * NULL where the fd's is all there is. Descriptors of an IOASID and of a device's IOMMU
	 * group, to hand over; -1: it has none.
	 */
	int (*ioasid_fd_number)(const struct driver_fd *fd, uint32_t id);
	int (*group_fd_number)(const struct driver_device *dev);
	/*
	 * NULL where the driver can't. A descriptor that becomes readable when the kernel wants the
	 * device closed: its removal, or its host driver's, waits for that. It lives as
	 * long as the device is open; -1: this device has none. device_requested() takes what it
	 * has to tell, and says whether that is so.
	 */
	int (*device_request_fd)(struct driver_device *dev);
	bool (*device_requested)(struct driver_device *dev);
	int (*device_bind)(struct driver_fd *fd, struct driver_device *dev, uint32_t *id,
			   struct ioasidctl_error **err);
	int (*device_info)(struct driver_fd *fd, struct driver_device *dev, struct device_info *out,
			   struct ioasidctl_error **err);

	/*
	 * A descriptor of a part of a bound PCI device's BAR, as memory that map() takes; the
	 * caller closes it. offset and length: bytes, whole pages. NULL where CAP_DMABUF is
	 * missing.
	 */
	int (*device_bar_fd)(struct driver_device *dev, uint32_t bar, uint64_t offset,
			     uint64_t length, int *out, struct ioasidctl_error **err);

	/*
	 * IOASIDs. `on` is NULL for a gpa. A gpa with flags that want a hardware page table of
	 * their own gets that when the first device comes to it.
	 */
	int (*ioasid_alloc)(struct driver_fd *fd, const struct ioasid *spec,
			    const struct nesting *on, uint32_t *id, struct ioasidctl_error **err);
	int (*ioasid_free)(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err);
	int (*ioasid_info)(struct driver_fd *fd, uint32_t id, struct ioasid_info *out,
			   struct ioasidctl_error **err);
	/* Replaces the set of allowed ranges; n 0: everything. */
	int (*allow)(struct driver_fd *fd, uint32_t id, const struct range *ranges, size_t n,
		     struct ioasidctl_error **err);

	/* Whether map() of this memory needs the range mapped in this process. */
	bool (*wants_va)(const struct driver_fd *fd, const struct memory *memory);
	int (*map)(struct driver_fd *fd, uint32_t id, const struct map_args *args,
		   struct ioasidctl_error **err);
	/* [from, from + length) of the IOASID `source`, which must be exactly one mapping there. */
	int (*copy)(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length,
		    uint8_t access, uint32_t source, uint64_t from, struct ioasidctl_error **err);
	int (*unmap)(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length,
		     struct ioasidctl_error **err);
	/*
	 * The mappings the kernel has, for verification: calls `each` in IOVA order until it
	 * returns non-zero. NULL: the interface can't list.
	 */
	int (*list_mappings)(struct driver_fd *fd, uint32_t id,
			     int (*each)(void *data, uint64_t iova, uint64_t length,
					 uint8_t access),
			     void *data, struct ioasidctl_error **err);

	/*
	 * Attachment; attach() of an attached device (or PASID) replaces, without a gap if
	 * CAP_GAPLESS isn't missing.
	 */
	int (*attach)(struct driver_fd *fd, struct driver_device *dev, uint32_t id, uint32_t pasid,
		      struct ioasidctl_error **err);
	int (*detach)(struct driver_fd *fd, struct driver_device *dev, uint32_t pasid,
		      struct ioasidctl_error **err);

	/*
	 * What belongs to viommus; each NULL where the driver lacks the capability. `viommu` is the
	 * id that viommu_alloc() gave. A vdevice goes before its device is closed.
	 */
	int (*viommu_alloc)(struct driver_fd *fd, const struct viommu *spec, uint32_t parent,
			    struct driver_device *dev, uint32_t *id, struct ioasidctl_error **err);
	int (*viommu_free)(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err);
	int (*vdevice_alloc)(struct driver_fd *fd, uint32_t viommu, struct driver_device *dev,
			     uint64_t virt_id, uint32_t *id, struct ioasidctl_error **err);
	int (*vdevice_free)(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err);
	int (*queue_alloc)(struct driver_fd *fd, uint32_t viommu, const struct hw_queue *spec,
			   uint32_t *id, struct ioasidctl_error **err);
	int (*queue_free)(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err);
	int (*events_alloc)(struct driver_fd *fd, uint32_t viommu, uint32_t depth, uint32_t *id,
			    struct ioasidctl_error **err);
	int (*events_free)(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err);

	/*
	 * Page faults of an IOASID with a fault queue, and events of a viommu (`id` of
	 * events_alloc()). The descriptor is borrowed and readable when there is something; -1:
	 * none. Reading doesn't wait; *n is how many were there. fault_answer() lets the device go
	 * on.
	 */
	int (*faults_fd)(const struct driver_fd *fd, uint32_t ioasid);
	int (*faults_read)(struct driver_fd *fd, uint32_t ioasid, struct io_fault *out, size_t room,
			   size_t *n, struct ioasidctl_error **err);
	int (*fault_answer)(struct driver_fd *fd, uint32_t ioasid, uint32_t cookie, bool success,
			    struct ioasidctl_error **err);
	int (*events_fd)(const struct driver_fd *fd, uint32_t events);
	int (*events_read)(struct driver_fd *fd, uint32_t events, struct viommu_event *out,
			   size_t room, size_t *n, struct ioasidctl_error **err);

	/*
	 * Dirty pages of a gpa IOASID with the flag. read: one bit for each page of page_size
	 * bytes, from iova on, is set (never cleared) in `bitmap`; `keep`: the kernel's record
	 * stays.
	 */
	int (*dirty_set)(struct driver_fd *fd, uint32_t ioasid, bool on,
			 struct ioasidctl_error **err);
	int (*dirty_read)(struct driver_fd *fd, uint32_t ioasid, const struct range *range,
			  uint64_t page_size, bool keep, uint64_t *bitmap,
			  struct ioasidctl_error **err);

	/* *done: entries handled, also when it fails. `viommu`: `id` is that of a viommu. */
	int (*invalidate)(struct driver_fd *fd, uint32_t id, bool viommu,
			  const struct invalidation *entries, size_t n, size_t *done,
			  struct ioasidctl_error **err);

	/* The IOASID that stands in where the fd is used as a VFIO container; NO_INDEX: none. */
	int (*set_vfio_compat)(struct driver_fd *fd, uint32_t ioasid, struct ioasidctl_error **err);

	/*
	 * Living on in another process; all NULL where CAP_TAKEOVER is missing. record: what
	 * besides its descriptors that process has to know of an fd or an open device. The
	 * descriptors are added to *out, borrowed, with names that begin with `name`; *state: a new
	 * reference. restore: there, with the same name; takes its descriptors out of `given`, and
	 * makes no call to the kernel. `fd` of a device: that it was bound to, or would be.
	 * -EINVAL: the state isn't one, or a descriptor is missing.
	 */
	int (*fd_record)(const struct driver_fd *fd, const char *name, struct descriptors *out,
			 json_t **state, struct ioasidctl_error **err);
	int (*fd_restore)(const struct driver_env *env, const char *name, const json_t *state,
			  struct descriptors *given, struct driver_fd **out,
			  struct ioasidctl_error **err);
	int (*device_record)(const struct driver_device *dev, const char *name,
			     struct descriptors *out, json_t **state, struct ioasidctl_error **err);
	int (*device_restore)(struct driver_fd *fd, const char *name, const json_t *state,
			      struct descriptors *given, struct driver_device **out,
			      struct ioasidctl_error **err);
	/*
	 * close() that leaves all objects to another process with the same file; device_close() of
	 * its devices does so from then on.
	 */
	void (*leave)(struct driver_fd *fd);
	/*
	 * Accounts everything that is pinned through the fd to the calling process, which has it
	 * from another one. Each mapping must have been made without wants_va(), of a memfd.
	 */
	int (*adopt)(struct driver_fd *fd, struct ioasidctl_error **err);

	/*
	 * Where in memory an IOVA lies, for devices without an IOMMU, which have to be given
	 * physical addresses. *length: in, bytes wanted; out, how many from there on are
	 * contiguous. NULL: the driver serves no such devices.
	 */
	int (*physical)(struct driver_fd *fd, uint32_t ioasid, uint64_t iova, uint64_t *length,
			uint64_t *physical, struct ioasidctl_error **err);

	/* Is it still there? 0; -ENOENT: gone. */
	int (*ioasid_probe)(struct driver_fd *fd, uint32_t id);
	int (*viommu_probe)(struct driver_fd *fd, uint32_t id);
	int (*device_probe)(struct driver_fd *fd, struct driver_device *dev);

	/*
	 * The calls above that are about devices, and the iotlb_* ones, for vDPA devices; NULL:
	 * they are devices like others. See device_ops().
	 */
	const struct driver *vdpa;

	/*
	 * Only of devices with an IOTLB of their own, instead of attach and detach. attach() of a
	 * device, or of a virtqueue group (NO_INDEX: all without a place of their own), that is in
	 * an IOASID replaces that; `before` is what is in it, to go back to. map() and unmap()
	 * concern all that is in the IOASID; nothing is changed when they fail.
	 */
	int (*iotlb_attach)(struct driver_device *dev, uint32_t vq_group,
			    const struct iotlb_space *space, const struct iotlb_content *content,
			    const struct iotlb_content *before, struct ioasidctl_error **err);
	int (*iotlb_detach)(struct driver_device *dev, uint32_t vq_group,
			    struct ioasidctl_error **err);
	int (*iotlb_map)(struct driver_device *dev, const struct iotlb_space *space,
			 const struct map_args *args, struct ioasidctl_error **err);
	int (*iotlb_unmap)(struct driver_device *dev, const struct iotlb_space *space,
			   const struct map_args *args, struct ioasidctl_error **err);
	bool (*iotlb_has)(const struct driver_device *dev, const struct iotlb_space *space);
	void (*iotlb_info)(const struct driver_device *dev, struct iotlb_info *out);
};

extern const struct driver driver_iommufd;
extern const struct driver driver_vfio;
extern const struct driver driver_ioasid;
/* Not to be chosen by an fd: only device calls, see `vdpa` above. */
extern const struct driver driver_vdpa;

/* All drivers, in the order in which `auto` prefers them; terminated by NULL. */
extern const struct driver *const drivers[];

/*
 * Comes from a choice to a driver: AUTO takes the first one available except the reference device,
 * which nobody should get without having asked for it.
 */
int driver_resolve(const struct driver_env *env, enum driver_choice choice, const char *node,
		   const struct driver **out, struct ioasidctl_error **err);

/* The driver whose device_*() calls are for that device; NULL: no fd has it. */
const struct driver *device_ops(const struct topology *t, const struct device *d);
/* The same, where it is known by its fd's driver and its selector only. */
const struct driver *selector_ops(const struct driver *ops, enum selector selector);
/* Whether it keeps copies of its IOASIDs in an IOTLB of its own. */
bool device_has_iotlb(const struct topology *t, const struct device *d);

/*
 * Whether both see the same machine's devices, host drivers included. The reference device has its
 * own; that it knows a device by the same address says nothing. NULL: a device nobody opened.
 */
bool drivers_share_machine(const struct driver *a, const struct driver *b);

/*
 * Whether a device may have that host driver ("" none) while user space owns the rest of its
 * group: drivers that do DMA of their own are refused then, by Linux and by the reference device.
 */
bool group_allows_driver(const char *driver);

/* A line for env->trace; does nothing where nobody listens. */
void driver_trace(const struct driver_env *env, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
