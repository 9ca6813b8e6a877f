// SPDX-License-Identifier: GPL-2.0-or-later
/* Following what happens in a holder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "holder/client.h"
#include "support_holder.h"

#define APPLY	"io.ioasidctl.Apply"
#define DELETE	"io.ioasidctl.Delete"
#define MONITOR "io.ioasidctl.Monitor"

/* Enough that socket buffer and queue overflow. */
#define MANY 1500

static struct test_holder holder;

static int start(void **state)
{
	(void)state;
	test_holder_prepare(&holder);
	test_holder_start(&holder);
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (holder.pid)
		assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
	test_holder_clean(&holder);
	return 0;
}

/* The next event's value of a key; numbers as text. */
static const char *event_says(const json_t *reply, const char *key)
{
	static char text[32];
	const json_t *event = json_object_get(json_object_get(reply, "parameters"), "event");
	const json_t *value = json_object_get(event, key);

	if (!json_is_integer(value))
		return value ? json_string_value(value) : "";
	snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return text;
}

static void assert_event(int fd, const char *kind, const char *topology)
{
	json_auto_t *reply = raw_reply(fd);

	assert_string_equal(event_says(reply, "kind"), kind);
	assert_string_equal(event_says(reply, "topology"), topology);
	assert_true(strcmp(kind, "ending") ? json_is_true(json_object_get(reply, "continues"))
					   : !json_object_get(reply, "continues"));
}

static int follow(json_t *parameters)
{
	int fd = raw_connect(&holder);
	_cleanup_free_ char *text = NULL;
	size_t length;

	text = varlink_call_text(MONITOR, true, parameters, &length);
	raw_send(fd, text, length);
	assert_event(fd, "monitoring", "");
	return fd;
}

static void apply(const char *name)
{
	json_auto_t *reply = holder_ask(&holder, APPLY, config_named(name));

	assert_string_equal(json_text_at(reply, "parameters/result/name"), name);
}

static void delete (const char *name)
{
	json_auto_t *reply = holder_ask(&holder, DELETE, json_pack("{s:s}", "name", name));

	assert_string_equal(json_text_at(reply, "parameters/result/name"), name);
}

static json_t *config_with_memory(const char *name)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "version: 1\nname: %s\nmemory: [{name: ram, size: 4K}]\n"
		 "fds: [{name: main, driver: ioasid}]\n",
		 name);
	return json_pack("{s:s}", "config", text);
}

static void change(const char *name)
{
	json_auto_t *reply = holder_ask(&holder, APPLY, config_with_memory(name));

	assert_string_equal(json_text_at(reply, "parameters/result/name"), name);
}

static void test_changes_are_told(void **state)
{
	_cleanup_close_ int fd = follow(NULL);
	json_auto_t *reply = NULL;
	char number[16];

	(void)state;
	change("vm0");
	reply = raw_reply(fd);
	assert_string_equal(event_says(reply, "kind"), "applied");
	assert_string_equal(event_says(reply, "topology"), "vm0");
	snprintf(number, sizeof(number), "%u", (unsigned)geteuid());
	assert_string_equal(event_says(reply, "uid"), number);
	snprintf(number, sizeof(number), "%d", (int)getpid());
	assert_string_equal(event_says(reply, "pid"), number);
	assert_int_equal(strlen(event_says(reply, "time")), strlen("2026-01-02T03:04:05.123456Z"));
	/* Nothing to do is nothing to tell. */
	change("vm0");
	delete ("vm0");
	assert_event(fd, "deleted", "vm0");
}

static void test_a_dry_run_and_a_failure_are_no_events(void **state)
{
	_cleanup_close_ int fd = follow(NULL);
	json_auto_t *dry = config_with_memory("vm0"), *failed = NULL;

	(void)state;
	json_object_set_new(dry, "dry_run", json_true());
	json_decref(holder_ask(&holder, APPLY, json_incref(dry)));
	failed = holder_ask(&holder, APPLY,
			    json_pack("{s:s}", "config",
				      "version: 1\nname: vm1\nmemory: [{name: m, size: 1M, "
				      "backing: file, path: /nonexistent}]\n"));
	assert_string_equal(reply_kind(failed), "unavailable");
	change("vm2");
	assert_event(fd, "applied", "vm2");
}

static void test_names(void **state)
{
	_cleanup_close_ int fd = follow(json_pack("{s:[ss]}", "names", "vm1", "vm2"));

	(void)state;
	change("vm0");
	change("vm1");
	delete ("vm0");
	delete ("vm1");
	assert_event(fd, "applied", "vm1");
	assert_event(fd, "deleted", "vm1");
}

static void refused(const char *call, const char *error)
{
	_cleanup_close_ int fd = raw_connect(&holder);
	json_auto_t *reply = NULL;

	raw_send(fd, call, strlen(call) + 1);
	reply = raw_reply(fd);
	assert_string_equal(json_text_at(reply, "error"), error);
}

