// SPDX-License-Identifier: GPL-2.0-or-later
/* Virtual functions: made before those who use them, gone after them, and the old number back. */
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
#include "support_fake_state.h"

#define PF "0000:05:00.0"
#define CONFIG(physical, virtual, attach)                                                                       \
	"version: 1\nname: t\nmemory: [{name: ram, size: 1M}]\ndevices:\n  - {name: pf, pci: '" PF              \
	"', " physical                                                                                          \
	"}\n" virtual "fds: [{name: main, ioasids: [{name: gpa, map: [{iova: 0x0, memory: ram, length: 64K}], " \
		      "attach: [" attach "]}]}]\n"
#define VF(n) "  - {name: vf" n ", vf: {of: pf, index: " n "}, driver: vfio-pci}\n"

static const char two[] = CONFIG("vfs: 2", VF("0") VF("1"), "{device: vf1}, {device: vf0}");
static const char four[] = CONFIG("vfs: 4", VF("3"), "{device: vf3}");
static const char bare[] = CONFIG("vfs: 2", "", "");
static const char bare_four[] = CONFIG("vfs: 4", "", "");
static const char rebound[] = CONFIG("vfs: 2, driver: other", VF("0"), "{device: vf0}");

static int set_up(void **state)
{
	int ret = engine_set_up(state);

	fake_add_physical(PF, "ice", 5, 8);
	return ret;
}

static void assert_says(const char *part)
{
	_cleanup_free_ char *now = fake_snapshot();

	if (!strstr(now, part))
		fail_msg("%s", now);
}

static void test_made_and_gone(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *before = fake_snapshot(), *after = NULL;

	assert_applies(f, two);
	assert_int_equal(count_of(f, "set-vfs"), 1);
	assert_int_equal(count_of(f, "open-device"), 2);
	assert_says("device " PF " driver ice open 0");
	assert_says("device " PF "/virtfn0 driver vfio-pci open 1 fd 0 attached 0");
	assert_says("device " PF "/virtfn1 driver vfio-pci open 1 fd 0 attached 0");
	assert_applies(f, two);
	assert_changed(f, false);
	assert_int_equal(delete_topology(f), 0);
	/* They vanish: what drivers they had is nobody's business. */
	assert_int_equal(count_of(f, "restore-driver"), 0);
	assert_int_equal(count_of(f, "restore-vfs"), 1);
	after = fake_snapshot();
	assert_string_equal(before, after);
}

static void test_those_that_were_there_stay(void **state)
{
	struct fixture *f = *state;
	const struct device pf = {.address = (char *)PF};
	_cleanup_free_ char *before = NULL, *after = NULL;

	assert_int_equal(fake_set_vfs(NULL, &pf, 2, false, NULL, NULL), 0);
	before = fake_snapshot();
	assert_applies(f, two);
	assert_int_equal(delete_topology(f), 0);
	assert_int_equal(count_of(f, "restore-driver"), 2);
	assert_int_equal(count_of(f, "restore-vfs"), 0);
	after = fake_snapshot();
	assert_string_equal(before, after);
	/* Another number than there are. */
	assert_applies(f, four);
	assert_says(PF "/virtfn3 driver vfio-pci open 1");
	assert_int_equal(delete_topology(f), 0);
	free(after);
	after = fake_snapshot();
	assert_string_equal(before, after);
}

static void test_failures_leave_nothing(void **state)
{
	assert_true(fail_in_turn(*state, NULL, two) > 5);
	assert_int_equal(delete_topology(*state), 0);
	assert_true(fail_in_turn(*state, bare, two) > 3);
	assert_int_equal(delete_topology(*state), 0);
	assert_true(fail_in_turn(*state, bare, bare_four) > 0);
	assert_int_equal(delete_topology(*state), 0);
	assert_true(fail_in_turn(*state, NULL, rebound) > 4);
	assert_says(PF " driver other");
	assert_int_equal(delete_topology(*state), 0);
	assert_says(PF " driver ice");
}

