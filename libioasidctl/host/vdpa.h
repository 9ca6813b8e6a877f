/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vDPA devices made and deleted through the kernel's netlink family "vdpa" (`vdpa dev add`). */
#pragma once

#include "base/error.h"
#include "host/vdpa_message.h"

/* Who wants to see each request. */
struct vdpa_listener {
	void (*asked)(void *data, const char *what, const char *name, int ret);
	void *data;
};

/*
 * Makes a device on a management device. Refuses names that couldn't be found again. -EEXIST: there
 * is one of that name; -ENODEV: no such management device (the message lists those there are);
 * -ENOENT: the kernel has no vDPA.
 */
int host_vdpa_create(const struct vdpa_request *request, const struct vdpa_listener *listener,
		     struct ioasidctl_error **err);

/*
 * Deletes a device. The kernel would wait until the last process has closed it, and nothing could
 * interrupt that: so it is refused (-EBUSY) while somebody has it open. -ENODEV: there is none.
 * management: that it must have been made on, else it's left alone (-EXDEV); NULL: any.
 */
int host_vdpa_delete(const char *root, const char *name, const char *management,
		     const struct vdpa_listener *listener, struct ioasidctl_error **err);

/* The node of a device bound to vhost_vdpa, without root; owned. dir: in sysfs. -ENOENT: none. */
int host_vdpa_node(const char *dir, char **node);
