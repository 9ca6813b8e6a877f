// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/memlock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "host/root.h"
#include "host/sysfs.h"

#define CAP_IPC_LOCK_BIT 14

/* Behind the name that begins a line; NULL: there is no such line. */
static char *find_line(char *text, const char *name)
{
	size_t length = strlen(name);

	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, length))
			return line + length;
	}
	return NULL;
}

static int parse_limit(const char *word, uint64_t *out)
{
	if (!word)
		return -EINVAL;
	if (!strcmp(word, "unlimited")) {
		*out = MEMLOCK_UNLIMITED;
		return 0;
	}
	return number_parse(word, out);
}

/* "Max locked memory         8388608              unlimited            bytes" */
static int parse_limits(char *text, struct memlock *out)
{
	char *line = find_line(text, "Max locked memory"), *rest = NULL;
	int ret;

	if (!line)
		return -EINVAL;
	line[strcspn(line, "\n")] = '\0';
	ret = parse_limit(strtok_r(line, " ", &rest), &out->soft);
	return ret ? ret : parse_limit(strtok_r(NULL, " ", &rest), &out->hard);
}

/* "VmPin:	    4096 kB"; a process without memory of its own has no such lines. */
static uint64_t parse_size(char *text, const char *name)
{
	const char *line = find_line(text, name);
	uint64_t kilobytes = line ? strtoull(line, NULL, 10) : 0;

	return kilobytes > UINT64_MAX >> 10 ? UINT64_MAX : kilobytes << 10;
}

/* It maps all there are, one to one. A tree that doesn't have the file says nothing else. */
static bool in_first_user_namespace(const char *root, const char *pid)
{
	_cleanup_free_ char *path = root_path(root, "/proc/%s/uid_map", pid);
	unsigned long first, outside, count;
	char text[SYSFS_TEXT_MAX];

	if (!path || sysfs_read(path, text, sizeof(text)))
		return true;
	return sscanf(text, "%lu %lu %lu", &first, &outside, &count) == 3 && !first && !outside &&
	       count == UINT32_MAX;
}

int memlock_read(const char *root, const char *pid, struct memlock *out)
{
	_cleanup_free_ char *limits = root_path(root, "/proc/%s/limits", pid);
	_cleanup_free_ char *status = root_path(root, "/proc/%s/status", pid);
	char text[SYSFS_TEXT_MAX];
	const char *capabilities, *uid;
	int ret;

	*out = (struct memlock){0};
	if (!limits || !status)
		return -ENOMEM;
	ret = sysfs_read(limits, text, sizeof(text));
	if (!ret)
		ret = parse_limits(text, out);
	if (!ret)
		ret = sysfs_read(status, text, sizeof(text));
	if (ret)
		return ret;
	out->locked = parse_size(text, "VmLck:");
	out->pinned = parse_size(text, "VmPin:");
	uid = find_line(text, "Uid:");
	out->uid = uid ? strtoul(uid, NULL, 10) : 0;
	capabilities = find_line(text, "CapEff:");
	out->exempt = capabilities && strtoull(capabilities, NULL, 16) >> CAP_IPC_LOCK_BIT & 1 &&
		      in_first_user_namespace(root, pid);
	return 0;
}
