// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Page faults: a device that can wait asks for a page and tries again once it has an answer. The
 * requests of an IOASID stand in one list, oldest first, until then.
 */
#include <errno.h>
#include <stdlib.h>

#include "refdev/memory.h"
#include "refdev/state.h"

#define PAGE 4096ULL

/* As many as the queue of the hardware holds: what doesn't fit fails at once. */
#define REQUESTS_MAX 512

enum request_state { QUEUED, READ, REFUSED /* the device hasn't tried again yet */ };

struct refdev_request {
	const struct refdev_device *device;
	uint64_t address;
	uint32_t pasid, access, cookie;
	enum request_state state;
	struct refdev_request *next;
};

static void request_free(struct refdev_ioasid *ioasid, struct refdev_request **at)
{
	struct refdev_request *r = *at;

	if (r->state == QUEUED)
		ioasid->faults.waiting--;
	*at = r->next;
	ioasid->n_requests--;
	free(r);
}

static struct refdev_request **find(struct refdev_ioasid *ioasid, const struct refdev_request *like)
{
	struct refdev_request **at = &ioasid->requests;

	while (*at && !((*at)->device == like->device && (*at)->pasid == like->pasid &&
			(*at)->address == like->address && (*at)->access == like->access))
		at = &(*at)->next;
	return at;
}

int fault_request(const struct refdev_attachment *attachment, const struct refdev_device *device,
		  uint64_t iova, bool write)
{
	struct refdev_ioasid *ioasid = attachment->ioasid;
	const struct refdev_request like = {
		.device = device,
		.pasid = attachment->pasid,
		.address = iova & ~(PAGE - 1),
		.access = write ? IOASID_ACCESS_WRITE : IOASID_ACCESS_READ,
	};
	struct refdev_request **at = find(ioasid, &like);

	if (*at) {
		if ((*at)->state != REFUSED)
			return 1;
		request_free(ioasid, at);
		return 0;
	}
	if (ioasid->n_requests >= REQUESTS_MAX)
		return 0;
	*at = malloc(sizeof(**at));
	if (!*at)
		return -ENOMEM;
	**at = like;
	(*at)->cookie = ioasid->next_fault++;
	ioasid->n_requests++;
	queue_added(&ioasid->faults);
	return 1;
}

void fault_drop(const struct refdev_attachment *attachment, const struct refdev_device *device)
{
	struct refdev_request **at = &attachment->ioasid->requests;

	while (*at)
		if ((*at)->pasid == attachment->pasid &&
		    (*at)->device->group == attachment->group &&
		    (!device || (*at)->device == device))
			request_free(attachment->ioasid, at);
		else
			at = &(*at)->next;
}

void faults_destroy(struct refdev_ioasid *ioasid)
{
	while (ioasid->requests)
		request_free(ioasid, &ioasid->requests);
}

static int find_queue(const struct refdev_file *file, uint32_t id, struct refdev_ioasid **out)
{
	*out = ioasid_find(file, id);
	if (!*out)
		return -ENOENT;
	return (*out)->flags & IOASID_ALLOC_FAULT ? 0 : -EOPNOTSUPP;
}

int call_read_faults(struct refdev_file *file, struct ioasid_read_faults_args *args)
{
	struct refdev_ioasid *ioasid;
	uint32_t room = args->count;
	int ret = find_queue(file, args->ioasid, &ioasid);

	if (ret)
		return ret;
	args->count = 0;
	for (struct refdev_request *r = ioasid->requests; r && args->count < room; r = r->next) {
		struct ioasid_fault fault = {
			.device = r->device->cookie,
			.address = r->address,
			.length = PAGE,
			.cookie = r->cookie,
			.pasid = r->pasid,
			.access = r->access,
			.group = r->cookie,
		};

		if (r->state != QUEUED)
			continue;
		if (memory_write(file->caller, args->faults + args->count * sizeof(fault), &fault,
				 sizeof(fault), NULL))
			return args->count ? 0 : -EFAULT;
		r->state = READ;
		ioasid->faults.waiting--;
		args->count++;
	}
	return 0;
}

int call_answer_fault(struct refdev_file *file, struct ioasid_answer_fault_args *args)
{
	struct refdev_ioasid *ioasid;
	struct refdev_request **at;
	int ret = find_queue(file, args->ioasid, &ioasid);

	if (args->reserved)
		return -EOPNOTSUPP;
	if (ret)
		return ret;
	if (args->response > IOASID_RESPONSE_INVALID)
		return -EINVAL;
	at = &ioasid->requests;
	while (*at && !((*at)->state == READ && (*at)->cookie == args->cookie))
		at = &(*at)->next;
	if (!*at)
		return -EINVAL;
	if (args->response == IOASID_RESPONSE_SUCCESS)
		request_free(ioasid, at);
	else
		(*at)->state = REFUSED;
	return 0;
}
