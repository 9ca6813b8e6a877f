// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For LD_PRELOAD: when a holder that takes over is about to confirm, a process gets SIGKILL:
 * itself, or the one of KILL_AT_CONFIRM.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((visibility("default"))) ssize_t send(int fd, const void *buf, size_t count,
						    int flags)
{
	const char *victim = getenv("KILL_AT_CONFIRM");

	if (memmem(buf, count, "\"confirm\"", 9))
		kill(victim ? atoi(victim) : getpid(), SIGKILL);
	return syscall(SYS_sendto, fd, buf, count, flags, NULL, 0);
}
