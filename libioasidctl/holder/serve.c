// SPDX-License-Identifier: LGPL-2.1-or-later
/* The holder's loop: one thread, one epoll; what takes time is the worker's (worker.h). */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "holder/journal.h"
#include "holder/notify.h"
#include "holder/server.h"
#include "holder/takeover.h"

#define EVENTS_AT_ONCE 64

static const struct serve_limits default_limits = {
	.connections = 256,
	.others = 128,
	.each = 16,
	.stall = 30 * 1000,
	.first_client = 30 * 1000,
};

static void say(const struct server *s, const char *what)
{
	_cleanup_free_ char *line = NULL;

	if (!s->options->log)
		return;
	if (asprintf(&line, "%s %s", what, s->listener.path) < 0)
		line = NULL;
	else
		s->options->log(s->options->log_data, line);
}

static void stop(struct server *s, bool keep)
{
	if (s->stopping)
		return;
	s->stopping = true;
	successor_refuse(s);
	notify_manager("STOPPING=1");
	say(s, keep ? "ending, topologies are kept:" : "ending:");
	/* Nobody gets in any more; those who wait at the door can go to the next holder. */
	listener_hide(&s->listener);
	(void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->listener.fd, NULL);
	worker_finish(s->worker, keep);
}

static void read_signals(struct server *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info))
		stop(s, s->options->keep);
}

static int watch(const struct server *s, int fd, const void *what)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = (void *)what};

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* Somebody came in the last moment: there must be a way in again. */
static void open_again(struct server *s)
{
	_cleanup_close_ int old = s->listener.fd;
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	s->listener.fd = -1;
	if (!listener_open(&s->listener, -1, &err) && !watch(s, s->listener.fd, &s->listener))
		return;
	if (s->options->log)
		s->options->log(s->options->log_data, err ? err->message : "can't listen again");
	stop(s, s->options->keep);
}

static bool is_idle(const struct server *s)
{
	size_t held;

	return !s->stopping && !s->paused && !s->n_connections && worker_idle(s->worker, &held) &&
	       !held && (s->served || clock_ms() >= s->started + s->limits->first_client);
}

static void stop_if_idle(struct server *s)
{
	if (!s->options->exit_idle || !is_idle(s) || clients_accept(s))
		return;
	listener_hide(&s->listener);
	/* Who connected between the two would otherwise talk to a holder that has gone. */
	if (clients_accept(s) && !s->listener.passed)
		open_again(s);
	else
		stop(s, false);
}

/* ms for epoll_wait() */
static int patience(const struct server *s)
{
	const uint64_t now = clock_ms();
	uint64_t until = clients_deadline(s);

	if (s->accept_again && s->accept_again < until)
		until = s->accept_again;
	if (s->options->exit_idle && !s->served && s->started + s->limits->first_client < until)
		until = s->started + s->limits->first_client;
	if (until == UINT64_MAX)
		return -1;
	if (until <= now)
		return 0;
	return until - now > INT_MAX ? INT_MAX : (int)(until - now);
}

static void accept_again_if_due(struct server *s)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &s->listener};

	if (!s->accept_again || clock_ms() < s->accept_again || s->stopping)
		return;
	s->accept_again = 0;
	(void)epoll_ctl(s->epoll, EPOLL_CTL_MOD, s->listener.fd, &event);
}

static void one_event(struct server *s, const struct epoll_event *event)
{
	if (event->data.ptr == &s->listener) {
		if (!s->stopping)
			clients_accept(s);
	} else if (event->data.ptr == &s->signals) {
		read_signals(s);
	} else if (event->data.ptr == &s->watching) {
		s->watching = false;
		worker_look(s->worker);
	} else if (event->data.ptr != &s->worker) {
		clients_event(s, event->data.ptr, event->events);
	}
}

/* Once for each time that something has become readable: the worker reads it, and may be busy. */
static void watch_again(struct server *s)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = &s->watching};

	if (s->watching || !worker_looked(s->worker))
		return;
	s->watching = !epoll_ctl(s->epoll, EPOLL_CTL_MOD, s->watch_fd, &event);
}

static void loop(struct server *s)
{
	struct epoll_event events[EVENTS_AT_ONCE];

	while (!worker_ended(s->worker)) {
		int n = epoll_wait(s->epoll, events, EVENTS_AT_ONCE, patience(s));

		for (int i = 0; i < n; i++)
			one_event(s, &events[i]);
		clients_answer(s);
		clients_tell(s);
		watch_again(s);
		clients_reap(s);
		accept_again_if_due(s);
		stop_if_idle(s);
	}
	/* The last answers were made just before the end, and the last events. */
	clients_answer(s);
	clients_tell(s);
	clients_end(s);
}

static void tell_ready(const struct holder_options *options)
{
	if (options->ready_fd >= 0) {
		(void)!write(options->ready_fd, "", 1);
		close(options->ready_fd);
	}
	notify_manager("READY=1");
}

