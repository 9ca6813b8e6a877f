/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes to sysfs that may never come back. */
#pragma once

/* Drivers take seconds, some of them, to let go of their hardware. */
#define WRITE_APART_SECONDS 60

/*
 * As sysfs_write(), in a process of its own, which has none of this one's descriptors: a driver's
 * unbinding can wait without end, and can't be killed while it does. -ETIMEDOUT: it wasn't through
 * after so many seconds, and goes on by itself.
 */
int sysfs_write_apart(const char *path, const char *text, unsigned seconds);
