// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "events.h"
#include "link.h"
#include "output.h"

static int print_one(void *data, const json_t *reply)
{
	const struct invocation *in = data;
	const json_t *event = json_object_get(reply, "event");

	if (in->json) {
		json_dumpf(event, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		print_event(event);
	}
	/* Whoever reads this shall have it now; who has stopped reading, ends it. */
	return fflush(stdout) || ferror(stdout) ? -EPIPE : 0;
}

static json_t *make_parameters(const struct invocation *in, struct ioasidctl_error **err)
{
	json_t *names = json_array();

	for (size_t i = 0; i < in->n_arguments; i++)
		if (json_array_append_new(names, json_string(in->arguments[i]))) {
			error_new(err, ERROR_USAGE, EINVAL, "a name isn't UTF-8 text");
			json_decref(names);
			return NULL;
		}
	return json_pack("{s:o}", "names", names);
}

static int explain_end(struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_UNAVAILABLE, ESHUTDOWN, "the holder has ended");

	error_hint(err, "`ioasidctl apply FILE` and `ioasidctl daemon` start another one");
	return ret;
}

static int follow(const struct invocation *in, struct ioasidctl_error **err)
{
	_cleanup_(client_freep)
	struct client *client = NULL;
	json_t *parameters;
	int ret = link_open(in, &client, err);

	if (!ret && !client)
		ret = link_nothing_held(in, err);
	if (ret)
		return ret;
	parameters = make_parameters(in, err);
	if (!parameters)
		return -EINVAL;
	ret = client_follow(client, "Monitor", parameters, print_one, (void *)in, err);
	return ret ? ret : explain_end(err);
}

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	/* Without an error it is the output that failed, and output_finish() tells. */
	return follow(in, &err) && err ? print_errors(in, err) : 0;
}

const struct verb verb_monitor = {
	.name = "monitor",
	.synopsis = "[NAME...]",
	.help = "Follow what happens to topologies and devices",
	.text = "Prints a line for each event from now on: topologies applied and deleted, and by "
		"whom; devices that come, go, get another host driver or another company in their "
		"IOMMU group, with the topology and the name where one declares them; devices that "
		"were given up because the kernel asked for them, or attached because they came. With "
		"NAME, only what concerns these topologies, whether they exist yet or not. With --json, "
		"each line is a JSON object.\n\n"
		"The first event, monitoring, is there at once. If events come faster than they are "
		"printed, the holder drops some and says how many; nobody waits for this program.\n\n"
		"It ends by Ctrl-C (exit status 130, as with any program that a signal ends), or with "
		"exit status 69 when the holder ends or there is none: it doesn't wait for the next.",
	.options = OPTION(SOCKET),
	.max_arguments = SIZE_MAX,
	.complete = COMPLETE_TOPOLOGY,
	.run = run,
};
