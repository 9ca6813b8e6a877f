// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "events.h"
#include "link.h"
#include "output.h"
#include "report/event.h"
#include "report/report.h"

const char *const answer_names[] = {
	[ANSWER_SUCCESS] = "success", [ANSWER_INVALID] = "invalid", NULL};

struct follower {
	const struct invocation *in;
	struct client *client; /* for answers: the other one is busy following */
	struct ioasidctl_error **err;
};

static const char *object_of(const struct invocation *in)
{
	return in->n_arguments > 1 ? in->arguments[1] : NULL;
}

/* NULL: none is asked for. */
static const char *answer_of(const struct invocation *in)
{
	return in->given & OPTION(ANSWER) ? answer_names[in->answer] : NULL;
}

/* What waits, answered if that is asked for. */
static int ask(const struct invocation *in, struct client *client, json_t **reply,
	       struct ioasidctl_error **err)
{
	json_t *parameters =
		json_pack("{s:s, s:s*, s:s*, s:b}", "name", in->arguments[0], "object",
			  object_of(in), "answer", answer_of(in), "verbose", in->verbose);

	if (!parameters)
		return error_new(err, ERROR_USAGE, EINVAL, "a name isn't UTF-8 text");
	return link_call(client, "Faults", parameters, reply, err);
}

static void print_faults(const struct invocation *in, const json_t *reply)
{
	const json_t *faults = json_object_get(reply, "faults"), *fault;
	size_t i;

	json_array_foreach (faults, i, fault)
		print_event(fault);
	if (!json_array_size(faults))
		printf("%s: no page fault waits\n", in->arguments[0]);
	else if (answer_of(in))
		printf("%s: %" JSON_INTEGER_FORMAT " answered: %s\n", in->arguments[0],
		       json_integer_value(json_object_get(reply, "answered")), answer_of(in));
}

static int show(const struct invocation *in, struct client *client, struct ioasidctl_error **err)
{
	json_t *reply, *document;
	int ret = ask(in, client, &reply, err);

	if (ret)
		return ret;
	if (!in->json) {
		print_faults(in, reply);
		json_decref(reply);
		return 0;
	}
	document = json_pack("{s:i, s:s, s:O, s:O}", "schema_version", REPORT_SCHEMA_VERSION,
			     "name", in->arguments[0], "faults", json_object_get(reply, "faults"),
			     "answered", json_object_get(reply, "answered"));
	json_decref(reply);
	return print_json(in, document);
}

static bool is_fault_of(const json_t *event, const char *object)
{
	const char *kind = json_string_value(json_object_get(event, "kind")),
		   *fd = json_string_value(json_object_get(event, "fd")),
		   *ioasid = json_string_value(json_object_get(event, "ioasid"));
	const char *slash = object ? strchr(object, '/') : NULL;

	if (!kind || strcmp(kind, event_kind_names[EVENT_PAGE_FAULT]) || !fd || !ioasid)
		return false;
	if (slash && (strlen(fd) != (size_t)(slash - object) ||
		      strncmp(fd, object, (size_t)(slash - object))))
		return false;
	return !object || !strcmp(ioasid, slash ? slash + 1 : object);
}

static int take_event(void *data, const json_t *reply)
{
	const struct follower *f = data;
	const json_t *event = json_object_get(reply, "event");
	json_t *answered;
	int ret;

	if (!is_fault_of(event, object_of(f->in)))
		return 0;
	ret = tell_event(f->in, event);
	if (ret || !answer_of(f->in))
		return ret;
	ret = ask(f->in, f->client, &answered, f->err);
	if (!ret)
		json_decref(answered);
	return ret;
}

/* First the following, then what waits: a fault in between is answered, and told twice at worst. */
static int follow(const struct invocation *in, struct client *client, struct ioasidctl_error **err)
{
	_cleanup_(client_freep)
	struct client *following = NULL;
	struct follower f = {in, client, err};
	int ret = link_open(in, &following, err);

	if (!ret && !following)
		ret = link_nothing_held(in, err);
	if (!ret)
		ret = show(in, client, err);
	if (!ret && fflush(stdout))
		return -EPIPE;
	return ret ? ret
		   : link_follow(following, json_pack("[s]", in->arguments[0]), take_event, &f,
				 err);
}

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	_cleanup_(client_freep)
	struct client *client = NULL;
	int ret = link_open(in, &client, &err);

	if (!ret && !client)
		ret = link_nothing_held(in, &err);
	if (!ret)
		ret = in->follow ? follow(in, client, &err) : show(in, client, &err);
	return err ? print_errors(in, err) : ret ? 1 : 0;
}

const struct verb verb_faults = {
	.name = "faults",
	.synopsis = "NAME [IOASID]",
	.help = "Print page faults that devices wait with, and answer them",
	.text = "A device that meets an address which isn't mapped in an IOASID with fault_queue: true "
		"can wait for an answer. Prints the faults of topology NAME, or of one IOASID "
		"(FD/IOASID where the name is in several fds), that nobody has answered.\n\n"
		"With --answer, all of them are: success lets the devices try again, since what they "
		"want is there now; invalid lets their accesses fail. With --follow, it goes on with "
		"those that come, until it is interrupted.\n\n"
		"The holder takes faults out of the kernel's queue as they come. A program that is to "
		"handle them itself takes the queue with `ioasidctl exec` (or gets it from `run`, where "
		"there is no holder); as long as it has it, the holder leaves what comes to it.",
	.options = OPTION(SOCKET) | OPTION(VERBOSE) | OPTION(ANSWER) | OPTION(FOLLOW),
	.min_arguments = 1,
	.max_arguments = 2,
	.complete = COMPLETE_TOPOLOGY,
	.run = run,
};
