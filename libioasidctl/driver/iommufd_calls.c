// SPDX-License-Identifier: LGPL-2.1-or-later
/* The ioctls on an IOAS and on VFIO devices, and the line that -v shows of each. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "driver/iommufd.h"

/* Pages that iommufd_is_mapped() looks at. */
#define PROBES_MAX 4096

int iommufd_call(int fd, unsigned long request, void *args)
{
	int ret = ioctl(fd, request, args);

	return ret < 0 ? -errno : ret;
}

int iommufd_destroy(struct driver_fd *fd, uint32_t id)
{
	struct iommufd_destroy args = {.size = sizeof(args), .id = id};
	int ret = iommufd_call(fd->fd, IOMMUFD_DESTROY, &args);

	driver_trace(fd->env, "IOMMU_DESTROY fd=%d id=%u = %s", fd->fd, id, linux_result(ret));
	return ret;
}

int iommufd_ioas_alloc(struct driver_fd *fd, uint32_t *id)
{
	struct iommufd_ioas_alloc args = {.size = sizeof(args)};
	int ret = iommufd_call(fd->fd, IOMMUFD_IOAS_ALLOC, &args);

	driver_trace(fd->env, "IOMMU_IOAS_ALLOC fd=%d = %s id=%u", fd->fd, linux_result(ret),
		     args.out_ioas_id);
	*id = args.out_ioas_id;
	return ret;
}

int iommufd_ioas_allow(struct driver_fd *fd, uint32_t id, const struct iommufd_iova_range *ranges,
		       uint32_t n)
{
	struct iommufd_ioas_allow_iovas args = {
		.size = sizeof(args),
		.ioas_id = id,
		.num_iovas = n,
		.allowed_iovas = (uintptr_t)ranges,
	};
	int ret = iommufd_call(fd->fd, IOMMUFD_IOAS_ALLOW_IOVAS, &args);

	driver_trace(fd->env, "IOMMU_IOAS_ALLOW_IOVAS fd=%d ioas=%u ranges=%u = %s", fd->fd, id, n,
		     linux_result(ret));
	return ret;
}

int iommufd_ioas_ranges(struct driver_fd *fd, struct iommufd_ioas_iova_ranges *args)
{
	uint32_t room = args->num_iovas;
	int ret = iommufd_call(fd->fd, IOMMUFD_IOAS_IOVA_RANGES, args);

	driver_trace(fd->env, "IOMMU_IOAS_IOVA_RANGES fd=%d ioas=%u room=%u = %s ranges=%u", fd->fd,
		     args->ioas_id, room, linux_result(ret), args->num_iovas);
	return ret;
}

int iommufd_ioas_map(struct driver_fd *fd, struct iommufd_ioas_map *args)
{
	int ret = iommufd_call(fd->fd, IOMMUFD_IOAS_MAP, args);

	driver_trace(fd->env,
		     "IOMMU_IOAS_MAP fd=%d ioas=%u iova=0x%" PRIx64 " length=0x%" PRIx64
		     " va=0x%" PRIx64 " flags=0x%x = %s",
		     fd->fd, args->ioas_id, args->iova, args->length, args->user_va, args->flags,
		     linux_result(ret));
	return ret;
}

int iommufd_ioas_map_file(struct driver_fd *fd, struct iommufd_ioas_map_file *args)
{
	int ret = iommufd_call(fd->fd, IOMMUFD_IOAS_MAP_FILE, args);

	driver_trace(fd->env,
		     "IOMMU_IOAS_MAP_FILE fd=%d ioas=%u iova=0x%" PRIx64 " length=0x%" PRIx64
		     " file=%d start=0x%" PRIx64 " flags=0x%x = %s",
		     fd->fd, args->ioas_id, args->iova, args->length, args->fd, args->start,
		     args->flags, linux_result(ret));
	return ret;
}

int iommufd_ioas_copy(struct driver_fd *fd, struct iommufd_ioas_copy *args)
{
	int ret = iommufd_call(fd->fd, IOMMUFD_IOAS_COPY, args);

	driver_trace(fd->env,
		     "IOMMU_IOAS_COPY fd=%d ioas=%u iova=0x%" PRIx64 " length=0x%" PRIx64
		     " source=%u from=0x%" PRIx64 " flags=0x%x = %s",
		     fd->fd, args->dst_ioas_id, args->dst_iova, args->length, args->src_ioas_id,
		     args->src_iova, args->flags, linux_result(ret));
	return ret;
}

