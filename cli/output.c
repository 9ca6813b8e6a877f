// SPDX-License-Identifier: GPL-2.0-or-later
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/report.h"

static struct {
	bool on_stdout, on_stderr;
} colors;

static bool colors_wanted(int choice, int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (choice != COLOR_AUTO)
		return choice == COLOR_ALWAYS;
	return isatty(fd) && !(no && *no) && !(term && !strcmp(term, "dumb"));
}

void output_init(const struct invocation *in)
{
	colors.on_stdout = colors_wanted(in->color, STDOUT_FILENO);
	colors.on_stderr = colors_wanted(in->color, STDERR_FILENO);
}

const char *paint(FILE *stream, enum paint paint)
{
	static const char *const codes[] = {
		[PAINT_NONE] = "\033[0m",    [PAINT_ADD] = "\033[32m",
		[PAINT_CHANGE] = "\033[33m", [PAINT_REMOVE] = "\033[31m",
		[PAINT_STRONG] = "\033[1m",  [PAINT_DIM] = "\033[2m",
		[PAINT_BAD] = "\033[1;31m",
	};

	return (stream == stdout ? colors.on_stdout : colors.on_stderr) ? codes[paint] : "";
}

void print_safely(FILE *stream, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		fputc(*p < 0x20 && *p != '\t' ? '?' : *p == 0x7f ? '?' : *p, stream);
}

int print_json(const struct invocation *in, json_t *document)
{
	int bad = document ? json_dumpf(document, stdout, JSON_INDENT(2)) : -1;
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	if (!document) {
		error_nomem(&err);
		return print_errors(in, err);
	}
	json_decref(document);
	if (!bad)
		putchar('\n');
	return 0; /* a failed write is told by output_finish() */
}

void print_action(void *data, const char *line)
{
	(void)data;
	fputs(paint(stderr, PAINT_DIM), stderr);
	print_safely(stderr, line);
	fprintf(stderr, "%s\n", paint(stderr, PAINT_NONE));
}

int output_finish(const struct invocation *in, int status)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	bool failed = ferror(stdout);
	int errnum;

	errno = 0;
	if (fflush(stdout))
		failed = true;
	/* Output that was too long for the buffer failed long ago; trying again tells the reason.
	 */
	if (failed && !errno && write(STDOUT_FILENO, "\n", 1) > 0)
		errno = EIO;
	errnum = errno;
	/* A descriptor that some file systems only now find out they can't write. */
	if (!failed && close(STDOUT_FILENO) && errno != EBADF) {
		failed = true;
		errnum = errno;
	}
	if (!failed)
		return status;
	error_new(&err, ERROR_KERNEL, errnum, "standard output: %s", strerror(errnum));
	error_hint(&err, "the verb itself ended with exit status %d", status);
	print_errors(in, err);
	return status && status != 2 ? status : 1;
}
