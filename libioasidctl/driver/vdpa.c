// SPDX-License-Identifier: LGPL-2.1-or-later
/* vDPA devices: what the drivers of Linux's IOMMU interfaces leave to vhost-vdpa. */
#include "driver/vdpa.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/device.h"
#include "host/root.h"
#include "host/vdpa.h"

#define VHOST_DRIVER "vhost_vdpa"

static void trace_asked(void *data, const char *what, const char *name, int ret)
{
	driver_trace(data, "%s %s = %s", what, name, linux_result(ret));
}

static int create(const struct driver_env *env, const struct device *spec,
		  struct ioasidctl_error **err)
{
	const struct vdpa_request request = {
		.management = spec->vdpa.management,
		.name = spec->address,
		.mac = spec->vdpa.has_mac ? spec->vdpa.mac : NULL,
		.mtu = spec->vdpa.mtu,
		.max_queue_pairs = spec->vdpa.max_queue_pairs,
	};

	return host_vdpa_create(&request, &(struct vdpa_listener){trace_asked, (void *)env}, err);
}

static int delete (const struct driver_env *env, const struct device *spec,
		   struct ioasidctl_error **err)
{
	return host_vdpa_delete(env->root, spec->address, spec->vdpa.management,
				&(struct vdpa_listener){trace_asked, (void *)env}, err);
}

static int refuse_unbound(const struct driver_device *dev, const char *dir,
			  struct ioasidctl_error **err)
{
	_cleanup_free_ char *driver = NULL;

	if (!host_device_driver(dir, &driver) && driver)
		error_new(err, ERROR_BUSY, ENODEV, "%s belongs to the host's driver %s", dev->label,
			  driver);
	else
		error_new(err, ERROR_UNAVAILABLE, ENODEV, "%s has no driver", dev->label);
	error_cause(err, "only a vDPA device bound to " VHOST_DRIVER " can be opened");
	error_hint(err, "`driver: " VHOST_DRIVER "` in the device's entry makes ioasidctl bind it, "
			"and give it back at the end");
	return -ENODEV;
}

static void device_close(struct driver_device *dev)
{
	if (dev->fd >= 0) {
		close(dev->fd);
		driver_trace(dev->env, "close %s fd=%d = 0", dev->node, dev->fd);
	}
	cleanup_close(&dev->request);
	free(dev->places);
	free(dev->label);
	free(dev->node);
	free(dev);
}

static void device_closep(struct driver_device **dev)
{
	if (*dev)
		device_close(*dev);
}

static int open_node(struct driver_device *dev, struct ioasidctl_error **err)
{
	dev->fd = linux_open_node(dev->env, dev->node, err);
	if (dev->fd == -EBUSY) {
		linux_explain_holders(dev->env->root, (const char *const[]){dev->node, NULL}, 0,
				      "it", err);
		if (err && *err)
			(*err)->kind = ERROR_BUSY;
	}
	return dev->fd < 0 ? dev->fd : 0;
}

/* Without a link; or closed already, since a request to the kernel had to wait for that. */
static bool is_deleted(const struct driver_device *dev)
{
	struct stat st;

	return !fstat(dev->fd, &st) && (!st.st_nlink || st.st_rdev != dev->number);
}

/*
 * Whoever deletes or unbinds such a device isn't answered before it is closed, and nobody is asked
 * to. But its node goes first: the open file then has no link any more, which its inode tells.
 */
static int watch_node(struct driver_device *dev, struct ioasidctl_error **err)
{
	char path[sizeof("/proc/self/fd/") + 11];
	struct stat st;

	if (!fstat(dev->fd, &st))
		dev->number = st.st_rdev;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", dev->fd);
	dev->request = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (dev->request >= 0 && inotify_add_watch(dev->request, path, IN_ATTRIB) < 0)
		cleanup_close(&dev->request);
	if (dev->request < 0)
		driver_trace(dev->env, "%s fd=%d: its removal won't be noticed: %s", dev->node,
			     dev->fd, strerror(errno));
	if (!is_deleted(dev))
		return 0;
	return error_new(err, ERROR_UNAVAILABLE, ENODEV, "%s is being deleted", dev->label);
}

static int device_open(const struct driver_env *env, const struct device *spec,
		       struct driver_device **out, struct ioasidctl_error **err)
{
	_cleanup_(device_closep)
	struct driver_device *dev = calloc(1, sizeof(*dev));
	_cleanup_free_ char *dir = NULL;
	int ret;

	if (!dev)
		return error_nomem(err);
	dev->env = env;
	dev->fd = dev->request = -1;
	if (asprintf(&dev->label, "%s (%s)", spec->name, spec->address) < 0) {
		dev->label = NULL;
		return error_nomem(err);
	}
	ret = host_device_dir(env->root, SELECTOR_VDPA, spec->address, &dir, err);
	if (ret)
		return ret;
	ret = host_vdpa_node(dir, &dev->node);
	if (ret == -ENOENT)
		return refuse_unbound(dev, dir, err);
	if (ret)
		return error_new(err, ERROR_KERNEL, -ret, "can't read %s of sysfs: %s", dir,
				 strerror(-ret));
	ret = open_node(dev, err);
	if (!ret)
		ret = watch_node(dev, err);
	if (!ret)
		*out = steal_pointer(dev);
	return ret;
}

static int fd_number(const struct driver_device *dev)
{
	return dev->fd;
}

static int request_fd(struct driver_device *dev)
{
	return dev->request;
}

