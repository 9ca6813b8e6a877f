// SPDX-License-Identifier: LGPL-2.1-or-later
/* Devices of the machine, as sysfs shows them. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "driver/linux.h"
#include "host/bind.h"
#include "host/carries.h"
#include "host/device.h"
#include "host/sriov.h"
#include "host/users.h"
#include "host/write_apart.h"
#include "uapi/vfio.h"

int linux_device_find(const struct driver_env *env, const struct device *spec,
		      struct device_facts *out, struct ioasidctl_error **err)
{
	_cleanup_(device_facts_done)
	struct device_facts facts = {.group = NO_INDEX, .vfs = NO_INDEX};
	_cleanup_error_ struct ioasidctl_error *why = NULL;
	_cleanup_free_ char *dir = NULL;
	int ret;

	*out = facts;
	ret = host_device_dir(env->root, spec->selector, spec->address, &dir, &why);
	if (ret == -ENODEV)
		return 0;
	if (ret) {
		if (err)
			*err = steal_pointer(why);
		return ret;
	}
	facts.present = true;
	facts.name = strdup(strrchr(dir, '/') + 1);
	ret = facts.name ? host_device_driver(dir, &facts.driver) : -ENOMEM;
	if (!ret)
		ret = host_device_override(dir, &facts.override);
	if (!ret || ret == -ENOENT)
		ret = host_device_group(dir, &facts.group);
	if (!ret && facts.group != NO_INDEX)
		ret = iommu_group_read(env->root, facts.group, &facts.members);
	if (ret)
		return error_new(err, ERROR_KERNEL, -ret, "can't read %s of sysfs: %s", dir,
				 strerror(-ret));
	facts.vfs = host_device_vfs(dir);
	*out = facts;
	facts = (struct device_facts){.group = NO_INDEX, .vfs = NO_INDEX};
	return 0;
}

static void trace_write(void *data, const char *path, const char *text, int ret)
{
	driver_trace(data, "write %s \"%.*s\" = %s", path, (int)strcspn(text, "\n"), text,
		     linux_result(ret));
}

static int write_within_time(const char *path, const char *text)
{
	return sysfs_write_apart(path, text, WRITE_APART_SECONDS);
}

int linux_device_set_driver(const struct driver_env *env, const struct device *spec,
			    const char *driver, char **original, struct ioasidctl_error **err)
{
	const struct host_binder binder = {env->root, write_within_time, trace_write, (void *)env};

	return host_set_driver(&binder, spec->selector, spec->address, driver, original, err);
}

int linux_device_carries(const struct driver_env *env, const struct device *spec, char **text,
			 struct ioasidctl_error **err)
{
	_cleanup_free_ char *dir = NULL;
	int ret = host_device_dir(env->root, spec->selector, spec->address, &dir, err);

	*text = NULL;
	if (ret)
		return ret;
	return host_device_carries(env->root, dir, text) ? error_nomem(err) : 0;
}

int linux_device_users(const struct driver_env *env, const struct device *spec, char **text,
		       struct ioasidctl_error **err)
{
	_cleanup_free_ char *dir = NULL;
	int ret = host_device_dir(env->root, spec->selector, spec->address, &dir, err);

	*text = NULL;
	if (ret)
		return ret;
	return host_device_users(env->root, dir, getpid(), text) == -ENOMEM ? error_nomem(err) : 0;
}

int linux_device_set_vfs(const struct driver_env *env, const struct device *spec, uint32_t n,
			 bool back, uint32_t *before, struct ioasidctl_error **err)
{
	const struct host_binder binder = {env->root, write_within_time, trace_write, (void *)env};

	return host_set_vfs(&binder, spec->address, n, back, before, err);
}

int linux_device_set_override(const struct driver_env *env, const struct device *spec,
			      const char *override, struct ioasidctl_error **err)
{
	const struct host_binder binder = {env->root, write_within_time, trace_write, (void *)env};

	return host_set_override(&binder, spec->selector, spec->address, override, err);
}

int linux_refuse_unbound(const struct device *spec, const char *label, const char *driver,
			 struct ioasidctl_error **err)
{
	if (driver)
		error_new(err, ERROR_BUSY, ENODEV, "%s belongs to the host's driver %s", label,
			  driver);
	else
		error_new(err, ERROR_UNAVAILABLE, ENODEV, "%s has no driver", label);
	error_cause(err, "only a device bound to a VFIO driver can be opened");
	if (spec->selector == SELECTOR_MDEV)
		error_hint(err, "the driver of its parent device has to offer it by VFIO");
	else
		error_hint(err,
			   "`driver: %s` in the device's entry makes ioasidctl bind it, and give "
			   "it back at the end",
			   spec->selector == SELECTOR_PLATFORM ? "vfio-platform" : "vfio-pci");
	return -ENODEV;
}

int linux_arm_request(const struct driver_env *env, int fd, const char *node, int event)
{
	struct vfio_dev_irq_set args = {.argsz = sizeof(args),
					.flags = VFIO_DEV_IRQ_EVENTFD | VFIO_DEV_IRQ_TRIGGER,
					.index = VFIO_DEV_PCI_REQUEST,
					.count = 1,
					.eventfd = event};
	int ret = ioctl(fd, VFIO_DEV_SET_IRQS, &args) < 0 ? -errno : 0;

	driver_trace(env, "VFIO_DEVICE_SET_IRQS fd=%d node=%s index=%u eventfd=%d = %s", fd, node,
		     args.index, event, linux_result(ret));
	return ret;
}

int linux_request_fd(const struct driver_env *env, enum selector selector, int fd, const char *node)
{
	_cleanup_close_ int event = -1;

	/* The number means something else, or nothing, to VFIO devices of other buses. */
	if (selector != SELECTOR_PCI && selector != SELECTOR_VF)
		return -1;
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0 || linux_arm_request(env, fd, node, event))
		return -1;
	return steal_fd(&event);
}

bool linux_take_request(int event)
{
	uint64_t count;

	return read(event, &count, sizeof(count)) == sizeof(count);
}
