/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The grammar (fields.h) as tables, and the raw structs that a config is loaded into. */
#pragma once

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/fields.h"
#include "model/topology.h"

/* What a scalar means; values.c knows how each is written. */
enum value_type {
	VALUE_NAME, /* of an object of the topology */
	VALUE_ADDRESS, /* any 64 bits */
	VALUE_SIZE, /* above 0 */
	VALUE_IOVA, /* an address or "auto" */
	VALUE_NUMBER, /* min..max, without suffix */
	VALUE_BOOL,
	VALUE_WORD, /* one of words[] */
	VALUE_PATH, /* absolute */
	VALUE_PCI,
	VALUE_UUID,
	VALUE_MANAGEMENT,
	VALUE_MAC,
	VALUE_SYSFS, /* a device or driver name as in /sys/bus */
	VALUE_USER,
	VALUE_COUNT
};

struct grammar_object;

struct grammar_field {
	const char *sentence;
	enum value_type type; /* of the scalar, or of each scalar of the list */
	const struct grammar_object *object; /* of an object or list of objects; else NULL */
	bool required;
	bool alternative; /* exactly one of the owner's alternatives is there */
	const char *refers; /* what it names; NULL: nothing */
	const char *fallback; /* the default, as one would write it; NULL: none */
	const char *const *words; /* VALUE_WORD; ends with NULL */
	uint64_t min, max; /* VALUE_NUMBER: bounds; list of scalars: how many */
	struct {
		const char *key; /* of the same object; NULL: always in place */
		const char *values[3]; /* in place with one of them; none: with the key itself */
		bool required; /* must be there then */
	} when;
};

#define GRAMMAR_FIELDS_MAX 16

struct grammar_object {
	const char *name;
	const char *noun; /* with article */
	cyaml_schema_value_t value; /* as an element of a list */
	const cyaml_schema_field_t
		*schema; /* shapes and places in the raw struct; ends with key NULL */
	const struct grammar_field *fields; /* of the same order */
	size_t n_fields;
	size_t size; /* of the raw struct */
};

struct node;

/* libcyaml neither reads nor writes this part. */
struct raw_head {
	const struct node *at;
	uint32_t index; /* in its list */
	bool bad; /* something in it is wrong: don't draw conclusions from what is missing */
};

/* As strings: the values' own types are ours to check (libcyaml reads "64K" as 64). */
#define RAW_TEXT(owner, key, ...)		       char *key;
#define RAW_OBJECT(owner, key, presence, element, ...) struct raw_##element *key;
#define RAW_LIST(owner, key, presence, element, ...) \
	struct raw_##element *key;                   \
	uint32_t key##_count;
#define RAW_TEXTS(owner, key, ...) \
	char **key;                \
	uint32_t key##_count;
#define RAW_STRUCT(owner, FIELDS, layout, noun)                   \
	struct raw_##owner {                                      \
		struct raw_head head;                             \
		FIELDS(RAW_TEXT, RAW_OBJECT, RAW_LIST, RAW_TEXTS) \
	};                                                        \
	extern const struct grammar_object grammar_##owner;
GRAMMAR_OBJECTS(RAW_STRUCT)
#undef RAW_STRUCT
#undef RAW_TEXT
#undef RAW_OBJECT
#undef RAW_LIST
#undef RAW_TEXTS

/* All objects, the outermost last; NULL-terminated. */
extern const struct grammar_object *const grammar_objects[];

/* For cyaml_load_data() and cyaml_save_data() of a struct raw_topology. */
extern const cyaml_schema_value_t grammar_schema;

/* Index of the key; n_fields: no such key. `start` is where to look first. */
size_t grammar_find(const struct grammar_object *object, const char *key, size_t start);

/* Whether the field is in place when the key it depends on has that value (NULL: is absent). */
bool grammar_in_place(const struct grammar_field *field, const char *value);

/* "backing: memfd or file", or just "copy": what a field that isn't always in place goes with. */
#define GRAMMAR_RULE_MAX 128
const char *grammar_rule(const struct grammar_field *field, char buf[static GRAMMAR_RULE_MAX]);
