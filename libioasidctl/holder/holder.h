/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The holder: the process that keeps the file descriptors open, behind a varlink socket. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct holder_options {
	const char *socket; /* path of the control socket; its directory is made when missing */
	const char *root; /* prefix of /sys, /proc, /dev; "" on a live machine */
	const char *machine; /* JSON text of the reference device's machine; NULL: the default */
	size_t machine_length;
	bool keep; /* SIGTERM: leave topologies for the next holder instead of tearing down */
	bool exit_idle; /* end when the last topology is gone and no client is connected */
	bool take_over; /* from the holder that runs at the socket; without one it's an error */
	int ready_fd; /* gets one byte and is closed once the socket listens; -1: none */
	/* Passed by a service manager, whose it stays, and instead of `socket`; -1: make it. */
	int listen_fd;
	/* Log line without newline, from the caller's thread or the worker's; NULL: silence. */
	void (*log)(void *data, const char *line);
	void *log_data;
};

/*
 * Serves until SIGTERM, SIGINT or SIGHUP (or idle, as asked). 0; -EADDRINUSE (ERROR_BUSY): another
 * holder owns the socket; an error of the end: something could not be removed or restored. Blocks
 * and handles those signals for its duration; leaves no socket behind that it made.
 */
int holder_serve(const struct holder_options *options, struct ioasidctl_error **err);
