/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ABI of /dev/iommu as of Linux 7.3: all of its ioctls, their arguments and the data formats of
 * each IOMMU. Our own names, so that one file can include this and the kernel's header and compare
 * them (tests/unit/test_uapi_asserts.c does, field by field).
 *
 * Rules of the interface: `size` comes first and is that of the struct the caller knows; fields
 * past what a kernel knows must be zero (E2BIG). Without the call: ENOTTY. A known field with a
 * value this kernel lacks: EOPNOTSUPP. An id that isn't there: ENOENT. Ids start at 1; 0 is never
 * one.
 */
#pragma once

#include <stdint.h>
#include <sys/ioctl.h>

/* 64-bit fields are aligned to 8 on every architecture, i386 included. */
typedef uint64_t iommufd_u64 __attribute__((aligned(8)));

#define IOMMUFD_IOCTL_TYPE ';'

/* Every call: name, number, argument struct. */
#define IOMMUFD_IOCTLS(X)                                                 \
	X(DESTROY, 0x80, iommufd_destroy)                                 \
	X(IOAS_ALLOC, 0x81, iommufd_ioas_alloc)                           \
	X(IOAS_ALLOW_IOVAS, 0x82, iommufd_ioas_allow_iovas)               \
	X(IOAS_COPY, 0x83, iommufd_ioas_copy)                             \
	X(IOAS_IOVA_RANGES, 0x84, iommufd_ioas_iova_ranges)               \
	X(IOAS_MAP, 0x85, iommufd_ioas_map)                               \
	X(IOAS_UNMAP, 0x86, iommufd_ioas_unmap)                           \
	X(OPTION, 0x87, iommufd_set_option)                               \
	X(VFIO_IOAS, 0x88, iommufd_vfio_ioas)                             \
	X(HWPT_ALLOC, 0x89, iommufd_hwpt_alloc)                           \
	X(GET_HW_INFO, 0x8a, iommufd_hw_info)                             \
	X(HWPT_SET_DIRTY_TRACKING, 0x8b, iommufd_hwpt_set_dirty_tracking) \
	X(HWPT_GET_DIRTY_BITMAP, 0x8c, iommufd_hwpt_get_dirty_bitmap)     \
	X(HWPT_INVALIDATE, 0x8d, iommufd_hwpt_invalidate)                 \
	X(FAULT_QUEUE_ALLOC, 0x8e, iommufd_fault_alloc)                   \
	X(IOAS_MAP_FILE, 0x8f, iommufd_ioas_map_file)                     \
	X(VIOMMU_ALLOC, 0x90, iommufd_viommu_alloc)                       \
	X(VDEVICE_ALLOC, 0x91, iommufd_vdevice_alloc)                     \
	X(IOAS_CHANGE_PROCESS, 0x92, iommufd_ioas_change_process)         \
	X(VEVENTQ_ALLOC, 0x93, iommufd_veventq_alloc)                     \
	X(HW_QUEUE_ALLOC, 0x94, iommufd_hw_queue_alloc)                   \
	X(IOAS_NOIOMMU_GET_PA, 0x95, iommufd_ioas_noiommu_get_pa)

#define IOMMUFD_IOCTL(number) _IO(IOMMUFD_IOCTL_TYPE, number)

enum {
#define X(name, number, arg) IOMMUFD_##name = IOMMUFD_IOCTL(number),
	IOMMUFD_IOCTLS(X)
#undef X
};

/* Any object by its id; EBUSY while something uses it. */
struct iommufd_destroy {
	uint32_t size;
	uint32_t id;
};

struct iommufd_ioas_alloc {
	uint32_t size;
	uint32_t flags; /* 0 */
	uint32_t out_ioas_id;
};

struct iommufd_iova_range {
	iommufd_u64 start;
	iommufd_u64 last; /* inclusive */
};

/* EMSGSIZE: num_iovas is how many there are; everything that fitted has been written. */
struct iommufd_ioas_iova_ranges {
	uint32_t size;
	uint32_t ioas_id;
	uint32_t num_iovas; /* in: room; out: how many there are */
	uint32_t reserved;
	iommufd_u64 allowed_iovas; /* struct iommufd_iova_range * */
	iommufd_u64 out_iova_alignment;
};

/* Replaces the whole list; none: no restriction. */
struct iommufd_ioas_allow_iovas {
	uint32_t size;
	uint32_t ioas_id;
	uint32_t num_iovas;
	uint32_t reserved;
	iommufd_u64 allowed_iovas; /* const struct iommufd_iova_range * */
};

