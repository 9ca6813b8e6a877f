/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a device does by itself, and what only somebody who looks into the hardware can see. */
#pragma once

#include "driver/driver.h"

#define REACH 2048UL /* bytes; half of edu's buffer */

/* A device, or one of its PASIDs. */
struct agent {
	const struct driver *ops;
	struct driver_fd *fd;
	struct driver_device *device;
	uint32_t pasid; /* NO_PASID: the whole device */
};

struct device_hardware {
	/*
	 * Whether it finds at `iova` what lies at `va`, REACH bytes, and can write there: 1, 0, or
	 * -errno: nobody can tell.
	 */
	int (*reaches)(const struct agent *agent, uint64_t iova, unsigned char *va);
	/* It writes to that page, and doesn't care what. 0 or -errno. */
	int (*soil)(const struct agent *agent, uint64_t iova);
	/* It asks for a page that isn't there, and waits. NULL: the hardware has no such thing. */
	int (*fault)(const struct agent *agent, uint64_t iova);
	/* Its DMA goes where its guest's table has nothing. */
	int (*stray)(const struct agent *agent);
};

extern const struct device_hardware reference_hardware, mock_hardware, edu_hardware;
