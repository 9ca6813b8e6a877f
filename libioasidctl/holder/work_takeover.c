// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All that is held goes to another holder: the worker's part of it, on both sides. What the other
 * one can read in the journal isn't told.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "apply/takeover.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "config/config.h"
#include "holder/takeover.h"
#include "holder/work_state.h"

/* Without an entry the other one wouldn't know the config. */
static int check_journal(const struct work *work, const struct topology *t,
			 struct ioasidctl_error **err)
{
	_cleanup_entry_ struct journal_entry entry = {0};

	if (!journal_read(work->journal, t->name, &entry, NULL))
		return 0;
	error_new(err, ERROR_REFUSED, ENOENT,
		  "topology %s can't be taken over: it isn't in the journal", t->name);
	error_cause(err, "writing it failed, as the holder's log told then");
	error_hint(err, "apply it again");
	return -ENOENT;
}

/* `prefix`: the topology that they belong to and a slash, or nothing. */
static int add_copies(const char *prefix, const struct descriptors *from, struct descriptors *out,
		      struct ioasidctl_error **err)
{
	for (size_t i = 0; i < from->n; i++) {
		_cleanup_close_ int copy = fcntl(from->list[i].fd, F_DUPFD_CLOEXEC, 3);
		_cleanup_free_ char *name = NULL;

		if (copy < 0)
			return error_new(err, ERROR_MEMORY, errno,
					 "duplicate the descriptor of %s%s: %s", prefix,
					 from->list[i].name, strerror(errno));
		if (asprintf(&name, "%s%s", prefix, from->list[i].name) < 0) {
			name = NULL;
			return error_nomem(err);
		}
		if (descriptors_add(out, copy, name))
			return error_nomem(err);
		copy = -1;
	}
	return 0;
}

static int record_one(const struct work *work, const struct topology *t, struct descriptors *out,
		      json_t *topologies, struct ioasidctl_error **err)
{
	_cleanup_(descriptors_done)
	struct descriptors borrowed = {0};
	char prefix[NAME_MAX_LENGTH + 2];
	json_t *record = NULL;
	int ret = takeover_check(t, err);

	if (!ret)
		ret = check_journal(work, t, err);
	if (!ret)
		ret = takeover_record(t, &borrowed, &record, err);
	if (!ret && json_array_append_new(
			    topologies, json_pack("{s:s, s:o}", "name", t->name, "record", record)))
		ret = error_nomem(err);
	snprintf(prefix, sizeof(prefix), "%s/", t->name);
	return ret ? ret : add_copies(prefix, &borrowed, out, err);
}

static int record_takers(const struct work *work, struct descriptors *out, json_t **takers,
			 struct ioasidctl_error **err)
{
	_cleanup_(descriptors_done)
	struct descriptors borrowed = {0};

	*takers = takers_record(work->takers, &borrowed);
	return *takers ? add_copies("", &borrowed, out, err) : error_nomem(err);
}

static json_t *names_json(const struct descriptors *d)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < d->n; i++)
		json_array_append_new(array, json_string(d->list[i].name));
	return array;
}

static int give(struct job *job, struct descriptors *d, struct ioasidctl_error **err)
{
	job->fds = calloc(d->n, sizeof(*job->fds));
	if (!job->fds)
		return error_nomem(err);
	for (; job->n_fds < d->n; job->n_fds++)
		job->fds[job->n_fds] = steal_fd(&d->list[job->n_fds].fd);
	return 0;
}

int work_takeover(struct work *work, struct job *job, json_t **out, struct ioasidctl_error **err)
{
	const struct engine *engine = work->world->engine;
	_cleanup_(descriptors_close)
	struct descriptors all = {0};
	json_t *topologies = json_array(), *takers = NULL;
	int ret = topologies ? 0 : error_nomem(err);

	for (size_t i = 0; !ret && i < TAKEOVER_OWN; i++)
		if (descriptors_add(&all, -1, takeover_own_names[i]))
			ret = error_nomem(err);
	for (size_t i = 0; !ret && i < engine_count(engine); i++)
		ret = record_one(work, engine_topology_at(engine, i), &all, topologies, err);
	if (!ret)
		ret = record_takers(work, &all, &takers, err);
	if (!ret)
		ret = give(job, &all, err);
	if (ret) {
		json_decref(topologies);
		json_decref(takers);
		return ret;
	}
	*out = json_pack("{s:{s:i, s:I, s:b, s:o, s:o, s:o, s:o}}", "state", "version",
			 TAKEOVER_VERSION, "pid", (json_int_t)getpid(), "passed", job->passed,
			 "descriptors", names_json(&all), "topologies", topologies, "takers",
			 takers, "faults", queues_record(work));
	if (!*out)
		return error_nomem(err);
	job->yields = true;
	work_log(work, "process %d takes over", (int)job->peer.pid);
	return 0;
}

