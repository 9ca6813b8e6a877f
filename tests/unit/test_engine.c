// SPDX-License-Identifier: GPL-2.0-or-later
/* Transactions over the fake driver: what they leave, and that a failure leaves nothing. */
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

#define HEAD "version: 1\nname: t\nmemory: [{name: ram, size: 1M}]\n"
#define DEVICES                                                        \
	"devices: [{name: a, pci: '0000:01:00.0', driver: vfio-pci}, " \
	"{name: b, pci: '0000:02:00.0', driver: vfio-pci}]\n"

static const char first[] =
	HEAD DEVICES "fds: [{name: main, ioasids: [{name: gpa, kind: gpa, "
		     "map: [{iova: 0x0, memory: ram, offset: 0, length: 64K}, "
		     "{iova: 0x20000, memory: ram, offset: 128K, length: 64K}], "
		     "attach: [{device: a}, {device: b}]}]}]\n";

/* Everything of `first` changes: a mapping added, one gone, one with another target, ... */
static const char second[] =
	"version: 1\nname: t\nmemory: [{name: ram, size: 2M}, {name: more, size: 64K}]\n"
	"devices: [{name: a, pci: '0000:01:00.0', driver: vfio-pci}, "
	"{name: c, pci: '0000:03:00.0', driver: vfio-pci}]\n"
	"fds: [{name: main, ioasids: ["
	"{name: gpa, kind: gpa, nest_parent: true, map: [{iova: 0x0, memory: ram, length: 64K}], "
	"attach: [{device: c}]}, "
	"{name: other, kind: gpa, allow: [{first: 0x0, last: 0xffffff}], "
	"map: [{iova: 0x0, memory: more, length: 64K}, "
	"{iova: 0x40000, copy: gpa, from: 0x0, length: 64K}], attach: [{device: a}]}]}, "
	"{name: side, ioasids: [{name: x, kind: gpa}]}]\n";

static void test_apply_builds_everything(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *now = NULL;

	assert_applies(f, first);
	assert_changed(f, true);
	now = fake_snapshot();
	assert_string_equal(now, "fd 0\n"
				 "  ioasid 0 flags 0 allow 0\n"
				 "    0+10000 at 0 rw\n"
				 "    20000+10000 at 20000 rw\n"
				 "device 0000:01:00.0 driver vfio-pci open 1 fd 0 attached 0\n"
				 "device 0000:02:00.0 driver vfio-pci open 1 fd 0 attached 0\n"
				 "device 0000:03:00.0 driver vfio-pci open 0 fd -1 attached -1\n"
				 "device 0000:04:00.0 driver nic open 0 fd -1 attached -1\n");
}

static void test_second_apply_does_nothing(void **state)
{
	struct fixture *f = *state;

	assert_applies(f, first);
	fake_fail_at(0);
	assert_applies(f, first);
	assert_changed(f, false);
	assert_int_equal(fake_calls(), 0);
}

static void test_change_converges(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *now = NULL;

	assert_applies(f, first);
	assert_applies(f, second);
	assert_int_equal(count_of(f, "replace"), 1);
	assert_int_equal(count_of(f, "restore-driver"), 1);
	now = fake_snapshot();
	assert_string_equal(now, "fd 0\n"
				 "  ioasid 1 flags 1 allow 0\n"
				 "    0+10000 at 0 rw\n"
				 "  ioasid 2 flags 0 allow 1\n"
				 "    0+10000 at 0 rw\n"
				 "    40000+10000 at 0 rw\n"
				 "fd 1\n"
				 "  ioasid 0 flags 0 allow 0\n"
				 "device 0000:01:00.0 driver vfio-pci open 1 fd 0 attached 2\n"
				 "device 0000:02:00.0 driver  open 0 fd -1 attached -1\n"
				 "device 0000:03:00.0 driver vfio-pci open 1 fd 0 attached 1\n"
				 "device 0000:04:00.0 driver nic open 0 fd -1 attached -1\n");
	assert_applies(f, second);
	assert_changed(f, false);
}

