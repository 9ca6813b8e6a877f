// SPDX-License-Identifier: GPL-2.0-or-later
/* Take: what a holder hands over, to whom, and what it does as long as somebody has it. */
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "holder/client.h"
#include "support_holder.h"

#define APPLY	"io.ioasidctl.Apply"
#define DELETE	"io.ioasidctl.Delete"
#define SHOW	"io.ioasidctl.Show"
#define TAKE	"io.ioasidctl.Take"
#define FDS_MAX 253

static struct test_holder holder;

static int start(void **state)
{
	(void)state;
	test_holder_prepare(&holder);
	test_holder_start(&holder);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	test_holder_clean(&holder);
	return 0;
}

/* A topology on the reference device: of all its objects, memories have descriptors. */
static void apply(const char *name, const char *more)
{
	_cleanup_free_ char *text = NULL;
	json_auto_t *reply = NULL;

	assert_true(asprintf(&text,
			     "version: 1\nname: %s\n%s"
			     "memory: [{name: ram, size: 64K}, {name: rom, size: 4K}]\n"
			     "devices: [{name: nic0, pci: \"%s\", driver: vfio-pci}]\n"
			     "fds: [{name: main, driver: ioasid, ioasids: [{name: gpa, map: "
			     "[{iova: 0, memory: ram, length: 64K}]}]}]\n",
			     name, more,
			     strcmp(name, "vm0") ? "0000:00:03.0" : "0000:01:00.0") > 0);
	reply = holder_ask(&holder, APPLY, json_pack("{s:s}", "config", text));
	assert_string_equal(reply_kind(reply), "");
}

struct taking {
	json_t *reply;
	int fds[FDS_MAX];
	size_t n;
};

static void taking_done(struct taking *t)
{
	for (size_t i = 0; i < t->n; i++)
		close(t->fds[i]);
	json_decref(t->reply);
	*t = (struct taking){0};
}
#define _cleanup_taking_ _cleanup_(taking_done)

