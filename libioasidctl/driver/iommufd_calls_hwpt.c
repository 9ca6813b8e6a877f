// SPDX-License-Identifier: LGPL-2.1-or-later
/* The ioctls on HWPTs, vIOMMUs, queues and mock devices, and the line that -v shows of each. */
#include <inttypes.h>

#include "driver/iommufd.h"

int iommufd_hwpt_alloc(struct driver_fd *fd, struct iommufd_hwpt_alloc *args)
{
	int ret;

	args->size = sizeof(*args);
	ret = iommufd_call(fd->fd, IOMMUFD_HWPT_ALLOC, args);
	driver_trace(fd->env,
		     "IOMMU_HWPT_ALLOC fd=%d device=%u pt=%u flags=0x%x fault-queue=%u type=0x%x "
		     "length=%u = %s id=%u",
		     fd->fd, args->dev_id, args->pt_id, args->flags, args->fault_id,
		     args->data_type, args->data_len, linux_result(ret), args->out_hwpt_id);
	return ret;
}

int iommufd_hwpt_invalidate(struct driver_fd *fd, struct iommufd_hwpt_invalidate *args)
{
	uint32_t n = args->entry_num;
	int ret;

	args->size = sizeof(*args);
	ret = iommufd_call(fd->fd, IOMMUFD_HWPT_INVALIDATE, args);
	driver_trace(fd->env,
		     "IOMMU_HWPT_INVALIDATE fd=%d object=%u type=0x%x entries=%u of %u bytes = %s "
		     "done=%u",
		     fd->fd, args->hwpt_id, args->data_type, n, args->entry_len, linux_result(ret),
		     args->entry_num);
	return ret;
}

int iommufd_set_dirty_tracking(struct driver_fd *fd, uint32_t hwpt, bool on)
{
	struct iommufd_hwpt_set_dirty_tracking args = {
		.size = sizeof(args),
		.flags = on ? IOMMUFD_DIRTY_TRACKING_ENABLE : 0,
		.hwpt_id = hwpt,
	};
	int ret = iommufd_call(fd->fd, IOMMUFD_HWPT_SET_DIRTY_TRACKING, &args);

	driver_trace(fd->env, "IOMMU_HWPT_SET_DIRTY_TRACKING fd=%d hwpt=%u flags=0x%x = %s", fd->fd,
		     hwpt, args.flags, linux_result(ret));
	return ret;
}

int iommufd_get_dirty_bitmap(struct driver_fd *fd, struct iommufd_hwpt_get_dirty_bitmap *args)
{
	int ret;

	args->size = sizeof(*args);
	ret = iommufd_call(fd->fd, IOMMUFD_HWPT_GET_DIRTY_BITMAP, args);
	driver_trace(fd->env,
		     "IOMMU_HWPT_GET_DIRTY_BITMAP fd=%d hwpt=%u iova=0x%" PRIx64
		     " length=0x%" PRIx64 " page-size=0x%" PRIx64 " flags=0x%x = %s",
		     fd->fd, args->hwpt_id, args->iova, args->length, args->page_size, args->flags,
		     linux_result(ret));
	return ret;
}

int iommufd_fault_alloc(struct driver_fd *fd, uint32_t *id, int *queue)
{
	struct iommufd_fault_alloc args = {.size = sizeof(args)};
	int ret = iommufd_call(fd->fd, IOMMUFD_FAULT_QUEUE_ALLOC, &args);

	driver_trace(fd->env, "IOMMU_FAULT_QUEUE_ALLOC fd=%d = %s id=%u fd=%u", fd->fd,
		     linux_result(ret), args.out_fault_id, args.out_fault_fd);
	*id = args.out_fault_id;
	*queue = (int)args.out_fault_fd;
	return ret;
}

int iommufd_viommu_alloc(struct driver_fd *fd, struct iommufd_viommu_alloc *args)
{
	int ret;

	args->size = sizeof(*args);
	ret = iommufd_call(fd->fd, IOMMUFD_VIOMMU_ALLOC, args);
	driver_trace(fd->env,
		     "IOMMU_VIOMMU_ALLOC fd=%d type=0x%x device=%u hwpt=%u length=%u = %s id=%u",
		     fd->fd, args->type, args->dev_id, args->hwpt_id, args->data_len,
		     linux_result(ret), args->out_viommu_id);
	return ret;
}

int iommufd_vdevice_alloc(struct driver_fd *fd, struct iommufd_vdevice_alloc *args)
{
	int ret;

	args->size = sizeof(*args);
	ret = iommufd_call(fd->fd, IOMMUFD_VDEVICE_ALLOC, args);
	driver_trace(fd->env,
		     "IOMMU_VDEVICE_ALLOC fd=%d viommu=%u device=%u virtual=0x%" PRIx64
		     " = %s id=%u",
		     fd->fd, args->viommu_id, args->dev_id, args->virt_id, linux_result(ret),
		     args->out_vdevice_id);
	return ret;
}

