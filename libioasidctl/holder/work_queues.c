// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Queues of page faults and of vIOMMUs' events. The holder takes out what comes: faults wait here
 * for their answers, and all is told to those who follow.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply/live.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "holder/work_state.h"

/* Taken out of a queue at once. */
#define BATCH 32

/* The rest stays in the kernel, and devices wait a little longer: nobody may fill our memory. */
#define WAITING_MAX 4096

struct waiting_fault {
	struct waiting_fault *next;
	char *topology;
	char *fd, *ioasid;
	uint32_t id; /* of the IOASID on its fd: another object of that name has no part in this */
	struct io_fault fault;
};

static void waiting_free(struct waiting_fault *w)
{
	free(w->topology);
	free(w->fd);
	free(w->ioasid);
	free(w);
}

static const struct device *device_of(const struct topology *t, uint32_t fd, uint32_t id)
{
	for (size_t i = 0; i < t->n_devices; i++)
		if (t->devices[i].fd == fd && t->devices[i].live.bound &&
		    t->devices[i].live.id == id)
			return &t->devices[i];
	return NULL;
}

static void fill_fault(const struct io_fault *fault, const char *access[static 5],
		       struct event_record *record)
{
	record->pasid = fault->pasid == NO_PASID ? FIELD_UNKNOWN : fault->pasid;
	record->iova = fault->address;
	record->length = fault->length ? fault->length : FIELD_UNKNOWN;
	for (size_t bit = 0; fault_access_names[bit]; bit++)
		if (fault->access & (1U << bit))
			access[record->n_access++] = fault_access_names[bit];
	record->access = access;
	record->fault_group = fault->group;
	record->cookie = fault->cookie;
	record->last = fault->last;
}

static void tell_fault(struct work *work, const struct topology *t, uint32_t fd,
		       const struct ioasid *ioasid, const struct io_fault *fault)
{
	struct event_record record = event_record(EVENT_PAGE_FAULT);
	const struct device *d = device_of(t, fd, fault->device);
	const char *access[5];

	record.fd = t->fds[fd].name;
	record.ioasid = ioasid->name;
	fill_fault(fault, access, &record);
	if (d)
		work_publish_device(work, t, d, record);
	else
		work_publish(work, t, record);
}

static int keep_fault(struct work *work, const struct topology *t, uint32_t fd,
		      const struct ioasid *ioasid, const struct io_fault *fault)
{
	struct waiting_fault *w = calloc(1, sizeof(*w)), **end = &work->faults;

	if (!w)
		return -ENOMEM;
	w->topology = strdup(t->name);
	w->fd = strdup(t->fds[fd].name);
	w->ioasid = strdup(ioasid->name);
	w->id = ioasid->live.id;
	w->fault = *fault;
	if (!w->topology || !w->fd || !w->ioasid) {
		waiting_free(w);
		return -ENOMEM;
	}
	while (*end)
		end = &(*end)->next;
	*end = w;
	work->n_faults++;
	return 0;
}

static void log_trouble(const struct work *work, const struct topology *t, const char *name,
			const struct ioasidctl_error *err)
{
	work_log(work, "topology %s: the queue of %s can't be read any more: %s", t->name, name,
		 err ? err->message : "out of memory");
}

/* 0; -EAGAIN: there may be more; -ENOSPC: too many wait; another -errno: no more can be read. */
static int take_faults(struct work *work, const struct topology *t, uint32_t fd_index,
		       const struct ioasid *ioasid, struct ioasidctl_error **err)
{
	const struct iommu_fd *fd = &t->fds[fd_index];
	struct io_fault faults[BATCH];
	size_t n = 0;
	int ret;

	if (work->n_faults + BATCH > WAITING_MAX)
		return -ENOSPC;
	ret = fd->ops->faults_read(fd->live.handle, ioasid->live.id, faults, BATCH, &n, err);
	for (size_t i = 0; i < n; i++) {
		if (keep_fault(work, t, fd_index, ioasid, &faults[i]))
			work_log(work, "topology %s: out of memory, a page fault is lost", t->name);
		tell_fault(work, t, fd_index, ioasid, &faults[i]);
	}
	return ret ? ret : n == BATCH ? -EAGAIN : 0;
}