/*
 * Asked by copying each page onto itself, which can't succeed: EEXIST says that there is something
 * to copy, ENOENT that there isn't.
 */
bool iommufd_is_mapped(struct driver_fd *fd, uint32_t id, uint64_t first, uint64_t last)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), iova = first & ~(page - 1);
	bool found = false;

	for (unsigned n = 0; n < PROBES_MAX && iova <= last; n++, iova += page) {
		struct iommufd_ioas_copy args = {
			.size = sizeof(args),
			.flags = IOMMUFD_MAP_FIXED_IOVA | IOMMUFD_MAP_READABLE,
			.dst_ioas_id = id,
			.src_ioas_id = id,
			.length = page,
			.dst_iova = iova,
			.src_iova = iova,
		};

		found = iommufd_call(fd->fd, IOMMUFD_IOAS_COPY, &args) == -EEXIST;
		if (found || iova > UINT64_MAX - page)
			break;
	}
	driver_trace(fd->env,
		     "IOMMU_IOAS_COPY fd=%d ioas=%u onto itself, page by page from 0x%" PRIx64
		     " to 0x%" PRIx64 " = %s",
		     fd->fd, id, first, last, found ? "EEXIST" : "ENOENT");
	return found;
}

int iommufd_ioas_unmap(struct driver_fd *fd, struct iommufd_ioas_unmap *args)
{
	uint64_t length = args->length;
	int ret = iommufd_call(fd->fd, IOMMUFD_IOAS_UNMAP, args);

	driver_trace(fd->env,
		     "IOMMU_IOAS_UNMAP fd=%d ioas=%u iova=0x%" PRIx64 " length=0x%" PRIx64
		     " = %s unmapped=0x%" PRIx64,
		     fd->fd, args->ioas_id, args->iova, length, linux_result(ret), args->length);
	return ret;
}

int iommufd_option(struct driver_fd *fd, uint32_t option, uint16_t op, uint32_t object,
		   uint64_t *value)
{
	struct iommufd_set_option args = {
		.size = sizeof(args),
		.option_id = option,
		.op = op,
		.object_id = object,
		.val64 = *value,
	};
	int ret = iommufd_call(fd->fd, IOMMUFD_OPTION, &args);

	driver_trace(fd->env, "IOMMU_OPTION fd=%d %s option=%s object=%u = %s value=%" PRIu64,
		     fd->fd, op == IOMMUFD_OPTION_SET ? "set" : "get",
		     option == IOMMUFD_OPTION_RLIMIT_MODE ? "rlimit-mode" : "huge-pages", object,
		     linux_result(ret), (uint64_t)args.val64);
	*value = args.val64;
	return ret;
}

int iommufd_vfio_ioas(struct driver_fd *fd, uint16_t op, uint32_t *ioas)
{
	static const char *const ops[] = {"get", "set", "clear"};
	struct iommufd_vfio_ioas args = {.size = sizeof(args), .op = op, .ioas_id = *ioas};
	int ret = iommufd_call(fd->fd, IOMMUFD_VFIO_IOAS, &args);

	driver_trace(fd->env, "IOMMU_VFIO_IOAS fd=%d %s ioas=%u = %s", fd->fd, ops[op],
		     args.ioas_id, linux_result(ret));
	*ioas = args.ioas_id;
	return ret;
}

int iommufd_change_process(struct driver_fd *fd)
{
	struct iommufd_ioas_change_process args = {.size = sizeof(args)};
	int ret = iommufd_call(fd->fd, IOMMUFD_IOAS_CHANGE_PROCESS, &args);

	driver_trace(fd->env, "IOMMU_IOAS_CHANGE_PROCESS fd=%d = %s", fd->fd, linux_result(ret));
	return ret;
}

int iommufd_get_pa(struct driver_fd *fd, struct iommufd_ioas_noiommu_get_pa *args)
{
	uint64_t length = args->length;
	int ret = iommufd_call(fd->fd, IOMMUFD_IOAS_NOIOMMU_GET_PA, args);

	driver_trace(fd->env,
		     "IOMMU_IOAS_NOIOMMU_GET_PA fd=%d ioas=%u iova=0x%" PRIx64 " length=0x%" PRIx64
		     " = %s physical=0x%" PRIx64 " length=0x%" PRIx64,
		     fd->fd, args->ioas_id, args->iova, length, linux_result(ret), args->out_phys,
		     args->length);
	return ret;
}