/* Of map, map_file and copy. At least one of the last two. */
enum {
	IOMMUFD_MAP_FIXED_IOVA = 1 << 0, /* at iova, else the kernel picks and tells */
	IOMMUFD_MAP_WRITEABLE = 1 << 1,
	IOMMUFD_MAP_READABLE = 1 << 2,
};

struct iommufd_ioas_map {
	uint32_t size;
	uint32_t flags;
	uint32_t ioas_id;
	uint32_t reserved;
	iommufd_u64 user_va;
	iommufd_u64 length;
	iommufd_u64 iova;
};

struct iommufd_ioas_map_file {
	uint32_t size;
	uint32_t flags;
	uint32_t ioas_id;
	int32_t fd; /* memfd, or a dma-buf that the kernel can take apart */
	iommufd_u64 start; /* offset into the file, bytes */
	iommufd_u64 length;
	iommufd_u64 iova;
};

struct iommufd_ioas_copy {
	uint32_t size;
	uint32_t flags;
	uint32_t dst_ioas_id;
	uint32_t src_ioas_id;
	iommufd_u64 length;
	iommufd_u64 dst_iova;
	iommufd_u64 src_iova;
};

/* Mappings wholly inside the range; cutting one is ENOENT. */
struct iommufd_ioas_unmap {
	uint32_t size;
	uint32_t ioas_id;
	iommufd_u64 iova;
	iommufd_u64 length; /* out: bytes that were mapped */
};

/* Only of devices without an IOMMU. */
struct iommufd_ioas_noiommu_get_pa {
	uint32_t size;
	uint32_t flags; /* 0 */
	uint32_t ioas_id;
	uint32_t reserved;
	iommufd_u64 iova;
	iommufd_u64 length; /* in: at most; out: contiguous bytes */
	iommufd_u64 out_phys;
};

/* Re-accounts everything pinned to the calling process; only if all of it came by map_file. */
struct iommufd_ioas_change_process {
	uint32_t size;
	uint32_t reserved;
};

enum {
	IOMMUFD_OPTION_RLIMIT_MODE = 0, /* of the fd (object 0): 0 per user, 1 per process */
	IOMMUFD_OPTION_HUGE_PAGES = 1, /* of an IOAS: 0 keeps to base pages */
};

enum {
	IOMMUFD_OPTION_SET = 0,
	IOMMUFD_OPTION_GET = 1,
};

struct iommufd_set_option {
	uint32_t size;
	uint32_t option_id;
	uint16_t op;
	uint16_t reserved;
	uint32_t object_id;
	iommufd_u64 val64;
};

enum {
	IOMMUFD_VFIO_IOAS_GET = 0,
	IOMMUFD_VFIO_IOAS_SET = 1,
	IOMMUFD_VFIO_IOAS_CLEAR = 2,
};

/* The IOAS that stands in where the fd is used as a VFIO container. */
struct iommufd_vfio_ioas {
	uint32_t size;
	uint32_t ioas_id;
	uint16_t op;
	uint16_t reserved;
};

/* ---- hardware page tables ---- */

enum {
	IOMMUFD_HWPT_NEST_PARENT = 1 << 0,
	IOMMUFD_HWPT_DIRTY_TRACKING = 1 << 1,
	IOMMUFD_HWPT_HAS_FAULT_ID = 1 << 2,
	IOMMUFD_HWPT_PASID = 1 << 3,
};

enum {
	IOMMUFD_HWPT_TYPE_NONE = 0,
	IOMMUFD_HWPT_TYPE_VTD_S1 = 1,
	IOMMUFD_HWPT_TYPE_ARM_SMMUV3 = 2,
	IOMMUFD_HWPT_TYPE_AMD_GUEST = 3,
};

struct iommufd_hwpt_alloc {
	uint32_t size;
	uint32_t flags;
	uint32_t dev_id;
	uint32_t pt_id; /* IOAS, parent HWPT or vIOMMU */
	uint32_t out_hwpt_id;
	uint32_t reserved;
	uint32_t data_type;
	uint32_t data_len; /* bytes at data_uptr */
	iommufd_u64 data_uptr;
	uint32_t fault_id;
	uint32_t reserved2;
};

