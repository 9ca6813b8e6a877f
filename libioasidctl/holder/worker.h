/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one thread that does the work. The rule that makes locks on the engine needless: this thread
 * alone touches the engine, the drivers, the reference machine and the journal. Jobs run in the
 * order of their submission; only, between two operations of a transaction, those Show and
 * Translate jobs are served that concern other topologies, and what comes without a call
 * (work_look()). After a job that yields, it does nothing but JOB_RECLAIM, its way back. The loop's
 * thread shares nothing with it but the queues here and each job's
 * `cancel`.
 */
#pragma once

#include "base/error.h"
#include "holder/job.h"
#include "holder/work.h"

struct worker;

/* Starts the thread; it recovers first. `work` is the thread's until worker_join(). */
int worker_start(struct work *work, struct worker **out, struct ioasidctl_error **err);

/* Readable while worker_done() or worker_events() has something, or the thread has ended. */
int worker_event_fd(const struct worker *worker);

/* Gives the job away until worker_done() returns it. */
void worker_submit(struct worker *worker, struct job *job);

/* Finished jobs, first one first, linked by `next`; NULL: none. Resets the event. */
struct job *worker_done(struct worker *worker);

/*
 * work_watch_fd() is readable: the thread is to look, as soon as it can. worker_looked(): it has,
 * so that it makes sense to wait for that descriptor again.
 */
void worker_look(struct worker *worker);
bool worker_looked(struct worker *worker);

/* Events to be told, first one first, linked by `next`; *lost: those that there was no room for. */
struct event *worker_events(struct worker *worker, uint64_t *lost);

/* No transaction is under way, nothing waits, and this many topologies are held. */
bool worker_idle(struct worker *worker, size_t *held);

/*
 * The end: cancels what runs, answers what waits (and what is still submitted) with an error,
 * keeps or removes the topologies.
 */
void worker_finish(struct worker *worker, bool keep);
/* The end of one that has yielded: all belongs to another process now. */
void worker_leave(struct worker *worker);
bool worker_ended(struct worker *worker);

/* Waits for the end and frees the worker; the outcome of the end. */
int worker_join(struct worker *worker, struct ioasidctl_error **err);