/* The reply, byte by byte, with what comes with the first. */
static void receive_taking(int fd, struct taking *out)
{
	union {
		char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
		struct cmsghdr header;
	} control;
	char first;
	struct iovec part = {&first, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	const struct cmsghdr *header;
	_cleanup_free_ char *rest = NULL, *text = NULL;

	assert_int_equal(recvmsg(fd, &message, MSG_CMSG_CLOEXEC), 1);
	assert_false(message.msg_flags & MSG_CTRUNC);
	header = CMSG_FIRSTHDR(&message);
	if (header) {
		assert_int_equal(header->cmsg_type, SCM_RIGHTS);
		out->n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(out->fds, CMSG_DATA(header), out->n * sizeof(int));
	}
	rest = raw_receive(fd);
	assert_non_null(rest);
	assert_true(asprintf(&text, "%c%s", first, rest) > 0);
	out->reply = json_loads(text, 0, NULL);
	assert_non_null(out->reply);
}

static void take_with(json_t *parameters, struct taking *out)
{
	_cleanup_close_ int fd = raw_connect(&holder);

	*out = (struct taking){0};
	raw_call(fd, TAKE, parameters);
	receive_taking(fd, out);
}

static void take(const char *name, struct taking *out)
{
	take_with(json_pack("{s:s}", "name", name), out);
	assert_string_equal(reply_kind(out->reply), "");
}

static const char *message_of(const json_t *reply)
{
	return json_text_at(reply, "parameters/errors/0/message");
}

static json_t *delete_now(const char *name)
{
	return holder_ask(&holder, DELETE, json_pack("{s:s}", "name", name));
}

/* A closed lease is seen at once by whoever asks. */
static void delete_works(const char *name)
{
	json_auto_t *reply = delete_now(name);

	assert_string_equal(reply_kind(reply), "");
}

static json_t *taken_in_show(const char *name)
{
	json_t *reply = holder_ask(&holder, SHOW, json_pack("{s:s}", "name", name)), *taken;

	taken = json_object_get(
		json_array_get(json_object_get(json_object_get(json_object_get(reply, "parameters"),
							       "dump"),
					       "topologies"),
			       0),
		"taken");
	json_incref(taken);
	json_decref(reply);
	assert_true(json_is_array(taken));
	return taken;
}

static void test_descriptors_and_their_names(void **state)
{
	_cleanup_taking_ struct taking t;
	struct stat st;

	(void)state;
	apply("vm0", "");
	take("vm0", &t);
	assert_int_equal(t.n, 3);
	assert_string_equal(json_text_at(t.reply, "parameters/names/0"), "ram");
	assert_string_equal(json_text_at(t.reply, "parameters/names/1"), "rom");
	assert_string_equal(json_text_at(t.reply, "parameters/names/2"), "");
	assert_int_equal(fstat(t.fds[0], &st), 0);
	assert_int_equal(st.st_size, 65536);
	assert_int_equal(fstat(t.fds[1], &st), 0);
	assert_int_equal(st.st_size, 4096);
	assert_int_equal(fstat(t.fds[2], &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_string_equal(json_text_at(t.reply, "parameters/dump/topologies/0/name"), "vm0");
	/* Whoever gets the dump is in it. */
	assert_string_equal(json_text_at(t.reply, "parameters/dump/topologies/0/taken/0/names/1"),
			    "rom");
}

static void test_those_that_are_wanted(void **state)
{
	_cleanup_taking_ struct taking t, twice, none;
	struct stat st;

	(void)state;
	apply("vm0", "");
	take_with(json_pack("{s:s, s:s, s:[s]}", "name", "vm0", "mode", "attached", "names", "rom"),
		  &t);
	assert_int_equal(t.n, 2);
	assert_int_equal(fstat(t.fds[0], &st), 0);
	assert_int_equal(st.st_size, 4096);
	assert_string_equal(json_text_at(t.reply, "parameters/names/0"), "rom");
	take_with(json_pack("{s:s, s:[s,s]}", "name", "vm0", "names", "rom", "rom"), &twice);
	assert_string_equal(message_of(twice.reply), "rom is wanted twice");
	take_with(json_pack("{s:s, s:[s]}", "name", "vm0", "names", "nic0"), &none);
	assert_string_equal(reply_kind(none.reply), "usage");
	assert_string_equal(message_of(none.reply), "nic0: nothing of that name has a descriptor");
	assert_int_equal(twice.n + none.n, 0);
}

static void refused(json_t *parameters, const char *kind, const char *message)
{
	_cleanup_taking_ struct taking t;

	take_with(parameters, &t);
	assert_int_equal(t.n, 0);
	assert_string_equal(reply_kind(t.reply), kind);
	assert_string_equal(message_of(t.reply), message);
}

static void test_refusals(void **state)
{
	json_auto_t *reply = NULL, *taken = NULL;

	(void)state;
	refused(json_pack("{s:s}", "name", "vm0"), "unavailable", "there is no topology vm0");
	apply("vm0", "");
	refused(json_pack("{s:s, s:s}", "name", "vm0", "mode", "cooked"), "usage",
		"there is no mode cooked: attached or raw");
	refused(json_pack("{s:s, s:s}", "name", "vm0", "mode", "raw"), "refused",
		"device nic0 can't be handed over raw");
	refused(json_pack("{s:s, s:s, s:[s]}", "name", "vm0", "mode", "raw", "names", "main"),
		"refused", "fd main can't be handed over raw");
	reply = holder_ask(&holder, TAKE, json_pack("{s:s, s:[i]}", "name", "vm0", "names", 1));
	assert_string_equal(json_text_at(reply, "parameters/parameter"), "names");
	taken = taken_in_show("vm0");
	assert_int_equal(json_array_size(taken), 0);
	delete_works("vm0");
}

static void test_as_long_as_the_lease_is_open(void **state)
{
	json_auto_t *taken = NULL, *refusal = NULL, *dry = NULL, *after = NULL;
	_cleanup_free_ char *cause = NULL;
	_cleanup_taking_ struct taking t;

	(void)state;
	apply("vm0", "");
	take("vm0", &t);
	taken = taken_in_show("vm0");
	assert_int_equal(json_array_size(taken), 1);
	assert_string_equal(json_text_at(taken, "0/mode"), "attached");
	assert_string_equal(json_text_at(taken, "0/program"), "test_holder_tak");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(taken, 0), "pid")),
			 getpid());
	assert_int_equal(json_integer_value(json_object_get(json_array_get(taken, 0), "uid")),
			 geteuid());
	refusal = delete_now("vm0");
	assert_string_equal(reply_kind(refusal), "busy");
	assert_string_equal(message_of(refusal),
			    "topology vm0 is in use: its descriptors are taken");
	assert_true(asprintf(&cause, "pid %d (test_holder_tak) has them", (int)getpid()) > 0);
	assert_string_equal(json_text_at(refusal, "parameters/errors/0/cause"), cause);
	dry = holder_ask(&holder, DELETE, json_pack("{s:s, s:b}", "name", "vm0", "dry_run", 1));
	assert_string_equal(reply_kind(dry), "busy");
	/* It can still be changed. */
	apply("vm0", "owner: {user: root}\n");
	/* The other descriptors don't count. */
	close(t.fds[--t.n]);
	after = taken_in_show("vm0");
	assert_int_equal(json_array_size(after), 0);
	delete_works("vm0");
}

