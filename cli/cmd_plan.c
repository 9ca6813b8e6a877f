// SPDX-License-Identifier: GPL-2.0-or-later
#include <jansson.h>

#include "base/cleanup.h"
#include "change.h"
#include "link.h"
#include "local.h"
#include "operations.h"
#include "output.h"
#include "report/report.h"

#define PENDING 2

static int plan_here(const struct invocation *in, const char *file, json_t **result,
		     struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = NULL;
	struct topology *t = NULL;
	size_t length;
	int ret;

	ret = config_read_file(file, &text, &length, err);
	if (!ret)
		ret = config_parse(text, length, file, &t, err);
	return ret ? ret : local_plan(in, t, result, err);
}

int plan_file(const struct invocation *in, const char *file, json_t **result,
	      struct ioasidctl_error **err)
{
	_cleanup_(client_freep)
	struct client *client = NULL;
	json_t *parameters, *reply;
	int ret;

	ret = link_open(in, &client, err);
	if (ret)
		return ret;
	if (!client)
		return plan_here(in, file, result, err);
	ret = link_parameters(in, file, &parameters, err);
	if (!ret)
		ret = link_call(client, "Plan", parameters, &reply, err);
	if (ret)
		return ret;
	*result = json_incref(json_object_get(reply, "result"));
	json_decref(reply);
	return 0;
}

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	json_t *result = NULL;
	bool changed;

	if (plan_file(in, in->arguments[0], &result, &err))
		return print_errors(in, err);
	changed = result_changed(result);
	if (in->json) {
		json_object_set_new(result, "schema_version", json_integer(REPORT_SCHEMA_VERSION));
		print_json(in, json_incref(result));
	} else {
		print_operations(in, result);
		print_outcome(in, result);
	}
	json_decref(result);
	return changed ? PENDING : 0;
}

const struct verb verb_plan = {
	.name = "plan",
	.synopsis = "FILE",
	.help = "Say what apply would do",
	.text = "Compares FILE (\"-\": standard input) with what the holder holds under the same "
		"name, or with nothing where no holder runs, and prints the operations that apply "
		"would perform: + makes, ~ changes, - removes. Nothing is changed.\n\n"
		"The exit status is 2 when there is something to do, 0 when there is not.",
	.options = OPTION(SOCKET) | OPTION(DRIVER) | OPTION(MACHINE) | OPTION(VERBOSE),
	.min_arguments = 1,
	.max_arguments = 1,
	.complete = COMPLETE_FILE,
	.run = run,
};
