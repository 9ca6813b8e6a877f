// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "driver/vdpa.h"

int vhost_vdpa_call(const struct driver_device *dev, const char *name, unsigned long request,
		    void *args)
{
	int ret = ioctl(dev->fd, request, args) < 0 ? -errno : 0;

	driver_trace(dev->env, "%s fd=%d node=%s = %s", name, dev->fd, dev->node,
		     linux_result(ret));
	return ret;
}

static const char *message_name(uint8_t request)
{
	static const char *const names[] = {
		[VHOST_VDPA_UPDATE] = "VHOST_IOTLB_UPDATE",
		[VHOST_VDPA_INVALIDATE] = "VHOST_IOTLB_INVALIDATE",
		[VHOST_VDPA_BATCH_BEGIN] = "VHOST_IOTLB_BATCH_BEGIN",
		[VHOST_VDPA_BATCH_END] = "VHOST_IOTLB_BATCH_END",
	};

	return names[request];
}

static uint8_t permissions(uint8_t access)
{
	return (access & ACCESS_READ ? VHOST_VDPA_READ : 0) |
	       (access & ACCESS_WRITE ? VHOST_VDPA_WRITE : 0);
}

int vhost_vdpa_write(const struct driver_device *dev, uint32_t asid, uint8_t request,
		     const struct map_args *args)
{
	struct vhost_vdpa_message message = {
		.type = VHOST_VDPA_MESSAGE_V2, .asid = asid, .request = request};
	ssize_t n;
	int ret;

	if (args) {
		message.iova = args->iova;
		message.size = args->length;
	}
	if (args && request == VHOST_VDPA_UPDATE) {
		message.uaddr = (uintptr_t)args->va;
		message.perm = permissions(args->access);
	}
	n = write(dev->fd, &message, sizeof(message));
	ret = n < 0 ? -errno : (size_t)n == sizeof(message) ? 0 : -EIO;
	driver_trace(dev->env,
		     "%s fd=%d node=%s asid=%u iova=0x%" PRIx64 " length=0x%" PRIx64
		     " perm=%u = %s",
		     message_name(request), dev->fd, dev->node, asid, (uint64_t)message.iova,
		     (uint64_t)message.size, message.perm, linux_result(ret));
	return ret;
}

/* In two halves, since no size says "all of 64 bits". */
int vhost_vdpa_clear(const struct driver_device *dev, uint32_t asid)
{
	const uint64_t half = 1ULL << 63;
	int ret = vhost_vdpa_write(dev, asid, VHOST_VDPA_INVALIDATE,
				   &(struct map_args){.iova = 0, .length = half});
	int second = vhost_vdpa_write(dev, asid, VHOST_VDPA_INVALIDATE,
				      &(struct map_args){.iova = half, .length = half});

	return ret ? ret : second;
}