int iommufd_veventq_alloc(struct driver_fd *fd, struct iommufd_veventq_alloc *args)
{
	int ret;

	args->size = sizeof(*args);
	ret = iommufd_call(fd->fd, IOMMUFD_VEVENTQ_ALLOC, args);
	driver_trace(fd->env,
		     "IOMMU_VEVENTQ_ALLOC fd=%d viommu=%u type=0x%x depth=%u = %s id=%u fd=%u",
		     fd->fd, args->viommu_id, args->type, args->veventq_depth, linux_result(ret),
		     args->out_veventq_id, args->out_veventq_fd);
	return ret;
}

int iommufd_hw_queue_alloc(struct driver_fd *fd, struct iommufd_hw_queue_alloc *args)
{
	int ret;

	args->size = sizeof(*args);
	ret = iommufd_call(fd->fd, IOMMUFD_HW_QUEUE_ALLOC, args);
	driver_trace(fd->env,
		     "IOMMU_HW_QUEUE_ALLOC fd=%d viommu=%u type=0x%x index=%u iova=0x%" PRIx64
		     " length=0x%" PRIx64 " = %s id=%u",
		     fd->fd, args->viommu_id, args->type, args->index, args->nesting_parent_iova,
		     args->length, linux_result(ret), args->out_hw_queue_id);
	return ret;
}

int mock_create(struct driver_fd *fd, uint32_t pt, uint32_t flags, uint32_t *mock, uint32_t *device)
{
	struct iommufd_test args = {
		.size = sizeof(args),
		.op = IOMMUFD_TEST_MOCK_DEVICE_FLAGS,
		.id = pt,
		.mock_device.flags = flags,
	};
	int ret = iommufd_call(fd->fd, IOMMUFD_TEST, &args);

	driver_trace(fd->env,
		     "IOMMU_TEST_CMD fd=%d mock-device pt=%u flags=0x%x = %s mock=%u device=%u",
		     fd->fd, pt, flags, linux_result(ret), args.mock_device.out_mock_id,
		     args.mock_device.out_device_id);
	*mock = args.mock_device.out_mock_id;
	*device = args.mock_device.out_device_id;
	return ret;
}

int mock_replace(struct driver_fd *fd, uint32_t mock, uint32_t pt, uint32_t *hwpt)
{
	struct iommufd_test args = {
		.size = sizeof(args), .op = IOMMUFD_TEST_REPLACE, .id = mock, .replace.pt_id = pt};
	int ret = iommufd_call(fd->fd, IOMMUFD_TEST, &args);

	driver_trace(fd->env, "IOMMU_TEST_CMD fd=%d replace mock=%u pt=%u = %s hwpt=%u", fd->fd,
		     mock, pt, linux_result(ret), args.replace.pt_id);
	*hwpt = args.replace.pt_id;
	return ret;
}

int mock_pasid_put(struct driver_fd *fd, uint32_t mock, uint32_t pasid, bool again, uint32_t pt,
		   uint32_t *hwpt)
{
	struct iommufd_test args = {
		.size = sizeof(args),
		.op = again ? IOMMUFD_TEST_PASID_REPLACE : IOMMUFD_TEST_PASID_ATTACH,
		.id = mock,
		.pasid_attach = {.pasid = pasid, .pt_id = pt},
	};
	int ret = iommufd_call(fd->fd, IOMMUFD_TEST, &args);

	driver_trace(fd->env, "IOMMU_TEST_CMD fd=%d %s mock=%u pasid=%u pt=%u = %s hwpt=%u", fd->fd,
		     again ? "pasid-replace" : "pasid-attach", mock, pasid, pt, linux_result(ret),
		     args.pasid_attach.pt_id);
	*hwpt = args.pasid_attach.pt_id;
	return ret;
}

int mock_pasid_detach(struct driver_fd *fd, uint32_t mock, uint32_t pasid)
{
	struct iommufd_test args = {.size = sizeof(args),
				    .op = IOMMUFD_TEST_PASID_DETACH,
				    .id = mock,
				    .pasid_detach.pasid = pasid};
	int ret = iommufd_call(fd->fd, IOMMUFD_TEST, &args);

	driver_trace(fd->env, "IOMMU_TEST_CMD fd=%d pasid-detach mock=%u pasid=%u = %s", fd->fd,
		     mock, pasid, linux_result(ret));
	return ret;
}
