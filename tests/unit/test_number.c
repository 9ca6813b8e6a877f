// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/number.h"

static void numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} cases[] = {
		{"0", 0},
		{"0x0", 0},
		{"0K", 0},
		{"1", 1},
		{"4096", 4096},
		{"0x1000", 4096},
		{"0xDEADbeef", 0xdeadbeef},
		{"64K", 65536},
		{"0x10K", 16384},
		{"2M", 2097152},
		{"1G", 1U << 30},
		{"4T", 1ULL << 42},
		{"16777215T", 0xffffffULL << 40},
		{"18446744073709551615", UINT64_MAX},
		{"0xffffffffffffffff", UINT64_MAX},
		{"0x0000000000000000000001", 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 42;

		assert_int_equal(number_parse(cases[i].text, &value), 0);
		assert_int_equal(value, cases[i].value);
	}
}

static void refusals(void **state)
{
	static const struct {
		const char *text;
		int ret;
	} cases[] = {
		{"", -EINVAL},
		{" ", -EINVAL},
		{"K", -EINVAL},
		{"-1", -EINVAL},
		{"+1", -EINVAL},
		{"1 ", -EINVAL},
		{" 1", -EINVAL},
		{"1_000", -EINVAL},
		{"010", -EINVAL},
		{"00", -EINVAL},
		{"0x", -EINVAL},
		{"0xg", -EINVAL},
		{"0X10", -EINVAL},
		{"64Q", -EINVAL},
		{"64k", -EINVAL},
		{"64KB", -EINVAL},
		{"64KK", -EINVAL},
		{"4.5G", -EINVAL},
		{"1e3", -EINVAL},
		{"ff", -EINVAL},
		{"0b1", -EINVAL},
		{"0o17", -EINVAL},
		{"1\n", -EINVAL},
		{"18446744073709551616", -ERANGE},
		{"16777216T", -ERANGE},
		{"0x10000000000000000", -ERANGE},
		{"99999999999999999999999", -ERANGE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 42;

		assert_int_equal(number_parse(cases[i].text, &value), cases[i].ret);
		assert_int_equal(value, 42);
	}
}

static void texts(void **state)
{
	static const struct {
		uint64_t value;
		const char *size, *hex;
	} cases[] = {
		{0, "0", "0x0"},
		{4097, "4097", "0x1001"},
		{65536, "64K", "0x10000"},
		{1536, "1536", "0x600"},
		{3ULL << 30, "3G", "0xc0000000"},
		{1ULL << 42, "4T", "0x40000000000"},
		{1ULL << 62, "4194304T", "0x4000000000000000"},
		{UINT64_MAX, "18446744073709551615", "0xffffffffffffffff"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[NUMBER_TEXT_MAX];
		uint64_t value;

		assert_string_equal(number_size(cases[i].value, buf), cases[i].size);
		assert_int_equal(number_parse(buf, &value), 0);
		assert_int_equal(value, cases[i].value);
		assert_string_equal(number_hex(cases[i].value, buf), cases[i].hex);
	}
}

static void ranges(void **state)
{
	(void)state;
	assert_false(range_valid(0, 0));
	assert_true(range_valid(0, UINT64_MAX));
	assert_true(range_valid(UINT64_MAX, 1));
	assert_false(range_valid(UINT64_MAX, 2));
	assert_int_equal(range_last(UINT64_MAX, 1), UINT64_MAX);
	assert_int_equal(range_last(0x1000, 0x1000), 0x1fff);
	assert_true(ranges_overlap(0, 1, 1, 2));
	assert_false(ranges_overlap(0, 1, 2, 3));
	assert_true(ranges_overlap(0, UINT64_MAX, 5, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(refusals),
		cmocka_unit_test(texts),
		cmocka_unit_test(ranges),
	};

	return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
