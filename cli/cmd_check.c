// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "base/cleanup.h"
#include "local.h"
#include "output.h"
#include "report/report.h"

/* How far a config without fault is taken: not at all, to the plan, or to the machine's answers. */
static int try_topology(const struct invocation *in, struct topology *t,
			struct ioasidctl_error **err)
{
	json_t *planned = NULL;
	int ret = 0;

	if (in->given & OPTION(MACHINE))
		return local_rehearse(in, t, err);
	if (in->given & OPTION(DRIVER))
		ret = local_plan(in, t, &planned, err);
	else
		topology_free(t);
	json_decref(planned);
	return ret;
}

static int check_file(const struct invocation *in, const char *file, json_t *files,
		      struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = NULL;
	struct topology *t = NULL;
	json_t *entry;
	size_t length;
	int ret;

	ret = config_read_file(file, &text, &length, err);
	if (!ret)
		ret = config_parse(text, length, file, &t, err);
	if (ret)
		return ret;
	entry = json_pack("{s:s, s:s, s:b}", "file", file, "name", t->name, "planned",
			  in->given & (OPTION(DRIVER) | OPTION(MACHINE)));
	ret = try_topology(in, t, err);
	config_cite(text, length, file, *err);
	if (ret) {
		json_decref(entry);
		return ret;
	}
	if (!in->json) {
		print_safely(stdout, file);
		puts(": ok");
	}
	/* Without an entry (a name that isn't UTF-8) the file is still right. */
	if (entry)
		json_array_append_new(files, entry);
	return 0;
}

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	json_t *files = json_array();

	/* One error doesn't hide those of the next file; their chains grow together. */
	for (size_t i = 0; i < in->n_arguments; i++)
		check_file(in, in->arguments[i], files, &err);
	if (in->json)
		print_json(in, json_pack("{s:i, s:o}", "schema_version", REPORT_SCHEMA_VERSION,
					 "files", files));
	else
		json_decref(files);
	return err ? print_errors(in, err) : 0;
}

const struct verb verb_check = {
	.name = "check",
	.synopsis = "FILE...",
	.help = "Check configs without touching anything",
	.text = "Reads each FILE (\"-\": standard input), checks it against the grammar and its own "
		"cross-references, and reports all faults with their positions.\n\n"
		"With --driver the config is also planned against that driver on this machine, so that "
		"what the driver can't do shows up.\n\n"
		"With --machine it is also tried on the machine that FILE describes, which may be what "
		"`ioasidctl host --json` printed on another host: drivers and groups, addresses and "
		"reserved regions, page-table formats, the limit of locked memory. Nothing of this "
		"machine is used for that.",
	.options = OPTION(DRIVER) | OPTION(MACHINE) | OPTION(VERBOSE),
	.min_arguments = 1,
	.max_arguments = SIZE_MAX,
	.complete = COMPLETE_FILE,
	.run = run,
};
