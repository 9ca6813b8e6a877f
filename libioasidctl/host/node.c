// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/node.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/root.h"
#include "host/sysfs.h"

const char *const host_node_kind_names[] = {
#define X(id, name, path) [NODE_##id] = name,
	NODE_KINDS(X)
#undef X
		NULL};

static const char *const patterns[] = {
#define X(id, name, path) [NODE_##id] = "/dev/" path,
	NODE_KINDS(X)
#undef X
};

/* A pattern's '*' is one name: no directory below. */
static bool matches(const char *pattern, const char *path)
{
	size_t fixed = strcspn(pattern, "*");

	if (!pattern[fixed])
		return !strcmp(pattern, path);
	return !strncmp(pattern, path, fixed) && path[fixed] && !strchr(path + fixed, '/');
}

int host_node_kind(const char *path)
{
	for (int kind = 0; kind < NODE_KINDS_COUNT; kind++)
		if (matches(patterns[kind], path))
			return kind;
	return -1;
}

/* The names of a node's owner and group, as far as they have one. 0 or -ENOMEM. */
static int read_names(struct host_node *node)
{
	struct passwd user, *found_user = NULL;
	struct group group, *found_group = NULL;
	char buf[4096];

	if (!getpwuid_r((uid_t)node->uid, &user, buf, sizeof(buf), &found_user) && found_user) {
		node->user = strdup(user.pw_name);
		if (!node->user)
			return -ENOMEM;
	}
	if (!getgrgid_r((gid_t)node->gid, &group, buf, sizeof(buf), &found_group) && found_group) {
		node->group = strdup(group.gr_name);
		if (!node->group)
			return -ENOMEM;
	}
	return 0;
}

static void node_done(struct host_node *node)
{
	free(node->path);
	free(node->mode);
	free(node->user);
	free(node->group);
}

static char *mode_text(mode_t mode)
{
	char *text;

	return asprintf(&text, "%04o", mode & 07777U) < 0 ? NULL : text;
}

/* One node; what isn't there, or is a directory, is left out. */
static int add_node(struct host_nodes *nodes, const char *root, int kind, const char *path)
{
	_cleanup_free_ char *full = root_path(root, "%s", path);
	struct host_node *grown, *node;
	struct stat st;

	if (!full)
		return -ENOMEM;
	if (stat(full, &st) < 0 || S_ISDIR(st.st_mode))
		return 0;
	grown = reallocarray(nodes->list, nodes->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	nodes->list = grown;
	node = &grown[nodes->n];
	*node = (struct host_node){
		.path = strdup(path),
		.kind = host_node_kind_names[kind],
		.mode = mode_text(st.st_mode),
		.uid = st.st_uid,
		.gid = st.st_gid,
		.can_open = *root ? NODE_UNKNOWN : !eaccess(full, R_OK | W_OK),
	};
	if (!node->path || !node->mode || read_names(node)) {
		node_done(node);
		return -ENOMEM;
	}
	nodes->n++;
	return 0;
}

/* All of a directory that the kind's pattern matches, and no kind before it. */
static int add_matching(struct host_nodes *nodes, const char *root, int kind)
{
	const char *pattern = patterns[kind];
	int directory = (int)(strrchr(pattern, '/') - pattern);
	_cleanup_free_ char *full = root_path(root, "%.*s", directory, pattern);
	_cleanup_names_ struct name_list names = {0};
	int ret;

	if (!full)
		return -ENOMEM;
	ret = sysfs_list(full, &names);
	for (size_t i = 0; !ret && i < names.n; i++) {
		_cleanup_free_ char *path =
			root_path("", "%.*s/%s", directory, pattern, names.names[i]);

		if (!path)
			return -ENOMEM;
		if (host_node_kind(path) == kind)
			ret = add_node(nodes, root, kind, path);
	}
	return ret == -ENOENT || ret == -EACCES ? 0 : ret;
}

int host_nodes_read(const char *root, struct host_nodes *out)
{
	_cleanup_nodes_ struct host_nodes nodes = {0};
	int ret = 0;

	for (int kind = 0; !ret && kind < NODE_KINDS_COUNT; kind++)
		ret = strchr(patterns[kind], '*') ? add_matching(&nodes, root, kind)
						  : add_node(&nodes, root, kind, patterns[kind]);
	if (ret)
		return ret;
	*out = nodes;
	nodes = (struct host_nodes){0};
	return 0;
}

static int compare_nodes(const void *a, const void *b)
{
	const struct host_node *x = a, *y = b;
	int kind = host_node_kind(x->path) - host_node_kind(y->path);

	return kind ? kind : strcmp(x->path, y->path);
}

const struct host_node *host_find_node(const struct host_nodes *nodes, const char *path)
{
	const struct host_node wanted = {.path = (char *)path};

	return nodes->n ? bsearch(&wanted, nodes->list, nodes->n, sizeof(wanted), compare_nodes)
			: NULL;
}

void host_nodes_remove(struct host_nodes *nodes, size_t index)
{
	node_done(&nodes->list[index]);
	memmove(&nodes->list[index], &nodes->list[index + 1],
		(--nodes->n - index) * sizeof(*nodes->list));
}

void host_nodes_done(struct host_nodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++)
		node_done(&nodes->list[i]);
	free(nodes->list);
	*nodes = (struct host_nodes){0};
}
