// SPDX-License-Identifier: GPL-2.0-or-later
/* The holder as its clients see it: methods, and everything a client can do wrong. */
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
#include "refdev/refdev.h"
#include "support_holder.h"

#define APPLY	  "io.ioasidctl.Apply"
#define PLAN	  "io.ioasidctl.Plan"
#define SHOW	  "io.ioasidctl.Show"
#define TRANSLATE "io.ioasidctl.Translate"
#define DELETE	  "io.ioasidctl.Delete"

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
	/* Whatever a test did to it, it must be well and end in order. */
	if (holder.pid) {
		json_auto_t *info = holder_ask(&holder, "org.varlink.service.GetInfo", NULL);

		assert_string_equal(json_text_at(info, "parameters/vendor"), "ioasidctl");
		assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
		assert_false(path_exists(holder.socket));
	}
	test_holder_clean(&holder);
	return 0;
}

static size_t shown(const char *name)
{
	json_auto_t *reply =
		holder_ask(&holder, SHOW, name ? json_pack("{s:s}", "name", name) : NULL);
	const json_t *dump = json_object_get(json_object_get(reply, "parameters"), "dump");

	return json_array_size(json_object_get(dump, "topologies"));
}

static void test_life_of_a_topology(void **state)
{
	_cleanup_close_ int fd = raw_connect(&holder);
	json_auto_t *plan = NULL, *applied = NULL, *again = NULL, *dump = NULL;
	json_auto_t *yaml = NULL, *only = NULL, *gone = NULL, *missing = NULL;
	json_t *verbose = config_named("vm0");

	(void)state;
	plan = raw_ask(fd, PLAN, config_named("vm0"));
	assert_string_equal(json_text_at(plan, "parameters/result/name"), "vm0");
	assert_int_equal(shown(NULL), 0);
	json_object_set_new(verbose, "verbose", json_true());
	applied = raw_ask(fd, APPLY, verbose);
	assert_string_equal(json_text_at(applied, "parameters/result/name"), "vm0");
	assert_true(
		json_is_array(json_object_get(json_object_get(applied, "parameters"), "actions")));
	again = raw_ask(fd, APPLY, config_named("vm0"));
	assert_true(json_is_false(json_object_get(
		json_object_get(json_object_get(again, "parameters"), "result"), "changed")));
	assert_null(json_object_get(json_object_get(again, "parameters"), "actions"));
	dump = raw_ask(fd, SHOW, NULL);
	assert_string_equal(json_text_at(dump, "parameters/dump/topologies/0/name"), "vm0");
	yaml = raw_ask(fd, SHOW, json_pack("{s:s, s:s}", "name", "vm0", "form", "yaml"));
	assert_non_null(strstr(json_text_at(yaml, "parameters/yaml"), "name: vm0"));
	only = raw_ask(fd, SHOW, json_pack("{s:s}", "form", "yaml"));
	assert_true(json_equal(only, yaml));
	gone = raw_ask(fd, DELETE, json_pack("{s:s}", "name", "vm0"));
	assert_string_equal(json_text_at(gone, "parameters/result/name"), "vm0");
	missing = raw_ask(fd, DELETE, json_pack("{s:s}", "name", "vm0"));
	assert_string_equal(reply_kind(missing), "unavailable");
	assert_string_equal(json_text_at(missing, "error"), "io.ioasidctl.Failed");
	assert_int_equal(shown(NULL), 0);
}

static void refused(const char *method, json_t *parameters, const char *kind, const char *message)
{
	json_auto_t *reply = holder_ask(&holder, method, parameters);
	const char *said = json_text_at(reply, "parameters/errors/0/message");

	assert_string_equal(reply_kind(reply), kind);
	if (!strstr(said, message))
		fail_msg("%s: \"%s\" where \"%s\" was expected", method, said, message);
}

static void test_refusals(void **state)
{
	(void)state;
	json_decref(holder_ask(&holder, APPLY, config_named("vm0")));
	refused(SHOW, json_pack("{s:s}", "name", "vm1"), "unavailable", "there is no topology vm1");
	refused(SHOW, json_pack("{s:s}", "form", "xml"), "usage", "there is no form xml");
	refused(APPLY, json_pack("{s:s, s:s}", "config", "version: 2\n", "file", "vm.yaml"),
		"config", "");
	refused(APPLY, json_pack("{s:s, s:s}", "config", "version: 1\nname: a\n", "driver", "x"),
		"usage", "there is no driver x");
	refused(APPLY, json_pack("{s:s, s:s}", "config", "version: 1\nname: a\n", "machine", "{}"),
		"busy", "reference machine is another one");
	assert_int_equal(shown(NULL), 1);
	json_decref(holder_ask(&holder, APPLY, config_named("vm1")));
	refused(SHOW, json_pack("{s:s}", "form", "yaml"), "usage",
		"2 topologies are held, and a config declares one");
}

