// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config/schema.h"

#include <string.h>

#include "base/cleanup.h"
#include "config/grammar.h"
#include "config/values.h"

/* 2^64: jansson has no integer of that size, and a bound of a schema may be any number. */
#define PAST_64_BITS 18446744073709551616.0

/*
 * A json_object_set_new() or json_array_append_new() that fails leaves the parent incomplete, so a
 * tree is only as good as its last step: `ok` collects them.
 */
struct schema {
	bool ok;
};

static json_t *keep(struct schema *s, json_t *value)
{
	s->ok &= value != NULL;
	return value;
}

static void set(struct schema *s, json_t *object, const char *key, json_t *value)
{
	s->ok &= !json_object_set_new(object, key, value);
}

static void append(struct schema *s, json_t *array, json_t *value)
{
	s->ok &= !json_array_append_new(array, value);
}

static json_t *words_json(struct schema *s, const char *const *words, size_t max)
{
	json_t *array = keep(s, json_array());

	for (size_t i = 0; i < max && words[i]; i++)
		append(s, array, json_string(words[i]));
	return array;
}

static json_t *reference(struct schema *s, const char *name)
{
	return keep(s, json_pack("{s:s++}", "$ref", "#/$defs/", name, ""));
}

static bool is_address(enum value_type type)
{
	return type == VALUE_ADDRESS || type == VALUE_SIZE || type == VALUE_IOVA;
}

static json_t *type_json(struct schema *s, enum value_type type)
{
	json_t *text =
		keep(s, json_pack("{s:s, s:s}", "type", "string", "pattern", value_pattern(type)));
	json_t *number, *def;

	if (!is_address(type))
		set(s, text, "not",
		    json_pack("{s:o}", "enum", words_json(s, value_reserved, SIZE_MAX)));
	if (!value_takes_number(type)) {
		set(s, text, "description", json_string(value_type_expected(type)));
		return text;
	}
	number = is_address(type) ? json_pack("{s:s, s:i, s:f}", "type", "integer", "minimum",
					      type == VALUE_SIZE, "exclusiveMaximum", PAST_64_BITS)
				  : json_pack("{s:s, s:i}", "type", "number", "minimum", 0);
	def = keep(s, json_pack("{s:s, s:[o, o]}", "description", value_type_expected(type),
				"anyOf", keep(s, number), text));
	return def;
}

static json_t *scalar_json(struct schema *s, const struct grammar_field *field)
{
	switch (field->type) {
	case VALUE_BOOL:
		return keep(s, json_pack("{s:s}", "type", "boolean"));
	case VALUE_NUMBER:
		return keep(s,
			    json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum",
				      (json_int_t)field->min, "maximum", (json_int_t)field->max));
	case VALUE_WORD:
		return keep(s, json_pack("{s:o}", "enum", words_json(s, field->words, SIZE_MAX)));
	default:
		return reference(s, value_type_name(field->type));
	}
}

static json_t *default_json(const struct grammar_field *field)
{
	if (field->type == VALUE_BOOL)
		return json_boolean(value_true(field->fallback));
	if (!field->fallback[strspn(field->fallback, "0123456789")])
		return json_integer(strtoll(field->fallback, NULL, 10));
	return json_string(field->fallback);
}

static json_t *property_json(struct schema *s, const cyaml_schema_field_t *schema,
			     const struct grammar_field *field)
{
	json_t *element = field->object ? reference(s, field->object->name) : scalar_json(s, field);
	json_t *property = element;

	if (schema->value.type == CYAML_SEQUENCE) {
		property = keep(s, json_pack("{s:s, s:o}", "type", "array", "items", element));
		if (!field->object) {
			set(s, property, "minItems", json_integer((json_int_t)field->min));
			set(s, property, "maxItems", json_integer((json_int_t)field->max));
		}
	}
	set(s, property, "description", json_string(field->sentence));
	if (field->fallback)
		set(s, property, "default", default_json(field));
	return property;
}

/* "If the ruling key has one of the values (by default, too), this key may or must be there." */
static json_t *rule_json(struct schema *s, const struct grammar_object *object, size_t i)
{
	const struct grammar_field *field = &object->fields[i];
	const char *key = object->schema[i].key;
	const char *fallback = object->fields[grammar_find(object, field->when.key, 0)].fallback;
	json_t *condition = keep(
		s, json_pack("{s:{s:{s:o}}}", "properties", field->when.key, "enum",
			     words_json(s, field->when.values, ARRAY_SIZE(field->when.values))));
	json_t *rule;

	if (!grammar_in_place(field, fallback))
		set(s, condition, "required", json_pack("[s]", field->when.key));
	rule = keep(s, json_pack("{s:o, s:{s:{s:b}}}", "if", condition, "else", "properties", key,
				 false));
	if (field->when.required)
		set(s, rule, "then", json_pack("{s:[s]}", "required", key));
	return rule;
}

static void add_rules(struct schema *s, const struct grammar_object *object, json_t *def)
{
	json_t *all = keep(s, json_array()), *one = keep(s, json_array());
	json_t *dependent = keep(s, json_object());

	for (size_t i = 0; i < object->n_fields; i++) {
		const struct grammar_field *field = &object->fields[i];
		const char *key = object->schema[i].key;

		if (field->alternative)
			append(s, one, json_pack("{s:[s]}", "required", key));
		if (!field->when.key)
			continue;
		if (field->when.values[0]) {
			append(s, all, rule_json(s, object, i));
			continue;
		}
		set(s, dependent, key, json_pack("[s]", field->when.key));
		if (field->when.required)
			set(s, dependent, field->when.key, json_pack("[s]", key));
	}
	if (json_array_size(one))
		set(s, def, "oneOf", json_incref(one));
	if (json_object_size(dependent))
		set(s, def, "dependentRequired", json_incref(dependent));
	if (json_array_size(all))
		set(s, def, "allOf", json_incref(all));
	json_decref(one);
	json_decref(dependent);
	json_decref(all);
}

static json_t *object_json(struct schema *s, const struct grammar_object *object)
{
	json_t *def = keep(s, json_pack("{s:s, s:s, s:b}", "description", object->noun, "type",
					"object", "additionalProperties", false));
	json_t *properties = keep(s, json_object()), *required = keep(s, json_array());

	for (size_t i = 0; i < object->n_fields; i++) {
		const char *key = object->schema[i].key;

		set(s, properties, key, property_json(s, &object->schema[i], &object->fields[i]));
		if (object->fields[i].required)
			append(s, required, json_string(key));
	}
	set(s, def, "properties", properties);
	if (json_array_size(required))
		set(s, def, "required", json_incref(required));
	json_decref(required);
	add_rules(s, object, def);
	return def;
}

json_t *config_schema_json(void)
{
	struct schema s = {.ok = true};
	json_t *defs = keep(&s, json_object()), *root;

	for (int type = 0; type < VALUE_COUNT; type++)
		if (value_type_name((enum value_type)type))
			set(&s, defs, value_type_name((enum value_type)type),
			    type_json(&s, (enum value_type)type));
	for (size_t i = 0; grammar_objects[i]; i++)
		set(&s, defs, grammar_objects[i]->name, object_json(&s, grammar_objects[i]));
	root = keep(&s,
		    json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "$schema",
			      "https://json-schema.org/draft/2020-12/schema", "$id",
			      "urn:ioasidctl:config:1", "title", "ioasidctl config", "description",
			      "I/O address spaces, their memory and their devices, as "
			      "ioasidctl.yaml(5) describes them.",
			      "$ref", "#/$defs/topology", "$defs", defs));
	if (s.ok)
		return root;
	json_decref(root);
	return NULL;
}
