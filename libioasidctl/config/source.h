/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines of the source text, fit to be shown on a terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Walks forward only: ask for lines in ascending order. */
struct source_reader {
	const char *text;
	size_t length;
	size_t offset; /* of the beginning of `line` */
	uint32_t line; /* 1-based */
};

/*
 * The line for a caret under `column` (1-based, in characters): tabs become one space, whatever
 * doesn't stand for itself on a terminal '?', so that a column stays a column. NULL where no line
 * of that number exists, where the caret would be too far to the right to be of use, or out of
 * memory. Owned.
 */
char *source_line(struct source_reader *reader, uint32_t line, uint32_t column);

/* Line and column of a byte offset, as source_line() counts them. */
void source_position(const char *text, size_t length, size_t offset, uint32_t *line,
		     uint32_t *column);

/* The byte at that position; 0: there is none. */
char source_byte(const char *text, size_t length, uint32_t line, uint32_t column);

/* Bytes of the UTF-8 character that begins here; 0: none does. */
size_t source_character(const char *text, size_t length);
/* Whether that character may be sent to a terminal as it is. */
bool source_visible(const char *text, size_t size);