/* The kernel's accounting is with whoever asked for it last. */
void work_take_back(struct work *work)
{
	_cleanup_error_ struct ioasidctl_error *why = NULL;

	if (engine_adopt(work->world->engine, &why))
		work_log_error(work, "memory accounting", why);
}

int work_reclaim(struct work *work, json_t **out, struct ioasidctl_error **err)
{
	work_take_back(work);
	work_log(work, "the takeover failed: going on");
	*out = json_object();
	return *out ? 0 : error_nomem(err);
}

void work_leave(struct work *work)
{
	const struct engine *engine = work->world->engine;

	for (size_t i = 0; i < engine_count(engine); i++)
		watches_remove(work->watches, engine_topology_at(engine, i)->name);
	engine_leave(work->world->engine);
}

/* Those of one topology, named without it. */
static int part(struct descriptors *all, const char *topology, struct descriptors *out)
{
	const size_t length = strlen(topology);

	for (size_t i = 0; i < all->n; i++) {
		struct descriptor *d = &all->list[i];

		if (d->fd < 0 || strncmp(d->name, topology, length) || d->name[length] != '/')
			continue;
		if (descriptors_add(out, d->fd, d->name + length + 1))
			return -ENOMEM;
		d->fd = -1;
	}
	return 0;
}

static int restore_described(struct work *work, const char *name, const json_t *record,
			     struct descriptors *given, struct ioasidctl_error **err)
{
	_cleanup_entry_ struct journal_entry entry = {0};
	_cleanup_topology_ struct topology *t = NULL;
	struct engine *engine = work->world->engine;
	int ret = journal_read(work->journal, name, &entry, err);

	if (!ret)
		ret = config_parse(entry.config, strlen(entry.config),
				   entry.file ? entry.file : "config", &t, err);
	if (!ret && strcmp(t->name, name))
		ret = error_new(err, ERROR_PROTOCOL, EINVAL,
				"the journal's entry %s is of topology %s", name, t->name);
	if (!ret && bindings_take(&entry, t))
		ret = error_nomem(err);
	if (!ret)
		ret = engine_restore(engine, steal_pointer(t), record, given, err);
	if (ret)
		return ret;
	if (bindings_hand_down(&entry, engine) || owners_add(work, name, entry.owner))
		return error_nomem(err);
	return 0;
}

static int restore_one(struct work *work, const json_t *topology, struct descriptors *all,
		       struct ioasidctl_error **err)
{
	_cleanup_(descriptors_close)
	struct descriptors given = {0};
	const char *name;

	if (json_member_text(topology, "name", &name))
		return error_new(err, ERROR_PROTOCOL, EINVAL, "a topology without a name");
	if (part(all, name, &given))
		return error_nomem(err);
	return restore_described(work, name, json_object_get(topology, "record"), &given, err);
}

int work_restore(struct work *work, const json_t *state, struct descriptors *all,
		 struct ioasidctl_error **err)
{
	const json_t *topologies = json_object_get(state, "topologies"), *topology;
	size_t i;
	int ret = 0;

	json_array_foreach (topologies, i, topology)
		ret = ret ? ret : restore_one(work, topology, all, err);
	if (ret)
		return ret;
	ret = queues_restore(work, json_object_get(state, "faults"));
	if (!ret)
		ret = takers_restore(json_object_get(state, "takers"), all, &work->takers);
	if (ret == -ENOMEM)
		return error_nomem(err);
	if (ret)
		return error_new(err, ERROR_PROTOCOL, EINVAL,
				 "what is told of page faults and of handed-over descriptors can't "
				 "be taken over");
	return engine_adopt(work->world->engine, err);
}

struct loss {
	const struct work *work;
	const char *topology;
};

static void log_lost(void *data, const char *what)
{
	const struct loss *loss = data;

	work_log(loss->work, "topology %s: %s is gone", loss->topology, what);
}

bool work_go_on(struct work *work, const char *name)
{
	const struct topology *t = engine_topology(work->world->engine, name);
	struct loss loss = {work, name};

	if (!t)
		return false;
	work_log(work, "topology %s: taken over", name);
	engine_probe(work->world->engine, name, log_lost, &loss);
	work_follow(work, name);
	hotplug_consider_all(work, t);
	/* Devices may have gone while nobody listened. */
	work->recheck = true;
	return true;
}
