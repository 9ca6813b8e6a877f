/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attributes, links and directories of sysfs; paths come from root_path(). */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* No attribute of sysfs is longer. */
#define SYSFS_TEXT_MAX 4096

/*
 * Reads an attribute into buf, NUL-terminated, white space at its end cut off. 0; -errno; -E2BIG:
 * longer than size - 1; -EILSEQ: contains a NUL.
 */
int sysfs_read(const char *path, char *buf, size_t size);

/* The same of an attribute below a directory that is open. */
int sysfs_read_at(int directory, const char *name, char *buf, size_t size);

/* A whole file of at most `limit` bytes, NUL-terminated; *text owned. 0; -errno; -E2BIG. */
int sysfs_read_whole(const char *path, size_t limit, char **text);

/* Reads an attribute that is one number, decimal or 0x hex. 0; -errno; -EINVAL, -ERANGE. */
int sysfs_read_number(const char *path, uint64_t *out);

/* Writes `text` in one write(2), as attributes want it. 0 or -errno. */
int sysfs_write(const char *path, const char *text);

/* The last part of where a symbolic link points; *name owned. 0; -ENOENT: no such link; -errno. */
int sysfs_link(const char *path, char **name);

/* The whole target of a link below a directory that is open. 0; -errno; -ENAMETOOLONG. */
int sysfs_target_at(int directory, const char *name, char *buf, size_t size);

struct name_list {
	char **names;
	size_t n;
};

/* The entries of a directory in byte order, without those that begin with a dot. 0 or -errno. */
int sysfs_list(const char *path, struct name_list *out);
void name_list_done(struct name_list *list);
#define _cleanup_names_ __attribute__((cleanup(name_list_done)))
