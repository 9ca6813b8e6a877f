// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the worker has to tell, and the descriptors that tell it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "holder/work_state.h"

void work_publish_json(struct work *work, const struct topology *t, json_t *json)
{
	struct event *event;

	if (!work->publish) {
		json_decref(json);
		return;
	}
	event = event_new(json, t ? t->name : NULL, t ? owners_uid(work, t) : 0, true);
	if (event)
		work->publish(work->publish_data, event);
	else
		work_log(work, "out of memory, an event is lost");
}

void work_publish(struct work *work, const struct topology *t, struct event_record record)
{
	record.topology = t ? t->name : NULL;
	work_publish_json(work, t, report_event(&record));
}

void work_publish_to_all(struct work *work, struct event_record record)
{
	struct event *event;

	if (!work->publish)
		return;
	event = event_new(report_event(&record), NULL, 0, true);
	if (!event)
		return;
	event->everybody = true;
	work->publish(work->publish_data, event);
}

void work_publish_device(struct work *work, const struct topology *t, const struct device *d,
			 struct event_record record)
{
	record.device = d->name;
	record.selector = selector_names[d->selector];
	record.address = d->address;
	work_publish(work, t, record);
}

/* What a live topology has to be watched for: one function for each kind of descriptor. */
static void (*const collectors[])(struct work *work, const struct topology *t) = {
	devices_watch_requests,
	queues_watch,
};

void work_watch(struct work *work, const struct topology *t, uint32_t fd, uint32_t object,
		int descriptor, void (*ready)(void *data, const struct watch *watch))
{
	const struct watch watch = {.fd = descriptor,
				    .topology = t->name,
				    .fd_index = fd,
				    .object = object,
				    .ready = ready};
	int ret = watches_add(work->watches, &watch);

	if (ret)
		work_log(work, "topology %s: can't wait for what a descriptor tells: %s", t->name,
			 strerror(-ret));
}

void work_follow(struct work *work, const char *topology)
{
	const struct topology *t = engine_topology(work->world->engine, topology);

	watches_remove(work->watches, topology);
	queues_forget(work, topology);
	if (!t) {
		attempts_forget(work->attempts, topology);
		devices_forget(work, topology);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(collectors); i++)
		collectors[i](work, t);
	devices_look_at_groups(work, t);
}

int work_watch_fd(const struct work *work)
{
	return watches_fd(work->watches);
}

void work_look(struct work *work)
{
	watches_run(work->watches, work->changing, work);
	if (!work->changing && work->recheck)
		devices_recheck(work);
}

bool work_must_look(const struct work *work)
{
	return work->recheck || watches_put_off(work->watches);
}

void work_set_publisher(struct work *work, void (*publish)(void *data, struct event *event),
			void *data)
{
	work->publish = publish;
	work->publish_data = data;
}

void work_set_between(struct work *work, void (*between)(void *data), void *data)
{
	work->between = between;
	work->between_data = data;
}

const char *work_missing_events(const struct work *work)
{
	if (work->uevents)
		return NULL;
	return work->no_uevents ? work->no_uevents : "out of memory";
}
