/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The grammar of a config, as data. Each row says a key's shape, whether it must be there, what its
 * value means and one sentence about it; from these rows come the raw structs, the libcyaml
 * schema, the checks of each value, the JSON Schema and the key reference of ioasidctl.yaml(5).
 *
 *	TEXT(owner, key, presence, sentence, .member = value...)		a scalar
 *	OBJECT(owner, key, presence, element, sentence, ...)			one object
 *	LIST(owner, key, presence, element, sentence, ...)			a list of objects
 *	TEXTS(owner, key, presence, sentence, ...)				a list of scalars
 *
 * Presence is REQUIRED, OPTIONAL, or QUOTED: optional, and in quotes when written, because some
 * readers of YAML would make a number of it.
 *
 * The members are those of struct grammar_field. FOR_ and NEEDED_FOR_ tie a key to the value of
 * another key of the same object, WITH_ to its presence; ONE_OF marks the keys of which an object
 * has exactly one.
 */
#pragma once

#define FOR_(key, ...)	      .when = {key, {__VA_ARGS__}, false}
#define NEEDED_FOR_(key, ...) .when = {key, {__VA_ARGS__}, true}
#define WITH_(key)	      .when = {key, {NULL}, false}
#define NEEDED_WITH_(key)     .when = {key, {NULL}, true}
#define ONE_OF		      .alternative = true

#define RANGE_FIELDS(TEXT, OBJECT, LIST, TEXTS)                               \
	TEXT(range, first, REQUIRED, "First address.", .type = VALUE_ADDRESS) \
	TEXT(range, last, REQUIRED, "Last address, itself included.", .type = VALUE_ADDRESS)

#define MAPPING_FIELDS(TEXT, OBJECT, LIST, TEXTS)                                                 \
	TEXT(mapping, iova, REQUIRED,                                                             \
	     "Where the devices see it; auto lets the kernel choose a free place.",               \
	     .type = VALUE_IOVA)                                                                  \
	TEXT(mapping, memory, OPTIONAL, "The memory to map.", .type = VALUE_NAME,                 \
	     .refers = "memory", ONE_OF)                                                          \
	TEXT(mapping, copy, OPTIONAL,                                                             \
	     "Instead of memory: the IOASID of the same fd whose mapping is to appear here too, " \
	     "its pages pinned once.",                                                            \
	     .type = VALUE_NAME, .refers = "IOASID", ONE_OF)                                      \
	TEXT(mapping, offset, OPTIONAL, "Where in the memory the mapping begins.",                \
	     .type = VALUE_ADDRESS, .fallback = "0", WITH_("memory"))                             \
	TEXT(mapping, from, OPTIONAL,                                                             \
	     "IOVA in the copied IOASID; a mapping of exactly this length must begin there.",     \
	     .type = VALUE_ADDRESS, NEEDED_WITH_("copy"))                                         \
	TEXT(mapping, length, REQUIRED, "How many bytes.", .type = VALUE_SIZE)                    \
	TEXT(mapping, access, OPTIONAL,                                                           \
	     "What devices may do there: read, write or both. Default: rw; of a copy, what its "  \
	     "source allows.",                                                                    \
	     .type = VALUE_WORD, .words = &access_names[ACCESS_READ])

#define ATTACHMENT_FIELDS(TEXT, OBJECT, LIST, TEXTS)                                            \
	TEXT(attachment, device, REQUIRED, "The device to put into this IOASID.",               \
	     .type = VALUE_NAME, .refers = "device")                                            \
	TEXT(attachment, pasid, OPTIONAL,                                                       \
	     "Only the DMA that the device tags with this process address space id; left out: " \
	     "all untagged DMA, which is PASID 0.",                                             \
	     .type = VALUE_NUMBER, .min = 1, .max = PASID_MAX)                                  \
	TEXT(attachment, vq_group, OPTIONAL,                                                    \
	     "Of a vDPA device: only the virtqueues of this group, which get an address space " \
	     "of their own; left out: all that are attached nowhere else.",                     \
	     .type = VALUE_NUMBER, .min = 0, .max = VQ_GROUP_MAX)

