/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls of the reference device with their struct filled in; each returns what the call did. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* It expects the above to be there. */
#include <cmocka.h>

#include "refdev/refdev.h"
#include "uapi/ioasid.h"

#define RW (IOASID_MAP_READ | IOASID_MAP_WRITE)

/* A machine and one open file on it; the description NULL: the default machine. */
struct bench {
	struct refdev *refdev;
	struct refdev_file *file;
};
void bench_setup(struct bench *b, const char *machine);
void bench_teardown(struct bench *b);

/* The id of a new GPA IOASID; fails the test when there is none. */
uint32_t rd_alloc(struct refdev_file *f, uint32_t flags);
int rd_free(struct refdev_file *f, uint32_t ioasid);
int rd_map(struct refdev_file *f, uint32_t ioasid, uint64_t iova, const void *va, uint64_t size,
	   uint32_t flags);
int rd_unmap(struct refdev_file *f, uint32_t ioasid, uint64_t iova, uint64_t size);
int rd_copy(struct refdev_file *f, uint32_t ioasid, uint64_t iova, uint32_t source,
	    uint64_t source_iova, uint64_t size, uint32_t flags);
int rd_bind(struct refdev_file *f, uint32_t selector, const char *name, uint64_t cookie);
int rd_unbind(struct refdev_file *f, uint64_t cookie);
int rd_attach(struct refdev_file *f, uint64_t cookie, uint32_t ioasid);
int rd_detach(struct refdev_file *f, uint64_t cookie);
int rd_set_driver(struct refdev_file *f, const char *pci, const char *driver);
/* Binds a PCI device and attaches it; fails the test when that doesn't work. */
void rd_join(struct refdev_file *f, const char *pci, uint64_t cookie, uint32_t ioasid);
struct ioasid_query_args rd_query(struct refdev_file *f, uint32_t selector, const char *name);
struct ioasid_info_args rd_info(struct refdev_file *f, uint32_t ioasid);
struct ioasid_fd_info_args rd_fd_info(struct refdev_file *f);
/* The fault; *done and *where may be NULL. */
uint32_t rd_dma(struct refdev_file *f, uint64_t cookie, uint64_t iova, void *buffer,
		uint64_t length, uint32_t flags, uint64_t *done, uint64_t *where);

/* Anonymous memory, page-aligned; released with munmap by the test or the end of it. */
void *pages(size_t bytes);