static int prepare(struct server *s, struct ioasidctl_error **err)
{
	int ret = s->predecessor ? 0 : listener_open(&s->listener, s->options->listen_fd, err);

	if (ret)
		return ret;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0 || watch(s, s->listener.fd, &s->listener) ||
	    watch(s, s->signals, &s->signals))
		return error_new(err, ERROR_MEMORY, errno, "prepare to wait for events: %s",
				 strerror(errno));
	return 0;
}

static int run_worker(struct server *s, struct work *work, struct ioasidctl_error **err)
{
	int ret;

	s->watch_fd = work_watch_fd(work);
	s->missing_events = work_missing_events(work);
	ret = worker_start(work, &s->worker, err);
	if (ret)
		return ret;
	ret = watch(s, worker_event_fd(s->worker), &s->worker);
	if (!ret)
		ret = watch(s, s->watch_fd, &s->watching);
	if (ret) {
		error_new(err, ERROR_MEMORY, -ret, "prepare to wait for the worker: %s",
			  strerror(-ret));
		worker_finish(s->worker, true);
		(void)worker_join(s->worker, NULL);
		return ret;
	}
	say(s, s->predecessor ? "taken over:" : "listening at");
	if (s->predecessor) {
		size_t n;
		int *fds = predecessor_clients(s->predecessor, &n);

		clients_inherit(s, fds, n);
		predecessor_free(steal_pointer(s->predecessor));
	}
	tell_ready(s->options);
	s->started = clock_ms();
	loop(s);
	return worker_join(s->worker, err);
}

static void log_line(const struct server *s, const char *line)
{
	if (s->options->log)
		s->options->log(s->options->log_data, line);
}

/* Once this has succeeded, all is this holder's; if it fails, the other one's, as before. */
static int take_over(struct server *s, struct work *work, struct ioasidctl_error **err)
{
	_cleanup_error_ struct ioasidctl_error *unknown = NULL;
	struct predecessor *p = s->predecessor;
	bool killed = false;
	int ret = work_restore(work, predecessor_state(p), predecessor_given(p), err);

	if (!ret)
		ret = predecessor_confirm(p, &killed, err);
	else
		predecessor_cancel(p);
	if (ret) {
		work_leave(work);
		return ret;
	}
	if (killed)
		log_line(s, "the holder before this one was killed meanwhile: going on without it");
	/* There is nobody else any more: what others can't see of that is no reason to end. */
	if (listener_own(&s->listener, &unknown))
		log_line(s, unknown ? unknown->message : "out of memory");
	return 0;
}

static int run(struct server *s, struct journal *journal, struct ioasidctl_error **err)
{
	struct work *work;
	int ret = work_new(s->options, journal, &work, err);

	if (ret)
		return ret;
	ret = prepare(s, err);
	if (!ret && s->predecessor)
		ret = take_over(s, work, err);
	if (!ret) {
		s->serving = true;
		ret = run_worker(s, work, err);
	}
	work_free(work);
	return ret;
}

static int claim_and_run(struct server *s, struct ioasidctl_error **err)
{
	_cleanup_free_ char *path = NULL;
	struct journal *journal = NULL;
	int ret = listener_path(s->options->socket, s->options->listen_fd, &path, err);

	if (!ret)
		ret = s->options->take_over
			      ? predecessor_meet(path, &s->predecessor, &s->listener, err)
			      : listener_claim(path, &s->listener, err);
	if (ret)
		return ret;
	ret = journal_open(s->listener.path, &journal, err);
	if (!ret)
		ret = run(s, journal, err);
	clients_close_all(s);
	/* There is another holder, whose all this is: the one before, or the one after. */
	if (s->left || (s->options->take_over && !s->serving)) {
		journal_leave(journal);
		listener_leave(&s->listener);
	} else {
		journal_free(journal);
		listener_release(&s->listener);
	}
	predecessor_free(s->predecessor);
	return ret;
}

int serve(const struct holder_options *options, const struct serve_limits *limits,
	  struct ioasidctl_error **err)
{
	struct server s = {.options = options, .limits = limits, .epoll = -1, .signals = -1};
	struct signalfd_siginfo unread;
	sigset_t ours, before;
	int ret;

	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours,
		  SIGHUP); /* the terminal has gone; nohup makes it ignored, so it never comes */
	pthread_sigmask(SIG_BLOCK, &ours, &before);
	s.signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s.signals < 0)
		ret = error_new(err, ERROR_MEMORY, errno, "make a signalfd: %s", strerror(errno));
	else
		ret = claim_and_run(&s, err);
	/* A second Ctrl-C during the end must not kill the process that has ended well. */
	while (s.signals >= 0 && read(s.signals, &unread, sizeof(unread)) == sizeof(unread))
		;
	cleanup_close(&s.signals);
	cleanup_close(&s.epoll);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ret;
}

int holder_serve(const struct holder_options *options, struct ioasidctl_error **err)
{
	return serve(options, &default_limits, err);
}
