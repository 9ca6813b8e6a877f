// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "holder/methods.h"
#include "holder/work_state.h"

static int prepare_to_watch(struct work *work, struct ioasidctl_error **err)
{
	int ret = watches_new(&work->watches, err);

	if (ret)
		return ret;
	work->attempts = attempts_new();
	if (!work->attempts)
		return error_nomem(err);
	ret = devices_listen(work);
	if (!ret)
		ret = hotplug_prepare(work);
	return ret ? error_new(err, ERROR_MEMORY, -ret, "prepare to wait for events: %s",
			       strerror(-ret))
		   : 0;
}

int work_new(const struct holder_options *options, struct journal *journal, struct work **out,
	     struct ioasidctl_error **err)
{
	_cleanup_free_ char *machine = NULL;
	struct work *work;
	int ret;

	if (options->machine) {
		machine = strndup(options->machine, options->machine_length);
		if (!machine)
			return error_nomem(err);
	}
	work = calloc(1, sizeof(*work));
	if (!work)
		return error_nomem(err);
	work->options = options;
	work->journal = journal;
	work->timer = -1;
	ret = world_new(options->root, machine, &work->world, err);
	if (!ret)
		ret = prepare_to_watch(work, err);
	if (ret)
		work_free(work);
	else
		*out = work;
	return ret;
}

void work_free(struct work *work)
{
	if (!work)
		return;
	takers_forget(work, NULL);
	watches_free(work->watches);
	attempts_free(work->attempts);
	devices_forget(work, NULL);
	uevent_close(work->uevents);
	free(work->no_uevents);
	queues_forget(work, NULL);
	cleanup_close(&work->timer);
	world_free(work->world);
	while (work->n_owners)
		owners_remove(work, work->owners[0].topology);
	free(work->owners);
	free(work);
}

size_t work_held(const struct work *work)
{
	return engine_count(work->world->engine);
}

void work_log(const struct work *work, const char *fmt, ...)
{
	_cleanup_free_ char *line = NULL;
	va_list args;
	int ret;

	if (!work->options->log)
		return;
	va_start(args, fmt);
	ret = vasprintf(&line, fmt, args);
	va_end(args);
	if (ret < 0)
		line = NULL;
	else
		work->options->log(work->options->log_data, line);
}

void work_log_error(const struct work *work, const char *what, const struct ioasidctl_error *err)
{
	for (; err; err = err->next)
		work_log(work, "%s: %s%s%s", what, err->message, err->cause ? ": " : "",
			 err->cause ? err->cause : "");
}

/* Collects the kernel actions of a verbose call. */
static void trace_into(void *data, const char *line)
{
	json_t *array = data, *text = json_string(line);

	/* Paths of a host may be anything; the line says so rather than be missing. */
	json_array_append_new(array, text ? text
					  : json_string("(an action with bytes that are "
							"not UTF-8)"));
}

static int driver_choice(const char *name, enum driver_choice *out, struct ioasidctl_error **err)
{
	*out = DRIVER_AUTO;
	for (int i = 0; name && driver_choice_names[i]; i++)
		if (!strcmp(driver_choice_names[i], name)) {
			*out = i;
			return 0;
		}
	if (!name)
		return 0;
	error_new(err, ERROR_USAGE, EINVAL, "there is no driver %s", name);
	error_hint(err, "one of auto, iommufd, vfio, ioasid");
	return -EINVAL;
}

/*
 * Another machine needs another world, and topologies can't move between worlds. *other: a new one,
 * which becomes the holder's if something is applied in it; NULL: the holder's own will do.
 */
static int choose_world(const struct work *work, const char *machine, struct world **other,
			struct ioasidctl_error **err)
{
	int ret;

	*other = NULL;
	if (!machine || world_has_machine(work->world, machine))
		return 0;
	if (!work_held(work))
		return world_new(work->options->root, machine, other, err);
	ret = error_new(err, ERROR_BUSY, EBUSY,
			"this holder's reference machine is another one than the call's");
	error_cause(err, "it can change only while nothing is held, and %zu topologies are",
		    work_held(work));
	error_hint(err, "delete them first, or use another holder with --socket");
	return ret;
}

static void settle_world(struct work *work, struct world **other)
{
	struct world *old = work->world;

	if (!*other || !engine_count((*other)->engine))
		return;
	work->world = *other;
	*other = old;
}

