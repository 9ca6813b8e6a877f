/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /dev/ioasid: I/O address spaces for user space. The device proposed on the mailing lists in
 * 2021, completed so that everything is reached by ioctl(fd, command, struct *) alone.
 *
 * Conventions
 * - Every struct begins with `argsz` (bytes that the caller knows, at least those of the struct
 *   here) and `flags`. Bytes past the known ones must be zero: E2BIG otherwise.
 * - A flag, kind or field value that this device doesn't serve: EOPNOTSUPP. A number that was
 *   never assigned: ENOTTY. Less than the struct: EINVAL. A pointer that leads nowhere: EFAULT.
 * - Addresses and sizes are bytes; ranges are inclusive at both ends.
 * - A call that fails has changed nothing.
 * - Fields are inputs unless marked (out) or (in/out).
 *
 * Objects
 * - An open file is a container of address spaces, tied to the page-table format of the IOMMU in
 *   front of the first device bound to it. A device behind another format that can't live with it
 *   is refused at bind: EXDEV.
 * - An IOASID is a file-local number of one address space. It is realised by one domain for each
 *   IOMMU it is used on; domains of the same table geometry share one page table.
 * - A nested IOASID is a table that the guest keeps in the memory its parent maps: what comes out
 *   of it is translated again by the parent.
 * - A viommu is a slice of one IOMMU, a vdevice the identity of a device there. They, hardware
 *   queues and event queues have numbers of the same sequence as IOASIDs, and FREE takes any.
 * - Devices of one group can't be told apart by the IOMMU. Binding the first moves the group from
 *   the host's domain to blocked DMA, attaching from there to the IOASID, detaching the last one
 *   back to blocked, unbinding the last one back to the host. Closing the file does all of that.
 */
#ifndef IOASIDCTL_UAPI_IOASID_H
#define IOASIDCTL_UAPI_IOASID_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IOASID_TYPE ';'
#define IOASID_BASE 100

/* Numbers 0 to 13 are those of the proposal of May 2021. Reserved ones answer EOPNOTSUPP. */
#define IOASID_CHECK_EXTENSION	  _IO(IOASID_TYPE, IOASID_BASE + 0)
#define IOASID_REGISTER_MEMORY	  _IO(IOASID_TYPE, IOASID_BASE + 1) /* reserved: see COPY_DMA */
#define IOASID_UNREGISTER_MEMORY  _IO(IOASID_TYPE, IOASID_BASE + 2) /* reserved */
#define IOASID_ALLOC		  _IO(IOASID_TYPE, IOASID_BASE + 3)
#define IOASID_FREE		  _IO(IOASID_TYPE, IOASID_BASE + 4)
#define IOASID_GET_INFO		  _IO(IOASID_TYPE, IOASID_BASE + 5)
#define IOASID_MAP_DMA		  _IO(IOASID_TYPE, IOASID_BASE + 6)
#define IOASID_UNMAP_DMA	  _IO(IOASID_TYPE, IOASID_BASE + 7)
#define IOASID_CREATE_NESTING	  _IO(IOASID_TYPE, IOASID_BASE + 8) /* reserved: see ALLOC */
#define IOASID_BIND_PGTABLE	  _IO(IOASID_TYPE, IOASID_BASE + 9) /* reserved */
#define IOASID_UNBIND_PGTABLE	  _IO(IOASID_TYPE, IOASID_BASE + 10) /* reserved */
#define IOASID_BIND_PASID_TABLE	  _IO(IOASID_TYPE, IOASID_BASE + 11) /* reserved */
#define IOASID_UNBIND_PASID_TABLE _IO(IOASID_TYPE, IOASID_BASE + 12) /* reserved */
#define IOASID_INVALIDATE_CACHE	  _IO(IOASID_TYPE, IOASID_BASE + 13)
#define IOASID_COPY_DMA		  _IO(IOASID_TYPE, IOASID_BASE + 14)
#define IOASID_SET_ALLOWED	  _IO(IOASID_TYPE, IOASID_BASE + 15)
#define IOASID_QUERY_DEVICE	  _IO(IOASID_TYPE, IOASID_BASE + 16)
#define IOASID_BIND_DEVICE	  _IO(IOASID_TYPE, IOASID_BASE + 17)
#define IOASID_UNBIND_DEVICE	  _IO(IOASID_TYPE, IOASID_BASE + 18)
#define IOASID_DEVICE_GET_INFO	  _IO(IOASID_TYPE, IOASID_BASE + 19)
#define IOASID_ATTACH		  _IO(IOASID_TYPE, IOASID_BASE + 20)
#define IOASID_DETACH		  _IO(IOASID_TYPE, IOASID_BASE + 21)
#define IOASID_LIST		  _IO(IOASID_TYPE, IOASID_BASE + 22)
#define IOASID_GET_FD_INFO	  _IO(IOASID_TYPE, IOASID_BASE + 23)
#define IOASID_SET_ACCOUNTING	  _IO(IOASID_TYPE, IOASID_BASE + 24)
#define IOASID_SET_DIRTY	  _IO(IOASID_TYPE, IOASID_BASE + 25)
#define IOASID_READ_DIRTY	  _IO(IOASID_TYPE, IOASID_BASE + 26)
#define IOASID_SET_EVENTFD	  _IO(IOASID_TYPE, IOASID_BASE + 27)
#define IOASID_READ_FAULTS	  _IO(IOASID_TYPE, IOASID_BASE + 30)
#define IOASID_ANSWER_FAULT	  _IO(IOASID_TYPE, IOASID_BASE + 31)
#define IOASID_VIOMMU_ALLOC	  _IO(IOASID_TYPE, IOASID_BASE + 32)
#define IOASID_VDEVICE_ALLOC	  _IO(IOASID_TYPE, IOASID_BASE + 33)
#define IOASID_HW_QUEUE_ALLOC	  _IO(IOASID_TYPE, IOASID_BASE + 34)
#define IOASID_EVENT_QUEUE_ALLOC  _IO(IOASID_TYPE, IOASID_BASE + 35)
#define IOASID_READ_EVENTS	  _IO(IOASID_TYPE, IOASID_BASE + 36)
/* The machine rather than the address spaces. */
#define IOASID_SET_HOST_DRIVER _IO(IOASID_TYPE, IOASID_BASE + 28)
#define IOASID_TEST_DMA	       _IO(IOASID_TYPE, IOASID_BASE + 29)

