// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config/grammar.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define FLAG_REQUIRED CYAML_FLAG_POINTER
#define FLAG_OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define FLAG_QUOTED   (FLAG_OPTIONAL | CYAML_FLAG_SCALAR_QUOTE_DOUBLE)
#define IS_REQUIRED   true
#define IS_OPTIONAL   false
#define IS_QUOTED     false

static const cyaml_schema_value_t text_value = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED)};

/* The libcyaml side of each row. */
#define SCHEMA_TEXT(owner, key, presence, ...) \
	CYAML_FIELD_STRING_PTR(#key, FLAG_##presence, struct raw_##owner, key, 0, CYAML_UNLIMITED),
#define SCHEMA_OBJECT(owner, key, presence, element, ...)                                         \
	CYAML_FIELD_MAPPING_PTR(#key, FLAG_##presence | CYAML_FLAG_FLOW, struct raw_##owner, key, \
				element##_schema),
#define SCHEMA_LIST(owner, key, presence, element, ...)                      \
	CYAML_FIELD_SEQUENCE(#key, FLAG_##presence, struct raw_##owner, key, \
			     &grammar_##element.value, 0, CYAML_UNLIMITED),
#define SCHEMA_TEXTS(owner, key, presence, ...)                                              \
	CYAML_FIELD_SEQUENCE(#key, FLAG_##presence, struct raw_##owner, key, &text_value, 0, \
			     CYAML_UNLIMITED),

/* Our side. */
#define NOTE_TEXT(owner, key, presence, text, ...) \
	{.sentence = text, .required = IS_##presence, __VA_ARGS__},
#define NOTE_OBJECT(owner, key, presence, element, text, ...) \
	{.sentence = text, .required = IS_##presence, .object = &grammar_##element, __VA_ARGS__},
#define NOTE_LIST  NOTE_OBJECT
#define NOTE_TEXTS NOTE_TEXT

#define DEFINE_OBJECT(owner, FIELDS, layout, what)                                              \
	static const cyaml_schema_field_t owner##_schema[] = {                                  \
		FIELDS(SCHEMA_TEXT, SCHEMA_OBJECT, SCHEMA_LIST, SCHEMA_TEXTS) CYAML_FIELD_END}; \
	static const struct grammar_field owner##_fields[] = {                                  \
		FIELDS(NOTE_TEXT, NOTE_OBJECT, NOTE_LIST, NOTE_TEXTS)};                         \
	_Static_assert(ARRAY_SIZE(owner##_fields) <= GRAMMAR_FIELDS_MAX, "room for " #owner);   \
	const struct grammar_object grammar_##owner = {                                         \
		.name = #owner,                                                                 \
		.noun = what,                                                                   \
		.value = {CYAML_VALUE_MAPPING(layout, struct raw_##owner, owner##_schema)},     \
		.schema = owner##_schema,                                                       \
		.fields = owner##_fields,                                                       \
		.n_fields = ARRAY_SIZE(owner##_fields),                                         \
		.size = sizeof(struct raw_##owner),                                             \
	};
GRAMMAR_OBJECTS(DEFINE_OBJECT)

const struct grammar_object *const grammar_objects[] = {
#define X(owner, ...) &grammar_##owner,
	GRAMMAR_OBJECTS(X)
#undef X
		NULL};

const cyaml_schema_value_t grammar_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_topology, topology_schema)};

size_t grammar_find(const struct grammar_object *object, const char *key, size_t start)
{
	for (size_t i = 0; i < object->n_fields; i++) {
		size_t at = (start + i) % object->n_fields;

		if (!strcmp(object->schema[at].key, key))
			return at;
	}
	return object->n_fields;
}

bool grammar_in_place(const struct grammar_field *field, const char *value)
{
	if (!value)
		return false;
	if (!field->when.values[0])
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(field->when.values) && field->when.values[i]; i++)
		if (!strcmp(field->when.values[i], value))
			return true;
	return false;
}

const char *grammar_rule(const struct grammar_field *field, char buf[static GRAMMAR_RULE_MAX])
{
	size_t used = (size_t)snprintf(buf, GRAMMAR_RULE_MAX, "%s", field->when.key);

	for (size_t i = 0; i < ARRAY_SIZE(field->when.values) && field->when.values[i]; i++)
		used += (size_t)snprintf(buf + used, GRAMMAR_RULE_MAX - used, "%s%s",
					 i ? " or " : ": ", field->when.values[i]);
	return buf;
}
