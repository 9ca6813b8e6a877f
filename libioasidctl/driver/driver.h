/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One vtable for all kernel interfaces. A driver is stateless; what it holds hangs on a driver_fd
 * (an open IOMMU node) or a driver_device (an open device). It knows the ABI headers and the
 * model, never the config. Each call does one kernel action, undoes its own partial work when it
 * fails, returns -errno and fills `err` with kind, message, ioctl and, where known, cause and hint.
 */
#pragma once

#include "base/error.h"
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
	X(PASID, "PASIDs")                             \
	X(FAULT_QUEUE, "fault queues")                 \
	X(DIRTY, "dirty tracking")                     \
	X(ALLOW, "allowed ranges")                     \
	X(AUTO_IOVA, "automatic IOVA placement")       \
	X(SMALL_PAGES, "huge_pages: false")            \
	X(COPY, "mappings copied from another IOASID") \
	X(ACCOUNTING, "a choice of memory accounting") \
	X(DMABUF, "memory backed by a device's BAR")   \
	X(WRITE_ONLY, "write-only mappings")           \
	X(GROUP_TAKE, "group: take")                   \
	X(PCI, "pci devices")                          \
	X(MDEV, "mdev devices")                        \
	X(PLATFORM, "platform devices")                \
	X(VDPA, "vdpa devices")                        \
	X(MOCK, "mock devices")

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
	uint32_t group; /* IOMMU group number; NO_INDEX: in none */
	char *driver; /* bound to; NULL: to none */
	char *group_text; /* members and drivers: "0000:03:01.0 (vfio-pci), 0000:03:02.0 (edu)" */
	char *in_the_way; /* members whose driver makes the group not viable, with it; NULL: none */
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
	bool counted; /* the two below are known (only the reference device tells) */
	uint32_t domains;
	uint64_t page_table_bytes;
};
void ioasid_info_done(struct ioasid_info *info);

struct map_args {
	uint64_t iova, length;
	uint8_t access; /* enum mapping_access */
	int fd; /* of the memory */
	uint64_t offset;
	void *va; /* of the range in this process; NULL unless wants_va() */
};

struct driver {
	const char *name;
	enum driver_choice choice;
	const char *node; /* default node, below root */
	const char *missing[CAP_COUNT]; /* NULL: able; else why not */

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
	int (*device_open)(const struct driver_env *env, const struct device *spec,
			   struct driver_device **out, struct ioasidctl_error **err);
	void (*device_close)(struct driver_device *dev); /* unbinds, detaches */
	int (*device_fd_number)(const struct driver_device *dev);
	int (*device_bind)(struct driver_fd *fd, struct driver_device *dev, uint32_t *id,
			   struct ioasidctl_error **err);
	int (*device_info)(struct driver_fd *fd, struct driver_device *dev, struct device_info *out,
			   struct ioasidctl_error **err);

	/* IOASIDs. `parent` is the id of the parent of a nested one, else NO_INDEX. */
	int (*ioasid_alloc)(struct driver_fd *fd, const struct ioasid *spec, uint32_t parent,
			    uint32_t *id, struct ioasidctl_error **err);
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

	/* Attachment; attach() of an attached device (or PASID) replaces without a gap. */
	int (*attach)(struct driver_fd *fd, struct driver_device *dev, uint32_t id, uint32_t pasid,
		      struct ioasidctl_error **err);
	int (*detach)(struct driver_fd *fd, struct driver_device *dev, uint32_t pasid,
		      struct ioasidctl_error **err);

	/* Is it still there? 0; -ENOENT: gone. */
	int (*ioasid_probe)(struct driver_fd *fd, uint32_t id);
	int (*device_probe)(struct driver_fd *fd, struct driver_device *dev);
};

extern const struct driver driver_iommufd;
extern const struct driver driver_ioasid;

/* All drivers, in the order in which `auto` prefers them; terminated by NULL. */
extern const struct driver *const drivers[];

/*
 * Comes from a choice to a driver: AUTO takes the first one available except the reference device,
 * which nobody should get without having asked for it.
 */
int driver_resolve(const struct driver_env *env, enum driver_choice choice, const char *node,
		   const struct driver **out, struct ioasidctl_error **err);

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
