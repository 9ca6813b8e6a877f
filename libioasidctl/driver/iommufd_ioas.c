// SPDX-License-Identifier: LGPL-2.1-or-later
/* What an IOAS allows, and what is mapped in it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "driver/iommufd.h"

/* Nobody's machine has that many; a kernel that says so isn't believed. */
#define RANGES_MAX 65536

/* The ranges may change between asking how many there are and reading them. */
#define RANGES_TRIES 4

static int take_ranges(const struct iommufd_ioas_iova_ranges *args,
		       const struct iommufd_iova_range *raw, struct ioasid_info *out,
		       struct ioasidctl_error **err)
{
	struct range *ranges = calloc(args->num_iovas ? args->num_iovas : 1, sizeof(*ranges));

	if (!ranges)
		return error_nomem(err);
	for (uint32_t i = 0; i < args->num_iovas; i++) {
		if (raw[i].last < raw[i].start || (i && raw[i].start <= raw[i - 1].last)) {
			free(ranges);
			return error_new(err, ERROR_PROTOCOL, EPROTO,
					 "the kernel reports usable ranges out of order");
		}
		ranges[i] = (struct range){raw[i].start, raw[i].last};
	}
	*out = (struct ioasid_info){
		.ranges = ranges,
		.n_ranges = args->num_iovas,
		.alignment = args->out_iova_alignment,
	};
	return 0;
}

int iommufd_ioas_info(struct driver_fd *fd, uint32_t id, struct ioasid_info *out,
		      struct ioasidctl_error **err)
{
	uint32_t room = 16;

	for (int try = 0; try < RANGES_TRIES; try++) {
		_cleanup_free_ struct iommufd_iova_range *raw = calloc(room, sizeof(*raw));
		struct iommufd_ioas_iova_ranges args = {
			.size = sizeof(args),
			.ioas_id = id,
			.num_iovas = room,
			.allowed_iovas = (uintptr_t)raw,
		};
		int ret;

		if (!raw)
			return error_nomem(err);
		ret = iommufd_ioas_ranges(fd, &args);
		if (ret && ret != -EMSGSIZE)
			return iommufd_fail(err, "IOMMU_IOAS_IOVA_RANGES", ret,
					    "can't ask for the usable ranges of IOAS %u", id);
		if (!ret && args.num_iovas <= room)
			return take_ranges(&args, raw, out, err);
		if (!ret || args.num_iovas <= room || args.num_iovas > RANGES_MAX)
			return error_new(err, ERROR_PROTOCOL, EPROTO,
					 "the kernel reports %u usable ranges of IOAS %u",
					 args.num_iovas, id);
		room = args.num_iovas;
	}
	return error_new(err, ERROR_BUSY, EAGAIN,
			 "the usable ranges of IOAS %u change faster than they can be read", id);
}

int iommufd_allow(struct driver_fd *fd, uint32_t id, const struct range *ranges, size_t n,
		  struct ioasidctl_error **err)
{
	_cleanup_free_ struct iommufd_iova_range *raw = NULL;
	int ret;

	if (n > UINT32_MAX)
		return error_new(err, ERROR_CONFIG, E2BIG, "%zu allowed ranges are too many", n);
	raw = calloc(n ? n : 1, sizeof(*raw));
	if (!raw)
		return error_nomem(err);
	for (size_t i = 0; i < n; i++)
		raw[i] = (struct iommufd_iova_range){ranges[i].first, ranges[i].last};
	ret = iommufd_ioas_allow(fd, id, raw, (uint32_t)n);
	if (ret) {
		iommufd_fail(err, "IOMMU_IOAS_ALLOW_IOVAS", ret,
			     "can't keep the allowed ranges of IOAS %u", id);
		if (ret == -EADDRINUSE)
			iommufd_explain_allow(fd, id, ranges, n, err);
	}
	return ret;
}

static uint32_t map_flags(uint8_t access)
{
	return (access & ACCESS_READ ? IOMMUFD_MAP_READABLE : 0) |
	       (access & ACCESS_WRITE ? IOMMUFD_MAP_WRITEABLE : 0);
}

bool iommufd_wants_va(const struct driver_fd *fd, const struct memory *memory)
{
	/* A BAR can't be mapped by address: its pages aren't memory that could be pinned. */
	return memory->backing == BACKING_FILE ||
	       (memory->backing == BACKING_MEMFD && !fd->map_file);
}

static int map_va(struct driver_fd *fd, uint32_t id, const struct map_args *args, uint32_t flags,
		  uint64_t *iova)
{
	struct iommufd_ioas_map raw = {
		.size = sizeof(raw),
		.flags = flags,
		.ioas_id = id,
		.user_va = (uintptr_t)args->va,
		.length = args->length,
		.iova = *iova,
	};
	int ret = iommufd_ioas_map(fd, &raw);

	*iova = raw.iova;
	return ret;
}