static void test_several_takers(void **state)
{
	_cleanup_taking_ struct taking a, b;
	json_auto_t *two = NULL, *one = NULL, *refusal = NULL;

	(void)state;
	apply("vm0", "");
	apply("vm1", "");
	take("vm0", &a);
	take_with(json_pack("{s:s, s:[s]}", "name", "vm0", "names", "rom"), &b);
	two = taken_in_show("vm0");
	assert_int_equal(json_array_size(two), 2);
	assert_string_equal(json_text_at(two, "0/names/0"), "ram");
	assert_string_equal(json_text_at(two, "1/names/0"), "rom");
	/* The other topology is nobody's. */
	delete_works("vm1");
	close(a.fds[--a.n]);
	one = taken_in_show("vm0");
	assert_int_equal(json_array_size(one), 1);
	assert_string_equal(json_text_at(one, "0/names/0"), "rom");
	refusal = delete_now("vm0");
	assert_string_equal(reply_kind(refusal), "busy");
}

static void test_the_holder_ends(void **state)
{
	_cleanup_taking_ struct taking t;
	struct pollfd lease = {.events = POLLIN};
	char byte;

	(void)state;
	apply("vm0", "");
	take("vm0", &t);
	lease.fd = t.fds[2];
	assert_int_equal(poll(&lease, 1, 0), 0);
	assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
	assert_int_equal(read(lease.fd, &byte, 1), 0);
}

/* Nobody is left to give the descriptors to: it's as if nothing had been asked for. */
static void test_gone_before_the_reply(void **state)
{
	(void)state;
	apply("vm0", "");
	for (int i = 0; i < 20; i++) {
		int fd = raw_connect(&holder);

		raw_call(fd, TAKE, json_pack("{s:s}", "name", "vm0"));
		close(fd);
	}
	for (;;) {
		json_auto_t *reply = delete_now("vm0");

		if (!*reply_kind(reply))
			break;
		assert_string_equal(reply_kind(reply), "busy");
		usleep(10000);
	}
}

/* More text than the socket takes at once, and the client reads it late. */
static void test_a_long_reply(void **state)
{
	_cleanup_close_ int fd = raw_connect(&holder);
	_cleanup_taking_ struct taking t = {0};
	json_auto_t *reply = NULL, *second = NULL;
	_cleanup_free_ char *text = NULL;
	size_t length;
	FILE *f = open_memstream(&text, &length);

	(void)state;
	fputs("version: 1\nname: big\nmemory: [{name: ram, size: 4K}]\nfds: [{name: main, "
	      "driver: ioasid, ioasids: [{name: gpa, map: [",
	      f);
	for (int i = 0; i < 8000; i++)
		fprintf(f, "%s{iova: 0x%x, memory: ram, length: 4K}", i ? "," : "", i * 0x2000);
	fputs("]}]}]\n", f);
	fclose(f);
	reply = holder_ask(&holder, APPLY, json_pack("{s:s}", "config", text));
	assert_string_equal(reply_kind(reply), "");
	raw_call(fd, TAKE, json_pack("{s:s}", "name", "big"));
	second = holder_ask(&holder, SHOW, json_pack("{s:s}", "name", "big"));
	receive_taking(fd, &t);
	assert_int_equal(t.n, 2);
	assert_string_equal(json_text_at(t.reply, "parameters/names/0"), "ram");
	assert_string_equal(json_text_at(t.reply, "parameters/dump/topologies/0/fds/0/ioasids/0/"
						  "mappings/7999/iova"),
			    "0x3e7e000");
}