static void faults_ready(void *data, const struct watch *watch)
{
	struct work *work = data;
	const struct topology *t = engine_topology(work->world->engine, watch->topology);
	const struct ioasid *ioasid = &t->fds[watch->fd_index].ioasids[watch->object];
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	int ret;

	/* Nothing tells of those that the driver had to take at once: a large group. */
	do
		ret = take_faults(work, t, watch->fd_index, ioasid, &err);
	while (ret == -EAGAIN);
	if (!ret)
		return;
	if (ret == -ENOSPC) {
		work->faults_put_off = true;
		work_log(work,
			 "topology %s: %zu page faults wait for answers: no more are taken from "
			 "%s until some are answered",
			 t->name, work->n_faults, ioasid->name);
	} else {
		log_trouble(work, t, ioasid->name, err);
	}
	watches_remove_one(work->watches, watch->fd);
}

/* Those that had no room while others waited. */
static void resume_faults(struct work *work)
{
	if (!work->faults_put_off || work->n_faults + BATCH > WAITING_MAX)
		return;
	work->faults_put_off = false;
	for (size_t i = 0; i < engine_count(work->world->engine); i++)
		work_follow(work, engine_topology_at(work->world->engine, i)->name);
}

static void tell_event(struct work *work, const struct topology *t, const struct iommu_fd *fd,
		       const struct viommu *viommu, const struct viommu_event *event)
{
	struct event_record record =
		event_record(event->lost ? EVENT_VIOMMU_LOST : EVENT_VIOMMU_EVENT);
	uint64_t words[VIOMMU_EVENT_MAX / sizeof(uint64_t)] = {0};

	memcpy(words, event->data, event->size < sizeof(words) ? event->size : sizeof(words));
	record.fd = fd->name;
	record.viommu = viommu->name;
	record.sequence = event->sequence;
	if (!event->lost) {
		record.words = words;
		record.n_words = (event->size + sizeof(*words) - 1) / sizeof(*words);
	}
	work_publish(work, t, record);
}

static void events_ready(void *data, const struct watch *watch)
{
	struct work *work = data;
	const struct topology *t = engine_topology(work->world->engine, watch->topology);
	const struct iommu_fd *fd = &t->fds[watch->fd_index];
	const struct viommu *viommu = &fd->viommus[watch->object];
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct viommu_event events[BATCH];
	size_t n = 0;
	int ret = fd->ops->events_read(fd->live.handle, viommu->live_events.id, events, BATCH, &n,
				       &err);

	for (size_t i = 0; i < n; i++)
		tell_event(work, t, fd, viommu, &events[i]);
	if (!ret)
		return;
	log_trouble(work, t, viommu->name, err);
	watches_remove_one(work->watches, watch->fd);
}

/* Who was handed the queue of that object, and so reads it in our place; NULL: nobody. */
static const struct taker *reader_of(const struct work *work, const struct topology *t,
				     const struct iommu_fd *fd, const char *object, uint32_t id)
{
	char name[2 * NAME_MAX_LENGTH + 2];

	snprintf(name, sizeof(name), "%s/%s", fd->name, object);
	return takers_with_queue(work->takers, t->name, name, id);
}

void queues_watch(struct work *work, const struct topology *t)
{
	for (uint32_t i = 0; i < t->n_fds; i++) {
		const struct iommu_fd *fd = &t->fds[i];

		for (uint32_t j = 0; j < fd->n_ioasids; j++) {
			const struct ioasid *ioasid = &fd->ioasids[j];
			int descriptor = -1;

			if (ioasid->live.exists && ioasid->flags & IOASID_FLAG_FAULT_QUEUE)
				descriptor = fd->ops->faults_fd(fd->live.handle, ioasid->live.id);
			if (descriptor >= 0 &&
			    !reader_of(work, t, fd, ioasid->name, ioasid->live.id))
				work_watch(work, t, i, j, descriptor, faults_ready);
		}
		for (uint32_t j = 0; j < fd->n_viommus; j++) {
			const struct viommu *viommu = &fd->viommus[j];
			int descriptor = -1;

			if (viommu->live_events.exists)
				descriptor =
					fd->ops->events_fd(fd->live.handle, viommu->live_events.id);
			if (descriptor >= 0 &&
			    !reader_of(work, t, fd, viommu->name, viommu->live_events.id))
				work_watch(work, t, i, j, descriptor, events_ready);
		}
	}
}

