// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/uevent.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#ifndef IOASIDCTL_NO_LIBMNL
#include <libmnl/libmnl.h>
#endif

#include "base/cleanup.h"
#include "host/device.h"

/* The variables have 2 KiB in the kernel; the path before them is of no certain length. */
#define MESSAGE_MAX 8192

/* Many devices may come and go while something long is under way. */
#define RECEIVE_BUFFER (1 << 20)

#define KERNEL_GROUP 1

static const char *const actions[] = {
	[UEVENT_ADD] = "add",
	[UEVENT_REMOVE] = "remove",
	[UEVENT_BIND] = "bind",
	[UEVENT_UNBIND] = "unbind",
};

/* The variables that matter, borrowed from the message; NULL: not in it. */
struct variables {
	const char *action, *path, *subsystem, *driver;
};

static const struct {
	const char *key;
	size_t offset;
} keys[] = {
	{"ACTION=", offsetof(struct variables, action)},
	{"DEVPATH=", offsetof(struct variables, path)},
	{"SUBSYSTEM=", offsetof(struct variables, subsystem)},
	{"DRIVER=", offsetof(struct variables, driver)},
};

/* False: the variable is there twice. */
static bool take_variable(const char *text, struct variables *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char **slot = (const char **)((char *)out + keys[i].offset);
		const size_t length = strlen(keys[i].key);

		if (strncmp(text, keys[i].key, length))
			continue;
		if (*slot)
			return false;
		*slot = text + length;
	}
	return true;
}

static int read_variables(const char *data, size_t length, struct variables *out)
{
	const char *at = memchr(data, '@', strnlen(data, length));
	const char *end = data + length;

	*out = (struct variables){0};
	if (!length || data[length - 1] || !at)
		return -EBADMSG;
	for (const char *text = data + strlen(data) + 1; text < end; text += strlen(text) + 1)
		if (!take_variable(text, out))
			return -EBADMSG;
	if (!out->action || !out->path || !out->subsystem || *out->path != '/')
		return -EBADMSG;
	/* The first line says the same; a message that contradicts itself isn't the kernel's. */
	if (strlen(out->action) != (size_t)(at - data) ||
	    strncmp(data, out->action, (size_t)(at - data)) || strcmp(at + 1, out->path))
		return -EBADMSG;
	return 0;
}

static int find_action(const char *name, enum uevent_action *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (!strcmp(actions[i], name)) {
			*out = (enum uevent_action)i;
			return 0;
		}
	return -ENOMSG;
}

static int find_subject(const char *subsystem, struct uevent *out)
{
	out->node = !strcmp(subsystem, "vfio-dev");
	if (out->node)
		return 0;
	for (int i = 0; i < SELECTOR_COUNT; i++)
		if (host_bus(i) && !strcmp(host_bus(i), subsystem)) {
			out->selector = i;
			return 0;
		}
	return -ENOMSG;
}

static int copy_part(const char *from, size_t length, char out[static NAME_MAX + 1])
{
	if (!length || length > NAME_MAX)
		return -EBADMSG;
	memcpy(out, from, length);
	out[length] = '\0';
	return 0;
}

/* The last part of the path; of a VFIO node ".../DEVICE/vfio-dev/vfio0" the device. */
static int find_address(const char *path, bool node, char out[static NAME_MAX + 1])
{
	const char *end = path + strlen(path), *start;

	for (int up = node ? 2 : 0; up >= 0; up--) {
		start = end;
		while (start > path && start[-1] != '/')
			start--;
		if (start == path)
			return -EBADMSG;
		if (up)
			end = start - 1;
	}
	return copy_part(start, (size_t)(end - start), out);
}

int uevent_parse(const char *data, size_t length, struct uevent *out)
{
	struct variables v;
	int ret = read_variables(data, length, &v);

	*out = (struct uevent){.selector = SELECTOR_COUNT};
	if (!ret)
		ret = find_action(v.action, &out->action);
	if (!ret)
		ret = find_subject(v.subsystem, out);
	if (!ret)
		ret = find_address(v.path, out->node, out->address);
	if (!ret && v.driver && *v.driver)
		ret = copy_part(v.driver, strlen(v.driver), out->driver);
	return ret;
}

bool uevent_is_kernels(const struct msghdr *message)
{
	const struct sockaddr_nl *from = message->msg_name;
	const struct cmsghdr *c = CMSG_FIRSTHDR(message);
	struct ucred cred;

	if (message->msg_flags & (MSG_TRUNC | MSG_CTRUNC) ||
	    message->msg_namelen != sizeof(*from) || from->nl_family != AF_NETLINK ||
	    from->nl_pid || from->nl_groups != KERNEL_GROUP)
		return false;
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS ||
	    c->cmsg_len != CMSG_LEN(sizeof(cred)))
		return false;
	memcpy(&cred, CMSG_DATA(c), sizeof(cred));
	return !cred.uid;
}

struct uevent_socket {
	int fd;
	struct mnl_socket *mnl;
	char data[MESSAGE_MAX];
};

#ifdef IOASIDCTL_NO_LIBMNL
static int open_socket(struct uevent_socket *s, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_UNAVAILABLE, ENOSYS,
			    "this build can't listen to the kernel's device events");

	s->fd = -1;
	error_cause(err, "it was made without libmnl");
	return ret;
}

static void close_socket(struct uevent_socket *s)
{
	(void)s;
}
#else
static int open_socket(struct uevent_socket *s, struct ioasidctl_error **err)
{
	s->mnl = mnl_socket_open2(NETLINK_KOBJECT_UEVENT, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!s->mnl || mnl_socket_bind(s->mnl, KERNEL_GROUP, MNL_SOCKET_AUTOPID) < 0)
		return error_new(err, ERROR_UNAVAILABLE, errno,
				 "can't listen to the kernel's device events: %s", strerror(errno));
	s->fd = mnl_socket_get_fd(s->mnl);
	return 0;
}

static void close_socket(struct uevent_socket *s)
{
	if (s->mnl)
		mnl_socket_close(s->mnl);
}
#endif

int uevent_open(struct uevent_socket **out, struct ioasidctl_error **err)
{
	struct uevent_socket *s = calloc(1, sizeof(*s));
	const int on = 1, size = RECEIVE_BUFFER;
	int ret;

	if (!s)
		return error_nomem(err);
	ret = open_socket(s, err);
	/* Without credentials on each message none would be believed. */
	if (!ret && setsockopt(s->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)))
		ret = error_new(err, ERROR_KERNEL, errno, "can't see who sends device events: %s",
				strerror(errno));
	if (ret) {
		uevent_close(s);
		return ret;
	}
	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		(void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	*out = s;
	return 0;
}

void uevent_close(struct uevent_socket *s)
{
	if (s)
		close_socket(s);
	free(s);
}

int uevent_fd(const struct uevent_socket *s)
{
	return s->fd;
}

int uevent_next(struct uevent_socket *s, struct uevent *out)
{
	for (;;) {
		union {
			struct cmsghdr align;
			char space[CMSG_SPACE(sizeof(struct ucred))];
		} control;
		struct sockaddr_nl from = {0};
		struct iovec part = {s->data, sizeof(s->data)};
		struct msghdr message = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		ssize_t n = recvmsg(s->fd, &message, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (uevent_is_kernels(&message) && !uevent_parse(s->data, (size_t)n, out))
			return 0;
	}
}
