// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nested IOASIDs, vIOMMUs and what belongs to them, PASIDs and placed mappings in transactions: the
 * order that the kernel asks for, and that a failure at any call leaves nothing.
 */
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
#define GPA                                                                            \
	"{name: gpa, nest_parent: true, map: [{iova: 0x0, memory: ram, length: 64K}, " \
	"{iova: 0x20000, memory: ram, offset: 128K, length: 64K}]}, "
#define TABLE(value) "table: {format: mock, iotlb: " value "}"

static const char nested[] = HEAD DEVICES
	"fds: [{name: main, ioasids: [" GPA
	"{name: s1, kind: nested, parent: gpa, viommu: v, " TABLE(
		"1") ", "
		     "attach: [{device: a}]}, "
		     "{name: s2, kind: nested, parent: gpa, " TABLE(
			     "2") ", attach: [{device: b}]}], "
				  "viommus: [{name: v, parent: gpa, device: a, type: mock, events: {depth: 8}, "
				  "vdevices: [{device: a, id: 0x10}, {device: b, id: 0x11}], "
				  "queues: [{index: 0, iova: 0x20000, length: 4K}]}]}]\n";

/* The vIOMMU is another one; what is on it follows, and a queue's memory goes. */
static const char moved[] = HEAD DEVICES
	"fds: [{name: main, ioasids: ["
	"{name: gpa, nest_parent: true, map: [{iova: 0x0, memory: ram, length: 64K}]}, "
	"{name: s1, kind: nested, parent: gpa, viommu: v, " TABLE(
		"1") ", "
		     "attach: [{device: b}]}, "
		     "{name: s2, kind: nested, parent: gpa, " TABLE(
			     "2") ", attach: [{device: a}]}], "
				  "viommus: [{name: v, parent: gpa, device: b, type: mock, events: {depth: 4}, "
				  "vdevices: [{device: a, id: 0x11}, {device: b, id: 0x10}], "
				  "queues: [{index: 0, iova: 0x1000, length: 4K}]}]}]\n";

static void assert_state(const char *expected)
{
	_cleanup_free_ char *now = fake_snapshot();

	assert_string_equal(now, expected);
}

#define IDLE                                                             \
	"device 0000:03:00.0 driver vfio-pci open 0 fd -1 attached -1\n" \
	"device 0000:04:00.0 driver nic open 0 fd -1 attached -1\n"

static void test_nested_is_built(void **state)
{
	struct fixture *f = *state;

	assert_applies(f, nested);
	assert_state("fd 0\n"
		     "  ioasid 0 flags 1 allow 0\n"
		     "    0+10000 at 0 rw\n"
		     "    20000+10000 at 20000 rw\n"
		     "  ioasid 1 flags 0 allow 0 on 0, viommu 0\n"
		     "  ioasid 2 flags 0 allow 0 on 0, viommu -1\n"
		     "  viommu 0 on 0 events 8\n"
		     "  vdevice 0000:01:00.0 is 10 of 0\n"
		     "  vdevice 0000:02:00.0 is 11 of 0\n"
		     "  queue 0 of 0 at 20000+1000\n"
		     "device 0000:01:00.0 driver vfio-pci open 1 fd 0 attached 1\n"
		     "device 0000:02:00.0 driver vfio-pci open 1 fd 0 attached 2\n" IDLE);
	assert_applies(f, nested);
	assert_changed(f, false);
}

static void test_viommu_is_replaced(void **state)
{
	struct fixture *f = *state;

	assert_applies(f, nested);
	assert_applies(f, moved);
	assert_state("fd 0\n"
		     "  ioasid 0 flags 1 allow 0\n"
		     "    0+10000 at 0 rw\n"
		     "  ioasid 2 flags 0 allow 0 on 0, viommu -1\n"
		     "  ioasid 3 flags 0 allow 0 on 0, viommu 1\n"
		     "  viommu 1 on 0 events 4\n"
		     "  vdevice 0000:01:00.0 is 11 of 1\n"
		     "  vdevice 0000:02:00.0 is 10 of 1\n"
		     "  queue 0 of 1 at 1000+1000\n"
		     "device 0000:01:00.0 driver vfio-pci open 1 fd 0 attached 2\n"
		     "device 0000:02:00.0 driver vfio-pci open 1 fd 0 attached 3\n" IDLE);
	assert_applies(f, moved);
	assert_changed(f, false);
}

