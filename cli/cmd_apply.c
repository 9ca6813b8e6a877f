// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "change.h"
#include "interrupt.h"
#include "link.h"
#include "operations.h"
#include "output.h"

static int apply_file(const struct invocation *in, const char *file, json_t **result,
		      struct ioasidctl_error **err)
{
	_cleanup_(client_freep)
	struct client *client = NULL;
	json_t *parameters, *reply;
	int ret;

	ret = link_parameters(in, file, &parameters, err);
	if (ret)
		return ret;
	ret = link_open_or_start(in, &client, err);
	if (ret) {
		json_decref(parameters);
		return ret;
	}
	json_object_set_new(parameters, "verify", json_boolean(!in->no_verify));
	json_object_set_new(parameters, "verbose", json_boolean(in->verbose));
	interrupt_explain(in);
	ret = link_call(client, "Apply", parameters, &reply, err);
	interrupt_forget();
	if (ret)
		return ret;
	*result = json_incref(json_object_get(reply, "result"));
	json_decref(reply);
	return 0;
}

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	const char *file = in->arguments[0];
	json_t *result = NULL;
	int ret;

	/* A holder isn't started for a dry run: it would only be told to do nothing. */
	ret = in->dry_run ? plan_file(in, file, &result, &err)
			  : apply_file(in, file, &result, &err);
	if (ret)
		return print_errors(in, err);
	if (in->json) {
		print_json(in, result_document(in, json_pack("[O]", result)));
	} else {
		print_operations(in, result);
		print_outcome(in, result);
	}
	json_decref(result);
	return 0;
}

const struct verb verb_apply = {
	.name = "apply",
	.synopsis = "FILE",
	.help = "Make the machine look like the config",
	.text = "Makes the topology that FILE (\"-\": standard input) declares, or changes the live "
		"one of that name into it. Applying the same file again does nothing. When a step "
		"fails, or the command is interrupted, everything is put back as it was.\n\n"
		"The file descriptors are kept by the holder; where none listens at the socket, one "
		"is started in the background, which ends with its last topology.",
	.options = OPTION(SOCKET) | OPTION(DRIVER) | OPTION(MACHINE) | OPTION(DRY_RUN) |
		   OPTION(NO_VERIFY) | OPTION(VERBOSE),
	.min_arguments = 1,
	.max_arguments = 1,
	.complete = COMPLETE_FILE,
	.run = run,
};
