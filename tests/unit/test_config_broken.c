// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that must be refused: what is said, where, and that nothing comes out of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "support_config.h"

static void check_chain(const char *path, const struct ioasidctl_error *err)
{
	uint32_t line = 0;
	size_t count = 0;

	for (; err; err = err->next) {
		assert_int_equal(err->kind, ERROR_CONFIG);
		assert_string_equal(err->file, path);
		assert_non_null(err->message);
		assert_true(err->line >= line && err->column > 0);
		line = err->line;
		for (const char *p = err->message; *p; p++)
			assert_true((unsigned char)*p >= ' ');
		for (const char *p = err->source ? err->source : ""; *p; p++)
			assert_true((unsigned char)*p >= ' ' && *p != 0x7f);
		count++;
	}
	assert_in_range(count, 1, CONFIG_MAX_ERRORS);
}

static void refuse(const char *path)
{
	struct ioasidctl_error *err = NULL;
	struct topology *t = (struct topology *)&err;
	char expected[512], *text, *said;
	size_t length;
	int ret;

	text = config_read(path, &length);
	ret = config_parse(text, length, path, &t, &err);
	if (!ret)
		fail_msg("%s is accepted", path);
	assert_true(ret == -EINVAL || ret == -E2BIG);
	assert_ptr_equal(t, &err);
	check_chain(path, err);
	said = config_render(err);
	snprintf(expected, sizeof(expected), "%.*s.expected", (int)(strlen(path) - strlen(".yaml")),
		 path);
	config_assert_generated(expected, said, NULL, NULL);
	free(said);
	free(text);
	error_free(err);
}

static void structure(void **state)
{
	(void)state;
	assert_true(config_each_file("tests/config/broken/structure", ".yaml", refuse) >= 15);
}

static void meaning(void **state)
{
	(void)state;
	assert_true(config_each_file("tests/config/broken/meaning", ".yaml", refuse) >= 15);
}

static void hostile(void **state)
{
	(void)state;
	assert_true(config_each_file("tests/config/broken/hostile", ".yaml", refuse) >= 15);
}

static void expect_refusal(const char *text, size_t length, int expected, const char *message)
{
	struct ioasidctl_error *err = NULL;
	struct topology *t = NULL;

	assert_int_equal(config_parse(text, length, "test", &t, &err), expected);
	assert_null(t);
	assert_non_null(err);
	if (!strstr(err->message, message))
		fail_msg("said \"%s\", expected \"%s\"", err->message, message);
	error_free(err);
}

static void too_many_bytes(void **state)
{
	char *text = calloc(1, CONFIG_MAX_BYTES + 1);

	(void)state;
	memset(text, ' ', CONFIG_MAX_BYTES + 1);
	expect_refusal(text, CONFIG_MAX_BYTES + 1, -E2BIG, "at most 64 MiB");
	free(text);
}

static void endless_file(void **state)
{
	struct ioasidctl_error *err = NULL;
	char *text = NULL;
	size_t length;

	(void)state;
	assert_int_equal(config_read_file("/dev/zero", &text, &length, &err), -E2BIG);
	assert_null(text);
	assert_string_equal(err->file, "/dev/zero");
	error_free(err);
}

static void unreadable_files(void **state)
{
	static const struct {
		const char *path;
		int ret;
	} cases[] = {{"tests", -EISDIR}, {"no/such/file.yaml", -ENOENT}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct ioasidctl_error *err = NULL;
		char *text = NULL;
		size_t length;

		assert_int_equal(config_read_file(cases[i].path, &text, &length, &err),
				 cases[i].ret);
		assert_null(text);
		assert_int_equal(err->kind, ERROR_CONFIG);
		assert_string_equal(err->file, cases[i].path);
		error_free(err);
	}
}

/* One fault on a line of a megabyte: no source line is kept for a caret nobody could see. */
static void endless_line(void **state)
{
	size_t size = 1U << 20;
	char *text = malloc(size + 1);
	struct ioasidctl_error *err = NULL;
	struct topology *t = NULL;

	(void)state;
	memset(text, ' ', size);
	memcpy(text, "{version: 1, name: vm0,", 23);
	memcpy(text + size - 10, "memory: x}", 11);
	assert_int_equal(config_parse(text, size, "test", &t, &err), -EINVAL);
	assert_int_equal(err->line, 1);
	assert_int_equal(err->column, size - 1);
	assert_null(err->source);
	error_free(err);
	free(text);
}

/* Every prefix of a good file, and the file with each byte replaced, ends in a result. */
static void every_prefix(void **state)
{
	size_t length;
	char *text = config_read("tests/config/valid/everything.yaml", &length);

	(void)state;
	for (size_t cut = 0; cut < length; cut += 7) {
		struct ioasidctl_error *err = NULL;
		struct topology *t = NULL;
		int ret = config_parse(text, cut, "test", &t, &err);

		assert_true(ret ? !t && err : t && !err);
		topology_free(t);
		error_free(err);
	}
	free(text);
}

static void caller_wants_no_errors(void **state)
{
	struct topology *t = NULL;

	(void)state;
	assert_int_equal(config_parse("a: b", 4, "test", &t, NULL), -EINVAL);
	assert_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structure),
		cmocka_unit_test(meaning),
		cmocka_unit_test(hostile),
		cmocka_unit_test(too_many_bytes),
		cmocka_unit_test(endless_file),
		cmocka_unit_test(unreadable_files),
		cmocka_unit_test(endless_line),
		cmocka_unit_test(every_prefix),
		cmocka_unit_test(caller_wants_no_errors),
	};

	return cmocka_run_group_tests_name("config_broken", tests, NULL, NULL);
}
