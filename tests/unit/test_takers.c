// SPDX-License-Identifier: GPL-2.0-or-later
/* Who has descriptors of a topology, and since when not any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "holder/takers.h"

static struct handover_fd fds[] = {
	{.name = (char *)"main", .fd = 10},
	{.name = (char *)"main/s1", .fd = 11, .kind = HANDOVER_QUEUE, .id = 7},
	{.name = (char *)"nic0", .fd = 12, .kind = HANDOVER_RAW_DEVICE},
};
static const struct handover all = {fds, 3}, some = {fds, 1};

static const struct taker *add(struct taker **list, const char *topology, pid_t pid, bool raw,
			       const struct handover *h, int *lease)
{
	const struct peer peer = {.uid = 5, .pid = pid};
	const struct taker *taker = NULL;

	assert_int_equal(takers_add(list, topology, &peer, raw, h, lease, &taker, NULL), 0);
	assert_non_null(taker);
	return taker;
}

static void test_a_list_of_them(void **state)
{
	struct taker *list = NULL;
	int leases[3];
	const struct taker *a = add(&list, "vm0", getpid(), false, &all, &leases[0]);
	const struct taker *b = add(&list, "vm1", getpid(), false, &some, &leases[1]);
	const struct taker *c = add(&list, "vm0", getpid(), true, &some, &leases[2]);

	(void)state;
	assert_ptr_equal(takers_of(list, "vm0"), a);
	assert_ptr_equal(takers_next(a), c);
	assert_null(takers_next(c));
	assert_ptr_equal(takers_of(list, "vm1"), b);
	assert_null(takers_next(b));
	assert_null(takers_of(list, "vm2"));
	assert_ptr_equal(takers_find(list, b->lease), b);
	assert_null(takers_find(list, leases[1]));
	assert_int_equal(a->n_taken, 3);
	assert_string_equal(a->taken[1].name, "main/s1");
	assert_false(a->raw);
	assert_true(c->raw);
	takers_remove(&list, a);
	assert_ptr_equal(takers_of(list, "vm0"), c);
	takers_remove(&list, c);
	takers_remove(&list, b);
	assert_null(list);
	for (size_t i = 0; i < 3; i++)
		close(leases[i]);
}

static void test_what_one_has_for_itself(void **state)
{
	struct taker *list = NULL;
	int leases[2];
	const struct taker *shared = add(&list, "vm0", getpid(), false, &some, &leases[0]);
	const struct taker *taker = add(&list, "vm0", getpid(), false, &all, &leases[1]);

	(void)state;
	assert_ptr_equal(takers_with_queue(list, "vm0", "main/s1", 7), taker);
	/* Made anew under the same name, it's another one. */
	assert_null(takers_with_queue(list, "vm0", "main/s1", 8));
	assert_null(takers_with_queue(list, "vm1", "main/s1", 7));
	assert_null(takers_with_queue(list, "vm0", "main", 0));
	assert_ptr_equal(takers_with_device(list, "vm0", "nic0"), taker);
	assert_null(takers_with_device(list, "vm0", "main"));
	takers_remove(&list, taker);
	assert_null(takers_with_queue(list, "vm0", "main/s1", 7));
	takers_remove(&list, shared);
	close(leases[0]);
	close(leases[1]);
}

static void test_the_last_copy_of_a_lease(void **state)
{
	struct taker *list = NULL;
	int lease, copy;
	const struct taker *taker = add(&list, "vm0", getpid(), false, &all, &lease);
	int go[2], status;
	pid_t child;
	char byte;

	(void)state;
	assert_false(taker_is_gone(taker));
	copy = dup(lease);
	close(lease);
	assert_false(taker_is_gone(taker));
	assert_int_equal(pipe(go), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		/* It has inherited one, but mustn't have our end. */
		close(taker->lease);
		close(go[1]);
		_exit(read(go[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(copy);
	assert_false(taker_is_gone(taker));
	close(go[0]);
	close(go[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(taker_is_gone(taker));
	takers_remove(&list, taker);
}

static void test_letting_the_topology_go(void **state)
{
	struct taker *list = NULL;
	int lease;
	const struct taker *taker = add(&list, "vm0", getpid(), false, &all, &lease);
	struct pollfd end = {.fd = lease, .events = POLLIN};
	char byte;

	(void)state;
	assert_int_equal(poll(&end, 1, 0), 0);
	takers_remove(&list, taker);
	assert_int_equal(poll(&end, 1, 0), 1);
	assert_int_equal(read(lease, &byte, 1), 0);
	close(lease);
}

static void test_who_it_is(void **state)
{
	struct taker *list = NULL;
	int lease, other, status;
	pid_t child = fork(), heir;
	const struct taker *living, *dead;
	_cleanup_free_ char *name = NULL, *text = NULL, *no_text = NULL, *expected = NULL;
	_cleanup_free_ char *left = NULL, *heirs = NULL, *expected_heir = NULL;

	(void)state;
	if (!child)
		for (;;)
			pause();
	living = add(&list, "vm0", getpid(), false, &all, &lease);
	dead = add(&list, "vm0", child, false, &some, &other);
	name = taker_program(living, "");
	assert_string_equal(name, "test_takers");
	text = taker_text(living, "");
	assert_true(asprintf(&expected, "pid %d (test_takers)", (int)getpid()) > 0);
	assert_string_equal(text, expected);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	/* Its number may be another process's by now. */
	assert_null(taker_program(dead, ""));
	/* This process is the holder, which doesn't count. */
	no_text = taker_text(dead, "");
	assert_true(asprintf(&left, "a process that has it from pid %d", (int)child) > 0);
	assert_string_equal(no_text, left);
	heir = fork();
	if (!heir) {
		close(dead->lease);
		for (;;)
			pause();
	}
	heirs = taker_text(dead, "");
	assert_true(asprintf(&expected_heir, "pid %d (test_takers)", (int)heir) > 0);
	assert_string_equal(heirs, expected_heir);
	kill(heir, SIGKILL);
	assert_int_equal(waitpid(heir, &status, 0), heir);
	takers_remove(&list, living);
	takers_remove(&list, dead);
	close(lease);
	close(other);
}

static void test_nobody_is_known(void **state)
{
	struct taker *list = NULL;
	int lease;
	const struct taker *taker = add(&list, "vm0", 0, false, &all, &lease);
	_cleanup_free_ char *text = taker_text(taker, "");

	(void)state;
	assert_string_equal(text, "a process that has it from pid 0");
	takers_remove(&list, taker);
	close(lease);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_list_of_them),
		cmocka_unit_test(test_what_one_has_for_itself),
		cmocka_unit_test(test_the_last_copy_of_a_lease),
		cmocka_unit_test(test_letting_the_topology_go),
		cmocka_unit_test(test_who_it_is),
		cmocka_unit_test(test_nobody_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
