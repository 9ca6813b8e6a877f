// SPDX-License-Identifier: LGPL-2.1-or-later
/* The document of `ioasidctl host --json`: tables over the inventory's own structs. */
#include "report/host.h"

#include "report/define.h"
#include "report/report.h"

_Static_assert(HOST_UNKNOWN == FIELD_UNKNOWN && FEATURE_UNKNOWN == FIELD_UNKNOWN &&
		       NODE_UNKNOWN == FIELD_UNKNOWN && MEMLOCK_UNLIMITED == FIELD_UNKNOWN,
	       "what isn't known is left out");

#define RECORD kernel_features
static const struct field kernel_list[] = {
	IS(TEXT, release, OPTIONAL, ABOUT("version")),
	IS(BOOL, iommufd, ABOUT("/dev/iommu is there to be opened")),
	IS(BOOL, vfio_device, OPTIONAL,
	   ABOUT("VFIO devices have nodes of their own; absent: not told")),
	IS(BOOL, vfio_group, ABOUT("VFIO groups and containers")),
	IS(BOOL, vfio_type1, ABOUT("the type 1 driver of containers")),
	IS(BOOL, vhost_vdpa, ABOUT("the vhost-vdpa driver")),
	IS(BOOL, interrupt_remapping, OPTIONAL,
	   ABOUT("devices can't raise interrupts that aren't theirs; absent: not told")),
	IS(BOOL, unsafe_interrupts, ABOUT("told to hand devices out without that")),
	LIST(TEXTS, parameters, ABOUT("of the kernel command line, those about IOMMUs")),
	{0},
};
static TABLE(kernel_fields, "kernel", "what the running kernel has", kernel_list);
#undef RECORD

/* The limit of the process that asked. */
struct memlock_record {
	uint64_t soft, hard, used, exempt, uid;
};

#define RECORD memlock_record
static const struct field memlock_list[] = {
	IS(HEX, soft, OPTIONAL, ABOUT("limit, bytes; absent: none")),
	IS(HEX, hard, OPTIONAL, ABOUT("what the limit can be raised to; absent: no end")),
	IS(HEX, used, ABOUT("charged to this user's processes that hold nodes, as far as seen")),
	IS(BOOL, exempt, ABOUT("has CAP_IPC_LOCK: no limit applies")),
	IS(COUNT, uid, ABOUT("user")),
	{0},
};
static TABLE(memlock_fields, "memlock", "memory that whoever asked may lock, so also pin for DMA",
	     memlock_list);
#undef RECORD

#define RECORD host_register
static const struct field register_list[] = {
	IS(TEXT, name, ABOUT("as the hardware's manual calls it")),
	IS(HEX, value, ABOUT("raw")),
	{0},
};
static TABLE(register_fields, "register", "a capability register", register_list);
#undef RECORD

#define RECORD host_iommu
static const struct field iommu_list[] = {
	IS(TEXT, name, ABOUT("in /sys/class/iommu")),
	IS(TEXT, type, .names = host_iommu_types, ABOUT("of hardware")),
	IS(TEXT, device, OPTIONAL, ABOUT("it is itself")),
	IS(COUNT, iova_bits, OPTIONAL, ABOUT("address width that Linux uses by default")),
	LIST(HEXES, page_sizes, OPTIONAL, ABOUT("bytes")),
	IS(BOOL, nesting, OPTIONAL, ABOUT("can translate in two stages")),
	IS(BOOL, dirty_tracking, OPTIONAL, ABOUT("can tell which pages were written")),
	IS(BOOL, snoop_control, OPTIONAL, ABOUT("can enforce snooping")),
	IS(COUNT, pasid_bits, OPTIONAL, ABOUT("0: no PASIDs")),
	LIST(TEXTS, capabilities, ABOUT("decoded from its registers")),
	LIST(OBJECTS, registers, OF(register_fields), ABOUT("for those who know them")),
	IS(COUNT, devices, ABOUT("how many sit behind it")),
	{0},
};
static TABLE(iommu_fields, "iommu",
	     "an IOMMU; what its driver doesn't show in sysfs is absent (SMMUs show nothing)",
	     iommu_list);
#undef RECORD

#define RECORD host_reserved
static const struct field reserved_list[] = {
	IS(HEX, first, ABOUT("first I/O virtual address")),
	IS(HEX, last, ABOUT("last one, inclusive")),
	IS(TEXT, type, ABOUT("msi, direct, direct-relaxable or reserved")),
	{0},
};
static TABLE(reserved_fields, "reserved", "a range that no mapping may use", reserved_list);
#undef RECORD

