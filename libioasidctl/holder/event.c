// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/event.h"

#include <stdlib.h>
#include <string.h>

#include "holder/varlink.h"

struct event *event_new(json_t *json, const char *topology, uid_t owner, bool continues)
{
	struct event *event = calloc(1, sizeof(*event));
	json_t *parameters = json_pack("{s:o}", "event", json);

	if (event && parameters) {
		event->references = 1;
		event->owner = owner;
		event->text = varlink_reply_text(continues, parameters, &event->length);
		if (topology)
			event->topology = strdup(topology);
		if (event->text && (!topology || event->topology))
			return event;
		event_unref(event);
		return NULL;
	}
	json_decref(parameters);
	free(event);
	return NULL;
}

struct event *event_ref(struct event *event)
{
	event->references++;
	return event;
}

void event_unref(struct event *event)
{
	if (!event || --event->references)
		return;
	free(event->topology);
	free(event->text);
	free(event);
}
