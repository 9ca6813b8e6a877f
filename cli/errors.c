// SPDX-License-Identifier: GPL-2.0-or-later
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"

#define SOURCE_WIDTH 100 /* of a long source line, around the caret */

/* Exit statuses of a command that can't be started, as shells have them. */
#define NOT_FOUND  127
#define NOT_TO_RUN 126

static bool starts_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

/* `n` characters (not bytes) further, or the end. */
static const char *skip_characters(const char *p, size_t n)
{
	while (*p && n) {
		p++;
		if (starts_character(*p))
			n--;
	}
	return p;
}

static void print_source(const struct ioasidctl_error *e)
{
	size_t column = e->column ? e->column - 1 : 0;
	size_t skipped = column > SOURCE_WIDTH / 2 ? column - SOURCE_WIDTH / 2 : 0;
	const char *from = skip_characters(e->source, skipped);
	const char *to = skip_characters(from, SOURCE_WIDTH);
	const char *caret = skip_characters(from, column - skipped);
	char *shown = strndup(from, (size_t)(to - from));

	if (!shown)
		return;
	fprintf(stderr, "%6u | ", e->line);
	print_safely(stderr, shown);
	fputs("\n       | ", stderr);
	for (const char *p = from; p < caret; p++)
		if (starts_character(*p))
			fputc(*p == '\t' ? '\t' : ' ', stderr);
	fprintf(stderr, "%s^%s\n", paint(stderr, PAINT_BAD), paint(stderr, PAINT_NONE));
	free(shown);
}

static void print_note(const char *label, const char *text)
{
	if (!text)
		return;
	fprintf(stderr, "  %s%s:%s ", paint(stderr, PAINT_STRONG), label,
		paint(stderr, PAINT_NONE));
	print_safely(stderr, text);
	fputc('\n', stderr);
}

static void print_error(const struct ioasidctl_error *e, const char *label)
{
	fputs(paint(stderr, PAINT_STRONG), stderr);
	print_safely(stderr, e->file ? e->file : "ioasidctl");
	if (e->line && e->column)
		fprintf(stderr, ":%u:%u", e->line, e->column);
	else if (e->line)
		fprintf(stderr, ":%u", e->line);
	fprintf(stderr, ":%s %s%s:%s ", paint(stderr, PAINT_NONE), paint(stderr, PAINT_BAD), label,
		paint(stderr, PAINT_NONE));
	print_safely(stderr, e->message ? e->message : strerror(e->errnum));
	fputc('\n', stderr);
	if (e->source && e->line)
		print_source(e);
	print_note("object", e->object);
	if (e->ioctl)
		fprintf(stderr, "  %scall:%s %s: %s\n", paint(stderr, PAINT_STRONG),
			paint(stderr, PAINT_NONE), e->ioctl, strerror(e->errnum));
	print_note("cause", e->cause);
	print_note("hint", e->hint);
}

char *errors_json_text(const struct ioasidctl_error *err)
{
	json_t *document = json_pack("{s:i, s:o}", "schema_version", REPORT_SCHEMA_VERSION,
				     "errors", report_errors(err));
	char *text = document ? json_dumps(document, JSON_INDENT(2)) : NULL;

	json_decref(document);
	return text;
}

int print_errors(const struct invocation *in, const struct ioasidctl_error *err)
{
	char *text = NULL;

	if (!err)
		return 1;
	fflush(stdout);
	if (in->json)
		text = errors_json_text(err);
	if (text)
		fprintf(stderr, "%s\n", text);
	for (const struct ioasidctl_error *e = err; e && !text; e = e->next)
		print_error(e, "error");
	free(text);
	return error_kind_exit_status(err->kind);
}

int print_command_errors(const struct invocation *in, const struct ioasidctl_error *err, int ret)
{
	const int status = print_errors(in, err);

	if (err && err->kind == ERROR_USAGE)
		return status;
	if (ret == -ENOENT || ret == -ENOTDIR)
		return NOT_FOUND;
	return ret == -EACCES || ret == -ENOEXEC || ret == -EISDIR ? NOT_TO_RUN : status;
}

void print_warning(const struct invocation *in, const struct ioasidctl_error *err)
{
	fflush(stdout);
	for (const struct ioasidctl_error *e = err; e && !in->json; e = e->next)
		print_error(e, "warning");
}
