// SPDX-License-Identifier: LGPL-2.1-or-later
/* Devices with hotplug: attach: put where they belong when they come. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "holder/clock.h"
#include "holder/work_state.h"

/* Names of devices, NULL at the end. */
struct candidates {
	char **names;
	size_t n;
};

static void candidates_done(struct candidates *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->names[i]);
	free(c->names);
}
#define _cleanup_candidates_ _cleanup_(candidates_done)

static void set_timer(const struct work *work)
{
	const uint64_t due = attempts_deadline(work->attempts);
	struct itimerspec at = {.it_value = {.tv_sec = (time_t)(due / 1000),
					     .tv_nsec = (long)(due % 1000) * 1000000}};

	/* All 0 would disarm it, too; so does the deadline that never comes. */
	if (due == UINT64_MAX)
		at = (struct itimerspec){0};
	else if (!due)
		at.it_value.tv_nsec = 1;
	(void)timerfd_settime(work->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static bool is_there(const struct work *work, const struct topology *t, const struct device *d)
{
	_cleanup_(device_facts_done)
	struct device_facts facts = {.group = NO_INDEX};

	return d->fd != NO_INDEX &&
	       !device_ops(t, d)->device_find(engine_env(work->world->engine), d, &facts, NULL) &&
	       facts.present;
}

static bool is_candidate(const struct work *work, const struct topology *t, const struct device *d)
{
	return d->absent && d->hotplug == HOTPLUG_ATTACH && is_there(work, t, d);
}

void hotplug_consider(struct work *work, const struct topology *t, const struct device *d)
{
	if (!is_candidate(work, t, d))
		return;
	if (attempts_occasion(work->attempts, t->name, clock_ms()))
		work_log(work, "topology %s: out of memory, device %s has to be applied by hand",
			 t->name, d->name);
	set_timer(work);
}

void hotplug_consider_all(struct work *work, const struct topology *t)
{
	for (size_t i = 0; i < t->n_devices; i++)
		hotplug_consider(work, t, &t->devices[i]);
}

static int find_candidates(const struct work *work, const struct topology *t,
			   struct candidates *out)
{
	out->names = calloc(t->n_devices + 1, sizeof(*out->names));
	if (!out->names)
		return -ENOMEM;
	for (size_t i = 0; i < t->n_devices; i++) {
		if (!is_candidate(work, t, &t->devices[i]))
			continue;
		out->names[out->n] = strdup(t->devices[i].name);
		if (!out->names[out->n])
			return -ENOMEM;
		out->n++;
	}
	return 0;
}

/* What was applied last, with nobody but `names` coming in. */
static int apply_with(struct work *work, const char *topology, char *const *names,
		      struct ioasidctl_error **err)
{
	struct transaction how = {.may_wait = true,
				  .attempt = (const char *const *)names,
				  .between = work->between,
				  .between_data = work->between_data};
	_cleanup_entry_ struct journal_entry entry = {0};
	struct topology *desired;
	json_t *result = NULL;
	int ret = journal_read(work->journal, topology, &entry, err);

	if (!ret)
		ret = config_parse(entry.config, strlen(entry.config),
				   entry.file ? entry.file : "config", &desired, err);
	if (ret)
		return ret;
	how.driver = entry.driver;
	ret = work_apply(work, NULL,
			 &(struct application){
				 .config = entry.config, .file = entry.file, .owner = entry.owner},
			 desired, &how, &result, err);
	json_decref(result);
	return ret;
}

static void tell_attached(struct work *work, const char *topology, const char *device)
{
	const struct topology *t = engine_topology(work->world->engine, topology);
	const uint32_t i = t ? topology_find_device(t, device) : NO_INDEX;

	if (i == NO_INDEX || t->devices[i].absent)
		return;
	work_log(work, "topology %s: device %s (%s) came and was attached", topology, device,
		 t->devices[i].address);
	work_publish_device(work, t, &t->devices[i], event_record(EVENT_DEVICE_ATTACHED));
}

static void note_trouble(struct work *work, const char *topology, const char *device,
			 const struct ioasidctl_error *why)
{
	const struct topology *t = engine_topology(work->world->engine, topology);
	_cleanup_free_ char *text = NULL;

	if (!t)
		return;
	if (asprintf(&text, "%s%s%s", why ? why->message : "out of memory",
		     why && why->cause ? ": " : "", why && why->cause ? why->cause : "") < 0)
		text = NULL;
	engine_set_trouble(work->world->engine, topology, topology_find_device(t, device), text);
}

/* All at once, for members of a group may need each other; else each by itself. */
static bool try_candidates(struct work *work, const char *topology, const struct candidates *c)
{
	bool failed = false;

	if (c->n > 1 && !apply_with(work, topology, c->names, NULL)) {
		for (size_t i = 0; i < c->n; i++)
			tell_attached(work, topology, c->names[i]);
		return true;
	}
	for (size_t i = 0; i < c->n; i++) {
		_cleanup_error_ struct ioasidctl_error *why = NULL;
		char *const one[] = {c->names[i], NULL};

		if (apply_with(work, topology, one, &why)) {
			note_trouble(work, topology, c->names[i], why);
			failed = true;
		} else {
			tell_attached(work, topology, c->names[i]);
		}
	}
	return !failed;
}

/* Those that are still out, and why. */
static void tell_failures(struct work *work, const char *topology, unsigned tries, uint64_t retry)
{
	const struct topology *t = engine_topology(work->world->engine, topology);
	struct event_record record = event_record(EVENT_ATTACH_FAILED);

	record.tries = tries;
	if (retry)
		record.retry_ms = retry;
	for (size_t i = 0; t && i < t->n_devices; i++) {
		const struct device *d = &t->devices[i];

		if (!d->absent || !d->trouble)
			continue;
		if (!retry)
			work_log(work, "topology %s: device %s (%s) can't be attached: %s",
				 topology, d->name, d->address, d->trouble);
		record.message = d->trouble;
		work_publish_device(work, t, d, record);
	}
}

static bool is_among(const struct candidates *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->names[i], name))
			return true;
	return false;
}