static void test_failures_are_undone(void **state)
{
	assert_true(fail_in_turn(*state, NULL, nested) > 10);
}

static void test_failed_replacement_is_undone(void **state)
{
	assert_true(fail_in_turn(*state, nested, moved) > 10);
}

static void test_failed_return_is_undone(void **state)
{
	assert_true(fail_in_turn(*state, moved, nested) > 10);
}

static void test_undoing_fails_too(void **state)
{
	assert_true(fail_undo_in_turn(*state, NULL, nested) > 10);
	assert_true(fail_undo_in_turn(*state, nested, moved) > 10);
	assert_true(fail_undo_in_turn(*state, moved, nested) > 10);
}

/* A child comes and goes without the others, and the device moves without being detached. */
static void test_device_moves_to_its_parent(void **state)
{
	static const char in_parent[] =
		HEAD DEVICES "fds: [{name: main, ioasids: [{name: gpa, nest_parent: true, "
			     "map: [{iova: 0x0, memory: ram, length: 64K}, "
			     "{iova: 0x20000, memory: ram, offset: 128K, length: 64K}], "
			     "attach: [{device: a}, {device: b}]}, "
			     "{name: s2, kind: nested, parent: gpa, " TABLE("2") "}]}]\n";
	struct fixture *f = *state;

	assert_applies(f, nested);
	assert_applies(f, in_parent);
	assert_int_equal(count_of(f, "replace"), 2);
	assert_int_equal(count_of(f, "detach"), 0);
	assert_int_equal(count_of(f, "free-viommu"), 1);
	assert_state("fd 0\n"
		     "  ioasid 0 flags 1 allow 0\n"
		     "    0+10000 at 0 rw\n"
		     "    20000+10000 at 20000 rw\n"
		     "  ioasid 2 flags 0 allow 0 on 0, viommu -1\n"
		     "device 0000:01:00.0 driver vfio-pci open 1 fd 0 attached 0\n"
		     "device 0000:02:00.0 driver vfio-pci open 1 fd 0 attached 0\n" IDLE);
	assert_applies(f, nested);
	assert_int_equal(count_of(f, "replace"), 2);
	assert_int_equal(delete_topology(f), 0);
	assert_state("device 0000:01:00.0 driver nic open 0 fd -1 attached -1\n"
		     "device 0000:02:00.0 driver  open 0 fd -1 attached -1\n" IDLE);
}

static void test_event_queue_changes_alone(void **state)
{
	static const char deeper[] = HEAD DEVICES
		"fds: [{name: main, ioasids: [" GPA "], viommus: [{name: v, parent: gpa, "
		"device: a, type: mock, events: {depth: 16}}]}]\n";
	static const char deep[] = HEAD DEVICES "fds: [{name: main, ioasids: [" GPA
						"], viommus: [{name: v, parent: gpa, "
						"device: a, type: mock, events: {depth: 8}}]}]\n";
	static const char none[] = HEAD DEVICES "fds: [{name: main, ioasids: [" GPA
						"], viommus: [{name: v, parent: gpa, "
						"device: a, type: mock}]}]\n";
	struct fixture *f = *state;

	assert_true(fail_in_turn(f, deep, deeper) > 0);
	assert_applies(f, deeper);
	assert_applies(f, none);
	assert_int_equal(count_of(f, "free-events"), 1);
	assert_int_equal(count_of(f, "alloc-viommu"), 0);
	assert_applies(f, deep);
	assert_int_equal(count_of(f, "alloc-events"), 1);
	assert_int_equal(count_of(f, "alloc-viommu"), 0);
}

#define IDENTITIES(list, attachments)                                                                \
	HEAD DEVICES                                                                                 \
		"fds: [{name: main, ioasids: [" GPA                                                  \
		"{name: s1, kind: nested, parent: gpa, viommu: v, " TABLE(                           \
			"1") ", "                                                                    \
			     "attach: [" attachments "]}, "                                          \
			     "{name: s2, kind: nested, parent: gpa, " TABLE(                         \
				     "2") ", attach: []}], "                                         \
					  "viommus: [{name: v, parent: gpa, device: a, type: mock, " \
					  "vdevices: [" list "]}]}]\n"
