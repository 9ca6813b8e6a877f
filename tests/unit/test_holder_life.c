// SPDX-License-Identifier: GPL-2.0-or-later
/* Beginnings and ends of holders: who owns the socket, what a signal leaves, what the next finds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "holder/client.h"
#include "holder/listener.h"
#include "support_holder.h"

#define APPLY "io.ioasidctl.Apply"
#define SHOW  "io.ioasidctl.Show"

static struct test_holder holder;
static char lock_path[128], state_path[128], entry_path[160];

static int prepare(void **state)
{
	(void)state;
	test_holder_prepare(&holder);
	snprintf(lock_path, sizeof(lock_path), "%s.lock", holder.socket);
	snprintf(state_path, sizeof(state_path), "%s.state", holder.socket);
	snprintf(entry_path, sizeof(entry_path), "%s/vm0.json", state_path);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	test_holder_clean(&holder);
	return 0;
}

static void apply(const char *name)
{
	json_t *reply = holder_ask(&holder, APPLY, config_named(name));

	assert_string_equal(json_text_at(reply, "parameters/result/name"), name);
	json_decref(reply);
}

/* The number of topologies; the first must be vm0. */
static size_t shown(void)
{
	json_t *reply = holder_ask(&holder, SHOW, NULL);
	size_t n = json_array_size(json_object_get(
		json_object_get(json_object_get(reply, "parameters"), "dump"), "topologies"));

	if (n)
		assert_string_equal(json_text_at(reply, "parameters/dump/topologies/0/name"),
				    "vm0");
	json_decref(reply);
	return n;
}

static void assert_nothing_left(void)
{
	assert_false(path_exists(holder.socket));
	assert_false(path_exists(lock_path));
	assert_false(path_exists(state_path));
}

static void test_ends_by_signal(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		test_holder_start(&holder);
		apply("vm0");
		assert_true(path_exists(entry_path));
		assert_int_equal(test_holder_end(&holder, signals[i]), 0);
		assert_nothing_left();
	}
	assert_true(test_holder_logged(&holder, "topology vm0: removed"));
}

static void test_second_signal_does_not_kill(void **state)
{
	(void)state;
	test_holder_start(&holder);
	apply("vm0");
	kill(holder.pid, SIGINT);
	kill(holder.pid, SIGTERM);
	assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
	assert_nothing_left();
}

static void test_two_holders(void **state)
{
	struct test_holder second;
	char owner[64];

	(void)state;
	test_holder_start(&holder);
	apply("vm0");
	second = holder;
	test_holder_start(&second);
	assert_int_equal(test_holder_end(&second, 0), 1);
	snprintf(owner, sizeof(owner), "another holder, process %d, owns", (int)holder.pid);
	assert_true(test_holder_logged(&holder, owner));
	/* The first didn't notice, and the second took nothing away. */
	assert_int_equal(shown(), 1);
	assert_true(path_exists(entry_path));
}

static void test_many_at_once(void **state)
{
	struct test_holder others[6];
	int running = 0, failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		others[i] = holder;
		test_holder_start(&others[i]);
	}
	assert_int_equal(shown(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (test_holder_end(&others[i], i ? 0 : SIGTERM))
			failed++;
		else
			running++;
	}
	assert_int_equal(running, 1);
	assert_int_equal(failed, ARRAY_SIZE(others) - 1);
	assert_nothing_left();
}

static void test_stale_socket_is_replaced(void **state)
{
	(void)state;
	test_holder_start(&holder);
	assert_int_equal(test_holder_end(&holder, SIGKILL), 128 + SIGKILL);
	assert_true(path_exists(holder.socket));
	assert_true(path_exists(lock_path));
	test_holder_start(&holder);
	assert_int_equal(shown(), 0);
	assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
	assert_nothing_left();
}

static void test_nobody_else_loses_a_file(void **state)
{
	struct stat st;
	int fd = open(holder.socket, O_WRONLY | O_CREAT, 0600);

	(void)state;
	assert_int_equal(write(fd, "precious", 8), 8);
	close(fd);
	test_holder_start(&holder);
	assert_int_equal(test_holder_end(&holder, 0), 1);
	assert_true(test_holder_logged(&holder, "is in the way and is not a socket"));
	assert_int_equal(stat(holder.socket, &st), 0);
	assert_int_equal(st.st_size, 8);
	assert_false(path_exists(lock_path));
}

