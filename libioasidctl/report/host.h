/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host's inventory as JSON, and what a machine description can be made of it. */
#pragma once

#include <jansson.h>

#include "host/inventory.h"
#include "report/fields.h"

extern const struct field_table host_fields;

/* The document of `host --json`. New reference; NULL: out of memory. */
json_t *report_host(const struct host *host);
