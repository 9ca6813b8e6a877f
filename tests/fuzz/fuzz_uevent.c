// SPDX-License-Identifier: GPL-2.0-or-later
/* A device event from anywhere. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/uevent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of exactly this size, so that a byte too far is noticed. */
	char *copy = malloc(size ? size : 1);
	struct uevent event;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (!uevent_parse(copy, size, &event) &&
	    (!*event.address || strchr(event.address, '/') || event.action > UEVENT_UNBIND ||
	     (event.node ? event.selector != SELECTOR_COUNT : event.selector >= SELECTOR_COUNT)))
		abort();
	free(copy);
	return 0;
}
