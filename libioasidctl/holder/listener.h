/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control socket in the file system, and who owns it. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct listener {
	char *path;
	char *lock_path;
	int lock; /* held as long as this is open: SOCKET.lock, with our process id in it */
	int fd; /* listening, non-blocking; -1: not yet */
	bool passed; /* by a service manager, whose it stays */
};

/*
 * Where the socket is: what a service manager passed tells (-1: it didn't), else `option`. *path
 * owned. -EINVAL: what was passed isn't a listening Unix stream socket.
 */
int listener_path(const char *option, int passed, char **path, struct ioasidctl_error **err);

/*
 * Becomes the owner of the socket; its directory is made where missing. -EADDRINUSE (ERROR_BUSY):
 * another holder is, or something else listens there. Nothing listens yet.
 */
int listener_claim(const char *path, struct listener *out, struct ioasidctl_error **err);

/*
 * Listens: on `passed`, or (-1) on a new socket at the path, after removing the one that a holder
 * left there which didn't end in order. Anything but a socket is never removed.
 */
int listener_open(struct listener *l, int passed, struct ioasidctl_error **err);

/*
 * Another holder's lock and listening socket, both taken over (-1: they didn't come), as the next
 * one has them; `passed`: by a service manager. Whoever has the lock's descriptor has the lock.
 * -EPROTO: they aren't what they should be.
 */
int listener_inherit(const char *path, int lock, int fd, bool passed, struct listener *out,
		     struct ioasidctl_error **err);
/* From now on this process is the one to be found there. */
int listener_own(const struct listener *l, struct ioasidctl_error **err);
/* Closes only: the socket is another process's. */
void listener_leave(struct listener *l);

/* Nobody can connect any more; those who have can still be accepted. */
void listener_hide(struct listener *l);

/* Closes, and removes socket and lock file. */
void listener_release(struct listener *l);
