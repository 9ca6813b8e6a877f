// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int exit_status;
} kinds[] = {
#define X(id, text, status, retry) [ERROR_##id] = {text, status},
	ERROR_KINDS(X)
#undef X
};

const char *error_kind_name(enum error_kind kind)
{
	return kinds[kind].name;
}

int error_kind_exit_status(enum error_kind kind)
{
	return kinds[kind].exit_status;
}

int error_kind_by_name(const char *name)
{
	for (int kind = 0; kind < ERROR_KINDS_COUNT; kind++)
		if (!strcmp(kinds[kind].name, name))
			return kind;
	return -1;
}

static struct ioasidctl_error *newest(struct ioasidctl_error **err)
{
	struct ioasidctl_error *e = err ? *err : NULL;

	while (e && e->next)
		e = e->next;
	return e;
}

static void replace_text(char **slot, const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		return;
	free(*slot);
	*slot = text;
}

int error_new(struct ioasidctl_error **err, enum error_kind kind, int errnum, const char *fmt, ...)
{
	struct ioasidctl_error *e, *last;
	va_list args;

	if (!err)
		return -errnum;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -errnum;
	e->kind = kind;
	e->errnum = errnum;
	va_start(args, fmt);
	replace_text(&e->message, fmt, args);
	va_end(args);
	if (!e->message) {
		free(e);
		return -errnum;
	}
	last = newest(err);
	if (last)
		last->next = e;
	else
		*err = e;
	return -errnum;
}

int error_nomem(struct ioasidctl_error **err)
{
	return error_new(err, ERROR_MEMORY, ENOMEM, "out of memory");
}

#define DECORATOR(function, field)                                        \
	void function(struct ioasidctl_error **err, const char *fmt, ...) \
	{                                                                 \
		struct ioasidctl_error *e = newest(err);                  \
		va_list args;                                             \
                                                                          \
		if (!e)                                                   \
			return;                                           \
		va_start(args, fmt);                                      \
		replace_text(&e->field, fmt, args);                       \
		va_end(args);                                             \
	}

DECORATOR(error_cause, cause)
DECORATOR(error_hint, hint)
DECORATOR(error_object, object)

static void set_text(char **slot, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	free(*slot);
	*slot = copy;
}

void error_ioctl(struct ioasidctl_error **err, const char *name)
{
	struct ioasidctl_error *e = newest(err);

	if (e)
		set_text(&e->ioctl, name);
}

void error_position(struct ioasidctl_error **err, const char *file, uint32_t line, uint32_t column)
{
	struct ioasidctl_error *e = newest(err);

	if (!e)
		return;
	set_text(&e->file, file);
	e->line = line;
	e->column = column;
}

void error_free(struct ioasidctl_error *err)
{
	while (err) {
		struct ioasidctl_error *next = err->next;

		free(err->message);
		free(err->cause);
		free(err->hint);
		free(err->object);
		free(err->file);
		free(err->source);
		free(err->ioctl);
		free(err);
		err = next;
	}
}

void error_freep(struct ioasidctl_error **err)
{
	error_free(*err);
}
