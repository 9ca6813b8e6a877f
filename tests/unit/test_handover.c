// SPDX-License-Identifier: GPL-2.0-or-later
/* Descriptors handed to a program: their numbers, their names, and what else it finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "driver/driver.h"
#include "holder/handover.h"

#define FD(name_, number)                               \
	{                                               \
		.name = (char *)(name_), .fd = (number) \
	}

static int number_of_fd(const struct driver_fd *fd)
{
	return *(const int *)fd;
}

static int number_of_device(const struct driver_device *dev)
{
	return *(const int *)dev;
}

static void test_collect(void **state)
{
	static int numbers[] = {20, -1, 21, -1};
	struct driver ops = {.fd_number = number_of_fd, .device_fd_number = number_of_device};
	struct iommu_fd fds[3] = {{.name = (char *)"main", .ops = &ops},
				  {.name = (char *)"software", .ops = &ops},
				  {.name = (char *)"closed", .ops = &ops}};
	struct device devices[3];
	struct memory memories[2];
	struct topology t = {.fds = fds,
			     .n_fds = 3,
			     .devices = devices,
			     .n_devices = 3,
			     .memories = memories,
			     .n_memories = 2};
	struct handover h;

	(void)state;
	fds[0].live.handle = (struct driver_fd *)&numbers[0];
	fds[1].live.handle = (struct driver_fd *)&numbers[1];
	for (size_t i = 0; i < 3; i++)
		device_init(&devices[i]);
	devices[0].name = (char *)"unused";
	devices[1].name = (char *)"nic0";
	devices[1].fd = 0;
	devices[1].live.handle = (struct driver_device *)&numbers[2];
	devices[2].name = (char *)"soft0";
	devices[2].fd = 1;
	devices[2].live.handle = (struct driver_device *)&numbers[3];
	for (size_t i = 0; i < 2; i++)
		memory_init(&memories[i]);
	memories[0].name = (char *)"closed-memory";
	memories[1].name = (char *)"ram";
	memories[1].live.fd = 22;
	assert_int_equal(handover_collect(&t, &h, NULL), 0);
	assert_int_equal(h.n_fds, 3);
	assert_string_equal(h.fds[0].name, "main");
	assert_int_equal(h.fds[0].fd, 20);
	assert_string_equal(h.fds[1].name, "nic0");
	assert_int_equal(h.fds[1].fd, 21);
	assert_string_equal(h.fds[2].name, "ram");
	assert_int_equal(h.fds[2].fd, 22);
	handover_done(&h);
	assert_null(h.fds);
}

static int number_of_ioasid(const struct driver_fd *fd, uint32_t id)
{
	return id == 7 ? -1 : *(const int *)fd + (int)id;
}

/* The devices' groups are twice the same one. */
static int number_of_group(const struct driver_device *dev)
{
	(void)dev;
	return 50;
}

static int no_number(const struct driver_fd *fd)
{
	(void)fd;
	return -1;
}

/* An IOASID of VFIO has a descriptor, its fd has none; members of a group share one. */
static void test_collect_of_vfio(void **state)
{
	static int number = 30, left = 40, right = 41;
	const struct driver ops = {.fd_number = no_number,
				   .device_fd_number = number_of_device,
				   .ioasid_fd_number = number_of_ioasid,
				   .group_fd_number = number_of_group};
	struct ioasid ioasids[3];
	struct iommu_fd fd = {.name = (char *)"main",
			      .ops = &ops,
			      .ioasids = ioasids,
			      .n_ioasids = 3,
			      .live.handle = (struct driver_fd *)&number};
	struct device devices[2];
	const struct topology t = {.fds = &fd, .n_fds = 1, .devices = devices, .n_devices = 2};
	static const char *const names[] = {"main/gpa", "left", "right", "group/9"};
	static const int numbers[] = {31, 40, 41, 50};
	struct handover h;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		ioasid_init(&ioasids[i]);
	ioasids[0].name = (char *)"gpa";
	ioasids[0].live.exists = true;
	ioasids[0].live.id = 1;
	ioasids[1].name = (char *)"unborn";
	ioasids[2].name = (char *)"without";
	ioasids[2].live.exists = true;
	ioasids[2].live.id = 7;
	for (size_t i = 0; i < 2; i++) {
		device_init(&devices[i]);
		devices[i].name = (char *)names[i + 1];
		devices[i].fd = 0;
		devices[i].iommu_group = 9;
		devices[i].live.handle = (struct driver_device *)(i ? &right : &left);
	}
	assert_int_equal(handover_collect(&t, &h, NULL), 0);
	assert_int_equal(h.n_fds, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(h.fds[i].name, names[i]);
		assert_int_equal(h.fds[i].fd, numbers[i]);
	}
	handover_done(&h);
}

