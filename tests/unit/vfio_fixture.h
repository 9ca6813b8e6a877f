/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the vfio driver share: a fake root with an edu in group 2 and two more devices
 * in group 9, the trace, and the calls of every life: an open fd, a container, a bound device.
 */
#pragma once

#include "mock_ioctl.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "driver/vfio.h"
#include "support_tree.h"

#define D driver_vfio

#define EDU   "0000:00:03.0"
#define LEFT  "0000:03:01.0"
#define RIGHT "0000:03:02.0"

#define VA ((void *)0x7f0000000000UL)

static struct tree tree;
static char trace_text[65536];

static inline void trace(void *data, const char *line)
{
	size_t length = strlen(trace_text);

	(void)data;
	snprintf(trace_text + length, sizeof(trace_text) - length, "%s\n", line);
}

static struct driver_env env = {.root = tree.root, .trace = trace};

static inline int setup(void **state)
{
	(void)state;
	trace_text[0] = '\0';
	n_called = n_expected = 0;
	tree_make(&tree);
	tree_link(&tree, "/dev/null", "/dev/vfio/vfio");
	tree_link(&tree, "/dev/null", "/dev/vfio/2");
	tree_link(&tree, "/dev/null", "/dev/vfio/9");
	tree_pci(&tree, EDU, 2, "vfio-pci", NULL);
	tree_pci(&tree, LEFT, 9, "vfio-pci", NULL);
	tree_pci(&tree, RIGHT, 9, "vfio-pci", NULL);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	expect_no_more();
	tree_remove(&tree);
	return 0;
}

/* What opening the container's node comes with. */
static inline void expect_container(void)
{
	expect_bare(VFIO_CONT_API_VERSION);
	expect_number(VFIO_CONT_CHECK_EXTENSION, VFIO_CONT_TYPE1_V2);
	RETURNS(1);
}

static inline struct driver_fd *open_fd(void)
{
	const struct iommu_fd spec = {.name = (char *)"main"};
	struct driver_fd *fd;

	expect_container();
	assert_int_equal(D.open(&env, &spec, &fd, NULL), 0);
	return fd;
}

static inline uint32_t alloc(struct driver_fd *fd)
{
	const struct ioasid spec = {.name = (char *)"gpa"};
	uint32_t id = 0;

	expect_container();
	assert_int_equal(D.ioasid_alloc(fd, &spec, NULL, &id, NULL), 0);
	return id;
}

static inline int container_fd(const struct driver_fd *fd, uint32_t id)
{
	return vfio_find_container(fd, id, NULL)->fd;
}

static inline struct driver_device *open_device(const char *address)
{
	const struct device spec = {
		.name = (char *)"dev", .selector = SELECTOR_PCI, .address = (char *)address};
	struct driver_device *dev;

	assert_int_equal(D.device_open(&env, &spec, &dev, NULL), 0);
	return dev;
}

static inline void expect_status(uint32_t flags)
{
	EXPECT(VFIO_GRP_STATUS, vfio_grp_status, .argsz = 8);
	ANSWER(vfio_grp_status, .argsz = 8, .flags = flags);
}

/* `first`: the group is opened for it. */
static inline struct driver_device *bind_device(struct driver_fd *fd, const char *address,
						bool first)
{
	struct driver_device *dev = open_device(address);
	uint32_t id = 0;

	if (first)
		expect_status(VFIO_GRP_VIABLE);
	assert_int_equal(D.device_bind(fd, dev, &id, NULL), 0);
	assert_int_equal(id, NO_INDEX);
	return dev;
}

static inline void expect_set_container(const struct driver_device *dev, int container)
{
	expect_raw(VFIO_GRP_SET_CONTAINER, &container, sizeof(container));
	ON(dev->group->fd);
}

static inline void expect_unset_container(const struct driver_device *dev)
{
	expect_bare(VFIO_GRP_UNSET_CONTAINER);
	ON(dev->group->fd);
}

static inline void expect_type(int container)
{
	expect_number(VFIO_CONT_SET_TYPE, VFIO_CONT_TYPE1_V2);
	ON(container);
}

static inline void expect_open_device(const struct driver_device *dev, const char *address)
{
	expect_raw(VFIO_GRP_OPEN_DEVICE, address, strlen(address) + 1);
	ON(dev->group->fd);
	RETURNS(open("/dev/null", O_RDWR | O_CLOEXEC));
}

/* The answer of a VT-d machine of 39 bits: room for 100 mappings, then two usable ranges. */
struct usual_answer {
	struct vfio_t1_info info;
	struct vfio_t1_cap_dma_avail avail;
	uint32_t pad;
	struct vfio_cap cap;
	uint32_t nr_iovas, reserved;
	struct vfio_t1_iova_range ranges[2];
};

static const struct usual_answer usual = {
	.info = {.argsz = sizeof(usual),
		 .flags = VFIO_T1_INFO_PGSIZES | VFIO_T1_INFO_CAPS,
		 .iova_pgsizes = 0x40201000,
		 .cap_offset = offsetof(struct usual_answer, avail)},
	.avail = {.cap = {VFIO_T1_CAP_DMA_AVAIL, 1, offsetof(struct usual_answer, cap)},
		  .avail = 100},
	.cap = {VFIO_T1_CAP_IOVA_RANGE, 1, 0},
	.nr_iovas = 2,
	.ranges = {{0, 0xfedfffff}, {0xfef00000, 0x7fffffffff}},
};

static inline void look_usual(void *args, void *copy)
{
	(void)copy;
	memcpy(args, &usual, sizeof(usual));
}

/* The driver begins with room for 512 bytes. */
static inline void expect_info(int container, void (*look)(void *args, void *copy))
{
	EXPECT(VFIO_T1_INFO, vfio_t1_info, .argsz = 512);
	ON(container);
	LOOK(look);
}

static inline void expect_map(int container, uint64_t iova, uint64_t size, const void *va,
			      uint32_t flags)
{
	EXPECT(VFIO_T1_MAP, vfio_t1_map, .argsz = 32, .flags = flags, .vaddr = (uintptr_t)va,
	       .iova = iova, .size = size);
	ON(container);
}

static inline void expect_unmap(int container, uint64_t iova, uint64_t size, uint64_t unmapped)
{
	EXPECT(VFIO_T1_UNMAP, vfio_t1_unmap, .argsz = 24, .iova = iova, .size = size);
	ON(container);
	ANSWER(vfio_t1_unmap, .argsz = 24, .iova = iova, .size = unmapped);
}

static inline int map(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length,
		      struct ioasidctl_error **err)
{
	const struct map_args args = {
		.iova = iova, .length = length, .access = ACCESS_RW, .va = (char *)VA + iova};

	return D.map(fd, id, &args, err);
}

/* The first device comes into an empty container without mappings. */
static inline void attach_first(struct driver_fd *fd, struct driver_device *dev,
				const char *address, uint32_t id)
{
	int container = container_fd(fd, id);

	expect_set_container(dev, container);
	expect_type(container);
	expect_info(container, look_usual);
	expect_open_device(dev, address);
	assert_int_equal(D.attach(fd, dev, id, NO_PASID, NULL), 0);
}
