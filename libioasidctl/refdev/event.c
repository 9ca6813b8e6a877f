// SPDX-License-Identifier: LGPL-2.1-or-later
/* Event queues of viommus: bounded, and marked where something was lost. */
#include <errno.h>
#include <stdlib.h>

#include "refdev/memory.h"
#include "refdev/state.h"

#define SEQUENCE_MAX 0x7fffffffU

struct record {
	struct ioasid_event event;
	struct record *next;
};

struct refdev_event_queue {
	struct refdev_object object;
	struct refdev_viommu *viommu;
	struct refdev_queue listeners;
	uint32_t depth, n_events, sequence;
	struct record *first, **end; /* oldest first */
	/* The mark stands behind the last event and goes when another comes. */
	bool lost;
	uint32_t lost_sequence;
};

int call_event_queue_alloc(struct refdev_file *file, struct ioasid_event_queue_args *args)
{
	struct refdev_viommu *viommu =
		(struct refdev_viommu *)object_find(file, args->viommu, OBJECT_VIOMMU);
	struct refdev_event_queue *queue;
	int ret;

	if (args->reserved)
		return -EOPNOTSUPP;
	if (!args->depth || args->depth > IOASID_EVENTS_MAX)
		return -EINVAL;
	if (!viommu)
		return -ENOENT;
	if (viommu->events)
		return -EEXIST;
	queue = object_new(file, OBJECT_EVENT_QUEUE, sizeof(*queue), &ret);
	if (!queue)
		return ret;
	queue_init(&queue->listeners);
	queue->viommu = viommu;
	queue->depth = args->depth;
	queue->end = &queue->first;
	viommu->events = queue;
	viommu->object.users++;
	object_publish(&queue->object);
	args->queue = queue->object.id;
	return 0;
}

static void remove_first(struct refdev_event_queue *queue)
{
	struct record *r = queue->first;

	queue->first = r->next;
	if (!queue->first)
		queue->end = &queue->first;
	queue->n_events--;
	queue->listeners.waiting--;
	free(r);
}

static void remove_mark(struct refdev_event_queue *queue)
{
	if (queue->lost)
		queue->listeners.waiting--;
	queue->lost = false;
}

void event_queue_destroy(struct refdev_event_queue *queue)
{
	while (queue->first)
		remove_first(queue);
	queue_done(&queue->listeners);
	queue->viommu->events = NULL;
	queue->viommu->object.users--;
}

struct refdev_queue *event_queue_listeners(struct refdev_object *object)
{
	return object->kind == OBJECT_EVENT_QUEUE
		       ? &((struct refdev_event_queue *)object)->listeners
		       : NULL;
}

void event_report(const struct refdev_viommu *viommu, const struct refdev_device *device,
		  const struct ioasid_translation_event *event)
{
	struct refdev_event_queue *queue = viommu->events;
	struct record *r = NULL;

	/* A device without an identity there is none that the guest knows. */
	if (!queue || !device->vdevice || device->vdevice->viommu != viommu)
		return;
	if (queue->n_events < queue->depth)
		r = calloc(1, sizeof(*r));
	remove_mark(queue);
	if (r) {
		r->event.sequence = queue->sequence;
		r->event.size = sizeof(*event);
		r->event.data = *event;
		r->event.data.virt_id = device->vdevice->virt_id;
		*queue->end = r;
		queue->end = &r->next;
		queue->n_events++;
	} else {
		queue->lost = true;
		queue->lost_sequence = queue->sequence;
	}
	queue->sequence = (queue->sequence + 1) & SEQUENCE_MAX;
	queue_added(&queue->listeners);
}

int call_read_events(struct refdev_file *file, struct ioasid_read_events_args *args)
{
	struct refdev_event_queue *queue =
		(struct refdev_event_queue *)object_find(file, args->queue, OBJECT_EVENT_QUEUE);
	uint32_t room = args->count;

	if (!queue)
		return -ENOENT;
	args->count = 0;
	while (args->count < room && (queue->first || queue->lost)) {
		struct ioasid_event mark = {.flags = IOASID_EVENT_LOST,
					    .sequence = queue->lost_sequence};

		if (memory_write(file->caller, args->events + args->count * sizeof(mark),
				 queue->first ? &queue->first->event : &mark, sizeof(mark), NULL))
			return args->count ? 0 : -EFAULT;
		args->count++;
		if (queue->first)
			remove_first(queue);
		else
			remove_mark(queue);
	}
	return 0;
}

void event_queue_describe(const struct refdev_object *object, struct ioasid_entry_event_queue *out)
{
	const struct refdev_event_queue *queue = (const struct refdev_event_queue *)object;

	*out = (struct ioasid_entry_event_queue){
		.queue = object->id,
		.viommu = queue->viommu->object.id,
		.depth = queue->depth,
		.n_events = (uint32_t)queue->listeners.waiting,
	};
}
