// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/topology.h"
#include "report/define.h"
#include "report/records.h"

const char *const ioasid_flag_names[] = {"nest_parent",	  "dirty_tracking", "pasid", "fault_queue",
					 "no_huge_pages", "enforce_snoop",  NULL};

#define RECORD range_record
static const struct field range_list[] = {
	IS(HEX, first, ABOUT("first address")),
	IS(HEX, last, ABOUT("last address, inclusive")),
	{0},
};
TABLE(range_fields, "range", "a range of I/O virtual addresses", range_list);
#undef RECORD

#define RECORD mapping_record
static const struct field mapping_list[] = {
	IS(HEX, iova, ABOUT("first I/O virtual address")),
	IS(HEX, length, ABOUT("bytes")),
	IS(TEXT, access, .names = access_names, ABOUT("what devices may do")),
	IS(TEXT, memory, OPTIONAL, ABOUT("name of the memory mapped; absent in a copy")),
	IS(HEX, offset, OPTIONAL, ABOUT("bytes into the memory")),
	IS(TEXT, copy, OPTIONAL, ABOUT("IOASID whose mapping was copied")),
	IS(HEX, from, OPTIONAL, ABOUT("first address of the copied mapping there")),
	IS(BOOL, automatic, OPTIONAL, ABOUT("true where the kernel chose the address")),
	{0},
};
TABLE(mapping_fields, "mapping", "memory at a range of addresses", mapping_list);
#undef RECORD

#define RECORD attachment_record
static const struct field attachment_list[] = {
	IS(TEXT, device, ABOUT("name of the device")),
	IS(COUNT, pasid, OPTIONAL, ABOUT("which of its PASIDs; absent: the whole device")),
	IS(COUNT, vq_group, OPTIONAL,
	   ABOUT("of a vDPA device, virtqueue group; absent: all that are in no other")),
	IS(BOOL, pending, ABOUT("whether the device, being absent, is still to be put in")),
	{0},
};
static TABLE(attachment_fields, "attachment", "a device put into the IOASID", attachment_list);
#undef RECORD

#define RECORD table_record
static const struct field table_list[] = {
	IS(TEXT, format, .names = table_format_names, ABOUT("hardware format")),
	IS(HEX, address, ABOUT("guest address of the root, where the format has one")),
	IS(COUNT, address_width, OPTIONAL, ABOUT("bits")),
	LIST(HEXES, words, ABOUT("words of the hardware's own entry")),
	{0},
};
static TABLE(table_fields, "table", "a guest's own page table", table_list);
#undef RECORD

#define RECORD ioasid_record
static const struct field ioasid_list[] = {
	IS(TEXT, name, ABOUT("as declared")),
	IS(TEXT, kind, .names = ioasid_kind_names, ABOUT("who manages the table")),
	IS(COUNT, id, OPTIONAL, ABOUT("the kernel's id on this fd; vfio: the driver's")),
	IS(BOOL, alive, ABOUT("whether the kernel still knows it, asked now")),
	IS(TEXT, parent, OPTIONAL, ABOUT("IOASID that translates its output")),
	IS(TEXT, viommu, OPTIONAL, ABOUT("viommu it is nested on")),
	LIST(TEXTS, flags, .names = ioasid_flag_names, ABOUT("properties declared")),
	IS(BOOL, dirty_active, OPTIONAL,
	   ABOUT("whether dirty pages are being recorded, where it could be")),
	IS(OBJECT, table, OPTIONAL, OF(table_fields), ABOUT("of a nested IOASID")),
	LIST(OBJECTS, allow, OF(range_fields), ABOUT("ranges declared; none: no limit")),
	LIST(OBJECTS, ranges, OPTIONAL, OF(range_fields),
	     ABOUT("ranges that the kernel allows now")),
	IS(HEX, alignment, OPTIONAL, ABOUT("of addresses and lengths, bytes")),
	IS(COUNT, domains, OPTIONAL, ABOUT("domains behind it, where the kernel tells")),
	IS(HEX, page_table_bytes, OPTIONAL,
	   ABOUT("memory of its page tables, where the kernel tells")),
	LIST(OBJECTS, mappings, OF(mapping_fields), ABOUT("in the order of addresses")),
	LIST(OBJECTS, attachments, OF(attachment_fields), ABOUT("devices in it")),
	{0},
};
static TABLE(ioasid_fields, "ioasid", "one I/O address space", ioasid_list);
#undef RECORD

