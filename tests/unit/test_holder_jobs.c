// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Jobs under way: cancelled by disconnecting, overtaken by Show and Translate, cut short by the
 * end. The engine is a fake whose transactions go on only when the test lets them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "apply/takeover.h"
#include "base/cleanup.h"
#include "support_holder.h"

#define APPLY	  "io.ioasidctl.Apply"
#define DELETE	  "io.ioasidctl.Delete"
#define SHOW	  "io.ioasidctl.Show"
#define TAKE	  "io.ioasidctl.Take"
#define TRANSLATE "io.ioasidctl.Translate"

/* Shared between the test and the holder's process. */
struct control {
	sem_t entered; /* a transaction on "slow..." has begun */
	sem_t go; /* let it end */
	atomic_int cancelled; /* transactions that were */
	atomic_int applied, deleted;
	atomic_int inside; /* transactions running now: never more than one */
	atomic_int overlaps;
};

static struct control *control;
static struct test_holder holder;

struct engine {
	struct driver_env env;
	struct topology *topologies[16];
	size_t n;
};

int engine_new(const struct driver_env *env, struct engine **out, struct ioasidctl_error **err)
{
	(void)err;
	*out = calloc(1, sizeof(**out));
	(*out)->env = *env;
	return 0;
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	for (size_t i = 0; i < engine->n; i++)
		topology_free(engine->topologies[i]);
	free(engine);
}

const struct driver_env *engine_env(const struct engine *engine)
{
	return &engine->env;
}

size_t engine_count(const struct engine *engine)
{
	return engine->n;
}

const struct topology *engine_topology_at(const struct engine *engine, size_t index)
{
	return engine->topologies[index];
}

static size_t find(const struct engine *engine, const char *name)
{
	size_t i = 0;

	while (i < engine->n && strcmp(engine->topologies[i]->name, name))
		i++;
	return i;
}

const struct topology *engine_topology(const struct engine *engine, const char *name)
{
	size_t i = find(engine, name);

	return i < engine->n ? engine->topologies[i] : NULL;
}

struct topology *engine_live(struct engine *engine, const char *name)
{
	(void)engine, (void)name;
	return NULL;
}

void engine_listen(struct engine *engine, const struct transaction *how)
{
	(void)engine, (void)how;
}

void engine_release_device(struct engine *engine, const char *topology, uint32_t device, bool gone)
{
	(void)engine;
	(void)topology;
	(void)device;
	(void)gone;
}

void engine_set_trouble(struct engine *engine, const char *topology, uint32_t device,
			const char *text)
{
	(void)engine;
	(void)topology;
	(void)device;
	(void)text;
}

int engine_restore(struct engine *engine, struct topology *t, const json_t *record,
		   struct descriptors *given, struct ioasidctl_error **err)
{
	(void)engine, (void)t, (void)record, (void)given, (void)err;
	return -EOPNOTSUPP;
}

int engine_adopt(struct engine *engine, struct ioasidctl_error **err)
{
	(void)engine, (void)err;
	return 0;
}

void engine_probe(const struct engine *engine, const char *topology,
		  void (*said)(void *data, const char *what), void *data)
{
	(void)engine, (void)topology, (void)said, (void)data;
}

void engine_leave(struct engine *engine)
{
	(void)engine;
}

int engine_set_original(struct engine *engine, const char *topology, const char *device,
			const char *driver, uint32_t vfs)
{
	(void)engine;
	(void)topology;
	(void)device;
	(void)driver;
	(void)vfs;
	return -ENOENT;
}

