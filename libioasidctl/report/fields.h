/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Field tables: what an object of a printed document consists of. One table serves the JSON
 * writer, the reader and the JSON Schema, so that they can't drift apart.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_type {
	FIELD_TEXT, /* const char * */
	FIELD_BOOL, /* uint64_t: 0 or 1 */
	FIELD_COUNT, /* uint64_t as a JSON integer: numbers that stay far below 2^53 */
	FIELD_HEX, /* uint64_t as "0x...": addresses, sizes, registers */
	FIELD_TEXTS, /* const char *const * and a size_t */
	FIELD_HEXES, /* const uint64_t * and a size_t */
	FIELD_OBJECT, /* const void *, a record of `table` */
	FIELD_OBJECTS, /* const void *, records of `table` in a row, and a size_t */
	FIELD_COUNTERS, /* object of integers by the keys `names`; only in schemas */
};

/* The value of a number or bool that isn't known; an unknown text or object is NULL. */
#define FIELD_UNKNOWN UINT64_MAX

struct field_table;

struct field {
	const char *key;
	enum field_type type;
	bool optional; /* left out of the object where unknown */
	size_t offset; /* of the value in the record */
	size_t count_offset; /* of the size_t of TEXTS, HEXES, OBJECTS */
	const struct field_table *table; /* OBJECT, OBJECTS */
	const char *const *names; /* TEXT, TEXTS: the closed set of values, NULL at the end */
	const char *description;
};

struct field_table {
	const char *name; /* under "$defs" of a schema */
	const char *description;
	size_t record_size;
	const struct field *fields; /* terminated by a NULL key */
};

/* One record as a JSON object. New reference; NULL: out of memory. */
json_t *fields_encode(const struct field_table *table, const void *record);

/*
 * The texts and counts of an object into a record, which borrows them from it; what is absent
 * becomes unknown. Keys that the table doesn't know are ignored: the writer may be newer.
 * 0; -EINVAL: not an object, a required key is absent, or a value has another type.
 */
int fields_decode(const struct field_table *table, const json_t *object, void *record);

/*
 * Whether a document from outside is what its table says. Keys that the table doesn't know are
 * ignored: the writer may be newer. 0; -ENOMEM; -EINVAL with *why, owned by the caller:
 * "devices[3].group: expected a number".
 */
int fields_validate(const struct field_table *table, const json_t *document, char **why);

/* The JSON Schema (2020-12) of a document. New reference; NULL: out of memory. */
json_t *fields_schema(const struct field_table *document, const char *title);
