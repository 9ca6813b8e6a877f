// SPDX-License-Identifier: GPL-2.0-or-later
/* Changes whose order matters: copies and what they copy, members of one group. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "support_engine.h"
#include "support_fake_driver.h"

#define HEAD	  "version: 1\nname: t\nmemory: [{name: ram, size: 1M}]\n"
#define A	  "{name: a, pci: '0000:01:00.0', driver: vfio-pci}"
#define D	  "{name: d, pci: '0000:04:00.0', driver: vfio-pci}"
#define X(more)	  "{name: x, kind: gpa" more "}"
#define Y(more)	  "{name: y, kind: gpa" more "}"
#define MAIN(all) "fds: [{name: main, ioasids: [" all "]}]\n"
#define SIDE(all) "fds: [{name: side, ioasids: [" all "]}]\n"

/* a and d are members of one group. */
#define BOTH  HEAD "devices: [" A ", " D "]\n"
#define ONE_A HEAD "devices: [" A "]\n"
#define ONE_D HEAD "devices: [" D "]\n"
#define ON_A  ", attach: [{device: a}]"
#define ON_D  ", attach: [{device: d}]"
#define ON_AD ", attach: [{device: a}, {device: d}]"
#define ON_DA ", attach: [{device: d}, {device: a}]"

/* What `to` leaves must be what it makes from scratch, and each failure on the way is undone. */
static void check_change(struct fixture *f, const char *from, const char *to, const char *expected)
{
	_cleanup_free_ char *before = fake_snapshot(), *now = NULL, *after = NULL;

	assert_true(fail_in_turn(f, from, to) > 0);
	now = fake_snapshot();
	for (const char *line = expected; *line; line += strlen(line) + 1)
		if (!strstr(now, line))
			fail_msg("no \"%s\" in\n%s", line, now);
	assert_int_equal(delete_topology(f), 0);
	after = fake_snapshot();
	assert_string_equal(after, before);
}

#define COPIES(x, y, z)                                                                      \
	HEAD MAIN("{name: x, kind: gpa, map: [" x "]}, {name: y, kind: gpa, map: [" y "]}, " \
		  "{name: z, kind: gpa, map: [" z "]}")
#define MAP(offset)	     "{iova: 0x0, memory: ram, offset: " offset ", length: 64K}"
#define COPY(iova, of, from) "{iova: " iova ", copy: " of ", from: " from ", length: 64K}"
#define THREE_COPIES                                                                   \
	COPIES(MAP("0"), COPY("0x10000", "x", "0x0") ", " COPY("0x30000", "x", "0x0"), \
	       COPY("0x20000", "x", "0x0"))

static void test_source_of_copies_is_replaced(void **state)
{
	check_change(*state, THREE_COPIES,
		     COPIES(MAP("64K"),
			    COPY("0x10000", "x", "0x0") ", " COPY("0x30000", "x", "0x0"),
			    COPY("0x20000", "x", "0x0")),
		     "    10000+10000 at 10000 rw\0"
		     "    30000+10000 at 10000 rw\0"
		     "    20000+10000 at 10000 rw\0");
}

static void test_source_is_replaced_and_copies_go(void **state)
{
	check_change(*state, THREE_COPIES, COPIES(MAP("64K"), "", COPY("0x20000", "x", "0x0")),
		     "  ioasid 1 flags 0 allow 0\n  ioasid 2\0"
		     "    20000+10000 at 10000 rw\0");
}

static void test_source_goes_with_its_copies(void **state)
{
	check_change(*state, THREE_COPIES, COPIES("", "", ""),
		     "  ioasid 0 flags 0 allow 0\n  ioasid 1 flags 0 allow 0\n"
		     "  ioasid 2 flags 0 allow 0\n\0");
}

static void test_source_goes_and_copies_stay(void **state)
{
	check_change(*state, THREE_COPIES,
		     COPIES("", "{iova: 0x10000, memory: ram, length: 64K}",
			    COPY("0x20000", "y", "0x10000")),
		     "    10000+10000 at 0 rw\0    20000+10000 at 0 rw\0");
}

/* Who copies from whom is turned around. */
static void test_copies_and_source_change_sides(void **state)
{
	check_change(*state, COPIES(MAP("0"), COPY("0x0", "x", "0x0"), COPY("0x0", "x", "0x0")),
		     COPIES(COPY("0x0", "z", "0x0"), COPY("0x0", "z", "0x0"), MAP("64K")),
		     "  ioasid 0 flags 0 allow 0\n    0+10000 at 10000 rw\n"
		     "  ioasid 1 flags 0 allow 0\n    0+10000 at 10000 rw\n\0");
}

/* Each of two copies from the other, what differs in length from what was there. */
static void test_copies_in_both_directions(void **state)
{
	check_change(
		*state, COPIES(MAP("0"), COPY("0x0", "x", "0x0"), ""),
		COPIES("{iova: 0x0, memory: ram, length: 128K}, " COPY("0x40000", "y", "0x80000"),
		       "{iova: 0x0, copy: x, from: 0x0, length: 128K}, "
		       "{iova: 0x80000, memory: ram, offset: 256K, length: 64K}",
		       ""),
		"    0+20000 at 0 rw\n    40000+10000 at 40000 rw\n\0"
		"    0+20000 at 0 rw\n    80000+10000 at 40000 rw\n\0");
}

static void test_group_moves_together(void **state)
{
	check_change(*state, BOTH MAIN(X(ON_AD) ", " Y("")), BOTH MAIN(X("") ", " Y(ON_AD)),
		     "0000:01:00.0 driver vfio-pci open 1 fd 0 attached 1\0"
		     "0000:04:00.0 driver vfio-pci open 1 fd 0 attached 1\0");
}

