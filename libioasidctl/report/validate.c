// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report/fields.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"

/* A step on the way to a value; on the stack of who walks there. */
struct place {
	const struct place *up;
	const char *key;
	size_t index;
	bool in_list;
};

static void print_place(FILE *f, const struct place *place)
{
	if (place->up) {
		print_place(f, place->up);
		fputc('.', f);
	}
	fputs(place->key, f);
	if (place->in_list)
		fprintf(f, "[%zu]", place->index);
}

static int refuse(char **why, const struct place *place, const char *expected)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return -ENOMEM;
	if (place) {
		print_place(f, place);
		fputs(": ", f);
	}
	fprintf(f, "expected %s", expected);
	if (fclose(f))
		return -ENOMEM;
	*why = steal_pointer(text);
	return -EINVAL;
}

static int refuse_word(char **why, const struct place *place, const char *const *names)
{
	char expected[256] = "one of";
	size_t used = strlen(expected);

	for (size_t i = 0; names[i] && used < sizeof(expected); i++)
		used += (size_t)snprintf(expected + used, sizeof(expected) - used, "%s %s",
					 i ? "," : "", names[i]);
	return refuse(why, place, expected);
}

static int check_text(char **why, const struct place *place, const struct field *field,
		      const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text || strlen(text) != json_string_length(value))
		return refuse(why, place, "a text");
	for (size_t i = 0; field->names && field->names[i]; i++)
		if (!strcmp(field->names[i], text))
			return 0;
	return field->names ? refuse_word(why, place, field->names) : 0;
}

static int check_hex(char **why, const struct place *place, const json_t *value)
{
	const char *text = json_string_value(value);
	uint64_t number;

	return text && !number_parse(text, &number)
		       ? 0
		       : refuse(why, place, "a number in a string, like \"0x1000\"");
}

static int check_object(char **why, const struct place *place, const struct field_table *table,
			const json_t *value);

static int check_one(char **why, const struct place *place, const struct field *field,
		     const json_t *value)
{
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_TEXTS:
		return check_text(why, place, field, value);
	case FIELD_HEX:
	case FIELD_HEXES:
		return check_hex(why, place, value);
	case FIELD_OBJECT:
	case FIELD_OBJECTS:
		return check_object(why, place, field->table, value);
	case FIELD_BOOL:
		return json_is_boolean(value) ? 0 : refuse(why, place, "true or false");
	case FIELD_COUNT:
		return json_is_integer(value) && json_integer_value(value) >= 0
			       ? 0
			       : refuse(why, place, "a number");
	case FIELD_COUNTERS:
		break;
	}
	return 0;
}

static int check_list(char **why, struct place *place, const struct field *field,
		      const json_t *value)
{
	const json_t *item;
	int ret = 0;
	size_t i;

	if (!json_is_array(value))
		return refuse(why, place, "a list");
	place->in_list = true;
	json_array_foreach (value, i, item) {
		place->index = i;
		ret = check_one(why, place, field, item);
		if (ret)
			break;
	}
	return ret;
}

static int check_object(char **why, const struct place *place, const struct field_table *table,
			const json_t *value)
{
	int ret = 0;

	if (!json_is_object(value))
		return refuse(why, place, "an object");
	for (const struct field *field = table->fields; field->key && !ret; field++) {
		const json_t *member = json_object_get(value, field->key);
		struct place inner = {.up = place, .key = field->key};
		bool list = field->type == FIELD_TEXTS || field->type == FIELD_HEXES ||
			    field->type == FIELD_OBJECTS;

		if (!member)
			ret = field->optional ? 0 : refuse(why, &inner, "it to be there");
		else
			ret = list ? check_list(why, &inner, field, member)
				   : check_one(why, &inner, field, member);
	}
	return ret;
}

int fields_validate(const struct field_table *table, const json_t *document, char **why)
{
	*why = NULL;
	return check_object(why, NULL, table, document);
}
