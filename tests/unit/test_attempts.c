// SPDX-License-Identifier: GPL-2.0-or-later
/* When devices that have come are tried: not in a storm, not forever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "holder/attempts.h"

static int set_up(void **state)
{
	*state = attempts_new();
	return 0;
}

static int tear_down(void **state)
{
	attempts_free(*state);
	return 0;
}

static void test_nothing(void **state)
{
	assert_int_equal(attempts_deadline(*state), UINT64_MAX);
	assert_null(attempts_due(*state, UINT64_MAX - 1));
	attempts_forget(*state, "t");
}

static void test_waits_until_it_is_quiet(void **state)
{
	attempts_occasion(*state, "t", 1000);
	assert_null(attempts_due(*state, 1199));
	attempts_occasion(*state, "t", 1150);
	assert_int_equal(attempts_deadline(*state), 1350);
	assert_null(attempts_due(*state, 1349));
	assert_string_equal(attempts_due(*state, 1350), "t");
	attempts_forget(*state, "t");
	assert_int_equal(attempts_deadline(*state), UINT64_MAX);
}

/* A device that never stops coming and going is tried all the same, but seldom. */
static void test_but_not_forever(void **state)
{
	int tried = 0;

	for (uint64_t now = 0; now < 60000; now += 50) {
		attempts_occasion(*state, "t", now);
		if (!attempts_due(*state, now))
			continue;
		tried++;
		attempts_forget(*state, "t");
	}
	assert_in_range(tried, 1, 60000 / ATTEMPT_LATEST);
}

static void test_tries_again_with_growing_delays(void **state)
{
	uint64_t now = 5000, delay = 0, before = 0;
	unsigned tries;

	attempts_occasion(*state, "t", now);
	for (unsigned i = 1; i <= ATTEMPT_TRIES; i++) {
		now = attempts_deadline(*state);
		assert_string_equal(attempts_due(*state, now), "t");
		delay = attempts_failed(*state, "t", now, &tries);
		assert_int_equal(tries, i);
		if (i == ATTEMPT_TRIES)
			break;
		assert_int_equal(delay, i == 1 ? ATTEMPT_RETRY : 2 * before);
		assert_null(attempts_due(*state, now + delay - 1));
		before = delay;
	}
	assert_int_equal(delay, 0);
	assert_int_equal(attempts_deadline(*state), UINT64_MAX);
	/* A new occasion, a new round. */
	attempts_occasion(*state, "t", 90000);
	assert_int_equal(attempts_deadline(*state), 90000 + ATTEMPT_QUIET);
	assert_int_equal(attempts_failed(*state, "t", 90200, &tries), ATTEMPT_RETRY);
	assert_int_equal(tries, 1);
}

static void test_an_occasion_cuts_the_delay_short(void **state)
{
	unsigned tries;

	attempts_occasion(*state, "t", 0);
	attempts_failed(*state, "t", 200, &tries);
	attempts_failed(*state, "t", 1200, &tries);
	assert_int_equal(attempts_deadline(*state), 3200);
	attempts_occasion(*state, "t", 2500);
	assert_int_equal(attempts_deadline(*state), 2700);
	attempts_failed(*state, "t", 2700, &tries);
	assert_int_equal(tries, 1);
}

static void test_each_topology_has_its_own(void **state)
{
	unsigned tries;

	attempts_occasion(*state, "a", 100);
	attempts_occasion(*state, "b", 50);
	assert_string_equal(attempts_due(*state, 260), "b");
	attempts_failed(*state, "b", 260, &tries);
	assert_string_equal(attempts_due(*state, 300), "a");
	attempts_forget(*state, "a");
	assert_int_equal(attempts_deadline(*state), 1260);
	assert_int_equal(attempts_failed(*state, "a", 300, &tries), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing),
		TEST(test_waits_until_it_is_quiet),
		TEST(test_but_not_forever),
		TEST(test_tries_again_with_growing_delays),
		TEST(test_an_occasion_cuts_the_delay_short),
		TEST(test_each_topology_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
