/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What exists: desired and live in one shape.
 *
 * The config layer makes a topology with empty `live` parts; the planner compares two of them; the
 * executor fills the `live` parts of the new one, and once it has succeeded the new one is the
 * live topology. References between objects are indices into the arrays of the same topology,
 * NO_INDEX for none; across two topologies objects are the same when their names are.
 * A field that a config leaves out holds its default, so absent and default can't differ.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NO_INDEX	UINT32_MAX
#define NO_PASID	UINT32_MAX
#define PASID_MAX	((1U << 20) - 1)
#define VQ_GROUP_MAX	65535
#define NO_NODE		(-1)
#define NAME_MAX_LENGTH 63

struct driver;
struct driver_fd;
struct driver_device;
struct memory_window;

/* Where an object was declared; line 0: nowhere (it didn't come from a file). */
struct position {
	uint32_t line, column; /* 1-based */
};

struct range {
	uint64_t first, last; /* inclusive */
};

enum backing { BACKING_MEMFD, BACKING_FILE, BACKING_DMABUF, BACKING_COUNT };

struct memory {
	char *name;
	struct position at;
	enum backing backing;
	uint64_t size; /* bytes */
	uint64_t page_size; /* 0: the machine's base page; else a huge page size, bytes */
	char *path; /* file */
	uint32_t device; /* dmabuf: whose BAR */
	uint32_t bar;
	bool prefault;
	int numa_node; /* NO_NODE: anywhere */

	struct {
		int fd; /* -1: none yet */
		struct memory_window *windows; /* this process's own mappings of it */
	} live;
	uint32_t prev; /* planner: index in the live topology; NO_INDEX: new */
};

enum selector {
	SELECTOR_PCI,
	SELECTOR_MDEV,
	SELECTOR_PLATFORM,
	SELECTOR_VDPA,
	SELECTOR_MOCK,
	SELECTOR_VF,
	SELECTOR_COUNT
};
enum group_policy { GROUP_STRICT, GROUP_TAKE, GROUP_POLICY_COUNT };
enum hotplug { HOTPLUG_MANUAL, HOTPLUG_ATTACH, HOTPLUG_COUNT };

struct device {
	char *name;
	struct position at;
	enum selector selector;
	/*
	 * What the selector selects: "0000:01:00.0", a UUID, a name, a number. Of a VF its place
	 * in sysfs, "0000:01:00.0/virtfn3": its address isn't known before it exists.
	 */
	char *address;
	uint32_t vf_of,
		vf_index; /* VF: the device whose VF it is, which one, from 0; or NO_INDEX */
	uint32_t vfs; /* how many VFs it is to have; NO_INDEX: not this topology's business */
	char *driver; /* to be bound to, "vfio-pci"; NULL: leave it as it is */
	enum group_policy group;
	/*
	 * The device of the same topology whose group this one is in, and that is why it is here:
	 * nobody declared it, `group: take` did. NO_INDEX: declared.
	 */
	uint32_t taken_for;
	bool force; /* take it even though the host itself uses it */
	bool host_only; /* nothing opens it: only its host driver is this topology's business */
	/* vdpa: made by us on that management device; NULL: it must be there. */
	struct {
		char *management;
		bool has_mac;
		uint8_t mac[6];
		uint16_t mtu, max_queue_pairs; /* 0: as the management device likes */
	} vdpa;
	enum hotplug hotplug;
	uint32_t fd; /* the fd that it's bound to, or whose driver opens it */
	const char *node; /* of that fd, where one is declared: it may be another machine */
	bool bound; /* some attachment, viommu or vdevice needs it bound to that fd */
	/* Declared, but not held: not there yet, or it had to be let go. See topology_set_absent().
	 */
	bool absent;
	char *trouble; /* why an absent device that is there is not held; NULL: nothing is known */

	struct {
		struct driver_device *handle; /* NULL: not open */
		uint32_t id; /* on its fd, once bound */
		bool bound;
		bool made; /* by us: to be deleted */
		char *original_driver; /* to restore; "" none; NULL: never touched */
		uint32_t original_vfs; /* to restore; NO_INDEX: never touched */
		uint32_t vfs_before; /* the last change, for its undo */
	} live;
	uint32_t iommu_group; /* as the machine has it; NO_INDEX: in none, or not asked yet */
	/* As the machine had it before anything was changed. Owned; NULL: none, or not asked. */
	struct {
		char *name; /* in sysfs, "0000:01:00.0" */
		char *driver;
		char *override; /* driver_override */
		uint32_t vfs; /* how many VFs it has; NO_INDEX: it can't have any */
	} found;
	uint32_t prev;
	uint32_t successor_of; /* planner: live device at the same address that this one replaces */
};