static void test_addresses_beyond_the_iommu(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *before = fake_snapshot(), *after = NULL;

	fake_iova_bits(17);
	assert_int_equal(apply(f, first), -EADDRINUSE);
	assert_string_equal(f->err->cause,
			    "the IOMMU of a (0000:01:00.0) translates addresses of 17 bits, up to "
			    "0x1ffff; 0x20000-0x2ffff of gpa is beyond");
	after = fake_snapshot();
	assert_string_equal(before, after);
	fake_iova_bits(18);
	assert_applies(f, first);
}

static void test_failed_build_is_undone(void **state)
{
	assert_true(fail_in_turn(*state, NULL, first) > 2);
}

static void test_failed_change_is_undone(void **state)
{
	assert_true(fail_in_turn(*state, first, second) > 2);
}

static void test_changed_mapping_is_undone(void **state)
{
	static const char changed[] =
		HEAD DEVICES "fds: [{name: main, ioasids: [{name: gpa, kind: gpa, "
			     "map: [{iova: 0x0, memory: ram, offset: 64K, length: 64K}, "
			     "{iova: 0x18000, memory: ram, offset: 128K, length: 64K}], "
			     "attach: [{device: a}, {device: b}]}]}]\n";

	assert_true(fail_in_turn(*state, first, changed) > 2);
}

static void test_delete_restores(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *before = fake_snapshot(), *after = NULL;

	assert_applies(f, first);
	assert_int_equal(delete_topology(f), 0);
	after = fake_snapshot();
	assert_string_equal(after, before);
	assert_int_equal(engine_count(f->engine), 0);
	assert_int_equal(delete_topology(f), -ENOENT);
	assert_string_equal(f->err->message, "there is no topology t");
}

static void test_moved_to_other_fd(void **state)
{
	static const char moved[] =
		HEAD DEVICES "fds: [{name: other, ioasids: [{name: gpa, kind: gpa, "
			     "map: [{iova: 0x0, memory: ram, offset: 0, length: 64K}], "
			     "attach: [{device: a}, {device: b}]}]}]\n";
	struct fixture *f = *state;
	_cleanup_free_ char *now = NULL;

	assert_true(fail_in_turn(f, first, moved) > 2);
	now = fake_snapshot();
	assert_non_null(strstr(now, "device 0000:01:00.0 driver vfio-pci open 1 fd 1 attached 0"));
	assert_non_null(strstr(now, "device 0000:02:00.0 driver vfio-pci open 1 fd 1 attached 0"));
	assert_null(strstr(now, "fd 0\n"));
}

static void test_renamed_device_keeps_its_origin(void **state)
{
	static const char renamed[] =
		HEAD "devices: [{name: z, pci: '0000:01:00.0', driver: vfio-pci}, "
		     "{name: b, pci: '0000:02:00.0', driver: vfio-pci}]\n"
		     "fds: [{name: main, ioasids: [{name: gpa, kind: gpa, "
		     "map: [{iova: 0x0, memory: ram, offset: 0, length: 64K}, "
		     "{iova: 0x20000, memory: ram, offset: 128K, length: 64K}], "
		     "attach: [{device: z}, {device: b}]}]}]\n";
	struct fixture *f = *state;
	_cleanup_free_ char *before = fake_snapshot(), *after = NULL;

	assert_true(fail_in_turn(f, first, renamed) > 2);
	assert_int_equal(delete_topology(f), 0);
	after = fake_snapshot();
	assert_string_equal(after, before);
}

static void test_dry_run_changes_nothing(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *before = NULL, *after = NULL;

	assert_applies(f, first);
	before = fake_snapshot();
	fake_fail_at(0);
	assert_int_equal(apply_with(f, second, (struct transaction){.dry_run = true, .list = true}),
			 0);
	assert_int_equal(fake_calls(), 0);
	after = fake_snapshot();
	assert_string_equal(after, before);
	assert_changed(f, true);
	assert_true(json_array_size(json_object_get(f->result, "operations")) > 10);
}

static void test_cancel_undoes(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *before = fake_snapshot(), *after = NULL;
	atomic_bool cancel = true;

	assert_int_equal(apply_with(f, first, (struct transaction){.cancel = &cancel}), -EINTR);
	assert_int_equal(f->err->kind, ERROR_INTERRUPTED);
	after = fake_snapshot();
	assert_string_equal(after, before);
}

