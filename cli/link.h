/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way to the holder. */
#pragma once

#include <jansson.h>

#include "holder/client.h"
#include "verb.h"

/* Connects if a holder listens; else *out is NULL and it's no error. */
int link_open(const struct invocation *in, struct client **out, struct ioasidctl_error **err);

/* Connects, and starts a holder first where none listens. */
int link_open_or_start(const struct invocation *in, struct client **out,
		       struct ioasidctl_error **err);

/*
 * Parameters of Apply and Plan: the file's text as it is, since the holder parses it, and what the
 * options say. *out is a new reference.
 */
int link_parameters(const struct invocation *in, const char *file, json_t **out,
		    struct ioasidctl_error **err);

/* client_call(), then prints the kernel actions that the holder lists for -v. */
int link_call(struct client *client, const char *method, json_t *parameters, json_t **reply,
	      struct ioasidctl_error **err);

/*
 * Follows what happens to topologies of these names (stolen; empty: to all), as client_follow(),
 * until the holder ends, which is an error, or the reader of standard output does, which ends this
 * program like any that writes into a broken pipe.
 */
int link_follow(struct client *client, json_t *names, int (*each)(void *data, const json_t *reply),
		void *data, struct ioasidctl_error **err);

/* ERROR_UNAVAILABLE: nobody listens at the socket, so nothing is held; and what was, if known. */
int link_nothing_held(const struct invocation *in, struct ioasidctl_error **err);

/* The same as a warning, if the last holder left something behind; else nothing is printed. */
void link_warn_of_leftovers(const struct invocation *in);
