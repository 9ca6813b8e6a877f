/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests about vDPA, sent so that they can't wait for this process itself. */
#pragma once

#include <stddef.h>

/*
 * Sends a message to the kernel by a netlink socket, and returns when it was processed. While that
 * waits, nodes of vDPA devices that are being deleted (and only wait for us) are closed: what
 * descriptors of them were are descriptors of /dev/null then. 0 or -errno.
 */
int vdpa_send(int socket, const void *data, size_t length);