static json_t *translation_of(const char *name, const char *iova)
{
	return json_pack("{s:s, s:s, s:[s]}", "name", name, "device", "nic", "iovas", iova);
}

static void test_translations(void **state)
{
	static const char *const wrong[] = {
		"{\"device\": \"nic\", \"iovas\": []}",
		"{\"name\": \"vm0\", \"iovas\": []}",
		"{\"name\": \"vm0\", \"device\": \"nic\"}",
		"{\"name\": \"vm0\", \"device\": \"nic\", \"iovas\": [1]}",
		"{\"name\": \"vm0\", \"device\": \"nic\", \"iovas\": \"0x0\"}",
		"{\"name\": \"vm0\", \"device\": \"nic\", \"iovas\": [\"0x0\"], \"pasid\": \"1\"}",
		"{\"name\": \"vm0\", \"device\": \"nic\", \"iovas\": [\"0x0\"], \"pasid\": -1}",
	};
	json_auto_t *reply = NULL;

	(void)state;
	json_decref(holder_ask(
		&holder, APPLY,
		json_pack("{s:s}", "config",
			  "{version: 1, name: vm0, memory: [{name: ram, size: 1M}],"
			  " devices: [{name: nic, pci: '0000:00:03.0', driver: vfio-pci}],"
			  " fds: [{name: main, driver: ioasid, ioasids: [{name: gpa, kind: gpa,"
			  " map: [{iova: 0, memory: ram, length: 64K}],"
			  " attach: [{device: nic}]}]}]}")));
	reply = holder_ask(&holder, TRANSLATE, translation_of("vm0", "0x123"));
	assert_string_equal(json_text_at(reply, "parameters/translation/translations/0/offset"),
			    "0x123");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		json_auto_t *answer = holder_ask(&holder, TRANSLATE, json_loads(wrong[i], 0, NULL));

		assert_string_equal(json_text_at(answer, "error"),
				    "org.varlink.service.InvalidParameter");
	}
	refused(TRANSLATE, translation_of("vm1", "0"), "unavailable", "there is no topology vm1");
	refused(TRANSLATE, translation_of("vm0", "-1"), "usage", "\"-1\" is no address");
	refused(TRANSLATE,
		json_pack("{s:s, s:s, s:[s]}", "name", "vm0", "device", "gpu", "iovas", "0"),
		"usage", "topology vm0 has no device gpu");
	refused(TRANSLATE, json_pack("{s:s, s:s, s:[]}", "name", "vm0", "device", "nic", "iovas"),
		"usage", "from 1 to 128 addresses");
	refused(TRANSLATE,
		json_pack("{s:s, s:s, s:[s], s:s}", "name", "vm0", "device", "nic", "iovas", "0",
			  "access", "x"),
		"usage", "an access is r, w or rw, not \"x\"");
	refused(TRANSLATE,
		json_pack("{s:s, s:s, s:[s], s:i}", "name", "vm0", "device", "nic", "iovas", "0",
			  "pasid", 1 << 20),
		"usage", "1048576 is no PASID");
}

static void test_errors_have_positions(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	_cleanup_(client_freep)
	struct client *client = NULL;
	json_t *reply = NULL;

	(void)state;
	assert_int_equal(client_connect(holder.socket, &client, NULL), 0);
	assert_true(client_call(client, "Apply",
				json_pack("{s:s, s:s}", "config", "version: 1\nname: a\nbad: 1\n",
					  "file", "vm.yaml"),
				&reply, &err) < 0);
	assert_null(reply);
	assert_int_equal(err->kind, ERROR_CONFIG);
	assert_string_equal(err->file, "vm.yaml");
	assert_int_equal(err->line, 3);
	assert_int_equal(err->column, 1);
	/* The connection is as good as before. */
	assert_int_equal(client_call(client, "Show", NULL, &reply, NULL), 0);
	json_decref(reply);
	assert_int_equal(client_call(client, "Fly", NULL, NULL, NULL), -EPROTO);
}

