// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/grammar.h"
#include "config/schema.h"
#include "config/values.h"

#define PATH_MAX_LENGTH 128

/* scdoc takes these for markup. */
static void put(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("_*\\<>#`", *text))
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void put_presence(FILE *out, const struct grammar_object *object,
			 const struct grammar_field *field)
{
	char rule[GRAMMAR_RULE_MAX];
	const char *glue = "";

	if (field->required) {
		fputs(" (required)", out);
	} else if (field->alternative) {
		fputs(" (exactly one of ", out);
		for (size_t i = 0; i < object->n_fields; i++)
			if (object->fields[i].alternative) {
				fputs(glue, out);
				put(out, object->schema[i].key);
				glue = ", ";
			}
		fputs(")", out);
	} else if (field->when.key) {
		fputs(field->when.required ? " (required with " : " (only with ", out);
		put(out, grammar_rule(field, rule));
		fputs(")", out);
	}
}

static void put_value(FILE *out, const cyaml_schema_field_t *schema,
		      const struct grammar_field *field)
{
	char expected[EXPECTED_MAX];

	if (field->object) {
		fputs(schema->value.type == CYAML_SEQUENCE ? "A list, see below."
							   : "An object, see below.",
		      out);
		return;
	}
	value_expected(field, expected);
	if (schema->value.type == CYAML_SEQUENCE)
		fprintf(out, "A list of %u, each ", (unsigned)field->min);
	else
		fputs("Value: ", out);
	put(out, expected);
	fputs(".", out);
	if (field->fallback) {
		fputs(" Default: ", out);
		put(out, field->fallback);
		fputs(".", out);
	}
}

static void put_object(FILE *out, const struct grammar_object *object, const char *path)
{
	fputs("## ", out);
	put(out, path[0] ? path : "The document");
	fputs("\n\n", out);
	for (size_t i = 0; i < object->n_fields; i++) {
		fputc('*', out);
		put(out, object->schema[i].key);
		fputc('*', out);
		put_presence(out, object, &object->fields[i]);
		fputs("\n\t", out);
		put(out, object->fields[i].sentence);
		fputc(' ', out);
		put_value(out, &object->schema[i], &object->fields[i]);
		fputs("\n\n", out);
	}
	for (size_t i = 0; i < object->n_fields; i++) {
		char inner[PATH_MAX_LENGTH];

		if (!object->fields[i].object)
			continue;
		snprintf(inner, sizeof(inner), "%s%s%s%s", path, path[0] ? "." : "",
			 object->schema[i].key,
			 object->schema[i].value.type == CYAML_SEQUENCE ? "[]" : "");
		put_object(out, object->fields[i].object, inner);
	}
}

char *config_reference(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool failed;

	if (!out)
		return NULL;
	put_object(out, &grammar_topology, "");
	failed = ferror(out);
	if (!fclose(out) && !failed)
		return text;
	free(text);
	return NULL;
}