static void test_arguments(void **state)
{
	struct handover_fd fds[] = {FD("main", 10), FD("nic0", 11), FD("ram", 12)};
	const struct handover h = {fds, 3};
	char *const argv[] = {"vmm",	 "{fd:main}", "-dev=fd={fd:nic0},iommu={fd:main}",
			      "{fd:ram", "{fd}",      "{}{fd:ram}{fd:ram}}",
			      "",	 NULL};
	static const char *const expected[] = {"vmm",	"3", "-dev=fd=4,iommu=3", "{fd:ram", "{fd}",
					       "{}55}", ""};
	char **made;

	(void)state;
	assert_int_equal(handover_argv(&h, argv, &made, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_string_equal(made[i], expected[i]);
	assert_null(made[ARRAY_SIZE(expected)]);
	handover_free_argv(made);
}

static void refuse(const struct handover *h, const char *argument, const char *message,
		   const char *hint)
{
	char *const argv[] = {"vmm", (char *)argument, NULL};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	char **made;

	assert_int_equal(handover_argv(h, argv, &made, &err), -EINVAL);
	assert_int_equal(err->kind, ERROR_USAGE);
	assert_string_equal(err->message, message);
	assert_string_equal(err->hint, hint);
}

static void test_wrong_arguments(void **state)
{
	struct handover_fd fds[] = {FD("main", 10), FD("ram", 11), FD("main", 12)};
	const struct handover h = {fds, 3}, none = {0};

	(void)state;
	refuse(&h, "x{fd:ran}", "{fd:ran}: nothing of that name has a descriptor",
	       "these have: main, ram, main");
	refuse(&h, "{fd:}", "{fd:}: nothing of that name has a descriptor",
	       "these have: main, ram, main");
	refuse(&h, "{fd:main}", "{fd:main}: several objects of that name have descriptors",
	       "give the fd, the device or the memory another name");
	refuse(&none, "{fd:ram}", "{fd:ram}: nothing of that name has a descriptor",
	       "nothing in this topology has; on the reference device only memories do");
}

/* A file with that content. */
static int file_with(const char *content)
{
	char path[] = "/tmp/handover-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
	return fd;
}

static int exit_status(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void run_script(const struct handover *h, const char *script, int expected)
{
	char *const argv[] = {"sh", "-c", (char *)script, NULL};
	pid_t pid;

	assert_int_equal(handover_spawn(h, argv, "{\"dump\": 1}", &pid, NULL), 0);
	assert_int_equal(exit_status(pid), expected);
}

static void test_program_finds_its_descriptors(void **state)
{
	struct handover_fd fds[] = {FD("main", file_with("first")), FD("ram", file_with("second")),
				    FD("nic0", file_with("third"))};
	struct handover h = {fds, 3};

	(void)state;
	/* Whatever the test itself was started with. */
	assert_int_equal(close_range(3, ~0U, CLOSE_RANGE_CLOEXEC), 0);
	setenv("LISTEN_FDS", "77", 1);
	setenv("LISTEN_PID", "77", 1);
	setenv("OTHER_VARIABLE", "stays", 1);
	/* One after the other, for shells can redirect low numbers only. */
	run_script(&h,
		   "[ \"$(cat <&3)$(cat <&4)$(cat <&5)\" = firstsecondthird ] || exit 1;"
		   "[ \"$LISTEN_FDS\" = 3 ] || exit 2;"
		   "[ \"$LISTEN_PID\" = $$ ] || exit 3;"
		   "[ \"$LISTEN_FDNAMES\" = main:ram:nic0 ] || exit 4;"
		   "[ \"$(cat $IOASIDCTL_TOPOLOGY)\" = '{\"dump\": 1}' ] || exit 5;"
		   "[ \"$(cat $IOASIDCTL_TOPOLOGY)\" = '{\"dump\": 1}' ] || exit 6;"
		   "[ \"$OTHER_VARIABLE\" = stays ] || exit 7;"
		   "[ $IOASIDCTL_TOPOLOGY = /proc/self/fd/6 ] || exit 8;"
		   /* The copies on the way are gone; 7 may be the shell's own look. */
		   "for fd in /proc/$$/fd/*; do [ ${fd##*/} -le 7 ] || exit 9; done;"
		   "(echo x > $IOASIDCTL_TOPOLOGY) 2>/dev/null && exit 10;"
		   "exit 42",
		   42);
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	for (size_t i = 0; i < 3; i++) {
		/* Ours are as they were. */
		assert_int_equal(fcntl(fds[i].fd, F_GETFD), FD_CLOEXEC);
		close(fds[i].fd);
	}
}

/* Sources on the numbers that are the others' targets, in every order. */
static void test_overlapping_numbers(void **state)
{
	static const int orders[][3] = {{3, 4, 5}, {5, 4, 3}, {4, 5, 3}, {5, 3, 4}, {4, 3, 5}};
	static const char *const contents[] = {"first", "second", "third"};
	int saved[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		saved[i] = fcntl(3 + i, F_DUPFD_CLOEXEC, 50);
	for (size_t o = 0; o < ARRAY_SIZE(orders); o++) {
		struct handover_fd fds[] = {FD("a", orders[o][0]), FD("b", orders[o][1]),
					    FD("c", orders[o][2])};
		struct handover h = {fds, 3};

		for (int i = 0; i < 3; i++) {
			_cleanup_close_ int fd = file_with(contents[i]);
			_cleanup_close_ int high = fcntl(fd, F_DUPFD_CLOEXEC, 40);

			assert_int_equal(dup3(high, orders[o][i], O_CLOEXEC), orders[o][i]);
			if (fd >= 3 && fd <= 5)
				fd = -1;
		}
		run_script(&h,
			   "[ \"$(cat <&3)$(cat <&4)$(cat <&5)\" = firstsecondthird ] || exit 1",
			   0);
	}
	for (int i = 0; i < 3; i++) {
		if (saved[i] >= 0)
			dup2(saved[i], 3 + i);
		else
			close(3 + i);
	}
}

static void test_no_descriptors(void **state)
{
	const struct handover h = {0};

	(void)state;
	run_script(&h,
		   "[ \"$LISTEN_FDS\" = 0 ] && [ -z \"$LISTEN_FDNAMES\" ] &&"
		   "[ \"$(cat $IOASIDCTL_TOPOLOGY)\" = '{\"dump\": 1}' ]",
		   0);
}

static void test_signals_are_as_usual(void **state)
{
	const struct handover h = {0};
	sigset_t blocked, before;

	(void)state;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	signal(SIGTERM, SIG_IGN);
	run_script(&h, "kill -TERM $$; exit 0", 128 + SIGTERM);
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void refuse_to_run(const char *program, int errnum, enum error_kind kind)
{
	char *const argv[] = {(char *)program, NULL};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	const struct handover h = {0};
	pid_t pid = -1;

	assert_int_equal(handover_spawn(&h, argv, "{}", &pid, &err), -errnum);
	assert_int_equal(err->kind, kind);
	assert_int_equal(err->errnum, errnum);
	assert_non_null(strstr(err->message, program));
	assert_int_equal(pid, -1);
	/* No zombie stays behind. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_programs_that_cant_be_run(void **state)
{
	(void)state;
	refuse_to_run("/nonexistent/program", ENOENT, ERROR_UNAVAILABLE);
	refuse_to_run("no-such-program-anywhere", ENOENT, ERROR_UNAVAILABLE);
	refuse_to_run("/etc/passwd", EACCES, ERROR_PERMISSION);
	refuse_to_run("/etc", EACCES, ERROR_PERMISSION);
}

static void test_a_descriptor_that_is_closed(void **state)
{
	char *const argv[] = {"true", NULL};
	struct handover_fd fds[] = {FD("main", 1000)};
	const struct handover h = {fds, 1};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	pid_t pid;

	(void)state;
	assert_int_equal(handover_spawn(&h, argv, "{}", &pid, &err), -EBADF);
	assert_string_equal(err->message, "true can't be executed: Bad file descriptor");
}

static struct handover handover_of(const char *const *names, size_t n)
{
	struct handover h = {.fds = calloc(n, sizeof(*h.fds)), .n_fds = n};

	assert_non_null(h.fds);
	for (size_t i = 0; i < n; i++) {
		h.fds[i] = (struct handover_fd)FD(strdup(names[i]), (int)(100 + i));
		assert_non_null(h.fds[i].name);
	}
	return h;
}

static void test_only_some(void **state)
{
	static const char *const names[] = {"main", "main/s1", "nic0", "ram"};
	static const char *const wanted[] = {"ram", "main", NULL},
				 *const twice[] = {"ram", "ram", NULL},
				 *const unknown[] = {"ram", "rom", NULL}, *const none[] = {NULL};
	_cleanup_error_ struct ioasidctl_error *err = NULL, *second = NULL;
	struct handover h = handover_of(names, ARRAY_SIZE(names));

	(void)state;
	assert_int_equal(handover_select(&h, twice, &err), -EINVAL);
	assert_int_equal(err->kind, ERROR_USAGE);
	assert_string_equal(err->message, "ram is wanted twice");
	assert_int_equal(handover_select(&h, unknown, &second), -EINVAL);
	assert_int_equal(second->kind, ERROR_USAGE);
	assert_string_equal(second->message, "rom: nothing of that name has a descriptor");
	assert_string_equal(second->hint, "these have: main, main/s1, nic0, ram");
	assert_int_equal(h.n_fds, 4);
	assert_int_equal(handover_select(&h, wanted, NULL), 0);
	assert_int_equal(h.n_fds, 2);
	assert_string_equal(h.fds[0].name, "ram");
	assert_int_equal(h.fds[0].fd, 103);
	assert_string_equal(h.fds[1].name, "main");
	assert_int_equal(h.fds[1].fd, 100);
	assert_int_equal(handover_select(&h, none, NULL), 0);
	assert_int_equal(h.n_fds, 0);
	handover_done(&h);
}

static void test_descriptors_of_its_own(void **state)
{
	static const char *const names[] = {"ram", "closed"};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	_cleanup_close_ int file = file_with("there");
	struct handover h = handover_of(names, 1);
	char text[8] = "";
	int own;

	(void)state;
	h.fds[0].fd = file;
	assert_int_equal(handover_own(&h, NULL), 0);
	own = h.fds[0].fd;
	assert_true(own > 2 && own != file);
	assert_true(fcntl(own, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(pread(own, text, 5, 0), 5);
	assert_string_equal(text, "there");
	/* Once is enough. */
	assert_int_equal(handover_own(&h, NULL), 0);
	assert_int_equal(h.fds[0].fd, own);
	handover_done(&h);
	assert_int_equal(fcntl(own, F_GETFD), -1);
	assert_true(fcntl(file, F_GETFD) >= 0);

	h = handover_of(names, 2);
	h.fds[0].fd = file;
	h.fds[1].fd = 1000;
	assert_int_equal(handover_own(&h, &err), -EBADF);
	assert_string_equal(err->message,
			    "duplicate the descriptor of closed: Bad file descriptor");
	handover_done(&h);
	assert_true(fcntl(file, F_GETFD) >= 0);
}

/* In a child, which becomes the program. Its exit status; 200 and the errno, if it couldn't. */
static int exec_script(const struct handover *h, const char *program, const char *script, int lease)
{
	char *const argv[] = {(char *)program, "-c", (char *)script, NULL};
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		int ret = handover_exec(h, argv, "{\"dump\": 1}", lease, NULL);

		_exit(200 - ret);
	}
	return exit_status(pid);
}

static void test_becoming_a_program(void **state)
{
	struct handover_fd fds[] = {FD("main", file_with("first")), FD("ram", file_with("second"))};
	const struct handover h = {fds, 2};
	int lease[2];

	(void)state;
	setenv("IOASIDCTL_LEASE", "77", 1);
	setenv("LISTEN_PID", "1", 1);
	assert_int_equal(pipe2(lease, O_CLOEXEC), 0);
	assert_int_equal(exec_script(&h, "sh",
				     "[ \"$LISTEN_FDS\" = 2 ] && [ $LISTEN_PID = $$ ] &&"
				     "[ \"$LISTEN_FDNAMES\" = main:ram ] &&"
				     "[ \"$(cat <&3) $(cat <&4)\" = 'first second' ] &&"
				     "[ \"$IOASIDCTL_TOPOLOGY\" = /proc/self/fd/5 ] &&"
				     "[ \"$(cat $IOASIDCTL_TOPOLOGY)\" = '{\"dump\": 1}' ] &&"
				     "[ \"$IOASIDCTL_LEASE\" = 6 ] && [ -p /proc/self/fd/6 ] &&"
				     "[ $(env | grep -c IOASIDCTL_LEASE) = 1 ]",
				     lease[0]),
			 0);
	assert_int_equal(exec_script(&h, "sh",
				     "[ -z \"$IOASIDCTL_LEASE\" ] && [ ! -e /proc/self/fd/6 ]", -1),
			 0);
	unsetenv("IOASIDCTL_LEASE");
	unsetenv("LISTEN_PID");
	assert_int_equal(exec_script(&h, "no-such-program-anywhere", "", lease[0]), 200 + ENOENT);
	assert_int_equal(exec_script(&h, "/etc/passwd", "", lease[0]), 200 + EACCES);
	fds[1].fd = 1000;
	assert_int_equal(exec_script(&h, "sh", "", lease[0]), 200 + EBADF);
	for (size_t i = 0; i < 2; i++)
		close(lease[i]);
	close(fds[0].fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_collect),
		cmocka_unit_test(test_collect_of_vfio),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_wrong_arguments),
		cmocka_unit_test(test_program_finds_its_descriptors),
		cmocka_unit_test(test_overlapping_numbers),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_signals_are_as_usual),
		cmocka_unit_test(test_programs_that_cant_be_run),
		cmocka_unit_test(test_a_descriptor_that_is_closed),
		cmocka_unit_test(test_only_some),
		cmocka_unit_test(test_descriptors_of_its_own),
		cmocka_unit_test(test_becoming_a_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
