/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results of plan, apply and delete, for people and as documents. */
#pragma once

#include <jansson.h>

#include "verb.h"

/* The operations of a result, one a line; long runs of mappings are cut short without -v. */
void print_operations(const struct invocation *in, const json_t *result);

/* "vm0: 12 operations done", or "vm0: nothing to do". */
void print_outcome(const struct invocation *in, const json_t *result);

/* Whether the result says that there is, or was, something to do. */
bool result_changed(const json_t *result);

/* {schema_version, results: [...]} of an array of results, whose reference it takes. */
json_t *result_document(const struct invocation *in, json_t *results);
