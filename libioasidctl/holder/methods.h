/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a message to a method: the one table of what can be called, by whom, with what. */
#pragma once

#include "base/error.h"
#include "holder/job.h"

/* What a message came to: an answer at once, a job for the worker, or the wish to follow what
 * happens. All owned; all NULL: out of memory. */
struct answer {
	char *text;
	size_t length;
	struct job *job;
	struct subscription *subscription;
};

/* Takes over what `message` holds. */
void methods_call(const struct peer *peer, struct varlink_message *message, struct answer *out);

/*
 * The message io.ioasidctl.Failed with these errors and, unless NULL, what had been done before
 * (stolen). NULL: out of memory.
 */
char *methods_failed(const struct ioasidctl_error *err, json_t *actions, size_t *length);

/* service.c: the methods of org.varlink.service. */
void service_get_info(const struct parameters *p, struct answer *out);
void service_get_description(const struct parameters *p, struct answer *out);