/* A transaction's length, for "slow..." as long as the test wants. */
static int transact(const char *name, const struct transaction *how, struct ioasidctl_error **err)
{
	const struct timespec pause = {.tv_nsec = 1000 * 1000};
	int ret = 0;

	if (atomic_fetch_add(&control->inside, 1))
		control->overlaps++;
	if (!strncmp(name, "slow", 4) && how->between) {
		sem_post(&control->entered);
		while (!ret && sem_trywait(&control->go)) {
			how->between(how->between_data);
			nanosleep(&pause, NULL);
			if (*how->cancel)
				ret = error_new(err, ERROR_INTERRUPTED, EINTR, "interrupted");
		}
	}
	control->cancelled += !!ret;
	control->inside--;
	return ret;
}

static json_t *result_of(const char *name)
{
	return json_pack("{s:s, s:b}", "name", name, "changed", 1);
}

int engine_apply(struct engine *engine, struct topology *desired, const struct transaction *how,
		 json_t **result, struct ioasidctl_error **err)
{
	size_t i = find(engine, desired->name);
	int ret = transact(desired->name, how, err);

	if (ret) {
		topology_free(desired);
		return ret;
	}
	*result = result_of(desired->name);
	control->applied++;
	if (i < engine->n)
		topology_free(engine->topologies[i]);
	else
		engine->n++;
	engine->topologies[i] = desired;
	return 0;
}

int engine_delete(struct engine *engine, const char *name, const struct transaction *how,
		  json_t **result, struct ioasidctl_error **err)
{
	size_t i = find(engine, name);
	int ret;

	if (i == engine->n)
		return error_new(err, ERROR_UNAVAILABLE, ENOENT, "there is no topology %s", name);
	ret = transact(name, how, err);
	if (ret)
		return ret;
	*result = result_of(name);
	control->deleted++;
	topology_free(engine->topologies[i]);
	engine->topologies[i] = engine->topologies[--engine->n];
	return 0;
}

static int start(void **state)
{
	(void)state;
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	assert_true(control != MAP_FAILED);
	sem_init(&control->entered, 1, 0);
	sem_init(&control->go, 1, 0);
	test_holder_prepare(&holder);
	test_holder_start(&holder);
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (holder.pid)
		assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
	assert_int_equal(control->overlaps, 0);
	test_holder_clean(&holder);
	munmap(control, sizeof(*control));
	return 0;
}

static void expect_text(json_t *reply, const char *path, const char *expected)
{
	assert_string_equal(json_text_at(reply, path), expected);
	json_decref(reply);
}

static void expect_applied(const char *name)
{
	expect_text(holder_ask(&holder, APPLY, config_named(name)), "parameters/result/name", name);
}

static size_t topologies_in(json_t *reply)
{
	size_t n = json_array_size(json_object_get(
		json_object_get(json_object_get(reply, "parameters"), "dump"), "topologies"));

	json_decref(reply);
	return n;
}

static void test_disconnecting_cancels(void **state)
{
	int fd = raw_connect(&holder);

	(void)state;
	raw_call(fd, APPLY, config_named("slow"));
	sem_wait(&control->entered);
	close(fd);
	/* The next job starts when the cancelled one has been undone. */
	expect_applied("other");
	assert_int_equal(control->cancelled, 1);
	assert_int_equal(topologies_in(holder_ask(&holder, SHOW, NULL)), 1);
	expect_text(holder_ask(&holder, SHOW, json_pack("{s:s}", "name", "slow")),
		    "parameters/errors/0/kind", "unavailable");
}

static void test_disconnecting_before_the_turn(void **state)
{
	int first = raw_connect(&holder), second = raw_connect(&holder);

	(void)state;
	raw_call(first, APPLY, config_named("slow"));
	sem_wait(&control->entered);
	raw_call(second, APPLY, config_named("waiting"));
	/* Read by the holder for sure: replies of one connection come in order. */
	expect_text(holder_ask(&holder, "org.varlink.service.GetInfo", NULL), "parameters/vendor",
		    "ioasidctl");
	close(second);
	expect_text(holder_ask(&holder, "org.varlink.service.GetInfo", NULL), "parameters/vendor",
		    "ioasidctl");
	sem_post(&control->go);
	expect_text(raw_reply(first), "parameters/result/name", "slow");
	expect_text(holder_ask(&holder, SHOW, json_pack("{s:s}", "name", "waiting")),
		    "parameters/errors/0/kind", "unavailable");
	assert_int_equal(control->applied, 1);
	close(first);
}

