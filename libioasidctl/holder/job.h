/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call on its way from the loop to the worker and back. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "holder/varlink.h"

struct connection;

/* Who is at the other end of a connection, as the kernel says (SO_PEERCRED). */
struct peer {
	uid_t uid;
	pid_t pid;
	bool trusted; /* root or the holder's own user */
};

/* FOLLOW never becomes a job: the loop does it. */
enum job_kind {
	JOB_APPLY,
	JOB_PLAN,
	JOB_SHOW,
	JOB_TRANSLATE,
	JOB_DELETE,
	JOB_INVALIDATE,
	JOB_DIRTY,
	JOB_FAULTS,
	JOB_TAKE,
	JOB_TAKEOVER,
	JOB_RECLAIM,
	JOB_FOLLOW
};

/* All parameters of all methods; strings borrowed from the message, NULL when absent. */
struct parameters {
	const char *config, *file, *driver, *machine, *name, *form, *interface;
	const char *object, *action, *range, *page_size, *device, *access, *answer, *mode;
	const json_t *entries, *iovas, *names; /* arrays of strings */
	json_int_t pasid; /* -1: absent */
	bool dry_run, verify, list, verbose, leaf, keep;
};

struct job {
	struct job *next;
	enum job_kind kind;
	struct peer peer;
	struct varlink_message message;
	struct parameters parameters;
	bool passed; /* TAKEOVER: the listening socket is a service manager's */
	atomic_bool cancel; /* nobody waits for it any more */
	struct connection *connection; /* whom to answer, for the loop alone; NULL: nobody */
	char *reply; /* the message to send; NULL: memory ran out */
	size_t reply_length;
	int *fds; /* to go with it; owned, and so are the descriptors */
	size_t n_fds;
	bool yields; /* the worker does nothing more until JOB_RECLAIM, or its end */
};

void job_free(struct job *job);