#define IOASID_NO_PASID	 0xffffffffU
#define IOASID_NONE	 0xffffffffU /* no IOASID, no group, no parent */
#define IOASID_NAME_SIZE 64 /* device and driver names, NUL included */

/*
 * CHECK_EXTENSION: whether the device serves something. 0; `supported` is 0 for an extension that
 * it has never heard of.
 */
enum ioasid_extension {
	IOASID_EXT_GPA = 1, /* kernel-managed address spaces */
	IOASID_EXT_COPY = 2,
	IOASID_EXT_ALLOWED = 3,
	IOASID_EXT_NEST_PARENT = 4, /* the ALLOC flag */
	IOASID_EXT_SMALL_PAGES = 5, /* the ALLOC flag */
	IOASID_EXT_TEST_DMA = 6,
	IOASID_EXT_NESTED = 7,
	IOASID_EXT_PASID = 8,
	IOASID_EXT_FAULT = 9,
	IOASID_EXT_DIRTY = 10,
	IOASID_EXT_VIOMMU = 11, /* with vdevices, hardware queues, event queues */
	IOASID_EXT_ANYWHERE = 12, /* the MAP_DMA flag */
};

struct ioasid_extension_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u32 extension; /* enum ioasid_extension */
	__u32 supported; /* (out) 0 or 1 */
};

/*
 * ALLOC: a new address space; a nested one for the IOMMU in front of the device of `cookie`.
 * EOPNOTSUPP: this kind, flag or table format; ENOSPC: too many.
 * Of a gpa, EINVAL: a parent, viommu or table given.
 * Of a nested one, ENOENT: cookie; EINVAL: parent or viommu isn't there, isn't a nest_parent or is
 * of another IOMMU than the device, or the table makes no sense.
 */
enum ioasid_table_kind {
	IOASID_KIND_GPA = 0, /* mapped by MAP_DMA */
	IOASID_KIND_NESTED = 1, /* user-managed on a parent */
};

#define IOASID_ALLOC_NEST_PARENT   (1U << 0) /* only on IOMMUs that can nest */
#define IOASID_ALLOC_DIRTY	   (1U << 1) /* only on IOMMUs that can track */
#define IOASID_ALLOC_PASID	   (1U << 2) /* may be attached by PASID, and beside PASIDs */
#define IOASID_ALLOC_FAULT	   (1U << 3) /* its devices wait for pages; not a nest_parent */
#define IOASID_ALLOC_SMALL_PAGES   (1U << 4) /* table entries of the smallest page size only */
#define IOASID_ALLOC_ENFORCE_SNOOP (1U << 5) /* refuses devices that can do no-snoop DMA */

/* Flags that a nested one may have. */
#define IOASID_ALLOC_NESTED_FLAGS (IOASID_ALLOC_PASID | IOASID_ALLOC_FAULT)

/*
 * Which of them an IOMMU walks: DEVICE_GET_INFO.
 * X86_64: 4 KiB nodes of 512 entries, as the CPU has them; address_width 48 (default, four levels)
 * or 57 (five). Looked at are bits 0 (present), 1 (writable) and 2 (user), needed on every level,
 * 7 (a large page, on the second and third level from below) and 12 to 51 (address). An IOVA must
 * be canonical.
 * VTD_S1: the same, and what is used gets bit 5 (accessed), what is written bit 6 (dirty): the
 * parent must let the IOMMU write its nodes. Bit 12 of a large page is no part of its address.
 * MOCK: no table: goes to the parent as it is. words[0] fills its four cache cells.
 */
enum ioasid_table_format {
	IOASID_TABLE_NONE = 0,
	IOASID_TABLE_VTD_S1 = 1,
	IOASID_TABLE_ARM_SMMUV3 = 2,
	IOASID_TABLE_AMD_GUEST = 3,
	IOASID_TABLE_MOCK = 4,
	IOASID_TABLE_X86_64 = 5,
};

#define IOASID_TABLE_WORDS 4

