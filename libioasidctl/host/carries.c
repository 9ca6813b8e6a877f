// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/carries.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/below.h"
#include "host/root.h"
#include "host/sysfs.h"

/* More would not fit a message. */
#define USES_SHOWN 4

#define RTF_UP	   0x1U
#define RTF_REJECT 0x200U

struct uses {
	const char *root;
	char dir[PATH_MAX]; /* without links in it */
	char *list[USES_SHOWN];
	size_t n; /* of all, also those that aren't shown */
	bool no_memory;
};

/* Takes `text`. The same seen twice (by two processes, by two protocols) is one use. */
static void add_use(struct uses *u, char *text, bool first)
{
	_cleanup_free_ char *owned = text;
	size_t shown = u->n < USES_SHOWN ? u->n : USES_SHOWN;

	if (!text) {
		u->no_memory = true;
		return;
	}
	for (size_t i = 0; i < shown; i++)
		if (!strcmp(u->list[i], text))
			return;
	u->n++;
	if (shown == USES_SHOWN && !first)
		return;
	if (shown == USES_SHOWN)
		free(u->list[--shown]);
	if (first)
		memmove(&u->list[1], &u->list[0], shown * sizeof(u->list[0]));
	u->list[first ? 0 : shown] = steal_pointer(owned);
}

/* Calls `each` for the lines of a file of /proc; one that isn't there has none. */
static void each_line(struct uses *u, const char *path, void (*each)(struct uses *u, char *line))
{
	_cleanup_free_ char *full = root_path(u->root, "%s", path);
	_cleanup_fclose_ FILE *f = full ? fopen(full, "re") : NULL;
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0)
		each(u, line);
}

/* The last part of a path: how block devices are known. */
static const char *short_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* 9p shows its tag in the virtio device. */
static bool has_9p_tag(const struct uses *u, const char *tag)
{
	_cleanup_names_ struct name_list names = {0};

	if (sysfs_list(u->dir, &names))
		return false;
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_free_ char *path = root_path(u->dir, "/%s/mount_tag", names.names[i]);
		char text[SYSFS_TEXT_MAX];

		if (!strncmp(names.names[i], "virtio", 6) && path &&
		    !sysfs_read(path, text, sizeof(text)) && !strcmp(text, tag))
			return true;
	}
	return false;
}

static bool has_virtiofs_tag(const struct uses *u, const char *tag)
{
	_cleanup_free_ char *list = root_path(u->root, "/sys/fs/virtiofs");
	_cleanup_names_ struct name_list names = {0};

	if (!list || sysfs_list(list, &names))
		return false;
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_free_ char *path = root_path(list, "/%s/tag", names.names[i]);
		_cleanup_free_ char *link = root_path(list, "/%s/device", names.names[i]);
		char text[SYSFS_TEXT_MAX], device[PATH_MAX];

		if (path && link && !sysfs_read(path, text, sizeof(text)) && !strcmp(text, tag) &&
		    realpath(link, device) && path_is_below(u->dir, device))
			return true;
	}
	return false;
}

/* "/dev/sda2", or "/dev/sda:/dev/sdb" of those that are on several (bcachefs). */
static bool one_is_below(const struct uses *u, const char *source)
{
	_cleanup_free_ char *copy = strdup(source);
	char *rest = NULL;

	for (char *path = copy ? strtok_r(copy, ":", &rest) : NULL; path;
	     path = strtok_r(NULL, ":", &rest))
		if (!strncmp(path, "/dev/", 5) && block_is_below(u->root, u->dir, path + 5))
			return true;
	return false;
}

/* "rw,vers=4.2,clientaddr=10.0.0.2,addr=10.0.0.1": of NFS and CIFS. */
static bool server_is_below(const struct uses *u, const char *options)
{
	_cleanup_free_ char *copy = options ? strdup(options) : NULL;
	char *rest = NULL;

	for (char *word = copy ? strtok_r(copy, ",\n", &rest) : NULL; word;
	     word = strtok_r(NULL, ",\n", &rest))
		if (!strncmp(word, "addr=", strlen("addr=")))
			return address_is_below(u->root, u->dir, word + strlen("addr="));
	return false;
}

