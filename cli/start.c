// SPDX-License-Identifier: GPL-2.0-or-later
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "output.h"
#include "report/report.h"

#define REASON_MAX 65536

/*
 * The pipe's protocol: one byte from the holder means that it listens; a JSON document of errors
 * means that it never will; nothing at all, that it died.
 */
void start_report_failure(int ready_fd, const struct ioasidctl_error *err)
{
	_cleanup_free_ char *text = errors_json_text(err);
	size_t left = text ? strlen(text) : 0;

	for (const char *p = text; left;) {
		ssize_t n = write(ready_fd, p, left);

		if (n < 0)
			return;
		p += n;
		left -= (size_t)n;
	}
}

static char *const *daemon_argv(const char *machine, const char *socket, const char *ready,
				char *argv[static 12])
{
	size_t n = 0;

	argv[n++] = (char *)"ioasidctl";
	argv[n++] = (char *)"daemon";
	argv[n++] = (char *)"--exit-idle";
	argv[n++] = (char *)"--socket";
	argv[n++] = (char *)socket;
	argv[n++] = (char *)"--ready-fd";
	argv[n++] = (char *)ready;
	if (machine) {
		argv[n++] = (char *)"--machine";
		argv[n++] = (char *)machine;
	}
	argv[n] = NULL;
	return argv;
}

/* Runs in the child: only calls that are safe there, since nothing else is known to be. */
static _Noreturn void become_daemon(char *const argv[], int ready_fd)
{
	struct sigaction reset = {.sa_handler = SIG_DFL};
	sigset_t none;
	int null;

	setsid();
	for (int signal = 1; signal < NSIG; signal++)
		sigaction(signal, &reset, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDWR);
	if (null < 0 || chdir("/") || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		_exit(126);
	/* Nothing of the caller's may live on in a process that nobody sees. */
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	fcntl(ready_fd, F_SETFD, 0);
	execv("/proc/self/exe", argv);
	_exit(127);
}

static int read_reason(int fd, char *buf, size_t size, size_t *length)
{
	*length = 0;
	while (*length + 1 < size) {
		ssize_t n = read(fd, buf + *length, size - 1 - *length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		*length += (size_t)n;
		if (buf[0] != '{')
			break; /* it listens */
	}
	buf[*length] = '\0';
	return 0;
}

static int explain_death(pid_t pid, const char *reason, size_t length, struct ioasidctl_error **err)
{
	json_t *document = length ? json_loadb(reason, length, 0, NULL) : NULL;
	int status = 0, ret = -EINVAL;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (document)
		ret = report_errors_parse(json_object_get(document, "errors"), err);
	json_decref(document);
	if (!ret)
		return err && *err ? -(*err)->errnum : -EIO;
	ret = error_new(err, ERROR_UNAVAILABLE, ECHILD, "the holder didn't start");
	if (WIFSIGNALED(status))
		error_cause(err, "signal %d (%s) ended it", WTERMSIG(status),
			    strsignal(WTERMSIG(status)));
	else
		error_cause(err, "it ended with exit status %d", WEXITSTATUS(status));
	error_hint(err, "`ioasidctl daemon -v` in a terminal shows what it does");
	return ret;
}

int start_holder(const struct invocation *in, const char *socket, struct ioasidctl_error **err)
{
	_cleanup_free_ char *machine = NULL;
	_cleanup_free_ char *absolute = NULL;
	_cleanup_free_ char *reason = malloc(REASON_MAX);
	_cleanup_close_ int ours = -1;
	_cleanup_close_ int theirs = -1;
	char ready[16], *argv[12];
	size_t length;
	int pipe[2], ret;
	pid_t pid;

	if (!reason)
		return error_nomem(err);
	machine = in->machine ? realpath(in->machine, NULL) : NULL;
	if (socket[0] != '/') {
		_cleanup_free_ char *here = getcwd(NULL, 0);

		if (!here || asprintf(&absolute, "%s/%s", here, socket) < 0) {
			absolute = NULL;
			return error_nomem(err);
		}
	}
	if (pipe2(pipe, O_CLOEXEC))
		return error_new(err, ERROR_MEMORY, errno, "no pipe to a holder: %s",
				 strerror(errno));
	ours = pipe[0];
	theirs = pipe[1];
	snprintf(ready, sizeof(ready), "%d", theirs);
	daemon_argv(machine, absolute ? absolute : socket, ready, argv);
	pid = fork();
	if (pid < 0)
		return error_new(err, ERROR_MEMORY, errno, "no process for a holder: %s",
				 strerror(errno));
	if (!pid)
		become_daemon(argv, theirs);
	close(steal_fd(&theirs));
	ret = read_reason(ours, reason, REASON_MAX, &length);
	if (!ret && length && reason[0] != '{')
		return 0;
	return explain_death(pid, reason, length, err);
}