struct ioasid_table {
	__u32 format; /* enum ioasid_table_format */
	__u32 address_width; /* bits; 0: the format's default */
	__u64 address; /* of the root, in the parent */
	__u64 words[IOASID_TABLE_WORDS]; /* what the format has beside */
	__u32 n_words;
	__u32 reserved; /* 0 */
};

struct ioasid_alloc_args {
	__u32 argsz;
	__u32 flags; /* IOASID_ALLOC_* */
	__u32 kind; /* enum ioasid_table_kind */
	__u32 parent; /* IOASID_NONE unless nested; with a viommu also IOASID_NONE */
	__u32 ioasid; /* (out) never 0 */
	__u32 viommu; /* 0: nested on the parent alone */
	__u64 cookie; /* nested: a device bound to the file */
	struct ioasid_table table; /* nested */
};

/*
 * FREE: any object of the file; an IOASID loses its mappings. EBUSY: a device is attached, or
 * another object needs it; ENOENT.
 */
struct ioasid_free_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u32 ioasid; /* or any other object */
	__u32 reserved; /* 0 */
};

struct ioasid_range {
	__u64 first, last; /* inclusive */
};

/*
 * GET_INFO: what can be mapped where, and what the address space costs. With no device attached
 * everything is permitted and nothing needs to be aligned; each attachment narrows both. Of a
 * nested one the ranges are what its table can translate. EMSGSIZE: more ranges than fit; all else
 * is filled in, and `n_ranges` says how many there are.
 */
struct ioasid_info_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u32 ioasid;
	__u32 n_ranges; /* (in/out) room for, number of permitted ranges */
	__u64 ranges; /* pointer to struct ioasid_range[]; (out) sorted */
	__u64 alignment; /* (out) of iova, vaddr and size, bytes */
	__u64 page_table_bytes; /* (out) of all tables of this address space */
	__u32 domains; /* (out) */
	__u32 tables; /* (out) distinct page tables behind the domains */
	__u32 alloc_flags; /* (out) IOASID_ALLOC_* as given */
	__u32 n_attached; /* (out) devices, and PASIDs of devices */
	__u64 n_mappings; /* (out) */
	__u64 mapped_bytes; /* (out) */
};

/*
 * MAP_DMA: lets the devices reach [vaddr, vaddr + size) of the process that opened the file, which
 * alone may call this (EPERM), at iova. The memory
 * is named by its address: where the process unmaps it, DMA faults.
 * IOASID_MAP_ANYWHERE: at the lowest free and permitted place, inside the allowed ranges if there
 * are any, never at 0; aligned like the number in `iova` but not beyond the size and 2 MiB (0: as
 * the size wants it), so that large pages become possible; the place comes back in `iova`. EINVAL:
 * no access given, size 0, not aligned, outside the permitted ranges, or a nested IOASID; EEXIST:
 * hits a mapping; EOVERFLOW: past 2^64; EFAULT: no memory there; ENOMEM: locked-memory limit;
 * ENOSPC: no place; ENOENT.
 */
#define IOASID_MAP_READ	    (1U << 0) /* the device may read */
#define IOASID_MAP_WRITE    (1U << 1) /* the device may write */
#define IOASID_MAP_ANYWHERE (1U << 2)

struct ioasid_map_args {
	__u32 argsz;
	__u32 flags; /* IOASID_MAP_* */
	__u32 ioasid;
	__u32 reserved; /* 0 */
	__u64 iova; /* (in/out) */
	__u64 vaddr;
	__u64 size;
};

/*
 * UNMAP_DMA: removes all mappings in the range. iova 0 and size 2^64-1: all there are, also none.
 * ENOENT: none in it, or one that reaches out of it (mappings are never split); EBUSY: a hardware
 * queue lies in one; EINVAL: size 0; EOVERFLOW.
 */
struct ioasid_unmap_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u32 ioasid;
	__u32 reserved; /* 0 */
	__u64 iova;
	__u64 size; /* (in/out) bytes removed */
};

/*
 * COPY_DMA: maps at `iova` what is mapped at [source_iova, + size) of another (or the same)
 * address space. The memory stays pinned, and accounted, once.
 * ENOENT: not all of the source range is mapped; EPERM: for writing, but what was mapped first was
 * for reading only; else as MAP_DMA.
 */
struct ioasid_copy_args {
	__u32 argsz;
	__u32 flags; /* IOASID_MAP_* of the new mapping */
	__u32 ioasid; /* into this */
	__u32 source; /* from this IOASID */
	__u64 iova;
	__u64 source_iova;
	__u64 size;
};

/*
 * SET_ALLOWED: replaces the ranges that must stay usable: an attachment that would take a part of
 * them away fails. 0 ranges: no such demand.
 * EINVAL: a range without extent, or overlapping ranges; EADDRINUSE: a device attached now
 * reserves part of one; E2BIG: more than IOASID_ALLOWED_MAX.
 */
#define IOASID_ALLOWED_MAX 4096

struct ioasid_allowed_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u32 ioasid;
	__u32 n_ranges;
	__u64 ranges; /* pointer to struct ioasid_range[] */
};

