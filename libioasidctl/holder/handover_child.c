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
#define LEASE_KEY  "IOASIDCTL_LEASE="

/* All that the child needs. */
struct start {
	const struct handover *h;
	char *const *argv;
	char **environment;
	char *pid_text; /* in it, behind PID_KEY: the child alone knows its number */
	int *moved; /* room for the descriptors on their way */
	int dump;
	int lease; /* -1: none */
	int failed; /* pipe to the parent: the errno of what went wrong; -1: there is no parent */
};

static const char *const own_keys[] = {
	PID_KEY, "LISTEN_FDS=", "LISTEN_FDNAMES=", "IOASIDCTL_TOPOLOGY=", LEASE_KEY};

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

static void free_environment(char ***environment)
{
	for (char **variable = *environment; variable && *variable; variable++)
		free(*variable);
	free(*environment);
}

static char *format_number(const char *format, size_t number)
{
	char *text;

	return asprintf(&text, format, number) < 0 ? NULL : text;
}

static char *pid_text(void)
{
	char *text = calloc(1, sizeof(PID_KEY) + PID_DIGITS);

	return text ? strcpy(text, PID_KEY) : NULL;
}

/* Ours, beginning with the process id, then what we have. */
static char **make_environment(const struct handover *h, int lease)
{
	char *const ours[] = {
		pid_text(),
		format_number("LISTEN_FDS=%zu", h->n_fds),
		names_text(h),
		format_number("IOASIDCTL_TOPOLOGY=/proc/self/fd/%zu", HANDOVER_FIRST + h->n_fds),
		lease < 0 ? NULL : format_number(LEASE_KEY "%zu", HANDOVER_FIRST + h->n_fds + 1),
	};
	const size_t n_ours = ARRAY_SIZE(ours) - (lease < 0);
	_cleanup_(free_environment)
	char **made = NULL;
	size_t n = 0, out = 0;
	bool complete = true;

	while (environ && environ[n])
		n++;
	made = calloc(n + n_ours + 1, sizeof(*made));
	for (size_t i = 0; i < n_ours; i++) {
		complete = complete && made && ours[i];
		if (complete)
			made[out++] = ours[i];
		else
			free(ours[i]);
	}
	for (size_t i = 0; complete && i < n; i++) {
		if (is_own(environ[i]))
			continue;
		made[out] = strdup(environ[i]);
		complete = made[out++];
	}
	return complete ? steal_pointer(made) : NULL;
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

/* The i-th descriptor that the program gets: behind those of the topology the dump, the lease. */
static int source_of(const struct start *s, size_t i)
{
	if (i < s->h->n_fds)
		return s->h->fds[i].fd;
	return i == s->h->n_fds ? s->dump : s->lease;
}

/*
 * First all of them out of the way, above every number that will be taken, then each to its place;
 * dup2() also makes them survive exec.
 */
static int place_descriptors(struct start *s)
{
	const size_t n = s->h->n_fds + 1 + (s->lease >= 0);
	const int above = HANDOVER_FIRST + (int)n;

	if (s->failed >= 0) {
		s->failed = fcntl(s->failed, F_DUPFD_CLOEXEC, above);
		if (s->failed < 0)
			return -errno;
	}
	for (size_t i = 0; i < n; i++) {
		s->moved[i] = fcntl(source_of(s, i), F_DUPFD_CLOEXEC, above);
		if (s->moved[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i < n; i++)
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

static int explain(const char *program, int errnum, struct ioasidctl_error **err)
{
	if (errnum == ENOENT)
		return error_new(err, ERROR_UNAVAILABLE, errnum, "%s: command not found", program);
	return error_new(err, errnum == EACCES ? ERROR_PERMISSION : ERROR_UNAVAILABLE, errnum,
			 "%s can't be executed: %s", program, strerror(errnum));
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
	return explain(program, errnum, err);
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

static void start_done(struct start *s)
{
	free_environment(&s->environment);
	free(s->moved);
	cleanup_close(&s->dump);
	cleanup_close(&s->failed);
}

/* *s: start_done(), also after a failure. */
static int start_prepare(struct start *s, const struct handover *h, char *const argv[],
			 const char *dump, int lease, struct ioasidctl_error **err)
{
	*s = (struct start){.h = h, .argv = argv, .dump = -1, .lease = lease, .failed = -1};
	s->environment = make_environment(h, lease);
	s->moved = calloc(h->n_fds + 2, sizeof(*s->moved));
	if (!s->environment || !s->moved)
		return error_nomem(err);
	s->pid_text = s->environment[0] + strlen(PID_KEY);
	if (!argv[0])
		return error_new(err, ERROR_USAGE, EINVAL, "no command to run");
	s->dump = make_dump(dump, err);
	return s->dump < 0 ? s->dump : 0;
}

int handover_spawn(const struct handover *h, char *const argv[], const char *dump, pid_t *pid,
		   struct ioasidctl_error **err)
{
	_cleanup_close_ int report = -1;
	_cleanup_(start_done)
	struct start s;
	int ends[2], ret = start_prepare(&s, h, argv, dump, -1, err);

	if (ret)
		return ret;
	if (pipe2(ends, O_CLOEXEC))
		return error_new(err, ERROR_MEMORY, errno, "make a pipe: %s", strerror(errno));
	report = ends[0];
	s.failed = ends[1];
	return fork_program(&s, report, pid, err);
}

int handover_exec(const struct handover *h, char *const argv[], const char *dump, int lease,
		  struct ioasidctl_error **err)
{
	_cleanup_(start_done)
	struct start s;
	int ret = start_prepare(&s, h, argv, dump, lease, err);

	if (ret)
		return ret;
	ret = place_descriptors(&s);
	if (ret)
		return explain(argv[0], -ret, err);
	write_number(s.pid_text, getpid());
	execvpe(argv[0], argv, s.environment);
	return explain(argv[0], errno, err);
}
