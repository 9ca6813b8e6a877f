// SPDX-License-Identifier: LGPL-2.1-or-later
/* Telling somebody that there is something to read: an eventfd of theirs, counted up. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "refdev/state.h"

void queue_init(struct refdev_queue *queue)
{
	queue->eventfd = -1;
}

void queue_done(struct refdev_queue *queue)
{
	if (queue->eventfd >= 0)
		close(queue->eventfd);
	queue->eventfd = -1;
}

/* A listener that lets its counter run full must not hold up the device. */
static void tell(const struct refdev_queue *queue)
{
	struct pollfd room = {.fd = queue->eventfd, .events = POLLOUT};

	if (queue->eventfd >= 0 && poll(&room, 1, 0) == 1 && room.revents & POLLOUT)
		eventfd_write(queue->eventfd, 1);
}

void queue_added(struct refdev_queue *queue)
{
	queue->waiting++;
	tell(queue);
}

/* A descriptor of our own for that of the process. */
static int take_descriptor(pid_t process, int fd)
{
	_cleanup_close_ int pidfd = -1;
	int own;

	if (!process)
		return fcntl(fd, F_DUPFD_CLOEXEC, 0);
	pidfd = (int)syscall(SYS_pidfd_open, process, 0);
	if (pidfd < 0)
		return -1;
	own = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	return own;
}

static bool is_eventfd(int fd)
{
	static const char expected[] = "anon_inode:[eventfd]";
	char path[32], target[sizeof(expected)];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target));
	return n == sizeof(expected) - 1 && !memcmp(target, expected, sizeof(expected) - 1);
}

int queue_listen(struct refdev_queue *queue, pid_t process, int eventfd)
{
	_cleanup_close_ int own = -1;

	if (eventfd >= 0) {
		own = take_descriptor(process, eventfd);
		if (own < 0)
			return errno == EBADF ? -EBADF : -EPERM;
		if (!is_eventfd(own))
			return -EINVAL;
	}
	queue_done(queue);
	queue->eventfd = steal_fd(&own);
	if (queue->waiting)
		tell(queue);
	return 0;
}

int call_set_eventfd(struct refdev_file *file, struct ioasid_eventfd_args *args)
{
	struct refdev_object *object = object_find_any(file, args->object);
	struct refdev_ioasid *ioasid = ioasid_find(file, args->object);
	struct refdev_queue *queue;

	if (!object)
		return -ENOENT;
	if (args->eventfd < -1)
		return -EBADF;
	queue = ioasid && ioasid->flags & IOASID_ALLOC_FAULT ? &ioasid->faults
							     : event_queue_listeners(object);
	return queue ? queue_listen(queue, file->caller, args->eventfd) : -EOPNOTSUPP;
}
