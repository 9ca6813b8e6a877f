// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that must be accepted, and that mean the same by every way through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/faults.h"
#include "config/load.h"
#include "support_config.h"

static void accept_and_write(const char *path)
{
	struct ioasidctl_error *err = NULL;
	size_t length, written;
	char *text = config_read(path, &length), *out = NULL;
	struct topology *first = config_must_parse(text, length, path), *second;

	assert_string_equal(first->file, path);
	assert_int_equal(config_write(first, &out, &written, &err), 0);
	assert_int_equal(strlen(out), written);
	second = config_must_parse(out, written, "written");
	config_assert_same(first, second);
	topology_free(first);
	topology_free(second);
	free(text);
	free(out);
}

static void same_raw(const char *path, const struct grammar_object *object, const char *ours,
		     const char *theirs);

static void same_field(const char *path, const cyaml_schema_field_t *schema,
		       const struct grammar_field *field, const char *ours, const char *theirs)
{
	const char *mine = *(char *const *)(ours + schema->data_offset);
	const char *other = *(char *const *)(theirs + schema->data_offset);
	uint32_t count = 1;

	if (schema->value.type == CYAML_SEQUENCE) {
		count = *(const uint32_t *)(ours + schema->count_offset);
		assert_int_equal(count, *(const uint32_t *)(theirs + schema->count_offset));
	}
	for (uint32_t i = 0; mine && field->object && i < count; i++)
		same_raw(path, field->object, mine + i * field->object->size,
			 other + i * field->object->size);
	for (uint32_t i = 0;
	     mine && !field->object && schema->value.type == CYAML_SEQUENCE && i < count; i++)
		assert_string_equal(((char *const *)mine)[i], ((char *const *)other)[i]);
	if (schema->value.type != CYAML_STRING)
		return;
	if (!other)
		other = field->fallback;
	if (!mine != !other || (mine && strcmp(mine, other)))
		fail_msg("%s: %s: \"%s\", libcyaml \"%s\"", path, schema->key, mine, other);
}

static void same_raw(const char *path, const struct grammar_object *object, const char *ours,
		     const char *theirs)
{
	for (size_t i = 0; i < object->n_fields; i++)
		same_field(path, &object->schema[i], &object->fields[i], ours, theirs);
}

/* libcyaml's own loader, with the same schema, reads the same strings. */
static void compare_with_libcyaml(const char *path)
{
	const cyaml_config_t config = {.mem_fn = cyaml_mem, .flags = CYAML_CFG_DEFAULT};
	struct arena arena = {0};
	struct faults faults = {.file = path};
	struct raw_topology *ours, *theirs = NULL;
	struct node *root = NULL;
	size_t length;
	char *text = config_read(path, &length);

	assert_int_equal(tree_parse(&arena, &faults, text, length, &root), 0);
	ours = load_topology(&arena, &faults, root);
	assert_int_equal(faults.n, 0);
	assert_int_equal(cyaml_load_data((const uint8_t *)text, length, &config, &grammar_schema,
					 (cyaml_data_t **)&theirs, NULL),
			 CYAML_OK);
	same_raw(path, &grammar_topology, (const char *)ours, (const char *)theirs);
	cyaml_free(&config, &grammar_schema, theirs, 0);
	faults_done(&faults);
	arena_done(&arena);
	free(text);
}

static void each(void (*check)(const char *path))
{
	size_t count = config_each_file("tests/config/valid", ".yaml", check);

	count += config_each_file("tests/config/valid", ".json", check);
	assert_true(count >= 5);
	assert_true(config_each_file("examples", ".yaml", check) >= 4);
}

static void accepted_and_written(void **state)
{
	(void)state;
	each(accept_and_write);
}

static void as_libcyaml_reads(void **state)
{
	(void)state;
	each(compare_with_libcyaml);
}

static void json_means_the_same(void **state)
{
	size_t length;
	char *yaml = config_read("tests/config/valid/everything.yaml", &length);
	struct topology *a = config_must_parse(yaml, length, "yaml"), *b;
	char *json = config_read("tests/config/valid/everything.json", &length);

	(void)state;
	b = config_must_parse(json, length, "json");
	config_assert_same(a, b);
	topology_free(a);
	topology_free(b);
	free(yaml);
	free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted_and_written),
		cmocka_unit_test(as_libcyaml_reads),
		cmocka_unit_test(json_means_the_same),
	};

	return cmocka_run_group_tests_name("config_valid", tests, NULL, NULL);
}
