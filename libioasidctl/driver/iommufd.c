// SPDX-License-Identifier: LGPL-2.1-or-later
/* The iommufd driver: /dev/iommu of Linux 6.2 and later. An IOASID of kind gpa is an IOAS. */
#include "driver/iommufd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"

#define NODE "/dev/iommu"

/* Nobody's machine has that many; a kernel that says so isn't believed. */
#define RANGES_MAX 65536

/* The ranges may change between asking how many there are and reading them. */
#define RANGES_TRIES 4

#define NOT_YET "not in this version of the driver"

static int available(const struct driver_env *env, const char *node, struct ioasidctl_error **err)
{
	int fd = linux_open_node(env, node ? node : NODE, err);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int set_accounting(struct driver_fd *fd, enum accounting accounting,
			  struct ioasidctl_error **err)
{
	uint64_t wanted = accounting == ACCOUNTING_PROCESS, is = 0;
	int ret;

	if (accounting == ACCOUNTING_DEFAULT)
		return 0;
	/* Asking needs no privilege, and the mode it has may be the right one. */
	ret = iommufd_option(fd, IOMMUFD_OPTION_RLIMIT_MODE, IOMMUFD_OPTION_GET, 0, &is);
	if (!ret && is == wanted)
		return 0;
	if (!ret)
		ret = iommufd_option(fd, IOMMUFD_OPTION_RLIMIT_MODE, IOMMUFD_OPTION_SET, 0,
				     &wanted);
	if (ret)
		return iommufd_fail(err, "IOMMU_OPTION", ret, "can't account memory by %s",
				    accounting_names[accounting]);
	return 0;
}

/* No object has id 0: a kernel that knows the call says ENOENT, and nothing happens. */
static bool has_map_file(struct driver_fd *fd)
{
	struct iommufd_ioas_map_file args = {
		.size = sizeof(args),
		.flags = IOMMUFD_MAP_FIXED_IOVA | IOMMUFD_MAP_READABLE,
		.fd = -1,
		.length = 4096,
	};

	return iommufd_ioas_map_file(fd, &args) == -ENOENT;
}

static void fd_close(struct driver_fd *fd)
{
	for (struct driver_device *d = fd->devices; d; d = d->next)
		d->owner = NULL;
	if (fd->fd >= 0) {
		close(fd->fd);
		driver_trace(fd->env, "close %s fd=%d = 0", fd->node, fd->fd);
	}
	free(fd->node);
	free(fd);
}

static void fd_closep(struct driver_fd **fd)
{
	if (*fd)
		fd_close(*fd);
}

static int fd_open(const struct driver_env *env, const struct iommu_fd *spec,
		   struct driver_fd **out, struct ioasidctl_error **err)
{
	_cleanup_(fd_closep)
	struct driver_fd *fd = calloc(1, sizeof(*fd));
	int ret;

	if (!fd)
		return error_nomem(err);
	fd->env = env;
	fd->fd = -1;
	fd->node = strdup(spec->node ? spec->node : NODE);
	if (!fd->node)
		return error_nomem(err);
	fd->fd = linux_open_node(env, fd->node, err);
	if (fd->fd < 0)
		return fd->fd;
	ret = set_accounting(fd, spec->accounting, err);
	if (ret)
		return ret;
	fd->map_file = has_map_file(fd);
	*out = steal_pointer(fd);
	return 0;
}

static int fd_number(const struct driver_fd *fd)
{
	return fd->fd;
}

static int ioasid_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err)
{
	int ret = iommufd_destroy(fd, id);

	return ret ? iommufd_fail(err, "IOMMU_DESTROY", ret, "can't free IOAS %u", id) : 0;
}

static int ioasid_alloc(struct driver_fd *fd, const struct ioasid *spec, const struct nesting *on,
			uint32_t *id, struct ioasidctl_error **err)
{
	uint32_t number = 0;
	uint64_t off = 0;
	int ret;

	/* The planner has asked `missing`; a caller that hasn't gets no less than it asked for. */
	if (spec->kind != IOASID_GPA || on || spec->flags & ~IOASID_FLAG_NO_HUGE)
		return error_new(err, ERROR_REFUSED, EOPNOTSUPP,
				 "the iommufd driver can't allocate %s as declared: " NOT_YET,
				 spec->name);
	ret = iommufd_ioas_alloc(fd, &number);
	if (ret)
		return iommufd_fail(err, "IOMMU_IOAS_ALLOC", ret, "can't allocate %s", spec->name);
	if (spec->flags & IOASID_FLAG_NO_HUGE)
		ret = iommufd_option(fd, IOMMUFD_OPTION_HUGE_PAGES, IOMMUFD_OPTION_SET, number,
				     &off);
	if (ret) {
		iommufd_fail(err, "IOMMU_OPTION", ret, "can't keep %s to small pages", spec->name);
		iommufd_destroy(fd, number);
		return ret;
	}
	*id = number;
	return 0;
}

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

