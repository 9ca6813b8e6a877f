// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Characters of a line that are shown at most, and those kept behind the caret. */
#define COLUMNS_MAX    400
#define COLUMNS_BEHIND 80

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t source_character(const char *text, size_t length)
{
	unsigned char c = length ? (unsigned char)text[0] : 0;
	size_t size = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	if (!length || size > length)
		return 0;
	for (size_t i = 1; i < size; i++)
		if (!is_continuation(text[i]))
			return 0;
	return size;
}

static uint32_t code_point(const char *text, size_t size)
{
	uint32_t c = (unsigned char)text[0];

	if (size > 1)
		c &= 0x7fU >> size;
	for (size_t i = 1; i < size; i++)
		c = c << 6 | ((unsigned char)text[i] & 0x3f);
	return c;
}

bool source_visible(const char *text, size_t size)
{
	/* Controls, and those that turn the direction of text or take no column. */
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{0x00, 0x1f},	  {0x7f, 0x9f},	    {0xad, 0xad},	{0x61c, 0x61c},
		{0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},	{0xd800, 0xdfff},
		{0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
	};
	uint32_t c = code_point(text, size);

	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return false;
	return true;
}

/* Bytes of the line break that begins here (those that YAML 1.1 knows, as libyaml counts); 0: none.
 */
static size_t line_break(const char *p, size_t left)
{
	if (!left)
		return 0;
	if (p[0] == '\r')
		return left > 1 && p[1] == '\n' ? 2 : 1;
	if (p[0] == '\n')
		return 1;
	if (left > 1 && !memcmp(p, "\xc2\x85", 2))
		return 2;
	if (left > 2 && (!memcmp(p, "\xe2\x80\xa8", 3) || !memcmp(p, "\xe2\x80\xa9", 3)))
		return 3;
	return 0;
}

static bool seek_line(struct source_reader *r, uint32_t line)
{
	while (r->line < line) {
		size_t size = 0;

		if (r->offset >= r->length)
			return false;
		size = line_break(r->text + r->offset, r->length - r->offset);
		if (size)
			r->line++;
		r->offset += size ? size : 1;
	}
	return r->line == line;
}

char *source_line(struct source_reader *reader, uint32_t line, uint32_t column)
{
	const char *p, *end;
	size_t limit = (size_t)column + COLUMNS_BEHIND, used = 0, columns = 0;
	_cleanup_free_ char *out = NULL;

	if (column > COLUMNS_MAX || !seek_line(reader, line))
		return NULL;
	out = malloc(limit * 4 + 1);
	if (!out)
		return NULL;
	p = reader->text + reader->offset;
	end = reader->text + reader->length;
	while (p < end && columns < limit && !line_break(p, (size_t)(end - p))) {
		size_t size = source_character(p, (size_t)(end - p));

		if (size && source_visible(p, size)) {
			memcpy(out + used, p, size);
			used += size;
		} else {
			out[used++] = *p == '\t' ? ' ' : '?';
		}
		p += size ? size : 1;
		columns++;
	}
	out[used] = '\0';
	return steal_pointer(out);
}

void source_position(const char *text, size_t length, size_t offset, uint32_t *line,
		     uint32_t *column)
{
	*line = *column = 1;
	for (size_t i = 0; i < offset && i < length;) {
		size_t size = line_break(text + i, length - i);

		if (size) {
			++*line;
			*column = 1;
		} else {
			size = source_character(text + i, length - i);
			++*column;
		}
		i += size ? size : 1;
	}
}

char source_byte(const char *text, size_t length, uint32_t line, uint32_t column)
{
	struct source_reader reader = {.text = text, .length = length, .line = 1};

	if (!seek_line(&reader, line))
		return 0;
	while (--column && reader.offset < length) {
		size_t size = source_character(text + reader.offset, length - reader.offset);

		reader.offset += size ? size : 1;
	}
	return reader.offset < length ? text[reader.offset] : 0;
}
