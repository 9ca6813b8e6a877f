/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's own word on devices: NETLINK_KOBJECT_UEVENT, as udev gets it, too. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/error.h"
#include "model/topology.h"

enum uevent_action { UEVENT_ADD, UEVENT_REMOVE, UEVENT_BIND, UEVENT_UNBIND };

/* What happened to a device that a config could name, or to its VFIO node. */
struct uevent {
	enum uevent_action action;
	bool node; /* it is about the VFIO node of the device; then `selector` isn't known */
	enum selector selector;
	char address[NAME_MAX + 1]; /* of the device, as configs have it */
	char driver[NAME_MAX + 1]; /* that it is bound to now; "": none, or not told */
};

/*
 * Reads a message: "ACTION@DEVPATH", then "KEY=VALUE", each ended by a NUL. 0; -ENOMSG: of no
 * concern here (another subsystem or action); -EBADMSG: not such a message.
 */
int uevent_parse(const char *data, size_t length, struct uevent *out);

/*
 * Whether a received message is the kernel's: from port 0, to group 1, whole, with the credentials
 * of root. Processes with CAP_NET_ADMIN can send to this socket, but not as port 0.
 */
bool uevent_is_kernels(const struct msghdr *message);

struct uevent_socket;

/* Listens from now on, without blocking. -ENOSYS: this build is without libmnl. */
int uevent_open(struct uevent_socket **out, struct ioasidctl_error **err);
void uevent_close(struct uevent_socket *socket); /* NULL is fine */
/* Readable while there are events, or the loss of some is to be told. */
int uevent_fd(const struct uevent_socket *socket);

/*
 * The next event that is of concern. 0; -EAGAIN: none for now; -ENOBUFS: the kernel had to throw
 * some away since the last call, so look for yourself and go on; -errno.
 */
int uevent_next(struct uevent_socket *socket, struct uevent *out);
