// SPDX-License-Identifier: GPL-2.0-or-later
/* libFuzzer target: any bytes as a config; what is accepted must survive being written and read. */
#include <stdint.h>
#include <stdlib.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ioasidctl_error *err = NULL;
	struct topology *t = NULL, *again = NULL;
	char *text = NULL;
	size_t length;

	if (config_parse((const char *)data, size, "fuzz", &t, &err)) {
		if (!err || t)
			abort();
		error_free(err);
		return 0;
	}
	if (err || !t)
		abort();
	if (config_write(t, &text, &length, &err) ||
	    config_parse(text, length, "written", &again, &err))
		abort();
	topology_free(t);
	topology_free(again);
	free(text);
	return 0;
}
