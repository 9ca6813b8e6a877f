// SPDX-License-Identifier: LGPL-2.1-or-later
/* The holder's clients: coming, calling, going. Whatever one does, the others don't notice. */
#include <errno.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "holder/event.h"
#include "holder/methods.h"
#include "holder/server.h"
#include "report/event.h"

#define ACCEPT_PAUSE 200 /* ms, while descriptors or memory are short */
#define LARGE	     65536 /* bytes of a reply */

static void update_events(struct server *s, struct connection *c)
{
	struct epoll_event event = {.events = connection_wanted(c), .data.ptr = c};

	if (s->paused && c != s->successor)
		event.events &= ~(uint32_t)EPOLLIN;

	if (c->dead || event.events == c->events)
		return;
	c->events = event.events;
	if (epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &event))
		c->dead = true;
}

/* The last words to a client that we can't go on with. */
static void send_last(struct connection *c, const struct ioasidctl_error *err, uint64_t now)
{
	size_t length;
	char *text = methods_failed(err, NULL, &length);

	c->ending = true;
	connection_send(c, text, length, now);
}

static const char *too_many(const struct server *s, const struct connection *c)
{
	size_t others = 0, same = 0;

	for (size_t i = 0; i < s->n_connections; i++) {
		others += !s->connections[i]->peer.trusted;
		same += s->connections[i]->peer.uid == c->peer.uid;
	}
	if (s->n_connections >= s->limits->connections)
		return "the holder has as many clients as it can serve";
	if (c->peer.trusted)
		return NULL;
	if (others >= s->limits->others)
		return "the holder serves as many other users' clients as it can";
	return same >= s->limits->each ? "this user has as many connections as one may" : NULL;
}

static int add_client(struct server *s, struct connection *c)
{
	struct epoll_event event = {.events = connection_wanted(c), .data.ptr = c};
	struct connection **grown =
		reallocarray(s->connections, s->n_connections + 1, sizeof(struct connection *));

	if (!grown)
		return -ENOMEM;
	s->connections = grown;
	c->events = event.events;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, c->fd, &event))
		return -errno;
	s->connections[s->n_connections++] = c;
	return 0;
}

static void admit(struct server *s, int fd, uint64_t now)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct connection *c = connection_new(fd, now);
	const char *why;

	if (!c)
		return;
	s->served = true;
	why = too_many(s, c);
	if (why) {
		error_new(&err, ERROR_BUSY, EBUSY, "%s", why);
		error_hint(&err, "try again later");
		send_last(c, err, now);
		connection_free(c);
	} else if (add_client(s, c)) {
		connection_free(c);
	}
}

static void pause_accepting(struct server *s, uint64_t now)
{
	struct epoll_event none = {.events = 0, .data.ptr = &s->listener};

	/* The listener stays readable: without this the loop would spin. */
	if (!epoll_ctl(s->epoll, EPOLL_CTL_MOD, s->listener.fd, &none))
		s->accept_again = now + ACCEPT_PAUSE;
}

bool clients_accept(struct server *s)
{
	bool any = false;

	for (;;) {
		int fd = accept4(s->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			admit(s, fd, clock_ms());
			any = true;
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			   errno == ENOBUFS) {
			pause_accepting(s, clock_ms());
			return true;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			return any;
		}
	}
}

static void handle_job(struct server *s, struct connection *c, struct job *job, bool oneway)
{
	if (job->kind == JOB_TAKEOVER) {
		successor_call(s, c, job);
		return;
	}
	if (oneway && job->kind == JOB_SHOW) {
		job_free(job);
		return;
	}
	/* Nobody waits for a one-way call, so a client that has gone doesn't undo it. */
	if (!oneway) {
		c->job = job;
		job->connection = c;
	}
	worker_submit(s->worker, job);
}

/* The first event tells from when on events are told, and whether some kind is missing. */
static void begin_to_follow(const struct server *s, struct connection *c,
			    struct subscription *subscription)
{
	struct event_record record = event_record(EVENT_MONITORING);
	struct event *event;

	record.pid = (uint64_t)getpid();
	record.message = s->missing_events;
	event = event_new(report_event(&record), NULL, 0, true);
	c->subscription = subscription;
	if (!event) {
		c->dead = true;
		return;
	}
	event->everybody = true;
	subscription_add(subscription, event);
	event_unref(event);
	connection_pump(c, clock_ms());
}

static void handle_message(struct server *s, struct connection *c, const char *text, size_t length)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	_cleanup_message_ struct varlink_message message = {0};
	const uint64_t now = clock_ms();
	struct answer answer;
	bool oneway;

	c->talked = true;
	if (varlink_parse_call(text, length, connection_limits(c), &message, &err)) {
		send_last(c, err, now);
		return;
	}
	inbox_drop(&c->in, length);
	c->since = now;
	oneway = message.oneway;
	methods_call(&c->peer, &message, &answer);
	if (answer.subscription)
		begin_to_follow(s, c, answer.subscription);
	else if (answer.job)
		handle_job(s, c, answer.job, oneway);
	else if (oneway)
		free(answer.text);
	else
		connection_send(c, answer.text, answer.length, now);
}

static void handle_messages(struct server *s, struct connection *c)
{
	const char *text;
	size_t length;

	while (connection_ready(c) && (!s->paused || c == s->successor) &&
	       inbox_message(&c->in, &text, &length))
		handle_message(s, c, text, length);
	update_events(s, c);
}

