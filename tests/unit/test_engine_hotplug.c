// SPDX-License-Identifier: GPL-2.0-or-later
/* Devices that aren't there, go away, or come back: what a topology does without them. */
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

#define A "0000:01:00.0" /* in a group with 04; its host driver is nic */
#define B "0000:02:00.0"

#define CONFIG(a, b)                                                             \
	"version: 1\nname: t\nmemory: [{name: ram, size: 1M}]\n"                 \
	"devices: [{name: a, pci: '" A "', driver: vfio-pci" a "}, "             \
	"{name: b, pci: '" B "', driver: vfio-pci" b "}]\n"                      \
	"fds: [{name: main, ioasids: [{name: gpa, nest_parent: true, "           \
	"map: [{iova: 0x0, memory: ram, length: 64K}], attach: [{device: a}]}, " \
	"{name: other, map: [{iova: 0x0, memory: ram, length: 64K}], "           \
	"attach: [{device: b}]}]}]\n"
#define ATTACH ", hotplug: attach"

static const char manual[] = CONFIG("", ""), both[] = CONFIG(ATTACH, ATTACH),
		  mixed[] = CONFIG("", ATTACH);

static const char *const only_b[] = {"b", NULL};

static const struct transaction waiting = {.may_wait = true},
				attempting = {.may_wait = true, .attempt = only_b};

#define FD                             \
	"fd 0\n"                       \
	"  ioasid 0 flags 1 allow 0\n" \
	"    0+10000 at 0 rw\n"        \
	"  ioasid 1 flags 0 allow 0\n" \
	"    0+10000 at 0 rw\n"
#define DEVICE(address, driver, state) "device " address " driver " driver " open " state "\n"
#define IN(ioasid)		       "1 fd 0 attached " ioasid
#define OUT			       "0 fd -1 attached -1"
#define OTHERS                                  \
	DEVICE("0000:03:00.0", "vfio-pci", OUT) \
	DEVICE("0000:04:00.0", "nic", OUT)

static void assert_state(const char *expected)
{
	_cleanup_free_ char *now = fake_snapshot();

	assert_string_equal(now, expected);
}

static void assert_done(struct fixture *f, const char *yaml, struct transaction how, bool changed)
{
	if (apply_with(f, yaml, how))
		fail_msg("%s", f->err->message);
	assert_changed(f, changed);
}

static const struct device *live_device(struct fixture *f, const char *name)
{
	const struct topology *t = engine_topology(f->engine, "t");

	return &t->devices[topology_find_device(t, name)];
}

static void release(struct fixture *f, const char *name, bool gone)
{
	const struct topology *t = engine_topology(f->engine, "t");

	engine_release_device(f->engine, "t", topology_find_device(t, name), gone);
}

static void test_an_absent_device_is_waited_for(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *yaml = NULL;
	size_t length;

	fake_unplug(A);
	assert_done(f, both, waiting, true);
	assert_state(FD DEVICE(A, "nic", OUT " gone") DEVICE(B, "vfio-pci", IN("1")) OTHERS);
	assert_true(live_device(f, "a")->absent);
	assert_false(live_device(f, "b")->absent);
	assert_done(f, both, waiting, false);
	assert_int_equal(config_write(engine_topology(f->engine, "t"), &yaml, &length, NULL), 0);
	assert_non_null(strstr(yaml, "hotplug: attach"));
	assert_done(f, yaml, waiting, false);
	fake_plug(A, "nic");
	assert_done(f, yaml, waiting, true);
	assert_int_equal(count_of(f, "attach"), 1);
	assert_int_equal(count_of(f, "detach") + count_of(f, "alloc") + count_of(f, "map"), 0);
	assert_state(FD DEVICE(A, "vfio-pci", IN("0")) DEVICE(B, "vfio-pci", IN("1")) OTHERS);
	assert_done(f, yaml, waiting, false);
	assert_int_equal(delete_topology(f), 0);
	assert_state(DEVICE(A, "nic", OUT) DEVICE(B, "", OUT) OTHERS);
}

