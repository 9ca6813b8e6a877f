/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the DMA of a device ends up: the IOASID that the device, or its PASID, is in; the guest's
 * table if that is nested; the mapping; the memory. Knows the model and callbacks.
 */
#pragma once

#include "walk/lookup.h"
#include "walk/walk.h"

struct translate_world {
	const struct topology *topology;
	/* Bytes of a memory of the topology. 0; -ENODATA: it ends before; -errno. */
	int (*read)(void *data, uint32_t memory, uint64_t offset, void *buffer, size_t size);
	/*
	 * Whether the kernel allows no mapping at this address of a gpa IOASID, and in which range
	 * around it. NULL: nobody knows.
	 */
	bool (*excludes)(void *data, const struct iommu_fd *fd, const struct ioasid *gpa,
			 uint64_t address, struct range *range);
	void *data;
};

/* Where the gpa IOASID has no mapping, be it for the data or for an entry of a table. */
struct translate_hole {
	bool met;
	uint64_t address;
	const struct mapping *below, *above; /* NULL: there is none */
	bool excluded; /* and none is allowed there: */
	struct range range;
};

struct translation {
	struct walk_request request;
	const struct iommu_fd *fd; /* NULL: the device is in no IOASID */
	const struct ioasid *ioasid; /* that the device is in */
	const struct ioasid *gpa; /* that maps memory: that one or its parent */
	struct walk walk; /* its end is that of the translation; without steps if not nested */
	bool walked; /* up to walk.gpa; what stops then comes after it */
	struct lookup place; /* of walk.gpa; mapping NULL: stopped before */
	uint8_t access; /* enum mapping_access: what table and mapping allow both */
	uint64_t length; /* bytes from there on that translate alike */
	struct translate_hole hole;
};

/* `out` borrows from the topology, and points into itself: it can't be copied. */
void translate(const struct translate_world *world, uint32_t device,
	       const struct walk_request *request, struct translation *out);