static int listen_like_a_stranger(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", holder.socket);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static void test_a_stranger_listens_there(void **state)
{
	_cleanup_close_ int fd = listen_like_a_stranger();

	(void)state;
	test_holder_start(&holder);
	assert_int_equal(test_holder_end(&holder, 0), 1);
	assert_true(test_holder_logged(&holder, "something else listens at"));
	assert_true(path_exists(holder.socket));
}

static void test_path_too_long(void **state)
{
	char path[300];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	holder.options.socket = path;
	test_holder_start(&holder);
	assert_int_equal(test_holder_end(&holder, 0), 1);
	assert_true(test_holder_logged(&holder, "it has 299 bytes, and sockets can have 107"));
}

static void test_directory_is_made(void **state)
{
	char path[160], directory[128];
	struct stat st;

	(void)state;
	snprintf(directory, sizeof(directory), "%s/run", holder.directory);
	snprintf(path, sizeof(path), "%s/control", directory);
	holder.options.socket = path;
	test_holder_start(&holder);
	assert_int_equal(stat(directory, &st), 0);
	assert_int_equal(st.st_mode & 07777, geteuid() ? 0700 : 0755);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, geteuid() ? 0600 : 0666);
	assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
	assert_false(path_exists(path));
}

static void test_journal_of_strangers_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkdir(state_path, 0700), 0);
	assert_int_equal(chmod(state_path, 0777), 0);
	test_holder_start(&holder);
	assert_int_equal(test_holder_end(&holder, 0), 1);
	assert_true(test_holder_logged(&holder, "could have been written by others"));
	/* Its making is the user's to look into. */
	assert_int_equal(rmdir(state_path), 0);
}

static void test_keep(void **state)
{
	json_t *reply;

	(void)state;
	holder.options.keep = true;
	test_holder_start(&holder);
	apply("vm0");
	assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
	assert_false(path_exists(holder.socket));
	assert_true(path_exists(entry_path));
	test_holder_start(&holder);
	assert_int_equal(shown(), 1);
	assert_true(test_holder_logged(&holder, "vm0: applied again, as the last holder kept it"));
	/* It is a topology like any other. */
	reply = holder_ask(&holder, "io.ioasidctl.Delete", json_pack("{s:s}", "name", "vm0"));
	assert_string_equal(json_text_at(reply, "parameters/result/name"), "vm0");
	json_decref(reply);
	assert_false(path_exists(entry_path));
	assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
	assert_nothing_left();
}

static void test_crash_is_cleaned_up(void **state)
{
	(void)state;
	holder.options.keep = true;
	test_holder_start(&holder);
	apply("vm0");
	assert_int_equal(test_holder_end(&holder, SIGKILL), 128 + SIGKILL);
	assert_true(path_exists(entry_path));
	test_holder_start(&holder);
	assert_int_equal(shown(), 0);
	assert_true(test_holder_logged(&holder, "vm0: was lost when the last holder crashed"));
	assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
	assert_nothing_left();
}

static void test_damaged_journal(void **state)
{
	char aside[192];
	int fd;

	(void)state;
	assert_int_equal(mkdir(state_path, 0700), 0);
	fd = open(entry_path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "{\"schema", 8), 8);
	close(fd);
	test_holder_start(&holder);
	assert_int_equal(shown(), 0);
	apply("vm0");
	assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
	assert_true(test_holder_logged(&holder, "entry vm0 put aside as vm0.damaged"));
	snprintf(aside, sizeof(aside), "%s/vm0.damaged", state_path);
	assert_true(path_exists(aside));
}

static void test_exit_idle(void **state)
{
	json_t *reply;
	int fd;

	(void)state;
	holder.options.exit_idle = true;
	test_holder_start(&holder);
	fd = raw_connect(&holder);
	reply = raw_ask(fd, APPLY, config_named("vm0"));
	json_decref(reply);
	close(fd);
	/* Something is held: it stays. */
	fd = raw_connect(&holder);
	reply = raw_ask(fd, "io.ioasidctl.Delete", json_pack("{s:s}", "name", "vm0"));
	assert_string_equal(json_text_at(reply, "parameters/result/name"), "vm0");
	json_decref(reply);
	/* Somebody is connected: it stays. */
	reply = raw_ask(fd, SHOW, NULL);
	json_decref(reply);
	close(fd);
	assert_int_equal(test_holder_end(&holder, 0), 0);
	assert_nothing_left();
}

static void test_exit_idle_without_any_client(void **state)
{
	(void)state;
	holder.options.exit_idle = true;
	holder.limits.first_client = 20;
	test_holder_start(&holder);
	assert_int_equal(test_holder_end(&holder, 0), 0);
	assert_nothing_left();
}

/*
 * Clients come while holders end for idleness: each call is answered by some holder or finds none,
 * and never a holder that hangs up on it.
 */
