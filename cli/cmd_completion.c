// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "completion.h"
#include "output.h"

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	const char *meant;

	for (int shell = 0; shell < SHELL_COUNT; shell++)
		if (!strcmp(in->arguments[0], shell_names[shell])) {
			completion_print(stdout, (enum shell)shell);
			return 0;
		}
	error_new(&err, ERROR_USAGE, EINVAL, "there is no completion for the shell \"%s\"",
		  in->arguments[0]);
	meant = suggest(in->arguments[0], shell_names);
	error_hint(&err, "did you mean %s? There are bash, zsh and fish", meant ? meant : "bash");
	return print_errors(in, err);
}

const struct verb verb_completion = {
	.name = "completion",
	.synopsis = "SHELL",
	.help = "Print the completion script for bash, zsh or fish",
	.text = "For example, in ~/.bashrc: eval \"$(ioasidctl completion bash)\"; "
		"for zsh, put it into a directory of fpath under the name _ioasidctl; "
		"for fish: ioasidctl completion fish | source.",
	.min_arguments = 1,
	.max_arguments = 1,
	.complete = COMPLETE_SHELL,
	.run = run,
};