enum mapping_access { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_RW = 3 };

/* Kept small: a topology may hold hundreds of thousands. */
struct mapping {
	uint64_t iova; /* 0 while auto_iova and not placed yet */
	uint64_t length; /* bytes */
	uint64_t offset; /* into the memory; of a copy: the IOVA in the source */
	uint32_t memory; /* NO_INDEX: a copy */
	uint32_t source; /* copy: ioasid of the same fd; else NO_INDEX */
	struct position at;
	uint8_t access; /* enum mapping_access */
	bool auto_iova; /* the tool places it (iova: auto) */
	bool placed; /* of auto_iova: iova is where it came to lie */
};

struct attachment {
	struct position at;
	uint32_t device;
	uint32_t pasid; /* NO_PASID: the whole device */
	uint32_t vq_group; /* of a vDPA device; NO_INDEX: all that are attached nowhere else */
};

enum ioasid_kind { IOASID_GPA, IOASID_NESTED, IOASID_KIND_COUNT };

/* Flags of the object itself, as declared. */
enum ioasid_flag {
	IOASID_FLAG_NEST_PARENT = 1 << 0,
	IOASID_FLAG_DIRTY = 1 << 1,
	IOASID_FLAG_PASID = 1 << 2,
	IOASID_FLAG_FAULT_QUEUE = 1 << 3,
	IOASID_FLAG_NO_HUGE = 1 << 4, /* huge_pages: false */
	IOASID_FLAG_ENFORCE_SNOOP = 1 << 5,
};

enum table_format {
	TABLE_NONE,
	TABLE_VTD_S1,
	TABLE_ARM_SMMUV3,
	TABLE_AMD_GUEST,
	TABLE_MOCK,
	TABLE_X86_64,
	TABLE_COUNT
};

#define TABLE_WORDS_MAX 4

/* A guest's own table, as its hardware format describes it. */
struct table {
	enum table_format format;
	uint64_t address; /* vtd-s1, x86-64: guest address of the root */
	uint32_t address_width; /* bits; 0: the format's default */
	uint64_t words[TABLE_WORDS_MAX]; /* arm-smmuv3: STE, amd-guest: DTE, mock: IOTLB value */
	uint32_t n_words;
};

struct ioasid {
	char *name;
	struct position at;
	enum ioasid_kind kind;
	uint32_t flags; /* enum ioasid_flag */
	uint32_t parent; /* nested: ioasid of the same fd */
	uint32_t viommu; /* nested: on this viommu of the same fd, or NO_INDEX */
	struct table table;
	struct range *allow; /* sorted, disjoint; none: everything the devices allow */
	size_t n_allow;
	struct mapping *maps; /* sorted by mapping_compare(); disjoint, once placed */
	size_t n_maps;
	struct attachment *attach;
	size_t n_attach;
	size_t n_pending; /* behind those in `attach`: of absent devices */

	struct {
		bool exists;
		uint32_t id; /* on its fd */
		bool dirty; /* tracking has been started */
	} live;
	uint32_t prev; /* same object in the live topology; NO_INDEX: none, or it must be rebuilt */
};

/* What the kernel has of an object that a viommu owns. */
struct live_object {
	bool exists;
	uint32_t id; /* on its fd */
};

struct vdevice {
	struct position at;
	uint32_t device;
	uint64_t id; /* the device's identity in the guest: stream id, BDF */
	struct live_object live;
	uint32_t prev; /* of the live viommu; NO_INDEX: none, or it must be rebuilt */
};

/* A hardware queue of the IOMMU, handed to the guest: it lies in the guest's memory. */
struct hw_queue {
	struct position at;
	uint32_t index;
	uint64_t iova, length; /* in the parent; bytes */
	struct live_object live;
	uint32_t prev; /* of the live viommu; NO_INDEX: none, or it must be rebuilt */
};

enum viommu_type {
	VIOMMU_DEFAULT,
	VIOMMU_ARM_SMMUV3,
	VIOMMU_TEGRA241_CMDQV,
	VIOMMU_MOCK,
	VIOMMU_TYPE_COUNT
};

struct viommu {
	char *name;
	struct position at;
	enum viommu_type type;
	uint32_t parent; /* ioasid of the same fd, a nest_parent */
	uint32_t device;
	uint32_t events_depth; /* 0: no event queue */
	struct vdevice *vdevices;
	size_t n_vdevices;
	struct hw_queue *queues;
	size_t n_queues;

