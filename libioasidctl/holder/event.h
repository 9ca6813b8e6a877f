/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Something that happened, on its way from the worker to those who follow. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct event {
	struct event *next; /* in the worker's queue */
	unsigned references; /* counted by one thread at a time: the worker's, then the loop's */
	char *topology; /* NULL: of none */
	uid_t owner; /* of the topology: who may see it besides the trusted */
	bool everybody; /* about the following itself, so that nobody must miss it */
	size_t length;
	char *text; /* the whole message, NUL included */
};

/*
 * Of an event object (stolen; NULL stands for no memory). `topology` NULL: of none. `continues`:
 * more will follow. NULL: out of memory.
 */
struct event *event_new(json_t *json, const char *topology, uid_t owner, bool continues);
struct event *event_ref(struct event *event);
void event_unref(struct event *event); /* NULL is fine */