static void test_refused_where_nobody_waits(void **state)
{
	struct fixture *f = *state;

	fake_unplug(A);
	assert_int_equal(apply_with(f, manual, waiting), -ENODEV);
	assert_string_equal(f->err->message, "device a: there is no pci " A);
	assert_non_null(strstr(f->err->hint, "with `hotplug: attach` in its entry"));
	assert_int_equal(f->err->line, 4);
	assert_int_equal(apply(f, both), -ENODEV);
	assert_non_null(strstr(f->err->cause, "needs a holder"));
	assert_null(engine_topology(f->engine, "t"));
	assert_state(DEVICE(A, "nic", OUT " gone") DEVICE(B, "", OUT) OTHERS);
}

static void test_unplugged_and_back_again(void **state)
{
	struct fixture *f = *state;

	assert_done(f, manual, waiting, true);
	fake_unplug(A);
	release(f, "a", true);
	assert_state(FD DEVICE(A, "vfio-pci", OUT " gone") DEVICE(B, "vfio-pci", IN("1")) OTHERS);
	assert_null(live_device(f, "a")->live.original_driver);
	/* Without it the file can't be as it says; what there is stays. */
	assert_int_equal(apply_with(f, manual, waiting), -ENODEV);
	assert_state(FD DEVICE(A, "vfio-pci", OUT " gone") DEVICE(B, "vfio-pci", IN("1")) OTHERS);
	fake_plug(A, "other");
	assert_done(f, manual, waiting, true);
	assert_int_equal(count_of(f, "attach"), 1);
	assert_state(FD DEVICE(A, "vfio-pci", IN("0")) DEVICE(B, "vfio-pci", IN("1")) OTHERS);
	assert_int_equal(delete_topology(f), 0);
	assert_state(DEVICE(A, "other", OUT) DEVICE(B, "", OUT) OTHERS);
}

static void test_deleted_while_it_is_away(void **state)
{
	struct fixture *f = *state;

	assert_done(f, manual, waiting, true);
	fake_unplug(A);
	release(f, "a", true);
	assert_int_equal(delete_topology(f), 0);
	assert_state(DEVICE(A, "vfio-pci", OUT " gone") DEVICE(B, "", OUT) OTHERS);
	/* And where nobody has noticed yet. */
	fake_plug(A, "nic");
	assert_done(f, manual, waiting, true);
	fake_unplug(A);
	assert_int_equal(delete_topology(f), 0);
	assert_state(DEVICE(A, "vfio-pci", OUT " gone") DEVICE(B, "", OUT) OTHERS);
}

static void test_applied_before_anybody_noticed(void **state)
{
	struct fixture *f = *state;

	assert_done(f, both, waiting, true);
	fake_unplug(A);
	assert_done(f, both, waiting, true);
	assert_int_equal(count_of(f, "close-device"), 1);
	assert_state(FD DEVICE(A, "vfio-pci", OUT " gone") DEVICE(B, "vfio-pci", IN("1")) OTHERS);
	assert_true(live_device(f, "a")->absent);
	assert_done(f, both, waiting, false);
}

/* Somebody took vfio-pci away from it: the driver that it had before all is still owed. */
static void test_given_up_on_request(void **state)
{
	struct fixture *f = *state;

	assert_done(f, manual, waiting, true);
	release(f, "a", false);
	fake_plug(A, "");
	assert_string_equal(live_device(f, "a")->live.original_driver, "nic");
	assert_done(f, manual, waiting, true);
	assert_state(FD DEVICE(A, "vfio-pci", IN("0")) DEVICE(B, "vfio-pci", IN("1")) OTHERS);
	release(f, "a", false);
	fake_plug(A, "");
	assert_int_equal(delete_topology(f), 0);
	assert_state(DEVICE(A, "nic", OUT) DEVICE(B, "", OUT) OTHERS);
}

static void test_an_attempt_leaves_the_others_alone(void **state)
{
	struct fixture *f = *state;

	assert_done(f, mixed, waiting, true);
	fake_unplug(A);
	fake_unplug(B);
	release(f, "a", true);
	release(f, "b", true);
	assert_done(f, mixed, attempting, false);
	fake_plug(A, "nic");
	fake_plug(B, "nic");
	assert_done(f, mixed, attempting, true);
	assert_state(FD DEVICE(A, "nic", OUT) DEVICE(B, "vfio-pci", IN("1")) OTHERS);
	assert_true(live_device(f, "a")->absent);
	assert_done(f, mixed, attempting, false);
	assert_done(f, mixed, waiting, true);
	assert_state(FD DEVICE(A, "vfio-pci", IN("0")) DEVICE(B, "vfio-pci", IN("1")) OTHERS);
}