/* New permissions are told in the same way. */
static bool requested(struct driver_device *dev)
{
	char events[1024];

	while (read(dev->request, events, sizeof(events)) > 0)
		;
	return is_deleted(dev);
}

static int refuse_old(const struct driver_device *dev, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_REFUSED, EOPNOTSUPP,
			    "vhost-vdpa of this kernel takes no mappings for %s", dev->label);

	error_hint(err, "they came with Linux 5.7");
	return ret;
}

/* Where a kernel or a device doesn't know the question, there is one. */
static uint32_t ask_count(const struct driver_device *dev, const char *name, unsigned long request)
{
	uint32_t count = 0;

	return vhost_vdpa_call(dev, name, request, &count) || !count ? 1 : count;
}

static int agree(struct driver_device *dev, struct ioasidctl_error **err)
{
	const uint64_t wanted = 1ULL << VHOST_VDPA_F_MSG_V2 | 1ULL << VHOST_VDPA_F_BATCH |
				1ULL << VHOST_VDPA_F_ASID | 1ULL << VHOST_VDPA_F_PERSIST;
	uint64_t features = 0;
	int ret = vhost_vdpa_call(dev, "VHOST_GET_BACKEND_FEATURES", VHOST_VDPA_FEATURES_GET,
				  &features);

	if (!ret && !(features >> VHOST_VDPA_F_MSG_V2 & 1))
		return refuse_old(dev, err);
	features &= wanted;
	if (!ret)
		ret = vhost_vdpa_call(dev, "VHOST_SET_BACKEND_FEATURES", VHOST_VDPA_FEATURES_SET,
				      &features);
	if (ret)
		return vdpa_fail(err, "VHOST_SET_BACKEND_FEATURES", ret,
				 "can't agree on features with %s", dev->label);
	dev->features = features;
	return 0;
}

static int ask_limits(struct driver_device *dev, struct ioasidctl_error **err)
{
	struct vhost_vdpa_range range = {0};
	int ret = vhost_vdpa_call(dev, "VHOST_VDPA_GET_IOVA_RANGE", VHOST_VDPA_IOVA_RANGE, &range);

	if (ret && ret != -ENOTTY)
		return vdpa_fail(err, "VHOST_VDPA_GET_IOVA_RANGE", ret,
				 "can't ask which addresses %s uses", dev->label);
	dev->usable = ret ? (struct range){0, UINT64_MAX} : (struct range){range.first, range.last};
	dev->spaces = dev->groups = 1;
	if (dev->features >> VHOST_VDPA_F_ASID & 1) {
		dev->spaces = ask_count(dev, "VHOST_VDPA_GET_AS_NUM", VHOST_VDPA_SPACES);
		dev->groups = ask_count(dev, "VHOST_VDPA_GET_GROUP_NUM", VHOST_VDPA_GROUPS);
	}
	/* Groups past these keep the address space that they have: the first. */
	if (dev->groups > VDPA_GROUPS_MAX)
		dev->groups = VDPA_GROUPS_MAX;
	return 0;
}

static int device_bind(struct driver_fd *fd, struct driver_device *dev, uint32_t *id,
		       struct ioasidctl_error **err)
{
	int ret;

	(void)fd;
	ret = vhost_vdpa_call(dev, "VHOST_SET_OWNER", VHOST_VDPA_OWN, NULL);
	if (ret)
		return vdpa_fail(err, "VHOST_SET_OWNER", ret, "can't take %s into use", dev->label);
	dev->owned = true;
	ret = agree(dev, err);
	if (!ret)
		ret = ask_limits(dev, err);
	*id = NO_INDEX;
	return ret;
}

static int device_info(struct driver_fd *fd, struct driver_device *dev, struct device_info *out,
		       struct ioasidctl_error **err)
{
	(void)fd;
	(void)err;
	*out = (struct device_info){.type = "none"};
	if (dev->usable.last)
		out->iova_bits = 64U - (uint32_t)__builtin_clzll(dev->usable.last);
	return 0;
}

static int device_probe(struct driver_fd *fd, struct driver_device *dev)
{
	uint32_t id = 0;

	(void)fd;
	return vhost_vdpa_call(dev, "VHOST_VDPA_GET_DEVICE_ID", VHOST_VDPA_DEVICE_ID, &id) ? -ENOENT
											   : 0;
}

const struct driver driver_vdpa = {
	.name = "vhost-vdpa",
	.missing =
		{
			[CAP_RAW] = "it translates by itself, for one program at a time: one that "
				    "is attached nowhere is handed over untouched without --raw",
		},
	.device_find = linux_device_find,
	.device_set_driver = linux_device_set_driver,
	.device_set_override = linux_device_set_override,
	.device_carries = linux_device_carries,
	.device_users = linux_device_users,
	.device_create = create,
	.device_delete = delete,
	.device_open = device_open,
	.device_close = device_close,
	.device_fd_number = fd_number,
	.device_request_fd = request_fd,
	.device_requested = requested,
	.device_bind = device_bind,
	.device_info = device_info,
	.device_probe = device_probe,
	.iotlb_attach = vdpa_iotlb_attach,
	.iotlb_detach = vdpa_iotlb_detach,
	.iotlb_map = vdpa_iotlb_map,
	.iotlb_unmap = vdpa_iotlb_unmap,
	.iotlb_has = vdpa_iotlb_has,
	.iotlb_info = vdpa_iotlb_info,
};