int iommufd_get_hw_info(struct driver_fd *fd, struct iommufd_hw_info *args)
{
	int ret = iommufd_call(fd->fd, IOMMUFD_GET_HW_INFO, args);

	driver_trace(fd->env,
		     "IOMMU_GET_HW_INFO fd=%d device=%u = %s type=0x%x length=%u pasid-bits=%u "
		     "capabilities=0x%" PRIx64,
		     fd->fd, args->dev_id, linux_result(ret), args->data_type, args->data_len,
		     args->out_max_pasid_log2, (uint64_t)args->out_capabilities);
	return ret;
}

int vfio_bind(struct driver_device *dev, int iommufd, uint32_t *id)
{
	/* Kernels before 6.17 have no token field; their argsz check takes a longer struct. */
	struct vfio_dev_bind_iommufd args = {.argsz = sizeof(args), .iommufd = iommufd};
	int ret = iommufd_call(dev->fd, VFIO_DEV_BIND_IOMMUFD, &args);

	driver_trace(dev->env, "VFIO_DEVICE_BIND_IOMMUFD fd=%d node=%s iommufd=%d = %s id=%u",
		     dev->fd, dev->node, iommufd, linux_result(ret), args.out_devid);
	*id = args.out_devid;
	return ret;
}

int vfio_attach(struct driver_device *dev, uint32_t pt, uint32_t pasid, uint32_t *hwpt)
{
	struct vfio_dev_attach_iommufd_pt args = {.argsz = sizeof(args), .pt_id = pt};
	int ret;

	if (pasid != NO_PASID) {
		args.flags = VFIO_DEV_ATTACH_PASID;
		args.pasid = pasid;
	}
	ret = iommufd_call(dev->fd, VFIO_DEV_ATTACH_IOMMUFD_PT, &args);
	driver_trace(dev->env,
		     "VFIO_DEVICE_ATTACH_IOMMUFD_PT fd=%d node=%s pt=%u flags=0x%x pasid=%u = %s "
		     "hwpt=%u",
		     dev->fd, dev->node, pt, args.flags, args.pasid, linux_result(ret), args.pt_id);
	*hwpt = args.pt_id;
	return ret;
}

int vfio_detach(struct driver_device *dev, uint32_t pasid)
{
	struct vfio_dev_detach_iommufd_pt args = {.argsz = sizeof(args)};
	int ret;

	if (pasid != NO_PASID) {
		args.flags = VFIO_DEV_DETACH_PASID;
		args.pasid = pasid;
	}
	ret = iommufd_call(dev->fd, VFIO_DEV_DETACH_IOMMUFD_PT, &args);
	driver_trace(dev->env,
		     "VFIO_DEVICE_DETACH_IOMMUFD_PT fd=%d node=%s flags=0x%x pasid=%u = %s",
		     dev->fd, dev->node, args.flags, args.pasid, linux_result(ret));
	return ret;
}

int vfio_get_info(struct driver_device *dev)
{
	struct vfio_dev_info args = {.argsz = sizeof(args)};
	int ret = iommufd_call(dev->fd, VFIO_DEV_GET_INFO, &args);

	driver_trace(dev->env, "VFIO_DEVICE_GET_INFO fd=%d node=%s = %s", dev->fd, dev->node,
		     linux_result(ret));
	return ret;
}

int vfio_get_dma_buf(struct driver_device *dev, uint32_t bar, uint64_t offset, uint64_t length)
{
	struct {
		struct vfio_dev_feature head;
		struct vfio_dev_feature_dma_buf dma_buf;
		struct vfio_dev_dma_range range;
	} args = {
		.head = {.argsz = sizeof(args), .flags = VFIO_DEV_FEATURE_GET | VFIO_DEV_DMA_BUF},
		.dma_buf = {.region_index = bar, .open_flags = O_RDWR | O_CLOEXEC, .nr_ranges = 1},
		.range = {.offset = offset, .length = length},
	};
	int ret = iommufd_call(dev->fd, VFIO_DEV_FEATURE, &args);

	driver_trace(dev->env,
		     "VFIO_DEVICE_FEATURE fd=%d node=%s dma-buf bar=%u offset=0x%" PRIx64
		     " length=0x%" PRIx64 " = %s fd=%d",
		     dev->fd, dev->node, bar, offset, length, linux_result(ret), ret);
	return ret;
}
