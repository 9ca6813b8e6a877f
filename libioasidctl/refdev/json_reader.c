// SPDX-License-Identifier: LGPL-2.1-or-later
#include "refdev/json_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"

void reader_enter(struct reader *r, const char *key, long index)
{
	if (r->depth < READER_DEPTH) {
		r->path[r->depth].key = key;
		r->path[r->depth].index = index;
	}
	r->depth++;
}

void reader_leave(struct reader *r)
{
	r->depth--;
}

static void write_path(const struct reader *r, const char *key, FILE *out)
{
	const char *dot = "";

	for (size_t i = 0; i < r->depth && i < READER_DEPTH; i++) {
		fprintf(out, "%s%s", dot, r->path[i].key);
		if (r->path[i].index >= 0)
			fprintf(out, "[%ld]", r->path[i].index);
		dot = ".";
	}
	if (key)
		fprintf(out, "%s%.64s", dot, key);
}

int reader_fail(struct reader *r, const char *key, const char *fmt, ...)
{
	size_t size;
	va_list args;
	FILE *out;

	if (r->why || r->no_memory)
		return r->no_memory ? -ENOMEM : -EINVAL;
	out = open_memstream(&r->why, &size);
	if (!out) {
		r->no_memory = true;
		return -ENOMEM;
	}
	write_path(r, key, out);
	if (r->depth || key)
		fputs(": ", out);
	va_start(args, fmt);
	vfprintf(out, fmt, args);
	va_end(args);
	if (fclose(out)) {
		free(r->why);
		r->why = NULL;
		r->no_memory = true;
		return -ENOMEM;
	}
	return -EINVAL;
}

static bool is_known(const char *key, const char *const known[])
{
	for (; *known; known++)
		if (!strcmp(key, *known))
			return true;
	return false;
}

int reader_object(struct reader *r, const json_t *object, const char *const known[])
{
	void *at;

	if (!json_is_object(object))
		return reader_fail(r, NULL, "expected an object");
	for (at = json_object_iter((json_t *)object); at;
	     at = json_object_iter_next((json_t *)object, at))
		if (!is_known(json_object_iter_key(at), known))
			return reader_fail(r, json_object_iter_key(at), "unknown key");
	return 0;
}

/* 1: there it is; 0: absent, and may be; negative: absent, and must not. */
static int get(struct reader *r, const json_t *object, const char *key, bool required,
	       json_t **value)
{
	*value = json_object_get(object, key);
	if (*value && !json_is_null(*value))
		return 1;
	return required ? reader_fail(r, key, "is required") : 0;
}

int reader_bool(struct reader *r, const json_t *object, const char *key, bool *out)
{
	json_t *value;

	if (get(r, object, key, false, &value) <= 0)
		return 0;
	if (!json_is_boolean(value))
		return reader_fail(r, key, "expected true or false");
	*out = json_is_true(value);
	return 0;
}

int reader_integer(struct reader *r, const json_t *object, const char *key, bool required,
		   uint32_t low, uint32_t high, uint32_t *out)
{
	json_t *value;
	json_int_t number;
	int ret = get(r, object, key, required, &value);

	if (ret <= 0)
		return ret;
	number = json_integer_value(value);
	if (json_is_integer(value) && number >= low && number <= high) {
		*out = (uint32_t)number;
		return 0;
	}
	if (low == high)
		return reader_fail(r, key, "expected %" PRIu32, low);
	return reader_fail(r, key, "expected an integer from %" PRIu32 " to %" PRIu32, low, high);
}

int reader_text(struct reader *r, const json_t *object, const char *key, bool required, char *out,
		size_t size)
{
	json_t *value;
	const char *text;
	int ret = get(r, object, key, required, &value);

	if (ret <= 0)
		return ret;
	text = json_string_value(value);
	if (!text || !*text || strlen(text) >= size || strlen(text) != json_string_length(value))
		return reader_fail(r, key, "expected a string of 1 to %zu characters", size - 1);
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~')
			return reader_fail(r, key,
					   "expected printable ASCII characters without spaces");
	snprintf(out, size, "%s", text);
	return 0;
}

int reader_number(struct reader *r, const json_t *object, const char *key, bool required,
		  uint64_t *out)
{
	json_t *value;
	const char *text;
	int ret = get(r, object, key, required, &value);

	if (ret <= 0)
		return ret;
	text = json_string_value(value);
	if (!text || number_parse(text, out))
		return reader_fail(r, key,
				   "expected a number in a string, like \"0x1000\" or \"4K\"");
	return 0;
}

int reader_array(struct reader *r, const json_t *object, const char *key, size_t limit,
		 json_t **out)
{
	int ret = get(r, object, key, false, out);

	if (ret <= 0) {
		*out = NULL;
		return ret;
	}
	if (!json_is_array(*out))
		return reader_fail(r, key, "expected an array");
	if (json_array_size(*out) > limit)
		return reader_fail(r, key, "more than %zu elements", limit);
	return 0;
}