static void receive(struct server *s, struct connection *c)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	const uint64_t now = clock_ms();

	if (connection_receive(c, now) != -E2BIG) {
		handle_messages(s, c);
		return;
	}
	error_new(&err, ERROR_PROTOCOL, EMSGSIZE, "a message of more than %zu bytes",
		  connection_limits(c)->bytes);
	error_cause(&err, "this is the most that the holder takes from user id %u",
		    (unsigned)c->peer.uid);
	send_last(c, err, now);
	update_events(s, c);
}

void clients_event(struct server *s, struct connection *c, uint32_t events)
{
	if (c->dead)
		return;
	if (events & EPOLLOUT) {
		connection_flush(c, clock_ms());
		connection_pump(c, clock_ms());
		handle_messages(s, c);
	} else if (events & EPOLLIN) {
		receive(s, c);
	} else if (events & (EPOLLHUP | EPOLLERR)) {
		/* Gone, or (half of a call under way) not interested any more. */
		c->dead = true;
	}
}

/* What was needed for many megabytes of config would stay the heap's for good otherwise. */
static void give_memory_back(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

void clients_answer(struct server *s)
{
	struct job *job = worker_done(s->worker);
	bool much = false;

	while (job) {
		struct job *next = job->next;
		struct connection *c = job->connection;

		if (job->kind == JOB_TAKEOVER || job->kind == JOB_RECLAIM)
			successor_job_done(s, job);
		if (c) {
			c->job = NULL;
			connection_add_fds(c, steal_pointer(job->fds), job->n_fds);
			job->n_fds = 0;
			connection_send(c, steal_pointer(job->reply), job->reply_length,
					clock_ms());
			handle_messages(s, c);
		}
		much = much || job->kind != JOB_SHOW || job->reply_length > LARGE;
		job_free(job);
		job = next;
	}
	if (much)
		give_memory_back();
}

static void tell(struct server *s, struct event *event)
{
	for (size_t i = 0; i < s->n_connections; i++)
		if (s->connections[i]->subscription)
			subscription_add(s->connections[i]->subscription, event);
}

static void pump_all(struct server *s)
{
	for (size_t i = 0; i < s->n_connections; i++)
		if (s->connections[i]->subscription) {
			connection_pump(s->connections[i], clock_ms());
			update_events(s, s->connections[i]);
		}
}

void clients_tell(struct server *s)
{
	uint64_t lost;
	struct event *event = worker_events(s->worker, &lost);

	if (!event && !lost)
		return;
	while (event) {
		struct event *next = event->next;

		tell(s, event);
		event_unref(event);
		event = next;
	}
	for (size_t i = 0; lost && i < s->n_connections; i++)
		if (s->connections[i]->subscription)
			subscription_lose(s->connections[i]->subscription, lost);
	pump_all(s);
}

void clients_end(struct server *s)
{
	const struct event_record record = event_record(EVENT_ENDING);
	struct event *event = event_new(report_event(&record), NULL, 0, false);

	if (!event)
		return;
	event->everybody = true;
	tell(s, event);
	event_unref(event);
	pump_all(s);
}

static void drop(struct server *s, size_t i)
{
	struct connection *c = s->connections[i];

	if (c == s->successor)
		successor_gone(s, c);
	if (c->job) {
		c->job->connection = NULL;
		c->job->cancel = true;
	}
	connection_free(c);
	s->connections[i] = s->connections[--s->n_connections];
}

/* Others wait for the one that takes over, and for nothing of theirs. */
static uint64_t deadline(const struct server *s, const struct connection *c)
{
	if (c == s->successor)
		return c->job ? UINT64_MAX : c->since + s->limits->stall;
	return s->paused ? UINT64_MAX : connection_deadline(c, s->limits->stall);
}

void clients_reap(struct server *s)
{
	const uint64_t now = clock_ms();

	for (size_t i = s->n_connections; i-- > 0;)
		if (s->connections[i]->dead || deadline(s, s->connections[i]) <= now)
			drop(s, i);
}

void clients_inherit(struct server *s, int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct connection *c = connection_new(fds[i], clock_ms());

		if (c)
			c->talked = true;
		if (c && add_client(s, c))
			connection_free(c);
		s->served = true;
	}
	free(fds);
}

void clients_pause(struct server *s, bool pause)
{
	struct epoll_event event = {.events = pause ? 0 : EPOLLIN, .data.ptr = &s->listener};

	s->paused = pause;
	s->accept_again = 0;
	(void)epoll_ctl(s->epoll, EPOLL_CTL_MOD, s->listener.fd, &event);
	for (size_t i = 0; i < s->n_connections; i++)
		if (pause)
			update_events(s, s->connections[i]);
		else
			handle_messages(s, s->connections[i]);
}

void clients_close_all(struct server *s)
{
	/* The worker that would take everything back has ended. */
	s->successor = NULL;
	while (s->n_connections)
		drop(s, s->n_connections - 1);
	free(s->connections);
	s->connections = NULL;
}

uint64_t clients_deadline(const struct server *s)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < s->n_connections; i++) {
		uint64_t d = deadline(s, s->connections[i]);

		first = d < first ? d : first;
	}
	return first;
}
