// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "dot.h"
#include "json_text.h"
#include "link.h"
#include "output.h"
#include "report/report.h"
#include "tree.h"

/* With no holder nothing is held; asked for one topology by name, that is an error. */
static int nothing(const struct invocation *in, json_t **reply, struct ioasidctl_error **err)
{
	if (in->n_arguments || in->yaml)
		return link_nothing_held(in, err);
	*reply = json_pack("{s:o}", "dump", report_dump(json_array()));
	link_warn_of_leftovers(in);
	return *reply ? 0 : error_nomem(err);
}

static int ask(const struct invocation *in, json_t **reply, struct ioasidctl_error **err)
{
	_cleanup_(client_freep)
	struct client *client = NULL;
	json_t *parameters;
	int ret;

	ret = link_open(in, &client, err);
	if (ret)
		return ret;
	if (!client)
		return nothing(in, reply, err);
	parameters = json_pack("{s:s}", "form", in->yaml ? "yaml" : "json");
	if (in->n_arguments &&
	    json_object_set_new(parameters, "name", json_string(in->arguments[0]))) {
		json_decref(parameters);
		return error_new(err, ERROR_USAGE, EINVAL, "the name isn't UTF-8 text");
	}
	return link_call(client, "Show", parameters, reply, err);
}

static void print_names(const json_t *dump)
{
	const json_t *topology;
	size_t i;

	json_array_foreach (json_object_get(dump, "topologies"), i, topology)
		puts(text_of(topology, "name"));
}

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	json_t *reply = NULL, *dump;
	const char *yaml;
	int status = 0;

	if (ask(in, &reply, &err))
		return print_errors(in, err);
	dump = json_object_get(reply, "dump");
	yaml = json_string_value(json_object_get(reply, "yaml"));
	if (in->yaml ? !yaml : !json_is_object(dump)) {
		error_new(&err, ERROR_PROTOCOL, EPROTO, "the holder's answer holds no %s",
			  in->yaml ? "config" : "dump");
		error_hint(&err, "it may be of another version: `ioasidctl version`");
		status = print_errors(in, err);
	} else if (in->yaml) {
		fputs(yaml, stdout);
	} else if (in->dot) {
		print_dot(dump);
	} else if (in->names) {
		print_names(dump);
	} else if (in->json) {
		status = print_json(in, json_incref(dump));
	} else {
		print_tree(dump);
	}
	json_decref(reply);
	return status;
}

const struct verb verb_show = {
	.name = "show",
	.synopsis = "[NAME]",
	.help = "Print the live topology",
	.text = "Prints what is held, as a tree; --json prints all of it. Drivers, groups, allowed "
		"ranges and whether an object still exists are asked of the kernel at the time of "
		"the call. Where no holder listens, nothing is held, and that is no error unless "
		"NAME or --yaml is given.\n\n"
		"With --yaml, prints a config that applies to the same state; NAME is needed where there "
		"are several topologies. With --dot, prints a graph: the way that DMA goes, from devices "
		"through IOASIDs and their parents to memory.",
	.options = OPTION(SOCKET) | OPTION(YAML) | OPTION(DOT) | OPTION(NAMES),
	.max_arguments = 1,
	.complete = COMPLETE_TOPOLOGY,
	.run = run,
};
