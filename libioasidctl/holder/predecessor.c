// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "holder/client.h"
#include "holder/takeover.h"

/* ms: how long a process takes to end once it was killed. */
#define DEATH 5000

const char *const takeover_own_names[TAKEOVER_OWN] = {
	[TAKEOVER_SOCKET] = "socket",
	[TAKEOVER_LOCK] = "lock",
};

struct predecessor {
	struct client *client;
	json_t *reply;
	struct descriptors given;
	int *clients;
	size_t n_clients;
	int pidfd;
};

static int misunderstood(const char *what, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_PROTOCOL, EPROTO, "the running holder's answer: %s", what);

	error_hint(err, "it may be of another version: end it with --keep, and start this one");
	return ret;
}

/* The descriptors get their names; those without one are connections. */
static int name_all(struct predecessor *p, int *fds, size_t n, struct ioasidctl_error **err)
{
	const json_t *names = json_object_get(predecessor_state(p), "descriptors"), *name;
	bool complete = json_array_size(names) >= TAKEOVER_OWN && n >= json_array_size(names);
	size_t i;

	json_array_foreach (names, i, name) {
		if (i >= n)
			break;
		if (!json_is_string(name) ||
		    descriptors_add(&p->given, fds[i], json_string_value(name)))
			return error_nomem(err);
		fds[i] = -1;
	}
	if (complete)
		return 0;
	error_new(err, ERROR_MEMORY, EMFILE, "only %zu of %zu descriptors have come", n,
		  json_array_size(names));
	error_cause(err, "this process can't have more open");
	error_hint(err, "raise the limit of open files (ulimit -n)");
	return -EMFILE;
}

static int take_reply(struct predecessor *p, int *fds, size_t n, struct ioasidctl_error **err)
{
	const json_t *state = predecessor_state(p);
	uint32_t version = 0, pid = 0;
	int ret;

	if (json_member_u32(state, "version", &version) || version != TAKEOVER_VERSION)
		return misunderstood("what it knows comes in a form that isn't known here", err);
	if (json_member_u32(state, "pid", &pid) || pid > INT32_MAX)
		return misunderstood("it doesn't say which process it is", err);
	ret = name_all(p, fds, n, err);
	if (ret)
		return ret;
	p->pidfd = pidfd_open((pid_t)pid, 0);
	p->n_clients = n - json_array_size(json_object_get(state, "descriptors"));
	p->clients = calloc(p->n_clients + 1, sizeof(*p->clients));
	if (!p->clients)
		return error_nomem(err);
	for (size_t i = 0; i < p->n_clients; i++)
		p->clients[i] = steal_fd(&fds[n - p->n_clients + i]);
	return 0;
}

static int ask(struct predecessor *p, struct ioasidctl_error **err)
{
	int *fds = NULL, ret;
	size_t n = 0;

	ret = client_call_for_fds(p->client, "TakeOver", json_pack("{s:s}", "action", "begin"),
				  &p->reply, &fds, &n, err);
	if (ret)
		return ret;
	ret = take_reply(p, fds, n, err);
	for (size_t i = 0; i < n; i++)
		cleanup_close(&fds[i]);
	free(fds);
	return ret;
}

int predecessor_meet(const char *path, struct predecessor **out, struct listener *listener,
		     struct ioasidctl_error **err)
{
	struct predecessor *p = calloc(1, sizeof(*p));
	bool passed = false;
	int ret;

	*listener = (struct listener){.lock = -1, .fd = -1};
	if (!p)
		return error_nomem(err);
	p->pidfd = -1;
	ret = client_connect(path, &p->client, err);
	if (ret == -ENOENT || ret == -ECONNREFUSED)
		error_hint(err, "without --takeover the daemon starts where none is");
	/* Whatever comes from there is believed. */
	if (!ret)
		ret = client_check_peer(p->client, err);
	if (!ret)
		ret = ask(p, err);
	if (!ret && json_member_bool(predecessor_state(p), "passed", &passed))
		ret = misunderstood("it doesn't say whose its socket is", err);
	if (!ret)
		ret = listener_inherit(
			path, descriptors_take(&p->given, takeover_own_names[TAKEOVER_LOCK]),
			descriptors_take(&p->given, takeover_own_names[TAKEOVER_SOCKET]), passed,
			listener, err);
	if (ret)
		predecessor_free(p);
	else
		*out = p;
	return ret;
}

const json_t *predecessor_state(const struct predecessor *p)
{
	return json_object_get(p->reply, "state");
}

struct descriptors *predecessor_given(struct predecessor *p)
{
	return &p->given;
}

static bool is_dead(const struct predecessor *p)
{
	struct pollfd end = {.fd = p->pidfd, .events = POLLIN};

	return p->pidfd >= 0 && poll(&end, 1, DEATH) == 1;
}

int predecessor_confirm(struct predecessor *p, bool *killed, struct ioasidctl_error **err)
{
	_cleanup_error_ struct ioasidctl_error *why = NULL;
	json_t *reply = NULL;
	int ret = client_call(p->client, "TakeOver", json_pack("{s:s}", "action", "confirm"),
			      &reply, &why);

	json_decref(reply);
	/* Without any answer it was killed, or it has taken everything back and goes on. */
	*killed = ret && why && (why->errnum == EPIPE || why->errnum == ECONNRESET) && is_dead(p);
	if (ret && !*killed) {
		if (err)
			*err = steal_pointer(why);
		return ret;
	}
	return 0;
}

void predecessor_cancel(struct predecessor *p)
{
	json_t *reply = NULL;

	(void)client_call(p->client, "TakeOver", json_pack("{s:s}", "action", "cancel"), &reply,
			  NULL);
	json_decref(reply);
}

int *predecessor_clients(struct predecessor *p, size_t *n)
{
	*n = p->n_clients;
	p->n_clients = 0;
	return steal_pointer(p->clients);
}

void predecessor_free(struct predecessor *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_clients; i++)
		close(p->clients[i]);
	free(p->clients);
	descriptors_close(&p->given);
	client_free(p->client);
	json_decref(p->reply);
	cleanup_close(&p->pidfd);
	free(p);
}