/* Some may have come while others were tried. */
static void consider_newcomers(struct work *work, const char *topology,
			       const struct candidates *tried)
{
	const struct topology *t = engine_topology(work->world->engine, topology);

	for (size_t i = 0; t && i < t->n_devices; i++)
		if (!is_among(tried, t->devices[i].name))
			hotplug_consider(work, t, &t->devices[i]);
}

static void attempt(struct work *work, const char *topology)
{
	const struct topology *t = engine_topology(work->world->engine, topology);
	_cleanup_candidates_ struct candidates c = {0};
	uint64_t retry;
	unsigned tries;
	bool done;

	if (!t || find_candidates(work, t, &c) || !c.n) {
		attempts_forget(work->attempts, topology);
		return;
	}
	work->attempting = topology;
	done = try_candidates(work, topology, &c);
	if (work->uevents)
		devices_read_events(work);
	work->attempting = NULL;
	if (done) {
		attempts_forget(work->attempts, topology);
	} else {
		retry = attempts_failed(work->attempts, topology, clock_ms(), &tries);
		tell_failures(work, topology, tries, retry);
	}
	consider_newcomers(work, topology, &c);
}

static void on_timer(void *data, const struct watch *watch)
{
	struct work *work = data;
	const char *due;
	uint64_t count;

	(void)!read(watch->fd, &count, sizeof(count));
	while ((due = attempts_due(work->attempts, clock_ms()))) {
		_cleanup_free_ char *topology = strdup(due);

		if (!topology)
			break;
		attempt(work, topology);
	}
	set_timer(work);
}

int hotplug_prepare(struct work *work)
{
	work->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (work->timer < 0)
		return -errno;
	return watches_add(work->watches,
			   &(struct watch){.fd = work->timer, .patient = true, .ready = on_timer});
}
