/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where an address of a gpa IOASID leads, by its mappings. */
#pragma once

#include "model/topology.h"

struct lookup {
	const struct mapping *mapping; /* that holds the address; NULL: none does */
	const struct mapping *below, *above; /* then: its neighbours; NULL: there is none */
	uint64_t rest; /* bytes of the mapping from the address on */
	uint32_t memory; /* NO_INDEX: the mapping is a copy of one that is there no more */
	uint64_t offset; /* of the address in the memory */
};

/* Copies are followed to the memory of their source. */
void lookup_address(const struct iommu_fd *fd, const struct ioasid *gpa, uint64_t address,
		    struct lookup *out);
