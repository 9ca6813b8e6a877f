// SPDX-License-Identifier: GPL-2.0-or-later
/* Our matcher says what the C library's says, for every pattern of the grammar. */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "config/pattern.h"
#include "config/values.h"

/* Those of addresses and sizes are for the JSON Schema only: number_parse() reads them. */
static bool is_matched(enum value_type type)
{
	return value_pattern(type) && type != VALUE_ADDRESS && type != VALUE_SIZE &&
	       type != VALUE_IOVA;
}

static void compare(enum value_type type, const regex_t *regex, const char *text)
{
	bool expected = !regexec(regex, text, 0, NULL, 0);

	if (pattern_matches(value_pattern(type), text) != expected)
		fail_msg("%s: \"%s\" should %smatch", value_pattern(type), text,
			 expected ? "" : "not ");
}

static void as_regexec_says(void **state)
{
	static const char *const texts[] = {
		"",
		"a",
		"-",
		"a-",
		"vm0",
		"Vm0",
		"a b",
		"a\n",
		"/",
		"//",
		"/dev/shm/x",
		"/a\tb",
		"/\x7f",
		"/\xc3\xa9",
		"x/y",
		"01:00.0",
		"0000:01:00.0",
		"0000:01:00.8",
		"0000:01:20.0",
		"000:01:00.0",
		"0000:0000:01:00.0",
		"ffff:FF:1f.7",
		"83b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
		"83b8f4f2-509f-382f-3c1e-e6bfe0fa10011",
		"83b8f4f2509f-382f-3c1e-e6bfe0fa1001",
		"fe000000.serial",
		"a:b@c+d-e.f_g",
		".hidden",
		"host$",
		"$",
		"a$$",
		"1000",
		"user.name",
	};
	static const char alphabet[] = "a0-:./$Zf\x01";

	(void)state;
	for (int type = 0; type < VALUE_COUNT; type++) {
		regex_t regex;
		char text[8];

		if (!is_matched((enum value_type)type))
			continue;
		assert_int_equal(regcomp(&regex, value_pattern((enum value_type)type),
					 REG_EXTENDED | REG_NOSUB),
				 0);
		for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
			compare((enum value_type)type, &regex, texts[i]);
		for (unsigned i = 0; i < 10000; i++) {
			snprintf(text, sizeof(text), "%c%c%c%c", alphabet[i % 10],
				 alphabet[i / 10 % 10], alphabet[i / 100 % 10],
				 alphabet[i / 1000 % 10]);
			compare((enum value_type)type, &regex, text);
		}
		regfree(&regex);
	}
}

static void lengths(void **state)
{
	char text[4200];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[63] = '\0';
	assert_true(pattern_matches(value_pattern(VALUE_NAME), text));
	text[63] = 'a';
	text[64] = '\0';
	assert_false(pattern_matches(value_pattern(VALUE_NAME), text));
	text[64] = 'a';
	text[0] = '/';
	text[4095] = '\0';
	assert_true(pattern_matches(value_pattern(VALUE_PATH), text));
	text[4095] = 'a';
	text[4096] = '\0';
	assert_false(pattern_matches(value_pattern(VALUE_PATH), text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_regexec_says),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests_name("config_pattern", tests, NULL, NULL);
}