static void test_coming_back_fails_in_turn(void **state)
{
	struct fixture *f = *state;
	int failures = 0;

	fake_unplug(A);
	assert_done(f, both, waiting, true);
	fake_plug(A, "nic");
	assert_done(f, both, attempting, false);
	for (;; failures++) {
		_cleanup_free_ char *before = fake_snapshot();
		int ret;

		fake_fail_at(failures);
		ret = apply_with(f, both, waiting);
		fake_fail_at(-1);
		if (!ret)
			break;
		assert_state(before);
		assert_true(live_device(f, "a")->absent);
		assert_null(live_device(f, "a")->live.original_driver);
	}
	assert_true(failures >= 4); /* driver, open, bind, attach */
	assert_int_equal(delete_topology(f), 0);
	assert_state(DEVICE(A, "nic", OUT) DEVICE(B, "", OUT) OTHERS);
}

/* What is nested on a viommu stays while a device of it is away. */
static void test_viommus_outlive_a_device(void **state)
{
	static const char yaml[] =
		"version: 1\nname: t\nmemory: [{name: ram, size: 1M}]\n"
		"devices: [{name: a, pci: '" A "', driver: vfio-pci}, "
		"{name: b, pci: '" B "', driver: vfio-pci" ATTACH "}]\n"
		"fds: [{name: main, ioasids: [{name: gpa, nest_parent: true, "
		"map: [{iova: 0x0, memory: ram, length: 64K}], attach: [{device: b}]}, "
		"{name: s1, kind: nested, parent: gpa, viommu: v, "
		"table: {format: mock, iotlb: 1}, attach: [{device: a}]}], "
		"viommus: [{name: v, parent: gpa, device: a, type: mock, "
		"vdevices: [{device: a, id: 0x10}]}]}]\n";
	struct fixture *f = *state;
	_cleanup_free_ char *again = NULL;

	assert_done(f, yaml, waiting, true);
	fake_unplug(A);
	release(f, "a", true);
	again = fake_snapshot();
	assert_non_null(strstr(again, "viommu 0"));
	assert_null(strstr(again, "vdevice"));
	assert_null(strstr(again, "leaked"));
	/* The other one comes and goes; nothing of this is made anew. */
	fake_unplug(B);
	release(f, "b", true);
	fake_plug(B, "");
	assert_done(f, yaml, attempting, true);
	assert_int_equal(count_of(f, "attach"), 1);
	assert_int_equal(count_of(f, "alloc") + count_of(f, "free") + count_of(f, "alloc-viommu"),
			 0);
	fake_plug(A, "nic");
	assert_done(f, yaml, waiting, true);
}

static void test_trouble_goes_with_the_next_apply(void **state)
{
	struct fixture *f = *state;

	fake_unplug(A);
	assert_done(f, both, waiting, true);
	engine_set_trouble(f->engine, "t", 0, "no luck");
	assert_string_equal(live_device(f, "a")->trouble, "no luck");
	engine_set_trouble(f->engine, "t", 0, "no luck again");
	assert_done(f, both, waiting, false);
	assert_null(live_device(f, "a")->trouble);
	engine_set_trouble(f->engine, "t", 0, NULL);
	engine_set_trouble(f->engine, "t", 99, "nobody");
	engine_set_trouble(f->engine, "u", 0, "nobody");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, engine_set_up, engine_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_absent_device_is_waited_for),
		TEST(test_refused_where_nobody_waits),
		TEST(test_unplugged_and_back_again),
		TEST(test_deleted_while_it_is_away),
		TEST(test_applied_before_anybody_noticed),
		TEST(test_given_up_on_request),
		TEST(test_an_attempt_leaves_the_others_alone),
		TEST(test_coming_back_fails_in_turn),
		TEST(test_viommus_outlive_a_device),
		TEST(test_trouble_goes_with_the_next_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
