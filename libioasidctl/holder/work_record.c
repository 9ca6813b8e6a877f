// SPDX-License-Identifier: LGPL-2.1-or-later
/* The journal around a transaction, and what a holder does with it when it starts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "holder/work_state.h"

static int copy_text(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

static int copy_inputs(struct journal_entry *out, const struct journal_entry *inputs)
{
	int ret;

	*out = (struct journal_entry){.owner = inputs->owner, .driver = inputs->driver};
	ret = copy_text(&out->name, inputs->name);
	if (!ret)
		ret = copy_text(&out->file, inputs->file);
	if (!ret)
		ret = copy_text(&out->config, inputs->config);
	return ret;
}

/*
 * A journal that can't be written doesn't stop the work: it is needed only if this process crashes,
 * and saying so is all that can be done about it.
 */
static void write_entry(const struct work *work, const struct journal_entry *entry)
{
	_cleanup_error_ struct ioasidctl_error *why = NULL;

	if (journal_write(work->journal, entry, &why))
		work_log_error(work, "journal", why);
}

static void remove_entry(const struct work *work, const char *name)
{
	_cleanup_error_ struct ioasidctl_error *why = NULL;

	if (journal_remove(work->journal, name, &why))
		work_log_error(work, "journal", why);
}

void record_begin(struct work *work, struct record *record, const struct journal_entry *inputs)
{
	const struct topology *live = engine_topology(work->world->engine, inputs->name);

	*record = (struct record){.work = work};
	record->had_before = !journal_read(work->journal, inputs->name, &record->before, NULL);
	if (!copy_inputs(&record->after, inputs) && live)
		bindings_add_live(&record->after, live);
}

void record_intend(void *data, const struct topology *desired)
{
	struct record *record = data;
	size_t known = record->after.n_bindings;

	if (bindings_add_intended(&record->after, desired))
		work_log(record->work, "journal: out of memory, topology %s is not in it",
			 desired->name);
	if (record->after.n_bindings == known || !record->after.name || !record->after.config)
		return;
	write_entry(record->work, &record->after);
	record->intended = true;
}

static void clear_bindings(struct journal_entry *entry)
{
	struct journal_entry bindings = {.bindings = entry->bindings,
					 .n_bindings = entry->n_bindings};

	journal_entry_done(&bindings);
	entry->bindings = NULL;
	entry->n_bindings = 0;
}

static bool uses_reference_machine(const struct topology *t)
{
	for (size_t i = 0; i < t->n_fds; i++)
		if (t->fds[i].ops->choice == DRIVER_IOASID)
			return true;
	return false;
}

void record_end(struct work *work, struct record *record, const struct topology *live,
		bool committed)
{
	struct journal_entry *after = &record->after;

	if (committed && live) {
		clear_bindings(after);
		if (!after->name || !after->config || bindings_add_live(after, live) ||
		    (uses_reference_machine(live) &&
		     copy_text(&after->machine, work->world->machine)))
			work_log(work, "journal: out of memory, topology %s is not in it",
				 live->name);
		else
			write_entry(work, after);
	} else if (record->intended && record->had_before) {
		write_entry(work, &record->before);
	} else if (record->intended) {
		remove_entry(work, after->name);
	}
	journal_entry_done(&record->before);
	journal_entry_done(after);
}

void record_refresh(struct work *work, const struct topology *live)
{
	_cleanup_entry_ struct journal_entry entry = {0};

	if (journal_read(work->journal, live->name, &entry, NULL))
		return;
	clear_bindings(&entry);
	if (!bindings_add_live(&entry, live))
		write_entry(work, &entry);
}

static void say(void *data, const char *line)
{
	const struct work *work = data;

	work_log(work, "%s", line);
}

/* The reference machine that the topology lived on comes back with it. */
static int bring_back_machine(struct work *work, const struct journal_entry *entry,
			      struct ioasidctl_error **err)
{
	struct world *world;
	int ret;

	if (!entry->machine || world_has_machine(work->world, entry->machine))
		return 0;
	if (work_held(work))
		return error_new(err, ERROR_BUSY, EBUSY,
				 "it was on another reference machine than those before it");
	ret = world_new(work->options->root, entry->machine, &world, err);
	if (ret)
		return ret;
	world_free(work->world);
	work->world = world;
	return 0;
}

static int apply_again(struct work *work, struct journal_entry *entry, struct ioasidctl_error **err)
{
	_cleanup_topology_ struct topology *desired = NULL;
	struct record record = {.work = work};
	const struct transaction how = {.driver = entry->driver,
					.may_wait = true,
					.intend = record_intend,
					.intend_data = &record};
	json_t *result = NULL;
	int ret;

	ret = bring_back_machine(work, entry, err);
	if (!ret)
		ret = config_parse(entry->config, strlen(entry->config),
				   entry->file ? entry->file : "config", &desired, err);
	if (!ret)
		ret = bindings_take(entry, desired) ? error_nomem(err) : 0;
	if (ret)
		return ret;
	bindings_delete_made(entry, engine_env(work->world->engine), say, work);
	record.after = *entry;
	ret = engine_apply(work->world->engine, steal_pointer(desired), &how, &result, err);
	*entry = record.after;
	json_decref(result);
	if (ret)
		return ret;
	if (bindings_hand_down(entry, work->world->engine) ||
	    bindings_add_live(entry, engine_topology(work->world->engine, entry->name)) ||
	    owners_add(work, entry->name, entry->owner))
		work_log(work, "topology %s: out of memory, its owner or drivers are forgotten",
			 entry->name);
	work_follow(work, entry->name);
	hotplug_consider_all(work, engine_topology(work->world->engine, entry->name));
	entry->kept = false;
	write_entry(work, entry);
	return 0;
}

static void recover_one(struct work *work, const char *name)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	_cleanup_entry_ struct journal_entry entry = {0};
	int ret;

	if (work_go_on(work, name))
		return;
	ret = journal_read(work->journal, name, &entry, &err);
	if (ret) {
		work_log_error(work, "journal", err);
		if (ret == -EINVAL && !journal_put_aside(work->journal, name, NULL))
			work_log(work, "journal: entry %s put aside as %s.damaged", name, name);
		return;
	}
	if (entry.kept && !apply_again(work, &entry, &err)) {
		work_log(work, "topology %s: applied again, as the last holder kept it", name);
		return;
	}
	if (entry.kept)
		work_log(work, "topology %s: kept by the last holder, but can't be applied again",
			 name);
	else
		work_log(
			work,
			"topology %s: was lost when the last holder crashed, or could not give all "
			"of it back",
			name);
	work_log_error(work, name, err);
	if (bindings_restore(&entry, engine_env(work->world->engine), say, work))
		remove_entry(work, name);
	else
		work_log(work, "topology %s: the next start tries the rest again", name);
}

void work_recover(struct work *work)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	_cleanup_(journal_free_names)
	char **names = NULL;

	takers_watch(work);
	if (journal_names(work->journal, &names, &err)) {
		work_log_error(work, "journal", err);
		return;
	}
	for (char **name = names; *name; name++)
		recover_one(work, *name);
}
