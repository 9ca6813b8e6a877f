// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A device's BAR as memory: it's there only while the device is bound, and dies with its closing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "support_engine.h"
#include "support_fake_driver.h"

#define A "{name: a, pci: '0000:01:00.0', driver: vfio-pci}"
#define B "{name: b, pci: '0000:02:00.0', driver: vfio-pci}"
#define C "{name: c, pci: '0000:02:00.0', driver: vfio-pci}"
#define CONFIG(memories, devices, maps, more)                                                  \
	"version: 1\nname: t\nmemory: [{name: ram, size: 1M}" memories "]\ndevices: [" devices \
	"]\nfds: [{name: main, ioasids: [{name: gpa, attach: [{device: a}], "                  \
	"map: [{iova: 0x0, memory: ram, length: 64K}" maps "]}]}" more "]\n"
#define BAR	", {name: bar, backing: dmabuf, device: b, bar: 2, size: 64K}"
#define BAR_MAP ", {iova: 0x100000, memory: bar, length: 64K}"

static const char without[] = CONFIG("", A ", " B, "", "");
static const char with[] = CONFIG(BAR, A ", " B, BAR_MAP, "");

static void test_bar_is_mapped(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *now = NULL;

	assert_applies(f, with);
	now = fake_snapshot();
	assert_non_null(strstr(now, "    0+10000 at 0 rw\n    100000+10000 at 0 rw\n"));
	/* Nothing is attached of it, but it has to be bound. */
	assert_non_null(strstr(now, "0000:02:00.0 driver vfio-pci open 1 fd 0 attached -1"));
	assert_applies(f, with);
	assert_changed(f, false);
	/* Without the memory there is no reason left. */
	assert_applies(f, without);
	assert_int_equal(count_of(f, "unbind-device"), 1);
	assert_applies(f, with);
	assert_int_equal(delete_topology(f), 0);
}

static void test_failures_are_undone(void **state)
{
	assert_true(fail_in_turn(*state, NULL, with) > 5);
}

/* The device is bound anew when that is undone, and its memory with it. */
static void test_failed_removal_is_undone(void **state)
{
	static const char other[] =
		CONFIG("", A ", " B, ", {iova: 0x200000, memory: ram, length: 4K}",
		       ", {name: late, ioasids: [{name: z}]}");

	assert_true(fail_in_turn(*state, with, other) > 2);
	assert_true(fail_in_turn(*state, with, without) > 0);
}

/* Another device at that address: bound late, exported and mapped after that. */
static void test_memory_of_a_device_that_comes_late(void **state)
{
	static const char before[] = CONFIG(
		"", A ", " C, "", ", {name: other, ioasids: [{name: x, attach: [{device: c}]}]}");

	assert_true(fail_in_turn(*state, before, with) > 5);
	assert_applies(*state, with);
}

static void test_device_that_would_be_bound_anew(void **state)
{
	static const char moved[] =
		CONFIG(BAR, A ", " B, BAR_MAP,
		       ", {name: other, ioasids: [{name: x, attach: [{device: b}]}]}");
	static const char renamed[] = CONFIG(
		"", A ", " C, "", ", {name: o, ioasids: [{name: x, attach: [{device: c}]}]}");
	static const char *const cases[] = {moved, renamed};
	static const char *const names[] = {"device b can't", "device c can't"};
	struct fixture *f = *state;

	assert_applies(f, with);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const int calls = fake_calls();

		assert_int_equal(apply(f, cases[i]), -EBUSY);
		assert_int_equal(f->err->kind, ERROR_REFUSED);
		assert_non_null(strstr(f->err->message, names[i]));
		assert_non_null(strstr(f->err->message, "while its BAR is memory bar"));
		assert_non_null(strstr(f->err->hint, "take bar out first"));
		assert_int_equal(fake_calls(), calls);
	}
	assert_applies(f, without);
	assert_applies(f, renamed);
}

static void test_driver_that_cannot(void **state)
{
	struct fixture *f = *state;

	fake_driver.missing[CAP_DMABUF] = "it has no BARs";
	assert_int_not_equal(apply(f, with), 0);
	assert_string_equal(f->err->message,
			    "bar: driver fake has no memory backed by a device's BAR");
	assert_null(f->err->next);
	fake_driver.missing[CAP_DMABUF] = NULL;
	assert_applies(f, with);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, engine_set_up, engine_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bar_is_mapped),
		TEST(test_failures_are_undone),
		TEST(test_failed_removal_is_undone),
		TEST(test_memory_of_a_device_that_comes_late),
		TEST(test_device_that_would_be_bound_anew),
		TEST(test_driver_that_cannot),
	};

	return cmocka_run_group_tests_name("engine_bar", tests, NULL, NULL);
}
