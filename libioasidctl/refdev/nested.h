/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Formats of tables that guests keep. */
#pragma once

#include "refdev/state.h"

/* One walk. */
struct nested_walk {
	struct refdev_ioasid *ioasid;
	const struct refdev_domain *parent;
	uint64_t iova;
	bool write;
	uint64_t gpa; /* (out) that it leads to */
	uint32_t flags; /* (out) IOASID_MAP_*: what all levels grant and can be cached */
	struct translation *t; /* (out) why and where it stops */
};

struct nested_format {
	/* Whether such a table can be: 0 or -EINVAL. */
	int (*check)(const struct ioasid_table *table);
	/* What it can translate, sorted; allocated. 0 or -ENOMEM. NULL: what its parent can. */
	int (*ranges)(const struct ioasid_table *table, struct ioasid_range **out, size_t *n);
	/* NULL: an IOVA is a guest address. */
	bool (*walk)(struct nested_walk *walk);
};

/* NULL: nobody here walks that. */
const struct nested_format *nested_format(uint32_t format);
