// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/sriov.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/carries.h"
#include "host/device.h"
#include "host/group.h"
#include "host/root.h"
#include "host/sysfs.h"
#include "host/users.h"

/* The field of the hardware has 16 bits. */
#define VFS_MAX UINT16_MAX

struct physical {
	const struct host_binder *binder;
	const char *address;
	char *dir;
	char *driver; /* NULL: none */
	uint32_t now, total;
};

static void physical_done(struct physical *p)
{
	free(p->dir);
	free(p->driver);
}

static uint32_t read_count(const char *dir, const char *attribute)
{
	_cleanup_free_ char *path = root_path(dir, "/%s", attribute);
	uint64_t n;

	return path && !sysfs_read_number(path, &n) && n <= VFS_MAX ? (uint32_t)n : NO_INDEX;
}

uint32_t host_device_vfs(const char *dir)
{
	return read_count(dir, "sriov_numvfs");
}

static int physical_begin(struct physical *p, struct ioasidctl_error **err)
{
	int ret = host_device_dir(p->binder->root, SELECTOR_PCI, p->address, &p->dir, err);

	if (!ret && host_device_driver(p->dir, &p->driver))
		return error_nomem(err);
	if (ret)
		return ret;
	p->now = host_device_vfs(p->dir);
	p->total = read_count(p->dir, "sriov_totalvfs");
	if (p->now != NO_INDEX && p->total != NO_INDEX)
		return 0;
	ret = error_new(err, ERROR_REFUSED, EOPNOTSUPP, "%s can't have virtual functions",
			p->address);
	error_cause(err, "it has no SR-IOV capability (%s/sriov_totalvfs isn't there)", p->dir);
	error_hint(err, "leave `vfs` out of its entry; some cards want SR-IOV switched on in "
			"their firmware first");
	return ret;
}

static int refuse_too_many(const struct physical *p, uint32_t n, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_REFUSED, ERANGE, "%s can't have %u virtual functions",
			    p->address, n);

	error_cause(err, "it has at most %u (sriov_totalvfs)", p->total);
	error_hint(err, "ask for no more than %u", p->total);
	return ret;
}

static int refuse_driverless(const struct physical *p, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_UNAVAILABLE, ENOENT, "%s can't make virtual functions now",
			    p->address);

	error_cause(err, "it has no driver, and only its own driver makes them");
	error_hint(err, "bind it: load the module of its driver, or name the driver in the "
			"device's entry (`driver:`)");
	return ret;
}

/* What is in the way of a VF's removal, as "0000:01:10.0: ..."; NULL: nothing. */
static int vf_use(const struct physical *p, uint32_t index, bool back, char **use)
{
	_cleanup_free_ char *address = NULL, *dir = NULL, *driver = NULL;
	_cleanup_free_ char *carries = NULL, *users = NULL;
	const char *root = p->binder->root, *name;
	int ret = 0;

	*use = NULL;
	if (asprintf(&address, "%s/virtfn%u", p->address, index) < 0) {
		address = NULL;
		return -ENOMEM;
	}
	if (host_device_dir(root, SELECTOR_VF, address, &dir, NULL))
		return 0;
	name = strrchr(dir, '/') + 1;
	if (!host_device_users(root, dir, 0, &users) && users)
		ret = asprintf(use, "%s: %s has it open", name, users);
	else if (!host_device_carries(root, dir, &carries) && carries)
		ret = asprintf(use, "%s: %s", name, carries);
	else if (!back && !host_device_driver(dir, &driver) && driver &&
		 !host_driver_leaves_dma(driver))
		ret = asprintf(use, "%s: %s drives it for the host", name, driver);
	if (ret >= 0)
		return 0;
	*use = NULL;
	return -ENOMEM;
}

static int refuse_in_use(const struct physical *p, uint32_t n, bool back,
			 struct ioasidctl_error **err)
{
	for (uint32_t i = 0; i < p->now; i++) {
		_cleanup_free_ char *use = NULL;
		int ret;

		if (vf_use(p, i, back, &use))
			return error_nomem(err);
		if (!use)
			continue;
		ret = error_new(err, ERROR_BUSY, EBUSY,
				"the number of virtual functions of %s can't change from %u to %u",
				p->address, p->now, n);
		error_cause(err, "all %u would have to go first, and one is in use: %s", p->now,
			    use);
		if (back)
			error_hint(err, "end its use, then: echo %u > %s/sriov_numvfs", n, p->dir);
		else
			error_hint(err, "ask for the %u that there are (`vfs: %u`), or end the use",
				   p->now, p->now);
		return ret;
	}
	return 0;
}