/* How devices are named: what the machine calls them in that class. */
enum ioasid_selector {
	IOASID_SELECT_PCI = 0, /* "0000:01:00.0" */
	IOASID_SELECT_MDEV = 1, /* UUID */
	IOASID_SELECT_PLATFORM = 2, /* name */
	IOASID_SELECT_VDPA = 3, /* name */
	IOASID_SELECT_MOCK = 4, /* decimal number */
};

struct ioasid_device_name {
	__u32 selector; /* enum ioasid_selector */
	__u32 reserved; /* 0 */
	char name[IOASID_NAME_SIZE]; /* NUL-terminated */
};

/*
 * QUERY_DEVICE: what is known of a device that nobody needs to have bound. A device that doesn't
 * exist is no error: IOASID_DEVICE_PRESENT is missing.
 */
#define IOASID_DEVICE_PRESENT	 (1U << 0)
#define IOASID_DEVICE_VIABLE	 (1U << 1) /* no member of its group is in the way */
#define IOASID_DEVICE_BRIDGE	 (1U << 2) /* never in the way */
#define IOASID_DEVICE_BOUND	 (1U << 3) /* to some file */
#define IOASID_DEVICE_BOUND_HERE (1U << 4) /* to this file */
#define IOASID_DEVICE_IN_THE_WAY (1U << 5) /* its host driver makes the group not viable */
#define IOASID_DEVICE_NO_SNOOP	 (1U << 6) /* can do DMA that doesn't snoop the CPU's caches */
#define IOASID_DEVICE_FAULTS	 (1U << 7) /* can wait for pages */

enum ioasid_group_state {
	IOASID_GROUP_HOST = 0, /* the host's own domain */
	IOASID_GROUP_BLOCKED = 1,
	IOASID_GROUP_ATTACHED = 2,
};

struct ioasid_query_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	struct ioasid_device_name device;
	__u32 device_flags; /* (out) IOASID_DEVICE_* */
	__u32 group; /* (out) number, or IOASID_NONE */
	__u32 group_state; /* (out) enum ioasid_group_state */
	__u32 reserved; /* 0 */
	char driver[IOASID_NAME_SIZE]; /* (out) host driver; "" none */
	char format[IOASID_NAME_SIZE]; /* (out) of the page tables of its IOMMU; "" no IOMMU */
};

/*
 * BIND_DEVICE: makes the device a member of this file, under a cookie of the caller's choice.
 * ENODEV: no such device; ENXIO: no IOMMU in front of it; EPERM: its group isn't viable (LIST the
 * group's members), or the machine doesn't remap interrupts; EBUSY: device, group or cookie taken;
 * EXDEV: table format.
 */
struct ioasid_bind_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	struct ioasid_device_name device;
	__u64 cookie;
};

/* UNBIND_DEVICE: detaches it first. ENOENT: no such cookie. */
struct ioasid_unbind_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u64 cookie;
};

/* DEVICE_GET_INFO: what the IOMMU in front of a bound device can do for it. ENOENT. */
#define IOASID_INFO_NESTING	  (1U << 0)
#define IOASID_INFO_DIRTY	  (1U << 1)
#define IOASID_INFO_SNOOP_CONTROL (1U << 2) /* the IOMMU can enforce snooping */
#define IOASID_INFO_NO_SNOOP	  (1U << 3) /* the device can do no-snoop DMA */
#define IOASID_INFO_FAULTS	  (1U << 4) /* the device can wait for pages */

struct ioasid_device_info_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u64 cookie;
	char format[IOASID_NAME_SIZE]; /* (out) of page tables: "vtd" */
	__u64 page_sizes; /* (out) bit n: pages of 2^n bytes */
	__u64 aperture_first, aperture_last; /* (out) IOVA that the IOMMU translates */
	__u32 iova_bits; /* (out) */
	__u32 pasid_bits; /* (out) */
	__u32 info_flags; /* (out) IOASID_INFO_* */
	__u32 group; /* (out) */
	__u32 nested_formats; /* (out) bit n: enum ioasid_table_format n */
	__u32 viommu_types; /* (out) bit n: enum ioasid_viommu_type n */
	__u32 hw_queues; /* (out) that a viommu can have */
	__u32 reserved;
};

/*
 * ATTACH: the device's DMA, or that of one of its PASIDs, goes through the IOASID from now on. What
 * is attached moves over, and with it all of the group, without a moment in which DMA is blocked or
 * goes elsewhere. PASIDs need IOASID_ALLOC_PASID on their IOASID and on that of the whole device.
 * ENOENT: cookie or IOASID, or an IOASID on a viommu where the device is no vdevice; EINVAL: the
 * group is in another IOASID and this device isn't, the IOASID has no IOASID_ALLOC_PASID and must,
 * PASID 0 or one beyond what the devices of the group have, a member can do no-snoop DMA and the
 * IOASID enforces snooping, a table for another IOMMU, or the IOMMU's smallest page is larger than
 * the CPU's; EADDRINUSE: a mapping or an allowed range hits what the device reserves or can't reach
 * (LIST_RESERVED_DEVICE), or isn't aligned to the IOMMU's pages; EFAULT: memory of a mapping is
 * gone; ENOSPC: domain limit; ENODEV: the IOASID has a fault queue and the device can't wait for
 * pages; EOPNOTSUPP: the device has no PASIDs, or its IOMMU can't do what the flags of the IOASID
 * want.
 */
