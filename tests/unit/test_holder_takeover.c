// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One holder after another at one socket: what goes over, and that the first one goes on, whatever
 * happens to either of them before the second one has confirmed. What an IOMMU would have to do
 * with it is for other tests: here topologies have memory only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "holder/client.h"
#include "holder/connection.h"
#include "holder/takeover.h"
#include "support_holder.h"

#define APPLY	 "io.ioasidctl.Apply"
#define DELETE	 "io.ioasidctl.Delete"
#define SHOW	 "io.ioasidctl.Show"
#define TAKEOVER "io.ioasidctl.TakeOver"

static struct test_holder holder, next;
static struct listener listener;

static int prepare(void **state)
{
	(void)state;
	test_holder_prepare(&holder);
	next = holder;
	snprintf(next.log, sizeof(next.log), "%s/log.next", holder.directory);
	next.options.socket = next.socket;
	next.options.take_over = true;
	return 0;
}

static int clean(void **state)
{
	(void)state;
	if (next.pid)
		test_holder_end(&next, SIGKILL);
	test_holder_clean(&holder);
	return 0;
}

static json_t *with_memory(const char *name)
{
	char text[256];

	snprintf(text, sizeof(text), "version: 1\nname: %s\nmemory: [{name: ram, size: 64K}]\n",
		 name);
	return json_pack("{s:s}", "config", text);
}

static void apply(const char *name, bool changed)
{
	json_t *reply = holder_ask(&holder, APPLY, with_memory(name));
	const json_t *result = json_object_get(json_object_get(reply, "parameters"), "result");

	assert_string_equal(json_text_at(result, "name"), name);
	assert_int_equal(json_is_true(json_object_get(result, "changed")), changed);
	json_decref(reply);
}