static bool is_mounted_from(const struct uses *u, const char *numbers, const char *type,
			    const char *source, const char *options)
{
	if (!strcmp(type, "9p"))
		return has_9p_tag(u, source);
	if (!strcmp(type, "virtiofs"))
		return has_virtiofs_tag(u, source);
	if (block_is_below(u->root, u->dir, numbers))
		return true;
	/* Some file systems are on block devices, but have numbers of their own. */
	if (!strcmp(type, "btrfs") && !strncmp(source, "/dev/", 5) &&
	    btrfs_is_below(u->root, u->dir, source + 5))
		return true;
	return one_is_below(u, source) || server_is_below(u, options);
}

/* "25 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw" */
static void take_mount(struct uses *u, char *line)
{
	char *words[5], *rest = NULL, *type, *source, *options, *end = strstr(line, " - ");
	char *text = NULL;

	if (!end)
		return;
	*end = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		words[i] = strtok_r(i ? NULL : line, " ", &rest);
		if (!words[i])
			return;
	}
	type = strtok_r(end + 3, " \n", &rest);
	source = strtok_r(NULL, " \n", &rest);
	options = strtok_r(NULL, " \n", &rest);
	if (!type || !source || !is_mounted_from(u, words[2], type, source, options))
		return;
	if (asprintf(&text, "%s is mounted from %s", words[4],
		     strchr(source, ':') ? source : short_name(source)) < 0)
		text = NULL;
	add_use(u, text, !strcmp(words[4], "/"));
}

/* "/dev/nvme0n1p3   partition   8388604   0   -2"; a file is on something mounted. */
static void take_swap(struct uses *u, char *line)
{
	char *rest = NULL, *path = strtok_r(line, " \t", &rest), *text = NULL;

	if (!path || strncmp(path, "/dev/", 5) || !block_is_below(u->root, u->dir, path + 5))
		return;
	if (asprintf(&text, "%s is swap", short_name(path)) < 0)
		text = NULL;
	add_use(u, text, false);
}

static void add_route(struct uses *u, const char *interface)
{
	char *text = NULL;

	if (!interface_is_below(u->root, u->dir, interface))
		return;
	if (asprintf(&text, "%s has the default route", interface) < 0)
		text = NULL;
	add_use(u, text, false);
}

/* Interface, destination, gateway, flags, three counts, mask */
static void take_route(struct uses *u, char *line)
{
	char interface[64];
	unsigned destination, flags, mask;

	if (sscanf(line, "%63s %x %*x %x %*d %*d %*d %x", interface, &destination, &flags, &mask) ==
		    4 &&
	    !destination && !mask && flags & RTF_UP && !(flags & RTF_REJECT))
		add_route(u, interface);
}

/* Destination, its prefix, source, its prefix, gateway, three counts, flags, interface */
static void take_route6(struct uses *u, char *line)
{
	char destination[33], interface[64];
	unsigned prefix, flags;

	if (sscanf(line, "%32s %x %*s %*x %*s %*x %*x %*x %x %63s", destination, &prefix, &flags,
		   interface) == 4 &&
	    !prefix && strspn(destination, "0") == 32 && flags & RTF_UP && !(flags & RTF_REJECT))
		add_route(u, interface);
}

static char *list_uses(const struct uses *u)
{
	size_t shown = u->n < USES_SHOWN ? u->n : USES_SHOWN, size;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (size_t i = 0; i < shown; i++)
		fprintf(f, "%s%s", i ? "; " : "", u->list[i]);
	if (u->n > shown)
		fprintf(f, "; and %zu more", u->n - shown);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

int host_device_carries(const char *root, const char *dir, char **text)
{
	struct uses u = {.root = root};

	*text = NULL;
	if (!realpath(dir, u.dir))
		return 0;
	/* The first process isn't in the mount namespace of a service or a container. */
	each_line(&u, "/proc/self/mountinfo", take_mount);
	each_line(&u, "/proc/1/mountinfo", take_mount);
	each_line(&u, "/proc/swaps", take_swap);
	each_line(&u, "/proc/net/route", take_route);
	each_line(&u, "/proc/net/ipv6_route", take_route6);
	if (u.n)
		*text = list_uses(&u);
	u.no_memory |= u.n && !*text;
	for (size_t i = 0; i < u.n && i < USES_SHOWN; i++)
		free(u.list[i]);
	if (!u.no_memory)
		return 0;
	free(*text);
	*text = NULL;
	return -ENOMEM;
}
