/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loop's own state; internal to serve.c and clients.c. */
#pragma once

#include "holder/clock.h"
#include "holder/connection.h"
#include "holder/holder.h"
#include "holder/listener.h"
#include "holder/worker.h"

/* Against clients that stall, forget to close, or come in thousands. */
struct serve_limits {
	unsigned connections; /* in all */
	unsigned others; /* of them, of users who are neither root nor the holder's */
	unsigned each; /* of them, of one such user */
	uint64_t stall; /* ms that a client may take for a message, or for taking a reply */
	uint64_t first_client; /* ms that an `exit_idle` holder waits for its first client */
};

struct server {
	const struct holder_options *options;
	const struct serve_limits *limits;
	struct listener listener;
	struct worker *worker;
	int epoll;
	int signals; /* signalfd */
	struct connection **connections;
	size_t n_connections;
	uint64_t started; /* ms */
	uint64_t accept_again; /* ms: descriptors had run out; 0: accepting */
	int watch_fd; /* see work_watch_fd() */
	bool watching; /* it's waited for; its address stands for it in epoll */
	const char *missing_events; /* why there are no device events; NULL: there are */
	bool served; /* somebody has connected */
	bool stopping;
	/* Another holder takes over: nobody else is served until that has come to an end. */
	struct connection *successor; /* NULL: none, or it has gone and JOB_RECLAIM is on its way */
	bool paused;
	bool yielded; /* it has got everything */
	bool left; /* it has confirmed */
	struct predecessor *predecessor; /* the other side of this; NULL: none */
	bool serving; /* all is this holder's */
};

/* clients.c */
/* Accepts all that wait; false: nobody did. */
bool clients_accept(struct server *s);
void clients_event(struct server *s, struct connection *c, uint32_t events);
/* Sends what the worker has finished. */
void clients_answer(struct server *s);
/* Hands what has happened to those who follow. */
void clients_tell(struct server *s);
/* The last that they hear. */
void clients_end(struct server *s);
/* Closes those that are done or stalled. */
void clients_reap(struct server *s);
void clients_close_all(struct server *s);
/* ms: the first of their deadlines; UINT64_MAX: none. */
uint64_t clients_deadline(const struct server *s);

/* Those that came along from another holder, who has heard them already; takes over the array. */
void clients_inherit(struct server *s, int *fds, size_t n);
/* While paused, messages of others than the successor stay where they are; and are read again. */
void clients_pause(struct server *s, bool pause);

/*
 * successor.c: the old holder's side of a takeover. A call of TakeOver, whose job is taken over;
 * the job that `begin` or a cancellation made is done, before its reply is sent; the connection is
 * about to be closed.
 */
void successor_call(struct server *s, struct connection *c, struct job *job);
void successor_job_done(struct server *s, struct job *job);
void successor_gone(struct server *s, struct connection *c);
/* The holder is to end in the middle of it: tells it that nothing comes of it. */
void successor_refuse(struct server *s);

/* holder_serve() with limits of one's own. */
int serve(const struct holder_options *options, const struct serve_limits *limits,
	  struct ioasidctl_error **err);
