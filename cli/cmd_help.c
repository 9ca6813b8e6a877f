// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "help.h"
#include "output.h"

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	const struct verb *verb = NULL;

	if (in->n_arguments && !(verb = verb_find(in->arguments[0]))) {
		error_new(&err, ERROR_USAGE, EINVAL, "unknown verb \"%s\"", in->arguments[0]);
		error_hint(&err, "`ioasidctl --help` lists the verbs");
		return print_errors(in, err);
	}
	help_print(stdout, verb);
	return 0;
}

const struct verb verb_help = {
	.name = "help",
	.synopsis = "[VERB]",
	.help = "Explain a verb, or list all of them",
	.text = "The same as --help after the verb.",
	.max_arguments = 1,
	.complete = COMPLETE_VERB,
	.run = run,
};