static void test_show_of_others_goes_on(void **state)
{
	_cleanup_close_ int slow = raw_connect(&holder);
	_cleanup_close_ int waits = raw_connect(&holder);
	char byte;

	(void)state;
	expect_applied("other");
	raw_call(slow, APPLY, config_named("slow"));
	sem_wait(&control->entered);
	expect_text(holder_ask(&holder, SHOW, json_pack("{s:s}", "name", "other")),
		    "parameters/dump/topologies/0/name", "other");
	expect_text(holder_ask(&holder, TRANSLATE,
			       json_pack("{s:s, s:s, s:[s]}", "name", "other", "device", "nic",
					 "iovas", "0")),
		    "parameters/errors/0/message", "topology other has no device nic");
	/* One that is only being made isn't among all of them yet. */
	assert_int_equal(topologies_in(holder_ask(&holder, SHOW, NULL)), 1);
	raw_call(waits, SHOW, json_pack("{s:s}", "name", "slow"));
	expect_text(holder_ask(&holder, SHOW, json_pack("{s:s}", "name", "other")),
		    "parameters/dump/topologies/0/name", "other");
	assert_int_equal(recv(waits, &byte, 1, MSG_DONTWAIT | MSG_PEEK), -1);
	sem_post(&control->go);
	expect_text(raw_reply(slow), "parameters/result/name", "slow");
	expect_text(raw_reply(waits), "parameters/dump/topologies/0/name", "slow");
}

/* Descriptors of the topology that is being changed. */
static void test_returned_during_a_change(void **state)
{
	_cleanup_close_ int slow = raw_connect(&holder), taker = raw_connect(&holder),
			    monitor = raw_connect(&holder);
	_cleanup_free_ char *call = NULL;
	size_t length;

	(void)state;
	sem_post(&control->go);
	expect_applied("slow");
	sem_wait(&control->entered);
	call = varlink_call_text("io.ioasidctl.Monitor", true, NULL, &length);
	raw_send(monitor, call, length);
	expect_text(raw_reply(monitor), "parameters/event/kind", "monitoring");
	/* The lease is on its way as long as nobody receives it. */
	raw_call(taker, TAKE, json_pack("{s:s}", "name", "slow"));
	expect_text(raw_reply(monitor), "parameters/event/kind", "taken");
	expect_text(holder_ask(&holder, DELETE, json_pack("{s:s}", "name", "slow")),
		    "parameters/errors/0/kind", "busy");
	raw_call(slow, APPLY, config_named("slow"));
	sem_wait(&control->entered);
	/* recv(2) drops it. */
	expect_text(raw_reply(taker), "parameters/names/0", "");
	expect_text(raw_reply(monitor), "parameters/event/kind", "returned");
	assert_int_equal(control->inside, 1);
	sem_post(&control->go);
	expect_text(raw_reply(slow), "parameters/result/name", "slow");
	sem_post(&control->go);
	expect_text(holder_ask(&holder, DELETE, json_pack("{s:s}", "name", "slow")),
		    "parameters/result/name", "slow");
	sem_wait(&control->entered);
}

static void test_show_of_all_waits_for_a_change(void **state)
{
	_cleanup_close_ int slow = raw_connect(&holder);
	_cleanup_close_ int all = raw_connect(&holder);
	char byte;

	(void)state;
	sem_post(&control->go);
	expect_applied("slow");
	sem_wait(&control->entered);
	expect_applied("other");
	raw_call(slow, DELETE, json_pack("{s:s}", "name", "slow"));
	sem_wait(&control->entered);
	raw_call(all, SHOW, NULL);
	expect_text(holder_ask(&holder, SHOW, json_pack("{s:s}", "name", "other")),
		    "parameters/dump/topologies/0/name", "other");
	assert_int_equal(recv(all, &byte, 1, MSG_DONTWAIT | MSG_PEEK), -1);
	sem_post(&control->go);
	assert_int_equal(topologies_in(raw_reply(all)), 1);
	expect_text(raw_reply(slow), "parameters/result/name", "slow");
}