struct ioasid_attach_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u64 cookie;
	__u32 ioasid;
	__u32 pasid; /* IOASID_NO_PASID: the whole device */
};

/* DETACH: the device or one PASID, back to blocked. ENOENT: not attached. */
struct ioasid_detach_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u64 cookie;
	__u32 pasid;
	__u32 reserved; /* 0 */
};

/*
 * LIST: objects, a page at a time. Begin with `start` 0; while IOASID_LIST_MORE is set in `flags`
 * afterwards, go on with start = next. ENOENT: `object`; EINVAL: kind.
 */
enum ioasid_list_kind {
	IOASID_LIST_IOASIDS = 0, /* of the file; struct ioasid_entry_ioasid */
	IOASID_LIST_MAPPINGS = 1, /* of IOASID `object`; start is an IOVA; ioasid_entry_mapping */
	IOASID_LIST_DEVICES = 2, /* bound to the file; ioasid_entry_device */
	IOASID_LIST_ATTACHMENTS = 3, /* to IOASID `object`, IOASID_NONE: all; ..._attachment */
	IOASID_LIST_MEMBERS = 4, /* of group `object`, IOASID_NONE: all; ioasid_entry_member */
	IOASID_LIST_RESERVED =
		5, /* by what is attached to IOASID `object`; ioasid_entry_reserved */
	IOASID_LIST_RESERVED_DEVICE = 6, /* by the device of cookie `cookie`; the same */
	IOASID_LIST_VIOMMUS = 7, /* of the file; ioasid_entry_viommu */
	IOASID_LIST_VDEVICES = 8, /* of viommu `object`, IOASID_NONE: all; ioasid_entry_vdevice */
	IOASID_LIST_HW_QUEUES = 9, /* the same; ioasid_entry_hw_queue */
	IOASID_LIST_EVENT_QUEUES = 10, /* the same; ioasid_entry_event_queue */
};

#define IOASID_LIST_MORE (1U << 0) /* (out) */

struct ioasid_list_args {
	__u32 argsz;
	__u32 flags; /* (out) IOASID_LIST_MORE; 0 going in */
	__u32 kind; /* enum ioasid_list_kind */
	__u32 object;
	__u64 cookie;
	__u64 start;
	__u64 next; /* (out) */
	__u64 entries; /* pointer to the kind's struct[]; (out) */
	__u32 count; /* (in/out) room for, number of entries */
	__u32 reserved; /* 0 */
};

struct ioasid_entry_ioasid {
	__u32 ioasid;
	__u32 kind;
	__u32 alloc_flags;
	__u32 parent;
	__u64 n_mappings;
	__u32 n_attached;
	__u32 domains;
	__u32 viommu; /* 0: on none */
	__u32 n_faults; /* not yet answered */
	struct ioasid_table table; /* of a mock table the words are its cache cells */
};

struct ioasid_entry_mapping {
	__u64 iova, vaddr, size;
	__u32 flags; /* IOASID_MAP_* */
	__u32 reserved;
};

struct ioasid_entry_device {
	__u64 cookie;
	struct ioasid_device_name device;
	__u32 group;
	__u32 ioasid; /* that the whole device is attached to, or IOASID_NONE */
};

struct ioasid_entry_attachment {
	__u64 cookie;
	__u32 ioasid;
	__u32 pasid;
};

struct ioasid_entry_member {
	struct ioasid_device_name device;
	__u32 device_flags; /* IOASID_DEVICE_* */
	__u32 group;
	char driver[IOASID_NAME_SIZE];
};

struct ioasid_entry_viommu {
	__u32 viommu;
	__u32 type; /* enum ioasid_viommu_type */
	__u32 parent;
	__u32 reserved;
	__u64 cookie; /* of the device it was made for */
};

struct ioasid_entry_vdevice {
	__u32 vdevice;
	__u32 viommu;
	__u64 cookie;
	__u64 virt_id;
};

struct ioasid_entry_hw_queue {
	__u32 queue;
	__u32 viommu;
	__u32 index;
	__u32 reserved;
	__u64 iova, length;
};

struct ioasid_entry_event_queue {
	__u32 queue;
	__u32 viommu;
	__u32 depth;
	__u32 n_events; /* that wait to be read */
};

enum ioasid_reserved_type {
	IOASID_RESERVED_MSI = 0, /* writes there are interrupts */
	IOASID_RESERVED_DIRECT = 1, /* firmware wants it mapped one to one */
	IOASID_RESERVED_OTHER = 2,
	IOASID_RESERVED_APERTURE = 3, /* beyond what the IOMMU translates */
};

struct ioasid_entry_reserved {
	__u64 first, last;
	__u64 cookie; /* of the device that reserves it */
	__u32 type; /* enum ioasid_reserved_type */
	__u32 reserved;
};

/* GET_FD_INFO: the open file as a whole. */
struct ioasid_fd_info_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	char format[IOASID_NAME_SIZE]; /* (out) of the device that tied the file; "" not yet tied */
	__u32 n_ioasids; /* (out) */
	__u32 n_devices; /* (out) */
	__u32 domains; /* (out) of all IOASIDs */
	__u32 max_domains; /* (out) per IOASID; 0: no limit */
	__u64 page_table_bytes; /* (out) of all IOASIDs */
	__u64 pinned_bytes; /* (out) each piece of memory counts once, however often copied */
	__u64 max_pinned_bytes; /* (out) for the process or user; 0: no limit */
	__u32 accounting; /* (out) enum ioasid_accounting */
	__u32 reserved;
};

