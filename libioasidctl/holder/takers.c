// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/takers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "host/holders.h"
#include "host/pipe_users.h"

static void taker_free(struct taker *taker)
{
	for (size_t i = 0; i < taker->n_taken; i++)
		free(taker->taken[i].name);
	free(taker->taken);
	free(taker->topology);
	cleanup_close(&taker->process);
	cleanup_close(&taker->lease);
	free(taker);
}

static void taker_freep(struct taker **taker)
{
	if (*taker)
		taker_free(*taker);
}

static int note_taken(struct taker *taker, const struct handover *h)
{
	taker->taken = calloc(h->n_fds + 1, sizeof(*taker->taken));
	if (!taker->taken)
		return -ENOMEM;
	for (size_t i = 0; i < h->n_fds; i++) {
		struct taken *taken = &taker->taken[taker->n_taken++];

		taken->name = strdup(h->fds[i].name);
		taken->kind = h->fds[i].kind;
		taken->id = h->fds[i].id;
		if (!taken->name)
			return -ENOMEM;
	}
	return 0;
}

static int make_lease(struct taker *taker, int *other, struct ioasidctl_error **err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return error_new(err, ERROR_MEMORY, errno, "make a pipe: %s", strerror(errno));
	taker->lease = ends[1];
	*other = ends[0];
	return 0;
}

int takers_add(struct taker **list, const char *topology, const struct peer *peer, bool raw,
	       const struct handover *h, int *lease, const struct taker **out,
	       struct ioasidctl_error **err)
{
	_cleanup_(taker_freep)
	struct taker *taker = calloc(1, sizeof(*taker));
	struct taker **end = list;
	int ret;

	if (!taker)
		return error_nomem(err);
	taker->lease = taker->process = -1;
	taker->peer = *peer;
	taker->raw = raw;
	taker->topology = strdup(topology);
	if (!taker->topology || note_taken(taker, h))
		return error_nomem(err);
	/* It fails for a process of another PID namespace, and on old kernels. */
	taker->process = (int)syscall(SYS_pidfd_open, peer->pid, 0);
	ret = make_lease(taker, lease, err);
	if (ret)
		return ret;
	while (*end)
		end = &(*end)->next;
	*out = *end = steal_pointer(taker);
	return 0;
}

static const struct taker *first_of(const struct taker *list, const char *topology)
{
	while (list && strcmp(list->topology, topology))
		list = list->next;
	return list;
}

const struct taker *takers_of(const struct taker *list, const char *topology)
{
	return first_of(list, topology);
}

const struct taker *takers_next(const struct taker *after)
{
	return first_of(after->next, after->topology);
}

const struct taker *takers_find(const struct taker *list, int lease)
{
	while (list && list->lease != lease)
		list = list->next;
	return list;
}

bool taker_is_gone(const struct taker *taker)
{
	/* An end for writing says so when nobody can read any more. */
	struct pollfd end = {.fd = taker->lease};

	return poll(&end, 1, 0) == 1 && end.revents & POLLERR;
}

void takers_remove(struct taker **list, const struct taker *taker)
{
	while (*list && *list != taker)
		list = &(*list)->next;
	if (!*list)
		return;
	*list = taker->next;
	taker_free((struct taker *)taker);
}

static const struct taker *find_taken(const struct taker *list, const char *topology,
				      const struct taken *wanted)
{
	for (const struct taker *t = takers_of(list, topology); t; t = takers_next(t))
		for (size_t i = 0; i < t->n_taken; i++)
			if (t->taken[i].kind == wanted->kind && t->taken[i].id == wanted->id &&
			    !strcmp(t->taken[i].name, wanted->name))
				return t;
	return NULL;
}

const struct taker *takers_with_queue(const struct taker *list, const char *topology,
				      const char *name, uint32_t id)
{
	const struct taken wanted = {(char *)name, HANDOVER_QUEUE, id};

	return find_taken(list, topology, &wanted);
}

const struct taker *takers_with_device(const struct taker *list, const char *topology,
				       const char *name)
{
	const struct taken wanted = {(char *)name, HANDOVER_RAW_DEVICE, 0};

	return find_taken(list, topology, &wanted);
}

