// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "holder/handover.h"
#include "link.h"
#include "output.h"
#include "report/report.h"

/* What Take gave: everything in it is this process's own. */
struct taking {
	struct handover handover;
	int lease;
	char *dump;
};

static void taking_done(struct taking *t)
{
	handover_done(&t->handover);
	cleanup_close(&t->lease);
	free(t->dump);
}

static json_t *take_parameters(const struct invocation *in)
{
	json_t *wanted = in->n_arguments > 1 ? json_array() : NULL;

	for (size_t i = 1; i < in->n_arguments; i++)
		json_array_append_new(wanted, json_string(in->arguments[i]));
	if (json_array_size(wanted) != in->n_arguments - 1) {
		json_decref(wanted);
		return NULL;
	}
	return json_pack("{s:s, s:s, s:o*}", "name", in->arguments[0], "mode",
			 take_mode_names[in->raw], "names", wanted);
}

/* The last descriptor is the lease. Takes over the others. */
static int fill(struct taking *t, const json_t *reply, const int *fds, size_t n,
		struct ioasidctl_error **err)
{
	const json_t *names = json_object_get(reply, "names");
	struct handover *h = &t->handover;
	bool complete = true;

	t->lease = fds[n - 1];
	h->fds = calloc(n, sizeof(*h->fds));
	if (!h->fds)
		return error_nomem(err);
	for (size_t i = 0; i < n - 1; i++) {
		char *name = strdup(json_string_value(json_array_get(names, i)));

		h->fds[h->n_fds++] =
			(struct handover_fd){.name = name, .fd = fds[i], .owned = true};
		complete = complete && name;
	}
	t->dump = json_dumps(json_object_get(reply, "dump"), JSON_INDENT(2));
	return complete && t->dump ? 0 : error_nomem(err);
}

static int take(const struct invocation *in, struct client *client, struct taking *t,
		struct ioasidctl_error **err)
{
	_cleanup_free_ int *fds = NULL;
	json_t *parameters = take_parameters(in), *reply;
	size_t n;
	int ret;

	if (!parameters)
		return error_new(err, ERROR_USAGE, EINVAL, "a name isn't UTF-8 text");
	ret = client_take(client, parameters, &reply, &fds, &n, err);
	if (ret)
		return ret;
	ret = fill(t, reply, fds, n, err);
	json_decref(reply);
	return ret;
}

static int expand(const struct invocation *in, const struct taking *t, char ***argv,
		  struct ioasidctl_error **err)
{
	int ret = handover_argv(&t->handover, in->command, argv, err);

	if (ret == -EINVAL && in->raw)
		error_cause(err, "raw hands over IOMMU fds, devices that are bound to none, and "
				 "memories");
	return ret;
}

/* Returns only if the command can't be started. */
static int become(const struct invocation *in, const struct taking *t)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	char **argv = NULL;
	int ret, status;

	ret = expand(in, t, &argv, &err);
	if (ret)
		return print_errors(in, err);
	ret = handover_exec(&t->handover, argv, t->dump, t->lease, &err);
	status = print_command_errors(in, err, ret);
	handover_free_argv(argv);
	return status;
}

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	_cleanup_(client_freep)
	struct client *client = NULL;
	_cleanup_(taking_done)
	struct taking taking = {.lease = -1};

	if (link_open(in, &client, &err) || (!client && link_nothing_held(in, &err)) ||
	    take(in, client, &taking, &err))
		return print_errors(in, err);
	return become(in, &taking);
}

const struct verb verb_exec = {
	.name = "exec",
	.synopsis = "NAME [OBJECT...] -- CMD [ARG...]",
	.help = "Become a command that has a topology's descriptors",
	.text = "Takes the descriptors of a topology that is held, and executes CMD in place of "
		"itself. CMD finds them as with `run`: from 3 on, described by LISTEN_FDS, LISTEN_PID "
		"and LISTEN_FDNAMES, by their numbers where {fd:NAME} stands in its arguments, with "
		"the dump of `show --json` in the file that IOASIDCTL_TOPOLOGY names. OBJECT...: only "
		"those of these names, in this order. Besides root and the holder's user, the owner of "
		"the topology may do this.\n\n"
		"They are shared with the holder: address spaces and attachments are there already, and "
		"they stay when CMD ends; only devices that are bound to none are opened anew. As long as CMD, or a child that inherited it, has the "
		"descriptor open whose number is in IOASIDCTL_LEASE, `show` tells who has what, `delete` "
		"is refused, and the holder reads none of the queues (FD/IOASID, FD/VIOMMU) that "
		"were taken: what one reader gets, no other sees. Closing it gives them back. Its end "
		"of file tells that the topology is gone, or the holder.\n\n"
		"With --raw CMD does the rest itself, as virtual machine monitors do: for each fd there "
		"is an IOMMU fd opened anew, with nothing on it but the accounting that was declared, and "
		"each device is opened anew and bound to none. That needs driver iommufd, and "
		"devices that are declared but attached nowhere; memories come along. Everything that "
		"CMD makes there ends with it, and the device can be taken again.\n\n"
		"The exit status is that of CMD, or 127 if it isn't found and 126 if it can't be executed.",
	.options = OPTION(SOCKET) | OPTION(RAW),
	.min_arguments = 1,
	.max_arguments = 252,
	.complete = COMPLETE_TOPOLOGY,
	.runs_command = true,
	.run = run,
};
