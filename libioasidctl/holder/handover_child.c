// SPDX-License-Identifier: LGPL-2.1-or-later
/* Starting the program. Between fork and exec nothing is allocated: all is made beforehand. */
#include "holder/handover_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "holder/handover.h"

extern char **environ;

#define PID_KEY	   "LISTEN_PID="
#define PID_DIGITS 12

/* All that the child needs. */
struct start {
	const struct handover *h;
	char *const *argv;
	char **environment;
	char *pid_text; /* in it, behind PID_KEY: the child alone knows its number */
	int *moved; /* room for the descriptors on their way */
	int dump;
	int failed; /* pipe to the parent: the errno of what went wrong */
};

static const char *const own_keys[] = {PID_KEY,
				       "LISTEN_FDS=", "LISTEN_FDNAMES=", "IOASIDCTL_TOPOLOGY="};

static bool is_own(const char *variable)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_keys); i++)
		if (!strncmp(variable, own_keys[i], strlen(own_keys[i])))
			return true;
	return false;
}

static char *names_text(const struct handover *h)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	FILE *f = open_memstream(&text, &length);

	if (!f)
		return NULL;
	fputs("LISTEN_FDNAMES=", f);
	for (size_t i = 0; i < h->n_fds; i++)
		fprintf(f, "%s%s", i ? ":" : "", h->fds[i].name);
	if (fclose(f))
		return NULL;
	return steal_pointer(text);
}

/* Our variables are owned, at the front, as many as own_keys; the rest is borrowed. */
static void free_environment(char ***environment)
{
	for (size_t i = 0; *environment && i < ARRAY_SIZE(own_keys); i++)
		free((*environment)[i]);
	free(*environment);
}

static char *format_number(const char *format, size_t number)
{
	char *text;

	return asprintf(&text, format, number) < 0 ? NULL : text;
}

static char **make_environment(const struct handover *h)
{
	_cleanup_(free_environment)
	char **made = NULL;
	size_t n = 0, out = 0;

	while (environ && environ[n])
		n++;
	made = calloc(n + ARRAY_SIZE(own_keys) + 1, sizeof(*made));
	if (!made)
		return NULL;
	made[0] = calloc(1, sizeof(PID_KEY) + PID_DIGITS);
	made[1] = format_number("LISTEN_FDS=%zu", h->n_fds);
	made[2] = names_text(h);
	made[3] = format_number("IOASIDCTL_TOPOLOGY=/proc/self/fd/%zu", HANDOVER_FIRST + h->n_fds);
	for (; out < ARRAY_SIZE(own_keys); out++)
		if (!made[out])
			return NULL;
	for (size_t i = 0; i < n; i++)
		if (!is_own(environ[i]))
			made[out++] = environ[i];
	return steal_pointer(made);
}

/* Nobody can change what the program reads there. */
static int make_dump(const char *text, struct ioasidctl_error **err)
{
	_cleanup_close_ int fd =
		memfd_create("ioasidctl-topology", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t length = strlen(text);

	while (fd >= 0 && length) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		text += n;
		length -= (size_t)n;
	}
	if (fd < 0 || length || lseek(fd, 0, SEEK_SET) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
		return error_new(err, ERROR_MEMORY, errno, "make a file of the topology: %s",
				 strerror(errno));
	return steal_fd(&fd);
}

static void write_number(char *at, pid_t number)
{
	char digits[PID_DIGITS];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (n)
		*at++ = digits[--n];
	*at = '\0';
}

/*
 * First all of them out of the way, above every number that will be taken, then each to its place;
 * dup2() also makes them survive exec.
 */
static int place_descriptors(struct start *s)
{
	const size_t n = s->h->n_fds;
	const int above = HANDOVER_FIRST + (int)n + 1;

	s->failed = fcntl(s->failed, F_DUPFD_CLOEXEC, above);
	if (s->failed < 0)
		return -errno;
	for (size_t i = 0; i <= n; i++) {
		s->moved[i] = fcntl(i < n ? s->h->fds[i].fd : s->dump, F_DUPFD_CLOEXEC, above);
		if (s->moved[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i <= n; i++)
		if (dup2(s->moved[i], HANDOVER_FIRST + (int)i) < 0)
			return -errno;
	return 0;
}

static void reset_signals(void)
{
	const struct sigaction reset = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int signal = 1; signal < NSIG; signal++)
		sigaction(signal, &reset, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become_program(struct start *s)
{
	const int pipe = s->failed;
	int errnum = -place_descriptors(s);

	if (!errnum) {
		write_number(s->pid_text, getpid());
		reset_signals();
		execvpe(s->argv[0], s->argv, s->environment);
		errnum = errno;
	}
	(void)!write(s->failed < 0 ? pipe : s->failed, &errnum, sizeof(errnum));
	_exit(127);
}

/* Waits until the program runs, or for the reason why it doesn't. */
static int await_exec(int fd, pid_t pid, const char *program, struct ioasidctl_error **err)
{
	int errnum;
	ssize_t n;

	do
		n = read(fd, &errnum, sizeof(errnum));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(errnum))
		return 0;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (errnum == ENOENT)
		return error_new(err, ERROR_UNAVAILABLE, errnum, "%s: command not found", program);
	return error_new(err, errnum == EACCES ? ERROR_PERMISSION : ERROR_UNAVAILABLE, errnum,
			 "%s can't be executed: %s", program, strerror(errnum));
}

static int fork_program(struct start *s, int report, pid_t *pid, struct ioasidctl_error **err)
{
	pid_t child = fork();
	int ret;

	if (child < 0)
		return error_new(err, ERROR_MEMORY, errno, "make a process for %s: %s", s->argv[0],
				 strerror(errno));
	if (!child)
		become_program(s);
	/* Our end of it must be gone, or its end would never come. */
	close(steal_fd(&s->failed));
	ret = await_exec(report, child, s->argv[0], err);
	if (!ret)
		*pid = child;
	return ret;
}

int handover_spawn(const struct handover *h, char *const argv[], const char *dump, pid_t *pid,
		   struct ioasidctl_error **err)
{
	_cleanup_(free_environment)
	char **environment = make_environment(h);
	_cleanup_free_ int *moved = calloc(h->n_fds + 1, sizeof(*moved));
	_cleanup_close_ int report = -1;
	_cleanup_close_ int dump_fd = -1;
	struct start s = {.h = h, .argv = argv, .environment = environment, .moved = moved};
	int ends[2], ret;

	if (!environment || !moved)
		return error_nomem(err);
	if (!argv[0])
		return error_new(err, ERROR_USAGE, EINVAL, "no command to run");
	s.pid_text = environment[0] + strlen(PID_KEY);
	memcpy(environment[0], PID_KEY, strlen(PID_KEY));
	dump_fd = make_dump(dump, err);
	if (dump_fd < 0)
		return dump_fd;
	s.dump = dump_fd;
	if (pipe2(ends, O_CLOEXEC))
		return error_new(err, ERROR_MEMORY, errno, "make a pipe: %s", strerror(errno));
	report = ends[0];
	s.failed = ends[1];
	ret = fork_program(&s, report, pid, err);
	cleanup_close(&s.failed);
	return ret;
}