static int map_file(struct driver_fd *fd, uint32_t id, const struct map_args *args, uint32_t flags,
		    uint64_t *iova)
{
	struct iommufd_ioas_map_file raw = {
		.size = sizeof(raw),
		.flags = flags,
		.ioas_id = id,
		.fd = args->fd,
		.start = args->offset,
		.length = args->length,
		.iova = *iova,
	};
	int ret = iommufd_ioas_map_file(fd, &raw);

	*iova = raw.iova;
	return ret;
}

/* The kernel has chosen; what it says is looked at before anybody relies on it. */
static int take_placed(const struct map_args *args, uint64_t iova, struct ioasidctl_error **err)
{
	if (!range_valid(iova, args->length))
		return error_new(err, ERROR_PROTOCOL, EPROTO,
				 "the kernel placed 0x%" PRIx64 " bytes at 0x%" PRIx64,
				 args->length, iova);
	*args->placed = iova;
	return 0;
}

int iommufd_map(struct driver_fd *fd, uint32_t id, const struct map_args *args,
		struct ioasidctl_error **err)
{
	uint32_t flags = map_flags(args->access) | (args->placed ? 0 : IOMMUFD_MAP_FIXED_IOVA);
	const char *name = args->va ? "IOMMU_IOAS_MAP" : "IOMMU_IOAS_MAP_FILE";
	uint64_t iova = args->placed ? 0 : args->iova;
	int ret;

	ret = args->va ? map_va(fd, id, args, flags, &iova) : map_file(fd, id, args, flags, &iova);
	if (!ret)
		return args->placed ? take_placed(args, iova, err) : 0;
	if (args->placed)
		iommufd_fail(err, name, ret, "can't find a place for 0x%" PRIx64 " bytes",
			     args->length);
	else
		iommufd_fail(err, name, ret, "can't map 0x%" PRIx64 "-0x%" PRIx64, args->iova,
			     range_last(args->iova, args->length));
	iommufd_explain_map(fd, id, args, -ret, err);
	return ret;
}

int iommufd_copy(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length, uint8_t access,
		 uint32_t source, uint64_t from, struct ioasidctl_error **err)
{
	const struct map_args args = {.iova = iova, .length = length, .access = access};
	struct iommufd_ioas_copy raw = {
		.size = sizeof(raw),
		.flags = map_flags(access) | IOMMUFD_MAP_FIXED_IOVA,
		.dst_ioas_id = id,
		.src_ioas_id = source,
		.length = length,
		.dst_iova = iova,
		.src_iova = from,
	};
	int ret = iommufd_ioas_copy(fd, &raw);

	if (ret) {
		iommufd_fail(err, "IOMMU_IOAS_COPY", ret,
			     "can't copy 0x%" PRIx64 "-0x%" PRIx64 " of IOAS %u to 0x%" PRIx64,
			     from, range_last(from, length), source, iova);
		iommufd_explain_map(fd, id, &args, -ret, err);
	}
	return ret;
}

int iommufd_unmap(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length,
		  struct ioasidctl_error **err)
{
	struct iommufd_ioas_unmap raw = {
		.size = sizeof(raw),
		.ioas_id = id,
		.iova = iova,
		.length = length,
	};
	int ret;

	/* The kernel takes 0 with the longest length as "everything", which nobody means here. */
	if (!range_valid(iova, length) || length == UINT64_MAX)
		return error_new(err, ERROR_REFUSED, EINVAL, "no range to unmap at 0x%" PRIx64,
				 iova);
	ret = iommufd_ioas_unmap(fd, &raw);
	if (ret)
		return iommufd_fail(err, "IOMMU_IOAS_UNMAP", ret,
				    "can't unmap 0x%" PRIx64 "-0x%" PRIx64, iova,
				    range_last(iova, length));
	if (raw.length != length)
		return error_new(err, ERROR_VERIFY, EIO,
				 "unmapping 0x%" PRIx64 "-0x%" PRIx64 " took away 0x%" PRIx64
				 " bytes instead of 0x%" PRIx64,
				 iova, range_last(iova, length), (uint64_t)raw.length, length);
	return 0;
}

int iommufd_physical(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t *length,
		     uint64_t *physical, struct ioasidctl_error **err)
{
	struct iommufd_ioas_noiommu_get_pa raw = {
		.size = sizeof(raw),
		.ioas_id = id,
		.iova = iova,
		.length = *length,
	};
	int ret = iommufd_get_pa(fd, &raw);

	if (ret)
		return iommufd_fail(err, "IOMMU_IOAS_NOIOMMU_GET_PA", ret,
				    "can't ask where 0x%" PRIx64 " lies in memory", iova);
	if (!raw.length || raw.length > *length || !range_valid(raw.out_phys, raw.length))
		return error_new(err, ERROR_PROTOCOL, EPROTO,
				 "the kernel says that 0x%" PRIx64 " lies at 0x%" PRIx64
				 " for 0x%" PRIx64 " bytes",
				 iova, (uint64_t)raw.out_phys, (uint64_t)raw.length);
	*length = raw.length;
	*physical = raw.out_phys;
	return 0;
}
