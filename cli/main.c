// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "help.h"
#include "output.h"
#include "verb.h"

/*
 * A stream that the caller closed must stay closed for us: else the next open() gets its number
 * and results end up in a device. What is opened instead refuses the direction that was meant.
 */
static void guard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* Errors of the command line itself are to come as asked for, wherever --json stands in it. */
static bool wants_json(char *argv[])
{
	for (; *argv && strcmp(*argv, "--"); argv++)
		if (!strcmp(*argv, "--json"))
			return true;
	return false;
}

int main(int argc, char *argv[])
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct invocation in = {.json = argc > 0 && wants_json(argv)};
	int status;

	guard_streams();
	if (options_parse(argc, argv, &in, &err)) {
		output_init(&in);
		return print_errors(&in, err);
	}
	output_init(&in);
	if (in.version) {
		puts("ioasidctl " IOASIDCTL_VERSION);
		status = 0;
	} else if (in.help) {
		help_print(stdout, in.verb);
		status = 0;
	} else if (!in.verb) {
		help_print(stderr, NULL);
		status = error_kind_exit_status(ERROR_USAGE);
	} else {
		status = in.verb->run(&in);
	}
	return output_finish(&in, status);
}
