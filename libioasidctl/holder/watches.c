// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/watches.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"

#define AT_ONCE 64

struct entry {
	uint64_t id; /* never used again, unlike a descriptor's number */
	struct watch watch; /* its topology is owned */
	bool put_off;
};

struct watches {
	int epoll;
	uint64_t last_id;
	struct entry *entries;
	size_t n;
};

int watches_new(struct watches **out, struct ioasidctl_error **err)
{
	struct watches *w = calloc(1, sizeof(*w));

	if (!w)
		return error_nomem(err);
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0) {
		int ret = error_new(err, ERROR_MEMORY, errno, "prepare to wait for events: %s",
				    strerror(errno));

		free(w);
		return ret;
	}
	*out = w;
	return 0;
}

static bool is_reused(const struct watches *w, size_t i)
{
	for (size_t j = 0; j < w->n; j++)
		if (j != i && w->entries[j].watch.fd == w->entries[i].watch.fd)
			return true;
	return false;
}

/* The order isn't kept. */
static void drop(struct watches *w, size_t i)
{
	struct entry *e = &w->entries[i];

	/* A closed descriptor has left by itself, and its number may be that of another watch. */
	if (!is_reused(w, i))
		(void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, e->watch.fd, NULL);
	free((char *)e->watch.topology);
	*e = w->entries[--w->n];
}

void watches_free(struct watches *w)
{
	if (!w)
		return;
	while (w->n)
		drop(w, w->n - 1);
	free(w->entries);
	close(w->epoll);
	free(w);
}

int watches_fd(const struct watches *w)
{
	return w->epoll;
}

int watches_add(struct watches *w, const struct watch *watch)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = w->last_id + 1};
	struct entry *grown = reallocarray(w->entries, w->n + 1, sizeof(*grown));
	_cleanup_free_ char *topology = NULL;

	if (!grown)
		return -ENOMEM;
	w->entries = grown;
	if (watch->topology) {
		topology = strdup(watch->topology);
		if (!topology)
			return -ENOMEM;
	}
	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, watch->fd, &event))
		return -errno;
	grown[w->n] = (struct entry){.id = ++w->last_id, .watch = *watch};
	grown[w->n++].watch.topology = steal_pointer(topology);
	return 0;
}

static bool is_of(const struct watch *watch, const char *topology)
{
	return watch->topology && topology ? !strcmp(watch->topology, topology)
					   : watch->topology == topology;
}

void watches_remove(struct watches *w, const char *topology)
{
	for (size_t i = w->n; i-- > 0;)
		if (is_of(&w->entries[i].watch, topology))
			drop(w, i);
}

void watches_remove_one(struct watches *w, int fd)
{
	for (size_t i = w->n; i-- > 0;)
		if (w->entries[i].watch.fd == fd)
			drop(w, i);
}

static struct entry *find(const struct watches *w, uint64_t id)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->entries[i].id == id)
			return &w->entries[i];
	return NULL;
}

static void listen_to(const struct watches *w, struct entry *e, bool listen)
{
	struct epoll_event event = {.events = listen ? EPOLLIN : 0, .data.u64 = e->id};

	(void)epoll_ctl(w->epoll, EPOLL_CTL_MOD, e->watch.fd, &event);
	e->put_off = !listen;
}

static void run(struct watches *w, uint64_t id, const char *busy, void *data)
{
	struct entry *e = find(w, id);
	_cleanup_free_ char *topology = NULL;
	struct watch watch;

	/* Removed by one before it. */
	if (!e)
		return;
	if (busy && (e->watch.patient || is_of(&e->watch, busy))) {
		listen_to(w, e, false);
		return;
	}
	watch = e->watch;
	/* Without memory for the copy there is a next time. */
	if (watch.topology && !(topology = strdup(watch.topology)))
		return;
	watch.topology = topology;
	watch.ready(data, &watch);
}

void watches_run(struct watches *w, const char *busy, void *data)
{
	struct epoll_event events[AT_ONCE];
	int n;

	for (size_t i = 0; !busy && i < w->n; i++)
		if (w->entries[i].put_off)
			listen_to(w, &w->entries[i], true);
	n = epoll_wait(w->epoll, events, AT_ONCE, 0);
	for (int i = 0; i < n; i++)
		run(w, events[i].data.u64, busy, data);
}

bool watches_put_off(const struct watches *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->entries[i].put_off)
			return true;
	return false;
}