static void test_changes_run_one_after_the_other(void **state)
{
	int fds[8];

	(void)state;
	for (int i = 0; i < 8; i++) {
		char name[16];

		fds[i] = raw_connect(&holder);
		snprintf(name, sizeof(name), "slow%d", i);
		raw_call(fds[i], APPLY, config_named(name));
	}
	for (int i = 0; i < 8; i++) {
		sem_wait(&control->entered);
		sem_post(&control->go);
	}
	for (int i = 0; i < 8; i++) {
		char name[16];

		snprintf(name, sizeof(name), "slow%d", i);
		expect_text(raw_reply(fds[i]), "parameters/result/name", name);
		close(fds[i]);
	}
	assert_int_equal(control->applied, 8);
}

static void test_the_loop_goes_on(void **state)
{
	_cleanup_close_ int slow = raw_connect(&holder);

	(void)state;
	raw_call(slow, APPLY, config_named("slow"));
	sem_wait(&control->entered);
	for (int i = 0; i < 20; i++)
		expect_text(holder_ask(&holder, "org.varlink.service.GetInfo", NULL),
			    "parameters/vendor", "ioasidctl");
	sem_post(&control->go);
	expect_text(raw_reply(slow), "parameters/result/name", "slow");
}

static void test_the_end_cancels_and_refuses(void **state)
{
	_cleanup_close_ int slow = raw_connect(&holder);
	_cleanup_close_ int waiting = raw_connect(&holder);
	json_t *reply;

	(void)state;
	expect_applied("other");
	raw_call(slow, APPLY, config_named("slow"));
	sem_wait(&control->entered);
	raw_call(waiting, APPLY, config_named("waiting"));
	expect_text(holder_ask(&holder, "org.varlink.service.GetInfo", NULL), "parameters/vendor",
		    "ioasidctl");
	assert_int_equal(test_holder_end(&holder, SIGTERM), 0);
	expect_text(raw_reply(slow), "parameters/errors/0/kind", "interrupted");
	reply = raw_reply(waiting);
	assert_string_equal(reply_kind(reply), "unavailable");
	expect_text(reply, "parameters/errors/0/message", "the holder is ending");
	assert_int_equal(control->applied, 1);
	assert_int_equal(control->deleted, 1);
}

static void test_half_closed_is_not_gone(void **state)
{
	_cleanup_close_ int slow = raw_connect(&holder);

	(void)state;
	raw_call(slow, APPLY, config_named("slow"));
	shutdown(slow, SHUT_WR);
	sem_wait(&control->entered);
	expect_text(holder_ask(&holder, "org.varlink.service.GetInfo", NULL), "parameters/vendor",
		    "ioasidctl");
	sem_post(&control->go);
	expect_text(raw_reply(slow), "parameters/result/name", "slow");
	assert_int_equal(control->cancelled, 0);
}

#define JOBS_TEST(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOBS_TEST(test_disconnecting_cancels),
		JOBS_TEST(test_disconnecting_before_the_turn),
		JOBS_TEST(test_show_of_others_goes_on),
		JOBS_TEST(test_returned_during_a_change),
		JOBS_TEST(test_show_of_all_waits_for_a_change),
		JOBS_TEST(test_changes_run_one_after_the_other),
		JOBS_TEST(test_the_loop_goes_on),
		JOBS_TEST(test_the_end_cancels_and_refuses),
		JOBS_TEST(test_half_closed_is_not_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