static json_t *taken_json(const struct taker *taker)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < taker->n_taken; i++)
		json_array_append_new(array,
				      json_pack("{s:s, s:i, s:I}", "name", taker->taken[i].name,
						"kind", (int)taker->taken[i].kind, "id",
						(json_int_t)taker->taken[i].id));
	return array;
}

static int add_named(struct descriptors *out, int fd, size_t number, const char *what)
{
	char name[64];

	snprintf(name, sizeof(name), "taker.%zu/%s", number, what);
	return fd < 0 ? 0 : descriptors_add(out, fd, name);
}

json_t *takers_record(const struct taker *list, struct descriptors *out)
{
	json_t *array = json_array();
	size_t n = 0;

	for (const struct taker *t = list; array && t; t = t->next, n++)
		if (add_named(out, t->lease, n, "lease") ||
		    add_named(out, t->process, n, "process") ||
		    json_array_append_new(array,
					  json_pack("{s:s, s:I, s:I, s:b, s:o}", "topology",
						    t->topology, "uid", (json_int_t)t->peer.uid,
						    "pid", (json_int_t)t->peer.pid, "raw", t->raw,
						    "taken", taken_json(t)))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static int restore_taken(const json_t *array, struct taker *taker)
{
	const size_t n = json_array_size(array);

	taker->taken = calloc(n + 1, sizeof(*taker->taken));
	if (!taker->taken)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const json_t *json = json_array_get(array, i);
		struct taken *taken = &taker->taken[taker->n_taken];
		const char *name;
		uint32_t kind;

		if (json_member_text(json, "name", &name) || json_member_u32(json, "kind", &kind) ||
		    kind > HANDOVER_RAW_DEVICE || json_member_u32(json, "id", &taken->id))
			return -EINVAL;
		taken->kind = (enum handover_kind)kind;
		taken->name = strdup(name);
		if (!taken->name)
			return -ENOMEM;
		taker->n_taken++;
	}
	return 0;
}

static int restore_taker(const json_t *json, size_t number, struct descriptors *given,
			 struct taker *taker)
{
	const char *topology;
	const json_t *taken;
	uint32_t uid, pid;
	char name[64];

	snprintf(name, sizeof(name), "taker.%zu/lease", number);
	taker->lease = descriptors_take(given, name);
	snprintf(name, sizeof(name), "taker.%zu/process", number);
	taker->process = descriptors_take(given, name);
	if (taker->lease < 0 || json_member_text(json, "topology", &topology) ||
	    json_member_u32(json, "uid", &uid) || json_member_u32(json, "pid", &pid) ||
	    json_member_bool(json, "raw", &taker->raw) || json_member_array(json, "taken", &taken))
		return -EINVAL;
	taker->peer.uid = uid;
	taker->peer.pid = (pid_t)pid;
	taker->topology = strdup(topology);
	return taker->topology ? restore_taken(taken, taker) : -ENOMEM;
}

int takers_restore(const json_t *json, struct descriptors *given, struct taker **list)
{
	const json_t *one;
	size_t i;
	int ret = 0;

	json_array_foreach (json, i, one) {
		struct taker *taker = calloc(1, sizeof(*taker));

		if (!taker)
			return -ENOMEM;
		taker->lease = taker->process = -1;
		*list = taker;
		list = &taker->next;
		ret = ret ? ret : restore_taker(one, i, given, taker);
	}
	return ret;
}

char *taker_program(const struct taker *taker, const char *root)
{
	/* Of a process that has ended; another one may have its number by now. */
	struct pollfd ended = {.fd = taker->process, .events = POLLIN};
	char *name = NULL, pid[16];

	if (taker->process < 0 || poll(&ended, 1, 0))
		return NULL;
	snprintf(pid, sizeof(pid), "%d", (int)taker->peer.pid);
	return process_command(root, pid, &name) ? NULL : name;
}

char *taker_text(const struct taker *taker, const char *root)
{
	_cleanup_free_ char *program = taker_program(taker, root);
	char *text = NULL;
	int n;

	if (program)
		n = asprintf(&text, "pid %d (%s)", (int)taker->peer.pid, program);
	else if (!pipe_users_text(root, taker->lease, getpid(), &text) && text)
		return text;
	else
		n = asprintf(&text, "a process that has it from pid %d", (int)taker->peer.pid);
	return n < 0 ? NULL : text;
}
