// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/bind.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/device.h"
#include "host/group.h"
#include "host/root.h"
#include "host/sysfs.h"
#include "host/users.h"
#include "host/write_apart.h"

/* Longer ones don't fit an attribute of sysfs in any kernel. */
#define DRIVER_NAME_MAX 255

/* One change of drivers. `driver` NULL stands for none, in contrast to the API's "". */
struct change {
	const struct host_binder *binder;
	const char *bus;
	const char *address; /* in sysfs */
	char *dir; /* of the device */
	char *had; /* its driver before; NULL: none */
	char *override; /* driver_override before; NULL: none */
};

static void change_done(struct change *c)
{
	free(c->dir);
	free(c->had);
	free(c->override);
}

/* Nobody was seen who has it open. */
static int waits_for_ever(const char *path, const char *text, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_BUSY, ETIMEDOUT,
			    "writing \"%.*s\" to %s takes more than %u s, and goes on",
			    (int)strcspn(text, "\n"), text, path, WRITE_APART_SECONDS);

	error_cause(err, "a driver waits until the last user of the device has closed it: a "
			 "process that this one can't see, or a descriptor on its way through a "
			 "socket");
	error_hint(err, "end what uses the device; the kernel log may say more (dmesg)");
	return ret;
}

static int write_failed(const char *path, const char *text, int ret, struct ioasidctl_error **err)
{
	bool permission = ret == -EACCES || ret == -EPERM;

	if (ret == -ETIMEDOUT)
		return waits_for_ever(path, text, err);
	error_new(err, permission ? ERROR_PERMISSION : ERROR_KERNEL, -ret,
		  "can't write \"%.*s\" to %s: %s", (int)strcspn(text, "\n"), text, path,
		  strerror(-ret));
	if (permission)
		error_hint(err, "binding drivers needs root; or bind the device beforehand "
				"(driverctl) and leave `driver` out of the config");
	return ret;
}

int host_put(const struct host_binder *binder, const char *path, const char *text)
{
	int ret = binder->write ? binder->write(path, text) : sysfs_write(path, text);

	if (binder->wrote)
		binder->wrote(binder->data, path, text, ret);
	return ret;
}

/* Frees `path`, which is NULL where there was no memory for it. */
static int write_to(const struct change *c, char *path, const char *text,
		    struct ioasidctl_error **err)
{
	_cleanup_free_ char *owned = path;
	int ret;

	if (!path)
		return error_nomem(err);
	ret = host_put(c->binder, path, text);
	return ret ? write_failed(path, text, ret, err) : 0;
}

static int write_override(const struct change *c, const char *driver, struct ioasidctl_error **err)
{
	/* An empty line takes the override away. */
	return write_to(c, root_path(c->dir, "/driver_override"), driver ? driver : "\n", err);
}

static int probe(const struct change *c, struct ioasidctl_error **err)
{
	return write_to(c, root_path(c->binder->root, "/sys/bus/%s/drivers_probe", c->bus),
			c->address, err);
}