/*
 * SET_ACCOUNTING: to whose limit mapped memory counts. EBUSY: the file has IOASIDs already.
 */
enum ioasid_accounting {
	IOASID_ACCOUNT_PROCESS = 0, /* all such files of the process together; the default */
	IOASID_ACCOUNT_USER = 1, /* all such files of the machine together */
};

struct ioasid_accounting_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u32 accounting;
	__u32 reserved; /* 0 */
};

/*
 * SET_DIRTY: begins, with no page dirty, or ends tracking in an IOASID with IOASID_ALLOC_DIRTY. A
 * page becomes dirty when a device writes it, also by way of a nested IOASID, or when the IOMMU
 * marks entries of a guest's table in it. EOPNOTSUPP: without that flag; ENOENT.
 *
 * READ_DIRTY: sets in the bitmap (bit 0 is at iova) the bits of dirty pages, clears none, and takes
 * the pages for clean from then on, unless IOASID_DIRTY_KEEP. EINVAL: length or page_size 0, not
 * aligned to page_size or to the IOMMU's pages; EOVERFLOW; EFAULT: the bitmap; EOPNOTSUPP, ENOENT
 * as above.
 */
#define IOASID_DIRTY_ON	  (1U << 0)
#define IOASID_DIRTY_KEEP (1U << 0)

struct ioasid_set_dirty_args {
	__u32 argsz;
	__u32 flags; /* IOASID_DIRTY_ON */
	__u32 ioasid;
	__u32 reserved; /* 0 */
};

struct ioasid_read_dirty_args {
	__u32 argsz;
	__u32 flags; /* IOASID_DIRTY_KEEP */
	__u32 ioasid;
	__u32 reserved; /* 0 */
	__u64 iova, length;
	__u64 page_size; /* bytes for a bit */
	__u64 bitmap; /* pointer to __u64[] */
};

/*
 * INVALIDATE_CACHE: what a nested IOASID, or all on a viommu, may have kept of its table is read
 * anew. Entries are done in order; `n_entries` says how many, also when one fails. 0: a probe.
 * ENOENT: object; EINVAL: an object without such caches, a range without extent or not of whole 4
 * KiB pages, a command that makes no sense; EOPNOTSUPP: a flag or command that the format hasn't
 * got.
 */
#define IOASID_INVALIDATE_ALL  (1U << 0)
#define IOASID_INVALIDATE_LEAF (1U << 1) /* of a range: only entries that map */

/*
 * Commands. Mock table: the number of a cache cell; mock viommu: that of a cell of a device's
 * cache, and the device's virt_id; without, or with neither, of all devices and cells. Other
 * formats have none.
 */
struct ioasid_invalidation {
	__u32 flags; /* IOASID_INVALIDATE_* */
	__u32 n_words; /* of a command; 0: a range, or all */
	__u64 first, last; /* IOVA, inclusive */
	__u64 words[2];
};

#define IOASID_INVALIDATE_MAX (1U << 19)

struct ioasid_invalidate_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u32 object; /* nested IOASID or viommu */
	__u32 n_entries; /* (in/out) */
	__u64 entries; /* pointer to struct ioasid_invalidation[] */
};

/*
 * READ_FAULTS: page faults of the devices in an IOASID with IOASID_ALLOC_FAULT, oldest first, each
 * once. The device waits until ANSWER_FAULT; detaching it or moving it answers INVALID. ENOENT;
 * EOPNOTSUPP: without that flag. ANSWER_FAULT: EINVAL: no such response or cookie.
 */
#define IOASID_ACCESS_READ	 (1U << 0)
#define IOASID_ACCESS_WRITE	 (1U << 1)
#define IOASID_ACCESS_EXEC	 (1U << 2)
#define IOASID_ACCESS_PRIVILEGED (1U << 3)

struct ioasid_fault {
	__u64 device; /* cookie of the device */
	__u64 address; /* of the page */
	__u64 length; /* bytes that it wants, a hint; 0: none */
	__u32 cookie; /* to answer with */
	__u32 pasid; /* IOASID_NO_PASID: the whole device */
	__u32 access; /* IOASID_ACCESS_* */
	__u32 group; /* what is answered together has the same number */
};

struct ioasid_read_faults_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u32 ioasid;
	__u32 count; /* (in/out) room for, number read */
	__u64 faults; /* pointer to struct ioasid_fault[] */
};

enum ioasid_fault_response {
	IOASID_RESPONSE_SUCCESS = 0, /* the device tries again */
	IOASID_RESPONSE_INVALID = 1, /* its DMA fails */
};

struct ioasid_answer_fault_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u32 ioasid;
	__u32 cookie;
	__u32 response; /* enum ioasid_fault_response */
	__u32 reserved; /* 0 */
};