static void test_member_comes_while_the_group_moves(void **state)
{
	check_change(*state, BOTH MAIN(X(ON_A) ", " Y("")), BOTH MAIN(X("") ", " Y(ON_DA)),
		     "0000:01:00.0 driver vfio-pci open 1 fd 0 attached 1\0"
		     "0000:04:00.0 driver vfio-pci open 1 fd 0 attached 1\0");
}

static void test_member_leaves_while_the_group_moves(void **state)
{
	check_change(*state, BOTH MAIN(X(ON_AD) ", " Y("")), BOTH MAIN(X("") ", " Y(ON_A)),
		     "0000:01:00.0 driver vfio-pci open 1 fd 0 attached 1\0"
		     "0000:04:00.0 driver vfio-pci open 1 fd -1 attached -1\0");
}

static void test_members_change_places(void **state)
{
	check_change(*state, BOTH MAIN(X(ON_A) ", " Y("")), BOTH MAIN(X("") ", " Y(ON_D)),
		     "0000:01:00.0 driver vfio-pci open 1 fd -1 attached -1\0"
		     "0000:04:00.0 driver vfio-pci open 1 fd 0 attached 1\0");
}

static void test_group_moves_to_another_fd(void **state)
{
	check_change(*state, BOTH MAIN(X(ON_AD)), BOTH SIDE(X(ON_AD)),
		     "0000:01:00.0 driver vfio-pci open 1 fd 1 attached 0\0"
		     "0000:04:00.0 driver vfio-pci open 1 fd 1 attached 0\0");
}

/* Devices without host drivers: a group with such a member can be handed out. */
#define B "{name: b, pci: '0000:02:00.0', driver: vfio-pci}"
#define E "{name: e, pci: '0000:05:00.0', driver: vfio-pci}"

static void test_group_grows_on_another_fd(void **state)
{
	fake_add_device("0000:05:00.0", "", 2);
	check_change(*state, HEAD "devices: [" B "]\n" MAIN(X(", attach: [{device: b}]")),
		     HEAD "devices: [" B ", " E
			  "]\n" SIDE(X(", attach: [{device: e}, {device: b}]")),
		     "0000:02:00.0 driver vfio-pci open 1 fd 1 attached 0\0"
		     "0000:05:00.0 driver vfio-pci open 1 fd 1 attached 0\0");
}

static void test_member_takes_over_on_another_fd(void **state)
{
	check_change(*state, BOTH MAIN(X(ON_A)), BOTH SIDE(X(ON_D)),
		     "0000:01:00.0 driver vfio-pci open 1 fd -1 attached -1\0"
		     "0000:04:00.0 driver vfio-pci open 1 fd 1 attached 0\0");
}

static void test_accounting_of_a_group(void **state)
{
	check_change(*state, BOTH MAIN(X(ON_AD)),
		     BOTH "fds: [{name: main, accounting: user, ioasids: [" X(ON_AD) "]}]\n",
		     "0000:01:00.0 driver vfio-pci open 1 fd 1 attached 0\0"
		     "0000:04:00.0 driver vfio-pci open 1 fd 1 attached 0\0");
}

static void test_all_fds_go(void **state)
{
	check_change(*state, BOTH MAIN(X(ON_AD)), BOTH "fds: []\n",
		     "0000:01:00.0 driver nic open 0 fd -1 attached -1\0"
		     "0000:04:00.0 driver nic open 0 fd -1 attached -1\0");
}

/* Its own driver can't have it back while user space owns the rest of the group. */
static void test_member_can_not_be_given_back_alone(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *before = NULL, *after = NULL;

	assert_applies(f, BOTH MAIN(X(ON_AD)));
	before = fake_snapshot();
	fake_fail_at(-1);
	assert_int_equal(apply(f, ONE_A MAIN(X(ON_A))), -EBUSY);
	assert_int_equal(f->err->kind, ERROR_REFUSED);
	assert_string_equal(f->err->message,
			    "device d (0000:04:00.0) can't be given back to nic while device a of "
			    "the same IOMMU group 1 stays");
	assert_non_null(f->err->hint);
	assert_int_equal(fake_calls(), 0);
	after = fake_snapshot();
	assert_string_equal(after, before);
	/* With the other one released, too, it is. */
	assert_applies(f, ONE_A MAIN(X("")));
}

static void test_member_without_driver_goes_alone(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *now = NULL;

	fake_add_device("0000:05:00.0", "", 2);
	assert_applies(f, HEAD "devices: [" B ", " E
			       "]\n" MAIN(X(", attach: [{device: b}, {device: e}]")));
	assert_applies(f, HEAD "devices: [" E "]\n" MAIN(X(", attach: [{device: e}]")));
	now = fake_snapshot();
	assert_non_null(strstr(now, "0000:02:00.0 driver  open 0 fd -1 attached -1"));
	assert_non_null(strstr(now, "0000:05:00.0 driver vfio-pci open 1 fd 0 attached 0"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, engine_set_up, engine_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_source_of_copies_is_replaced),
		TEST(test_source_is_replaced_and_copies_go),
		TEST(test_source_goes_with_its_copies),
		TEST(test_source_goes_and_copies_stay),
		TEST(test_copies_and_source_change_sides),
		TEST(test_copies_in_both_directions),
		TEST(test_group_moves_together),
		TEST(test_member_comes_while_the_group_moves),
		TEST(test_member_leaves_while_the_group_moves),
		TEST(test_members_change_places),
		TEST(test_group_moves_to_another_fd),
		TEST(test_group_grows_on_another_fd),
		TEST(test_member_takes_over_on_another_fd),
		TEST(test_accounting_of_a_group),
		TEST(test_all_fds_go),
		TEST(test_member_can_not_be_given_back_alone),
		TEST(test_member_without_driver_goes_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
