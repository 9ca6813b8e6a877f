// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Devices of the kernel's mock IOMMU. They don't exist before they are bound, and are always
 * attached to something: one that nobody attached is parked in an IOAS with nothing in it, where
 * DMA reaches nothing, as it would in the kernel's blocking domain.
 */
#include <errno.h>

#include "driver/iommufd.h"

static bool has_mock_device(const struct driver_fd *fd)
{
	for (const struct driver_device *d = fd->devices; d; d = d->next)
		if (d->selector == SELECTOR_MOCK)
			return true;
	return false;
}

void iommufd_mock_release(struct driver_fd *fd)
{
	if (has_mock_device(fd))
		return;
	if (fd->parking_hwpt != NO_OBJECT)
		iommufd_destroy(fd, fd->parking_hwpt);
	if (fd->parking_ioas != NO_OBJECT)
		iommufd_destroy(fd, fd->parking_ioas);
	fd->parking_hwpt = fd->parking_ioas = NO_OBJECT;
}

/*
 * PASIDs can only be attached while the whole device is in an HWPT that allows them, so the one to
 * park in does. Making it takes a device.
 */
static int make_parking(struct driver_fd *fd, const struct driver_device *dev)
{
	struct iommufd_hwpt_alloc args = {
		.flags = IOMMUFD_HWPT_PASID, .dev_id = dev->id, .pt_id = fd->parking_ioas};
	uint32_t hwpt;
	int ret;

	if (fd->parking_hwpt != NO_OBJECT)
		return 0;
	ret = iommufd_hwpt_alloc(fd, &args);
	if (ret)
		return ret;
	fd->parking_hwpt = args.out_hwpt_id;
	return mock_replace(fd, dev->mock_id, fd->parking_hwpt, &hwpt);
}

static int fail_bind(const struct driver_device *dev, int ret, struct ioasidctl_error **err)
{
	iommufd_fail(err, "IOMMU_TEST_CMD", ret, "can't make the mock device %s", dev->label);
	if (ret == -ENOTTY) {
		error_cause(err, "this kernel has no mock IOMMU (CONFIG_IOMMUFD_TEST)");
		error_hint(err, "only kernels made for testing have it; the reference device "
				"(driver: ioasid) needs nothing of the kernel");
	}
	return ret;
}

int iommufd_mock_bind(struct driver_fd *fd, struct driver_device *dev, uint32_t *id,
		      struct ioasidctl_error **err)
{
	int ret = 0;

	if (fd->parking_ioas == NO_OBJECT)
		ret = iommufd_ioas_alloc(fd, &fd->parking_ioas);
	if (ret) {
		fd->parking_ioas = NO_OBJECT;
		return iommufd_fail(err, "IOMMU_IOAS_ALLOC", ret,
				    "can't make a place for mock devices");
	}
	/* It can take PASIDs, as whoever asks for none doesn't notice. */
	ret = mock_create(fd, fd->parking_hwpt != NO_OBJECT ? fd->parking_hwpt : fd->parking_ioas,
			  IOMMUFD_TEST_DEVICE_PASID, &dev->mock_id, &dev->id);
	if (!ret) {
		ret = make_parking(fd, dev);
		if (ret)
			iommufd_destroy(fd, dev->mock_id);
	}
	if (ret) {
		dev->id = NO_OBJECT;
		iommufd_mock_release(fd);
		return fail_bind(dev, ret, err);
	}
	*id = dev->id;
	return 0;
}

int iommufd_mock_put(struct driver_fd *fd, struct driver_device *dev, uint32_t pt, uint32_t pasid,
		     uint32_t *hwpt)
{
	if (pasid == NO_PASID)
		return mock_replace(fd, dev->mock_id, pt, hwpt);
	return mock_pasid_put(fd, dev->mock_id, pasid, iommufd_find_place(dev, pasid), pt, hwpt);
}

int iommufd_mock_take(struct driver_fd *fd, struct driver_device *dev, uint32_t pasid)
{
	uint32_t hwpt;

	if (pasid == NO_PASID)
		return mock_replace(fd, dev->mock_id, fd->parking_hwpt, &hwpt);
	return mock_pasid_detach(fd, dev->mock_id, pasid);
}

/* The kernel detaches the whole device itself, but no PASID. */
void iommufd_mock_close(struct driver_device *dev)
{
	for (size_t i = 0; i < dev->n_places; i++)
		if (dev->places[i].pasid != NO_PASID)
			iommufd_mock_take(dev->owner, dev, dev->places[i].pasid);
	iommufd_destroy(dev->owner, dev->mock_id);
}
