/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An explanation as JSON. */
#pragma once

#include <jansson.h>

#include "host/explain.h"
#include "report/fields.h"

extern const struct field_table explain_fields;

/* The document of `explain --json`. New reference; NULL: out of memory. */
json_t *report_explanation(const struct explanation *e);
