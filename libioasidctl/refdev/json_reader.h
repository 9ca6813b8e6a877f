/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Strict reading of JSON objects: every key must be known, every value of the type that is asked
 * for, and the first fault is kept with its path.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define READER_DEPTH 8

struct reader {
	char *why; /* the first fault; NULL: none so far */
	bool no_memory;
	/* Where we are: `index` counts where key names an array, else it is -1. */
	struct {
		const char *key;
		long index;
	} path[READER_DEPTH];
	size_t depth;
};

/* Steps into and out of a value, for messages. */
void reader_enter(struct reader *r, const char *key, long index);
void reader_leave(struct reader *r);

/* Records "PATH.key: text". Returns -EINVAL, or -ENOMEM. key may be NULL: the path itself. */
int reader_fail(struct reader *r, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Refuses a value that isn't an object, or has keys outside `known` (NULL-terminated). */
int reader_object(struct reader *r, const json_t *object, const char *const known[]);

/*
 * Each reads one key and leaves *out alone when it's absent, which is a fault if `required`.
 * null counts as absent.
 */
int reader_bool(struct reader *r, const json_t *object, const char *key, bool *out);
int reader_integer(struct reader *r, const json_t *object, const char *key, bool required,
		   uint32_t low, uint32_t high, uint32_t *out);
/* A string of 1 to size - 1 printable ASCII characters without spaces. */
int reader_text(struct reader *r, const json_t *object, const char *key, bool required, char *out,
		size_t size);
/* A string that number_parse() takes: "0x1000", "4K". */
int reader_number(struct reader *r, const json_t *object, const char *key, bool required,
		  uint64_t *out);
/* *out borrowed, NULL when absent; at most `limit` elements. */
int reader_array(struct reader *r, const json_t *object, const char *key, size_t limit,
		 json_t **out);