static void test_machine_changes_while_nothing_is_held(void **state)
{
	json_auto_t *reply = NULL;
	json_t *call = config_named("vm0");

	(void)state;
	refused(APPLY, json_pack("{s:s, s:s}", "config", "version: 1\nname: a\n", "machine", "{}"),
		"config", "machine description: ");
	json_object_set_new(call, "machine", json_string(refdev_default_machine));
	reply = holder_ask(&holder, APPLY, call);
	assert_string_equal(json_text_at(reply, "parameters/result/name"), "vm0");
}

static void test_pipelined_calls_are_answered_in_order(void **state)
{
	_cleanup_close_ int fd = raw_connect(&holder);

	(void)state;
	raw_call(fd, APPLY, config_named("vm0"));
	raw_call(fd, "org.varlink.service.GetInfo", NULL);
	raw_call(fd, SHOW, NULL);
	raw_call(fd, DELETE, json_pack("{s:s}", "name", "vm0"));
	/* Half-closed: what was asked is still answered. */
	shutdown(fd, SHUT_WR);
	for (int i = 0; i < 4; i++) {
		static const char *const paths[] = {"parameters/result/name", "parameters/vendor",
						    "parameters/dump/topologies/0/name",
						    "parameters/result/name"};
		static const char *const values[] = {"vm0", "ioasidctl", "vm0", "vm0"};
		json_auto_t *reply = raw_reply(fd);

		assert_string_equal(json_text_at(reply, paths[i]), values[i]);
	}
	assert_null(raw_receive(fd));
}

static void test_one_way_calls(void **state)
{
	static const char apply[] = "{\"method\":\"io.ioasidctl.Apply\",\"oneway\":true,"
				    "\"parameters\":{\"config\":\"version: 1\\nname: vm0\"}}";
	static const char show[] = "{\"method\":\"io.ioasidctl.Show\",\"oneway\":true}";
	_cleanup_close_ int fd = raw_connect(&holder);

	(void)state;
	/* Gone at once: a one-way call is done nevertheless. */
	raw_send(fd, show, sizeof(show));
	raw_send(fd, apply, sizeof(apply));
	shutdown(fd, SHUT_RDWR);
	/* Calls of another connection come after it in the queue, once it was read. */
	while (!shown(NULL))
		;
}

static void test_garbage_ends_only_its_sender(void **state)
{
	static const char *const garbage[] = {"\x16\x03\x01 hello", "GET / HTTP/1.0\r\n\r\n",
					      "{\"method\":", "[[[[[[[[[[[[[[[[[[[[[[", ""};
	_cleanup_close_ int good = raw_connect(&holder);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(garbage); i++) {
		_cleanup_close_ int fd = raw_connect(&holder);
		json_auto_t *reply = NULL, *other = NULL;

		raw_send(fd, garbage[i], strlen(garbage[i]) + 1);
		reply = raw_reply(fd);
		assert_string_equal(reply_kind(reply), "protocol");
		assert_null(raw_receive(fd));
		other = raw_ask(good, SHOW, NULL);
		assert_non_null(json_object_get(other, "parameters"));
	}
}

static void test_disconnects_anywhere(void **state)
{
	static const char call[] = "{\"method\":\"io.ioasidctl.Show\",\"parameters\":{}}";

	(void)state;
	for (size_t length = 0; length <= sizeof(call); length++) {
		int fd = raw_connect(&holder);

		raw_send(fd, call, length);
		close(fd);
	}
	assert_int_equal(shown(NULL), 0);
}

static void test_message_past_the_limit(void **state)
{
	_cleanup_close_ int fd = raw_connect(&holder);
	_cleanup_free_ char *chunk = malloc(1 << 20);
	json_auto_t *reply = NULL;
	size_t sent = 0;

	(void)state;
	assert_non_null(chunk);
	memset(chunk, ' ', 1 << 20);
	/* No NUL ever: the holder stops listening to it, and says so. */
	for (;;) {
		ssize_t n = send(fd, chunk, 1 << 20, MSG_NOSIGNAL);

		if (n < 0)
			break;
		sent += (size_t)n;
		assert_true(sent < ((size_t)80 << 20));
	}
	assert_true(sent > ((size_t)64 << 20));
	reply = raw_reply(fd);
	assert_string_equal(reply_kind(reply), "protocol");
	assert_string_equal(json_text_at(reply, "parameters/errors/0/message"),
			    "a message of more than 67108864 bytes");
}

