// SPDX-License-Identifier: LGPL-2.1-or-later
/* Handing descriptors of live topologies over, and who has them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "holder/connection.h"
#include "holder/work_state.h"
#include "report/report.h"

/* NULL-terminated, the strings borrowed; *out NULL: all. */
static int wanted_names(const json_t *names, const char ***out)
{
	const json_t *name;
	size_t i;

	*out = NULL;
	if (!json_array_size(names))
		return 0;
	*out = calloc(json_array_size(names) + 1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	json_array_foreach (names, i, name)
		(*out)[i] = json_string_value(name);
	return 0;
}

static int refuse_taken(const struct work *work, const struct taker *by,
			const struct handover_fd *one, struct ioasidctl_error **err)
{
	_cleanup_free_ char *who = taker_text(by, work->options->root);
	int ret = error_new(err, ERROR_BUSY, EBUSY, "%s of topology %s is taken already", one->name,
			    by->topology);

	error_cause(err, "%s has it", who ? who : "somebody");
	error_hint(err, "%s: end that program, or name what else is wanted",
		   one->kind == HANDOVER_QUEUE ? "what one reader gets of a queue, no other sees"
					       : "a device is bound by one program at a time");
	error_object(err, "%s", one->name);
	return ret;
}

/* Who has for himself what only one can have; NULL: nobody. */
static const struct taker *user_of(const struct work *work, const char *topology,
				   const struct handover_fd *one)
{
	switch (one->kind) {
	case HANDOVER_QUEUE:
		return takers_with_queue(work->takers, topology, one->name, one->id);
	case HANDOVER_RAW_DEVICE:
		return takers_with_device(work->takers, topology, one->name);
	case HANDOVER_SHARED:
		break;
	}
	return NULL;
}

static int check_exclusive(const struct work *work, const char *topology, const struct handover *h,
			   struct ioasidctl_error **err)
{
	for (size_t i = 0; i < h->n_fds; i++) {
		const struct taker *by = user_of(work, topology, &h->fds[i]);

		if (by)
			return refuse_taken(work, by, &h->fds[i], err);
	}
	return 0;
}

static int check_number(const struct work *work, const char *topology, const struct handover *h,
			struct ioasidctl_error **err)
{
	size_t n = 0;
	int ret;

	for (const struct taker *t = takers_of(work->takers, topology); t; t = takers_next(t))
		n++;
	if (n >= TAKERS_MAX)
		return error_new(err, ERROR_BUSY, EBUSY,
				 "%zu programs have descriptors of topology %s, which is the most",
				 n, topology);
	if (h->n_fds < CONNECTION_FDS_MAX)
		return 0;
	ret = error_new(err, ERROR_REFUSED, E2BIG,
			"topology %s has %zu descriptors, and a message takes %d", topology,
			h->n_fds, CONNECTION_FDS_MAX - 1);
	error_hint(err, "name those that are wanted");
	return ret;
}

static int collect(const struct work *work, const struct topology *t, const char *const *wanted,
		   bool raw, struct handover *h, struct ioasidctl_error **err)
{
	/* Not into the trace of whatever was done last. */
	struct driver_env env = *engine_env(work->world->engine);
	int ret;

	env.trace = NULL;
	if (raw)
		return handover_collect_raw(&env, t, wanted, h, err);
	ret = handover_collect(t, h, err);
	if (!ret && wanted)
		ret = handover_select(h, wanted, err);
	return ret ? ret : handover_renew(&env, t, h, err);
}

static json_t *reply_json(struct work *work, const struct topology *t, const struct handover *h)
{
	json_t *names = json_array(), *dump = show_dump(work, t);

	for (size_t i = 0; names && i < h->n_fds; i++)
		json_array_append_new(names, json_string(h->fds[i].name));
	return json_pack("{s:o, s:o}", "names", names, "dump", dump);
}

static void tell(struct work *work, enum event_kind kind, const struct taker *taker)
{
	const struct topology *t = engine_topology(work->world->engine, taker->topology);
	struct event_record record = event_record(kind);

	if (!t)
		return;
	record.uid = taker->peer.uid;
	record.pid = (uint64_t)taker->peer.pid;
	work_publish(work, t, record);
}

static void forget(struct work *work, const struct taker *taker)
{
	watches_remove_one(work->watches, taker->lease);
	takers_remove(&work->takers, taker);
}

void takers_refresh(struct work *work, const char *topology)
{
	const struct taker *t = takers_of(work->takers, topology), *next;
	bool any = false;

	for (; t; t = next) {
		next = takers_next(t);
		if (!taker_is_gone(t))
			continue;
		tell(work, EVENT_RETURNED, t);
		forget(work, t);
		any = true;
	}
	/* Queues that they read are ours again; a transaction sees to that at its end. */
	if (any && (!work->changing || strcmp(work->changing, topology)))
		work_follow(work, topology);
}

static void lease_ended(void *data, const struct watch *watch)
{
	struct work *work = data;
	const struct taker *taker = takers_find(work->takers, watch->fd);
	_cleanup_free_ char *topology = taker ? strdup(taker->topology) : NULL;

	if (topology)
		takers_refresh(work, topology);
}

/* Nobody's: also while the topology is changed it can be returned. */
static int watch_lease(struct work *work, const struct taker *taker, struct ioasidctl_error **err)
{
	const struct watch watch = {.fd = taker->lease, .ready = lease_ended};
	int ret = watches_add(work->watches, &watch);

	return ret ? error_new(err, ERROR_MEMORY, -ret, "wait for the end of a program: %s",
			       strerror(-ret))
		   : 0;
}

/* Those of the handover, which gives them away, and the lease. */
void takers_watch(struct work *work)
{
	for (const struct taker *t = work->takers; t; t = t->next) {
		_cleanup_error_ struct ioasidctl_error *why = NULL;

		if (watch_lease(work, t, &why))
			work_log_error(work, t->topology, why);
	}
}

static int give(struct job *job, struct handover *h, int lease)
{
	int *fds = calloc(h->n_fds + 1, sizeof(*fds));

	if (!fds)
		return -ENOMEM;
	for (size_t i = 0; i < h->n_fds; i++) {
		fds[i] = h->fds[i].fd;
		h->fds[i].owned = false;
	}
	fds[h->n_fds] = lease;
	job->fds = fds;
	job->n_fds = h->n_fds + 1;
	return 0;
}

static int hand_over(struct work *work, struct job *job, const struct topology *t, bool raw,
		     struct handover *h, json_t **out, struct ioasidctl_error **err)
{
	_cleanup_close_ int lease = -1;
	const struct taker *taker;
	int ret = handover_own(h, err);

	if (!ret)
		ret = takers_add(&work->takers, t->name, &job->peer, raw, h, &lease, &taker, err);
	if (ret)
		return ret;
	ret = watch_lease(work, taker, err);
	if (!ret)
		*out = reply_json(work, t, h);
	if (!ret && (!*out || give(job, h, lease)))
		ret = error_nomem(err);
	if (ret) {
		forget(work, taker);
		return ret;
	}
	lease = -1;
	tell(work, EVENT_TAKEN, taker);
	/* The queues among them are somebody else's to read. */
	work_follow(work, t->name);
	return 0;
}

int work_take(struct work *work, struct job *job, json_t **out, struct ioasidctl_error **err)
{
	const char *mode = job->parameters.mode;
	const bool raw = mode && !strcmp(mode, "raw");
	_cleanup_(handover_done)
	struct handover h = {0};
	_cleanup_free_ const char **wanted = NULL;
	const struct topology *t;
	int ret;

	if (mode && !raw && strcmp(mode, "attached"))
		return error_new(err, ERROR_USAGE, EINVAL, "there is no mode %s: attached or raw",
				 mode);
	ret = work_find_shown(work, job, &t, err);
	if (ret)
		return ret;
	if (wanted_names(job->parameters.names, &wanted))
		return error_nomem(err);
	takers_refresh(work, t->name);
	ret = collect(work, t, wanted, raw, &h, err);
	if (!ret)
		ret = check_number(work, t->name, &h, err);
	if (!ret)
		ret = check_exclusive(work, t->name, &h, err);
	return ret ? ret : hand_over(work, job, t, raw, &h, out, err);
}

int takers_refuse_delete(struct work *work, const char *topology, struct ioasidctl_error **err)
{
	_cleanup_free_ char *who = NULL;
	const struct taker *taker;
	int ret;

	takers_refresh(work, topology);
	taker = takers_of(work->takers, topology);
	if (!taker)
		return 0;
	who = taker_text(taker, work->options->root);
	ret = error_new(err, ERROR_BUSY, EBUSY, "topology %s is in use: its descriptors are taken",
			topology);
	error_cause(err, "%s has them", who ? who : "somebody");
	error_hint(err,
		   "end that program, or have it close IOASIDCTL_LEASE; `ioasidctl show %s` "
		   "lists all that have some",
		   topology);
	error_object(err, "%s", topology);
	return ret;
}

void takers_forget(struct work *work, const char *topology)
{
	const struct taker *t;

	while ((t = topology ? takers_of(work->takers, topology) : work->takers))
		forget(work, t);
}
