// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "holder/methods.h"
#include "holder/work_state.h"

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
	ret = world_new(options->root, machine, &work->world, err);
	if (ret)
		free(work);
	else
		*out = work;
	return ret;
}

void work_free(struct work *work)
{
	if (!work)
		return;
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

static int transact_apply(struct work *work, struct world **other, const struct job *job,
			  struct topology *desired, const struct transaction *how, json_t **result,
			  struct ioasidctl_error **err)
{
	struct engine *engine = (*other ? *other : work->world)->engine;
	const struct parameters *p = &job->parameters;
	_cleanup_free_ char *name = strdup(desired->name);
	struct transaction recorded = *how;
	struct record record;
	bool committed;
	int ret;

	if (!name) {
		topology_free(desired);
		return error_nomem(err);
	}
	record_begin(work, &record,
		     &(struct journal_entry){.name = name,
					     .owner = owners_find(work, name, job->peer.uid),
					     .driver = how->driver,
					     .file = (char *)p->file,
					     .config = (char *)p->config});
	recorded.intend = record_intend;
	recorded.intend_data = &record;
	work->changing = name;
	ret = engine_apply(engine, desired, &recorded, result, err);
	work->changing = NULL;
	/* Also when it failed: the new state may be reached with something old left behind. */
	committed = engine_topology(engine, name) == desired;
	settle_world(work, other);
	record_end(work, &record, engine_topology(engine, name), committed);
	if (committed && owners_add(work, name, job->peer.uid))
		work_log(work, "topology %s: out of memory, its owner is not recorded", name);
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
	return transact_apply(work, &other, job, desired, how, result, err);
}

/* Also at the end, when there is no job any more. */
static int delete_topology(struct work *work, const char *name, const struct transaction *how,
			   json_t **result, struct ioasidctl_error **err)
{
	_cleanup_error_ struct ioasidctl_error *why = NULL;
	struct engine *engine = work->world->engine;
	int ret;

	work->changing = name;
	ret = engine_delete(engine, name, how, result, err);
	work->changing = NULL;
	if (how->dry_run || engine_topology(engine, name))
		return ret;
	owners_remove(work, name);
	if (journal_remove(work->journal, name, &why))
		work_log_error(work, "journal", why);
	return ret;
}

static int perform(struct work *work, const struct job *job, struct transaction *how, json_t **out,
		   struct ioasidctl_error **err)
{
	json_t *result = NULL;
	int ret;

	switch (job->kind) {
	case JOB_SHOW:
		return work_show(work, job, out, err);
	case JOB_INVALIDATE:
		return work_invalidate(work, job, how, out, err);
	case JOB_DIRTY:
		return work_dirty(work, job, how, out, err);
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
		ret = delete_topology(work, job->parameters.name, how, &result, err);
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

void work_run(struct work *work, struct job *job, void (*between)(void *data), void *data)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	const struct parameters *p = &job->parameters;
	json_t *out = NULL, *actions = p->verbose ? json_array() : NULL;
	struct transaction how = {.dry_run = p->dry_run,
				  .no_verify = !p->verify,
				  .list = p->list,
				  .cancel = &job->cancel,
				  .trace = actions ? trace_into : NULL,
				  .trace_data = actions,
				  .between = between,
				  .between_data = data};

	if (perform(work, job, &how, &out, &err)) {
		job->reply = methods_failed(err, actions, &job->reply_length);
		return;
	}
	if (actions)
		json_object_set_new(out, "actions", actions);
	job->reply = out ? varlink_reply_text(out, &job->reply_length) : NULL;
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
	const struct transaction how = {0};
	json_t *result = NULL;
	int ret = delete_topology(work, name, &how, &result, &why);

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
