/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The work itself: jobs done on an engine and recorded in the journal. Everything here runs on one
 * thread, the worker's; nothing needs a lock.
 */
#pragma once

#include "base/error.h"
#include "holder/holder.h"
#include "holder/job.h"

struct event;
struct work;

/* Both are borrowed. Reads nothing but the machine description yet. */
struct journal;
int work_new(const struct holder_options *options, struct journal *journal, struct work **out,
	     struct ioasidctl_error **err);
void work_free(struct work *work);

/* Brings back what a holder before this one kept, cleans up what one that crashed left. */
void work_recover(struct work *work);

/*
 * Does the job and makes its reply. Between the operations of a transaction, jobs for which
 * work_can_overtake() may be run, and no others.
 */
void work_run(struct work *work, struct job *job);
bool work_can_overtake(const struct work *work, const struct job *job);

/*
 * What comes without a call: device events, requests, timers. The descriptor is readable while
 * work_look() has something to do; between the operations of a transaction it does what doesn't
 * concern the topology that is being changed, and work_must_look() tells if something was put off.
 */
int work_watch_fd(const struct work *work);
void work_look(struct work *work);
bool work_must_look(const struct work *work);
/* Why there are no device events; NULL: there are. */
const char *work_missing_events(const struct work *work);

/* Both before anything else: who takes over events, and what is done between operations. */
void work_set_publisher(struct work *work, void (*publish)(void *data, struct event *event),
			void *data);
void work_set_between(struct work *work, void (*between)(void *data), void *data);

/*
 * To another holder, in a process of its own. work_restore() makes all of `state` (what TakeOver
 * answered) and of `given` this holder's, the accounting of memory included, before the worker is
 * started; on failure only work_leave() and work_free() may follow. work_leave(): all that is held
 * belongs to another process, and is let go.
 */
struct descriptors;
int work_restore(struct work *work, const json_t *state, struct descriptors *given,
		 struct ioasidctl_error **err);
void work_leave(struct work *work);
/* Another holder had it, and it's this one's again, accounting included. */
void work_take_back(struct work *work);

size_t work_held(const struct work *work); /* number of topologies */

/* The end: topologies are left for the next holder, or removed. The first failure is returned. */
int work_end(struct work *work, bool keep, struct ioasidctl_error **err);
