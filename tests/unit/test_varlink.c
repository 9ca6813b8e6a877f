// SPDX-License-Identifier: GPL-2.0-or-later
/* Framing and parsing of messages: pieces, garbage, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "holder/interface.h"
#include "holder/methods.h"
#include "holder/varlink.h"

static void feed(struct inbox *in, size_t limit, const char *bytes, size_t length)
{
	while (length) {
		size_t room, n;
		char *space;

		assert_int_equal(inbox_room(in, limit, &space, &room), 0);
		n = room < length ? room : length;
		memcpy(space, bytes, n);
		inbox_received(in, n);
		bytes += n;
		length -= n;
	}
}

static void test_message_in_pieces(void **state)
{
	static const char bytes[] = "{\"method\":\"a.b\"}\0{\"x\"";
	struct inbox in = {0};
	const char *text;
	size_t length;

	(void)state;
	for (size_t i = 0; i < 16; i++) {
		feed(&in, 1000, &bytes[i], 1);
		assert_false(inbox_message(&in, &text, &length));
	}
	feed(&in, 1000, &bytes[16], sizeof(bytes) - 1 - 16);
	assert_true(inbox_message(&in, &text, &length));
	assert_int_equal(length, 16);
	assert_string_equal(text, "{\"method\":\"a.b\"}");
	inbox_drop(&in, length);
	assert_false(inbox_empty(&in));
	assert_false(inbox_message(&in, &text, &length));
	feed(&in, 1000, "", 1);
	assert_true(inbox_message(&in, &text, &length));
	assert_string_equal(text, "{\"x\"");
	inbox_drop(&in, length);
	assert_true(inbox_empty(&in));
	inbox_done(&in);
}

static void test_messages_at_once(void **state)
{
	static const char bytes[] = "one\0\0three\0";
	static const char *const expected[] = {"one", "", "three"};
	struct inbox in = {0};
	const char *text;
	size_t length;

	(void)state;
	feed(&in, 1000, bytes, sizeof(bytes) - 1);
	for (size_t i = 0; i < 3; i++) {
		assert_true(inbox_message(&in, &text, &length));
		assert_string_equal(text, expected[i]);
		assert_int_equal(length, strlen(expected[i]));
		inbox_drop(&in, length);
	}
	assert_false(inbox_message(&in, &text, &length));
	inbox_done(&in);
}

static void test_limit_is_exact(void **state)
{
	_cleanup_free_ char *bytes = calloc(1, 70001);
	struct inbox in = {0};
	const char *text;
	size_t length, room;
	char *space;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'x', 70000);
	feed(&in, 70000, bytes, 70001);
	assert_true(inbox_message(&in, &text, &length));
	assert_int_equal(length, 70000);
	inbox_drop(&in, length);
	/* What a large message needed isn't kept. */
	assert_null(in.data);
	bytes[70000] = 'x';
	feed(&in, 70000, bytes, 70001);
	assert_false(inbox_message(&in, &text, &length));
	assert_int_equal(inbox_room(&in, 70000, &space, &room), -E2BIG);
	inbox_done(&in);
}

static void test_good_call(void **state)
{
	static const char text[] =
		"{\"method\":\"io.ioasidctl.Show\",\"parameters\":{\"name\":\"a\"},"
		"\"oneway\":true,\"more\":null}";
	_cleanup_message_ struct varlink_message m = {0};

	(void)state;
	assert_int_equal(varlink_parse_call(text, strlen(text), &varlink_limits_others, &m, NULL),
			 0);
	assert_string_equal(m.method, "io.ioasidctl.Show");
	assert_string_equal(json_string_value(json_object_get(m.parameters, "name")), "a");
	assert_true(m.oneway);
	assert_false(m.more);
	assert_false(m.upgrade);
}

