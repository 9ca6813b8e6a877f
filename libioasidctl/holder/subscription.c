// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/subscription.h"

#include <stdlib.h>
#include <string.h>

#include "report/event.h"

struct subscription {
	struct peer peer;
	json_t *names; /* NULL: all */
	struct event *queue[SUBSCRIPTION_EVENTS];
	size_t first, count, bytes;
	uint64_t lost; /* after all that is queued */
};

struct subscription *subscription_new(const struct peer *peer, json_t *names)
{
	struct subscription *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->peer = *peer;
	s->names = json_array_size(names) ? json_incref(names) : NULL;
	return s;
}

static struct event *take(struct subscription *s)
{
	struct event *event = s->queue[s->first];

	s->first = (s->first + 1) % SUBSCRIPTION_EVENTS;
	s->count--;
	s->bytes -= event->length;
	return event;
}

void subscription_free(struct subscription *s)
{
	if (!s)
		return;
	while (s->count)
		event_unref(take(s));
	json_decref(s->names);
	free(s);
}

static bool is_named(const struct subscription *s, const char *topology)
{
	const json_t *name;
	size_t i;

	json_array_foreach (s->names, i, name)
		if (!strcmp(json_string_value(name), topology))
			return true;
	return !s->names;
}

static bool is_wanted(const struct subscription *s, const struct event *event)
{
	if (event->everybody)
		return true;
	if (!event->topology)
		return s->peer.trusted && !s->names;
	return (s->peer.trusted || s->peer.uid == event->owner) && is_named(s, event->topology);
}

void subscription_add(struct subscription *s, struct event *event)
{
	if (!is_wanted(s, event))
		return;
	/* Once some are lost, so are those after them until the client has been told. */
	if (s->lost || s->count == SUBSCRIPTION_EVENTS ||
	    (s->count && s->bytes + event->length > SUBSCRIPTION_BYTES)) {
		s->lost++;
		return;
	}
	s->queue[(s->first + s->count++) % SUBSCRIPTION_EVENTS] = event_ref(event);
	s->bytes += event->length;
}

void subscription_lose(struct subscription *s, uint64_t n)
{
	s->lost += n;
}

static char *copy_text(const struct event *event, size_t *length)
{
	char *text = malloc(event->length);

	if (text)
		memcpy(text, event->text, event->length);
	*length = event->length;
	return text;
}

static struct event *lost_event(const struct subscription *s)
{
	struct event_record record = event_record(EVENT_LOST);

	record.count = s->lost;
	return event_new(report_event(&record), NULL, 0, true);
}

char *subscription_next(struct subscription *s, size_t *length)
{
	struct event *lost = NULL;
	const struct event *event;
	char *text;

	if (s->count)
		event = s->queue[s->first];
	else if (s->lost)
		event = lost = lost_event(s);
	else
		return NULL;
	text = event ? copy_text(event, length) : NULL;
	if (text && s->count)
		event_unref(take(s));
	else if (text)
		s->lost = 0;
	event_unref(lost);
	return text;
}
