// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/write_apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/sysfs.h"

/* Only what may be called between fork() and the end of a process with several threads. */
static void write_and_end(const char *path, const char *text, int answer) __attribute__((noreturn));
static void write_and_end(const char *path, const char *text, int answer)
{
	int ret;

	/* The first three, too: somebody may wait for the end of a pipe. */
	if (dup2(answer, 0) < 0)
		_exit(1);
	close_range(1, ~0U, 0);
	ret = sysfs_write(path, text);
	_exit(write(0, &ret, sizeof(ret)) != sizeof(ret));
}

/* Nobody's child, so that nobody has to wait for it. */
static int start(const char *path, const char *text, int answer)
{
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (!child) {
		pid_t writer = fork();

		if (!writer)
			write_and_end(path, text, answer);
		_exit(writer < 0);
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

static int wait_for(int answer, unsigned seconds)
{
	struct pollfd p = {.fd = answer, .events = POLLIN};
	struct timespec now, end;
	int n;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	do {
		long long left;

		clock_gettime(CLOCK_MONOTONIC, &now);
		left = (end.tv_sec - now.tv_sec) * 1000LL + (end.tv_nsec - now.tv_nsec) / 1000000;
		n = poll(&p, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n ? 0 : -ETIMEDOUT;
}

int sysfs_write_apart(const char *path, const char *text, unsigned seconds)
{
	_cleanup_close_ int ours = -1, its = -1;
	int ends[2], result, ret;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	ours = ends[0];
	its = ends[1];
	ret = start(path, text, its);
	close(steal_fd(&its));
	if (!ret)
		ret = wait_for(ours, seconds);
	if (ret)
		return ret;
	/* It was killed, or couldn't even be started. */
	return read(ours, &result, sizeof(result)) == sizeof(result) ? result : -ECHILD;
}
