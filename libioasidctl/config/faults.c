// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config/faults.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/source.h"
#include "model/topology.h"

#define PATH_TEXT_MAX 256

/* Returns the length; the outermost step comes first. */
static size_t place_text(const struct place *place, char *buf, size_t size)
{
	size_t used;

	buf[0] = '\0';
	if (!place || !place->key)
		return 0;
	used = place_text(place->up, buf, size);
	if (used + 1 >= size)
		return used;
	snprintf(buf + used, size - used, "%s%s", used ? "." : "", place->key);
	used += strlen(buf + used);
	if (place->index != NO_INDEX && used + 1 < size)
		snprintf(buf + used, size - used, "[%u]", place->index);
	return used + strlen(buf + used);
}

static bool has_room(struct faults *faults)
{
	faults->open = faults->n < CONFIG_MAX_ERRORS;
	if (!faults->open)
		faults->dropped++;
	return faults->open;
}

void fault(struct faults *faults, const struct place *place, const char *key, const struct node *at,
	   const char *fmt, ...)
{
	struct ioasidctl_error **slot = &faults->list[faults->n];
	char path[PATH_TEXT_MAX];
	_cleanup_free_ char *message = NULL;
	size_t used;
	va_list args;

	if (!has_room(faults))
		return;
	va_start(args, fmt);
	if (vasprintf(&message, fmt, args) < 0)
		message = NULL;
	va_end(args);
	if (message)
		error_new(slot, ERROR_CONFIG, EINVAL, "%s", message);
	if (!*slot) {
		faults->no_memory = true;
		faults->open = false;
		return;
	}
	used = place_text(place, path, sizeof(path));
	if (key && used + 1 < sizeof(path))
		snprintf(path + used, sizeof(path) - used, "%s%s", used ? "." : "", key);
	if (path[0])
		error_object(slot, "%s", path);
	error_position(slot, faults->file, at->line, at->column);
	faults->n++;
}

void fault_hint(struct faults *faults, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	if (!faults->open)
		return;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	if (text)
		error_hint(&faults->list[faults->n - 1], "%s", text);
}

bool faults_full(const struct faults *faults)
{
	return faults->dropped > 0;
}

static bool comes_before(const struct ioasidctl_error *a, const struct ioasidctl_error *b)
{
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

static void sort_by_position(struct faults *faults)
{
	for (size_t i = 1; i < faults->n; i++) {
		struct ioasidctl_error *e = faults->list[i];
		size_t j = i;

		for (; j && comes_before(e, faults->list[j - 1]); j--)
			faults->list[j] = faults->list[j - 1];
		faults->list[j] = e;
	}
}

/* An object used by several aliases is wrong once, not once for each use. */
static bool same_fault(const struct ioasidctl_error *a, const struct ioasidctl_error *b)
{
	return a->line == b->line && a->column == b->column && a->message && b->message &&
	       !strcmp(a->message, b->message);
}

static void note_dropped(struct faults *faults)
{
	struct ioasidctl_error **last = &faults->list[CONFIG_MAX_ERRORS - 1];
	uint32_t line, column;

	if (!faults->dropped)
		return;
	line = (*last)->line;
	column = (*last)->column;
	error_free(*last);
	*last = NULL;
	error_new(last, ERROR_CONFIG, EINVAL, "too many errors: this is where the report ends");
	if (!*last) {
		faults->no_memory = true;
		faults->n--;
		return;
	}
	error_position(last, faults->file, line, column);
	error_hint(last, "mend the %d above first", CONFIG_MAX_ERRORS - 1);
}

void faults_finish(struct faults *faults, const char *text, size_t length,
		   struct ioasidctl_error **err)
{
	struct source_reader reader = {.text = text, .length = length, .line = 1};
	struct ioasidctl_error **tail = err, *before = NULL;

	sort_by_position(faults);
	note_dropped(faults);
	while (tail && *tail)
		tail = &(*tail)->next;
	for (size_t i = 0; i < faults->n; i++) {
		struct ioasidctl_error *e = steal_pointer(faults->list[i]);

		if (!tail || (before && same_fault(before, e))) {
			error_free(e);
			continue;
		}
		e->source = source_line(&reader, e->line, e->column);
		*tail = before = e;
		tail = &e->next;
	}
	faults->n = 0;
}

void faults_done(struct faults *faults)
{
	for (size_t i = 0; i < faults->n; i++)
		error_free(faults->list[i]);
	faults->n = 0;
}

const char *quote(const char *text, char buf[static QUOTE_MAX])
{
	static const char more[] = "...\"";
	size_t used = 1;

	buf[0] = '"';
	while (*text) {
		size_t size = source_character(text, strlen(text));
		bool visible = size && source_visible(text, size);

		if (used + (visible ? size : 1) + sizeof(more) > QUOTE_MAX) {
			memcpy(buf + used, more, sizeof(more));
			return buf;
		}
		if (visible)
			memcpy(buf + used, text, size);
		else
			buf[used] = '?';
		used += visible ? size : 1;
		text += size ? size : 1;
	}
	buf[used++] = '"';
	buf[used] = '\0';
	return buf;
}