static void test_refusals(void **state)
{
	(void)state;
	refused("{\"method\":\"" MONITOR "\"}", "org.varlink.service.ExpectedMore");
	refused("{\"method\":\"" MONITOR "\",\"more\":true,\"parameters\":{\"names\":\"vm0\"}}",
		"org.varlink.service.InvalidParameter");
	refused("{\"method\":\"" MONITOR "\",\"more\":true,\"parameters\":{\"names\":[1]}}",
		"org.varlink.service.InvalidParameter");
	refused("{\"method\":\"" MONITOR "\",\"more\":true,\"parameters\":{\"name\":\"vm0\"}}",
		"org.varlink.service.InvalidParameter");
}

/* He takes nothing for a long time, then is told what he missed; nobody waits for him. */
static void test_a_slow_follower(void **state)
{
	_cleanup_close_ int slow = follow(NULL);
	_cleanup_close_ int quick = follow(NULL);
	long long taken = 0, lost = 0;

	(void)state;
	for (int i = 0; i < MANY / 2; i++) {
		apply("vm0");
		assert_event(quick, "applied", "vm0");
		delete ("vm0");
		assert_event(quick, "deleted", "vm0");
	}
	while (taken + lost < MANY) {
		json_auto_t *reply = raw_reply(slow);

		if (!strcmp(event_says(reply, "kind"), "lost"))
			lost += atoll(event_says(reply, "count"));
		else
			taken++;
	}
	assert_true(lost > 0);
	assert_true(taken > 0);
	assert_int_equal(taken + lost, MANY);
	apply("vm1");
	assert_event(slow, "applied", "vm1");
	assert_event(quick, "applied", "vm1");
}

static void test_a_follower_who_leaves(void **state)
{
	(void)state;
	/* More than there may be connections: each place is free again. */
	for (int i = 0; i < 300; i++)
		close(follow(NULL));
	apply("vm0");
}

static void test_a_follower_talks_no_more(void **state)
{
	_cleanup_close_ int fd = follow(NULL);

	(void)state;
	/* It would be answered after the last event: never. */
	raw_call(fd, "org.varlink.service.GetInfo", NULL);
	apply("vm0");
	assert_event(fd, "applied", "vm0");
}

static void test_the_end(void **state)
{
	_cleanup_close_ int fd = follow(NULL);
	json_auto_t *deleted = NULL;

	(void)state;
	apply("vm0");
	assert_event(fd, "applied", "vm0");
	assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
	deleted = raw_reply(fd);
	assert_string_equal(event_says(deleted, "kind"), "deleted");
	assert_string_equal(event_says(deleted, "uid"), "");
	assert_event(fd, "ending", "");
	assert_null(raw_receive(fd));
}

static int take_three(void *data, const json_t *reply)
{
	int *n = data;

	assert_true(json_is_object(json_object_get(reply, "event")));
	if (++*n == 1)
		apply("vm0");
	else if (*n == 2)
		delete ("vm0");
	return *n == 3 ? -ECANCELED : 0;
}

static int kill_it(void *data, const json_t *reply)
{
	(void)data;
	(void)reply;
	test_holder_end(&holder, SIGKILL);
	return 0;
}

static int end_it(void *data, const json_t *reply)
{
	int *n = data;

	(void)reply;
	if (!(*n)++)
		test_holder_end(&holder, SIGTERM);
	return 0;
}

static void test_the_client(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct client *client = NULL;
	int n = 0;

	(void)state;
	assert_int_equal(client_connect(holder.socket, &client, NULL), 0);
	assert_int_equal(client_follow(client, "Monitor", NULL, -1, take_three, &n, &err),
			 -ECANCELED);
	assert_null(err);
	client_free(client);
	n = 0;
	assert_int_equal(client_connect(holder.socket, &client, NULL), 0);
	assert_int_equal(client_follow(client, "Monitor", NULL, -1, end_it, &n, &err), 0);
	assert_int_equal(n, 2);
	client_free(client);
}

static void test_a_holder_that_is_killed(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct client *client = NULL;

	(void)state;
	assert_int_equal(client_connect(holder.socket, &client, NULL), 0);
	assert_true(client_follow(client, "Monitor", NULL, -1, kill_it, NULL, &err) < 0);
	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_changes_are_told),
		TEST(test_a_dry_run_and_a_failure_are_no_events),
		TEST(test_names),
		TEST(test_refusals),
		TEST(test_a_slow_follower),
		TEST(test_a_follower_who_leaves),
		TEST(test_a_follower_talks_no_more),
		TEST(test_the_end),
		TEST(test_the_client),
		TEST(test_a_holder_that_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