#define RECORD vdevice_record
static const struct field vdevice_list[] = {
	IS(TEXT, device, ABOUT("name of the device")),
	IS(HEX, id, ABOUT("its identity in the guest")),
	IS(COUNT, object, OPTIONAL, ABOUT("the kernel's number of it on the fd")),
	{0},
};
static TABLE(vdevice_fields, "vdevice", "a device's identity on a viommu", vdevice_list);
#undef RECORD

#define RECORD queue_record
static const struct field queue_list[] = {
	IS(COUNT, index, ABOUT("as the guest's IOMMU counts")),
	IS(HEX, iova, ABOUT("where it lies in the parent")),
	IS(HEX, length, ABOUT("bytes")),
	IS(COUNT, object, OPTIONAL, ABOUT("the kernel's number of it on the fd")),
	{0},
};
static TABLE(queue_fields, "queue", "a hardware queue that the guest drives", queue_list);
#undef RECORD

#define RECORD viommu_record
static const struct field viommu_list[] = {
	IS(TEXT, name, ABOUT("as declared")),
	IS(TEXT, type, .names = viommu_type_names, ABOUT("hardware type")),
	IS(TEXT, parent, OPTIONAL, ABOUT("IOASID below it")),
	IS(TEXT, device, OPTIONAL, ABOUT("device whose IOMMU it is a slice of")),
	IS(COUNT, id, OPTIONAL, ABOUT("the kernel's number of it on the fd")),
	IS(BOOL, alive, OPTIONAL, ABOUT("whether the kernel still has it, where it can be asked")),
	IS(COUNT, events_depth, ABOUT("of its event queue; 0: none")),
	IS(COUNT, events_id, OPTIONAL, ABOUT("the kernel's number of the event queue")),
	LIST(OBJECTS, vdevices, OF(vdevice_fields), ABOUT("devices on it")),
	LIST(OBJECTS, queues, OF(queue_fields), ABOUT("hardware queues")),
	{0},
};
static TABLE(viommu_fields, "viommu", "a slice of an IOMMU given to a guest", viommu_list);
#undef RECORD

#define RECORD fd_record
static const struct field fd_list[] = {
	IS(TEXT, name, ABOUT("as declared")),
	IS(TEXT, driver, .names = driver_choice_names, ABOUT("interface spoken on it")),
	IS(TEXT, node, OPTIONAL, ABOUT("device node")),
	IS(TEXT, accounting, .names = accounting_names, ABOUT("to whom pinned memory is charged")),
	IS(BOOL, open, ABOUT("whether it is open here")),
	IS(TEXT, vfio_compat, OPTIONAL,
	   ABOUT("IOASID of those who use the fd as a VFIO container")),
	LIST(OBJECTS, ioasids, OF(ioasid_fields), ABOUT("address spaces on it")),
	LIST(OBJECTS, viommus, OF(viommu_fields), ABOUT("viommus on it")),
	{0},
};
static TABLE(fd_fields, "fd", "an open IOMMU device node", fd_list);
#undef RECORD

#define RECORD memory_record
static const struct field memory_list[] = {
	IS(TEXT, name, ABOUT("as declared")),
	IS(TEXT, backing, .names = backing_names, ABOUT("what it is made of")),
	IS(HEX, size, ABOUT("bytes")),
	IS(HEX, page_size, ABOUT("bytes")),
	IS(BOOL, prefault, ABOUT("populated when it was made")),
	IS(COUNT, numa_node, OPTIONAL, ABOUT("node it is bound to")),
	IS(TEXT, path, OPTIONAL, ABOUT("of a file")),
	IS(TEXT, device, OPTIONAL, ABOUT("dmabuf: whose BAR")),
	IS(COUNT, bar, OPTIONAL, ABOUT("dmabuf: number of the BAR")),
	IS(BOOL, alive, ABOUT("whether its descriptor is open and as long as declared")),
	IS(HEX, populated, OPTIONAL, ABOUT("bytes that have pages now")),
	{0},
};
static TABLE(memory_fields, "memory", "memory that can be mapped", memory_list);
#undef RECORD