/*
 * SET_EVENTFD: adds 1 to that eventfd(2) for each fault or event that is put into the queue of an
 * IOASID or event queue, and at once for what waits there already. The caller empties it. The
 * device keeps a descriptor of its own until another is set. ENOENT: object; EOPNOTSUPP: it has no
 * queue; EBADF; EINVAL: not an eventfd.
 */
struct ioasid_eventfd_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u32 object;
	__s32 eventfd; /* -1: none any more */
};

/*
 * VIOMMU_ALLOC: for the IOMMU in front of the device of `cookie`, on a parent that is a
 * nest_parent. EOPNOTSUPP: a type that the IOMMU hasn't got; ENOENT: cookie or parent; EINVAL: not
 * a nest_parent.
 */
enum ioasid_viommu_type {
	IOASID_VIOMMU_DEFAULT = 0, /* the plain one of the IOMMU */
	IOASID_VIOMMU_ARM_SMMUV3 = 1,
	IOASID_VIOMMU_TEGRA241_CMDQV = 2,
	IOASID_VIOMMU_MOCK = 3,
};

struct ioasid_viommu_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u32 type; /* enum ioasid_viommu_type */
	__u32 parent;
	__u64 cookie;
	__u32 viommu; /* (out) */
	__u32 reserved; /* 0 */
};

/*
 * VDEVICE_ALLOC: a device gets an identity on a viommu. It goes when the device is unbound.
 * ENOENT: viommu or cookie; EINVAL: behind another IOMMU; EEXIST: the device has an identity, or
 * the identity a device.
 */
struct ioasid_vdevice_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u32 viommu;
	__u32 vdevice; /* (out) */
	__u64 cookie;
	__u64 virt_id;
};

/*
 * HW_QUEUE_ALLOC: a queue of the IOMMU in memory that the parent maps, which stays mapped
 * meanwhile. Queues come in the order of their indices and go in the other one. EINVAL: length 0 or
 * index; EOVERFLOW; ENOENT: viommu, or memory not mapped; EOPNOTSUPP: the IOMMU has no such queues;
 * EEXIST: index taken; EIO: the one before is missing.
 */
struct ioasid_hw_queue_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u32 viommu;
	__u32 index;
	__u64 iova, length; /* bytes */
	__u32 queue; /* (out) */
	__u32 reserved; /* 0 */
};

/*
 * EVENT_QUEUE_ALLOC: one per viommu, for translations that fail in nested IOASIDs on it.
 * EINVAL: depth 0 or beyond IOASID_EVENTS_MAX; ENOENT; EEXIST.
 * READ_EVENTS: oldest first, each once. ENOENT.
 */
#define IOASID_EVENTS_MAX (1U << 19)

struct ioasid_event_queue_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u32 viommu;
	__u32 depth; /* events that it holds */
	__u32 queue; /* (out) */
	__u32 reserved; /* 0 */
};

struct ioasid_translation_event {
	__u64 virt_id; /* of the device */
	__u64 iova;
	__u64 gpa; /* stage 2: what the parent doesn't map */
	__u32 pasid; /* IOASID_NO_PASID: the whole device */
	__u32 fault; /* enum ioasid_dma_fault */
	__u32 stage; /* as of TEST_DMA */
	__u32 access; /* IOASID_ACCESS_* */
};

/* The queue was full: events are missing here. Goes when there is one again; numbers show the gap.
 */
#define IOASID_EVENT_LOST (1U << 0)

struct ioasid_event {
	__u32 flags; /* IOASID_EVENT_LOST: no data */
	__u32 sequence; /* without a gap unless events were lost */
	__u32 size; /* bytes of data */
	__u32 reserved;
	struct ioasid_translation_event data;
};

struct ioasid_read_events_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u32 queue;
	__u32 count; /* (in/out) room for, number read */
	__u64 events; /* pointer to struct ioasid_event[] */
};

/*
 * SET_HOST_DRIVER: unbinds the device from its host driver and binds it to that one ("": none).
 * ENODEV: no such device, or no such driver for it; EBUSY: bound to a file, or the driver would be
 * in the way of a group that is.
 */
struct ioasid_host_driver_args {
	__u32 argsz;
	__u32 flags; /* 0 */
	struct ioasid_device_name device;
	char driver[IOASID_NAME_SIZE];
};

/*
 * TEST_DMA: the device performs DMA: the addresses go through its page tables, the bytes to or from
 * the memory behind them. A fault is a result, not an error of the call: bytes before it were
 * moved. IOASID_FAULT_PENDING: a page fault waits for its answer; the same DMA tried again goes on
 * from there after SUCCESS, and fails after INVALID. ENOENT: cookie; EOVERFLOW; EFAULT: the buffer;
 * ENOMEM.
 */
#define IOASID_DMA_WRITE (1U << 0) /* buffer -> memory; else memory -> buffer */

enum ioasid_dma_fault {
	IOASID_FAULT_NONE = 0,
	IOASID_FAULT_BLOCKED = 1, /* not attached */
	IOASID_FAULT_WIDTH = 2, /* beyond what the IOMMU or the table translates */
	IOASID_FAULT_NOT_MAPPED = 3,
	IOASID_FAULT_NO_READ = 4, /* mapped, but not for reading by the device */
	IOASID_FAULT_NO_WRITE = 5,
	IOASID_FAULT_RESERVED = 6, /* not memory: a reserved region */
	IOASID_FAULT_MEMORY = 7, /* mapped, but the process has no such memory (any more) */
	IOASID_FAULT_TABLE = 8, /* a node of the nested table lies where the parent maps nothing */
	IOASID_FAULT_ENTRY = 9, /* an entry of the nested table makes no sense */
	IOASID_FAULT_PENDING = 10,
};