#define TABLE_FIELDS(TEXT, OBJECT, LIST, TEXTS)                                                 \
	TEXT(table, format, REQUIRED, "The hardware format the guest's table is written in.",   \
	     .type = VALUE_WORD, .words = &table_format_names[TABLE_VTD_S1])                    \
	TEXT(table, address, OPTIONAL, "Guest-physical address of the table's root.",           \
	     .type = VALUE_ADDRESS, NEEDED_FOR_("format", "vtd-s1", "x86-64"))                  \
	TEXT(table, address_width, OPTIONAL,                                                    \
	     "Bits that the table translates: 48 with four levels, the default, or 57 with "    \
	     "five.",                                                                           \
	     .type = VALUE_NUMBER, .min = 48, .max = 57, FOR_("format", "vtd-s1", "x86-64"))    \
	TEXTS(table, ste, OPTIONAL, "Words 0 and 1 of the guest's stream table entry.",         \
	      .type = VALUE_ADDRESS, .min = 2, .max = 2, NEEDED_FOR_("format", "arm-smmuv3"))   \
	TEXTS(table, dte, OPTIONAL, "The four words of the guest's device table entry.",        \
	      .type = VALUE_ADDRESS, .min = 4, .max = 4, NEEDED_FOR_("format", "amd-guest"))    \
	TEXT(table, iotlb, OPTIONAL, "Value that the mock IOMMU fills its cache entries with.", \
	     .type = VALUE_NUMBER, .max = UINT32_MAX, .fallback = "0", FOR_("format", "mock"))

#define IOASID_FIELDS(TEXT, OBJECT, LIST, TEXTS)                                                     \
	TEXT(ioasid, name, REQUIRED, "Its name, unique among the IOASIDs and vIOMMUs of the fd.",    \
	     .type = VALUE_NAME)                                                                     \
	TEXT(ioasid, kind, OPTIONAL,                                                                 \
	     "gpa: the kernel keeps the page table and maps memory into it. nested: a guest "        \
	     "keeps the table, and its output is translated again by the parent.",                   \
	     .type = VALUE_WORD, .words = ioasid_kind_names, .fallback = "gpa")                      \
	TEXT(ioasid, parent, OPTIONAL, "The gpa IOASID below, which has nest_parent: true.",         \
	     .type = VALUE_NAME, .refers = "IOASID", NEEDED_FOR_("kind", "nested"))                  \
	TEXT(ioasid, viommu, OPTIONAL, "The vIOMMU of the same fd that it belongs to.",              \
	     .type = VALUE_NAME, .refers = "viommu", FOR_("kind", "nested"))                         \
	OBJECT(ioasid, table, OPTIONAL, table, "The guest's own table.",                             \
	       NEEDED_FOR_("kind", "nested"))                                                        \
	TEXT(ioasid, nest_parent, OPTIONAL, "Nested IOASIDs may be put on it.",                      \
	     .type = VALUE_BOOL, .fallback = "false", FOR_("kind", "gpa"))                           \
	TEXT(ioasid, dirty_tracking, OPTIONAL, "The IOMMU records which pages devices wrote to.",    \
	     .type = VALUE_BOOL, .fallback = "false", FOR_("kind", "gpa"))                           \
	TEXT(ioasid, pasid, OPTIONAL,                                                                \
	     "Devices may be attached by PASID. Follows by itself for an IOASID with such an "       \
	     "attachment, and for the one that has the rest of that device.",                        \
	     .type = VALUE_BOOL, .fallback = "false")                                                \
	TEXT(ioasid, fault_queue, OPTIONAL, "I/O page faults are queued for a program to answer.",   \
	     .type = VALUE_BOOL, .fallback = "false")                                                \
	TEXT(ioasid, enforce_snoop, OPTIONAL,                                                        \
	     "Devices whose DMA may bypass the CPU's caches are refused. Linux needs no asking: it " \
	     "has the IOMMU make all DMA snoop wherever it can.",                                    \
	     .type = VALUE_BOOL, .fallback = "false", FOR_("kind", "gpa"))                           \
	TEXT(ioasid, huge_pages, OPTIONAL, "The IOMMU may use large pages for large mappings.",      \
	     .type = VALUE_BOOL, .fallback = "true", FOR_("kind", "gpa"))                            \
	LIST(ioasid, allow, OPTIONAL, range,                                                         \
	     "The only addresses it may use. Left out: whatever its devices allow.",                 \
	     FOR_("kind", "gpa"))                                                                    \
	LIST(ioasid, map, OPTIONAL, mapping, "What is mapped into it.", FOR_("kind", "gpa"))         \
	LIST(ioasid, attach, OPTIONAL, attachment, "The devices in it.")

