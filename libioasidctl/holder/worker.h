/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one thread that does the work. The rule that makes locks on the engine needless: this thread
 * alone touches the engine, the drivers, the reference machine and the journal. Jobs run in the
 * order of their submission; only, between two operations of a transaction, those Show and
 * Translate jobs are served that concern other topologies. The loop's thread shares nothing with it
 * but the two queues here and each job's `cancel`.
 */
#pragma once

#include "base/error.h"
#include "holder/job.h"
#include "holder/work.h"

struct worker;

/* Starts the thread; it recovers first. `work` is the thread's until worker_join(). */
int worker_start(struct work *work, struct worker **out, struct ioasidctl_error **err);

/* Readable while worker_done() has something, or the thread has ended. */
int worker_event_fd(const struct worker *worker);

/* Gives the job away until worker_done() returns it. */
void worker_submit(struct worker *worker, struct job *job);

/* Finished jobs, first one first, linked by `next`; NULL: none. Resets the event. */
struct job *worker_done(struct worker *worker);

/* No transaction is under way, nothing waits, and this many topologies are held. */
bool worker_idle(struct worker *worker, size_t *held);

/*
 * The end: cancels what runs, answers what waits (and what is still submitted) with an error,
 * keeps or removes the topologies.
 */
void worker_finish(struct worker *worker, bool keep);
bool worker_ended(struct worker *worker);

/* Waits for the end and frees the worker; the outcome of the end. */
int worker_join(struct worker *worker, struct ioasidctl_error **err);