#define RECORD host_group
static const struct field group_list[] = {
	IS(COUNT, id, ABOUT("number in /sys/kernel/iommu_groups")),
	IS(TEXT, type, OPTIONAL, ABOUT("domain that the host has it in: DMA, DMA-FQ, identity...")),
	IS(TEXT, iommu, OPTIONAL, ABOUT("in front of its members")),
	IS(BOOL, viable, ABOUT("no member is in the way of handing it out")),
	LIST(TEXTS, members, ABOUT("addresses")),
	LIST(TEXTS, in_the_way, ABOUT("members that a host driver uses")),
	LIST(OBJECTS, reserved, OF(reserved_fields), ABOUT("as its devices need it")),
	IS(TEXT, node, OPTIONAL, ABOUT("of VFIO; absent: no member is bound to it")),
	{0},
};
static TABLE(group_fields, "group", "devices that their IOMMU can't tell apart", group_list);
#undef RECORD

#define RECORD host_device
static const struct field device_list[] = {
	IS(TEXT, bus, ABOUT("pci, mdev, vdpa, platform or another one of sysfs")),
	IS(TEXT, address, ABOUT("on the bus: domain, bus, device, function; a UUID; a name")),
	IS(TEXT, parent, OPTIONAL, ABOUT("mdev, vdpa: device it is made on")),
	IS(TEXT, vendor, OPTIONAL, ABOUT("PCI id, 0x and four digits")),
	IS(TEXT, device, OPTIONAL, ABOUT("PCI id, 0x and four digits")),
	IS(TEXT, class, OPTIONAL, ABOUT("PCI class, 0x and six digits")),
	IS(TEXT, vendor_name, OPTIONAL, ABOUT("by pci.ids")),
	IS(TEXT, device_name, OPTIONAL, ABOUT("by pci.ids")),
	IS(TEXT, class_name, OPTIONAL, ABOUT("by pci.ids")),
	IS(BOOL, bridge, OPTIONAL, ABOUT("to another PCI bus")),
	IS(COUNT, pasid_bits, OPTIONAL,
	   ABOUT("of its PASID capability, 0 without; absent: not seen, or its IOMMU has none")),
	IS(TEXT, physical_function, OPTIONAL, ABOUT("of a virtual function")),
	IS(COUNT, max_virtual_functions, OPTIONAL, ABOUT("that a physical function may have")),
	LIST(TEXTS, virtual_functions, OPTIONAL, ABOUT("that it has, by index")),
	IS(TEXT, mdev_type, OPTIONAL, ABOUT("mdev: what kind it is of its parent's")),
	IS(COUNT, numa_node, OPTIONAL, ABOUT("nearest memory")),
	IS(TEXT, driver, OPTIONAL, ABOUT("bound to; absent: none")),
	IS(TEXT, driver_override, OPTIONAL, ABOUT("only driver that may take it")),
	IS(TEXT, driver_origin, OPTIONAL, .names = host_driver_origins,
	   ABOUT("why that driver: named in driver_override, or it knows such devices; absent: not told")),
	IS(COUNT, group, OPTIONAL, ABOUT("number of its IOMMU group; absent: in none")),
	IS(TEXT, iommu, OPTIONAL, ABOUT("in front of it; absent: none")),
	IS(TEXT, node, OPTIONAL, ABOUT("that hands it out, of VFIO or vhost-vdpa")),
	{0},
};
static TABLE(device_fields, "device", "a device that can be handed out, or shares a group with one",
	     device_list);
#undef RECORD

#define RECORD host_node
static const struct field node_list[] = {
	IS(TEXT, path, ABOUT("in /dev")),
	IS(TEXT, kind, .names = host_node_kind_names, ABOUT("what it opens")),
	IS(TEXT, mode, ABOUT("permission bits, octal")),
	IS(COUNT, uid, ABOUT("owner")),
	IS(COUNT, gid, ABOUT("group")),
	IS(TEXT, user, OPTIONAL, ABOUT("owner by name")),
	IS(TEXT, group, OPTIONAL, ABOUT("group by name")),
	IS(BOOL, can_open, OPTIONAL,
	   ABOUT("whether who asked may read and write it; absent: a captured tree")),
	{0},
};
static TABLE(node_fields, "node", "a device node", node_list);
#undef RECORD

