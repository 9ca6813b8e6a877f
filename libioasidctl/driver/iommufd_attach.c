// SPDX-License-Identifier: LGPL-2.1-or-later
/* Devices, and their PASIDs, in IOASIDs. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "driver/iommufd.h"

struct iommufd_place *iommufd_find_place(const struct driver_device *dev, uint32_t pasid)
{
	for (size_t i = 0; i < dev->n_places; i++)
		if (dev->places[i].pasid == pasid)
			return &dev->places[i];
	return NULL;
}

/* A slot for the place, so that nothing can fail once the kernel has done it. */
static int reserve_place(struct driver_device *dev, struct ioasidctl_error **err)
{
	struct iommufd_place *grown =
		reallocarray(dev->places, dev->n_places + 1, sizeof(*dev->places));

	if (!grown)
		return error_nomem(err);
	dev->places = grown;
	return 0;
}

/* The IOMMU can't tell the members of a group apart, so they have moved along. */
static void move_group(struct driver_fd *fd, const struct driver_device *dev, uint32_t ioasid,
		       uint32_t hwpt)
{
	for (struct driver_device *d = fd->devices; d; d = d->next) {
		struct iommufd_place *whole = iommufd_find_place(d, NO_PASID);

		if (d == dev || d->group == NO_INDEX || d->group != dev->group || !whole)
			continue;
		whole->ioasid = ioasid;
		whole->hwpt = hwpt;
	}
}

static void record_place(struct driver_fd *fd, struct driver_device *dev,
			 const struct iommufd_place *place)
{
	struct iommufd_place *was = iommufd_find_place(dev, place->pasid);
	uint32_t left = was ? was->hwpt : NO_OBJECT;

	if (!was)
		was = &dev->places[dev->n_places++];
	*was = *place;
	if (place->pasid == NO_PASID)
		move_group(fd, dev, place->ioasid, place->hwpt);
	if (left != NO_OBJECT && left != place->hwpt)
		iommufd_release_hwpt(fd, left);
}

static int refuse_pasid(const struct driver_device *dev, const struct iommufd_space *space,
			struct ioasidctl_error **err, const char *cause)
{
	int ret = error_new(err, ERROR_REFUSED, EINVAL, "can't attach %s to %s", dev->label,
			    space->name);

	error_cause(err, "%s", cause);
	error_hint(err, "add pasid: true to the IOASIDs of a device of which PASIDs are attached, "
			"that of the whole device included");
	return ret;
}

static bool lacks_pasid(const struct iommufd_space *space)
{
	return space && !(space->flags & IOASID_FLAG_PASID);
}

/* The kernel wants both the IOASID of the whole device and those of its PASIDs to allow PASIDs. */
static int check_pasid(const struct driver_fd *fd, const struct driver_device *dev,
		       const struct iommufd_space *space, uint32_t pasid,
		       struct ioasidctl_error **err)
{
	const struct iommufd_place *whole = iommufd_find_place(dev, NO_PASID);
	const struct iommufd_space *now = whole ? iommufd_find_space(fd, whole->ioasid) : NULL;

	if (!space)
		return 0;
	if (pasid != NO_PASID && lacks_pasid(space))
		return refuse_pasid(dev, space, err, "the IOASID lacks pasid: true");
	if (pasid != NO_PASID && lacks_pasid(now))
		return refuse_pasid(dev, space, err,
				    "the IOASID that the whole device is in lacks pasid: true");
	if (pasid == NO_PASID && lacks_pasid(space) && dev->n_places > (whole ? 1 : 0))
		return refuse_pasid(dev, space, err,
				    "PASIDs of the device are attached, and the IOASID for the "
				    "whole device lacks pasid: true");
	return 0;
}

int iommufd_put(struct driver_fd *fd, struct driver_device *dev, uint32_t pt, uint32_t pasid,
		uint32_t *hwpt)
{
	if (dev->selector == SELECTOR_MOCK)
		return iommufd_mock_put(fd, dev, pt, pasid, hwpt);
	return vfio_attach(dev, pt, pasid, hwpt);
}

struct attach_try {
	struct driver_fd *fd;
	struct driver_device *dev;
	struct iommufd_place place; /* hwpt: of the try that succeeded */
};

static int try_attach(void *data, uint32_t pt)
{
	struct attach_try *try = data;

	return iommufd_put(try->fd, try->dev, pt, try->place.pasid, &try->place.hwpt);
}

static void fail_attach(void *data, int ret, struct ioasidctl_error **err)
{
	struct attach_try *try = data;
	const char *call = try->dev->selector == SELECTOR_MOCK ? "IOMMU_TEST_CMD"
							       : "VFIO_DEVICE_ATTACH_IOMMUFD_PT";

	if (try->place.pasid == NO_PASID)
		iommufd_fail(err, call, ret, "can't attach %s", try->dev->label);
	else
		iommufd_fail(err, call, ret, "can't attach PASID %u of %s", try->place.pasid,
			     try->dev->label);
	iommufd_explain_attach(try->fd, try->dev, try->place.ioasid, try->place.pasid, -ret, err);
}

/* What the kernel's own HWPTs lack. A mediated device has no IOMMU that would need one. */
static bool wants_hwpt(const struct iommufd_space *space, const struct driver_device *dev)
{
	return space && space->format == TABLE_NONE && space->flags & ~IOASID_FLAG_NO_HUGE &&
	       dev->selector != SELECTOR_MDEV;
}

int iommufd_attach(struct driver_fd *fd, struct driver_device *dev, uint32_t id, uint32_t pasid,
		   struct ioasidctl_error **err)
{
	struct iommufd_space *space = iommufd_find_space(fd, id);
	struct attach_try try = {fd, dev, {.pasid = pasid, .ioasid = id}};
	int ret = check_pasid(fd, dev, space, pasid, err);

	if (!ret)
		ret = reserve_place(dev, err);
	if (ret)
		return ret;
	if (wants_hwpt(space, dev)) {
		const struct iommufd_hwpt_user user = {try_attach, fail_attach, &try};

		ret = iommufd_with_hwpt(fd, space, dev, &user, err);
	} else {
		ret = try_attach(&try, id);
		if (ret)
			fail_attach(&try, ret, err);
	}
	if (!ret)
		record_place(fd, dev, &try.place);
	return ret;
}

int iommufd_detach(struct driver_fd *fd, struct driver_device *dev, uint32_t pasid,
		   struct ioasidctl_error **err)
{
	bool mock = dev->selector == SELECTOR_MOCK;
	struct iommufd_place *place = iommufd_find_place(dev, pasid);
	uint32_t left = place ? place->hwpt : NO_OBJECT;
	int ret = mock ? iommufd_mock_take(fd, dev, pasid) : vfio_detach(dev, pasid);

	if (ret)
		return iommufd_fail(err, mock ? "IOMMU_TEST_CMD" : "VFIO_DEVICE_DETACH_IOMMUFD_PT",
				    ret, "can't detach %s", dev->label);
	if (!place)
		return 0;
	*place = dev->places[--dev->n_places];
	if (left != NO_OBJECT)
		iommufd_release_hwpt(fd, left);
	return 0;
}