/* The memory files that a process has open, added up; 0: none. */
static ino_t memory_of(pid_t pid)
{
	char path[64], target[64];
	ino_t sum = 0;

	for (int fd = 3; fd < 64; fd++) {
		struct stat st;
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
		n = readlink(path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		if (!strncmp(target, "/memfd:ram", 10) && !stat(path, &st))
			sum += st.st_ino;
	}
	return sum;
}

static pid_t lock_pid(void)
{
	char path[128];
	_cleanup_fclose_ FILE *f = NULL;
	int pid = 0;

	snprintf(path, sizeof(path), "%s.lock", holder.socket);
	f = fopen(path, "r");
	assert_true(f && fscanf(f, "%d", &pid) == 1);
	return pid;
}

static void test_all_goes_over(void **state)
{
	_cleanup_close_ int quiet = -1, half = -1;
	json_t *reply;
	ino_t memory;

	(void)state;
	test_holder_start(&holder);
	apply("vm0", true);
	apply("vm1", true);
	memory = memory_of(holder.pid);
	assert_true(memory != 0);
	quiet = raw_connect(&holder);
	json_decref(raw_ask(quiet, SHOW, NULL));
	half = raw_connect(&holder);
	raw_send(half, "{\"meth", 6);
	test_holder_start(&next);
	assert_int_equal(test_holder_end(&holder, 0), 0);
	assert_true(test_holder_logged(&holder, "takes over"));
	assert_false(test_holder_logged(&holder, "removed"));
	assert_int_equal(memory_of(next.pid), memory);
	assert_int_equal(lock_pid(), next.pid);
	/* Who was connected is with the new one; who was in the middle of something isn't. */
	reply = raw_ask(quiet, SHOW, NULL);
	assert_int_equal(json_array_size(json_object_get(
				 json_object_get(json_object_get(reply, "parameters"), "dump"),
				 "topologies")),
			 2);
	json_decref(reply);
	assert_null(raw_receive(half));
	apply("vm0", false);
	apply("vm2", true);
	assert_true(test_holder_logged(&next, "topology vm0: taken over"));
	assert_int_equal(test_holder_end(&next, SIGTERM), 0);
	assert_true(test_holder_logged(&next, "topology vm0: removed"));
	assert_false(path_exists(holder.socket));
}

/* A process that has been handed the memory, and tells if the lease ends. */
static pid_t start_taker(void)
{
	struct client *client = NULL;
	struct pollfd lease = {.events = POLLIN};
	json_t *reply = NULL;
	int *fds = NULL, ready[2];
	size_t n = 0;
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		if (client_connect(holder.socket, &client, NULL) ||
		    client_take(client, json_pack("{s:s}", "name", "vm0"), &reply, &fds, &n, NULL))
			_exit(2);
		client_free(client);
		(void)!write(ready[1], "", 1);
		lease.fd = fds[n - 1];
		poll(&lease, 1, -1);
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

/* What was handed to a program still is. */
static void test_leases_go_over(void **state)
{
	json_t *reply;
	int status;
	pid_t taker;

	(void)state;
	test_holder_start(&holder);
	apply("vm0", true);
	taker = start_taker();
	test_holder_start(&next);
	assert_int_equal(test_holder_end(&holder, 0), 0);
	reply = holder_ask(&holder, DELETE, json_pack("{s:s}", "name", "vm0"));
	assert_string_equal(reply_kind(reply), "busy");
	json_decref(reply);
	/* It hasn't ended for the program. */
	kill(taker, SIGKILL);
	assert_int_equal(waitpid(taker, &status, 0), taker);
	assert_true(WIFSIGNALED(status));
	reply = holder_ask(&holder, DELETE, json_pack("{s:s}", "name", "vm0"));
	assert_string_equal(json_text_at(reply, "parameters/result/name"), "vm0");
	json_decref(reply);
}

static void test_the_service_manager_is_told(void **state)
{
	const struct timeval patience = {.tv_sec = 60};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char text[64], wanted[64];

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", holder.directory);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	test_holder_start(&holder);
	unsetenv("NOTIFY_SOCKET");
	test_holder_start(&next);
	assert_int_equal(test_holder_end(&holder, 0), 0);
	for (int i = 0; i < 2; i++) {
		const ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

		assert_true(n > 0);
		text[n] = '\0';
		snprintf(wanted, sizeof(wanted), i ? "MAINPID=%d" : "READY=1", (int)next.pid);
		assert_string_equal(text, wanted);
	}
	/* And nothing more, of an end for one. */
	assert_true(recv(fd, text, sizeof(text), MSG_DONTWAIT) < 0);
}

/* Three generations: the lock and the socket go from hand to hand. */
static void test_once_more(void **state)
{
	(void)state;
	test_holder_start(&holder);
	apply("vm0", true);
	test_holder_start(&next);
	assert_int_equal(test_holder_end(&holder, 0), 0);
	holder.options.take_over = true;
	test_holder_start(&holder);
	assert_int_equal(test_holder_end(&next, 0), 0);
	assert_int_equal(lock_pid(), holder.pid);
	apply("vm0", false);
	assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
	assert_false(path_exists(holder.socket));
}

static void test_nobody_to_take_over_from(void **state)
{
	(void)state;
	test_holder_start(&next);
	assert_int_equal(test_holder_end(&next, 0), 1);
	assert_true(test_holder_logged(&next, "error: no holder listens at"));
	assert_true(test_holder_logged(&next, "without --takeover the daemon starts"));
	assert_false(path_exists(holder.socket));
}

static struct predecessor *meet(void)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct predecessor *p = NULL;

	if (predecessor_meet(holder.socket, &p, &listener, &err))
		fail_msg("%s", err->message);
	return p;
}

static void leave(struct predecessor *p)
{
	predecessor_free(p);
	listener_leave(&listener);
}

static void assert_goes_on(void)
{
	apply("vm0", false);
	assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
	assert_true(test_holder_logged(&holder, "the takeover failed: going on"));
	assert_true(test_holder_logged(&holder, "topology vm0: removed"));
	assert_false(path_exists(holder.socket));
}

static void test_the_new_one_is_killed_in_the_middle(void **state)
{
	_cleanup_close_ int waiting = -1;
	struct predecessor *p;

	(void)state;
	test_holder_start(&holder);
	apply("vm0", true);
	p = meet();
	/* Nobody is served meanwhile, and nothing is lost. */
	waiting = raw_connect(&holder);
	raw_call(waiting, APPLY, with_memory("vm1"));
	leave(p);
	json_decref(raw_reply(waiting));
	apply("vm1", false);
	assert_goes_on();
}

static void test_the_new_one_gives_up(void **state)
{
	struct predecessor *p;

	(void)state;
	test_holder_start(&holder);
	apply("vm0", true);
	p = meet();
	predecessor_cancel(p);
	/* Its connection is one like others now. */
	apply("vm0", false);
	leave(p);
	assert_goes_on();
}

static void test_the_new_one_stands_still(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct predecessor *p;
	bool killed;

	(void)state;
	holder.limits.stall = 200;
	test_holder_start(&holder);
	apply("vm0", true);
	p = meet();
	apply("vm0", false);
	/* Too late. */
	assert_true(predecessor_confirm(p, &killed, &err) < 0);
	assert_false(killed);
	leave(p);
	assert_goes_on();
}

static void test_the_old_one_is_killed_in_the_middle(void **state)
{
	struct predecessor *p;
	struct descriptors *given;
	bool killed = false;
	int memory;

	(void)state;
	test_holder_start(&holder);
	apply("vm0", true);
	p = meet();
	test_holder_end(&holder, SIGKILL);
	assert_int_equal(predecessor_confirm(p, &killed, NULL), 0);
	assert_true(killed);
	given = predecessor_given(p);
	memory = descriptors_take(given, "vm0/memory/ram");
	assert_true(memory >= 0);
	close(memory);
	/* The lock is this process's: nobody else can be the holder. */
	assert_int_equal(listener_own(&listener, NULL), 0);
	assert_int_equal(lock_pid(), getpid());
	next.options.take_over = false;
	test_holder_start(&next);
	assert_int_equal(test_holder_end(&next, 0), 1);
	assert_true(test_holder_logged(&next, "another holder, process"));
	leave(p);
}

static void test_the_old_one_ends_in_the_middle(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct predecessor *p;
	bool killed;

	(void)state;
	test_holder_start(&holder);
	apply("vm0", true);
	p = meet();
	kill(holder.pid, SIGTERM);
	for (int i = 0; i < 6000 && path_exists(holder.socket); i++)
		usleep(10000);
	assert_true(predecessor_confirm(p, &killed, &err) < 0);
	assert_false(killed);
	assert_string_equal(err->message, "the holder is ending");
	leave(p);
	assert_int_equal(test_holder_end(&holder, 0), 0);
	assert_true(test_holder_logged(&holder, "topology vm0: removed"));
}

static json_t *act(int fd, const char *action)
{
	return raw_ask(fd, TAKEOVER, json_pack("{s:s}", "action", action));
}

static void test_calls_out_of_place(void **state)
{
	static const char *const actions[] = {"confirm", "cancel", "else"};
	json_t *reply;

	(void)state;
	test_holder_start(&holder);
	apply("vm0", true);
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		_cleanup_close_ int fd = raw_connect(&holder);

		reply = act(fd, actions[i]);
		assert_string_equal(reply_kind(reply), "usage");
		json_decref(reply);
	}
	reply = holder_ask(&holder, TAKEOVER, NULL);
	assert_string_equal(json_text_at(reply, "error"), "org.varlink.service.InvalidParameter");
	json_decref(reply);
	apply("vm0", false);
}

