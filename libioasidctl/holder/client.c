// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "holder/connection.h"
#include "holder/interface.h"
#include "holder/varlink.h"
#include "report/report.h"

#define RUN_SOCKET "/run/ioasidctl/control"

/* How long a holder that is starting or ending is waited for: 5 s in all. */
#define TRIES	 250
#define PAUSE_NS (20L * 1000 * 1000)

struct client {
	int fd;
	int out; /* client_follow(); -1: not following, or that writes nothing */
	struct inbox in;
	/* Descriptors that came with a reply; unless `takes_fds`, the kernel drops them. */
	bool takes_fds;
	int *fds;
	size_t n_fds;
};

static int copy_path(const char *path, char **out, struct ioasidctl_error **err)
{
	*out = strdup(path);
	return *out ? 0 : error_nomem(err);
}

int client_socket_path(const char *option, char **path, struct ioasidctl_error **err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	int ret;

	if (!option)
		option = getenv("IOASIDCTL_SOCKET");
	if (option && *option)
		return copy_path(option, path, err);
	if (!geteuid())
		return copy_path(RUN_SOCKET, path, err);
	if (!runtime || *runtime != '/') {
		ret = error_new(err, ERROR_USAGE, ENOENT, "no place for the holder's socket");
		error_cause(err, "XDG_RUNTIME_DIR is %s", runtime ? "not a full path" : "not set");
		error_hint(err, "give one with --socket or in IOASIDCTL_SOCKET");
		return ret;
	}
	if (asprintf(path, "%s/ioasidctl/control", runtime) < 0)
		return error_nomem(err);
	return 0;
}

/* Whether a holder is at it, listening or not: it has the lock then. */
static bool is_owned(const char *path)
{
	struct flock whole = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	_cleanup_free_ char *lock = NULL;
	_cleanup_close_ int fd = -1;

	if (asprintf(&lock, "%s.lock", path) < 0) {
		lock = NULL;
		return false;
	}
	fd = open(lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return fd >= 0 && !fcntl(fd, F_OFD_GETLK, &whole) && whole.l_type != F_UNLCK;
}

static int connect_once(const struct sockaddr_un *address, int *out)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)))
		return -errno;
	*out = steal_fd(&fd);
	return 0;
}

static int connect_patiently(const struct sockaddr_un *address, int *out)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	int ret;

	for (int i = 0; i < TRIES; i++) {
		ret = connect_once(address, out);
		if ((ret != -ENOENT && ret != -ECONNREFUSED) || !is_owned(address->sun_path))
			return ret;
		nanosleep(&pause, NULL);
	}
	return ret;
}

static int explain_no_connection(const char *path, int ret, struct ioasidctl_error **err)
{
	if (ret == -ENOENT || ret == -ECONNREFUSED) {
		error_new(err, ERROR_UNAVAILABLE, -ret, "no holder listens at %s", path);
		error_hint(err, "`ioasidctl apply FILE` starts one, as does `ioasidctl daemon`");
	} else if (ret == -EACCES || ret == -EPERM) {
		error_new(err, ERROR_PERMISSION, -ret, "connect to the holder at %s: %s", path,
			  strerror(-ret));
		error_hint(err,
			   "it may be another user's: give your own with --socket, or be root");
	} else {
		error_new(err, ERROR_UNAVAILABLE, -ret, "connect to the holder at %s: %s", path,
			  strerror(-ret));
	}
	return ret;
}

int client_connect(const char *path, struct client **out, struct ioasidctl_error **err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct client *client;
	int ret;

	if (!*path || strlen(path) >= sizeof(address.sun_path)) {
		ret = error_new(err, ERROR_USAGE, ENAMETOOLONG, "socket path empty or too long: %s",
				path);
		error_hint(err, "sockets can have %zu bytes: give a shorter one with --socket",
			   sizeof(address.sun_path) - 1);
		return ret;
	}
	memcpy(address.sun_path, path, strlen(path));
	client = calloc(1, sizeof(*client));
	if (!client)
		return error_nomem(err);
	client->out = -1;
	ret = connect_patiently(&address, &client->fd);
	if (ret) {
		free(client);
		return explain_no_connection(path, ret, err);
	}
	*out = client;
	return 0;
}

