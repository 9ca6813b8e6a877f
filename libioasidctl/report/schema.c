// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report/fields.h"

#include <stdio.h>

/*
 * json_pack() refuses NULL members by itself, so a failed allocation anywhere below makes the
 * whole schema NULL.
 */
static json_t *enumeration(const char *const *names)
{
	json_t *values = json_array();

	for (size_t i = 0; values && names[i]; i++)
		json_array_append_new(values, json_string(names[i]));
	return values;
}

static json_t *text_schema(const struct field *field)
{
	if (!field->names)
		return json_pack("{s:s}", "type", "string");
	return json_pack("{s:s, s:o}", "type", "string", "enum", enumeration(field->names));
}

static json_t *hex_schema(void)
{
	return json_pack("{s:s, s:s}", "type", "string", "pattern", "^0x[0-9a-f]{1,16}$");
}

static json_t *reference(const struct field_table *table)
{
	char path[64];

	snprintf(path, sizeof(path), "#/$defs/%s", table->name);
	return json_pack("{s:s}", "$ref", path);
}

static json_t *list_of(json_t *items)
{
	return json_pack("{s:s, s:o}", "type", "array", "items", items);
}

static json_t *counters_schema(const char *const *names)
{
	json_t *properties = json_object();

	for (size_t i = 0; properties && names[i]; i++)
		json_object_set_new(properties, names[i],
				    json_pack("{s:s, s:i}", "type", "integer", "minimum", 0));
	return json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties,
			 "additionalProperties", 0);
}

static json_t *field_schema(const struct field *field)
{
	switch (field->type) {
	case FIELD_TEXT:
		return text_schema(field);
	case FIELD_BOOL:
		return json_pack("{s:s}", "type", "boolean");
	case FIELD_COUNT:
		return json_pack("{s:s, s:i}", "type", "integer", "minimum", 0);
	case FIELD_HEX:
		return hex_schema();
	case FIELD_TEXTS:
		return list_of(text_schema(field));
	case FIELD_HEXES:
		return list_of(hex_schema());
	case FIELD_OBJECT:
		return reference(field->table);
	case FIELD_OBJECTS:
		return list_of(reference(field->table));
	case FIELD_COUNTERS:
		return counters_schema(field->names);
	}
	return NULL;
}

static json_t *table_schema(const struct field_table *table)
{
	json_t *properties = json_object(), *required = json_array();

	for (const struct field *field = table->fields; field->key; field++) {
		json_t *schema = field_schema(field);

		if (field->description)
			json_object_set_new(schema, "description", json_string(field->description));
		json_object_set_new(properties, field->key, schema);
		if (!field->optional)
			json_array_append_new(required, json_string(field->key));
	}
	return json_pack("{s:s, s:s, s:o, s:o, s:b}", "description", table->description, "type",
			 "object", "properties", properties, "required", required,
			 "additionalProperties", 0);
}

static void define(json_t *defs, const struct field_table *table)
{
	if (json_object_get(defs, table->name))
		return;
	json_object_set_new(defs, table->name, table_schema(table));
	for (const struct field *field = table->fields; field->key; field++)
		if (field->table)
			define(defs, field->table);
}

json_t *fields_schema(const struct field_table *document, const char *title)
{
	json_t *schema = json_pack("{s:s, s:s}", "$schema",
				   "https://json-schema.org/draft/2020-12/schema", "title", title);
	json_t *defs = json_object(), *root = table_schema(document);

	if (!schema || !defs || !root || json_object_update(schema, root)) {
		json_decref(schema);
		json_decref(defs);
		json_decref(root);
		return NULL;
	}
	json_decref(root);
	for (const struct field *field = document->fields; field->key; field++)
		if (field->table)
			define(defs, field->table);
	if (json_object_size(defs))
		json_object_set_new(schema, "$defs", defs);
	else
		json_decref(defs);
	return schema;
}