static bool same_driver(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* The host's drivers get no device of a group that somebody has. */
static bool explain_group_in_use(const struct change *c, struct ioasidctl_error **err)
{
	_cleanup_iommu_group_ struct iommu_group group = {0};
	_cleanup_free_ char *text = NULL;
	uint32_t number;

	if (host_device_group(c->dir, &number) || number == NO_INDEX ||
	    iommu_group_read(c->binder->root, number, &group) ||
	    iommu_group_users(c->binder->root, &group, NULL, 0, &text) || !text)
		return false;
	error_cause(err, "%s has its IOMMU group %u or a device of it open", text, number);
	error_hint(err, "end that process or have it give the device up");
	return true;
}

static int not_bound(const struct change *c, const char *driver, const char *is,
		     struct ioasidctl_error **err)
{
	uint32_t group;

	if (!driver)
		return error_new(err, ERROR_KERNEL, EBUSY,
				 "%s is still bound to %s after unbinding", c->address, is);
	error_new(err, ERROR_KERNEL, ENXIO, "%s didn't take %s", driver, c->address);
	error_hint(err, "the kernel log says why (dmesg | grep %s)", c->address);
	if (is) {
		error_cause(err, "%s has bound it instead", is);
	} else if (!host_driver_leaves_dma(driver) && explain_group_in_use(c, err)) {
		return -ENXIO;
	} else if (host_device_is_bridge(c->dir)) {
		error_cause(err, "it is a PCI bridge, and bridges can't be handed out");
		error_hint(err, "name the device behind it");
	} else if (strstr(driver, "vfio") && !host_device_group(c->dir, &group) &&
		   group == NO_INDEX) {
		error_cause(err, "it is in no IOMMU group: no IOMMU translates for it");
		error_hint(err, "enable the IOMMU in the firmware and for the kernel "
				"(intel_iommu=on on Intel machines)");
	}
	return -ENXIO;
}

static int verify(const struct change *c, const char *driver, struct ioasidctl_error **err)
{
	_cleanup_free_ char *is = NULL;
	int ret = host_device_driver(c->dir, &is);

	if (ret)
		return error_new(err, ERROR_KERNEL, -ret, "can't read the driver of %s: %s",
				 c->address, strerror(-ret));
	return same_driver(is, driver) ? 0 : not_bound(c, driver, is, err);
}

/* A driver whose probing went on in the background may have given the device up by itself. */
static int unbind_driver(const struct change *c, struct ioasidctl_error **err)
{
	_cleanup_free_ char *path = root_path(c->dir, "/driver/unbind");
	int ret;

	if (!path)
		return error_nomem(err);
	ret = host_put(c->binder, path, c->address);
	if (ret && ((ret != -ENODEV && ret != -ENOENT) || verify(c, NULL, NULL)))
		return write_failed(path, c->address, ret, err);
	return verify(c, NULL, err);
}

/* From no driver to this one; driver_override is back to what it was at the end, either way. */
static int bind_driver(const struct change *c, const char *driver, struct ioasidctl_error **err)
{
	int ret = write_override(c, driver, err), back;

	if (ret)
		return ret;
	ret = probe(c, err);
	if (ret == -ETIMEDOUT)
		return ret;
	if (!ret)
		ret = verify(c, driver, err);
	back = write_override(c, c->override, ret ? NULL : err);
	return ret ? ret : back;
}

/* After a failure: the driver it had, unless it has it. */
static void put_back(const struct change *c, struct ioasidctl_error **err)
{
	_cleanup_error_ struct ioasidctl_error *why = NULL;
	_cleanup_free_ char *is = NULL;

	if (host_device_driver(c->dir, &is) || same_driver(is, c->had))
		return;
	if (is && unbind_driver(c, &why) < 0)
		goto failed;
	if (!c->had || !bind_driver(c, c->had, &why))
		return;
failed:
	if (!err || !*err)
		return;
	/* Nothing else is in the chain: this call made the error. */
	error_cause(err, "%s%sand it could not be given back to %s: %s",
		    (*err)->cause ? (*err)->cause : "", (*err)->cause ? "; " : "",
		    c->had ? c->had : "no driver", why ? why->message : "out of memory");
}

static int refuse_if_open(const struct change *c, struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = NULL;
	int ret;

	if (host_device_users(c->binder->root, c->dir, 0, &text) || !text)
		return 0;
	ret = error_new(err, ERROR_BUSY, EBUSY, "%s can't leave %s: it is open", c->address,
			c->had);
	error_cause(err, "held by %s", text);
	error_hint(err, "end that process or have it give the device up");
	return ret;
}

static int check_driver(const struct change *c, const char *driver, struct ioasidctl_error **err)
{
	_cleanup_free_ char *path = NULL;

	if (*driver == '.' || strchr(driver, '/') || strlen(driver) > DRIVER_NAME_MAX)
		return error_new(err, ERROR_CONFIG, EINVAL, "\"%s\" is no name of a driver",
				 driver);
	path = root_path(c->binder->root, "/sys/bus/%s/drivers/%s", c->bus, driver);
	if (!path)
		return error_nomem(err);
	if (!access(path, F_OK))
		return 0;
	error_new(err, ERROR_UNAVAILABLE, ENOENT, "this machine has no driver %s", driver);
	error_cause(err, "%s: %s", path, strerror(errno));
	error_hint(err, "load its module: modprobe %s", driver);
	return -ENOENT;
}

static int read_override(struct change *c, struct ioasidctl_error **err)
{
	int ret = host_device_override(c->dir, &c->override);

	return ret ? error_new(err, ERROR_UNAVAILABLE, -ret, "can't read %s/driver_override: %s",
			       c->dir, strerror(-ret))
		   : 0;
}

static int change_run(struct change *c, const char *driver, struct ioasidctl_error **err)
{
	int ret = 0;

	if (driver)
		ret = check_driver(c, driver, err);
	if (!ret)
		ret = refuse_if_open(c, err);
	if (!ret)
		ret = read_override(c, err);
	if (ret)
		return ret;
	if (c->had)
		ret = unbind_driver(c, err);
	if (!ret && driver)
		ret = bind_driver(c, driver, err);
	/* What waits has the device's lock. */
	if (ret && ret != -ETIMEDOUT)
		put_back(c, err);
	return ret;
}

/* Only drivers of these buses can be chosen. *c: change_done(), also after a failure. */
static int change_begin(struct change *c, const struct host_binder *binder, enum selector selector,
			const char *address, struct ioasidctl_error **err)
{
	int ret;

	*c = (struct change){.binder = binder};
	if (selector != SELECTOR_PCI && selector != SELECTOR_VF && selector != SELECTOR_PLATFORM &&
	    selector != SELECTOR_VDPA) {
		ret = error_new(err, ERROR_REFUSED, EOPNOTSUPP,
				"the driver of a %s device can't be chosen",
				selector_names[selector]);
		error_hint(err, "leave `driver` out of the config");
		return ret;
	}
	c->bus = host_bus(selector);
	ret = host_device_dir(binder->root, selector, address, &c->dir, err);
	if (ret)
		return ret;
	c->address = strrchr(c->dir, '/') + 1;
	ret = host_device_driver(c->dir, &c->had);
	return ret ? error_new(err, ERROR_KERNEL, -ret, "can't read the driver of %s: %s", address,
			       strerror(-ret))
		   : 0;
}

int host_set_driver(const struct host_binder *binder, enum selector selector, const char *address,
		    const char *driver, char **original, struct ioasidctl_error **err)
{
	_cleanup_(change_done)
	struct change c;
	_cleanup_free_ char *had = NULL;
	int ret = change_begin(&c, binder, selector, address, err);

	if (ret)
		return ret;
	had = strdup(c.had ? c.had : "");
	if (!had)
		return error_nomem(err);
	if (strcmp(had, driver)) {
		ret = change_run(&c, *driver ? driver : NULL, err);
		if (ret)
			return ret;
	}
	if (original)
		*original = steal_pointer(had);
	return 0;
}

int host_set_override(const struct host_binder *binder, enum selector selector, const char *address,
		      const char *override, struct ioasidctl_error **err)
{
	_cleanup_(change_done)
	struct change c;
	int ret = change_begin(&c, binder, selector, address, err);

	if (!ret)
		ret = read_override(&c, err);
	if (ret || same_driver(c.override, override))
		return ret;
	return write_override(&c, override, err);
}
