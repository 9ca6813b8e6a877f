/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fake trees of /sys, /proc and /dev in a temporary directory, which is the driver's root. */
#pragma once

#include <stdint.h>

#define TREE_PATH_MAX 4096

struct tree {
	char root[64];
};

void tree_make(struct tree *t);
void tree_remove(struct tree *t);

/* Each makes the directories above; failing is the test's failure. The last replaces. */
void tree_dir(const struct tree *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void tree_file(const struct tree *t, const char *text, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Target as given; one that begins with "/sys" or "/dev/vfio" is put below the root. */
void tree_link(const struct tree *t, const char *target, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* An empty directory. */
void tree_remove_dir(const struct tree *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void tree_unlink(const struct tree *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * A PCI device with class 0x020000 (0x060400 where `bridge`), in an IOMMU group (UINT32_MAX: in
 * none), bound to `driver` (NULL: none) with `vfio` (NULL: none) as its VFIO node's name.
 */
void tree_pci(const struct tree *t, const char *address, uint32_t group, const char *driver,
	      const char *vfio);
void tree_bridge(const struct tree *t, const char *address, uint32_t group, const char *driver);
void tree_driver(const struct tree *t, const char *driver);
/* A process that has `node` open as its descriptor 7. */
void tree_process(const struct tree *t, int pid, const char *comm, const char *node);
