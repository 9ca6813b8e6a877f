/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls of the reference device with their struct filled in; each returns what the call did. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
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

/* The process that makes the calls below; 0: this one. */
extern pid_t rd_caller;

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
int rd_attach_pasid(struct refdev_file *f, uint64_t cookie, uint32_t ioasid, uint32_t pasid);
int rd_detach_pasid(struct refdev_file *f, uint64_t cookie, uint32_t pasid);
int rd_set_driver(struct refdev_file *f, const char *pci, const char *driver);
/* Binds a PCI device and attaches it; fails the test when that doesn't work. */
void rd_join(struct refdev_file *f, const char *pci, uint64_t cookie, uint32_t ioasid);
struct ioasid_query_args rd_query(struct refdev_file *f, uint32_t selector, const char *name);
struct ioasid_info_args rd_info(struct refdev_file *f, uint32_t ioasid);
struct ioasid_fd_info_args rd_fd_info(struct refdev_file *f);
/* The fault; *done and *where may be NULL. */
uint32_t rd_dma(struct refdev_file *f, uint64_t cookie, uint64_t iova, void *buffer,
		uint64_t length, uint32_t flags, uint64_t *done, uint64_t *where);

/* All that TEST_DMA says. */
struct ioasid_test_dma_args rd_dma_pasid(struct refdev_file *f, uint64_t cookie, uint32_t pasid,
					 uint64_t iova, void *buffer, uint64_t length,
					 uint32_t flags);

/* A nested IOASID of that format, with its root at that guest address. */
int rd_nest(struct refdev_file *f, uint32_t parent, uint32_t viommu, uint64_t cookie,
	    uint32_t format, uint64_t root, uint32_t flags, uint32_t *out);
int rd_viommu(struct refdev_file *f, uint32_t type, uint32_t parent, uint64_t cookie,
	      uint32_t *out);
int rd_vdevice(struct refdev_file *f, uint32_t viommu, uint64_t cookie, uint64_t virt_id,
	       uint32_t *out);
int rd_invalidate(struct refdev_file *f, uint32_t object, uint32_t flags, uint64_t first,
		  uint64_t last);
/* A command of that many words. */
int rd_command(struct refdev_file *f, uint32_t object, uint32_t flags, uint32_t n_words,
	       uint64_t word0, uint64_t word1);
/* Entries of that list, from the start; fails the test when there are more than `room`. */
uint32_t rd_list(struct refdev_file *f, uint32_t kind, uint32_t object, void *entries,
		 uint32_t room);

/*
 * Guest memory with an x86-64 table in it: nodes at PAGE 0 (the root), 1, 2, 3, for the 2 MiB of
 * addresses that begin at GUEST_IOVA.
 */
#define GUEST_PAGE  4096ULL
#define GUEST_IOVA  0x40000000ULL
#define GUEST_ENTRY 7ULL /* present, writable, user */

/* Fills `memory` (at least four pages), which the parent maps from `gpa` on. */
void guest_table(void *memory, uint64_t gpa);
/* The entry of the lowest node for GUEST_IOVA + n pages. */
uint64_t *guest_entry(void *memory, unsigned n);

/* Anonymous memory, page-aligned; released with munmap by the test or the end of it. */
void *pages(size_t bytes);
