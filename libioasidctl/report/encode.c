// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report/fields.h"

#include <errno.h>
#include <string.h>

#include "base/number.h"

static json_t *encode_hex(uint64_t value)
{
	char buf[NUMBER_TEXT_MAX];

	return json_string_nocheck(number_hex(value, buf));
}

/* Text from outside (paths, driver names) may not be UTF-8: what isn't becomes "?". */
static json_t *encode_text(const char *text)
{
	json_t *json = json_string(text), *replaced;
	char *copy;

	if (json || !text)
		return json;
	copy = strdup(text);
	if (!copy)
		return NULL;
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	replaced = json_string(copy);
	free(copy);
	return replaced;
}

static json_t *encode_list(const struct field *field, const void *items, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < n; i++) {
		json_t *item;

		if (field->type == FIELD_TEXTS)
			item = encode_text(((const char *const *)items)[i]);
		else if (field->type == FIELD_HEXES)
			item = encode_hex(((const uint64_t *)items)[i]);
		else
			item = fields_encode(field->table,
					     (const char *)items + i * field->table->record_size);
		if (json_array_append_new(array, item)) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *encode_field(const struct field *field, const char *record, bool *unknown)
{
	const void *pointer = *(void *const *)(record + field->offset);
	uint64_t number = *(const uint64_t *)(record + field->offset);

	switch (field->type) {
	case FIELD_TEXT:
		*unknown = !pointer;
		return encode_text(pointer);
	case FIELD_BOOL:
		*unknown = field->optional && number == FIELD_UNKNOWN;
		return json_boolean(number);
	case FIELD_COUNT:
		*unknown = field->optional && number == FIELD_UNKNOWN;
		return json_integer((json_int_t)number);
	case FIELD_HEX:
		*unknown = field->optional && number == FIELD_UNKNOWN;
		return encode_hex(number);
	case FIELD_OBJECT:
		*unknown = !pointer;
		return pointer ? fields_encode(field->table, pointer) : NULL;
	case FIELD_TEXTS:
	case FIELD_HEXES:
	case FIELD_OBJECTS:
		*unknown = field->optional && !pointer;
		return encode_list(field, pointer, *(const size_t *)(record + field->count_offset));
	case FIELD_COUNTERS:
		break;
	}
	*unknown = true;
	return NULL;
}

json_t *fields_encode(const struct field_table *table, const void *record)
{
	json_t *object = json_object();

	if (!object)
		return NULL;
	for (const struct field *field = table->fields; field->key; field++) {
		bool unknown = false;
		json_t *value = encode_field(field, record, &unknown);

		if (unknown) {
			json_decref(value);
			continue;
		}
		if (json_object_set_new_nocheck(object, field->key, value)) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static bool decode_field(const struct field *field, const json_t *value, char *record)
{
	switch (field->type) {
	case FIELD_TEXT:
		*(const char **)(record + field->offset) = json_string_value(value);
		return value ? json_is_string(value) : field->optional;
	case FIELD_COUNT:
		*(uint64_t *)(record + field->offset) =
			value ? (uint64_t)json_integer_value(value) : FIELD_UNKNOWN;
		if (!value)
			return field->optional;
		return json_is_integer(value) && json_integer_value(value) >= 0;
	default:
		return false;
	}
}

int fields_decode(const struct field_table *table, const json_t *object, void *record)
{
	if (!json_is_object(object))
		return -EINVAL;
	for (const struct field *field = table->fields; field->key; field++)
		if (!decode_field(field, json_object_get(object, field->key), record))
			return -EINVAL;
	return 0;
}