static void test_too_many(void **state)
{
	struct taking t[64];
	_cleanup_free_ char *text = NULL;
	json_auto_t *reply = NULL;
	size_t length;
	FILE *f = open_memstream(&text, &length);

	(void)state;
	apply("vm0", "");
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		take("vm0", &t[i]);
	refused(json_pack("{s:s}", "name", "vm0"), "busy",
		"64 programs have descriptors of topology vm0, which is the most");
	taking_done(&t[5]);
	take("vm0", &t[5]);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		taking_done(&t[i]);

	fputs("version: 1\nname: many\nmemory:\n", f);
	for (int i = 0; i < 253; i++)
		fprintf(f, "  - {name: m%d, size: 4K}\n", i);
	fclose(f);
	reply = holder_ask(&holder, APPLY, json_pack("{s:s}", "config", text));
	assert_string_equal(reply_kind(reply), "");
	refused(json_pack("{s:s}", "name", "many"), "refused",
		"topology many has 253 descriptors, and a message takes 252");
}

static void test_as_many_as_a_message_takes(void **state)
{
	_cleanup_free_ char *text = NULL;
	json_auto_t *reply = NULL;
	_cleanup_taking_ struct taking t;
	size_t length;
	FILE *f = open_memstream(&text, &length);
	struct stat st;

	(void)state;
	fputs("version: 1\nname: many\nmemory:\n", f);
	for (int i = 1; i <= 252; i++)
		fprintf(f, "  - {name: m%d, size: %dK}\n", i, 4 * i);
	fclose(f);
	reply = holder_ask(&holder, APPLY, json_pack("{s:s}", "config", text));
	assert_string_equal(reply_kind(reply), "");
	take("many", &t);
	assert_int_equal(t.n, 253);
	for (int i = 1; i <= 252; i++) {
		assert_int_equal(fstat(t.fds[i - 1], &st), 0);
		assert_int_equal(st.st_size, 4096 * i);
	}
}

/* Runs `body` as a user without rights. */
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

static void take_as_nobody(void)
{
	struct taking mine, theirs, unknown;

	take_with(json_pack("{s:s}", "name", "vm0"), &mine);
	if (*reply_kind(mine.reply) || mine.n != 3 || write(mine.fds[0], "x", 1) != 1)
		_exit(3);
	take_with(json_pack("{s:s}", "name", "theirs"), &theirs);
	if (strcmp(reply_kind(theirs.reply), "permission") || theirs.n)
		_exit(4);
	take_with(json_pack("{s:s}", "name", "unknown"), &unknown);
	if (strcmp(reply_kind(unknown.reply), "permission") || unknown.n)
		_exit(5);
}

static void test_who_may_take(void **state)
{
	(void)state;
	if (geteuid())
		skip(); /* only root can be somebody else */
	apply("theirs", "");
	apply("vm0", "owner: {user: \"65534\"}\n");
	as_nobody(take_as_nobody);
	/* With its process everything of it has gone. */
	delete_works("vm0");
}

static void test_events(void **state)
{
	_cleanup_close_ int fd = raw_connect(&holder);
	_cleanup_free_ char *call = NULL;
	_cleanup_taking_ struct taking t;
	size_t length;
	const char *const kinds[] = {"monitoring", "taken", "returned"};

	(void)state;
	apply("vm0", "");
	call = varlink_call_text("io.ioasidctl.Monitor", true, NULL, &length);
	raw_send(fd, call, length);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		json_auto_t *event = raw_reply(fd);
		const json_t *json = json_object_get(json_object_get(event, "parameters"), "event");

		assert_string_equal(json_text_at(json, "kind"), kinds[i]);
		if (i) {
			assert_string_equal(json_text_at(json, "topology"), "vm0");
			assert_int_equal(json_integer_value(json_object_get(json, "uid")),
					 geteuid());
			assert_int_equal(json_integer_value(json_object_get(json, "pid")),
					 getpid());
		}
		if (i == 0)
			take("vm0", &t);
		else if (i == 1)
			/* Nobody has to ask for it to be noticed. */
			close(t.fds[--t.n]);
	}
}

