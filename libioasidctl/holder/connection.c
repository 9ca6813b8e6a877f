// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection *connection_new(int fd, uint64_t now)
{
	struct connection *c = calloc(1, sizeof(*c));
	struct ucred cred;
	socklen_t length = sizeof(cred);

	if (!c || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &length)) {
		free(c);
		close(fd);
		return NULL;
	}
	c->fd = fd;
	c->peer = (struct peer){.uid = cred.uid,
				.pid = cred.pid,
				.trusted = cred.uid == 0 || cred.uid == geteuid()};
	c->since = now;
	return c;
}

static void drop_fds(struct connection *c)
{
	for (size_t i = 0; i < c->n_fds; i++)
		close(c->fds[i]);
	free(c->fds);
	c->fds = NULL;
	c->n_fds = 0;
}

void connection_free(struct connection *c)
{
	drop_fds(c);
	close(c->fd);
	inbox_done(&c->in);
	subscription_free(c->subscription);
	free(c->out);
	free(c);
}

const struct varlink_limits *connection_limits(const struct connection *c)
{
	return c->peer.trusted ? &varlink_limits_trusted : &varlink_limits_others;
}

bool connection_ready(const struct connection *c)
{
	return !c->job && !c->subscription && !c->out && !c->ending && !c->dead;
}

uint32_t connection_wanted(const struct connection *c)
{
	if (c->out)
		return EPOLLOUT;
	/* Its end is told in any case. */
	return c->job || c->subscription ? 0 : EPOLLIN;
}

int connection_receive(struct connection *c, uint64_t now)
{
	size_t room;
	char *space;
	ssize_t n;
	int ret = inbox_room(&c->in, connection_limits(c)->bytes, &space, &room);

	if (ret == -ENOMEM)
		c->dead = true;
	if (ret)
		return ret;
	n = recv(c->fd, space, room, MSG_DONTWAIT);
	if (n > 0) {
		/* Not for each byte: a message has to come whole in the time allowed. */
		if (inbox_empty(&c->in))
			c->since = now;
		inbox_received(&c->in, (size_t)n);
	} else if (!n || (errno != EAGAIN && errno != EINTR)) {
		c->dead = true;
	}
	return 0;
}

void connection_add_fds(struct connection *c, int *fds, size_t n)
{
	c->fds = fds;
	c->n_fds = n;
}

/* With the descriptors: they go with the first byte, so with the first that is sent at all. */
static ssize_t send_some(struct connection *c)
{
	union {
		char space[CMSG_SPACE(CONNECTION_FDS_MAX * sizeof(int))];
		struct cmsghdr header;
	} control = {0};
	struct iovec rest = {.iov_base = c->out + c->out_sent,
			     .iov_len = c->out_length - c->out_sent};
	struct msghdr message = {.msg_iov = &rest, .msg_iovlen = 1};
	ssize_t n;

	if (c->n_fds) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(c->n_fds * sizeof(int));
		control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS,
						  .cmsg_len = CMSG_LEN(c->n_fds * sizeof(int))};
		memcpy(CMSG_DATA(&control.header), c->fds, c->n_fds * sizeof(int));
	}
	n = sendmsg(c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		drop_fds(c);
	return n;
}

void connection_flush(struct connection *c, uint64_t now)
{
	while (c->out && !c->dead) {
		ssize_t n = send_some(c);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			c->dead = true;
			return;
		}
		c->since = now;
		c->out_sent += (size_t)n;
		if (c->out_sent < c->out_length)
			continue;
		free(c->out);
		c->out = NULL;
	}
	if (c->ending)
		c->dead = true;
}

void connection_send(struct connection *c, char *text, size_t length, uint64_t now)
{
	if (!text) {
		c->dead = true;
		return;
	}
	c->out = text;
	c->out_length = length;
	c->out_sent = 0;
	c->since = now;
	connection_flush(c, now);
}

void connection_pump(struct connection *c, uint64_t now)
{
	while (c->subscription && !c->out && !c->dead) {
		size_t length;
		char *text = subscription_next(c->subscription, &length);

		if (!text)
			return;
		connection_send(c, text, length, now);
	}
}

uint64_t connection_deadline(const struct connection *c, uint64_t stall)
{
	if (c->job || (c->subscription && !c->ending))
		return UINT64_MAX;
	if (!c->talked || c->out || !inbox_empty(&c->in))
		return c->since + stall;
	return UINT64_MAX;
}