	struct live_object live, live_events;
	uint32_t prev; /* same object in the live topology; NO_INDEX: none, or it must be rebuilt */
};

enum driver_choice { DRIVER_AUTO, DRIVER_IOMMUFD, DRIVER_VFIO, DRIVER_IOASID, DRIVER_CHOICE_COUNT };
enum accounting { ACCOUNTING_DEFAULT, ACCOUNTING_PROCESS, ACCOUNTING_USER, ACCOUNTING_COUNT };

struct iommu_fd {
	char *name;
	struct position at;
	enum driver_choice driver; /* as declared; `ops` is what it came to */
	char *node; /* NULL: the driver's own */
	enum accounting accounting;
	struct ioasid *ioasids;
	size_t n_ioasids;
	struct viommu *viommus;
	size_t n_viommus;
	uint32_t vfio_compat; /* the ioasid that stands in for a VFIO container; NO_INDEX: none */

	const struct driver *ops; /* resolved before planning; NULL: not resolved */
	struct {
		struct driver_fd *handle; /* NULL: not open */
	} live;
	uint32_t prev;
};

struct topology {
	char *name;
	char *owner_user; /* NULL: whoever applied */
	char *file; /* the config it came from, for messages; NULL: none */
	struct memory *memories;
	size_t n_memories;
	struct device *devices;
	size_t n_devices;
	struct iommu_fd *fds;
	size_t n_fds;
};

/* Names of the enumerations, as in configs and JSON; terminated by a NULL entry. */
extern const char *const backing_names[];
extern const char *const selector_names[];
extern const char *const group_policy_names[];
extern const char *const hotplug_names[];
extern const char *const ioasid_kind_names[];
extern const char *const table_format_names[];
extern const char *const viommu_type_names[];
extern const char *const driver_choice_names[];
extern const char *const accounting_names[];
/* "r", "w", "rw", by enum mapping_access */
extern const char *const access_names[];

/* An empty topology; NULL: out of memory. */
struct topology *topology_new(void);
/* Frees the description; live handles are not touched (the executor owns their closing). */
void topology_free(struct topology *t);
void topology_freep(struct topology **t);
#define _cleanup_topology_ __attribute__((cleanup(topology_freep)))

/*
 * Adds a member of the group of device `taker`, to be bound to a driver that leaves DMA to others:
 * "vfio-pci". Its name is "pci:0000:05:02.0", which no declared one can have. -ENOMEM, or
 * -EOPNOTSUPP: no such driver is for that kind of device.
 */
int topology_take_member(struct topology *t, uint32_t taker, enum selector selector,
			 const char *address);

#define DEVICE_LABEL_MAX 192
/* For people: "nic0 (0000:01:00.0)"; of a taken one: "0000:05:02.0 (in the group of nic0)". */
const char *device_label(const struct topology *t, const struct device *d,
			 char buf[static DEVICE_LABEL_MAX]);

/* Whether both are made with the same parameters, or neither is made. */
bool devices_made_alike(const struct device *a, const struct device *b);

/*
 * The topology goes on without the device: its attachments become pending, and it needs no binding.
 * For a live one, after everything that it was in has let it go.
 */
void topology_set_absent(struct topology *t, uint32_t device);

/* Index of the object of that name, or NO_INDEX. */
uint32_t topology_find_memory(const struct topology *t, const char *name);
uint32_t topology_find_device(const struct topology *t, const char *name);
uint32_t topology_find_fd(const struct topology *t, const char *name);
uint32_t iommu_fd_find_ioasid(const struct iommu_fd *fd, const char *name);
uint32_t iommu_fd_find_viommu(const struct iommu_fd *fd, const char *name);

/* Whether its IOVA is known. */
bool mapping_is_placed(const struct mapping *m);
/* For qsort(3): those without an IOVA come first, in the order of the file. */
int mapping_compare(const void *a, const void *b);
void ioasid_sort_mappings(struct ioasid *i);
/* Those of absent devices included. */
static inline size_t attachment_count(const struct ioasid *i)
{
	return i->n_attach + i->n_pending;
}
/* The mapping that starts at that IOVA; NULL: none. */
const struct mapping *ioasid_mapping_at(const struct ioasid *i, uint64_t iova);

/* Sets default values (-1, NO_INDEX...) of a zeroed object. */
void memory_init(struct memory *m);
void device_init(struct device *d);
void ioasid_init(struct ioasid *i);
void viommu_init(struct viommu *v);
void vdevice_init(struct vdevice *v);
void hw_queue_init(struct hw_queue *q);
void iommu_fd_init(struct iommu_fd *fd);
void mapping_init(struct mapping *m);