static void test_the_client(void **state)
{
	struct client *client;
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	json_auto_t *reply = NULL;
	json_t *none;
	struct stat st;
	int *fds;
	size_t n;

	(void)state;
	apply("vm0", "");
	assert_int_equal(client_connect(holder.socket, &client, NULL), 0);
	assert_int_equal(
		client_take(client, json_pack("{s:s}", "name", "nope"), &none, &fds, &n, &err),
		-ENOENT);
	assert_string_equal(err->message, "there is no topology nope");
	assert_null(none);
	assert_int_equal(
		client_take(client, json_pack("{s:s}", "name", "vm0"), &reply, &fds, &n, NULL), 0);
	assert_int_equal(n, 3);
	assert_int_equal(fstat(fds[0], &st), 0);
	assert_int_equal(st.st_size, 65536);
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	free(fds);
	client_free(client);
}

/* Answers one call with that text and so many descriptors. */
static pid_t be_strange(const char *path, const char *text, size_t n_fds)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	union {
		char space[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr header;
	} control = {0};
	struct iovec part = {(char *)text, strlen(text) + 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	char call[1024];
	pid_t pid;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	pid = fork();
	if (pid) {
		close(listener);
		return pid;
	}
	fd = accept(listener, NULL, NULL);
	if (read(fd, call, sizeof(call)) <= 0)
		_exit(1);
	if (n_fds) {
		control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS,
						  .cmsg_len = CMSG_LEN(n_fds * sizeof(int))};
		for (size_t i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &fd, sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
	}
	_exit(sendmsg(fd, &message, 0) > 0 ? 0 : 1);
}

static size_t count_fds(void)
{
	size_t n = 0;

	for (int i = 0; i < 1024; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

static void test_a_strange_holder(void **state)
{
	static const struct {
		const char *text;
		size_t fds;
	} cases[] = {
		{"{\"parameters\":{\"names\":[\"ram\"],\"dump\":{}}}", 0},
		{"{\"parameters\":{\"names\":[\"ram\"],\"dump\":{}}}", 1},
		{"{\"parameters\":{\"names\":[\"ram\"],\"dump\":{}}}", 3},
		{"{\"parameters\":{\"names\":[1],\"dump\":{}}}", 2},
		{"{\"parameters\":{\"names\":\"ram\",\"dump\":{}}}", 1},
		{"{\"parameters\":{}}", 1},
		{"{\"error\":\"io.ioasidctl.Failed\",\"parameters\":{\"errors\":[]}}", 2},
		{"no JSON", 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;
		_cleanup_free_ char *path = NULL;
		const size_t before = count_fds();
		struct client *client;
		json_t *reply;
		int *fds, status;
		size_t n;
		pid_t pid;

		assert_true(asprintf(&path, "%s/strange", holder.directory) > 0);
		pid = be_strange(path, cases[i].text, cases[i].fds);
		assert_int_equal(client_connect(path, &client, NULL), 0);
		assert_true(client_take(client, json_pack("{s:s}", "name", "vm0"), &reply, &fds, &n,
					&err) < 0);
		assert_null(reply);
		client_free(client);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(count_fds(), before);
	}
}

#define TAKE_TEST(f) cmocka_unit_test_setup_teardown(f, start, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TAKE_TEST(test_descriptors_and_their_names),
		TAKE_TEST(test_those_that_are_wanted),
		TAKE_TEST(test_refusals),
		TAKE_TEST(test_as_long_as_the_lease_is_open),
		TAKE_TEST(test_several_takers),
		TAKE_TEST(test_the_holder_ends),
		TAKE_TEST(test_gone_before_the_reply),
		TAKE_TEST(test_a_long_reply),
		TAKE_TEST(test_too_many),
		TAKE_TEST(test_as_many_as_a_message_takes),
		TAKE_TEST(test_who_may_take),
		TAKE_TEST(test_events),
		TAKE_TEST(test_the_client),
		TAKE_TEST(test_a_strange_holder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
