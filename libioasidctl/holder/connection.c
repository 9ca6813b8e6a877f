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
	for (size_t i = c->fds_sent; i < c->n_fds; i++)
		close(c->fds[i]);
	free(c->fds);
	c->fds = NULL;
	c->n_fds = c->fds_sent = 0;
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
	drop_fds(c);
	c->fds = fds;
	c->n_fds = n;
}

/* They belong to the first byte that goes with them: if others are to follow, it goes alone. */
static ssize_t send_with_fds(struct connection *c)
{
	union {
		char space[CMSG_SPACE(CONNECTION_FDS_MAX * sizeof(int))];
		struct cmsghdr header;
	} control = {0};
	const size_t left = c->n_fds - c->fds_sent;
	const size_t now = left < CONNECTION_FDS_MAX ? left : CONNECTION_FDS_MAX;
	struct iovec part = {.iov_base = c->out + c->out_sent,
			     .iov_len = now < left ? 1 : c->out_length - c->out_sent};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = CMSG_SPACE(now * sizeof(int))};
	ssize_t n;

	control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS,
					  .cmsg_len = CMSG_LEN(now * sizeof(int))};
	memcpy(CMSG_DATA(&control.header), c->fds + c->fds_sent, now * sizeof(int));
	n = sendmsg(c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n <= 0)
		return n;
	for (size_t i = 0; i < now; i++)
		close(c->fds[c->fds_sent++]);
	if (now == left)
		drop_fds(c);
	return n;
}

static ssize_t send_some(struct connection *c)
{
	if (c->n_fds)
		return send_with_fds(c);
	return send(c->fd, c->out + c->out_sent, c->out_length - c->out_sent,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
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