#define RECORD held_node
static const struct field held_list[] = {
	IS(COUNT, fd, ABOUT("number of the descriptor")),
	IS(TEXT, kind, .names = host_node_kind_names, ABOUT("what it is of")),
	IS(TEXT, node, OPTIONAL, ABOUT("path; absent: a device got from a VFIO group")),
	IS(TEXT, device, OPTIONAL,
	   ABOUT("address of the device behind it; absent: none, or not told")),
	{0},
};
static TABLE(held_fields, "held", "an open descriptor", held_list);
#undef RECORD

#define RECORD	       node_holder
#define INSIDE(member) .offset = offsetof(struct node_holder, memlock.member)
static const struct field holder_list[] = {
	IS(COUNT, pid, ABOUT("process")),
	IS(TEXT, command, ABOUT("its name")),
	IS(TEXT, unit, OPTIONAL, ABOUT("of systemd; absent: none")),
	{.key = "uid", .type = FIELD_COUNT, INSIDE(uid), ABOUT("its real user")},
	{.key = "locked", .type = FIELD_HEX, INSIDE(locked), ABOUT("VmLck, bytes")},
	{.key = "pinned", .type = FIELD_HEX, INSIDE(pinned), ABOUT("VmPin, bytes")},
	{.key = "memlock",
	 .type = FIELD_HEX,
	 OPTIONAL,
	 INSIDE(soft),
	 ABOUT("limit of locked memory, bytes; absent: none")},
	{.key = "exempt",
	 .type = FIELD_BOOL,
	 INSIDE(exempt),
	 ABOUT("has CAP_IPC_LOCK: no limit applies")},
	LIST(OBJECTS, open, OF(held_fields), ABOUT("by descriptor")),
	{0},
};
static TABLE(holder_fields, "holder", "a process that has such nodes open", holder_list);
#undef RECORD

struct host_record {
	uint64_t schema_version;
	const struct kernel_features *kernel;
	const struct memlock_record *memlock;
	const struct host_iommu *iommus;
	size_t n_iommus;
	const struct host_group *groups;
	size_t n_groups;
	const struct host_device *devices;
	size_t n_devices;
	const char **pci_drivers;
	size_t n_pci_drivers;
	const struct host_node *nodes;
	size_t n_nodes;
	const struct node_holder *holders;
	size_t n_holders;
	const char **unseen;
	size_t n_unseen;
};

#define RECORD host_record
static const struct field host_list[] = {
	IS(COUNT, schema_version, ABOUT("of this kind of document; now 1")),
	IS(OBJECT, kernel, OF(kernel_fields), ABOUT("what it can do")),
	IS(OBJECT, memlock, OPTIONAL, OF(memlock_fields), ABOUT("absent: not told")),
	LIST(OBJECTS, iommus, OF(iommu_fields), ABOUT("by name")),
	LIST(OBJECTS, groups, OF(group_fields), ABOUT("by number")),
	LIST(OBJECTS, devices, OF(device_fields), ABOUT("by bus and address")),
	LIST(TEXTS, pci_drivers, ABOUT("that are there now")),
	LIST(OBJECTS, nodes, OF(node_fields), ABOUT("that hand out address spaces and devices")),
	LIST(OBJECTS, holders, OF(holder_fields), ABOUT("by process")),
	LIST(TEXTS, unseen, ABOUT("what who asked couldn't see, and what would help")),
	{0},
};
TABLE(host_fields, "host", "a host's IOMMUs, groups and devices, and who holds them", host_list);
#undef RECORD

json_t *report_host(const struct host *host)
{
	const struct memlock_record memlock = {
		.soft = host->memlock.soft,
		.hard = host->memlock.hard,
		.used = host->memlock_used,
		.exempt = host->memlock.exempt,
		.uid = host->memlock.uid,
	};
	const struct host_record record = {
		.schema_version = REPORT_SCHEMA_VERSION,
		.kernel = &host->kernel,
		.memlock = host->memlock_known ? &memlock : NULL,
		.iommus = host->iommus,
		.n_iommus = host->n_iommus,
		.groups = host->groups,
		.n_groups = host->n_groups,
		.devices = host->devices,
		.n_devices = host->n_devices,
		.pci_drivers = host->pci_drivers,
		.n_pci_drivers = host->n_pci_drivers,
		.nodes = host->nodes.list,
		.n_nodes = host->nodes.n,
		.holders = host->holders.list,
		.n_holders = host->holders.n,
		.unseen = host->unseen,
		.n_unseen = host->n_unseen,
	};

	return fields_encode(&host_fields, &record);
}