static void test_bad_calls(void **state)
{
	static const struct {
		const char *text, *cause;
	} cases[] = {
		{"", "'[' or '{' expected"},
		{"garbage", "'[' or '{' expected"},
		{"{", "string or '}' expected"},
		{"{\"method\":\"a\"", "'}' expected"},
		{"[]", "it is not a JSON object"},
		{"{}", "it names no method"},
		{"{\"method\":null}", "it names no method"},
		{"{\"method\":1}", "a member is of the wrong type"},
		{"{\"method\":\"a\",\"parameters\":[]}", "a member is of the wrong type"},
		{"{\"method\":\"a\",\"oneway\":1}", "a member is of the wrong type"},
		{"{\"method\":\"a\",\"parametres\":{}}", "it has an unknown member"},
		{"{\"method\":\"a\",\"method\":\"b\"}", "duplicate object key"},
		{"{\"method\":\"a\"} x", "end of file expected"},
		{"{\"method\":\"\\u0000\"}", "\\u0000 is not allowed"},
		{"{\"method\":\"\xff\"}", "unable to decode byte 0xff"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;
		struct varlink_message m;

		assert_int_equal(varlink_parse_call(cases[i].text, strlen(cases[i].text),
						    &varlink_limits_trusted, &m, &err),
				 -EPROTO);
		assert_int_equal(err->kind, ERROR_PROTOCOL);
		assert_string_equal(err->message, "this is not a varlink message");
		if (!strstr(err->cause, cases[i].cause))
			fail_msg("%s: %s", cases[i].text, err->cause);
	}
}

static void refuse_shape(const char *text)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct varlink_message m;

	assert_int_equal(varlink_parse_call(text, strlen(text), &varlink_limits_trusted, &m, &err),
			 -EPROTO);
	assert_string_equal(err->cause, "it is nested too deeply, or has too many values");
}

static void test_shapes_that_cost_memory(void **state)
{
	_cleanup_free_ char *text = calloc(1, 100001);
	struct varlink_message m;

	(void)state;
	assert_non_null(text);
	memset(text, '[', 100000);
	refuse_shape(text);
	memset(text, ',', 100000);
	refuse_shape(text);
	/* In a string they are only text. */
	memset(text, 0, 100001);
	memset(text, 0, 100001);
	strcpy(text, "{\"method\":\"\\\"");
	memset(text + strlen(text), '[', 50000);
	strcat(text, "\"}");
	assert_int_equal(varlink_parse_call(text, strlen(text), &varlink_limits_trusted, &m, NULL),
			 0);
	varlink_message_done(&m);
}

static void test_texts(void **state)
{
	_cleanup_free_ char *call = NULL, *reply = NULL, *error = NULL;
	size_t length;

	(void)state;
	call = varlink_call_text("a.b", false, NULL, &length);
	assert_string_equal(call, "{\"method\":\"a.b\",\"parameters\":{}}");
	assert_int_equal(length, strlen(call) + 1);
	reply = varlink_reply_text(false, json_pack("{s:i}", "x", 1), &length);
	assert_string_equal(reply, "{\"parameters\":{\"x\":1}}");
	error = varlink_error_text("a.E", json_pack("{s:s}", "y", "z"), &length);
	assert_string_equal(error, "{\"error\":\"a.E\",\"parameters\":{\"y\":\"z\"}}");
}

/* What a message comes to, for somebody without rights unless `trusted`. Owned. */
static char *answer_to(const char *text, bool trusted, bool *is_job)
{
	const struct peer peer = {.uid = 4711, .trusted = trusted};
	struct varlink_message m;
	struct answer a;

	assert_int_equal(varlink_parse_call(text, strlen(text), &varlink_limits_trusted, &m, NULL),
			 0);
	methods_call(&peer, &m, &a);
	*is_job = a.job;
	job_free(a.job);
	return a.text;
}