#define RECORD member_record
static const struct field member_list[] = {
	IS(TEXT, address, ABOUT("of the device")),
	IS(TEXT, driver, OPTIONAL, ABOUT("it is bound to; absent: to none")),
	{0},
};
static TABLE(member_fields, "member", "a member of an IOMMU group", member_list);
#undef RECORD

#define RECORD register_record
static const struct field register_list[] = {
	IS(TEXT, name, ABOUT("as the hardware's manual calls it")),
	IS(HEX, value, ABOUT("raw")),
	{0},
};
static TABLE(register_fields, "register", "a capability register", register_list);
#undef RECORD

#define RECORD hardware_record
static const struct field hardware_list[] = {
	IS(TEXT, type,
	   ABOUT("vt-d, smmuv3, amd, smmu, virtio, riscv, s390, other, mock, reference or none")),
	IS(COUNT, iova_bits, OPTIONAL, ABOUT("address width for the device")),
	LIST(HEXES, page_sizes, ABOUT("bytes; none: not told")),
	IS(BOOL, nesting, ABOUT("can translate in two stages")),
	IS(COUNT, pasid_bits, ABOUT("0: no PASIDs")),
	IS(BOOL, dirty_tracking, ABOUT("can tell which pages were written")),
	IS(BOOL, snoop_control, ABOUT("can enforce snooping")),
	LIST(OBJECTS, registers, OF(register_fields), ABOUT("for those who know them")),
	{0},
};
static TABLE(hardware_fields, "hardware", "the IOMMU in front of a device", hardware_list);
#undef RECORD

#define RECORD place_record
static const struct field place_list[] = {
	IS(TEXT, fd, ABOUT("name of the fd")),
	IS(TEXT, ioasid, ABOUT("name of the IOASID")),
	IS(COUNT, pasid, OPTIONAL, ABOUT("absent: the whole device")),
	IS(COUNT, vq_group, OPTIONAL,
	   ABOUT("of a vDPA device, virtqueue group; absent: all that are in no other")),
	IS(BOOL, pending, ABOUT("whether it, being absent, is still to be put in")),
	{0},
};
static TABLE(place_fields, "place", "an IOASID that a device is in", place_list);
#undef RECORD

#define RECORD iotlb_table_record
static const struct field iotlb_table_list[] = {
	IS(COUNT, asid, ABOUT("the device's number of the address space")),
	IS(COUNT, vq_group, OPTIONAL, ABOUT("that uses it; absent: all that have no other")),
	IS(COUNT, entries, ABOUT("mappings in it")),
	{0},
};
static TABLE(iotlb_table_fields, "iotlb_table", "an address space of a device", iotlb_table_list);
#undef RECORD

#define RECORD iotlb_record
static const struct field iotlb_list[] = {
	IS(COUNT, address_spaces, ABOUT("that the device has")),
	IS(COUNT, vq_groups, ABOUT("groups of virtqueues that the device has")),
	IS(HEX, first, ABOUT("first address that it can use")),
	IS(HEX, last, ABOUT("last address that it can use")),
	LIST(OBJECTS, tables, OF(iotlb_table_fields), ABOUT("address spaces in use")),
	{0},
};
static TABLE(iotlb_fields, "iotlb", "the copies of address spaces that a device keeps", iotlb_list);
#undef RECORD

