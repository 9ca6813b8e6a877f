/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the explanations of the ioasid driver find out alike. */
#pragma once

#include "driver/ioasid.h"

/* The first entry of a list that overlaps [first, last]. */
struct ioasid_overlap {
	uint64_t first, last;
	union {
		struct ioasid_entry_mapping mapping;
		struct ioasid_entry_reserved reserved;
	};
};

bool ioasid_find_mapping(struct driver_fd *fd, uint32_t id, struct ioasid_overlap *o);
bool ioasid_find_reserved(struct driver_fd *fd, uint32_t id, struct ioasid_overlap *o);
const char *ioasid_reserved_text(uint32_t type); /* enum ioasid_reserved_type */
/* 0: *out is what LIST says of that IOASID. */
int ioasid_entry(struct driver_fd *fd, uint32_t id, struct ioasid_entry_ioasid *out);
int ioasid_hardware(struct driver_fd *fd, uint64_t cookie, struct ioasid_device_info_args *out);
