/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A holder in a child process, behind a real socket in a directory of its own, and raw clients. */
#pragma once

#include <jansson.h>
#include <sys/types.h>

#include "holder/server.h"

struct test_holder {
	char directory[64];
	char socket[96];
	char log[96]; /* path of what it logged */
	struct holder_options options;
	struct serve_limits limits;
	pid_t pid;
};

/* A fresh directory that everybody may enter, and options that tests may change before the start.
 */
void test_holder_prepare(struct test_holder *h);
/* Returns once it listens. */
void test_holder_start(struct test_holder *h);
/* Sends the signal (0: none), waits for its end; the exit status: 0, or 1 with the error logged. */
int test_holder_end(struct test_holder *h, int signal);
/* Removes the directory with all that is left in it; a holder that still runs is killed. */
void test_holder_clean(struct test_holder *h);
/* Whether its log has that text. */
bool test_holder_logged(const struct test_holder *h, const char *text);

bool path_exists(const char *path);

/* Raw connections: what arrives late fails the test rather than hang it. */
int raw_connect(const struct test_holder *h);
void raw_send(int fd, const void *bytes, size_t length);
void raw_call(int fd, const char *method, json_t *parameters);
/* The next message, owned; NULL: the connection is closed. */
char *raw_receive(int fd);
json_t *raw_reply(int fd);
/* Call and reply in one; the reply as a whole. */
json_t *raw_ask(int fd, const char *method, json_t *parameters);
/* On a connection of its own. */
json_t *holder_ask(const struct test_holder *h, const char *method, json_t *parameters);

/* "a/b" of a JSON object, "a/0/b" through arrays; "" where there is no such string. */
const char *json_text_at(const json_t *json, const char *path);
/* The kind of the first error of a reply; "": it is none. */
const char *reply_kind(const json_t *reply);
/* The smallest config of that name. */
json_t *config_named(const char *name);
