// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/varlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

#define INBOX_FIRST 4096
#define INBOX_KEPT  65536

/* A dump nests topologies, fds, ioasids, mappings; its size is only bounded by sense. */
#define REPLY_BYTES ((size_t)1 << 30)

const struct varlink_limits varlink_limits_trusted = {(size_t)64 << 20, 16, 256};
const struct varlink_limits varlink_limits_others = {(size_t)64 << 10, 16, 256};
const struct varlink_limits varlink_limits_reply = {REPLY_BYTES, 64, UINT32_MAX};

static void inbox_compact(struct inbox *in)
{
	if (!in->start)
		return;
	memmove(in->data, in->data + in->start, in->end - in->start);
	in->end -= in->start;
	in->scanned -= in->start;
	in->start = 0;
}

int inbox_room(struct inbox *in, size_t limit, char **space, size_t *room)
{
	size_t capacity = in->capacity ? in->capacity * 2 : INBOX_FIRST;
	char *grown;

	inbox_compact(in);
	if (in->end == in->capacity) {
		/* One byte past the limit, for the NUL of the longest message allowed. */
		if (in->end > limit)
			return -E2BIG;
		if (capacity > limit + 1)
			capacity = limit + 1;
		grown = realloc(in->data, capacity);
		if (!grown)
			return -ENOMEM;
		in->data = grown;
		in->capacity = capacity;
	}
	*space = in->data + in->end;
	*room = in->capacity - in->end;
	return 0;
}

void inbox_received(struct inbox *in, size_t n)
{
	in->end += n;
}

bool inbox_message(struct inbox *in, const char **text, size_t *length)
{
	const char *nul;

	if (in->scanned == in->end)
		return false;
	nul = memchr(in->data + in->scanned, 0, in->end - in->scanned);
	if (!nul) {
		in->scanned = in->end;
		return false;
	}
	in->scanned = (size_t)(nul - in->data);
	*text = in->data + in->start;
	*length = in->scanned - in->start;
	return true;
}

void inbox_drop(struct inbox *in, size_t length)
{
	in->start += length + 1;
	in->scanned = in->start;
	if (in->start < in->end)
		return;
	in->start = in->end = in->scanned = 0;
	if (in->capacity > INBOX_KEPT)
		inbox_done(in);
}

bool inbox_empty(const struct inbox *in)
{
	return in->start == in->end;
}

void inbox_done(struct inbox *in)
{
	free(in->data);
	*in = (struct inbox){0};
}

/*
 * Counts depth and values before jansson builds anything: a value costs it many times the byte
 * that asks for it.
 */
static int check_shape(const char *text, size_t length, const struct varlink_limits *limits)
{
	unsigned depth = 0, values = 1;
	bool in_string = false;

	for (size_t i = 0; i < length; i++) {
		if (in_string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				in_string = false;
			continue;
		}
		if (text[i] == '"')
			in_string = true;
		else if (text[i] == '{' || text[i] == '[')
			depth++;
		else if ((text[i] == '}' || text[i] == ']') && depth)
			depth--;
		else if (text[i] == ',' || text[i] == ':')
			values++;
		if (depth > limits->depth || values > limits->values)
			return -E2BIG;
	}
	return 0;
}

static int not_a_message(struct ioasidctl_error **err, const char *cause)
{
	int ret = error_new(err, ERROR_PROTOCOL, EPROTO, "this is not a varlink message");

	error_cause(err, "%s", cause);
	return ret;
}

enum member_type { MEMBER_TEXT, MEMBER_OBJECT, MEMBER_BOOL };

struct member {
	const char *name;
	enum member_type type;
	size_t offset;
};