enum {
	IOMMUFD_VTD_S1_SRE = 1 << 0, /* supervisor requests */
	IOMMUFD_VTD_S1_EAFE = 1 << 1, /* extended access flag */
	IOMMUFD_VTD_S1_WPE = 1 << 2, /* write protection */
};

struct iommufd_hwpt_vtd_s1 {
	iommufd_u64 flags;
	iommufd_u64 pgtbl_addr;
	uint32_t addr_width;
	uint32_t reserved;
};

struct iommufd_hwpt_arm_smmuv3 {
	iommufd_u64 ste[2]; /* little-endian */
};

struct iommufd_hwpt_amd_guest {
	iommufd_u64 dte[4];
};

enum { IOMMUFD_DIRTY_TRACKING_ENABLE = 1 };

struct iommufd_hwpt_set_dirty_tracking {
	uint32_t size;
	uint32_t flags;
	uint32_t hwpt_id;
	uint32_t reserved;
};

enum { IOMMUFD_DIRTY_BITMAP_NO_CLEAR = 1 };

/* One bit a page of page_size bytes, the first for iova. */
struct iommufd_hwpt_get_dirty_bitmap {
	uint32_t size;
	uint32_t hwpt_id;
	uint32_t flags;
	uint32_t reserved;
	iommufd_u64 iova;
	iommufd_u64 length;
	iommufd_u64 page_size;
	iommufd_u64 data; /* uint64_t * */
};

enum {
	IOMMUFD_INVALIDATE_VTD_S1 = 0,
	IOMMUFD_INVALIDATE_ARM_SMMUV3 = 1, /* on a vIOMMU */
};

/* No entries: asks whether the type is understood. */
struct iommufd_hwpt_invalidate {
	uint32_t size;
	uint32_t hwpt_id; /* nested HWPT or vIOMMU */
	iommufd_u64 data_uptr;
	uint32_t data_type;
	uint32_t entry_len; /* bytes */
	uint32_t entry_num; /* out: handled */
	uint32_t reserved;
};

enum { IOMMUFD_VTD_S1_INVALIDATE_LEAF = 1 << 0 };

struct iommufd_hwpt_vtd_s1_invalidate {
	iommufd_u64 addr;
	iommufd_u64 npages; /* of 4 KiB; addr 0 with UINT64_MAX: everything */
	uint32_t flags;
	uint32_t reserved;
};

struct iommufd_viommu_arm_smmuv3_invalidate {
	iommufd_u64 cmd[2]; /* little-endian */
};

/* ---- what the hardware can ---- */

enum {
	IOMMUFD_HW_INFO_NONE = 0,
	IOMMUFD_HW_INFO_INTEL_VTD = 1,
	IOMMUFD_HW_INFO_ARM_SMMUV3 = 2,
	IOMMUFD_HW_INFO_TEGRA241_CMDQV = 3,
	IOMMUFD_HW_INFO_AMD = 4,
};

enum {
	IOMMUFD_HW_CAP_DIRTY_TRACKING = 1 << 0,
	IOMMUFD_HW_CAP_PASID_EXEC = 1 << 1,
	IOMMUFD_HW_CAP_PASID_PRIV = 1 << 2,
	IOMMUFD_HW_CAP_ATS_NOT_SUPPORTED = 1 << 3,
};

enum { IOMMUFD_HW_INFO_INPUT_TYPE = 1 << 0 };

/* data_len: in, room at data_uptr; out, how much the kernel has (it may be more than the room). */
struct iommufd_hw_info {
	uint32_t size;
	uint32_t flags;
	uint32_t dev_id;
	uint32_t data_len;
	iommufd_u64 data_uptr;
	uint32_t data_type; /* in: wanted, with INPUT_TYPE; out: what it is */
	uint8_t out_max_pasid_log2; /* bits of a PASID; 0: none */
	uint8_t reserved[3];
	iommufd_u64 out_capabilities;
};

enum { IOMMUFD_HW_INFO_VTD_ERRATA_772415 = 1 << 0 }; /* no read-only mappings under nesting */

struct iommufd_hw_info_vtd {
	uint32_t flags;
	uint32_t reserved;
	iommufd_u64 cap_reg;
	iommufd_u64 ecap_reg;
};

enum { IOMMUFD_HW_INFO_SMMUV3_REPEAT_TLBI_CFGI = 1 << 0 };

struct iommufd_hw_info_arm_smmuv3 {
	uint32_t flags;
	uint32_t reserved;
	uint32_t idr[6];
	uint32_t iidr;
	uint32_t aidr;
};