static int put(const struct physical *p, uint32_t n)
{
	_cleanup_free_ char *path = root_path(p->dir, "/sriov_numvfs");
	char text[16];

	if (!path)
		return -ENOMEM;
	snprintf(text, sizeof(text), "%u", n);
	return host_put(p->binder, path, text);
}

static void explain_failure(const struct physical *p, int errnum, struct ioasidctl_error **err)
{
	switch (errnum) {
	case ETIMEDOUT:
		error_cause(err, "a driver waits until the last user of a virtual function has "
				 "closed it: a process that this one can't see");
		error_hint(err, "end what uses it; the kernel log may say more (dmesg)");
		break;
	case EACCES:
		error_hint(err, "it needs root; or set the number beforehand, and declare it");
		break;
	case ENOENT:
		error_cause(err, "its driver, %s, makes no virtual functions", p->driver);
		error_hint(err, "%s",
			   strstr(p->driver, "vfio")
				   ? "vfio-pci makes them when its module has "
				     "enable_sriov=1; better leave it with its own driver"
				   : "a newer driver may; or the driver wants it switched "
				     "on some other way");
		break;
	case ENOMEM:
		error_cause(err, "the machine has no room for them: too few bus numbers, or too "
				 "little space for their BARs");
		error_hint(err,
			   "switch SR-IOV (and \"above 4G decoding\") on in the firmware, or "
			   "boot with pci=realloc,assign-busses; the kernel log says more "
			   "(dmesg | grep %s)",
			   p->address);
		break;
	default:
		error_hint(err, "the kernel log says more (dmesg | grep %s)", p->address);
	}
}

static int fail(const struct physical *p, uint32_t n, int ret, struct ioasidctl_error **err)
{
	error_new(err, ret == -EACCES || ret == -EPERM ? ERROR_PERMISSION : ERROR_KERNEL, -ret,
		  "can't give %s %u virtual functions: %s", p->address, n, strerror(-ret));
	explain_failure(p, -ret, err);
	return ret;
}

/* The kernel takes fewer than asked for as a success. */
static int check(const struct physical *p, uint32_t n, struct ioasidctl_error **err)
{
	uint32_t made = host_device_vfs(p->dir);
	int ret;

	if (made == n)
		return 0;
	ret = error_new(err, ERROR_KERNEL, ENOSPC,
			"%s has %d virtual functions instead of the %u asked for", p->address,
			(int)made, n);
	error_cause(err, "its driver, %s, made no more", p->driver);
	error_hint(err, "ask for fewer; the kernel log says why (dmesg | grep %s)", p->address);
	return ret;
}

static void put_back(const struct physical *p, struct ioasidctl_error **err)
{
	if (host_device_vfs(p->dir) == p->now)
		return;
	put(p, 0);
	if ((!p->now || !put(p, p->now)) && host_device_vfs(p->dir) == p->now)
		return;
	if (err && *err)
		error_cause(err, "%s%sand the %u of before could not be made again",
			    (*err)->cause ? (*err)->cause : "", (*err)->cause ? "; " : "", p->now);
}

static int change(const struct physical *p, uint32_t n, struct ioasidctl_error **err)
{
	int ret = 0;

	if (p->now)
		ret = put(p, 0);
	if (!ret && n)
		ret = put(p, n);
	ret = ret ? fail(p, n, ret, err) : check(p, n, err);
	if (ret && ret != -ETIMEDOUT)
		put_back(p, err);
	return ret;
}

int host_set_vfs(const struct host_binder *binder, const char *address, uint32_t n, bool back,
		 uint32_t *before, struct ioasidctl_error **err)
{
	_cleanup_(physical_done)
	struct physical p = {.binder = binder, .address = address};
	int ret = physical_begin(&p, err);

	if (ret)
		return ret;
	if (before)
		*before = p.now;
	if (n == p.now)
		return 0;
	if (n > p.total)
		return refuse_too_many(&p, n, err);
	if (!p.driver)
		return refuse_driverless(&p, err);
	ret = refuse_in_use(&p, n, back, err);
	return ret ? ret : change(&p, n, err);
}
