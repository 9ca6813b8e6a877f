/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The grammar for others: as a JSON Schema for editors and programs, as a reference for people. */
#pragma once

#include <jansson.h>

/*
 * JSON Schema (draft 2020-12) of a config: shapes, keys, how values are written, which keys go
 * together. What needs more than one object to be seen (unknown names, overlaps) is
 * config_parse()'s alone. New reference; NULL: out of memory.
 */
json_t *config_schema_json(void);

/* The key reference of ioasidctl.yaml(5), in scdoc's markup. Owned; NULL: out of memory. */
char *config_reference(void);