#define BOTH "{device: a}, {device: b}"

/* An id, too, must be free before another device gets it; and a device comes again to be known by a
 * new one. */
static void test_identities_change_hands(void **state)
{
	static const char ids[] = IDENTITIES("{device: a, id: 1}, {device: b, id: 2}", BOTH),
			  swapped[] = IDENTITIES("{device: a, id: 2}, {device: b, id: 1}", BOTH),
			  inherited[] = IDENTITIES("{device: a, id: 1}", "{device: a}"),
			  later[] = IDENTITIES("{device: b, id: 3}, {device: a, id: 1}", BOTH);
	struct fixture *f = *state;

	assert_true(fail_in_turn(f, ids, swapped) > 4);
	assert_true(fail_in_turn(f, swapped, inherited) > 4);
	assert_applies(f, ids);
	assert_applies(f, swapped);
	assert_int_equal(count_of(f, "free-vdevice"), 2);
	assert_int_equal(count_of(f, "alloc-vdevice"), 2);
	assert_int_equal(count_of(f, "alloc"), 1);
	assert_int_equal(count_of(f, "replace"), 2);
	assert_int_equal(count_of(f, "detach"), 0);
	assert_applies(f, inherited);
	assert_int_equal(count_of(f, "replace"), 1);
	/* Who comes new needs no other table. */
	assert_applies(f, later);
	assert_int_equal(count_of(f, "alloc"), 0);
	assert_int_equal(count_of(f, "replace"), 0);
	assert_int_equal(count_of(f, "attach"), 1);
	assert_applies(f, later);
	assert_changed(f, false);
}

#define QUEUES(list)                                                                            \
	HEAD DEVICES "fds: [{name: main, ioasids: [" GPA "], viommus: [{name: v, parent: gpa, " \
		     "device: a, type: mock, queues: [" list "]}]}]\n"
#define QUEUE(index, iova) "{index: " index ", iova: " iova ", length: 4K}"

/* Each stands on the one before it: in whatever order the file has them, and also backwards. */
static void test_queues_are_a_stack(void **state)
{
	static const char three[] =
		QUEUES(QUEUE("2", "0x2000") ", " QUEUE("0", "0x0") ", " QUEUE("1", "0x1000"));
	static const char changed[] = QUEUES(QUEUE("0", "0x0") ", " QUEUE("1", "0x5000") ", " QUEUE(
		"2", "0x2000") ", " QUEUE("3", "0x3000"));
	static const char one[] = QUEUES(QUEUE("0", "0x0"));
	struct fixture *f = *state;

	assert_true(fail_in_turn(f, one, three) > 1);
	assert_true(fail_in_turn(f, three, changed) > 4);
	assert_true(fail_in_turn(f, changed, one) > 2);
	assert_applies(f, three);
	assert_applies(f, three);
	assert_changed(f, false);
	assert_applies(f, changed);
	assert_int_equal(count_of(f, "free-queue"), 2);
	assert_int_equal(count_of(f, "alloc-queue"), 3);
	assert_int_equal(delete_topology(f), 0);
}

static int no_queue(struct driver_fd *fd, uint32_t viommu, const struct hw_queue *spec,
		    uint32_t *id, struct ioasidctl_error **err)
{
	(void)fd, (void)viommu, (void)spec, (void)id;
	return error_new(err, ERROR_BUSY, EEXIST, "queue exists");
}

/* What an undo that failed has left unmade keeps nobody from deleting, or from making it again. */
static void test_what_is_not_there_is_not_freed(void **state)
{
	static const char two[] = QUEUES(QUEUE("0", "0x0") ", " QUEUE("1", "0x1000"));
	static const char other[] = QUEUES(QUEUE("0", "0x4000") ", " QUEUE("1", "0x1000"));
	struct fixture *f = *state;
	typeof(fake_driver.queue_alloc) alloc = fake_driver.queue_alloc;

	assert_applies(f, two);
	/* As Linux's mock IOMMU does once a queue was freed. */
	fake_driver.queue_alloc = no_queue;
	assert_int_equal(apply(f, other), -EEXIST);
	assert_non_null(f->err->next);
	fake_driver.queue_alloc = alloc;
	assert_applies(f, other);
	fake_driver.queue_alloc = no_queue;
	assert_int_equal(apply(f, two), -EEXIST);
	assert_int_equal(delete_topology(f), 0);
}