static void test_methods(void **state)
{
	static const struct {
		const char *call, *answer; /* NULL: becomes a job */
	} cases[] = {
		{"{\"method\":\"io.ioasidctl.Show\"}", NULL},
		{"{\"method\":\"io.ioasidctl.Apply\",\"parameters\":{\"config\":\"\",\"file\":null}}",
		 NULL},
		{"{\"method\":\"io.ioasidctl.Apply\"}",
		 "{\"error\":\"org.varlink.service.InvalidParameter\","
		 "\"parameters\":{\"parameter\":\"config\"}}"},
		{"{\"method\":\"io.ioasidctl.Apply\",\"parameters\":{\"config\":1}}",
		 "{\"error\":\"org.varlink.service.InvalidParameter\","
		 "\"parameters\":{\"parameter\":\"config\"}}"},
		{"{\"method\":\"io.ioasidctl.Delete\",\"parameters\":{\"name\":\"a\",\"dryrun\":true}}",
		 "{\"error\":\"org.varlink.service.InvalidParameter\","
		 "\"parameters\":{\"parameter\":\"dryrun\"}}"},
		{"{\"method\":\"io.ioasidctl.Show\",\"upgrade\":true}",
		 "{\"error\":\"org.varlink.service.InvalidParameter\","
		 "\"parameters\":{\"parameter\":\"upgrade\"}}"},
		{"{\"method\":\"io.ioasidctl.Shew\"}",
		 "{\"error\":\"org.varlink.service.MethodNotFound\","
		 "\"parameters\":{\"method\":\"io.ioasidctl.Shew\"}}"},
		{"{\"method\":\"org.example.Show\"}",
		 "{\"error\":\"org.varlink.service.InterfaceNotFound\","
		 "\"parameters\":{\"interface\":\"org.example\"}}"},
		{"{\"method\":\"Show\"}", "{\"error\":\"org.varlink.service.InterfaceNotFound\","
					  "\"parameters\":{\"interface\":\"\"}}"},
		{"{\"method\":\"org.varlink.service.GetInterfaceDescription\","
		 "\"parameters\":{\"interface\":\"a.b\"}}",
		 "{\"error\":\"org.varlink.service.InterfaceNotFound\","
		 "\"parameters\":{\"interface\":\"a.b\"}}"},
		{"{\"method\":\"org.varlink.service.GetInfo\"}",
		 "{\"parameters\":{\"vendor\":\"ioasidctl\",\"product\":\"ioasidctl holder\","
		 "\"version\":\"" IOASIDCTL_VERSION "\",\"url\":\"\",\"interfaces\":"
		 "[\"org.varlink.service\",\"io.ioasidctl\"]}}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool is_job;
		_cleanup_free_ char *answer = answer_to(cases[i].call, true, &is_job);

		assert_int_equal(is_job, !cases[i].answer);
		if (cases[i].answer)
			assert_string_equal(answer, cases[i].answer);
	}
}

static void test_who_may_call(void **state)
{
	static const struct {
		const char *call;
		bool allowed;
	} cases[] = {
		{"{\"method\":\"org.varlink.service.GetInfo\"}", true},
		{"{\"method\":\"io.ioasidctl.Show\"}", true},
		{"{\"method\":\"io.ioasidctl.Apply\",\"parameters\":{\"config\":\"\"}}", false},
		{"{\"method\":\"io.ioasidctl.Plan\",\"parameters\":{\"config\":\"\"}}", false},
		{"{\"method\":\"io.ioasidctl.Delete\",\"parameters\":{\"name\":\"a\"}}", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool is_job;
		_cleanup_free_ char *answer = answer_to(cases[i].call, false, &is_job);
		const bool refused = answer && strstr(answer, "\"kind\":\"permission\"") &&
				     strstr(answer, "user id 4711 may not call");

		assert_int_equal(refused, !cases[i].allowed);
		assert_int_equal(is_job, cases[i].allowed && i > 0);
	}
}

/* schemas/ has the text for those who generate code from it: it must be the text that we serve. */
static void test_interface_file_is_current(void **state)
{
	const struct interface *own = interfaces;
	char text[16384];
	size_t length;
	FILE *f;

	(void)state;
	while (strcmp(own->name, INTERFACE_OWN))
		own++;
	f = fopen("schemas/io.ioasidctl.varlink", "r");
	assert_non_null(f);
	length = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[length] = '\0';
	assert_string_equal(text, own->text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message_in_pieces),
		cmocka_unit_test(test_messages_at_once),
		cmocka_unit_test(test_limit_is_exact),
		cmocka_unit_test(test_good_call),
		cmocka_unit_test(test_bad_calls),
		cmocka_unit_test(test_shapes_that_cost_memory),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_who_may_call),
		cmocka_unit_test(test_interface_file_is_current),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
