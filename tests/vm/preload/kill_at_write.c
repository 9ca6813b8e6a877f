// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For LD_PRELOAD: ends the process with SIGKILL at its nth write below a path, so that a test can
 * have a crash at each point of a change in turn.
 *
 * A process that it has forked off for the write counts as itself, and ends with it.
 *
 * KILL_AT     the how-manieth write it is, from 1
 * KILL_BELOW  only writes to files whose path begins so count: "/sys/"
 * KILL_WHEN   "before" that write or "after" it
 * KILL_ARMED  a file; only writes while it exists count. Not set: all
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static pid_t process;
static int *writes; /* of it and of those that it forks off */

static void __attribute__((constructor)) remember_process(void)
{
	process = getpid();
	writes = mmap(NULL, sizeof(*writes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
}

static void end(void)
{
	kill(process, SIGKILL);
	kill(getpid(), SIGKILL);
}

static int counts(int fd)
{
	const char *below = getenv("KILL_BELOW"), *armed = getenv("KILL_ARMED");
	char link[64], path[4096];
	ssize_t n;

	if (!below || (armed && access(armed, F_OK)))
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return 0;
	path[n] = '\0';
	return !strncmp(path, below, strlen(below));
}

static int is_when(const char *moment)
{
	const char *when = getenv("KILL_WHEN");

	return when && !strcmp(when, moment);
}

__attribute__((visibility("default"))) ssize_t write(int fd, const void *buf, size_t count)
{
	const char *at = getenv("KILL_AT");
	int now = at && counts(fd) && ++*writes == atoi(at);
	ssize_t ret;

	if (now && is_when("before"))
		end();
	ret = syscall(SYS_write, fd, buf, count);
	if (now && is_when("after"))
		end();
	return ret;
}
