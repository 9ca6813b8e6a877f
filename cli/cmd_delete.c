// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <jansson.h>

#include "base/cleanup.h"
#include "interrupt.h"
#include "link.h"
#include "operations.h"
#include "output.h"

static int delete_one(const struct invocation *in, struct client *client, const char *name,
		      json_t *results, struct ioasidctl_error **err)
{
	json_t *reply, *result, *parameters;
	int ret;

	parameters = json_pack("{s:s, s:b, s:b, s:b}", "name", name, "dry_run", in->dry_run, "list",
			       in->dry_run, "verbose", in->verbose);
	if (!parameters)
		return error_new(err, ERROR_USAGE, EINVAL, "a name isn't UTF-8 text");
	ret = link_call(client, "Delete", parameters, &reply, err);
	if (ret)
		return ret;
	result = json_object_get(reply, "result");
	if (!in->json) {
		print_operations(in, result);
		print_outcome(in, result);
	}
	json_array_append(results, result);
	json_decref(reply);
	return 0;
}

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	_cleanup_(client_freep)
	struct client *client = NULL;
	json_t *results = json_array();
	int ret;

	ret = link_open(in, &client, &err);
	if (!ret && !client)
		ret = link_nothing_held(in, &err);
	interrupt_explain(in);
	for (size_t i = 0; !ret && i < in->n_arguments; i++)
		ret = delete_one(in, client, in->arguments[i], results, &err);
	interrupt_forget();
	/* What was deleted before an error is gone, and is told. */
	if (in->json && (!ret || json_array_size(results)))
		print_json(in, result_document(in, results));
	else
		json_decref(results);
	return ret ? print_errors(in, err) : 0;
}

const struct verb verb_delete = {
	.name = "delete",
	.synopsis = "NAME...",
	.help = "Remove topologies and restore what they changed",
	.text = "Detaches and closes the devices of each topology, gives them their original drivers "
		"back, frees its address spaces and memory, and closes its descriptors. It is refused "
		"while a program has some of these from `exec`: its devices could go nowhere; and "
		"while any program still has a device open, or memory of it mapped, that would have "
		"to go back to its driver. That program is named, and nothing is deleted.",
	.options = OPTION(SOCKET) | OPTION(DRY_RUN) | OPTION(VERBOSE),
	.min_arguments = 1,
	.max_arguments = SIZE_MAX,
	.complete = COMPLETE_TOPOLOGY,
	.run = run,
};