static void tell_change(struct work *work, enum event_kind kind, const struct topology *t,
			const struct peer *by)
{
	struct event_record record = event_record(kind);

	if (by) {
		record.uid = by->uid;
		record.pid = (uint64_t)by->pid;
	}
	work_publish(work, t, record);
}

int work_apply(struct work *work, struct world **other, const struct application *a,
	       struct topology *desired, const struct transaction *how, json_t **result,
	       struct ioasidctl_error **err)
{
	struct engine *engine = (other && *other ? *other : work->world)->engine;
	_cleanup_free_ char *name = strdup(desired->name);
	struct transaction recorded = *how;
	struct record record;
	bool committed, is_new;
	int ret;

	if (!name) {
		topology_free(desired);
		return error_nomem(err);
	}
	record_begin(work, &record,
		     &(struct journal_entry){.name = name,
					     .owner = owners_find(work, name, a->owner),
					     .driver = how->driver,
					     .file = (char *)a->file,
					     .config = (char *)a->config});
	recorded.intend = record_intend;
	recorded.intend_data = &record;
	is_new = !engine_topology(engine, name);
	work->changing = name;
	ret = engine_apply(engine, desired, &recorded, result, err);
	work->changing = NULL;
	/* Also when it failed: the new state may be reached with something old left behind. */
	committed = engine_topology(engine, name) == desired;
	if (other)
		settle_world(work, other);
	record_end(work, &record, engine_topology(engine, name), committed);
	if (committed && owners_add(work, name, a->owner))
		work_log(work, "topology %s: out of memory, its owner is not recorded", name);
	work_follow(work, name);
	/* Some may have come when the topology wasn't one yet. */
	if (committed && !work->attempting)
		hotplug_consider_all(work, desired);
	/* An empty one takes nothing to make. */
	if (committed && a->by &&
	    (is_new || ret || json_is_true(json_object_get(*result, "changed"))))
		tell_change(work, EVENT_APPLIED, desired, a->by);
	return ret;
}

static int run_apply(struct work *work, const struct job *job, struct transaction *how,
		     json_t **result, struct ioasidctl_error **err)
{
	const struct parameters *p = &job->parameters;
	_cleanup_world_ struct world *other = NULL;
	struct topology *desired = NULL;
	int ret = driver_choice(p->driver, &how->driver, err);

	if (!ret)
		ret = config_parse(p->config, strlen(p->config), p->file ? p->file : "config",
				   &desired, err);
	if (ret)
		return ret;
	ret = choose_world(work, p->machine, &other, err);
	if (ret) {
		topology_free(desired);
		return ret;
	}
	if (how->dry_run)
		return engine_apply((other ? other : work->world)->engine, desired, how, result,
				    err);
	return work_apply(work, &other,
			  &(struct application){.config = p->config,
						.file = p->file,
						.owner = job->peer.uid,
						.by = &job->peer},
			  desired, how, result, err);
}

/* A deleted topology's event is for those who could see it, so all is kept that tells who. */
static struct topology *remember(const struct topology *t)
{
	struct topology *copy = t ? topology_new() : NULL;

	if (!copy)
		return NULL;
	copy->name = strdup(t->name);
	copy->owner_user = t->owner_user ? strdup(t->owner_user) : NULL;
	if (copy->name && (copy->owner_user || !t->owner_user))
		return copy;
	topology_free(copy);
	return NULL;
}

/* Also at the end, when there is no job any more: `by` NULL. */
static int delete_topology(struct work *work, const char *name, const struct peer *by,
			   const struct transaction *how, json_t **result,
			   struct ioasidctl_error **err)
{
	_cleanup_error_ struct ioasidctl_error *why = NULL;
	struct engine *engine = work->world->engine;
	_cleanup_topology_ struct topology *was =
		how->dry_run ? NULL : remember(engine_topology(engine, name));
	int ret = by ? takers_refuse_delete(work, name, err) : 0;

	if (ret)
		return ret;
	work->changing = name;
	ret = engine_delete(engine, name, how, result, err);
	work->changing = NULL;
	if (how->dry_run)
		return ret;
	work_follow(work, name);
	if (engine_topology(engine, name))
		return ret;
	if (was)
		tell_change(work, EVENT_DELETED, was, by);
	takers_forget(work, name);
	owners_remove(work, name);
	/* Something is left behind: a driver, perhaps, that the next holder can restore. */
	if (ret)
		return ret;
	if (journal_remove(work->journal, name, &why))
		work_log_error(work, "journal", why);
	return ret;
}

