/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Formats of tables that guests keep. */
#pragma once

#include "refdev/state.h"

struct nested_format {
	/* Whether such a table can be: 0 or -EINVAL. */
	int (*check)(const struct ioasid_table *table);
	/* What it can translate, sorted; allocated. 0 or -ENOMEM. NULL: what its parent can. */
	int (*ranges)(const struct ioasid_table *table, struct ioasid_range **out, size_t *n);
	/*
	 * Walks to the page of `iova`: *gpa is what it leads to, *flags the IOASID_MAP_* that all
	 * levels grant. False: t->fault, t->stage and t->level say why and where. NULL: iova is
	 * gpa.
	 */
	bool (*walk)(const struct ioasid_table *table, const struct refdev_domain *parent,
		     pid_t process, uint64_t iova, uint64_t *gpa, uint32_t *flags,
		     struct translation *t);
};

/* NULL: nobody here walks that. */
const struct nested_format *nested_format(uint32_t format);