static bool is_of(const struct waiting_fault *w, const struct topology *t)
{
	const uint32_t fd = topology_find_fd(t, w->fd);
	const uint32_t ioasid =
		fd == NO_INDEX ? NO_INDEX : iommu_fd_find_ioasid(&t->fds[fd], w->ioasid);

	return ioasid != NO_INDEX && t->fds[fd].ioasids[ioasid].live.id == w->id;
}

void queues_forget(struct work *work, const char *topology)
{
	const struct topology *t = topology ? engine_topology(work->world->engine, topology) : NULL;
	struct waiting_fault **at = &work->faults;

	while (*at) {
		struct waiting_fault *w = *at;

		if (topology && (strcmp(w->topology, topology) || (t && is_of(w, t)))) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		work->n_faults--;
		waiting_free(w);
	}
}

static json_t *waiting_json(const struct waiting_fault *w)
{
	const struct io_fault *f = &w->fault;

	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:I}", "topology",
			 w->topology, "fd", w->fd, "ioasid", w->ioasid, "id", (json_int_t)w->id,
			 "device", (json_int_t)f->device, "pasid", (json_int_t)f->pasid, "group",
			 (json_int_t)f->group, "cookie", (json_int_t)f->cookie, "access",
			 (json_int_t)f->access, "last", f->last, "address", (json_int_t)f->address,
			 "length", (json_int_t)f->length);
}

