// SPDX-License-Identifier: GPL-2.0-or-later
/* What is generated from the grammar and committed is what the grammar says today. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/grammar.h"
#include "config/schema.h"
#include "support_config.h"

static void schema_is_current(void **state)
{
	json_t *schema = config_schema_json();
	char *text, *line;

	(void)state;
	assert_non_null(schema);
	text = json_dumps(schema, JSON_INDENT(2));
	assert_true(asprintf(&line, "%s\n", text) > 0);
	config_assert_generated("schemas/config.schema.json", line, NULL, NULL);
	json_decref(schema);
	free(text);
	free(line);
}

static void reference_is_current(void **state)
{
	char *text = config_reference();

	(void)state;
	assert_non_null(text);
	config_assert_generated("man/ioasidctl.yaml.5.scd", text,
				"; keys: generated from libioasidctl/config/fields.h\n\n",
				"; end of keys\n");
	free(text);
}

/* Each row of the grammar says something that can be checked. */
static void rows_are_complete(void **state)
{
	(void)state;
	for (size_t i = 0; grammar_objects[i]; i++)
		for (size_t j = 0; j < grammar_objects[i]->n_fields; j++) {
			const struct grammar_field *field = &grammar_objects[i]->fields[j];
			size_t length = strlen(field->sentence);

			assert_true(length > 4 && field->sentence[length - 1] == '.');
			if (!field->object && field->type == VALUE_WORD)
				assert_non_null(field->words);
			if (!field->object && field->type == VALUE_NUMBER)
				assert_true(field->min <= field->max && field->max);
			if (field->when.key)
				assert_true(grammar_find(grammar_objects[i], field->when.key, 0) <
					    grammar_objects[i]->n_fields);
			assert_false(field->required && (field->fallback || field->when.key));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_complete),
		cmocka_unit_test(schema_is_current),
		cmocka_unit_test(reference_is_current),
	};

	return cmocka_run_group_tests_name("config_schema", tests, NULL, NULL);
}
