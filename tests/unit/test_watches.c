// SPDX-License-Identifier: GPL-2.0-or-later
/* Descriptors that tell of something, here of pipes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "holder/watches.h"

struct scene {
	struct watches *w;
	int pipes[3][2];
	char said[256]; /* what was ready, in order */
};

static void note(void *data, const struct watch *watch)
{
	struct scene *s = data;
	size_t length = strlen(s->said);
	char byte;

	assert_int_equal(read(watch->fd, &byte, 1), 1);
	snprintf(s->said + length, sizeof(s->said) - length, "%s/%u/%u:%c ",
		 watch->topology ? watch->topology : "-", watch->fd_index, watch->object, byte);
}

/* Reads nothing. */
static void ignore(void *data, const struct watch *watch)
{
	struct scene *s = data;

	(void)watch;
	strcat(s->said, "ignored ");
}

static void remove_all(void *data, const struct watch *watch)
{
	struct scene *s = data;

	note(data, watch);
	watches_remove(s->w, "a");
	watches_remove(s->w, "b");
	watches_remove(s->w, NULL);
}

static struct scene scene;

static int set_up(void **state)
{
	scene = (struct scene){0};
	assert_int_equal(watches_new(&scene.w, NULL), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pipe(scene.pipes[i]), 0);
	*state = &scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	watches_free(s->w);
	for (int i = 0; i < 3; i++) {
		close(s->pipes[i][0]);
		close(s->pipes[i][1]);
	}
	return 0;
}

static void add(struct scene *s, int i, const char *topology, bool patient,
		void (*ready)(void *data, const struct watch *watch))
{
	const struct watch watch = {.fd = s->pipes[i][0],
				    .topology = topology,
				    .fd_index = (uint32_t)i,
				    .object = 7,
				    .patient = patient,
				    .ready = ready};

	assert_int_equal(watches_add(s->w, &watch), 0);
}

static void say(struct scene *s, int i, const char *byte)
{
	assert_int_equal(write(s->pipes[i][1], byte, 1), 1);
}

static bool readable(const struct scene *s)
{
	struct pollfd p = {.fd = watches_fd(s->w), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void test_calls_what_is_ready(void **state)
{
	struct scene *s = *state;

	add(s, 0, "a", false, note);
	add(s, 1, NULL, false, note);
	watches_run(s->w, NULL, s);
	assert_string_equal(s->said, "");
	assert_false(readable(s));
	say(s, 1, "x");
	say(s, 1, "y");
	assert_true(readable(s));
	watches_run(s->w, NULL, s);
	assert_string_equal(s->said, "-/1/7:x ");
	assert_true(readable(s)); /* not read to its end */
	watches_run(s->w, NULL, s);
	say(s, 0, "z");
	watches_run(s->w, NULL, s);
	assert_string_equal(s->said, "-/1/7:x -/1/7:y a/0/7:z ");
	assert_false(readable(s));
}

static void test_puts_off_what_is_busy(void **state)
{
	struct scene *s = *state;

	add(s, 0, "a", false, note);
	add(s, 1, "b", false, note);
	add(s, 2, NULL, true, note);
	for (int i = 0; i < 3; i++)
		say(s, i, "x");
	watches_run(s->w, "a", s);
	assert_string_equal(s->said, "b/1/7:x ");
	assert_true(watches_put_off(s->w));
	/* It doesn't make anybody look again and again. */
	assert_false(readable(s));
	watches_run(s->w, NULL, s);
	assert_false(watches_put_off(s->w));
	assert_non_null(strstr(s->said, "a/0/7:x"));
	assert_non_null(strstr(s->said, "-/2/7:x"));
}

static void test_removes(void **state)
{
	struct scene *s = *state;

	add(s, 0, "a", false, note);
	add(s, 1, "b", false, note);
	add(s, 2, NULL, false, note);
	for (int i = 0; i < 3; i++)
		say(s, i, "x");
	watches_remove(s->w, "a");
	watches_remove(s->w, NULL);
	watches_remove(s->w, "c");
	watches_run(s->w, NULL, s);
	assert_string_equal(s->said, "b/1/7:x ");
	assert_false(readable(s));
	add(s, 0, "a", false, note);
	watches_run(s->w, NULL, s);
	assert_string_equal(s->said, "b/1/7:x a/0/7:x ");
}

/* The one that comes first takes all others away. */
static void test_removes_while_it_runs(void **state)
{
	struct scene *s = *state;

	add(s, 0, "a", false, remove_all);
	add(s, 1, "b", false, remove_all);
	add(s, 2, NULL, false, remove_all);
	for (int i = 0; i < 3; i++)
		say(s, i, "x");
	watches_run(s->w, NULL, s);
	assert_int_equal(strlen(s->said), strlen("a/0/7:x "));
	assert_false(readable(s));
}

/* A topology is changed: its descriptor is closed, and its number is another one's at once. */
static void test_a_number_used_again(void **state)
{
	struct scene *s = *state;
	int number = s->pipes[0][0], other[2];

	add(s, 0, "a", false, ignore);
	close(number);
	assert_int_equal(pipe(other), 0);
	assert_int_equal(other[0], number); /* the lowest that is free */
	close(s->pipes[0][1]);
	s->pipes[0][1] = other[1];
	add(s, 0, "b", false, note);
	watches_remove(s->w, "a");
	say(s, 0, "x");
	watches_run(s->w, NULL, s);
	assert_string_equal(s->said, "b/0/7:x ");
}

static void test_refuses_what_cannot_be_waited_for(void **state)
{
	struct scene *s = *state;
	const struct watch watch = {.fd = -1, .topology = "a", .ready = note};

	assert_true(watches_add(s->w, &watch) < 0);
	watches_run(s->w, NULL, s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_calls_what_is_ready),
		TEST(test_puts_off_what_is_busy),
		TEST(test_removes),
		TEST(test_removes_while_it_runs),
		TEST(test_a_number_used_again),
		TEST(test_refuses_what_cannot_be_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
