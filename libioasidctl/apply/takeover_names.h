/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a topology's descriptors are called on their way to another process; internal to apply/. */
#pragma once

#include <stdio.h>

#include "model/topology.h"

/* Names of taken members of groups are longer than declared ones. */
#define TAKEOVER_NAME_MAX 128

static inline const char *takeover_name(char name[static TAKEOVER_NAME_MAX], const char *kind,
					const char *object)
{
	snprintf(name, TAKEOVER_NAME_MAX, "%s/%s", kind, object);
	return name;
}
