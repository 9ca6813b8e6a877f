/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the iommufd driver share: a fake root, the trace, an open fd, usual answers. */
#pragma once

#include "mock_ioctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "driver/iommufd.h"
#include "support_tree.h"

#define D driver_iommufd

static struct tree tree;
static char trace_text[65536];

static inline void trace(void *data, const char *line)
{
	size_t length = strlen(trace_text);

	(void)data;
	snprintf(trace_text + length, sizeof(trace_text) - length, "%s\n", line);
}

static struct driver_env env = {.root = tree.root, .trace = trace};

/* What the driver asks when it opens a node: is there MAP_FILE? */
static inline void expect_map_file_probe(int errnum)
{
	EXPECT(IOMMUFD_IOAS_MAP_FILE, iommufd_ioas_map_file, .size = 40, .flags = 1 | 4, .fd = -1,
	       .length = 4096);
	FAIL(errnum);
}

static inline struct driver_fd *open_fd(bool map_file)
{
	const struct iommu_fd spec = {.name = (char *)"main"};
	struct driver_fd *fd;

	expect_map_file_probe(map_file ? ENOENT : ENOTTY);
	assert_int_equal(D.open(&env, &spec, &fd, NULL), 0);
	return fd;
}

static inline int setup(void **state)
{
	(void)state;
	trace_text[0] = '\0';
	n_called = n_expected = 0;
	tree_make(&tree);
	tree_link(&tree, "/dev/null", "/dev/iommu");
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	expect_no_more();
	tree_remove(&tree);
	return 0;
}

/* The usable ranges of a VT-d machine of 39 bits. */
static inline void look_ranges(void *args, void *copy)
{
	static const struct iommufd_iova_range vtd[] = {{0, 0xfedfffff},
							{0xfef00000, 0x7fffffffff}};
	struct iommufd_ioas_iova_ranges *a = args, *c = copy;

	if (a->num_iovas >= 2)
		memcpy((void *)(uintptr_t)a->allowed_iovas, vtd, sizeof(vtd));
	c->allowed_iovas = 0;
}

static inline void expect_ranges(uint32_t room, uint32_t answer, uint64_t alignment)
{
	EXPECT(IOMMUFD_IOAS_IOVA_RANGES, iommufd_ioas_iova_ranges, .size = 32, .ioas_id = 7,
	       .num_iovas = room);
	LOOK(look_ranges);
	ANSWER(iommufd_ioas_iova_ranges, .size = 32, .ioas_id = 7, .num_iovas = answer,
	       .out_iova_alignment = alignment);
}