#define PASIDS(first, second)                                                       \
	HEAD DEVICES "fds: [{name: main, ioasids: [{name: gpa, nest_parent: true, " \
		     "attach: [{device: a}]}, "                                     \
		     "{name: s1, kind: nested, parent: gpa, " TABLE(                \
			     "1") ", attach: [" first "]}, "                        \
				  "{name: s2, kind: nested, parent: gpa, " TABLE(   \
					  "2") ", attach: [" second "]}]}]\n"

static const char two_pasids[] = PASIDS("{device: a, pasid: 5}, {device: a, pasid: 6}", "");
static const char pasid_moved[] = PASIDS("{device: a, pasid: 5}", "{device: a, pasid: 6}");

static void test_failed_pasids_are_undone(void **state)
{
	assert_true(fail_in_turn(*state, NULL, two_pasids) > 4);
	assert_true(fail_in_turn(*state, two_pasids, pasid_moved) > 1);
}

/* The whole device's IOASID needs the flag, too; and one PASID moves without the other. */
static void test_pasids(void **state)
{
	static const char none[] = PASIDS("", "");
	struct fixture *f = *state;

	assert_applies(f, two_pasids);
	assert_applies(f, pasid_moved);
	assert_int_equal(count_of(f, "replace"), 1);
	assert_state("fd 0\n"
		     "  ioasid 0 flags 5 allow 0\n"
		     "  ioasid 1 flags 4 allow 0 on 0, viommu -1\n"
		     "  ioasid 3 flags 4 allow 0 on 0, viommu -1\n"
		     "device 0000:01:00.0 driver vfio-pci open 1 fd 0 attached 0, pasid 5 in 1, "
		     "pasid 6 in 3\n"
		     "device 0000:02:00.0 driver vfio-pci open 1 fd -1 attached -1\n" IDLE);
	/* What was made for PASIDs stays: the device couldn't leave it before they are gone. */
	assert_applies(f, none);
	assert_int_equal(count_of(f, "alloc"), 0);
	assert_int_equal(count_of(f, "detach"), 2);
	assert_applies(f, none);
	assert_changed(f, false);
}

#define PLACED(maps)                                                                               \
	HEAD DEVICES "fds: [{name: main, ioasids: [{name: gpa, attach: [{device: a}], map: [" maps \
		     "]}]}]\n"

static const char one_placed[] = PLACED("{iova: 0x200000, memory: ram, length: 64K}, "
					"{iova: auto, memory: ram, offset: 64K, length: 64K}");
static const char two_placed[] = PLACED("{iova: auto, memory: ram, offset: 64K, length: 64K}, "
					"{iova: auto, memory: ram, offset: 64K, length: 64K}");

static void test_failed_placements_are_undone(void **state)
{
	assert_true(fail_in_turn(*state, NULL, one_placed) > 2);
	assert_true(fail_in_turn(*state, one_placed, two_placed) > 0);
}

static void test_placed_mappings_stay(void **state)
{
	/* Something declared takes the place that the first one has got. */
	static const char pushed[] = PLACED("{iova: 0x210000, memory: ram, length: 64K}, "
					    "{iova: auto, memory: ram, offset: 64K, length: 64K}");
	struct fixture *f = *state;

	assert_applies(f, one_placed);
	assert_applies(f, one_placed);
	assert_changed(f, false);
	assert_applies(f, two_placed);
	assert_int_equal(count_of(f, "map"), 1);
	assert_int_equal(count_of(f, "unmap"), 1);
	assert_applies(f, two_placed);
	assert_changed(f, false);
	assert_int_equal(delete_topology(f), 0);
	assert_applies(f, one_placed);
	assert_applies(f, pushed);
	assert_int_equal(count_of(f, "map"), 2);
	assert_int_equal(count_of(f, "unmap"), 2);
	assert_applies(f, pushed);
	assert_changed(f, false);
}

