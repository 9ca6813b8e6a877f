// SPDX-License-Identifier: LGPL-2.1-or-later
/* Another holder takes over: the loop's part of it. See takeover.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "holder/methods.h"
#include "holder/notify.h"
#include "holder/server.h"
#include "holder/takeover.h"

static void send_error(struct connection *c, const struct ioasidctl_error *err)
{
	size_t length;
	char *text = methods_failed(err, NULL, &length);

	connection_send(c, text, length, clock_ms());
}

static void refuse(struct connection *c, enum error_kind kind, const char *why)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	error_new(&err, kind, kind == ERROR_USAGE ? EINVAL : EBUSY, "%s", why);
	send_error(c, err);
}

static void submit(struct server *s, struct connection *c, struct job *job)
{
	if (c) {
		c->job = job;
		job->connection = c;
	}
	worker_submit(s->worker, job);
}

static void begin(struct server *s, struct connection *c, struct job *job)
{
	/* Jobs that came before this one are done first; no other can come after it. */
	s->successor = c;
	s->yielded = false;
	job->passed = s->listener.passed;
	clients_pause(s, true);
	submit(s, c, job);
}

/* What is said from now on, nobody hears: all that can be done is to go. */
static void confirm(struct server *s, struct connection *c)
{
	_cleanup_free_ char *state = NULL;
	size_t length;
	char *text = varlink_reply_text(false, NULL, &length);

	if (!text) {
		c->dead = true;
		return;
	}
	s->left = s->stopping = true;
	connection_send(c, text, length, clock_ms());
	if (asprintf(&state, "MAINPID=%d", (int)c->peer.pid) >= 0)
		notify_manager(state);
	else
		state = NULL;
	worker_leave(s->worker);
}

void successor_call(struct server *s, struct connection *c, struct job *job)
{
	const char *action = job->parameters.action;

	if (!strcmp(action, "begin") && !s->successor && !s->stopping) {
		begin(s, c, job);
		return;
	}
	if (!strcmp(action, "cancel") && c == s->successor) {
		job->kind = JOB_RECLAIM;
		submit(s, c, job);
		return;
	}
	if (!strcmp(action, "confirm") && c == s->successor && s->yielded)
		confirm(s, c);
	else if (!strcmp(action, "confirm") || !strcmp(action, "cancel"))
		refuse(c, ERROR_USAGE, "there is no takeover under way on this connection");
	else if (!strcmp(action, "begin"))
		refuse(c, ERROR_BUSY, "the holder is ending, or taken over already");
	else
		refuse(c, ERROR_USAGE, "TakeOver has the actions begin, confirm and cancel");
	job_free(job);
}

/* A connection that could go on elsewhere as if nothing had happened. */
static bool is_quiet(const struct server *s, const struct connection *c)
{
	return c != s->successor && connection_ready(c) && inbox_empty(&c->in);
}

/* The holder's own descriptors, whose places are empty, and connections behind all others. */
static int complete(const struct server *s, struct job *job)
{
	int *grown = reallocarray(job->fds, job->n_fds + s->n_connections, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	job->fds = grown;
	grown[TAKEOVER_SOCKET] = fcntl(s->listener.fd, F_DUPFD_CLOEXEC, 3);
	grown[TAKEOVER_LOCK] = fcntl(s->listener.lock, F_DUPFD_CLOEXEC, 3);
	if (grown[TAKEOVER_SOCKET] < 0 || grown[TAKEOVER_LOCK] < 0)
		return -EMFILE;
	for (size_t i = 0; i < s->n_connections; i++) {
		int copy = is_quiet(s, s->connections[i])
				   ? fcntl(s->connections[i]->fd, F_DUPFD_CLOEXEC, 3)
				   : -1;

		/* One that doesn't come along sees the end of this holder. */
		if (copy >= 0)
			grown[job->n_fds++] = copy;
	}
	return 0;
}

static void go_on(struct server *s)
{
	s->successor = NULL;
	s->yielded = false;
	clients_pause(s, false);
}

/* After JOB_TAKEOVER: without a successor JOB_RECLAIM is on its way. */
void successor_job_done(struct server *s, struct job *job)
{
	if (job->kind == JOB_RECLAIM) {
		go_on(s);
	} else if (!job->yields && s->successor) {
		go_on(s);
	} else if (job->yields && s->successor) {
		s->yielded = true;
		/* Without these it can do nothing but give up, and so it does. */
		if (complete(s, job))
			s->successor->dead = true;
	}
}

void successor_gone(struct server *s, struct connection *c)
{
	struct job *job;

	s->successor = NULL;
	if (s->left || (c->job && c->job->kind == JOB_RECLAIM))
		return;
	job = calloc(1, sizeof(*job));
	if (!job) {
		/* Nothing else can be done without memory than what comes at the end anyway. */
		worker_finish(s->worker, true);
		return;
	}
	job->kind = JOB_RECLAIM;
	submit(s, NULL, job);
}

void successor_refuse(struct server *s)
{
	if (!s->successor)
		return;
	if (s->successor->out) {
		/* It never got all that it would have to confirm. */
		s->successor->dead = true;
		return;
	}
	s->successor->ending = true;
	refuse(s->successor, ERROR_UNAVAILABLE, "the holder is ending");
}