int client_check_peer(const struct client *client, struct ioasidctl_error **err)
{
	struct ucred cred = {.uid = (uid_t)-1};
	socklen_t length = sizeof(cred);

	if (!getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &cred, &length) &&
	    (!cred.uid || cred.uid == geteuid()))
		return 0;
	return error_new(err, ERROR_PERMISSION, EACCES,
			 "the holder there is of user id %u, whom this process doesn't trust",
			 (unsigned)cred.uid);
}

static void drop_fds(struct client *client)
{
	while (client->n_fds)
		close(client->fds[--client->n_fds]);
	free(client->fds);
	client->fds = NULL;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	drop_fds(client);
	close(client->fd);
	inbox_done(&client->in);
	free(client);
}

void client_freep(struct client **client)
{
	client_free(*client);
}

/* A holder that doesn't want all of it closes; its reason is still there to be read. */
static int send_all(const struct client *client, const char *text, size_t length,
		    struct ioasidctl_error **err)
{
	while (length) {
		ssize_t n = send(client->fd, text, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (n < 0)
			return error_new(err, ERROR_UNAVAILABLE, errno, "send to the holder: %s",
					 strerror(errno));
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

static int explain_closed(int errnum, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_UNAVAILABLE, errnum ? errnum : EPIPE,
			    "the holder closed the connection without an answer");

	error_hint(err, "it may have ended or crashed: its log says why");
	return ret;
}

/* What there is no memory for is closed, and so found missing. */
static void keep_fds(struct client *client, const struct cmsghdr *header)
{
	const size_t n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int *grown = reallocarray(client->fds, client->n_fds + n, sizeof(*grown));
	int fds[CONNECTION_FDS_MAX];

	memcpy(fds, CMSG_DATA(header), n * sizeof(*fds));
	if (grown)
		client->fds = grown;
	for (size_t i = 0; i < n; i++)
		if (grown)
			grown[client->n_fds++] = fds[i];
		else
			close(fds[i]);
}

static ssize_t receive_some(struct client *client, char *space, size_t room)
{
	union {
		char space[CMSG_SPACE(CONNECTION_FDS_MAX * sizeof(int))];
		struct cmsghdr header;
	} control;
	struct iovec part = {.iov_base = space, .iov_len = room};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	ssize_t n;

	if (!client->takes_fds)
		return recv(client->fd, space, room, 0);
	n = recvmsg(client->fd, &message, MSG_CMSG_CLOEXEC);
	for (struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&message); c;
	     c = CMSG_NXTHDR(&message, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			keep_fds(client, c);
	return n;
}

/* Waits for the holder; -EPIPE: nobody will read any more what goes to `out`. */
static int await(const struct client *client)
{
	struct pollfd fds[] = {{.fd = client->fd, .events = POLLIN}, {.fd = client->out}};

	if (client->out < 0)
		return 0;
	while (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno == EINTR)
		;
	return fds[1].revents ? -EPIPE : 0;
}

static int receive(struct client *client, const char **text, size_t *length,
		   struct ioasidctl_error **err)
{
	while (!inbox_message(&client->in, text, length)) {
		char *space;
		size_t room;
		ssize_t n;
		int ret = inbox_room(&client->in, varlink_limits_reply.bytes, &space, &room);

		if (ret == -ENOMEM)
			return error_nomem(err);
		if (ret)
			return error_new(err, ERROR_PROTOCOL, EMSGSIZE,
					 "the holder's answer has more than %zu bytes",
					 varlink_limits_reply.bytes);
		ret = await(client);
		if (ret)
			return ret;
		n = receive_some(client, space, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return explain_closed(n ? errno : 0, err);
		inbox_received(&client->in, (size_t)n);
	}
	return 0;
}

/* An error reply, as our errors. */
static int explain_error(const struct varlink_message *reply, const char *method,
			 struct ioasidctl_error **err)
{
	struct ioasidctl_error *parsed = NULL, **end = err;
	const char *what = NULL;
	json_t *value;
	int ret;

	if (!strcmp(reply->error, VARLINK_FAILED) &&
	    !report_errors_parse(json_object_get(reply->parameters, "errors"), &parsed)) {
		ret = parsed && parsed->errnum ? -parsed->errnum : -EIO;
		while (end && *end)
			end = &(*end)->next;
		if (end)
			*end = parsed;
		else
			error_free(parsed);
		return ret;
	}
	json_object_foreach (reply->parameters, what, value)
		if (json_is_string(value))
			break;
	ret = error_new(err, ERROR_PROTOCOL, EPROTO, "the holder answered %s with %s%s%s%s", method,
			reply->error, what ? " (" : "", what ? json_string_value(value) : "",
			what ? ")" : "");
	error_hint(err, "it may be of another version: end it, and the next call starts this one");
	return ret;
}

/* *continues (may be NULL): others will follow. */
static int take_reply(struct client *client, const char *method, json_t **reply, bool *continues,
		      struct ioasidctl_error **err)
{
	_cleanup_message_ struct varlink_message message = {0};
	const char *text;
	size_t length;
	int ret = receive(client, &text, &length, err);

	if (!ret)
		ret = varlink_parse_reply(text, length, &message, err);
	if (ret)
		return ret;
	inbox_drop(&client->in, length);
	if (continues)
		*continues = message.continues && !message.error;
	/* What a verbose call did before it failed is worth showing. */
	if (reply && (!message.error || json_object_get(message.parameters, "actions")))
		*reply = message.parameters ? json_incref(message.parameters) : json_object();
	return message.error ? explain_error(&message, method, err) : 0;
}

static int send_call(struct client *client, const char *method, bool more, json_t *parameters,
		     struct ioasidctl_error **err)
{
	_cleanup_free_ char *full = NULL;
	_cleanup_free_ char *text = NULL;
	size_t length;

	if (strchr(method, '.'))
		full = strdup(method);
	else if (asprintf(&full, INTERFACE_OWN ".%s", method) < 0)
		full = NULL;
	if (!full) {
		json_decref(parameters);
		return error_nomem(err);
	}
	text = varlink_call_text(full, more, parameters, &length);
	return text ? send_all(client, text, length, err) : error_nomem(err);
}

int client_call(struct client *client, const char *method, json_t *parameters, json_t **reply,
		struct ioasidctl_error **err)
{
	int ret = send_call(client, method, false, parameters, err);

	return ret ? ret : take_reply(client, method, reply, NULL, err);
}

int client_call_for_fds(struct client *client, const char *method, json_t *parameters,
			json_t **reply, int **fds, size_t *n_fds, struct ioasidctl_error **err)
{
	int ret;

	client->takes_fds = true;
	ret = client_call(client, method, parameters, reply, err);
	client->takes_fds = false;
	if (ret) {
		drop_fds(client);
		return ret;
	}
	*fds = steal_pointer(client->fds);
	*n_fds = client->n_fds;
	client->n_fds = 0;
	return 0;
}

static int check_fds(size_t n_fds, const json_t *reply, struct ioasidctl_error **err)
{
	const json_t *names = json_object_get(reply, "names"), *name;
	size_t i;
	int ret;

	json_array_foreach (names, i, name)
		if (!json_is_string(name))
			names = NULL;
	if (json_is_array(names) && n_fds == json_array_size(names) + 1)
		return 0;
	ret = error_new(err, ERROR_PROTOCOL, EPROTO,
			"the holder has %zu descriptors and a lease to give, and %zu have come",
			json_array_size(names), n_fds);
	if (n_fds <= json_array_size(names))
		error_cause(err, "the limit of open descriptors of this process (ulimit -n) may be "
				 "too low for all of them");
	return ret;
}

int client_take(struct client *client, json_t *parameters, json_t **reply, int **fds, size_t *n_fds,
		struct ioasidctl_error **err)
{
	int ret;

	*reply = NULL;
	ret = client_call_for_fds(client, "Take", parameters, reply, fds, n_fds, err);
	if (ret) {
		json_decref(*reply);
		*reply = NULL;
		return ret;
	}
	ret = check_fds(*n_fds, *reply, err);
	if (!ret)
		return 0;
	while (*n_fds)
		close((*fds)[--*n_fds]);
	free(*fds);
	json_decref(*reply);
	*reply = NULL;
	return ret;
}

int client_follow(struct client *client, const char *method, json_t *parameters, int out,
		  int (*each)(void *data, const json_t *reply), void *data,
		  struct ioasidctl_error **err)
{
	int ret = send_call(client, method, true, parameters, err);
	bool continues = true;

	client->out = out;
	while (!ret && continues) {
		json_t *reply = NULL;

		ret = take_reply(client, method, &reply, &continues, err);
		if (!ret)
			ret = each(data, reply);
		json_decref(reply);
	}
	return ret;
}
