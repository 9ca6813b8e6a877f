// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <jansson.h>

#include "base/cleanup.h"
#include "events.h"
#include "link.h"
#include "output.h"

static int print_one(void *data, const json_t *reply)
{
	return tell_event(data, json_object_get(reply, "event"));
}

static json_t *names_of(const struct invocation *in, struct ioasidctl_error **err)
{
	json_t *names = json_array();

	for (size_t i = 0; i < in->n_arguments; i++)
		if (json_array_append_new(names, json_string(in->arguments[i]))) {
			error_new(err, ERROR_USAGE, EINVAL, "a name isn't UTF-8 text");
			json_decref(names);
			return NULL;
		}
	return names;
}

static int follow(const struct invocation *in, struct ioasidctl_error **err)
{
	_cleanup_(client_freep)
	struct client *client = NULL;
	json_t *names;
	int ret = link_open(in, &client, err);

	if (!ret && !client)
		ret = link_nothing_held(in, err);
	if (ret)
		return ret;
	names = names_of(in, err);
	return names ? link_follow(client, names, print_one, (void *)in, err) : -EINVAL;
}

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

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
		"exit status 69 when the holder ends or there is none: it doesn't wait for the next. "
		"In a pipe it ends when its reader does.",
	.options = OPTION(SOCKET),
	.max_arguments = SIZE_MAX,
	.complete = COMPLETE_TOPOLOGY,
	.run = run,
};
