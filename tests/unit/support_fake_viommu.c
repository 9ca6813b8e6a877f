// SPDX-License-Identifier: GPL-2.0-or-later
/* vIOMMUs of the fake driver, with the rules of Linux: what is used can't go. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "support_fake_state.h"

static int busy(struct ioasidctl_error **err, const char *what)
{
	return error_new(err, ERROR_BUSY, EBUSY, "%s", what);
}

static int viommu_alloc(struct driver_fd *fd, const struct viommu *spec, uint32_t parent,
			struct driver_device *dev, uint32_t *id, struct ioasidctl_error **err)
{
	int ret = fake_step("alloc viommu", err);

	(void)spec;
	if (!ret && dev->fd != fd)
		return error_new(err, ERROR_KERNEL, EINVAL, "%s is not bound here", dev->address);
	for (uint32_t i = 0; !ret && i < MAX_VIOMMUS; i++)
		if (!fd->viommus[i].exists) {
			fd->viommus[i].exists = true;
			fd->viommus[i].parent = parent;
			fd->viommus[i].events = 0;
			*id = i;
			return 0;
		}
	return ret ? ret : -ENOSPC;
}

static int viommu_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err)
{
	int ret = fake_step("free viommu", err);

	for (size_t i = 0; i < MAX_VIOMMUS; i++)
		if ((fd->vdevices[i].exists && fd->vdevices[i].viommu == id) ||
		    (fd->queues[i].exists && fd->queues[i].viommu == id))
			return busy(err, "viommu is in use");
	for (size_t i = 0; i < MAX_OBJECTS; i++)
		if (fd->ioasids[i].exists && fd->ioasids[i].nested && fd->ioasids[i].viommu == id)
			return busy(err, "something is nested on the viommu");
	if (fd->viommus[id].events)
		return busy(err, "viommu has an event queue");
	if (!ret)
		fd->viommus[id].exists = false;
	return ret;
}

bool fake_viommu_uses(const struct driver_fd *fd, uint32_t ioasid)
{
	for (size_t i = 0; i < MAX_VIOMMUS; i++)
		if (fd->viommus[i].exists && fd->viommus[i].parent == ioasid)
			return true;
	return false;
}

bool fake_has_vdevice(const struct driver_fd *fd, const struct driver_device *dev)
{
	for (size_t i = 0; i < MAX_VIOMMUS; i++)
		if (fd->vdevices[i].exists && fd->vdevices[i].device == dev)
			return true;
	return false;
}

static int vdevice_alloc(struct driver_fd *fd, uint32_t viommu, struct driver_device *dev,
			 uint64_t virt_id, uint32_t *id, struct ioasidctl_error **err)
{
	int ret = fake_step("alloc vdevice", err);

	if (!ret && (fake_has_vdevice(fd, dev) || dev->fd != fd))
		return error_new(err, ERROR_KERNEL, EEXIST, "%s has one or isn't bound",
				 dev->address);
	for (uint32_t i = 0; !ret && i < MAX_VIOMMUS; i++)
		if (fd->vdevices[i].exists && fd->vdevices[i].viommu == viommu &&
		    fd->vdevices[i].id == virt_id)
			return error_new(err, ERROR_KERNEL, EEXIST, "another device has that id");
	if (ret)
		return ret;
	/* A place for each device, so that states are told in one order. */
	*id = (uint32_t)(strrchr(dev->address, '.')[-4] - '0') % MAX_VIOMMUS;
	fd->vdevices[*id].exists = true;
	fd->vdevices[*id].viommu = viommu;
	fd->vdevices[*id].id = virt_id;
	fd->vdevices[*id].device = dev;
	return 0;
}

static int vdevice_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err)
{
	int ret = fake_step("free vdevice", err);

	if (!ret)
		fd->vdevices[id].exists = false;
	return ret;
}

bool fake_queue_in(const struct driver_fd *fd, uint32_t ioasid, uint64_t iova, uint64_t length)
{
	for (size_t i = 0; i < MAX_VIOMMUS; i++)
		if (fd->queues[i].exists && fd->viommus[fd->queues[i].viommu].parent == ioasid &&
		    fd->queues[i].iova < iova + length &&
		    iova < fd->queues[i].iova + fd->queues[i].length)
			return true;
	return false;
}

