/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The memory that IOASIDs map: made, sized, populated, mapped into this process where needed. */
#pragma once

#include <stdatomic.h>

#include "base/error.h"
#include "model/topology.h"

/*
 * Opens or makes the memory: memory->live.fd on success. Files are neither created nor resized
 * (they are the user's); their absence or shortness is an error. Huge pages are allocated at once,
 * as they would be missed only later, in the middle of a mapping. `cancel` (may be NULL) is polled
 * while pages are populated: -EINTR.
 */
int memory_create(struct memory *memory, const atomic_bool *cancel, struct ioasidctl_error **err);

/* Sets the size of a memfd; populates what is new if the memory is prefaulted. */
int memory_resize(struct memory *memory, uint64_t size, const atomic_bool *cancel,
		  struct ioasidctl_error **err);

/*
 * This process's address of [offset, offset + length). Windows stay where they are until
 * memory_destroy(), since pinned pages are accounted by these addresses.
 */
int memory_window(struct memory *memory, uint64_t offset, uint64_t length, void **va,
		  struct ioasidctl_error **err);

void memory_destroy(struct memory *memory);