static const struct member call_members[] = {
	{"method", MEMBER_TEXT, offsetof(struct varlink_message, method)},
	{"parameters", MEMBER_OBJECT, offsetof(struct varlink_message, parameters)},
	{"oneway", MEMBER_BOOL, offsetof(struct varlink_message, oneway)},
	{"more", MEMBER_BOOL, offsetof(struct varlink_message, more)},
	{"upgrade", MEMBER_BOOL, offsetof(struct varlink_message, upgrade)},
	{NULL, 0, 0},
};

static const struct member reply_members[] = {
	{"parameters", MEMBER_OBJECT, offsetof(struct varlink_message, parameters)},
	{"error", MEMBER_TEXT, offsetof(struct varlink_message, error)},
	{"continues", MEMBER_BOOL, offsetof(struct varlink_message, continues)},
	{NULL, 0, 0},
};

static bool take_member(struct varlink_message *out, const struct member *m, json_t *value)
{
	char *at = (char *)out + m->offset;

	if (json_is_null(value))
		return true;
	switch (m->type) {
	case MEMBER_TEXT:
		*(const char **)at = json_string_value(value);
		return json_is_string(value);
	case MEMBER_OBJECT:
		*(json_t **)at = value;
		return json_is_object(value);
	case MEMBER_BOOL:
		*(bool *)at = json_is_true(value);
		return json_is_boolean(value);
	}
	return false;
}

static int parse(const char *text, size_t length, const struct varlink_limits *limits,
		 const struct member *members, struct varlink_message *out,
		 struct ioasidctl_error **err)
{
	_cleanup_message_ struct varlink_message message = {0};
	json_error_t fault;
	const char *key;
	json_t *value;
	int ret;

	if (check_shape(text, length, limits))
		return not_a_message(err, "it is nested too deeply, or has too many values");
	ret = json_read(text, length, &message.root, &fault);
	if (ret)
		return ret == -ENOMEM ? error_nomem(err) : not_a_message(err, fault.text);
	if (!json_is_object(message.root))
		return not_a_message(err, "it is not a JSON object");
	json_object_foreach (message.root, key, value) {
		const struct member *m = members;

		while (m->name && strcmp(m->name, key))
			m++;
		if (!m->name)
			return not_a_message(err, "it has an unknown member");
		if (!take_member(&message, m, value))
			return not_a_message(err, "a member is of the wrong type");
	}
	*out = message;
	message = (struct varlink_message){0};
	return 0;
}

int varlink_parse_call(const char *text, size_t length, const struct varlink_limits *limits,
		       struct varlink_message *out, struct ioasidctl_error **err)
{
	int ret = parse(text, length, limits, call_members, out, err);

	if (ret || out->method)
		return ret;
	varlink_message_done(out);
	return not_a_message(err, "it names no method");
}

int varlink_parse_reply(const char *text, size_t length, struct varlink_message *out,
			struct ioasidctl_error **err)
{
	return parse(text, length, &varlink_limits_reply, reply_members, out, err);
}

void varlink_message_done(struct varlink_message *message)
{
	json_decref(message->root);
	*message = (struct varlink_message){0};
}

/* `root`, with the parameters in it. Steals both. */
static char *message_text(json_t *root, json_t *parameters, size_t *length)
{
	char *text = NULL;

	if (!json_object_set_new(root, "parameters",
				 parameters ? json_incref(parameters) : json_object()))
		text = json_dumps(root, JSON_COMPACT);
	if (text)
		*length = strlen(text) + 1;
	json_decref(parameters);
	json_decref(root);
	return text;
}

char *varlink_call_text(const char *method, bool more, json_t *parameters, size_t *length)
{
	return message_text(
		json_pack("{s:s, s:o*}", "method", method, "more", more ? json_true() : NULL),
		parameters, length);
}

char *varlink_reply_text(bool continues, json_t *parameters, size_t *length)
{
	return message_text(json_pack("{s:o*}", "continues", continues ? json_true() : NULL),
			    parameters, length);
}

char *varlink_error_text(const char *error, json_t *parameters, size_t *length)
{
	return message_text(json_pack("{s:s}", "error", error), parameters, length);
}