static void test_verify_finds_what_is_missing(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *before = fake_snapshot(), *after = NULL;

	fake_lose_mappings(true);
	assert_true(apply(f, first) < 0);
	assert_int_equal(f->err->kind, ERROR_VERIFY);
	assert_string_equal(f->err->message, "main/gpa: mapping 0x0-0xffff is missing");
	after = fake_snapshot();
	assert_string_equal(after, before);
	assert_int_equal(apply_with(f, first, (struct transaction){.no_verify = true}), 0);
}

static void test_device_of_another_topology(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *other = strdup(first), *before = NULL, *after = NULL;

	assert_applies(f, first);
	before = fake_snapshot();
	strstr(other, "name: t")[6] = 'u';
	assert_int_equal(apply(f, other), -EBUSY);
	assert_int_equal(f->err->kind, ERROR_BUSY);
	assert_string_equal(f->err->message, "device a (0000:01:00.0) is held by topology t");
	after = fake_snapshot();
	assert_string_equal(after, before);
}

static void test_group_can_not_be_split(void **state)
{
	static const char split[] =
		"version: 1\nname: t\n"
		"devices: [{name: a, pci: '0000:01:00.0'}, {name: d, pci: '0000:04:00.0'}]\n"
		"fds: [{name: main, ioasids: [{name: x, kind: gpa, attach: [{device: a}]}, "
		"{name: y, kind: gpa, attach: [{device: d}]}]}]\n";
	struct fixture *f = *state;

	assert_int_equal(apply(f, split), -EINVAL);
	assert_int_equal(f->err->kind, ERROR_REFUSED);
	assert_non_null(strstr(f->err->message, "devices a and d are in IOMMU group 1 together"));
	assert_int_equal(fake_calls(), 0);
}

static void test_missing_device(void **state)
{
	static const char missing[] =
		"version: 1\nname: t\ndevices: [{name: a, pci: '0000:7f:00.0'}]\n"
		"fds: [{name: main, ioasids: [{name: x, kind: gpa, attach: [{device: a}]}]}]\n";
	struct fixture *f = *state;

	assert_int_equal(apply(f, missing), -ENODEV);
	assert_string_equal(f->err->message, "device a: there is no pci 0000:7f:00.0");
	assert_int_equal(f->err->line, 3);
	assert_int_equal(fake_calls(), 0);
}

static void test_missing_capability(void **state)
{
	struct fixture *f = *state;

	fake_driver.missing[CAP_NEST_PARENT] = "its tables don't nest";
	assert_int_equal(apply(f, second), -EOPNOTSUPP);
	assert_int_equal(f->err->kind, ERROR_REFUSED);
	assert_string_equal(f->err->message, "gpa: driver fake has no nest_parent");
	assert_string_equal(f->err->cause, "its tables don't nest");
	assert_non_null(f->err->hint);
	assert_int_equal(fake_calls(), 0);
}

static void test_leftover_is_named(void **state)
{
	struct fixture *f = *state;
	int calls;

	/* The last call of a delete gives a driver back; let that one fail. */
	assert_applies(f, first);
	fake_fail_at(-1);
	assert_int_equal(delete_topology(f), 0);
	calls = fake_calls();
	assert_applies(f, first);
	fake_fail_at(calls - 1);
	assert_int_equal(delete_topology(f), -EIO);
	assert_string_equal(f->err->message, "done, but for this, which is left behind: "
					     "restore driver of b (0000:02:00.0) to none");
	assert_int_equal(engine_count(f->engine), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, engine_set_up, engine_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_apply_builds_everything),
		TEST(test_second_apply_does_nothing),
		TEST(test_change_converges),
		TEST(test_addresses_beyond_the_iommu),
		TEST(test_failed_build_is_undone),
		TEST(test_failed_change_is_undone),
		TEST(test_changed_mapping_is_undone),
		TEST(test_delete_restores),
		TEST(test_moved_to_other_fd),
		TEST(test_renamed_device_keeps_its_origin),
		TEST(test_dry_run_changes_nothing),
		TEST(test_cancel_undoes),
		TEST(test_verify_finds_what_is_missing),
		TEST(test_device_of_another_topology),
		TEST(test_group_can_not_be_split),
		TEST(test_missing_device),
		TEST(test_missing_capability),
		TEST(test_leftover_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