#define EVENTS_FIELDS(TEXT, OBJECT, LIST, TEXTS)                                          \
	TEXT(events, depth, REQUIRED, "How many events the queue holds before it drops.", \
	     .type = VALUE_NUMBER, .min = 1, .max = 1U << 19)

#define VDEVICE_FIELDS(TEXT, OBJECT, LIST, TEXTS)                                              \
	TEXT(vdevice, device, REQUIRED, "The device.", .type = VALUE_NAME, .refers = "device") \
	TEXT(vdevice, id, REQUIRED,                                                            \
	     "What the guest's IOMMU calls it: a stream id, or bus, device and function.",     \
	     .type = VALUE_ADDRESS)

#define QUEUE_FIELDS(TEXT, OBJECT, LIST, TEXTS)                                             \
	TEXT(queue, index, REQUIRED, "Its number, as the guest's IOMMU counts its queues.", \
	     .type = VALUE_NUMBER, .max = UINT32_MAX)                                       \
	TEXT(queue, iova, REQUIRED, "Where it lies in the parent.", .type = VALUE_ADDRESS)  \
	TEXT(queue, length, REQUIRED, "How many bytes it has.", .type = VALUE_SIZE)

#define VIOMMU_FIELDS(TEXT, OBJECT, LIST, TEXTS)                                                   \
	TEXT(viommu, name, REQUIRED, "Its name, unique among the IOASIDs and vIOMMUs of the fd.",  \
	     .type = VALUE_NAME)                                                                   \
	TEXT(viommu, parent, REQUIRED,                                                             \
	     "The gpa IOASID that holds the guest's memory, with nest_parent: true.",              \
	     .type = VALUE_NAME, .refers = "IOASID")                                               \
	TEXT(viommu, device, REQUIRED, "A device behind the physical IOMMU that it is a part of.", \
	     .type = VALUE_NAME, .refers = "device")                                               \
	TEXT(viommu, type, OPTIONAL, "The kind of IOMMU the guest sees.", .type = VALUE_WORD,      \
	     .words = viommu_type_names, .fallback = "default")                                    \
	OBJECT(viommu, events, OPTIONAL, events, "A queue of the guest's IOMMU events.")           \
	LIST(viommu, vdevices, OPTIONAL, vdevice, "The devices' identities in the guest.")         \
	LIST(viommu, queues, OPTIONAL, queue,                                                      \
	     "Hardware queues that the guest drives itself, in its own memory.")

#define FD_FIELDS(TEXT, OBJECT, LIST, TEXTS)                                                 \
	TEXT(fd, name, REQUIRED, "Its name, unique among memory, devices and fds.",          \
	     .type = VALUE_NAME)                                                             \
	TEXT(fd, driver, OPTIONAL,                                                           \
	     "The kernel interface; auto takes the best that the machine has.",              \
	     .type = VALUE_WORD, .words = driver_choice_names, .fallback = "auto")           \
	TEXT(fd, node, OPTIONAL, "The device node to open. Default: the driver's own.",      \
	     .type = VALUE_PATH)                                                             \
	TEXT(fd, accounting, OPTIONAL,                                                       \
	     "Whose memlock limit pinned pages count against: the process's or the user's; " \
	     "default leaves it to the kernel.",                                             \
	     .type = VALUE_WORD, .words = accounting_names, .fallback = "default")           \
	TEXT(fd, vfio_compat, OPTIONAL,                                                      \
	     "The gpa IOASID that programs get which use the fd as a VFIO container.",       \
	     .type = VALUE_NAME, .refers = "IOASID")                                         \
	LIST(fd, ioasids, OPTIONAL, ioasid, "Its I/O address spaces.")                       \
	LIST(fd, viommus, OPTIONAL, viommu, "Its virtual IOMMUs.")

#define VF_FIELDS(TEXT, OBJECT, LIST, TEXTS)                                                    \
	TEXT(vf, of, REQUIRED, "The physical function: a device with vfs.", .type = VALUE_NAME, \
	     .refers = "device")                                                                \
	TEXT(vf, index, REQUIRED, "Which of its VFs, from 0.", .type = VALUE_NUMBER,            \
	     .max = UINT16_MAX - 1)

