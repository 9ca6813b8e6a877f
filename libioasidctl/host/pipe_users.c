// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/pipe_users.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/holders.h"
#include "host/root.h"
#include "host/sysfs.h"

/* More would not fit a message. */
#define USERS_IN_TEXT 8

static int has_open(const char *root, const char *pid, const char *wanted, bool *yes)
{
	_cleanup_free_ char *path = root_path(root, "/proc/%s/fd", pid);
	const struct dirent *entry;
	DIR *dir;

	*yes = false;
	if (!path)
		return -ENOMEM;
	dir = opendir(path);
	while (dir && !*yes && (entry = readdir(dir))) {
		char target[64];
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		target[n < 0 ? 0 : n] = '\0';
		*yes = !strcmp(target, wanted);
	}
	if (dir)
		closedir(dir);
	return 0;
}

static int print_user(FILE *f, const char *root, const char *pid, const char *wanted, size_t *n)
{
	_cleanup_free_ char *command = NULL;
	bool yes;
	int ret = has_open(root, pid, wanted, &yes);

	if (ret || !yes)
		return ret;
	ret = process_command(root, pid, &command);
	if (!ret)
		fprintf(f, "%spid %s (%s)", (*n)++ ? ", " : "", pid, command);
	return ret;
}

int pipe_users_text(const char *root, int fd, pid_t except, char **text)
{
	_cleanup_free_ char *proc = root_path(root, "/proc"), *all = NULL;
	_cleanup_names_ struct name_list pids = {0};
	char wanted[64], own[16];
	size_t size, n = 0;
	struct stat st;
	FILE *f;
	int ret;

	*text = NULL;
	if (fstat(fd, &st))
		return -errno;
	snprintf(wanted, sizeof(wanted), "pipe:[%ju]", (uintmax_t)st.st_ino);
	snprintf(own, sizeof(own), "%d", (int)except);
	ret = proc ? sysfs_list(proc, &pids) : -ENOMEM;
	f = ret ? NULL : open_memstream(&all, &size);
	if (!f)
		return ret ? ret : -ENOMEM;
	for (size_t i = 0; !ret && i < pids.n && n < USERS_IN_TEXT; i++)
		if (isdigit((unsigned char)*pids.names[i]) && strcmp(pids.names[i], own))
			ret = print_user(f, root, pids.names[i], wanted, &n);
	if (fclose(f) && !ret)
		ret = -ENOMEM;
	if (!ret && n)
		*text = steal_pointer(all);
	return ret;
}