static int perform(struct work *work, struct job *job, struct transaction *how, json_t **out,
		   struct ioasidctl_error **err)
{
	json_t *result = NULL;
	int ret;

	switch (job->kind) {
	case JOB_SHOW:
		return work_show(work, job, out, err);
	case JOB_INVALIDATE:
		return work_invalidate(work, job, how, out, err);
	case JOB_FAULTS:
		return work_faults(work, job, how, out, err);
	case JOB_TAKEOVER:
		return work_takeover(work, job, out, err);
	case JOB_RECLAIM:
		return work_reclaim(work, out, err);
	case JOB_DIRTY:
		return work_dirty(work, job, how, out, err);
	case JOB_TAKE:
		return work_take(work, job, out, err);
	case JOB_TRANSLATE:
		return work_translate(work, job, out, err);
	case JOB_PLAN:
		how->dry_run = true;
		how->list = true;
		ret = run_apply(work, job, how, &result, err);
		break;
	case JOB_APPLY:
		ret = run_apply(work, job, how, &result, err);
		break;
	case JOB_DELETE:
		ret = delete_topology(work, job->parameters.name, &job->peer, how, &result, err);
		break;
	default:
		return -EINVAL;
	}
	if (!ret)
		*out = json_pack("{s:o}", "result", result);
	else
		json_decref(result);
	return ret;
}

void work_run(struct work *work, struct job *job)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	const struct parameters *p = &job->parameters;
	json_t *out = NULL, *actions = p->verbose ? json_array() : NULL;
	struct transaction how = {.dry_run = p->dry_run,
				  .may_wait = true,
				  .no_verify = !p->verify,
				  .list = p->list,
				  .cancel = &job->cancel,
				  .trace = actions ? trace_into : NULL,
				  .trace_data = actions,
				  .between = work->between,
				  .between_data = work->between_data};

	if (perform(work, job, &how, &out, &err)) {
		job->reply = methods_failed(err, actions, &job->reply_length);
		return;
	}
	if (actions)
		json_object_set_new(out, "actions", actions);
	job->reply = out ? varlink_reply_text(false, out, &job->reply_length) : NULL;
}

bool work_can_overtake(const struct work *work, const struct job *job)
{
	if ((job->kind != JOB_SHOW && job->kind != JOB_TRANSLATE) || !work->changing)
		return false;
	if (job->parameters.name)
		return strcmp(job->parameters.name, work->changing) != 0;
	/* All of them: one that is only being made isn't among them yet. */
	return !engine_topology(work->world->engine, work->changing);
}

static int remove_one(struct work *work, const char *name, struct ioasidctl_error **err)
{
	_cleanup_error_ struct ioasidctl_error *why = NULL;
	/* What still is used stays in the journal, and is given back by the next holder. */
	const struct transaction how = {.regardless = true};
	json_t *result = NULL;
	int ret = delete_topology(work, name, NULL, &how, &result, &why);

	json_decref(result);
	work_log(work, "topology %s: %s", name, ret ? "not removed cleanly" : "removed");
	if (!ret)
		return 0;
	work_log_error(work, name, why);
	return error_new(err, why ? why->kind : ERROR_KERNEL, -ret,
			 "topology %s could not be removed cleanly: %s", name,
			 why ? why->message : strerror(-ret));
}

static int keep_one(struct work *work, const char *name, struct ioasidctl_error **err)
{
	_cleanup_entry_ struct journal_entry entry = {0};
	int ret = journal_read(work->journal, name, &entry, err);

	if (ret)
		return ret;
	entry.kept = true;
	ret = journal_write(work->journal, &entry, err);
	if (!ret)
		work_log(work, "topology %s: kept for the next holder", name);
	return ret;
}

int work_end(struct work *work, bool keep, struct ioasidctl_error **err)
{
	const struct engine *engine = work->world->engine;
	int ret = 0;

	for (size_t i = engine_count(engine); i-- > 0;) {
		_cleanup_free_ char *name = strdup(engine_topology_at(engine, i)->name);
		int failed = 0;

		if (!name)
			return error_nomem(err);
		if (keep)
			failed = keep_one(work, name, err);
		/* What the journal can't keep would leave bindings that nobody knows of. */
		if (!keep || failed) {
			int left = remove_one(work, name, err);

			failed = failed ? failed : left;
		}
		ret = ret ? ret : failed;
	}
	return ret;
}
