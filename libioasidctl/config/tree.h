/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* YAML text -> nodes with positions, within the limits of config.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct faults;

enum node_kind { NODE_TEXT, NODE_LIST, NODE_MAP };

struct node {
	union {
		const char *text; /* NODE_TEXT; free of NUL bytes */
		struct node *first; /* NODE_LIST: elements; NODE_MAP: key, value, key, value... */
	};
	struct node *next;
	uint32_t line; /* 1-based; of an alias: where it is used */
	uint32_t column : 28; /* enough for CONFIG_MAX_BYTES: there may be millions of nodes */
	uint32_t kind : 3; /* enum node_kind */
	uint32_t plain : 1; /* NODE_TEXT: written without quotes */
	uint32_t count; /* NODE_LIST: elements; NODE_MAP: pairs */
	uint32_t weight; /* nodes at and below, aliases counted at each use */
};

/*
 * Parses one document. *root lives in the arena. Aliases are expanded by sharing children, so the
 * nodes form no cycle but may be reached by several ways. Returns 0, -EINVAL or -E2BIG (one fault
 * is recorded: text that isn't YAML can't be read any further) or -ENOMEM.
 */
int tree_parse(struct arena *arena, struct faults *faults, const char *text, size_t length,
	       struct node **root);

/* The value of that key in a NODE_MAP; NULL: not there. For messages, not for loading. */
const struct node *node_value(const struct node *map, const char *key);
/* What the node is, for people: "a list", "text", "nothing". */
const char *node_what(const struct node *node);
/* Plain and empty, ~ or null: a key without a value. */
bool node_is_null(const struct node *node);