json_t *queues_record(const struct work *work)
{
	json_t *array = json_array();

	for (const struct waiting_fault *w = work->faults; array && w; w = w->next)
		if (json_array_append_new(array, waiting_json(w))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static int restore_waiting(const json_t *json, struct waiting_fault *w)
{
	const char *topology, *fd, *ioasid;
	struct io_fault *f = &w->fault;

	if (json_member_text(json, "topology", &topology) || json_member_text(json, "fd", &fd) ||
	    json_member_text(json, "ioasid", &ioasid) || json_member_u32(json, "id", &w->id) ||
	    json_member_u32(json, "device", &f->device) ||
	    json_member_u32(json, "pasid", &f->pasid) ||
	    json_member_u32(json, "group", &f->group) ||
	    json_member_u32(json, "cookie", &f->cookie) ||
	    json_member_u32(json, "access", &f->access) || json_member_bool(json, "last", &f->last))
		return -EINVAL;
	f->address = (uint64_t)json_integer_value(json_object_get(json, "address"));
	f->length = (uint64_t)json_integer_value(json_object_get(json, "length"));
	w->topology = strdup(topology);
	w->fd = strdup(fd);
	w->ioasid = strdup(ioasid);
	return w->topology && w->fd && w->ioasid ? 0 : -ENOMEM;
}

int queues_restore(struct work *work, const json_t *faults)
{
	struct waiting_fault **end = &work->faults;
	const json_t *json;
	size_t i;
	int ret = 0;

	while (*end)
		end = &(*end)->next;
	json_array_foreach (faults, i, json) {
		struct waiting_fault *w = calloc(1, sizeof(*w));

		if (!w)
			return -ENOMEM;
		*end = w;
		end = &w->next;
		work->n_faults++;
		ret = ret ? ret : restore_waiting(json, w);
	}
	return ret;
}

static json_t *fault_json(const struct topology *t, const struct waiting_fault *w)
{
	struct event_record record = event_record(EVENT_PAGE_FAULT);
	const uint32_t fd = topology_find_fd(t, w->fd);
	const struct device *d = fd == NO_INDEX ? NULL : device_of(t, fd, w->fault.device);
	const char *access[5];

	record.topology = w->topology;
	record.fd = w->fd;
	record.ioasid = w->ioasid;
	fill_fault(&w->fault, access, &record);
	if (d) {
		record.device = d->name;
		record.selector = selector_names[d->selector];
		record.address = d->address;
	}
	return report_event(&record);
}

static bool is_meant(const struct waiting_fault *w, const struct topology *t,
		     const struct live_target *target)
{
	return !strcmp(w->topology, t->name) &&
	       (!target->ioasid ||
		(!strcmp(w->fd, target->fd->name) && !strcmp(w->ioasid, target->ioasid->name)));
}

/* Answers what is meant and waits, group by group. */
static int answer_faults(struct work *work, const struct topology *t,
			 const struct live_target *target, const struct transaction *how,
			 bool success, json_int_t *answered, struct ioasidctl_error **err)
{
	struct waiting_fault **at = &work->faults;

	while (*at) {
		struct waiting_fault *w = *at;
		struct live_call call = {
			.engine = work->world->engine, .topology = w->topology, .how = how};
		_cleanup_free_ char *object = NULL;
		int ret = 0;

		if (!is_meant(w, t, target)) {
			at = &w->next;
			continue;
		}
		if (w->fault.last) {
			if (asprintf(&object, "%s/%s", w->fd, w->ioasid) < 0)
				return error_nomem(err);
			call.object = object;
			ret = live_fault_answer(&call, w->fault.cookie, success, err);
		}
		if (ret)
			return ret;
		*answered += w->fault.last;
		*at = w->next;
		work->n_faults--;
		waiting_free(w);
	}
	resume_faults(work);
	return 0;
}

static int find_target(const struct work *work, const struct job *job, const struct topology **t,
		       struct live_target *target, struct ioasidctl_error **err)
{
	const struct parameters *p = &job->parameters;
	const struct live_call call = {
		.engine = work->world->engine, .topology = p->name, .object = p->object};

	*target = (struct live_target){0};
	*t = engine_topology(work->world->engine, p->name);
	if (*t && !p->object)
		return 0;
	return p->object ? live_find_faults(&call, target, err)
			 : error_new(err, ERROR_UNAVAILABLE, ENOENT, "there is no topology %s",
				     p->name);
}

/* Nothing waits here because somebody else gets it. */
static int refuse_taken(struct work *work, const struct topology *t,
			const struct live_target *target, struct ioasidctl_error **err)
{
	const struct taker *reader = NULL;
	_cleanup_free_ char *who = NULL;
	int ret;

	takers_refresh(work, t->name);
	if (target->ioasid)
		reader = reader_of(work, t, target->fd, target->ioasid->name,
				   target->ioasid->live.id);
	if (!reader)
		return 0;
	who = taker_text(reader, work->options->root);
	ret = error_new(err, ERROR_BUSY, EBUSY,
			"the queue of %s/%s is taken: its page faults don't come here",
			target->fd->name, target->ioasid->name);
	error_cause(err, "%s reads it", who ? who : "somebody");
	error_hint(err, "when that has ended, or closed IOASIDCTL_LEASE, they come here again");
	error_object(err, "%s/%s", target->fd->name, target->ioasid->name);
	return ret;
}

int work_faults(struct work *work, const struct job *job, const struct transaction *how,
		json_t **out, struct ioasidctl_error **err)
{
	const char *answer = job->parameters.answer;
	const bool success = answer && !strcmp(answer, "success");
	json_t *faults = json_array();
	struct live_target target;
	const struct topology *t = NULL;
	json_int_t answered = 0;
	int ret;

	if (answer && !success && strcmp(answer, "invalid"))
		ret = error_new(err, ERROR_USAGE, EINVAL,
				"there is no answer %s: success or invalid", answer);
	else
		ret = find_target(work, job, &t, &target, err);
	for (const struct waiting_fault *w = work->faults; !ret && w; w = w->next)
		if (is_meant(w, t, &target))
			json_array_append_new(faults, fault_json(t, w));
	if (!ret && !json_array_size(faults))
		ret = refuse_taken(work, t, &target, err);
	if (!ret && answer)
		ret = answer_faults(work, t, &target, how, success, &answered, err);
	if (ret) {
		json_decref(faults);
		return ret;
	}
	*out = json_pack("{s:o, s:I}", "faults", faults, "answered", answered);
	return *out ? 0 : error_nomem(err);
}