static bool has_queue(const struct driver_fd *fd, uint32_t viommu, uint32_t index)
{
	for (uint32_t i = 0; i < MAX_VIOMMUS; i++)
		if (fd->queues[i].exists && fd->queues[i].viommu == viommu &&
		    fd->queues[i].index == index)
			return true;
	return false;
}

static int queue_alloc(struct driver_fd *fd, uint32_t viommu, const struct hw_queue *spec,
		       uint32_t *id, struct ioasidctl_error **err)
{
	int ret = fake_step("alloc queue", err);

	if (has_queue(fd, viommu, spec->index))
		return error_new(err, ERROR_KERNEL, EEXIST, "queue exists");
	if (spec->index && !has_queue(fd, viommu, spec->index - 1))
		return error_new(err, ERROR_KERNEL, EIO, "the queue before it is missing");
	for (uint32_t i = 0; !ret && i < MAX_VIOMMUS; i++)
		if (!fd->queues[i].exists) {
			fd->queues[i].exists = true;
			fd->queues[i].viommu = viommu;
			fd->queues[i].index = spec->index;
			fd->queues[i].iova = spec->iova;
			fd->queues[i].length = spec->length;
			*id = i;
			return 0;
		}
	return ret ? ret : -ENOSPC;
}

static int queue_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err)
{
	int ret = fake_step("free queue", err);

	if (!fd->queues[id].exists)
		return error_new(err, ERROR_KERNEL, ENOENT, "no such queue");
	if (has_queue(fd, fd->queues[id].viommu, fd->queues[id].index + 1))
		return error_new(err, ERROR_KERNEL, EBUSY, "the queue after it is there");
	if (!ret)
		fd->queues[id].exists = false;
	return ret;
}

static int events_alloc(struct driver_fd *fd, uint32_t viommu, uint32_t depth, uint32_t *id,
			struct ioasidctl_error **err)
{
	int ret = fake_step("alloc events", err);

	if (!ret && fd->viommus[viommu].events)
		return error_new(err, ERROR_KERNEL, EEXIST, "viommu has an event queue");
	if (!ret)
		fd->viommus[viommu].events = depth;
	*id = viommu;
	return ret;
}

static int events_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err)
{
	int ret = fake_step("free events", err);

	if (!ret)
		fd->viommus[id].events = 0;
	return ret;
}

static int viommu_probe(struct driver_fd *fd, uint32_t id)
{
	return fd->viommus[id].exists ? 0 : -ENOENT;
}

static int set_vfio_compat(struct driver_fd *fd, uint32_t ioasid, struct ioasidctl_error **err)
{
	int ret = fake_step("set compat", err);

	if (!ret)
		fd->compat = ioasid;
	return ret;
}

const struct driver fake_viommu_calls = {
	.viommu_alloc = viommu_alloc,
	.viommu_free = viommu_free,
	.vdevice_alloc = vdevice_alloc,
	.vdevice_free = vdevice_free,
	.queue_alloc = queue_alloc,
	.queue_free = queue_free,
	.events_alloc = events_alloc,
	.events_free = events_free,
	.viommu_probe = viommu_probe,
	.set_vfio_compat = set_vfio_compat,
};

void fake_print_viommus(FILE *out, const struct driver_fd *fd)
{
	if (fd->leaked)
		fprintf(out, "  %u vdevices leaked\n", fd->leaked);
	if (fd->compat != NO_INDEX)
		fprintf(out, "  container %u\n", fd->compat);
	for (uint32_t i = 0; i < MAX_VIOMMUS; i++)
		if (fd->viommus[i].exists)
			fprintf(out, "  viommu %u on %u events %u\n", i, fd->viommus[i].parent,
				fd->viommus[i].events);
	for (uint32_t i = 0; i < MAX_VIOMMUS; i++)
		if (fd->vdevices[i].exists)
			fprintf(out, "  vdevice %s is %" PRIx64 " of %u\n",
				fd->vdevices[i].device->address, fd->vdevices[i].id,
				fd->vdevices[i].viommu);
	for (uint32_t i = 0; i < MAX_VIOMMUS; i++)
		if (fd->queues[i].exists)
			fprintf(out, "  queue %u of %u at %" PRIx64 "+%" PRIx64 "\n",
				fd->queues[i].index, fd->queues[i].viommu, fd->queues[i].iova,
				fd->queues[i].length);
}
