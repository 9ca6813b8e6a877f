/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The device nodes that address spaces and devices are handed out through, and who may open them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds: identifier, name in JSON, path below /dev; one that ends in '*' stands for many. */
#define NODE_KINDS(X)                          \
	X(IOMMUFD, "iommufd", "iommu")         \
	X(IOASID, "ioasid", "ioasid")          \
	X(CONTAINER, "container", "vfio/vfio") \
	X(DEVICE, "device", "vfio/devices/*")  \
	X(GROUP, "group", "vfio/*")            \
	X(VDPA, "vdpa", "vhost-vdpa-*")

enum host_node_kind {
#define X(id, name, path) NODE_##id,
	NODE_KINDS(X)
#undef X
		NODE_KINDS_COUNT
};

/* "iommufd", ...; NULL at the end. */
extern const char *const host_node_kind_names[];

/* What a path ("/dev/vfio/7", without root) is the node of; -1: nothing of ours. */
int host_node_kind(const char *path);

#define NODE_UNKNOWN UINT64_MAX

struct host_node {
	char *path; /* without root */
	const char *kind; /* of host_node_kind_names */
	char *mode; /* permission bits in octal, "0660" */
	uint64_t uid, gid;
	char *user, *group; /* their names on this machine; NULL: nameless */
	/* 0 or 1: this process may read and write it; NODE_UNKNOWN: the tree is a copy of another's
	 */
	uint64_t can_open;
};

struct host_nodes {
	struct host_node *list; /* by kind, then by path */
	size_t n;
};

/* All of the machine's. Names of users come from this machine even when root is another's. */
int host_nodes_read(const char *root, struct host_nodes *out);
/* The node of that path; NULL: there is none. */
const struct host_node *host_find_node(const struct host_nodes *nodes, const char *path);
void host_nodes_remove(struct host_nodes *nodes, size_t index);
void host_nodes_done(struct host_nodes *nodes);
#define _cleanup_nodes_ __attribute__((cleanup(host_nodes_done)))