int iommufd_ioasid_info(struct driver_fd *fd, uint32_t id, struct ioasid_info *out,
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

static int allow(struct driver_fd *fd, uint32_t id, const struct range *ranges, size_t n,
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
	return IOMMUFD_MAP_FIXED_IOVA | (access & ACCESS_READ ? IOMMUFD_MAP_READABLE : 0) |
	       (access & ACCESS_WRITE ? IOMMUFD_MAP_WRITEABLE : 0);
}

static bool wants_va(const struct driver_fd *fd, const struct memory *memory)
{
	return !fd->map_file || memory->backing != BACKING_MEMFD;
}

static int map(struct driver_fd *fd, uint32_t id, const struct map_args *args,
	       struct ioasidctl_error **err)
{
	int ret;

	if (args->va) {
		struct iommufd_ioas_map raw = {
			.size = sizeof(raw),
			.flags = map_flags(args->access),
			.ioas_id = id,
			.user_va = (uintptr_t)args->va,
			.length = args->length,
			.iova = args->iova,
		};

		ret = iommufd_ioas_map(fd, &raw);
	} else {
		struct iommufd_ioas_map_file raw = {
			.size = sizeof(raw),
			.flags = map_flags(args->access),
			.ioas_id = id,
			.fd = args->fd,
			.start = args->offset,
			.length = args->length,
			.iova = args->iova,
		};

		ret = iommufd_ioas_map_file(fd, &raw);
	}
	if (ret) {
		iommufd_fail(err, args->va ? "IOMMU_IOAS_MAP" : "IOMMU_IOAS_MAP_FILE", ret,
			     "can't map 0x%" PRIx64 "-0x%" PRIx64, args->iova,
			     range_last(args->iova, args->length));
		iommufd_explain_map(fd, id, args, -ret, err);
	}
	return ret;
}

static int copy(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length, uint8_t access,
		uint32_t source, uint64_t from, struct ioasidctl_error **err)
{
	const struct map_args args = {.iova = iova, .length = length, .access = access};
	struct iommufd_ioas_copy raw = {
		.size = sizeof(raw),
		.flags = map_flags(access),
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

static int unmap(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length,
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

static int ioasid_probe(struct driver_fd *fd, uint32_t id)
{
	struct iommufd_ioas_iova_ranges args = {.size = sizeof(args), .ioas_id = id};
	int ret = iommufd_ioas_ranges(fd, &args);

	/* With no room for any range the kernel says how many there are: it exists. */
	return ret == -EMSGSIZE ? 0 : ret;
}

const struct driver driver_iommufd = {
	.name = "iommufd",
	.choice = DRIVER_IOMMUFD,
	.node = NODE,
	.missing =
		{
			[CAP_NESTED] = NOT_YET,
			[CAP_NEST_PARENT] = NOT_YET,
			[CAP_VIOMMU] = NOT_YET,
			[CAP_EVENTS] = NOT_YET,
			[CAP_HW_QUEUE] = NOT_YET,
			[CAP_VFIO_COMPAT] = NOT_YET,
			[CAP_PASID] = NOT_YET,
			[CAP_FAULT_QUEUE] = NOT_YET,
			[CAP_DIRTY] = NOT_YET,
			[CAP_AUTO_IOVA] = NOT_YET,
			[CAP_DMABUF] = NOT_YET,
			[CAP_VDPA] = "vhost-vdpa devices keep address spaces of their own, outside "
				     "of iommufd",
			[CAP_MOCK] = NOT_YET,
		},
	.tables =
		1 << TABLE_VTD_S1 | 1 << TABLE_ARM_SMMUV3 | 1 << TABLE_AMD_GUEST | 1 << TABLE_MOCK,
	/* The kernel has no other way to the guest's stream or device tables. */
	.viommu_tables = 1 << TABLE_ARM_SMMUV3 | 1 << TABLE_AMD_GUEST,
	.viommus = 1 << VIOMMU_DEFAULT | 1 << VIOMMU_ARM_SMMUV3 | 1 << VIOMMU_TEGRA241_CMDQV |
		   1 << VIOMMU_MOCK,
	.event_viommus = 1 << VIOMMU_ARM_SMMUV3 | 1 << VIOMMU_TEGRA241_CMDQV | 1 << VIOMMU_MOCK,
	.queue_viommus = 1 << VIOMMU_TEGRA241_CMDQV | 1 << VIOMMU_MOCK,
	.nested_needs_device = true,
	.available = available,
	.open = fd_open,
	.close = fd_close,
	.fd_number = fd_number,
	.device_find = linux_device_find,
	.device_set_driver = linux_device_set_driver,
	.device_set_override = linux_device_set_override,
	.device_open = iommufd_device_open,
	.device_close = iommufd_device_close,
	.device_fd_number = iommufd_device_fd_number,
	.device_request_fd = iommufd_device_request_fd,
	.device_bind = iommufd_device_bind,
	.device_info = iommufd_device_info,
	.ioasid_alloc = ioasid_alloc,
	.ioasid_free = ioasid_free,
	.ioasid_info = iommufd_ioasid_info,
	.allow = allow,
	.wants_va = wants_va,
	.map = map,
	.copy = copy,
	.unmap = unmap,
	.attach = iommufd_attach,
	.detach = iommufd_detach,
	.ioasid_probe = ioasid_probe,
	.device_probe = iommufd_device_probe,
};