/* What `show --yaml` prints has the places in it, and changes nothing when it is applied. */
static void test_dump_keeps_places(void **state)
{
	static const char both[] = PLACED("{iova: 0x200000, memory: ram, length: 64K}, "
					  "{iova: auto, memory: ram, offset: 64K, length: 64K}");
	struct fixture *f = *state;
	_cleanup_free_ char *yaml = NULL;
	size_t length;

	assert_applies(f, both);
	assert_int_equal(config_write(engine_topology(f->engine, "t"), &yaml, &length, NULL), 0);
	assert_non_null(strstr(yaml, "iova: 0x210000"));
	assert_applies(f, yaml);
	assert_changed(f, false);
	assert_applies(f, both);
	assert_changed(f, false);
}

static void test_container(void **state)
{
	static const char without[] = HEAD "fds: [{name: main, ioasids: [{name: x}, {name: y}]}]\n";
	static const char with_x[] =
		HEAD "fds: [{name: main, vfio_compat: x, ioasids: [{name: x}, {name: y}]}]\n";
	static const char only_y[] =
		HEAD "fds: [{name: main, vfio_compat: y, ioasids: [{name: y}]}]\n";
	struct fixture *f = *state;

	assert_true(fail_in_turn(f, without, with_x) > 0);
	assert_applies(f, with_x);
	assert_applies(f, only_y);
	assert_state("fd 0\n"
		     "  ioasid 1 flags 0 allow 0\n"
		     "  container 1\n"
		     "device 0000:01:00.0 driver nic open 0 fd -1 attached -1\n"
		     "device 0000:02:00.0 driver  open 0 fd -1 attached -1\n" IDLE);
	assert_applies(f, without);
	assert_int_equal(count_of(f, "set-vfio-compat"), 1);
}

static void assert_refuses(struct fixture *f, const char *yaml, const char *message)
{
	const int calls = fake_calls();

	assert_int_not_equal(apply(f, yaml), 0);
	assert_string_equal(f->err->message, message);
	assert_int_equal(f->err->kind, ERROR_REFUSED);
	assert_true(f->err->line > 0);
	assert_non_null(f->err->hint);
	assert_int_equal(fake_calls(), calls);
}

static void test_refusals(void **state)
{
	static const char lonely[] =
		HEAD DEVICES "fds: [{name: main, ioasids: [" GPA
			     "{name: s1, kind: nested, parent: gpa, " TABLE("1") "}]}]\n";
	struct fixture *f = *state;

	assert_refuses(f, lonely, "s1: no device tells for which IOMMU it is");
	fake_driver.tables = 1 << TABLE_VTD_S1;
	assert_refuses(f, nested, "s1: driver fake knows no tables of format mock");
	fake_driver.tables = UINT32_MAX;
	fake_driver.viommu_tables = 1 << TABLE_MOCK;
	assert_refuses(f, nested, "s2: a table of format mock needs a vIOMMU");
	fake_driver.viommu_tables = 0;
	fake_driver.viommus = 1 << VIOMMU_ARM_SMMUV3;
	assert_refuses(f, nested, "v: driver fake knows no vIOMMU of type mock");
	fake_driver.viommus = UINT32_MAX;
	fake_driver.event_viommus = 1 << VIOMMU_ARM_SMMUV3;
	assert_refuses(f, nested, "v: a vIOMMU of type mock has no event queue");
	fake_driver.event_viommus = UINT32_MAX;
	fake_driver.queue_viommus = 1 << VIOMMU_TEGRA241_CMDQV;
	assert_refuses(f, nested, "v: a vIOMMU of type mock has no hardware queues");
	fake_driver.queue_viommus = UINT32_MAX;
	assert_applies(f, nested);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, engine_set_up, engine_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nested_is_built),
		TEST(test_viommu_is_replaced),
		TEST(test_failures_are_undone),
		TEST(test_failed_replacement_is_undone),
		TEST(test_failed_return_is_undone),
		TEST(test_undoing_fails_too),
		TEST(test_device_moves_to_its_parent),
		TEST(test_event_queue_changes_alone),
		TEST(test_identities_change_hands),
		TEST(test_queues_are_a_stack),
		TEST(test_what_is_not_there_is_not_freed),
		TEST(test_failed_pasids_are_undone),
		TEST(test_pasids),
		TEST(test_failed_placements_are_undone),
		TEST(test_placed_mappings_stay),
		TEST(test_dump_keeps_places),
		TEST(test_container),
		TEST(test_refusals),
	};

	return cmocka_run_group_tests_name("engine_nested", tests, NULL, NULL);
}
