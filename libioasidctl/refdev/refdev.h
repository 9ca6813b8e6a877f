/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The reference /dev/ioasid: a software implementation of the device of uapi/ioasid.h, in this
 * process. It has no hardware behind it: a machine description says which IOMMUs, groups and
 * devices there are (schemas/machine.schema.json), page tables are kept in memory, and
 * IOASID_TEST_DMA lets a device move bytes through them.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct refdev; /* a machine and the state of its IOMMUs */
struct refdev_file; /* one open of its /dev/ioasid */

/*
 * Makes a machine from a description (JSON text of `length` bytes, UTF-8); NULL: the default one.
 * 0; -EINVAL: not a description, -ENOMEM. On -EINVAL *why (owned by the caller) says where and
 * what was expected: "devices[3].group: expected a number or null".
 */
int refdev_new(const char *machine, size_t length, struct refdev **out, char **why);
/* Every file must have been closed. NULL is fine. */
void refdev_free(struct refdev *refdev);

/* 0 or -ENOMEM. */
int refdev_open(struct refdev *refdev, struct refdev_file **out);
/* For another process: the memory that is mapped is that one's. */
int refdev_open_for(struct refdev *refdev, pid_t process, struct refdev_file **out);
/* Detaches, unbinds and frees everything that was made through this file. NULL is fine. */
void refdev_close(struct refdev_file *file);

/*
 * ioctl(2) on the file: `command` and `arg` as uapi/ioasid.h describes, 0 or -errno. May be called
 * from several threads; each call is one step to the others.
 */
int refdev_ioctl(struct refdev_file *file, unsigned long command, void *arg);
/*
 * A call of another process, which has the file open: pointers in its struct and eventfds that it
 * names are of that process, which this one must be allowed to trace. The struct itself is a copy
 * here.
 */
int refdev_ioctl_of(struct refdev_file *file, pid_t caller, unsigned long command, void *arg);

/* The description of the default machine, NUL-terminated JSON. */
extern const char refdev_default_machine[];
