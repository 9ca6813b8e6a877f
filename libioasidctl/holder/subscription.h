/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one client wants to be told, and what of it is still to be sent. The queue is bounded:
 * a client that doesn't take its events loses those that come when it is full, is told how many,
 * and costs nobody else anything.
 */
#pragma once

#include "holder/event.h"
#include "holder/job.h"

/* Of events that wait for one client. */
#define SUBSCRIPTION_EVENTS 256
#define SUBSCRIPTION_BYTES  (256 * 1024)

struct subscription;

/*
 * `names`: an array of names of topologies, a reference is taken; NULL or empty: everything that
 * the peer may see. NULL: out of memory.
 */
struct subscription *subscription_new(const struct peer *peer, json_t *names);
void subscription_free(struct subscription *s); /* NULL is fine */

/* Queues the event if the client is to see it. The reference stays the caller's. */
void subscription_add(struct subscription *s, struct event *event);
/* `n` events were lost before they came here. */
void subscription_lose(struct subscription *s, uint64_t n);
/* The next message to send, owned; NULL: nothing (or no memory for it now). */
char *subscription_next(struct subscription *s, size_t *length);
