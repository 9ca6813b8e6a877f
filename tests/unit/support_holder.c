// SPDX-License-Identifier: GPL-2.0-or-later
#include "support_holder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PATIENCE 60 /* s, for an answer that never comes */

void test_holder_prepare(struct test_holder *h)
{
	const char *tmp = getenv("TMPDIR");

	*h = (struct test_holder){
		.options = {.root = "", .ready_fd = -1, .listen_fd = -1},
		.limits = {.connections = 256,
			   .others = 16,
			   .each = 4,
			   .stall = PATIENCE * 1000,
			   .first_client = PATIENCE * 1000},
	};
	snprintf(h->directory, sizeof(h->directory), "%s/holder-XXXXXX",
		 tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	assert_non_null(mkdtemp(h->directory));
	assert_int_equal(chmod(h->directory, 0755), 0);
	snprintf(h->socket, sizeof(h->socket), "%s/control", h->directory);
	snprintf(h->log, sizeof(h->log), "%s/log", h->directory);
	h->options.socket = h->socket;
}

static void log_line(void *data, const char *line)
{
	const int *fd = data;

	dprintf(*fd, "%s\n", line);
}

static void be_holder(struct test_holder *h, int ready)
{
	struct ioasidctl_error *err = NULL;
	int log = open(h->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	h->options.ready_fd = ready;
	h->options.log = log_line;
	h->options.log_data = &log;
	if (serve(&h->options, &h->limits, &err)) {
		dprintf(log, "error: %s%s%s%s%s\n", err->message, err->cause ? ": " : "",
			err->cause ? err->cause : "", err->hint ? "; " : "",
			err->hint ? err->hint : "");
		error_free(err);
		close(log);
		exit(1);
	}
	close(log);
	exit(0);
}

void test_holder_start(struct test_holder *h)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	fflush(NULL);
	h->pid = fork();
	assert_true(h->pid >= 0);
	if (!h->pid)
		be_holder(h, ready[1]);
	close(ready[1]);
	/* One byte: it listens; none: it failed, which test_holder_end() tells. */
	(void)!read(ready[0], &byte, 1);
	close(ready[0]);
}

int test_holder_end(struct test_holder *h, int signal)
{
	int status;

	if (signal)
		kill(h->pid, signal);
	assert_int_equal(waitpid(h->pid, &status, 0), h->pid);
	h->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void test_holder_clean(struct test_holder *h)
{
	_cleanup_free_ char *command = NULL;

	if (h->pid)
		test_holder_end(h, SIGKILL);
	assert_true(asprintf(&command, "rm -rf '%s'", h->directory) > 0);
	assert_int_equal(system(command), 0);
}

bool test_holder_logged(const struct test_holder *h, const char *text)
{
	_cleanup_fclose_ FILE *f = fopen(h->log, "r");
	char line[4096];

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, text))
			return true;
	return false;
}

bool path_exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

int raw_connect(const struct test_holder *h)
{
	const struct timeval patience = {.tv_sec = PATIENCE};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", h->socket);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

void raw_send(int fd, const void *bytes, size_t length)
{
	while (length) {
		ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);

		assert_true(n > 0);
		bytes = (const char *)bytes + n;
		length -= (size_t)n;
	}
}

void raw_call(int fd, const char *method, json_t *parameters)
{
	_cleanup_free_ char *text = NULL;
	size_t length;

	text = varlink_call_text(method, false, parameters, &length);
	assert_non_null(text);
	raw_send(fd, text, length);
}

char *raw_receive(int fd)
{
	size_t length = 0, size = 0;
	char *text = NULL;

	for (;;) {
		ssize_t n;

		if (length == size) {
			size = size ? size * 2 : 1024;
			text = realloc(text, size);
			assert_non_null(text);
		}
		/* One by one, for the next message isn't ours. */
		n = recv(fd, text + length, 1, 0);
		if (n < 0 && errno != ECONNRESET)
			fail_msg("waited in vain: %s", strerror(errno));
		if (n <= 0) {
			free(text);
			return NULL;
		}
		if (!text[length++])
			return text;
	}
}

json_t *raw_reply(int fd)
{
	_cleanup_free_ char *text = raw_receive(fd);
	json_t *reply;

	assert_non_null(text);
	reply = json_loads(text, 0, NULL);
	assert_non_null(reply);
	return reply;
}

json_t *raw_ask(int fd, const char *method, json_t *parameters)
{
	raw_call(fd, method, parameters);
	return raw_reply(fd);
}

json_t *holder_ask(const struct test_holder *h, const char *method, json_t *parameters)
{
	_cleanup_close_ int fd = raw_connect(h);

	return raw_ask(fd, method, parameters);
}

const char *json_text_at(const json_t *json, const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	char *rest = NULL;

	for (char *key = strtok_r(copy, "/", &rest); key; key = strtok_r(NULL, "/", &rest))
		json = json_is_array(json) ? json_array_get(json, strtoul(key, NULL, 10))
					   : json_object_get(json, key);
	return json_is_string(json) ? json_string_value(json) : "";
}

const char *reply_kind(const json_t *reply)
{
	return json_text_at(reply, "parameters/errors/0/kind");
}

json_t *config_named(const char *name)
{
	char text[256];

	snprintf(text, sizeof(text), "version: 1\nname: %s\n", name);
	return json_pack("{s:s}", "config", text);
}