static void test_number_changes(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *before = fake_snapshot(), *after = NULL;

	assert_applies(f, bare);
	assert_applies(f, bare_four);
	assert_int_equal(count_of(f, "set-vfs"), 1);
	assert_says(PF "/virtfn3 driver nic");
	assert_applies(f, bare);
	assert_applies(f, two);
	assert_int_equal(count_of(f, "set-vfs"), 0);
	/* One of them is in the topology: it would vanish under it. */
	assert_int_equal(apply(f, bare_four), -EBUSY);
	assert_string_equal(f->err->message,
			    "the number of virtual functions of pf (" PF ") can't change from 2 to "
			    "4 while the topology has vf0, one of them");
	assert_says(PF "/virtfn0 driver vfio-pci open 1");
	assert_applies(f, bare);
	assert_applies(f, bare_four);
	assert_int_equal(delete_topology(f), 0);
	after = fake_snapshot();
	assert_string_equal(before, after);
}

/* "0000:0f:00.0" is what sysfs calls the first one. */
static void test_the_same_device_twice(void **state)
{
	static const char twice[] =
		CONFIG("vfs: 2", VF("0") "  - {name: b, pci: '0000:0f:00.0', driver: vfio-pci}\n",
		       "{device: vf0}");
	static const char other[] =
		"version: 1\nname: u\ndevices:\n"
		"  - {name: b, pci: '0000:0f:00.0', driver: vfio-pci}\n"
		"fds: [{name: main, ioasids: [{name: gpa, attach: [{device: b}]}]}]\n";
	const struct device pf = {.address = (char *)PF};
	struct fixture *f = *state;

	assert_int_equal(fake_set_vfs(NULL, &pf, 2, false, NULL, NULL), 0);
	/* The same that virtfn0 leads to. */
	fake_add_device("0000:0f:00.0", "nic", 1000);
	assert_int_equal(apply(f, twice), -EINVAL);
	assert_string_equal(f->err->message, "devices b and vf0 are the same, 0000:0f:00.0");
	assert_applies(f, two);
	assert_int_equal(apply(f, other), -EBUSY);
	assert_string_equal(f->err->message, "device b (0000:0f:00.0) is held by topology t");
}

/* Its VFs would vanish, whoever has them. */
static void test_a_physical_function_with_vfs(void **state)
{
	static const char taken[] = "version: 1\nname: t\ndevices:\n"
				    "  - {name: pf, pci: '" PF "', driver: vfio-pci}\n"
				    "fds: [{name: main, ioasids: [{name: gpa, attach: [{device: "
				    "pf}]}]}]\n";
	const struct device pf = {.address = (char *)PF};
	struct fixture *f = *state;

	assert_int_equal(fake_set_vfs(NULL, &pf, 2, false, NULL, NULL), 0);
	assert_int_equal(apply(f, taken), -EBUSY);
	assert_string_equal(f->err->cause,
			    "it has 2 virtual functions, which vanish without its driver");
	assert_int_equal(fake_set_vfs(NULL, &pf, 0, false, NULL, NULL), 0);
	assert_applies(f, taken);
}

static void test_too_many(void **state)
{
	static const char nine[] = CONFIG("vfs: 9", "", "");
	struct fixture *f = *state;

	assert_int_equal(apply(f, nine), -ERANGE);
	assert_int_equal(f->err->line, 5);
}

static void test_a_driver_without(void **state)
{
	struct fixture *f = *state;

	fake_driver.missing[CAP_SRIOV] = "it is a fake";
	assert_int_equal(apply(f, two), -EOPNOTSUPP);
	assert_string_equal(f->err->message, "pf: driver fake has no virtual functions");
	assert_string_equal(f->err->next->message, "vf0: driver fake has no virtual functions");
}

static void test_config_comes_back(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *text = NULL;
	size_t length;

	assert_applies(f, two);
	assert_int_equal(config_write(engine_topology(f->engine, "t"), &text, &length, NULL), 0);
	assert_non_null(strstr(text, "vfs: 2"));
	assert_non_null(strstr(text, "vf: {of: pf, index: 1}"));
	assert_applies(f, text);
	assert_changed(f, false);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, engine_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_made_and_gone),
		TEST(test_those_that_were_there_stay),
		TEST(test_failures_leave_nothing),
		TEST(test_number_changes),
		TEST(test_the_same_device_twice),
		TEST(test_a_physical_function_with_vfs),
		TEST(test_too_many),
		TEST(test_a_driver_without),
		TEST(test_config_comes_back),
	};

	return cmocka_run_group_tests_name("engine-vfs", tests, NULL, NULL);
}
