// SPDX-License-Identifier: GPL-2.0-or-later
/* The other members of a device's IOMMU group: refused by name, or taken along and given back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apply/engine.h"
#include "base/cleanup.h"
#include "config/config.h"
#include "support_engine.h"
#include "support_fake_driver.h"

#define CONFIG(devices, attach)                                                                   \
	"version: 1\nname: t\nmemory: [{name: ram, size: 1M}]\ndevices: [" devices "]\n"          \
	"fds: [{name: main, ioasids: [{name: gpa, map: [{iova: 0x0, memory: ram, length: 64K}], " \
	"attach: [" attach "]}]}]\n"

/* Group 1 has 0000:01:00.0 and 0000:04:00.0, both on the driver "nic". */
#define A(rest) "{name: a, pci: '0000:01:00.0'" rest "}"
#define D(rest) "{name: d, pci: '0000:04:00.0'" rest "}"
#define VFIO	", driver: vfio-pci"
#define TAKE	", group: take"

static const char strict[] = CONFIG(A(VFIO), "{device: a}");
static const char take[] = CONFIG(A(VFIO TAKE), "{device: a}");
static const char both[] = CONFIG(A(VFIO TAKE) ", " D(VFIO), "{device: a}, {device: d}");
static const char other[] = CONFIG(D(VFIO TAKE), "{device: d}");
static const char nothing[] = "version: 1\nname: t\nfds: [{name: main}]\n";

static int set_up(void **state)
{
	int ret = engine_set_up(state);

	fake_tell_members(true);
	return ret;
}

/* Refused before anything was done. */
static void assert_refused(struct fixture *f, const char *yaml, int ret, const char *cause,
			   const char *hint)
{
	_cleanup_free_ char *before = fake_snapshot(), *after = NULL;

	fake_fail_at(-1);
	assert_int_equal(apply(f, yaml), ret);
	assert_int_equal(fake_calls(), 0);
	after = fake_snapshot();
	assert_string_equal(before, after);
	if (cause)
		assert_string_equal(f->err->cause, cause);
	if (!strstr(f->err->hint, hint))
		fail_msg("%s", f->err->hint);
	assert_int_equal(f->err->line, 4);
}

static void assert_says(const char *part)
{
	_cleanup_free_ char *now = fake_snapshot();

	if (!strstr(now, part))
		fail_msg("%s", now);
}

static void test_strict_names_the_member(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, strict, -EBUSY,
		       "IOMMU group 1 has members that the host uses: 0000:04:00.0 (nic)",
		       "`group: take` in the entry of a ");
	assert_string_equal(f->err->message, "device a (0000:01:00.0) can't be handed out: others "
					     "of its IOMMU group are in the way");
	assert_string_equal(f->err->object, "a");
}

static void test_strict_is_fine_when_all_are_bound(void **state)
{
	static const char all[] = CONFIG(A(VFIO) ", " D(VFIO), "{device: a}");

	assert_applies(*state, all);
	assert_says("0000:04:00.0 driver vfio-pci open 1");
}

static void test_a_declared_member_that_stays_on_the_host(void **state)
{
	static const char stays[] = CONFIG(A(VFIO TAKE) ", " D(""), "{device: a}");

	assert_refused(*state, stays, -EBUSY,
		       "IOMMU group 1 has members that the host uses: 0000:04:00.0 (nic)",
		       "give 0000:04:00.0, which is d here, a `driver: vfio-pci`");
}

static void test_bridges_are_never_touched(void **state)
{
	fake_add_device("0000:00:1f.0", "bridge", 1);
	assert_refused(*state, take, -EBUSY,
		       "IOMMU group 1 has members that the host uses: 0000:00:1f.0 (bridge, a "
		       "bridge)",
		       "never touches bridges");
	assert_says("0000:04:00.0 driver nic");
}

static void test_take(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *before = fake_snapshot(), *after = NULL;

	assert_applies(f, take);
	assert_int_equal(count_of(f, "set-driver"), 2);
	assert_int_equal(count_of(f, "open-device"), 1);
	assert_says("0000:01:00.0 driver vfio-pci open 1");
	assert_says("0000:04:00.0 driver vfio-pci open 0");
	assert_applies(f, take);
	assert_changed(f, false);
	assert_int_equal(delete_topology(f), 0);
	assert_int_equal(count_of(f, "restore-driver"), 2);
	after = fake_snapshot();
	assert_string_equal(before, after);
}

static void test_plan_shows_the_members(void **state)
{
	struct fixture *f = *state;
	const json_t *op;
	size_t i;
	bool seen = false;

	assert_int_equal(apply_with(f, take, (struct transaction){.dry_run = true, .list = true}),
			 0);
	json_array_foreach (json_object_get(f->result, "operations"), i, op)
		seen |= !strcmp(json_string_value(json_object_get(op, "text")),
				"bind driver of 0000:04:00.0 (in the group of a) to vfio-pci");
	assert_true(seen);
}