static void test_what_is_bound_to_its_process(void **state)
{
	static const char text[] = "version: 1\nname: r\n"
				   "fds: [{name: main, driver: ioasid, ioasids: [{name: gpa}]}]\n";
	json_t *reply;

	(void)state;
	test_holder_start(&holder);
	apply("vm0", true);
	reply = holder_ask(&holder, APPLY, json_pack("{s:s}", "config", text));
	assert_string_equal(json_text_at(reply, "parameters/result/name"), "r");
	json_decref(reply);
	test_holder_start(&next);
	assert_int_equal(test_holder_end(&next, 0), 1);
	assert_true(test_holder_logged(
		&next,
		"error: topology r can't be taken over by another process: fd main: its memory is "
		"mapped by the process that has it open; delete the topology first"));
	assert_true(path_exists(holder.socket));
	reply = holder_ask(&holder, SHOW, json_pack("{s:s}", "name", "r"));
	assert_string_equal(json_text_at(reply, "parameters/dump/topologies/0/name"), "r");
	json_decref(reply);
	apply("vm0", false);
	assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
}

static void test_an_entry_that_is_missing(void **state)
{
	char path[160];

	(void)state;
	test_holder_start(&holder);
	apply("vm0", true);
	snprintf(path, sizeof(path), "%s.state/vm0.json", holder.socket);
	assert_int_equal(unlink(path), 0);
	test_holder_start(&next);
	assert_int_equal(test_holder_end(&next, 0), 1);
	assert_true(test_holder_logged(&next, "topology vm0 can't be taken over: it isn't in the "
					      "journal"));
	apply("vm0", false);
}

/* An entry of another config than the one that was applied. */
static void test_an_entry_that_does_not_fit(void **state)
{
	_cleanup_free_ char *command = NULL;

	(void)state;
	test_holder_start(&holder);
	apply("vm0", true);
	assert_true(asprintf(&command, "sed -i 's/name: ram/name: rom/' %s.state/vm0.json",
			     holder.socket) > 0);
	assert_int_equal(system(command), 0);
	test_holder_start(&next);
	assert_int_equal(test_holder_end(&next, 0), 1);
	assert_true(test_holder_logged(&next, "what is told of rom doesn't fit its config"));
	assert_true(path_exists(holder.socket));
	assert_goes_on();
}

