// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "holder/client.h"
#include "holder/holder.h"
#include "interrupt.h"
#include "local.h"
#include "output.h"
#include "start.h"

#define FIRST_PASSED_FD 3

/* The socket of a service manager: exactly one, meant for this very process. */
static int passed_socket(int *fd, struct ioasidctl_error **err)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	uint64_t number;

	*fd = -1;
	if (!pid || !count || number_parse(pid, &number) || number != (uint64_t)getpid())
		return 0;
	if (strcmp(count, "1"))
		return error_new(err, ERROR_USAGE, EINVAL,
				 "LISTEN_FDS is \"%s\", but one socket is expected", count);
	if (fcntl(FIRST_PASSED_FD, F_SETFD, FD_CLOEXEC))
		return error_new(err, ERROR_USAGE, EBADF,
				 "LISTEN_FDS is 1, but descriptor 3 isn't open");
	*fd = FIRST_PASSED_FD;
	return 0;
}

static void log_line(void *data, const char *line)
{
	(void)data;
	print_safely(stderr, line);
	fputc('\n', stderr);
}

static int serve(const struct invocation *in, struct holder_options *options,
		 struct ioasidctl_error **err)
{
	_cleanup_free_ char *machine = NULL;
	_cleanup_free_ char *socket = NULL;
	int ret;

	ret = passed_socket(&options->listen_fd, err);
	if (!ret && in->takeover && options->listen_fd >= 0)
		ret = error_new(err, ERROR_USAGE, EINVAL,
				"--takeover brings a socket along, and LISTEN_FDS has one, too");
	if (!ret)
		ret = client_socket_path(in->socket, &socket, err);
	if (!ret)
		ret = machine_text(in, &machine, &options->machine_length, err);
	if (ret)
		return ret;
	options->socket = socket;
	options->machine = machine;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return holder_serve(options, err);
}

/*
 * A process that idles for months after a config of many megabytes. Only the main arena gives its
 * top back when it's trimmed, so the holder's two threads share that one.
 */
static void allocate_sparingly(void)
{
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, 1);
#endif
}

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	/* Ours, since the holder closes the one it gets: a failure must still be told there. */
	_cleanup_close_ int tell = -1;
	struct holder_options options = {
		.root = "",
		.keep = in->keep,
		.exit_idle = in->exit_idle,
		.take_over = in->takeover,
		.ready_fd = -1,
		.listen_fd = -1,
		.log = log_line,
	};
	int ret = 0;

	interrupt_only_from_outside();
	/* A holder that `apply` started through /proc/self/exe would be known as "exe". */
	prctl(PR_SET_NAME, "ioasidctl");
	allocate_sparingly();
	if (in->ready_fd) {
		ret = descriptor_argument(in->ready_fd, "--ready-fd", &options.ready_fd, &err);
		if (!ret) {
			fcntl(options.ready_fd, F_SETFD, FD_CLOEXEC);
			tell = fcntl(options.ready_fd, F_DUPFD_CLOEXEC, 3);
		}
	}
	if (!ret)
		ret = serve(in, &options, &err);
	if (!ret)
		return 0;
	if (tell >= 0)
		start_report_failure(tell, err);
	return print_errors(in, err);
}

const struct verb verb_daemon = {
	.name = "daemon",
	.synopsis = "",
	.help = "Hold topologies: the process behind the socket",
	.text = "Serves in the foreground until SIGTERM, SIGINT or SIGHUP, logging to standard error. "
		"`ioasidctl apply` starts one by itself where none runs; a service manager may pass "
		"the listening socket (LISTEN_FDS, LISTEN_PID). Two holders can't own one socket.\n\n"
		"When it is ended by a signal, it takes all topologies down and restores the drivers "
		"of their devices (--teardown), since all else dies with it in any case. With --keep "
		"devices stay bound, and the next holder at the same socket applies the configs "
		"again; what was in their memory is lost, and no DMA goes on meanwhile.\n\n"
		"With --takeover it takes over all that the running holder has, descriptors and "
		"pinned memory included, and that one ends: for an upgrade while devices go on with "
		"their DMA. If it can't, nothing changes, and this one ends with the reason.",
	.options = OPTION(SOCKET) | OPTION(MACHINE) | OPTION(KEEP) | OPTION(TEARDOWN) |
		   OPTION(TAKEOVER) | OPTION(EXIT_IDLE) | OPTION(READY_FD) | OPTION(VERBOSE),
	.run = run,
};
