/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reference device as a character device, through the kernel's CUSE and libfuse. */
#pragma once

#include "base/error.h"
#include "refdev/refdev.h"

/*
 * Serves /dev/NODE until SIGTERM, SIGINT or SIGHUP; each open of it is a file of `refdev`. `ready`
 * is called once programs can open it. ERROR_UNAVAILABLE: no CUSE here, or built without libfuse;
 * ERROR_BUSY: the node exists.
 */
int cuse_serve(struct refdev *refdev, const char *node, void (*ready)(void *data), void *data,
	       struct ioasidctl_error **err);
