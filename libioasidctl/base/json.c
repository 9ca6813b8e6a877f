// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json.h"

#include <errno.h>

int json_read(const char *text, size_t length, json_t **out, json_error_t *fault)
{
	*out = json_loadb(text, length, JSON_REJECT_DUPLICATES, fault);
	if (*out)
		return 0;
	/* For want of memory jansson (2.14) gives up without a word. */
	return fault->text[0] && json_error_code(fault) != json_error_out_of_memory ? -EINVAL
										    : -ENOMEM;
}