#define DEVICE_FIELDS(TEXT, OBJECT, LIST, TEXTS)                                                   \
	TEXT(device, name, REQUIRED, "Its name, unique among memory, devices and fds.",            \
	     .type = VALUE_NAME)                                                                   \
	TEXT(device, pci, QUOTED, "A PCI function; without a domain, 0000 is meant.",              \
	     .type = VALUE_PCI, ONE_OF)                                                            \
	TEXT(device, mdev, OPTIONAL, "A mediated device.", .type = VALUE_UUID, ONE_OF)             \
	TEXT(device, platform, QUOTED, "A platform device, by its name in /sys/bus/platform.",     \
	     .type = VALUE_SYSFS, ONE_OF)                                                          \
	TEXT(device, vdpa, QUOTED, "A vDPA device, by its name in /sys/bus/vdpa.",                 \
	     .type = VALUE_SYSFS, ONE_OF)                                                          \
	TEXT(device, management, QUOTED,                                                           \
	     "The management device that makes the vDPA device at apply; it is deleted at the "    \
	     "end. `vdpa mgmtdev show` lists them; one on a bus is written BUS/NAME.",             \
	     .type = VALUE_MANAGEMENT, WITH_("vdpa"))                                              \
	TEXT(device, mac, QUOTED, "Hardware address that the vDPA device is made with.",           \
	     .type = VALUE_MAC, WITH_("management"))                                               \
	TEXT(device, mtu, OPTIONAL, "Largest packet that the vDPA device is made for, bytes.",     \
	     .type = VALUE_NUMBER, .min = 68, .max = 65535, WITH_("management"))                   \
	TEXT(device, max_queue_pairs, OPTIONAL,                                                    \
	     "How many pairs of virtqueues the vDPA device is made with, at most.",                \
	     .type = VALUE_NUMBER, .min = 1, .max = 32768, WITH_("management"))                    \
	TEXT(device, mock, OPTIONAL, "A device of Linux's mock IOMMU, which only tests have.",     \
	     .type = VALUE_NUMBER, .max = UINT32_MAX, ONE_OF)                                      \
	OBJECT(device, vf, OPTIONAL, vf, "A virtual function (SR-IOV) of another device.", ONE_OF) \
	TEXT(device, vfs, OPTIONAL,                                                                \
	     "How many virtual functions it is to have. It stays with its host driver, which "     \
	     "makes them, and can't be attached itself; the number of before comes back at the "   \
	     "end.",                                                                               \
	     .type = VALUE_NUMBER, .max = UINT16_MAX, WITH_("pci"))                                \
	TEXT(device, driver, OPTIONAL,                                                             \
	     "The host driver to bind it to, such as vfio-pci; its own comes back at the end. "    \
	     "Left out: it stays as it is.",                                                       \
	     .type = VALUE_SYSFS)                                                                  \
	TEXT(device, group, OPTIONAL,                                                              \
	     "What to do about other members of its IOMMU group that are in use: strict refuses, " \
	     "take binds them too and restores them later.",                                       \
	     .type = VALUE_WORD, .words = group_policy_names, .fallback = "strict")                \
	TEXT(device, force, OPTIONAL,                                                              \
	     "Take it, and what group: take takes with it, even though the host itself uses it: "  \
	     "for a mounted file system, swap or the default route.",                              \
	     .type = VALUE_BOOL, .fallback = "false")                                              \
	TEXT(device, hotplug, OPTIONAL,                                                            \
	     "What happens when it isn't there, or comes back: manual waits for the next apply, "  \
	     "which fails without it; attach applies without it, and the holder puts it where it " \
	     "belongs as soon as it comes.",                                                       \
	     .type = VALUE_WORD, .words = hotplug_names, .fallback = "manual")