static int start_impatient(void **state)
{
	(void)state;
	test_holder_prepare(&holder);
	holder.limits.stall = 30;
	test_holder_start(&holder);
	return 0;
}

static void test_stalling_clients_are_left(void **state)
{
	_cleanup_close_ int silent = raw_connect(&holder);
	_cleanup_close_ int half = raw_connect(&holder);
	_cleanup_close_ int idle = raw_connect(&holder);
	json_auto_t *first = NULL, *second = NULL;

	(void)state;
	first = raw_ask(idle, SHOW, NULL);
	raw_send(half, "{\"method\"", 9);
	assert_null(raw_receive(half));
	assert_null(raw_receive(silent));
	/* Who has talked, and owes nothing, may be silent. */
	second = raw_ask(idle, SHOW, NULL);
	assert_non_null(json_object_get(second, "parameters"));
}

static void test_reply_that_nobody_takes(void **state)
{
	_cleanup_close_ int fd = raw_connect(&holder);
	struct ucred unused;
	socklen_t length = sizeof(unused);

	(void)state;
	/* More replies than the socket can hold; none is read, so the holder must give up. */
	for (int i = 0; i < 100000; i++) {
		static const char call[] = "{\"method\":\"org.varlink.service."
					   "GetInterfaceDescription\",\"parameters\":"
					   "{\"interface\":\"io.ioasidctl\"}}";

		if (send(fd, call, sizeof(call), MSG_NOSIGNAL) < 0)
			break;
		assert_true(i < 99999);
	}
	assert_true(errno == EPIPE || errno == ECONNRESET);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &unused, &length), 0);
}

static int start_small(void **state)
{
	(void)state;
	test_holder_prepare(&holder);
	holder.limits.connections = 8;
	test_holder_start(&holder);
	return 0;
}

