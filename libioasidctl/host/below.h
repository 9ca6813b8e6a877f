/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether something that the host uses by name goes through a device in the end. `dir` is the
 * device's directory in sysfs without any links in it, as realpath(3) gives it.
 */
#pragma once

#include <stdbool.h>

/* Whether `path` lies in the directory, at any depth. */
bool path_is_below(const char *dir, const char *path);

/*
 * A block device, by its numbers ("259:3") or its name in /dev ("nvme0n1p2", "mapper/root"). What
 * is built of others (device mapper, md, NVMe's multipath) goes through all of them, and what is on
 * a network (iSCSI, NVMe) through the interface that leads there.
 */
bool block_is_below(const char *root, const char *dir, const char *device);

/* A btrfs that has the block device (its name in /dev) among others: any of them. */
bool btrfs_is_below(const char *root, const char *dir, const char *device);

/* An IP address: the interface by which it is reached. */
bool address_is_below(const char *root, const char *dir, const char *address);

/* A network interface; bonds, bridges and VLANs go through all below them. */
bool interface_is_below(const char *root, const char *dir, const char *name);
