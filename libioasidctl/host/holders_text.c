// SPDX-License-Identifier: LGPL-2.1-or-later
/* Those that hold something, for a message. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/holders.h"
#include "host/node.h"

/* More would not fit a message; whoever has that many knows. */
#define HOLDERS_IN_TEXT 8

static bool is_one_of(const char *text, const char *const list[])
{
	for (size_t i = 0; text && list[i]; i++)
		if (!strcmp(text, list[i]))
			return true;
	return false;
}

/* Whom to put into a text. */
struct wanted {
	const char *const *nodes, *const *devices; /* those that have one of them open */
	const char *group_node; /* not NULL: or else a device that may be of this group */
};

static bool is_unidentified(const struct held_node *open)
{
	return !open->node && !open->device &&
	       !strcmp(open->kind, host_node_kind_names[NODE_DEVICE]);
}

/* What is mapped without a path is of a device that is open besides, if any is. */
static bool has_unidentified(const struct node_holder *holder)
{
	bool mapped = false, known = false;

	for (size_t i = 0; i < holder->n_open; i++) {
		const struct held_node *open = &holder->open[i];

		if (is_unidentified(open) && !open->mapped)
			return true;
		mapped |= is_unidentified(open);
		known |= !open->node && open->device;
	}
	return mapped && !known;
}

static bool may_have_device_of(const struct node_holder *holder, const char *group_node)
{
	bool has_group = false;

	if (!has_unidentified(holder))
		return false;
	for (size_t i = 0; i < holder->n_open; i++) {
		const struct held_node *open = &holder->open[i];

		if (open->node && !strcmp(open->node, group_node))
			return true;
		has_group |= !strcmp(open->kind, host_node_kind_names[NODE_GROUP]);
	}
	return !has_group;
}

/* *only_mapped: no descriptor of it is open. */
static bool holds(const struct node_holder *holder, const struct wanted *wanted, bool *only_mapped)
{
	bool found = false;

	*only_mapped = true;
	if (wanted->group_node) {
		*only_mapped = false;
		return may_have_device_of(holder, wanted->group_node);
	}
	for (size_t i = 0; i < holder->n_open; i++) {
		const struct held_node *open = &holder->open[i];

		if (!is_one_of(open->node, wanted->nodes) &&
		    !(wanted->devices && is_one_of(open->device, wanted->devices)))
			continue;
		found = true;
		*only_mapped &= open->mapped;
	}
	return found;
}

static int list_holders(const struct node_holders *holders, const struct wanted *wanted,
			pid_t except, char **text)
{
	_cleanup_free_ char *all = NULL;
	size_t size, found = 0;
	FILE *f = open_memstream(&all, &size);

	*text = NULL;
	if (!f)
		return -ENOMEM;
	for (size_t i = 0; i < holders->n && found < HOLDERS_IN_TEXT; i++) {
		const struct node_holder *holder = &holders->list[i];
		bool only_mapped;

		if ((except && holder->pid == (uint64_t)except) ||
		    !holds(holder, wanted, &only_mapped))
			continue;
		fprintf(f, "%spid %ju (%s%s%s%s)", found++ ? ", " : "", (uintmax_t)holder->pid,
			holder->command, holder->unit ? ", " : "", holder->unit ? holder->unit : "",
			only_mapped ? "; by a mapping" : "");
	}
	if (fclose(f))
		return -ENOMEM;
	if (found)
		*text = steal_pointer(all);
	return 0;
}

int node_holders_text(const struct node_holders *holders, const char *const nodes[],
		      const char *const devices[], pid_t except, char **text)
{
	return list_holders(holders, &(struct wanted){.nodes = nodes, .devices = devices}, except,
			    text);
}

int node_holders_unidentified(const struct node_holders *holders, const char *group_node,
			      pid_t except, char **text)
{
	return list_holders(holders, &(struct wanted){.group_node = group_node}, except, text);
}

int holders_text(const char *root, const char *const nodes[], pid_t except, char **text)
{
	_cleanup_holders_ struct node_holders holders = {0};
	int ret = node_users_read(root, &holders);

	*text = NULL;
	return ret ? ret : node_holders_text(&holders, nodes, NULL, except, text);
}
