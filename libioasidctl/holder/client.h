/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client side of the holder's socket. */
#pragma once

#include <jansson.h>

#include "base/error.h"

struct client;

/*
 * The socket's path: `option` (--socket) if given, else $IOASIDCTL_SOCKET, else
 * /run/ioasidctl/control for root and $XDG_RUNTIME_DIR/ioasidctl/control for others. *path owned.
 */
int client_socket_path(const char *option, char **path, struct ioasidctl_error **err);

/*
 * ERROR_UNAVAILABLE with -ENOENT or -ECONNREFUSED: nobody listens there. A holder that is just
 * starting or ending (its lock is taken) is waited for, a few seconds at most.
 */
int client_connect(const char *path, struct client **out, struct ioasidctl_error **err);
/* ERROR_PERMISSION: who listens there is neither this process's user nor root. */
int client_check_peer(const struct client *client, struct ioasidctl_error **err);
void client_free(struct client *client);
void client_freep(struct client **client);

/*
 * Calls a method of io.ioasidctl ("Apply") or, with a dot in it, of any interface. Steals
 * `parameters` (may be NULL). *reply: the reply's parameters, a new reference. A varlink error
 * io.ioasidctl.Failed becomes the errors it carries, positions and all; of a verbose call that
 * failed, *reply is set too and has its `actions`.
 */
int client_call(struct client *client, const char *method, json_t *parameters, json_t **reply,
		struct ioasidctl_error **err);

/*
 * The same of a method whose reply comes with descriptors: *fds in their order. The array and they
 * are the caller's, closed on exec; whether all have come that should is for the caller to see.
 */
int client_call_for_fds(struct client *client, const char *method, json_t *parameters,
			json_t **reply, int **fds, size_t *n_fds, struct ioasidctl_error **err);

/*
 * Calls "Take". Steals `parameters`. *reply as above; *fds: the descriptors that came with it, one
 * for each of its `names` and behind them the lease. The array and they are the caller's, closed
 * on exec. ERROR_PROTOCOL: some are missing.
 */
int client_take(struct client *client, json_t *parameters, json_t **reply, int **fds, size_t *n_fds,
		struct ioasidctl_error **err);

/*
 * Calls a method that goes on answering ("Monitor"). Steals `parameters` (may be NULL). `each` gets
 * the parameters of every reply, borrowed, until it returns something else than 0, which is then
 * returned; 0: the holder has sent its last reply. ERROR_UNAVAILABLE: it is gone without that.
 * out: where `each` writes to (-1: nowhere); -EPIPE without an error: its reader has gone.
 */
int client_follow(struct client *client, const char *method, json_t *parameters, int out,
		  int (*each)(void *data, const json_t *reply), void *data,
		  struct ioasidctl_error **err);
