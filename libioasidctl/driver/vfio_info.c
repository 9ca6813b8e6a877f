// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a container says of itself: page sizes, usable addresses, room for mappings. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "driver/vfio.h"

/* Far more than any kernel has to say; one that has more isn't believed. */
#define ANSWER_MAX (1U << 20)

/* The answer may grow between asking how long it is and reading it. */
#define ANSWER_TRIES 4

/* Enough for the usual answer, so that one call does. */
#define ANSWER_USUAL 512

static int refuse_answer(const char *what, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_PROTOCOL, EPROTO, "the kernel's answer makes no sense: %s",
			    what);

	error_ioctl(err, "VFIO_IOMMU_GET_INFO");
	return ret;
}

/* The whole answer, owned; its argsz is its length. */
static int read_answer(struct driver_fd *fd, const struct vfio_container *c,
		       struct vfio_t1_info **out, struct ioasidctl_error **err)
{
	uint32_t room = ANSWER_USUAL;

	for (int try = 0; try < ANSWER_TRIES; try++) {
		_cleanup_free_ struct vfio_t1_info *answer = calloc(1, room);
		int ret;

		if (!answer)
			return error_nomem(err);
		answer->argsz = room;
		ret = vfio_type1_info(fd, c, answer);
		if (ret)
			return vfio_fail(err, "VFIO_IOMMU_GET_INFO", ret,
					 "can't ask a container for its usable ranges");
		if (answer->argsz <= room) {
			/* What the kernel wrote is at most what there was room for. */
			answer->argsz = room;
			*out = steal_pointer(answer);
			return 0;
		}
		if (answer->argsz > ANSWER_MAX)
			return refuse_answer("it is longer than a mebibyte", err);
		room = answer->argsz;
	}
	return error_new(err, ERROR_BUSY, EAGAIN,
			 "a container's usable ranges change faster than they can be read");
}

/* `at` is the capability; `room` the bytes from there to the end of the answer. */
static int take_ranges(const unsigned char *at, size_t room, struct vfio_info *out,
		       struct ioasidctl_error **err)
{
	struct vfio_t1_cap_iova_range cap;
	struct vfio_t1_iova_range r;

	if (out->ranges)
		return refuse_answer("two lists of usable ranges", err);
	if (room < sizeof(cap))
		return refuse_answer("a list of usable ranges that is cut off", err);
	memcpy(&cap, at, sizeof(cap));
	if (cap.nr_iovas > (room - sizeof(cap)) / sizeof(r))
		return refuse_answer("more usable ranges than fit the answer", err);
	out->ranges = calloc(cap.nr_iovas + 1UL, sizeof(*out->ranges));
	if (!out->ranges)
		return error_nomem(err);
	for (uint32_t i = 0; i < cap.nr_iovas; i++) {
		memcpy(&r, at + sizeof(cap) + i * sizeof(r), sizeof(r));
		if (r.end < r.start || (i && r.start <= out->ranges[i - 1].last))
			return refuse_answer("usable ranges out of order", err);
		out->ranges[i] = (struct range){r.start, r.end};
	}
	out->n_ranges = cap.nr_iovas;
	return 0;
}

static int take_available(const unsigned char *at, size_t room, struct vfio_info *out,
			  struct ioasidctl_error **err)
{
	struct vfio_t1_cap_dma_avail cap;

	if (room < sizeof(cap))
		return refuse_answer("a number of mappings that is cut off", err);
	memcpy(&cap, at, sizeof(cap));
	out->limited = true;
	out->available = cap.avail;
	return 0;
}

/* Offsets must grow: what goes back would never end. */
static int take_capabilities(const struct vfio_t1_info *answer, struct vfio_info *out,
			     struct ioasidctl_error **err)
{
	const unsigned char *start = (const unsigned char *)answer;
	uint32_t at = answer->cap_offset, before = sizeof(*answer) - 1;
	struct vfio_cap cap;
	int ret = 0;

	while (!ret && at) {
		if (at <= before || at > answer->argsz - sizeof(cap))
			return refuse_answer("a capability outside of it", err);
		memcpy(&cap, start + at, sizeof(cap));
		if (cap.id == VFIO_T1_CAP_IOVA_RANGE && cap.version == 1)
			ret = take_ranges(start + at, answer->argsz - at, out, err);
		else if (cap.id == VFIO_T1_CAP_DMA_AVAIL && cap.version == 1)
			ret = take_available(start + at, answer->argsz - at, out, err);
		before = at;
		at = cap.next;
	}
	return ret;
}

/* Kernels that tell no ranges, and containers of mediated devices alone, take any address. */
static int take_everything(struct vfio_info *out, struct ioasidctl_error **err)
{
	out->ranges = calloc(1, sizeof(*out->ranges));
	if (!out->ranges)
		return error_nomem(err);
	out->ranges[0] = (struct range){0, UINT64_MAX};
	out->n_ranges = 1;
	return 0;
}

int vfio_info_take(const struct vfio_t1_info *answer, struct vfio_info *out,
		   struct ioasidctl_error **err)
{
	int ret = 0;

	*out = (struct vfio_info){0};
	if (answer->flags & VFIO_T1_INFO_PGSIZES)
		out->page_sizes = answer->iova_pgsizes;
	if (answer->flags & VFIO_T1_INFO_CAPS)
		ret = take_capabilities(answer, out, err);
	if (!ret && !out->ranges)
		ret = take_everything(out, err);
	if (ret)
		vfio_info_done(out);
	return ret;
}

int vfio_info_read(struct driver_fd *fd, const struct vfio_container *c, struct vfio_info *out,
		   struct ioasidctl_error **err)
{
	_cleanup_free_ struct vfio_t1_info *answer = NULL;
	int ret = read_answer(fd, c, &answer, err);

	*out = (struct vfio_info){0};
	return ret ? ret : vfio_info_take(answer, out, err);
}

void vfio_info_done(struct vfio_info *info)
{
	free(info->ranges);
	*info = (struct vfio_info){0};
}
