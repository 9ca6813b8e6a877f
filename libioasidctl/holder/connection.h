/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One client: bytes in, bytes out, never blocking. A connection has at most one call under way;
 * further messages wait in its inbox, and beyond that in the client's own send buffer.
 */
#pragma once

#include <stdint.h>

#include "holder/job.h"
#include "holder/subscription.h"
#include "holder/varlink.h"

/* What the kernel takes at once (SCM_MAX_FD). */
#define CONNECTION_FDS_MAX 253

struct connection {
	int fd;
	struct peer peer;
	struct inbox in;
	char *out; /* what is left to send; NULL: nothing */
	size_t out_length, out_sent;
	/* To go with it, [fds_sent, n_fds) still; owned, and so are the descriptors. */
	int *fds;
	size_t n_fds, fds_sent;
	struct job *job; /* under way; the worker owns it */
	struct subscription *subscription; /* the last call asked for events; NULL: it didn't */
	uint64_t since; /* ms: when it last did what is expected of it */
	uint32_t events; /* what epoll was asked for */
	bool talked; /* a whole message has come */
	bool ending; /* close once all is sent */
	bool dead;
};

/* Takes over fd, also when it fails. NULL: out of memory, or the peer is unknown. */
struct connection *connection_new(int fd, uint64_t now);
void connection_free(struct connection *c);

/* What epoll should wait for: EPOLLIN only while a message could be handled. */
uint32_t connection_wanted(const struct connection *c);

/* Reads what is there, marking the connection dead at its end. -E2BIG: a message too long. */
int connection_receive(struct connection *c, uint64_t now);
/* Sends `text` (taken over) after what is being sent already; NULL: memory ran out, so it ends. */
void connection_send(struct connection *c, char *text, size_t length, uint64_t now);
/*
 * Has these go with what is sent next, in their order; takes over both the array and the
 * descriptors. Those that a byte can't carry go with the next one, so there must be enough bytes.
 */
void connection_add_fds(struct connection *c, int *fds, size_t n);
void connection_flush(struct connection *c, uint64_t now);

/* Sends what its subscription has, as far as the client takes it. */
void connection_pump(struct connection *c, uint64_t now);

/* Ready for the next call: nothing under way, all sent. */
bool connection_ready(const struct connection *c);
const struct varlink_limits *connection_limits(const struct connection *c);

/*
 * When it must have gone on, in ms, `stall` after it last did: it says nothing at all, stopped in
 * the middle of a message, or doesn't take its reply. UINT64_MAX: it may be silent. Who follows
 * may take its time: what piles up is bounded.
 */
uint64_t connection_deadline(const struct connection *c, uint64_t stall);