#define RECORD device_record
static const struct field device_list[] = {
	IS(TEXT, name, ABOUT("as declared; of one that was taken, its selector and address")),
	IS(TEXT, taken_for, OPTIONAL,
	   ABOUT("device in whose IOMMU group it is, for which it was taken; absent: declared")),
	IS(TEXT, selector, .names = selector_names, ABOUT("how it was selected")),
	IS(TEXT, address, ABOUT("what the selector selects")),
	IS(BOOL, present, ABOUT("whether the machine has it, asked now")),
	IS(BOOL, alive, OPTIONAL, ABOUT("whether the fd still knows it; absent: not bound")),
	IS(TEXT, state, OPTIONAL, .names = device_state_names,
	   ABOUT("held: open here, and all is well; pending: absent, and waited for; gone: it was "
		 "held, and vanished; released: it is there, but had to be given up, and the next "
		 "apply takes it back; absent where no fd could hold it")),
	IS(TEXT, trouble, OPTIONAL, ABOUT("why one that is there is not held")),
	IS(TEXT, driver, OPTIONAL, ABOUT("host driver it is bound to, asked now")),
	IS(TEXT, wanted_driver, OPTIONAL, ABOUT("host driver declared")),
	IS(TEXT, original_driver, OPTIONAL,
	   ABOUT("host driver to restore, empty for none; absent: never touched")),
	IS(TEXT, vf_of, OPTIONAL, ABOUT("device whose virtual function it is")),
	IS(COUNT, vf_index, OPTIONAL, ABOUT("which of its virtual functions, from 0")),
	IS(COUNT, vfs, OPTIONAL, ABOUT("number of virtual functions declared")),
	IS(COUNT, original_vfs, OPTIONAL, ABOUT("number to restore; absent: never touched")),
	IS(TEXT, group_policy, .names = group_policy_names,
	   ABOUT("what to do about members in the way")),
	IS(BOOL, force, ABOUT("whether it is taken even if the host itself uses it")),
	IS(TEXT, hotplug, .names = hotplug_names,
	   ABOUT("what to do when it isn't there, or comes back")),
	IS(COUNT, group, OPTIONAL, ABOUT("number of its IOMMU group")),
	LIST(OBJECTS, group_members, OF(member_fields), ABOUT("all of the group")),
	IS(TEXT, fd, OPTIONAL, ABOUT("fd it belongs to")),
	IS(BOOL, open, ABOUT("whether it is open here")),
	IS(BOOL, bound, ABOUT("whether it is bound to the fd")),
	IS(COUNT, id, OPTIONAL, ABOUT("the kernel's id on the fd, once bound; vfio has none")),
	LIST(OBJECTS, attached_to, OF(place_fields), ABOUT("IOASIDs it is in")),
	IS(OBJECT, hardware, OPTIONAL, OF(hardware_fields),
	   ABOUT("what its IOMMU can do; absent: not bound, or not told")),
	IS(TEXT, management, OPTIONAL, ABOUT("management device that a vDPA device is made on")),
	IS(OBJECT, iotlb, OPTIONAL, OF(iotlb_fields),
	   ABOUT("of a device that translates by itself (vDPA); absent: others, or not bound")),
	{0},
};
static TABLE(device_fields, "device", "a device that does DMA", device_list);
#undef RECORD

const char *const take_mode_names[] = {"attached", "raw", NULL};

#define RECORD taker_record
static const struct field taker_list[] = {
	IS(COUNT, pid, ABOUT("process that took them; its children may have them, too")),
	IS(COUNT, uid, ABOUT("its user id")),
	IS(TEXT, program, OPTIONAL, ABOUT("what it calls itself now; absent: it has ended")),
	IS(TEXT, mode, .names = take_mode_names,
	   ABOUT("attached: as they are; raw: an IOMMU fd of its own and unbound devices")),
	LIST(TEXTS, names, ABOUT("of the descriptors")),
	{0},
};
static TABLE(taker_fields, "taker", "a program that has descriptors of the topology", taker_list);
#undef RECORD

#define RECORD topology_record
static const struct field topology_list[] = {
	IS(TEXT, name, ABOUT("of the topology")),
	IS(TEXT, owner, OPTIONAL, ABOUT("user who may take it over, where declared")),
	IS(TEXT, file, OPTIONAL, ABOUT("config it came from")),
	LIST(OBJECTS, memories, OF(memory_fields)),
	LIST(OBJECTS, devices, OF(device_fields)),
	LIST(OBJECTS, fds, OF(fd_fields)),
	LIST(OBJECTS, taken, OF(taker_fields), ABOUT("programs that have its descriptors")),
	{0},
};
TABLE(topology_fields, "topology", "what one config declares, as it is now", topology_list);
#undef RECORD
