// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The kernel answers a request about vDPA within send(2), behind a lock. Who deletes a device has
 * that lock until the device has been closed: if it is one that this process has open, sending
 * would wait for ourselves, and no signal could end that. So a thread sends.
 */
#include "host/vdpa_send.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/sysfs.h"

#define OWN_FDS "/proc/self/fd"
#define NODE	"/dev/vhost-vdpa-"
#define DELETED " (deleted)"

/* Between two looks at what this process has open. */
#define LOOK_MS 100

struct message {
	int socket, done;
	const void *data;
	size_t length;
	int ret;
};

static void *send_it(void *data)
{
	struct message *m = data;
	ssize_t n = send(m->socket, m->data, m->length, 0);

	m->ret = n < 0 ? -errno : (size_t)n == m->length ? 0 : -EMSGSIZE;
	(void)!eventfd_write(m->done, 1);
	return NULL;
}

static bool is_deleted_node(const char *fd)
{
	char path[sizeof(OWN_FDS) + 16], target[128];
	const size_t suffix = strlen(DELETED);
	ssize_t n;

	snprintf(path, sizeof(path), OWN_FDS "/%.10s", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < (ssize_t)suffix)
		return false;
	target[n] = '\0';
	return !strncmp(target, NODE, strlen(NODE)) && !strcmp(target + n - suffix, DELETED);
}

/* Their numbers stay taken, by /dev/null, until their owners have noticed. */
static void close_deleted_nodes(void)
{
	_cleanup_names_ struct name_list fds = {0};
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || sysfs_list(OWN_FDS, &fds))
		return;
	for (size_t i = 0; i < fds.n; i++)
		if (is_deleted_node(fds.names[i]))
			(void)dup3(null, atoi(fds.names[i]), O_CLOEXEC);
}

int vdpa_send(int socket, const void *data, size_t length)
{
	_cleanup_close_ int done = eventfd(0, EFD_CLOEXEC);
	struct message m = {.socket = socket, .done = done, .data = data, .length = length};
	pthread_t thread;
	int ret;

	if (done < 0)
		return -errno;
	ret = pthread_create(&thread, NULL, send_it, &m);
	if (ret)
		return -ret;
	while (poll(&(struct pollfd){.fd = done, .events = POLLIN}, 1, LOOK_MS) <= 0)
		close_deleted_nodes();
	pthread_join(thread, NULL);
	return m.ret;
}
