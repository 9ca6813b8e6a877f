// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/holders.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/root.h"
#include "host/sysfs.h"

/* More would not fit a message; whoever has that many knows. */
#define HOLDERS_MAX 8

static bool is_one_of(const char *path, const char *const nodes[])
{
	for (size_t i = 0; nodes[i]; i++)
		if (!strcmp(path, nodes[i]))
			return true;
	return false;
}

/* Processes end and descriptors close while we look: whatever can't be read isn't a holder. */
static bool process_holds(const char *root, const char *pid, const char *const nodes[])
{
	_cleanup_free_ char *fds = root_path(root, "/proc/%s/fd", pid);
	_cleanup_names_ struct name_list names = {0};

	if (!fds || sysfs_list(fds, &names))
		return false;
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_free_ char *link = root_path(fds, "/%s", names.names[i]);
		char target[PATH_MAX];
		ssize_t n = link ? readlink(link, target, sizeof(target) - 1) : -1;

		if (n < 0)
			continue;
		target[n] = '\0';
		if (is_one_of(target, nodes))
			return true;
	}
	return false;
}

static void add_holder(FILE *f, const char *root, const char *pid, bool first)
{
	_cleanup_free_ char *path = root_path(root, "/proc/%s/comm", pid);
	char comm[64];

	if (!path || sysfs_read(path, comm, sizeof(comm)))
		snprintf(comm, sizeof(comm), "?");
	/* A process names itself as it likes; control characters stay out of messages. */
	for (char *p = comm; *p; p++)
		if (iscntrl((unsigned char)*p))
			*p = '?';
	fprintf(f, "%spid %s (%s)", first ? "" : ", ", pid, comm);
}

int holders_text(const char *root, const char *const nodes[], pid_t except, char **text)
{
	_cleanup_free_ char *proc = root_path(root, "/proc");
	_cleanup_names_ struct name_list pids = {0};
	_cleanup_free_ char *all = NULL;
	size_t size, found = 0;
	FILE *f;
	int ret;

	*text = NULL;
	if (!proc)
		return -ENOMEM;
	ret = sysfs_list(proc, &pids);
	if (ret)
		return ret;
	f = open_memstream(&all, &size);
	if (!f)
		return -ENOMEM;
	for (size_t i = 0; i < pids.n && found < HOLDERS_MAX; i++)
		if (isdigit((unsigned char)pids.names[i][0]) &&
		    (!except || atoi(pids.names[i]) != except) &&
		    process_holds(root, pids.names[i], nodes))
			add_holder(f, root, pids.names[i], !found++);
	if (fclose(f))
		return -ENOMEM;
	if (found)
		*text = steal_pointer(all);
	return 0;
}
