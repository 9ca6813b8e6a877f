// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "link.h"
#include "output.h"
#include "report/report.h"

/* More values than a call may have would be refused by the holder. */
#define ENTRIES_MAX 128

static int invalidate(const struct invocation *in, struct client *client, size_t first, size_t n,
		      json_int_t *handled, struct ioasidctl_error **err)
{
	json_t *entries = json_array(), *reply, *parameters;
	int ret;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(entries, json_string(in->arguments[first + i]));
	if (!n)
		json_array_append_new(entries, json_string("all"));
	parameters = json_pack("{s:s, s:s, s:o, s:b, s:b}", "name", in->arguments[0], "object",
			       in->arguments[1], "entries", entries, "leaf", in->leaf, "verbose",
			       in->verbose);
	if (!parameters)
		return error_new(err, ERROR_USAGE, EINVAL, "an argument isn't UTF-8 text");
	ret = link_call(client, "Invalidate", parameters, &reply, err);
	if (ret)
		return ret;
	*handled += json_integer_value(json_object_get(reply, "handled"));
	json_decref(reply);
	return 0;
}

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	_cleanup_(client_freep)
	struct client *client = NULL;
	json_int_t handled = 0;
	size_t at = 2;
	int ret;

	ret = link_open(in, &client, &err);
	if (!ret && !client)
		ret = link_nothing_held(in, &err);
	do {
		size_t n = in->n_arguments - at < ENTRIES_MAX ? in->n_arguments - at : ENTRIES_MAX;

		if (!ret)
			ret = invalidate(in, client, at, n, &handled, &err);
		at += n;
	} while (!ret && at < in->n_arguments);
	if (ret)
		return print_errors(in, err);
	if (in->json)
		return print_json(in, json_pack("{s:i, s:s, s:s, s:I}", "schema_version",
						REPORT_SCHEMA_VERSION, "name", in->arguments[0],
						"object", in->arguments[1], "handled", handled));
	printf("%s/%s: %" JSON_INTEGER_FORMAT " invalidation%s done\n", in->arguments[0],
	       in->arguments[1], handled, handled == 1 ? "" : "s");
	return 0;
}

const struct verb verb_invalidate = {
	.name = "invalidate",
	.synopsis = "NAME OBJECT [ENTRY...]",
	.help = "Tell the IOMMU what of a guest's own tables is stale",
	.text = "A guest's own table is cached by the IOMMU: after a change, what was changed has to be "
		"invalidated. OBJECT is a nested IOASID or a vIOMMU of topology NAME, FD/OBJECT "
		"where the name is in several fds.\n\n"
		"An ENTRY is all, FIRST-LAST or FIRST+LENGTH (addresses that the table translates), or "
		"command:WORD,WORD in the hardware's own format: arm-smmuv3 takes the two words of a "
		"command of its queue, the mock IOMMU the number of a cache entry. Without ENTRY, all.",
	.options = OPTION(SOCKET) | OPTION(VERBOSE) | OPTION(LEAF),
	.min_arguments = 2,
	.max_arguments = SIZE_MAX,
	.complete = COMPLETE_TOPOLOGY,
	.run = run,
};