static void test_exit_idle_races(void **state)
{
	(void)state;
	holder.options.exit_idle = true;
	for (int i = 0; i < 200; i++) {
		struct client *client = NULL;
		int ret;

		if (!holder.pid)
			test_holder_start(&holder);
		ret = client_connect(holder.socket, &client, NULL);
		if (ret) {
			assert_true(ret == -ENOENT || ret == -ECONNREFUSED);
			assert_int_equal(test_holder_end(&holder, 0), 0);
			continue;
		}
		assert_int_equal(client_call(client, "Show", NULL, NULL, NULL), 0);
		client_free(client);
	}
}

/* A second name plays the one who had found the socket before its name was taken away. */
static void test_nobody_gets_into_a_hidden_socket(void **state)
{
	struct sockaddr_un late = {.sun_family = AF_UNIX};
	struct listener l;
	int early, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	snprintf(late.sun_path, sizeof(late.sun_path), "%s.2", holder.socket);
	assert_int_equal(listener_claim(holder.socket, &l, NULL), 0);
	assert_int_equal(listener_open(&l, -1, NULL), 0);
	assert_int_equal(link(holder.socket, late.sun_path), 0);
	early = raw_connect(&holder);
	listener_hide(&l);
	assert_int_equal(connect(fd, (struct sockaddr *)&late, sizeof(late)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
	fd = accept4(l.fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	close(fd);
	close(early);
	listener_release(&l);
}

static void test_passed_socket(void **state)
{
	int fd = listen_like_a_stranger();

	(void)state;
	holder.options.listen_fd = fd;
	/* The socket itself says where it is. */
	holder.options.socket = "/nonexistent/control";
	test_holder_start(&holder);
	apply("vm0");
	assert_int_equal(shown(), 1);
	assert_true(path_exists(lock_path));
	assert_true(path_exists(entry_path));
	assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
	/* It belongs to the service manager, which listens on. */
	assert_true(path_exists(holder.socket));
	assert_false(path_exists(lock_path));
	close(fd);
}

static void test_passed_something_else(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	holder.options.listen_fd = ends[0];
	test_holder_start(&holder);
	assert_int_equal(test_holder_end(&holder, 0), 1);
	assert_true(test_holder_logged(&holder, "is not a listening Unix stream socket"));
	close(ends[0]);
	close(ends[1]);
}

static void expect_state(int fd, const char *expected)
{
	char text[64] = "";

	assert_true(recv(fd, text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, expected);
}

static void notify_through(const char *path)
{
	const struct timeval patience = {.tv_sec = 60};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t length = offsetof(struct sockaddr_un, sun_path) + strlen(path);

	memcpy(address.sun_path, path, strlen(path));
	if (*path == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&address, (socklen_t)length), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setenv("NOTIFY_SOCKET", path, 1);
	test_holder_start(&holder);
	expect_state(fd, "READY=1");
	assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
	expect_state(fd, "STOPPING=1");
	unsetenv("NOTIFY_SOCKET");
}

static void test_notifies_the_service_manager(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/notify", holder.directory);
	notify_through(path);
	snprintf(path, sizeof(path), "@ioasidctl-test-%d", (int)getpid());
	notify_through(path);
}

static void test_idle_memory(void **state)
{
	char path[64], line[256];
	unsigned long kib = 0;
	FILE *f;

	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip(); /* they need memory of their own */
#endif
	test_holder_start(&holder);
	apply("vm0");
	snprintf(path, sizeof(path), "/proc/%d/status", (int)holder.pid);
	f = fopen(path, "r");
	assert_non_null(f);
	/* What is its own; the pages of libraries are shared with everybody. */
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %lu", &kib) == 1)
			break;
	fclose(f);
	assert_true(kib > 0);
	assert_true(kib < 2048);
}

#define LIFE_TEST(test) cmocka_unit_test_setup_teardown(test, prepare, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIFE_TEST(test_ends_by_signal),
		LIFE_TEST(test_second_signal_does_not_kill),
		LIFE_TEST(test_two_holders),
		LIFE_TEST(test_many_at_once),
		LIFE_TEST(test_stale_socket_is_replaced),
		LIFE_TEST(test_nobody_else_loses_a_file),
		LIFE_TEST(test_a_stranger_listens_there),
		LIFE_TEST(test_path_too_long),
		LIFE_TEST(test_directory_is_made),
		LIFE_TEST(test_journal_of_strangers_is_refused),
		LIFE_TEST(test_keep),
		LIFE_TEST(test_crash_is_cleaned_up),
		LIFE_TEST(test_damaged_journal),
		LIFE_TEST(test_exit_idle),
		LIFE_TEST(test_exit_idle_without_any_client),
		LIFE_TEST(test_exit_idle_races),
		LIFE_TEST(test_nobody_gets_into_a_hidden_socket),
		LIFE_TEST(test_passed_socket),
		LIFE_TEST(test_passed_something_else),
		LIFE_TEST(test_notifies_the_service_manager),
		LIFE_TEST(test_idle_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