struct ioasid_test_dma_args {
	__u32 argsz;
	__u32 flags; /* IOASID_DMA_* */
	__u64 cookie;
	__u32 pasid; /* IOASID_NO_PASID: the whole device */
	__u32 fault; /* (out) enum ioasid_dma_fault */
	__u64 iova;
	__u64 length;
	__u64 buffer; /* pointer to `length` bytes */
	__u64 done; /* (out) bytes moved */
	__u64 fault_iova; /* (out) where it stopped */
	__u64 fault_gpa; /* (out) stage 2: the guest address that the parent doesn't let through */
	__u32 stage; /* (out) of a fault: 1 the nested table, 2 its parent, 0 there is but one */
	__u32 level; /* (out) of the nested table, where it stopped; 0 is the lowest */
};

#ifndef __cplusplus
_Static_assert(sizeof(struct ioasid_extension_args) == 16, "ABI");
_Static_assert(sizeof(struct ioasid_alloc_args) == 88, "ABI");
_Static_assert(sizeof(struct ioasid_free_args) == 16, "ABI");
_Static_assert(sizeof(struct ioasid_info_args) == 72, "ABI");
_Static_assert(sizeof(struct ioasid_map_args) == 40, "ABI");
_Static_assert(sizeof(struct ioasid_unmap_args) == 32, "ABI");
_Static_assert(sizeof(struct ioasid_copy_args) == 40, "ABI");
_Static_assert(sizeof(struct ioasid_allowed_args) == 24, "ABI");
_Static_assert(sizeof(struct ioasid_device_name) == 72, "ABI");
_Static_assert(sizeof(struct ioasid_query_args) == 224, "ABI");
_Static_assert(sizeof(struct ioasid_bind_args) == 88, "ABI");
_Static_assert(sizeof(struct ioasid_unbind_args) == 16, "ABI");
_Static_assert(sizeof(struct ioasid_device_info_args) == 136, "ABI");
_Static_assert(sizeof(struct ioasid_attach_args) == 24, "ABI");
_Static_assert(sizeof(struct ioasid_detach_args) == 24, "ABI");
_Static_assert(sizeof(struct ioasid_list_args) == 56, "ABI");
_Static_assert(sizeof(struct ioasid_entry_ioasid) == 96, "ABI");
_Static_assert(sizeof(struct ioasid_entry_mapping) == 32, "ABI");
_Static_assert(sizeof(struct ioasid_entry_device) == 88, "ABI");
_Static_assert(sizeof(struct ioasid_entry_attachment) == 16, "ABI");
_Static_assert(sizeof(struct ioasid_entry_member) == 144, "ABI");
_Static_assert(sizeof(struct ioasid_entry_reserved) == 32, "ABI");
_Static_assert(sizeof(struct ioasid_fd_info_args) == 120, "ABI");
_Static_assert(sizeof(struct ioasid_accounting_args) == 16, "ABI");
_Static_assert(sizeof(struct ioasid_host_driver_args) == 144, "ABI");
_Static_assert(sizeof(struct ioasid_test_dma_args) == 80, "ABI");
_Static_assert(sizeof(struct ioasid_table) == 56, "ABI");
_Static_assert(sizeof(struct ioasid_entry_viommu) == 24, "ABI");
_Static_assert(sizeof(struct ioasid_entry_vdevice) == 24, "ABI");
_Static_assert(sizeof(struct ioasid_entry_hw_queue) == 32, "ABI");
_Static_assert(sizeof(struct ioasid_entry_event_queue) == 16, "ABI");
_Static_assert(sizeof(struct ioasid_set_dirty_args) == 16, "ABI");
_Static_assert(sizeof(struct ioasid_read_dirty_args) == 48, "ABI");
_Static_assert(sizeof(struct ioasid_invalidation) == 40, "ABI");
_Static_assert(sizeof(struct ioasid_invalidate_args) == 24, "ABI");
_Static_assert(sizeof(struct ioasid_fault) == 40, "ABI");
_Static_assert(sizeof(struct ioasid_read_faults_args) == 24, "ABI");
_Static_assert(sizeof(struct ioasid_answer_fault_args) == 24, "ABI");
_Static_assert(sizeof(struct ioasid_eventfd_args) == 16, "ABI");
_Static_assert(sizeof(struct ioasid_viommu_args) == 32, "ABI");
_Static_assert(sizeof(struct ioasid_vdevice_args) == 32, "ABI");
_Static_assert(sizeof(struct ioasid_hw_queue_args) == 40, "ABI");
_Static_assert(sizeof(struct ioasid_event_queue_args) == 24, "ABI");
_Static_assert(sizeof(struct ioasid_translation_event) == 40, "ABI");
_Static_assert(sizeof(struct ioasid_event) == 56, "ABI");
_Static_assert(sizeof(struct ioasid_read_events_args) == 24, "ABI");
#endif

#endif
