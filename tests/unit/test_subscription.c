// SPDX-License-Identifier: GPL-2.0-or-later
/* What one follower gets to see, and what becomes of it when he is slow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "holder/subscription.h"
#include "support_holder.h"

#define OWNER 1000

static const struct peer root = {.uid = 0, .trusted = true}, owner = {.uid = OWNER},
			 stranger = {.uid = 1001};

static struct event *make(const char *topology, size_t padding)
{
	_cleanup_free_ char *text = calloc(1, padding + 1);
	struct event *event;

	memset(text, 'x', padding);
	event = event_new(json_pack("{s:s}", "message", text), topology, OWNER, true);
	assert_non_null(event);
	return event;
}

static void add(struct subscription *s, const char *topology, size_t padding)
{
	struct event *event = make(topology, padding);

	subscription_add(s, event);
	event_unref(event);
}

static json_t *next(struct subscription *s)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	json_t *message;

	text = subscription_next(s, &length);
	if (!text)
		return NULL;
	assert_int_equal(strlen(text) + 1, length);
	message = json_loads(text, 0, NULL);
	assert_non_null(message);
	assert_true(json_is_true(json_object_get(message, "continues")));
	return message;
}

static size_t count(struct subscription *s)
{
	size_t n = 0;

	for (json_t *message; (message = next(s)); n++)
		json_decref(message);
	return n;
}

static struct subscription *subscribe(const struct peer *peer, const char *name)
{
	json_t *names = name ? json_pack("[s]", name) : NULL;
	struct subscription *s = subscription_new(peer, names);

	json_decref(names);
	assert_non_null(s);
	return s;
}

/* Of the four events: of t, of u, of no topology, for everybody. */
static size_t seen(const struct peer *peer, const char *name)
{
	struct subscription *s = subscribe(peer, name);
	struct event *all = make(NULL, 0);
	size_t n;

	add(s, "t", 0);
	add(s, "u", 0);
	add(s, NULL, 0);
	all->everybody = true;
	subscription_add(s, all);
	event_unref(all);
	n = count(s);
	subscription_free(s);
	return n;
}

static void test_who_sees_what(void **state)
{
	(void)state;
	assert_int_equal(seen(&root, NULL), 4);
	assert_int_equal(seen(&root, "t"), 2);
	assert_int_equal(seen(&root, "elsewhere"), 1);
	assert_int_equal(seen(&owner, NULL), 3);
	assert_int_equal(seen(&owner, "u"), 2);
	assert_int_equal(seen(&stranger, NULL), 1);
	assert_int_equal(seen(&stranger, "t"), 1);
}

static void test_order(void **state)
{
	struct subscription *s = subscribe(&root, NULL);

	(void)state;
	for (size_t i = 0; i < 3; i++)
		add(s, "t", i);
	for (size_t i = 0; i < 3; i++) {
		json_t *message = next(s);

		assert_int_equal(strlen(json_text_at(message, "parameters/event/message")), i);
		json_decref(message);
	}
	assert_null(next(s));
	subscription_free(s);
}

static void assert_lost(struct subscription *s, json_int_t n)
{
	json_t *message = next(s), *event;

	assert_string_equal(json_text_at(message, "parameters/event/kind"), "lost");
	event = json_object_get(json_object_get(message, "parameters"), "event");
	assert_int_equal(json_integer_value(json_object_get(event, "count")), n);
	json_decref(message);
}

/* What doesn't fit is counted; what comes behind it, too, or it would seem to have come before. */
static void test_a_slow_one_is_told_how_many_he_missed(void **state)
{
	struct subscription *s = subscribe(&root, NULL);

	(void)state;
	for (size_t i = 0; i < SUBSCRIPTION_EVENTS + 10; i++)
		add(s, "t", 0);
	json_decref(next(s));
	add(s, "t", 0);
	for (size_t i = 1; i < SUBSCRIPTION_EVENTS; i++) {
		json_t *message = next(s);

		assert_string_equal(json_text_at(message, "parameters/event/kind"), "");
		json_decref(message);
	}
	assert_lost(s, 11);
	add(s, "t", 5);
	assert_int_equal(count(s), 1);
	subscription_lose(s, 3);
	assert_lost(s, 3);
	assert_null(next(s));
	subscription_free(s);
}

static void test_bytes_are_bounded(void **state)
{
	struct subscription *s = subscribe(&root, NULL);

	(void)state;
	/* One is always taken, or the client would never hear of it. */
	add(s, "t", 2 * SUBSCRIPTION_BYTES);
	add(s, "t", 0);
	json_decref(next(s));
	assert_lost(s, 1);
	assert_null(next(s));
	for (size_t i = 0; i < 8; i++)
		add(s, "t", SUBSCRIPTION_BYTES / 4);
	assert_in_range(count(s), 4, 5);
	/* Left with events in it. */
	add(s, "t", 0);
	add(s, "t", 0);
	subscription_free(s);
}

static void test_events_are_shared(void **state)
{
	struct subscription *s = subscribe(&root, NULL), *t = subscribe(&root, NULL);
	struct event *event = make("t", 0);

	(void)state;
	subscription_add(s, event);
	subscription_add(t, event);
	assert_int_equal(event->references, 3);
	subscription_free(s);
	assert_int_equal(count(t), 1);
	assert_int_equal(event->references, 1);
	event_unref(event);
	subscription_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_sees_what),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_a_slow_one_is_told_how_many_he_missed),
		cmocka_unit_test(test_bytes_are_bounded),
		cmocka_unit_test(test_events_are_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
