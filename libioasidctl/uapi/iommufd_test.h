/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Linux's mock IOMMU (CONFIG_IOMMUFD_TEST), as of 7.3: one more ioctl on /dev/iommu, with a number
 * of operations. No header of the kernel's ABI has it. Our own names, see uapi/iommufd.h.
 *
 * A mock device comes attached to an IOAS or HWPT and leaves it for another one only: there is no
 * detaching. It has two ids, its own (`id` of the operations here) and that of the device object
 * which the other ioctls know. Destroying its own detaches it and takes both away.
 */
#pragma once

#include "uapi/iommufd.h"

enum { IOMMUFD_TEST = IOMMUFD_IOCTL(0xa0) };

enum {
	IOMMUFD_TEST_ADD_RESERVED = 1,
	IOMMUFD_TEST_MOCK_DEVICE = 2,
	IOMMUFD_TEST_CHECK_MAP = 3, /* id: HWPT */
	IOMMUFD_TEST_REPLACE = 10,
	IOMMUFD_TEST_MOCK_DEVICE_FLAGS = 12, /* id: what to attach it to */
	IOMMUFD_TEST_DIRTY = 13, /* id: HWPT */
	IOMMUFD_TEST_CHECK_IOTLB = 14, /* id: nested HWPT */
	IOMMUFD_TEST_TRIGGER_FAULT = 15,
	IOMMUFD_TEST_CHECK_CACHE = 16, /* id: device object */
	IOMMUFD_TEST_TRIGGER_EVENT = 17,
	IOMMUFD_TEST_PASID_ATTACH = 18,
	IOMMUFD_TEST_PASID_REPLACE = 19,
	IOMMUFD_TEST_PASID_DETACH = 20,
	IOMMUFD_TEST_PASID_CHECK = 21, /* hwpt_id 0: is it detached? */
	IOMMUFD_TEST_DMABUF_GET = 22, /* takes the lowest free descriptor, says not which */
};

enum {
	IOMMUFD_TEST_DEVICE_NO_DIRTY = 1 << 0,
	IOMMUFD_TEST_DEVICE_PASID = 1 << 2,
};

enum {
	IOMMUFD_TEST_APERTURE_FIRST = 0x1000000,
	IOMMUFD_TEST_APERTURE_LAST = 0x7fffffff,
	IOMMUFD_TEST_PAGE_SIZE = 2048,
	IOMMUFD_TEST_PASID_BITS = 20,
	IOMMUFD_TEST_CACHE_ENTRIES = 4, /* of a nested HWPT, and of a device */
};

struct iommufd_test {
	uint32_t size;
	uint32_t op;
	uint32_t id;
	uint32_t reserved;
	union {
		struct {
			iommufd_u64 start;
			iommufd_u64 length;
		} add_reserved;
		struct {
			uint32_t out_mock_id;
			uint32_t out_hwpt_id;
			uint32_t out_device_id;
			uint32_t flags; /* with MOCK_DEVICE_FLAGS */
		} mock_device;
		struct {
			uint32_t pt_id; /* out: the HWPT it came to */
		} replace;
		struct {
			iommufd_u64 iova;
			iommufd_u64 length;
			iommufd_u64 va; /* EINVAL: that isn't what is mapped there */
		} check_map;
		struct {
			uint32_t flags; /* 0 */
			iommufd_u64 iova;
			iommufd_u64 length;
			iommufd_u64 page_size;
			iommufd_u64 bitmap; /* of pages to make dirty */
			iommufd_u64 out_count;
		} dirty;
		struct {
			uint32_t entry;
			uint32_t value;
		} check_iotlb, check_cache;
		struct {
			uint32_t device_id;
			uint32_t pasid; /* 0: none */
			uint32_t group;
			uint32_t perm;
			iommufd_u64 addr;
		} fault;
		struct {
			uint32_t device_id;
		} event;
		struct {
			uint32_t pasid;
			uint32_t pt_id; /* out: the HWPT it came to */
		} pasid_attach, pasid_replace;
		struct {
			uint32_t pasid;
		} pasid_detach;
		struct {
			uint32_t pasid;
			uint32_t hwpt_id;
		} pasid_check;
		struct {
			uint32_t length;
			uint32_t open_flags;
		} dmabuf_get;
	};
	uint32_t last; /* 0 */
};

/* The numbers it uses where others have one in uapi/iommufd.h. */
enum { IOMMUFD_HWPT_TYPE_MOCK = 0xdead };
#define IOMMUFD_HW_INFO_MOCK	0xfeedbeefU
#define IOMMUFD_INVALIDATE_MOCK 0xdeadbeefU /* nested HWPTs and vIOMMUs */
#define IOMMUFD_VIOMMU_MOCK	0xdeadbeefU
#define IOMMUFD_VEVENTQ_MOCK	0xbeefbeefU
#define IOMMUFD_HW_QUEUE_MOCK	0xdeadbeefU

struct iommufd_hw_info_mock {
	uint32_t flags;
	uint32_t test_reg;
};

struct iommufd_hwpt_mock {
	uint32_t iotlb; /* what its cache entries start with */
	uint32_t pagetable_type; /* 0 */
};

enum { IOMMUFD_MOCK_INVALIDATE_ALL = 1 << 0 };

struct iommufd_hwpt_mock_invalidate {
	uint32_t flags;
	uint32_t iotlb_id; /* < IOMMUFD_TEST_CACHE_ENTRIES */
};

struct iommufd_viommu_mock_invalidate {
	uint32_t flags;
	uint32_t vdev_id;
	uint32_t cache_id; /* < IOMMUFD_TEST_CACHE_ENTRIES */
};

struct iommufd_vevent_mock {
	uint32_t virt_id;
};