static void test_too_few_descriptors(void **state)
{
	struct rlimit was, few;

	(void)state;
	test_holder_start(&holder);
	apply("vm0", true);
	for (int i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "more%d", i);
		apply(name, true);
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = was;
	few.rlim_cur = 40;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	test_holder_start(&next);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(test_holder_end(&next, 0), 1);
	assert_true(test_holder_logged(&next, "descriptors have come: this process can't have more "
					      "open; raise the limit of open files"));
	assert_goes_on();
}

/* More than go with one byte. */
static void test_very_many_descriptors(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct predecessor *p;
	size_t length = 0;
	FILE *f = open_memstream(&text, &length);
	json_t *reply;

	(void)state;
	fputs("version: 1\nname: big\nmemory:\n", f);
	for (int i = 0; i < 3 * CONNECTION_FDS_MAX; i++)
		fprintf(f, "- {name: m%d, size: 4K}\n", i);
	fclose(f);
	test_holder_start(&holder);
	reply = holder_ask(&holder, APPLY, json_pack("{s:s}", "config", text));
	assert_string_equal(json_text_at(reply, "parameters/result/name"), "big");
	json_decref(reply);
	p = meet();
	assert_int_equal(predecessor_given(p)->n, TAKEOVER_OWN + 3 * CONNECTION_FDS_MAX);
	for (size_t i = TAKEOVER_OWN; i < predecessor_given(p)->n; i++) {
		const struct descriptor *d = &predecessor_given(p)->list[i];
		_cleanup_free_ char *link = NULL, *wanted = NULL;
		char target[64] = "";

		assert_true(asprintf(&link, "/proc/self/fd/%d", d->fd) > 0);
		assert_true(asprintf(&wanted, "/memfd:%s (deleted)",
				     d->name + strlen("big/memory/")) > 0);
		assert_true(readlink(link, target, sizeof(target) - 1) > 0);
		assert_string_equal(target, wanted);
	}
	leave(p);
	test_holder_start(&next);
	assert_int_equal(test_holder_end(&holder, 0), 0);
	reply = holder_ask(&holder, APPLY, json_pack("{s:s}", "config", text));
	assert_true(json_is_false(json_object_get(
		json_object_get(json_object_get(reply, "parameters"), "result"), "changed")));
	json_decref(reply);
	assert_int_equal(test_holder_end(&next, SIGTERM), 0);
}

static void test_others_may_not(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid())
		skip(); /* only root can be somebody else */
	test_holder_start(&holder);
	apply("vm0", true);
	pid = fork();
	if (!pid) {
		json_t *reply;

		if (setgid(65534) || setuid(65534))
			_exit(2);
		reply = holder_ask(&holder, TAKEOVER, json_pack("{s:s}", "action", "begin"));
		_exit(strcmp(reply_kind(reply), "permission") != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	apply("vm0", false);
}

/* What it gave would be believed. */
static void test_nor_is_any_holder_trusted(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid())
		skip(); /* only root can be somebody else */
	assert_int_equal(chown(holder.directory, 65534, 65534), 0);
	pid = fork();
	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(2);
		test_holder_start(&holder);
		_exit(test_holder_end(&holder, 0));
	}
	for (int i = 0; i < 6000 && !path_exists(holder.socket); i++)
		usleep(10000);
	test_holder_start(&next);
	assert_int_equal(test_holder_end(&next, 0), 1);
	assert_true(test_holder_logged(&next, "is of user id 65534, whom this process doesn't "
					      "trust"));
	kill(lock_pid(), SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, prepare, clean)
	const struct CMUnitTest tests[] = {
		TEST(test_all_goes_over),
		TEST(test_leases_go_over),
		TEST(test_the_service_manager_is_told),
		TEST(test_once_more),
		TEST(test_nobody_to_take_over_from),
		TEST(test_the_new_one_is_killed_in_the_middle),
		TEST(test_the_new_one_gives_up),
		TEST(test_the_new_one_stands_still),
		TEST(test_the_old_one_is_killed_in_the_middle),
		TEST(test_the_old_one_ends_in_the_middle),
		TEST(test_calls_out_of_place),
		TEST(test_what_is_bound_to_its_process),
		TEST(test_an_entry_that_is_missing),
		TEST(test_an_entry_that_does_not_fit),
		TEST(test_too_few_descriptors),
		TEST(test_very_many_descriptors),
		TEST(test_others_may_not),
		TEST(test_nor_is_any_holder_trusted),
	};

	return cmocka_run_group_tests_name("holder-takeover", tests, NULL, NULL);
}
