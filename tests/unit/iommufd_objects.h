/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices, gpa IOASIDs and their HWPTs for the tests of the iommufd driver that start with some. */
#pragma once

#include "iommufd_fixture.h"

static struct driver_fd *fd;

static inline int open_one(void **state)
{
	setup(state);
	fd = open_fd(true);
	return 0;
}

static inline int close_one(void **state)
{
	D.close(fd);
	return teardown(state);
}

/* A device bound as that id. */
static inline struct driver_device *device(uint32_t id, uint32_t group)
{
	struct device spec = {.name = (char *)"nic", .selector = SELECTOR_PCI};
	struct driver_device *dev;
	char address[16], node[16];
	uint32_t got;

	snprintf(address, sizeof(address), "0000:03:%02x.0", id);
	snprintf(node, sizeof(node), "vfio%u", id);
	spec.address = address;
	tree_pci(&tree, address, group, "vfio-pci", node);
	assert_int_equal(D.device_open(&env, &spec, &dev, NULL), 0);
	EXPECT(VFIO_DEV_BIND_IOMMUFD, vfio_dev_bind_iommufd, .argsz = 24,
	       .iommufd = D.fd_number(fd));
	ANSWER(vfio_dev_bind_iommufd, .argsz = 24, .iommufd = D.fd_number(fd), .out_devid = id);
	assert_int_equal(D.device_bind(fd, dev, &got, NULL), 0);
	return dev;
}

static inline void expect_ioas(uint32_t id)
{
	EXPECT(IOMMUFD_IOAS_ALLOC, iommufd_ioas_alloc, .size = 12);
	ANSWER(iommufd_ioas_alloc, .size = 12, .out_ioas_id = id);
}

static inline uint32_t gpa(uint32_t id, uint32_t flags)
{
	struct ioasid spec;
	uint32_t got = 0;

	ioasid_init(&spec);
	spec.name = (char *)"gpa";
	spec.flags = flags;
	expect_ioas(id);
	assert_int_equal(D.ioasid_alloc(fd, &spec, NULL, &got, NULL), 0);
	assert_int_equal(got, id);
	return id;
}

static inline void expect_attach(uint32_t pt, uint32_t pasid, uint32_t hwpt)
{
	uint32_t flags = pasid != NO_PASID, number = pasid == NO_PASID ? 0 : pasid;

	EXPECT(VFIO_DEV_ATTACH_IOMMUFD_PT, vfio_dev_attach_iommufd_pt, .argsz = 16, .flags = flags,
	       .pt_id = pt, .pasid = number);
	ANSWER(vfio_dev_attach_iommufd_pt, .argsz = 16, .flags = flags, .pt_id = hwpt,
	       .pasid = number);
}

static inline void expect_refused_attach(uint32_t pt, int errnum)
{
	EXPECT(VFIO_DEV_ATTACH_IOMMUFD_PT, vfio_dev_attach_iommufd_pt, .argsz = 16, .pt_id = pt);
	FAIL(errnum);
}

static inline void expect_hwpt(uint32_t flags, uint32_t dev, uint32_t pt, uint32_t id)
{
	EXPECT(IOMMUFD_HWPT_ALLOC, iommufd_hwpt_alloc, .size = 48, .flags = flags, .dev_id = dev,
	       .pt_id = pt);
	ANSWER(iommufd_hwpt_alloc, .size = 48, .out_hwpt_id = id);
}

static inline void expect_destroy(uint32_t id)
{
	EXPECT(IOMMUFD_DESTROY, iommufd_destroy, .size = 8, .id = id);
}

static inline void expect_busy(uint32_t id)
{
	expect_destroy(id);
	FAIL(EBUSY);
}

/* What the hardware of device 3 says of itself. */
static uint32_t hw_info_data[10];

static inline void look_info(void *args, void *copy)
{
	struct iommufd_hw_info *a = args, *c = copy;

	memcpy((void *)(uintptr_t)a->data_uptr, hw_info_data, sizeof(hw_info_data));
	c->data_uptr = 0;
}

static inline void expect_info(uint32_t type, uint8_t pasid_bits)
{
	EXPECT(IOMMUFD_GET_HW_INFO, iommufd_hw_info, .size = 40, .dev_id = 3, .data_len = 256);
	LOOK(look_info);
	ANSWER(iommufd_hw_info, .size = 40, .dev_id = 3, .data_len = sizeof(hw_info_data),
	       .data_type = type, .out_max_pasid_log2 = pasid_bits);
}