static void test_failures_give_everything_back(void **state)
{
	assert_true(fail_in_turn(*state, NULL, take) > 4);
	assert_true(fail_in_turn(*state, take, both) > 1);
	assert_true(fail_in_turn(*state, both, take) > 0);
	assert_true(fail_in_turn(*state, take, other) > 4);
	assert_true(fail_in_turn(*state, other, both) > 1);
}

/* Whoever comes and goes, in the end everything is as it was. */
static void test_taken_then_declared_and_back(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *before = fake_snapshot(), *after = NULL;
	static const char *const order[] = {take, both, take, other, take, both, other};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		assert_applies(f, order[i]);
		assert_says("0000:01:00.0 driver vfio-pci");
		assert_says("0000:04:00.0 driver vfio-pci");
	}
	assert_applies(f, nothing);
	assert_int_equal(delete_topology(f), 0);
	after = fake_snapshot();
	assert_string_equal(before, after);
}

static void test_no_longer_taken_while_the_device_stays(void **state)
{
	struct fixture *f = *state;

	assert_applies(f, take);
	assert_int_equal(apply(f, strict), -EBUSY);
	assert_non_null(strstr(f->err->message, "0000:04:00.0 (in the group of a) can't be "
						"given back to nic while device a"));
	assert_non_null(strstr(f->err->hint, "`group: take`"));
}

static void test_what_the_host_needs(void **state)
{
	static const char forced[] = CONFIG(A(VFIO TAKE ", force: true"), "{device: a}");
	struct fixture *f = *state;

	fake_carries("0000:01:00.0", "/ is mounted from sda1");
	assert_refused(f, take, -EBUSY, "/ is mounted from sda1",
		       "`force: true` in the entry of a");
	assert_string_equal(f->err->message,
			    "device a (0000:01:00.0) is one that the host itself needs");
	fake_carries("0000:01:00.0", NULL);
	fake_carries("0000:04:00.0", "eth0 has the default route");
	assert_refused(f, take, -EBUSY, "eth0 has the default route",
		       "`force: true` in the entry of a");
	assert_applies(f, forced);
	/* What is bound already is lost already. */
	assert_applies(f, take);
}

/* It couldn't be given back, and nothing can be undone where that would show. */
static void test_what_somebody_has_open(void **state)
{
	struct transaction regardless = {.regardless = true};
	_cleanup_free_ char *before = NULL, *after = NULL;
	struct fixture *f = *state;

	assert_applies(f, take);
	fake_users("0000:04:00.0", "pid 5 (qemu)");
	before = fake_snapshot();
	assert_int_equal(delete_topology(f), -EBUSY);
	assert_string_equal(f->err->cause, "held by pid 5 (qemu)");
	assert_non_null(strstr(f->err->message, "0000:04:00.0"));
	assert_int_equal(apply(f, nothing), -EBUSY);
	after = fake_snapshot();
	assert_string_equal(before, after);
	/* What stays with its driver may be open. */
	assert_applies(f, both);
	error_free(steal_pointer(f->err));
	json_decref(steal_pointer(f->result));
	assert_int_equal(engine_delete(f->engine, "t", &regardless, &f->result, &f->err), 0);
	assert_null(engine_topology(f->engine, "t"));
}

static void test_a_group_of_another_topology(void **state)
{
	struct fixture *f = *state;
	char second[sizeof(other)];

	assert_applies(f, both);
	memcpy(second, other, sizeof(other));
	strstr(second, "name: t\n")[strlen("name: ")] = 'u';
	fake_tell_members(false);
	assert_refused(f, second, -EBUSY, NULL, "delete t, or");
	assert_string_equal(f->err->message, "device d (0000:04:00.0) is held by topology t");
	assert_int_equal(delete_topology(f), 0);
	assert_applies(f, strict);
	assert_refused(f, second, -EBUSY, NULL, "delete t, or declare the device there");
	assert_string_equal(f->err->message,
			    "device d (0000:04:00.0) can't be handed out: topology t holds a "
			    "(0000:01:00.0), which is in the same IOMMU group 1");
}

static void test_yaml_leaves_them_out(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *text = NULL;
	size_t length;

	assert_applies(f, take);
	assert_int_equal(config_write(engine_topology(f->engine, "t"), &text, &length, NULL), 0);
	assert_null(strstr(text, "0000:04:00.0"));
	assert_applies(f, text);
	assert_changed(f, false);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, engine_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_strict_names_the_member),
		TEST(test_strict_is_fine_when_all_are_bound),
		TEST(test_a_declared_member_that_stays_on_the_host),
		TEST(test_bridges_are_never_touched),
		TEST(test_take),
		TEST(test_plan_shows_the_members),
		TEST(test_failures_give_everything_back),
		TEST(test_taken_then_declared_and_back),
		TEST(test_no_longer_taken_while_the_device_stays),
		TEST(test_what_the_host_needs),
		TEST(test_what_somebody_has_open),
		TEST(test_a_group_of_another_topology),
		TEST(test_yaml_leaves_them_out),
	};

	return cmocka_run_group_tests_name("engine-take", tests, NULL, NULL);
}