#define MEMORY_FIELDS(TEXT, OBJECT, LIST, TEXTS)                                                 \
	TEXT(memory, name, REQUIRED, "Its name, unique among memory, devices and fds.",          \
	     .type = VALUE_NAME)                                                                 \
	TEXT(memory, size, REQUIRED, "Bytes.", .type = VALUE_SIZE)                               \
	TEXT(memory, backing, OPTIONAL,                                                          \
	     "memfd: anonymous memory. file: an existing file. dmabuf: a device's BAR.",         \
	     .type = VALUE_WORD, .words = backing_names, .fallback = "memfd")                    \
	TEXT(memory, path, OPTIONAL, "The file.", .type = VALUE_PATH,                            \
	     NEEDED_FOR_("backing", "file"))                                                     \
	TEXT(memory, device, OPTIONAL, "The device whose BAR it is.", .type = VALUE_NAME,        \
	     .refers = "device", NEEDED_FOR_("backing", "dmabuf"))                               \
	TEXT(memory, bar, OPTIONAL, "The number of the BAR.", .type = VALUE_NUMBER, .max = 5,    \
	     NEEDED_FOR_("backing", "dmabuf"))                                                   \
	TEXT(memory, page_size, OPTIONAL,                                                        \
	     "Huge pages of this size, a power of two. Left out: the machine's ordinary pages.", \
	     .type = VALUE_SIZE, FOR_("backing", "memfd"))                                       \
	TEXT(memory, prefault, OPTIONAL, "All pages are there before the first mapping.",        \
	     .type = VALUE_BOOL, .fallback = "false", FOR_("backing", "memfd", "file"))          \
	TEXT(memory, numa_node, OPTIONAL, "Pages come from this node. Left out: from any.",      \
	     .type = VALUE_NUMBER, .max = 1023, FOR_("backing", "memfd", "file"))

#define OWNER_FIELDS(TEXT, OBJECT, LIST, TEXTS) \
	TEXT(owner, user, REQUIRED, "A user's name or number.", .type = VALUE_USER)

#define TOPOLOGY_FIELDS(TEXT, OBJECT, LIST, TEXTS)                                               \
	TEXT(topology, version, REQUIRED, "Of this grammar: 1.", .type = VALUE_NUMBER, .min = 1, \
	     .max = 1)                                                                           \
	TEXT(topology, name, REQUIRED, "The topology's name, by which it is shown and deleted.", \
	     .type = VALUE_NAME)                                                                 \
	OBJECT(topology, owner, OPTIONAL, owner,                                                 \
	       "Who may take its descriptors over. Left out: whoever applied it.")               \
	LIST(topology, memory, OPTIONAL, memory, "Memory that IOASIDs map.")                     \
	LIST(topology, devices, OPTIONAL, device, "Devices that IOASIDs hold.")                  \
	LIST(topology, fds, OPTIONAL, fd, "Open IOMMU nodes: containers of address spaces.")

/*
 * All objects, the inner before the outer: struct and definition name, rows, layout in YAML that is
 * written, what one is called.
 */
#define GRAMMAR_OBJECTS(X)                                                 \
	X(range, RANGE_FIELDS, CYAML_FLAG_FLOW, "an allowed range")        \
	X(mapping, MAPPING_FIELDS, CYAML_FLAG_FLOW, "a mapping")           \
	X(attachment, ATTACHMENT_FIELDS, CYAML_FLAG_FLOW, "an attachment") \
	X(table, TABLE_FIELDS, CYAML_FLAG_FLOW, "a table")                 \
	X(ioasid, IOASID_FIELDS, CYAML_FLAG_BLOCK, "an IOASID")            \
	X(events, EVENTS_FIELDS, CYAML_FLAG_FLOW, "an event queue")        \
	X(vdevice, VDEVICE_FIELDS, CYAML_FLAG_FLOW, "a vdevice")           \
	X(queue, QUEUE_FIELDS, CYAML_FLAG_FLOW, "a hardware queue")        \
	X(viommu, VIOMMU_FIELDS, CYAML_FLAG_BLOCK, "a viommu")             \
	X(fd, FD_FIELDS, CYAML_FLAG_BLOCK, "an fd")                        \
	X(vf, VF_FIELDS, CYAML_FLAG_FLOW, "a virtual function")            \
	X(device, DEVICE_FIELDS, CYAML_FLAG_FLOW, "a device")              \
	X(memory, MEMORY_FIELDS, CYAML_FLAG_FLOW, "a memory")              \
	X(owner, OWNER_FIELDS, CYAML_FLAG_FLOW, "an owner")                \
	X(topology, TOPOLOGY_FIELDS, CYAML_FLAG_BLOCK, "a config")
