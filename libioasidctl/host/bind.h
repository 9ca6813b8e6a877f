/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Binding devices to host drivers by sysfs, and giving them back. */
#pragma once

#include "base/error.h"
#include "model/topology.h"

/* Where to work, and who hears of each write (`wrote` may be NULL; ret is 0 or -errno). */
struct host_binder {
	const char *root;
	/* Writes, within a time: 0 or -errno, -ETIMEDOUT; NULL: sysfs_write(), which may not
	 * return. */
	int (*write)(const char *path, const char *text);
	void (*wrote)(void *data, const char *path, const char *text, int ret);
	void *data;
};

/*
 * Binds the device to that driver ("" to none): driver_override, unbind, drivers_probe; then reads
 * the link back, for a probe that doesn't bind is no error to the kernel. driver_override gets its
 * old value back at once, so nothing lingers whatever happens later. Does nothing when the device
 * has that driver already.
 *
 * *original (owned by the caller; may be NULL) gets the driver it had, "" for none. On failure the
 * old driver is bound again; if that fails too, the error's cause says so.
 *
 * -EBUSY: a process has the device open (unbinding would wait for it without end); -ETIMEDOUT: it
 * waits all the same, for somebody who couldn't be seen; the device has no driver then, and its old
 * one isn't bound again; -ENODEV: no such device; -ENOENT: no such driver; -ENXIO: the driver
 * didn't take it; -EACCES, -EPERM: not root.
 */
int host_set_driver(const struct host_binder *binder, enum selector selector, const char *address,
		    const char *driver, char **original, struct ioasidctl_error **err);

/* What a binder does to a file. */
int host_put(const struct host_binder *binder, const char *path, const char *text);

/* Sets the device's driver_override (NULL: none); writes nothing where it is that already. */
int host_set_override(const struct host_binder *binder, enum selector selector, const char *address,
		      const char *override, struct ioasidctl_error **err);
