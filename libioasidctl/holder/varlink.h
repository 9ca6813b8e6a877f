/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Varlink's framing and shape: JSON objects over a stream socket, each ended by a NUL byte. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/*
 * What one message may be. Our methods take flat parameters, so a call of more depth or more
 * values than these is an attempt to make the parser allocate.
 */
struct varlink_limits {
	size_t bytes;
	unsigned depth;
	unsigned values;
};

extern const struct varlink_limits varlink_limits_trusted; /* root and the holder's own user */
extern const struct varlink_limits varlink_limits_others;
extern const struct varlink_limits varlink_limits_reply; /* what a client takes from a holder */

/* Bytes received and not consumed yet. Zeroed: empty. */
struct inbox {
	char *data;
	size_t start, end; /* what is in it */
	size_t scanned; /* no NUL before here */
	size_t capacity;
};

/*
 * Room for more bytes behind those in it: *space and its size. It grows as bytes really arrive.
 * -E2BIG: a message past `limit` bytes; -ENOMEM.
 */
int inbox_room(struct inbox *in, size_t limit, char **space, size_t *room);
void inbox_received(struct inbox *in, size_t n);
/* The first complete message without its NUL, borrowed until inbox_drop(); false: none yet. */
bool inbox_message(struct inbox *in, const char **text, size_t *length);
/* Consumes that message and its NUL. */
void inbox_drop(struct inbox *in, size_t length);
bool inbox_empty(const struct inbox *in);
void inbox_done(struct inbox *in);

/* A call, or (`method` NULL) a reply. */
struct varlink_message {
	json_t *root; /* owned; the rest is borrowed from it */
	const char *method;
	const char *error; /* reply: name of the error; NULL: none */
	json_t *parameters; /* NULL: none */
	bool oneway, more, upgrade;
	bool continues;
};

/* Strict: unknown or mistyped members are errors (ERROR_PROTOCOL). */
int varlink_parse_call(const char *text, size_t length, const struct varlink_limits *limits,
		       struct varlink_message *out, struct ioasidctl_error **err);
int varlink_parse_reply(const char *text, size_t length, struct varlink_message *out,
			struct ioasidctl_error **err);
void varlink_message_done(struct varlink_message *message);
#define _cleanup_message_ __attribute__((cleanup(varlink_message_done)))

/*
 * Messages as they go over the wire, NUL included in *length; owned. `parameters` is stolen, NULL
 * stands for none. `more`: the call asks for several replies; `continues`: others will follow this
 * reply. NULL: out of memory, or text that isn't UTF-8.
 */
char *varlink_call_text(const char *method, bool more, json_t *parameters, size_t *length);
char *varlink_reply_text(bool continues, json_t *parameters, size_t *length);
char *varlink_error_text(const char *error, json_t *parameters, size_t *length);
