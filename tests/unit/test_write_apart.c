// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes in a process of their own: their result, and that one that doesn't return is left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "host/root.h"
#include "host/sysfs.h"
#include "host/write_apart.h"
#include "support_tree.h"

static struct tree tree;

static int setup(void **state)
{
	(void)state;
	tree_make(&tree);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_remove(&tree);
	return 0;
}

static void test_results(void **state)
{
	_cleanup_free_ char *path = root_path(tree.root, "/unbind");
	char text[32];

	(void)state;
	assert_int_equal(sysfs_write_apart(path, "0000:01:00.0", 60), -ENOENT);
	tree_file(&tree, "", "/unbind");
	assert_int_equal(sysfs_write_apart(path, "0000:01:00.0", 60), 0);
	assert_int_equal(sysfs_read(path, text, sizeof(text)), 0);
	assert_string_equal(text, "0000:01:00.0");
	assert_int_equal(sysfs_write_apart("/dev/full", "x", 60), -ENOSPC);
	/* Nothing of it is left for this process to wait for. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* A FIFO without a reader can't be opened, and the pipe tells whether its other end is closed. */
static void test_a_write_that_waits(void **state)
{
	_cleanup_free_ char *path = root_path(tree.root, "/fifo");
	_cleanup_close_ int reader = -1;
	struct pollfd p = {.events = POLLIN};
	int ends[2];
	char text[8];

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(sysfs_write_apart(path, "go", 0), -ETIMEDOUT);
	/* It has none of our descriptors, even those that an exec would leave it. */
	close(ends[1]);
	p.fd = ends[0];
	assert_int_equal(poll(&p, 1, 60000), 1);
	assert_int_equal(read(ends[0], text, sizeof(text)), 0);
	close(ends[0]);
	/* And goes on by itself. */
	reader = open(path, O_RDONLY);
	assert_true(reader >= 0);
	assert_int_equal(read(reader, text, sizeof(text)), 2);
	assert_memory_equal(text, "go", 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_results, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_write_that_waits, setup, teardown),
	};

	return cmocka_run_group_tests_name("write-apart", tests, NULL, NULL);
}