static void test_too_many_connections(void **state)
{
	int fds[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		json_auto_t *reply = NULL;

		fds[i] = raw_connect(&holder);
		reply = raw_ask(fds[i], "org.varlink.service.GetInfo", NULL);
		assert_string_equal(reply_kind(reply), "");
	}
	for (int i = 0; i < 3; i++) {
		_cleanup_close_ int fd = raw_connect(&holder);
		json_auto_t *reply = raw_reply(fd);

		assert_string_equal(reply_kind(reply), "busy");
		assert_null(raw_receive(fd));
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	/* Closing takes a moment to be seen. */
	for (;;) {
		_cleanup_close_ int fd = raw_connect(&holder);
		json_auto_t *reply = raw_ask(fd, SHOW, NULL);

		if (!*reply_kind(reply))
			break;
	}
}

/* Runs `body` as a user without rights; its assertions count. */
static void as_nobody(void (*body)(void))
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(2);
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define REQUIRE(condition)                                                          \
	do {                                                                        \
		if (!(condition)) {                                                 \
			print_error("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			_exit(1);                                                   \
		}                                                                   \
	} while (0)

static const char *kind_for(const char *method, json_t *parameters)
{
	json_t *reply = holder_ask(&holder, method, parameters);

	/* The process ends soon. */
	return reply_kind(reply);
}

static void look_as_nobody(void)
{
	json_t *reply, *topologies;

	REQUIRE(!strcmp(kind_for("org.varlink.service.GetInfo", NULL), ""));
	REQUIRE(!strcmp(kind_for(APPLY, config_named("mine")), "permission"));
	REQUIRE(!strcmp(kind_for(PLAN, config_named("mine")), "permission"));
	REQUIRE(!strcmp(kind_for(DELETE, json_pack("{s:s}", "name", "mine")), "permission"));
	REQUIRE(!strcmp(kind_for(SHOW, json_pack("{s:s}", "name", "theirs")), "permission"));
	REQUIRE(!strcmp(kind_for(SHOW, json_pack("{s:s}", "name", "unknown")), "permission"));
	REQUIRE(!strcmp(kind_for(SHOW, json_pack("{s:s}", "name", "mine")), ""));
	REQUIRE(!strcmp(kind_for(SHOW, json_pack("{s:s, s:s}", "name", "mine", "form", "yaml")),
			""));
	REQUIRE(!strcmp(kind_for(TRANSLATE, translation_of("theirs", "0")), "permission"));
	REQUIRE(!strcmp(kind_for(TRANSLATE, translation_of("unknown", "0")), "permission"));
	REQUIRE(!strcmp(kind_for(TRANSLATE, translation_of("mine", "0")), "usage"));
	reply = holder_ask(&holder, SHOW, NULL);
	topologies = json_object_get(json_object_get(json_object_get(reply, "parameters"), "dump"),
				     "topologies");
	REQUIRE(json_array_size(topologies) == 1);
	REQUIRE(!strcmp(json_text_at(topologies, "0/name"), "mine"));
}

static void test_who_may_do_what(void **state)
{
	json_auto_t *mine = NULL, *theirs = NULL;

	(void)state;
	if (geteuid()) {
		skip(); /* only root can be somebody else */
		return;
	}
	mine = holder_ask(
		&holder, APPLY,
		json_pack("{s:s}", "config", "version: 1\nname: mine\nowner: {user: nobody}\n"));
	assert_string_equal(json_text_at(mine, "parameters/result/name"), "mine");
	theirs = holder_ask(&holder, APPLY, config_named("theirs"));
	assert_string_equal(json_text_at(theirs, "parameters/result/name"), "theirs");
	as_nobody(look_as_nobody);
	assert_int_equal(shown(NULL), 2);
}

static void exceed_as_nobody(void)
{
	char *bytes = malloc(70000);
	int fds[8];

	for (size_t i = 0; i < 8; i++) {
		json_t *reply;

		fds[i] = raw_connect(&holder);
		if (i < 4) {
			reply = raw_ask(fds[i], "org.varlink.service.GetInfo", NULL);
			REQUIRE(!strcmp(reply_kind(reply), ""));
		} else {
			reply = raw_reply(fds[i]);
			REQUIRE(!strcmp(reply_kind(reply), "busy"));
		}
	}
	memset(bytes, ' ', 70000);
	(void)!send(fds[0], bytes, 70000, MSG_NOSIGNAL);
	REQUIRE(!strcmp(json_text_at(raw_reply(fds[0]), "parameters/errors/0/message"),
			"a message of more than 65536 bytes"));
}

static void test_limits_of_others(void **state)
{
	(void)state;
	if (geteuid()) {
		skip(); /* only root can be somebody else */
		return;
	}
	as_nobody(exceed_as_nobody);
}

static void test_start_ups_of_many_clients(void **state)
{
	pid_t pids[8];
	int status;

	(void)state;
	fflush(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		for (int j = 0; j < 20; j++) {
			char name[16];
			json_t *reply;

			snprintf(name, sizeof(name), "vm%zu", i);
			reply = holder_ask(&holder, APPLY, config_named(name));
			REQUIRE(!strcmp(json_text_at(reply, "parameters/result/name"), name));
			json_decref(reply);
			reply = holder_ask(&holder, SHOW, json_pack("{s:s}", "name", name));
			REQUIRE(!strcmp(json_text_at(reply, "parameters/dump/topologies/0/name"),
					name));
			json_decref(reply);
			reply = holder_ask(&holder, DELETE, json_pack("{s:s}", "name", name));
			REQUIRE(!strcmp(reply_kind(reply), ""));
			json_decref(reply);
		}
		_exit(0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(shown(NULL), 0);
}

#define HOLDER_TEST(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOLDER_TEST(test_life_of_a_topology),
		HOLDER_TEST(test_refusals),
		HOLDER_TEST(test_translations),
		HOLDER_TEST(test_errors_have_positions),
		HOLDER_TEST(test_machine_changes_while_nothing_is_held),
		HOLDER_TEST(test_pipelined_calls_are_answered_in_order),
		HOLDER_TEST(test_one_way_calls),
		HOLDER_TEST(test_garbage_ends_only_its_sender),
		HOLDER_TEST(test_disconnects_anywhere),
		HOLDER_TEST(test_message_past_the_limit),
		cmocka_unit_test_setup_teardown(test_stalling_clients_are_left, start_impatient,
						end),
		cmocka_unit_test_setup_teardown(test_reply_that_nobody_takes, start_impatient, end),
		cmocka_unit_test_setup_teardown(test_too_many_connections, start_small, end),
		HOLDER_TEST(test_who_may_do_what),
		HOLDER_TEST(test_limits_of_others),
		HOLDER_TEST(test_start_ups_of_many_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
