// SPDX-License-Identifier: GPL-2.0-or-later
#include "verb.h"

#include <string.h>

/* One verb a line, for those who add some at the same time. */
// clang-format off
const struct verb *const verbs[] = {
	&verb_check,
	&verb_plan,
	&verb_apply,
	&verb_show,
	&verb_monitor,
	&verb_delete,
	&verb_run,
	&verb_exec,
	&verb_translate,
	&verb_invalidate,
	&verb_dirty,
	&verb_faults,
	&verb_host,
	&verb_explain,
	&verb_serve,
	&verb_daemon,
	&verb_version,
	&verb_completion,
	&verb_help,
	NULL,
};
// clang-format on

const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; verbs[i]; i++)
		if (!strcmp(verbs[i]->name, name))
			return verbs[i];
	return NULL;
}
