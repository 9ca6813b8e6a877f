/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reaches the two streams: results on standard output, errors and progress on the other. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "base/error.h"
#include "verb.h"

enum paint {
	PAINT_NONE,
	PAINT_ADD,
	PAINT_CHANGE,
	PAINT_REMOVE,
	PAINT_STRONG,
	PAINT_DIM,
	PAINT_BAD
};

/* Decides about colours; before it, there are none. */
void output_init(const struct invocation *in);

/* Escape sequence that turns the colour on, or off with PAINT_NONE; "" where colours are off. */
const char *paint(FILE *stream, enum paint paint);

/* Prints text from outside with control characters made visible. */
void print_safely(FILE *stream, const char *text);

/* Takes the reference; NULL: out of memory, which is reported. Returns the exit status. */
int print_json(const struct invocation *in, json_t *document);

/* Prints all errors of the chain and returns the exit status of the first. */
int print_errors(const struct invocation *in, const struct ioasidctl_error *err);

/*
 * The same where a command couldn't be started for `ret`: the status is what a shell gives then,
 * 127 (not found) or 126.
 */
int print_command_errors(const struct invocation *in, const struct ioasidctl_error *err, int ret);

/* For people only: what they should know though the verb did what it was told to. */
void print_warning(const struct invocation *in, const struct ioasidctl_error *err);

/* The same errors as text of one JSON document, without newline. Owned; NULL: out of memory. */
char *errors_json_text(const struct ioasidctl_error *err);

/* Each kernel action, as -v shows it; `data` isn't used. */
void print_action(void *data, const char *line);

/* Makes sure that all output has arrived; else reports it and returns 1. */
int output_finish(const struct invocation *in, int status);