struct iommufd_hw_info_tegra241_cmdqv {
	uint32_t flags;
	uint8_t version;
	uint8_t log2vcmdqs;
	uint8_t log2vsids;
	uint8_t reserved;
};

struct iommufd_hw_info_amd {
	iommufd_u64 efr;
	iommufd_u64 efr2;
};

/* ---- page faults ---- */

struct iommufd_fault_alloc {
	uint32_t size;
	uint32_t flags; /* 0 */
	uint32_t out_fault_id;
	uint32_t out_fault_fd; /* reads struct iommufd_pgfault, writes struct iommufd_page_response
				*/
};

enum {
	IOMMUFD_PGFAULT_PASID_VALID = 1 << 0,
	IOMMUFD_PGFAULT_LAST_PAGE = 1 << 1,
};

enum {
	IOMMUFD_PGFAULT_READ = 1 << 0,
	IOMMUFD_PGFAULT_WRITE = 1 << 1,
	IOMMUFD_PGFAULT_EXEC = 1 << 2,
	IOMMUFD_PGFAULT_PRIV = 1 << 3,
};

struct iommufd_pgfault {
	uint32_t flags;
	uint32_t dev_id;
	uint32_t pasid;
	uint32_t grpid;
	uint32_t perm;
	uint32_t reserved;
	iommufd_u64 addr;
	uint32_t length; /* a hint, bytes */
	uint32_t cookie;
};

enum {
	IOMMUFD_RESPONSE_SUCCESS = 0,
	IOMMUFD_RESPONSE_INVALID = 1,
};

struct iommufd_page_response {
	uint32_t cookie; /* of the last fault of the group */
	uint32_t code;
};

/* ---- virtual IOMMUs ---- */

enum {
	IOMMUFD_VIOMMU_DEFAULT = 0,
	IOMMUFD_VIOMMU_ARM_SMMUV3 = 1,
	IOMMUFD_VIOMMU_TEGRA241_CMDQV = 2,
};

struct iommufd_viommu_alloc {
	uint32_t size;
	uint32_t flags; /* 0 */
	uint32_t type;
	uint32_t dev_id;
	uint32_t hwpt_id; /* a nest parent */
	uint32_t out_viommu_id;
	uint32_t data_len;
	uint32_t reserved;
	iommufd_u64 data_uptr;
};

struct iommufd_viommu_tegra241_cmdqv {
	iommufd_u64 out_vintf_mmap_offset;
	iommufd_u64 out_vintf_mmap_length;
};

/* To be destroyed before its device is closed, or the id leaks until the fd closes. */
struct iommufd_vdevice_alloc {
	uint32_t size;
	uint32_t viommu_id;
	uint32_t dev_id;
	uint32_t out_vdevice_id;
	iommufd_u64 virt_id;
};

enum {
	IOMMUFD_VEVENTQ_DEFAULT = 0,
	IOMMUFD_VEVENTQ_ARM_SMMUV3 = 1,
	IOMMUFD_VEVENTQ_TEGRA241_CMDQV = 2,
};

struct iommufd_veventq_alloc {
	uint32_t size;
	uint32_t flags; /* 0 */
	uint32_t viommu_id;
	uint32_t type;
	uint32_t veventq_depth;
	uint32_t out_veventq_id;
	uint32_t out_veventq_fd;
	uint32_t reserved;
};

enum { IOMMUFD_VEVENT_LOST = 1U << 0 };

/* Before each event; with LOST no event follows. */
struct iommufd_event_header {
	uint32_t flags;
	uint32_t sequence; /* 0 to INT_MAX, then 0 again; a gap: events lost */
};

struct iommufd_vevent_arm_smmuv3 {
	iommufd_u64 evt[4]; /* little-endian */
};

struct iommufd_vevent_tegra241_cmdqv {
	iommufd_u64 lvcmdq_err_map[2]; /* little-endian */
};

enum {
	IOMMUFD_HW_QUEUE_DEFAULT = 0,
	IOMMUFD_HW_QUEUE_TEGRA241_CMDQV = 1,
};

struct iommufd_hw_queue_alloc {
	uint32_t size;
	uint32_t flags; /* 0 */
	uint32_t viommu_id;
	uint32_t type;
	uint32_t index;
	uint32_t out_hw_queue_id;
	iommufd_u64 nesting_parent_iova;
	iommufd_u64 length;
};
