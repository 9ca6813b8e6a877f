/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes -> raw structs, by the grammar. */
#pragma once

#include "config/grammar.h"
#include "config/tree.h"

struct faults;

/*
 * Loads the document and records what doesn't fit the grammar: unknown, missing and doubled keys,
 * wrong shapes, badly written values, keys that don't belong together. What is well-formed is
 * loaded even beside faults, so that references can be checked in the same run; strings are those
 * of the nodes, or the defaults of keys left out. libcyaml could load the same schema, but stops at
 * the first fault and tells no positions. NULL: nothing could be loaded (fault recorded or
 * faults->no_memory).
 */
struct raw_topology *load_topology(struct arena *arena, struct faults *faults,
				   const struct node *root);
