/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One holder takes over all that another one holds, while that one runs:
 *
 *	new				old
 *	TakeOver begin
 *					does nothing else any more: clients wait
 *					sends what it knows, and all descriptors
 *	makes its own of them,
 *	has the pinned memory
 *	accounted to itself
 *	TakeOver confirm
 *					ends, without a call to the kernel
 *	serves
 *
 * Until the confirmation the old one goes on if anything fails, or the new one goes: it has the
 * accounting set back, and serves those who waited. The listening socket, the lock of the socket
 * and the connections that are idle change hands, too.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/descriptors.h"
#include "base/error.h"
#include "holder/listener.h"

#define TAKEOVER_VERSION 1

/* The first descriptors of the reply, before those of topologies. Behind all that have names come
 * connections. */
enum takeover_own { TAKEOVER_SOCKET, TAKEOVER_LOCK, TAKEOVER_OWN };
extern const char *const takeover_own_names[TAKEOVER_OWN];

/* The holder to take over from. */
struct predecessor;

/*
 * Asks the holder at `path` for all that it has. *listener is what it listened with; `state` and
 * `given` of predecessor_state() belong to the predecessor. Refused: it is another user's.
 */
int predecessor_meet(const char *path, struct predecessor **out, struct listener *listener,
		     struct ioasidctl_error **err);
const json_t *predecessor_state(const struct predecessor *p);
struct descriptors *predecessor_given(struct predecessor *p);

/*
 * From here on this process is the holder. 0 also if the old one was killed meanwhile, *killed.
 * Else it goes on, and this one must not.
 */
int predecessor_confirm(struct predecessor *p, bool *killed, struct ioasidctl_error **err);
/* Tells it to go on, and waits until it has the accounting back. Everything is given back before
 * by closing it. */
void predecessor_cancel(struct predecessor *p);
/* The connections that came along; the array is the caller's, and so are they. */
int *predecessor_clients(struct predecessor *p, size_t *n);
void predecessor_free(struct predecessor *p); /* NULL is fine */
