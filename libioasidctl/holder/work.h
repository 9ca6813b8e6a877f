/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The work itself: jobs done on an engine and recorded in the journal. Everything here runs on one
 * thread, the worker's; nothing needs a lock.
 */
#pragma once

#include "base/error.h"
#include "holder/holder.h"
#include "holder/job.h"

struct work;

/* Both are borrowed. Reads nothing but the machine description yet. */
struct journal;
int work_new(const struct holder_options *options, struct journal *journal, struct work **out,
	     struct ioasidctl_error **err);
void work_free(struct work *work);

/* Brings back what a holder before this one kept, cleans up what one that crashed left. */
void work_recover(struct work *work);

/*
 * Does the job and makes its reply. `between` is called between the operations of a transaction:
 * there, jobs for which work_can_overtake() may be run, and no others.
 */
void work_run(struct work *work, struct job *job, void (*between)(void *data), void *data);
bool work_can_overtake(const struct work *work, const struct job *job);

size_t work_held(const struct work *work); /* number of topologies */

/* The end: topologies are left for the next holder, or removed. The first failure is returned. */
int work_end(struct work *work, bool keep, struct ioasidctl_error **err);
