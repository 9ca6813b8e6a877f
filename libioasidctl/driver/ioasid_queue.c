// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Queues of the ioasid driver: page faults and events of viommus. The device adds to an eventfd for
 * each record; that one is readable while there is something.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"
#include "driver/ioasid.h"

/* Records that are read with one call. */
#define PAGE_RECORDS 64

_Static_assert((int)IOASID_ACCESS_READ == (int)FAULT_READ, "one numbering");
_Static_assert((int)IOASID_ACCESS_WRITE == (int)FAULT_WRITE, "one numbering");
_Static_assert((int)IOASID_ACCESS_EXEC == (int)FAULT_EXEC, "one numbering");
_Static_assert((int)IOASID_ACCESS_PRIVILEGED == (int)FAULT_PRIVILEGED, "one numbering");
_Static_assert(sizeof(struct ioasid_translation_event) <= VIOMMU_EVENT_MAX, "it fits");

int ioasid_listen(struct driver_fd *fd, uint32_t object, struct ioasidctl_error **err)
{
	struct ioasid_listener *l = malloc(sizeof(*l));
	struct ioasid_eventfd_args args = {.object = object};
	int ret;

	if (!l)
		return error_nomem(err);
	l->object = object;
	l->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->eventfd < 0) {
		ret = error_new(err, ERROR_MEMORY, errno, "can't make an eventfd: %s",
				strerror(errno));
		free(l);
		return ret;
	}
	args.eventfd = l->eventfd;
	ret = ioasid_call(fd, IOASID_SET_EVENTFD, &args, sizeof(args));
	if (ret) {
		close(l->eventfd);
		free(l);
		return ioasid_fail(err, IOASID_SET_EVENTFD, ret,
				   "can't listen to the queue of object %u", object);
	}
	l->next = fd->listeners;
	fd->listeners = l;
	return 0;
}

static struct ioasid_listener **find(struct driver_fd *fd, uint32_t object)
{
	struct ioasid_listener **at = &fd->listeners;

	while (*at && (*at)->object != object)
		at = &(*at)->next;
	return at;
}

void ioasid_unlisten(struct driver_fd *fd, uint32_t object)
{
	struct ioasid_listener **at = find(fd, object), *l = *at;

	if (!l)
		return;
	*at = l->next;
	close(l->eventfd);
	free(l);
}

int ioasid_queue_fd(const struct driver_fd *fd, uint32_t object)
{
	const struct ioasid_listener *l = fd->listeners;

	while (l && l->object != object)
		l = l->next;
	return l ? l->eventfd : -1;
}

/* Emptied before the queue is: what comes in between is told once too often, never too seldom. */
static void silence(struct driver_fd *fd, uint32_t object)
{
	eventfd_t count;

	if (eventfd_read(ioasid_queue_fd(fd, object), &count))
		return;
}

/* Where there was no more room, the descriptor stays readable. */
static void remind(struct driver_fd *fd, uint32_t object)
{
	eventfd_write(ioasid_queue_fd(fd, object), 1);
}

static void take_fault(const struct ioasid_fault *raw, struct io_fault *out)
{
	*out = (struct io_fault){
		.device = (uint32_t)raw->device,
		.pasid = raw->pasid,
		.group = raw->group,
		.cookie = raw->cookie,
		.access = raw->access,
		.last = true,
		.address = raw->address,
		.length = raw->length,
	};
}

static void take_event(const struct ioasid_event *raw, struct viommu_event *out)
{
	*out = (struct viommu_event){
		.lost = raw->flags & IOASID_EVENT_LOST,
		.sequence = raw->sequence,
		.size = raw->size <= sizeof(raw->data) ? raw->size : sizeof(raw->data),
	};
	if (out->lost)
		out->size = 0;
	memcpy(out->data, &raw->data, out->size);
}

int ioasid_faults_read(struct driver_fd *fd, uint32_t ioasid, struct io_fault *out, size_t room,
		       size_t *n, struct ioasidctl_error **err)
{
	struct ioasid_fault raw[PAGE_RECORDS];
	struct ioasid_read_faults_args args = {.ioasid = ioasid, .faults = (uintptr_t)raw};
	int ret;

	*n = 0;
	silence(fd, ioasid);
	while (*n < room) {
		uint32_t wanted = room - *n < PAGE_RECORDS ? (uint32_t)(room - *n) : PAGE_RECORDS;

		args.count = wanted;
		ret = ioasid_call(fd, IOASID_READ_FAULTS, &args, sizeof(args));
		/* What has been read already is the caller's: answering it is up to them. */
		if (ret && !*n)
			return ioasid_fail(err, IOASID_READ_FAULTS, ret,
					   "can't read the faults of IOASID %u", ioasid);
		if (ret || args.count > wanted)
			break;
		for (uint32_t i = 0; i < args.count; i++)
			take_fault(&raw[i], &out[(*n)++]);
		if (args.count < wanted)
			return 0;
	}
	remind(fd, ioasid);
	return 0;
}

int ioasid_events_read(struct driver_fd *fd, uint32_t events, struct viommu_event *out, size_t room,
		       size_t *n, struct ioasidctl_error **err)
{
	struct ioasid_event raw[PAGE_RECORDS];
	struct ioasid_read_events_args args = {.queue = events, .events = (uintptr_t)raw};
	int ret;

	*n = 0;
	silence(fd, events);
	while (*n < room) {
		uint32_t wanted = room - *n < PAGE_RECORDS ? (uint32_t)(room - *n) : PAGE_RECORDS;

		args.count = wanted;
		ret = ioasid_call(fd, IOASID_READ_EVENTS, &args, sizeof(args));
		if (ret && !*n)
			return ioasid_fail(err, IOASID_READ_EVENTS, ret,
					   "can't read event queue %u", events);
		if (ret || args.count > wanted)
			break;
		for (uint32_t i = 0; i < args.count; i++)
			take_event(&raw[i], &out[(*n)++]);
		if (args.count < wanted)
			return 0;
	}
	remind(fd, events);
	return 0;
}

int ioasid_fault_answer(struct driver_fd *fd, uint32_t ioasid, uint32_t cookie, bool success,
			struct ioasidctl_error **err)
{
	struct ioasid_answer_fault_args args = {.ioasid = ioasid,
						.cookie = cookie,
						.response = success ? IOASID_RESPONSE_SUCCESS
								    : IOASID_RESPONSE_INVALID};
	int ret = ioasid_call(fd, IOASID_ANSWER_FAULT, &args, sizeof(args));

	return ret ? ioasid_fail(err, IOASID_ANSWER_FAULT, ret,
				 "can't answer fault %u of IOASID %u", cookie, ioasid)
		   : 0;
}

int ioasid_events_alloc(struct driver_fd *fd, uint32_t viommu, uint32_t depth, uint32_t *id,
			struct ioasidctl_error **err)
{
	struct ioasid_event_queue_args args = {.viommu = viommu, .depth = depth};
	int ret = ioasid_call(fd, IOASID_EVENT_QUEUE_ALLOC, &args, sizeof(args));

	if (ret)
		return ioasid_fail(err, IOASID_EVENT_QUEUE_ALLOC, ret,
				   "can't make an event queue of %u events on viommu %u", depth,
				   viommu);
	ret = ioasid_listen(fd, args.queue, err);
	if (ret)
		ioasid_free_object(fd, "event queue", args.queue, NULL);
	else
		*id = args.queue;
	return ret;
}
