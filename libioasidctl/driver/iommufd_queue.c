// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Page faults and events: records read from a descriptor. The kernel never waits in these reads,
 * and gives whole records only; faults of one group come together or not at all (EINVAL: no room).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver/iommufd.h"

#define ROOM_FIRST 4096
#define ROOM_MAX   (256U << 10) /* a group of more than 6000 faults: no device has that many */

void iommufd_queue_done(struct iommufd_queue *queue)
{
	if (queue->fd >= 0)
		close(queue->fd);
	free(queue->buffer);
	*queue = (struct iommufd_queue){.fd = -1};
}

int iommufd_queue_free(struct driver_fd *fd, struct iommufd_queue *queue)
{
	uint32_t id = queue->id;

	/* Its open descriptor keeps the object busy. */
	iommufd_queue_done(queue);
	return id == NO_OBJECT ? 0 : iommufd_destroy(fd, id);
}

static int grow(struct iommufd_queue *queue)
{
	size_t size = queue->size ? 4 * queue->size : ROOM_FIRST;
	unsigned char *grown;

	if (size > ROOM_MAX)
		return -EPROTO;
	grown = realloc(queue->buffer, size);
	if (!grown)
		return -ENOMEM;
	queue->buffer = grown;
	queue->size = size;
	return 0;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Bytes that are there to take, or -errno. `record`: size of the largest; the kernel wants
 * multiples of a fault's. No more than `room` records are read, for the descriptor tells of those
 * in the kernel only; but for a group of faults that is larger.
 */
static ssize_t fill(const struct driver_fd *fd, struct iommufd_queue *queue, size_t record,
		    size_t room)
{
	size_t most = room * record;
	ssize_t n = -EINVAL;
	int ret = queue->size ? 0 : grow(queue);

	if (queue->start < queue->end)
		return (ssize_t)(queue->end - queue->start);
	while (!ret && n == -EINVAL) {
		n = read(queue->fd, queue->buffer,
			 smaller(most, queue->size - queue->size % record));
		n = n < 0 ? -errno : n;
		if (n == -EINVAL)
			ret = grow(queue);
		most = SIZE_MAX;
	}
	if (ret)
		return ret;
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n)
		driver_trace(fd->env, "read queue=%u fd=%d = %zd bytes", queue->id, queue->fd, n);
	queue->start = 0;
	queue->end = n > 0 ? (size_t)n : 0;
	return n;
}

/* Takes `size` bytes of what fill() found; nothing is read again after a short record. */
static const void *take(struct iommufd_queue *queue, size_t size)
{
	const void *at = queue->buffer + queue->start;

	if (queue->end - queue->start < size) {
		queue->start = queue->end;
		return NULL;
	}
	queue->start += size;
	return at;
}

static int fail_read(ssize_t ret, const char *name, struct ioasidctl_error **err)
{
	return error_new(err, ERROR_KERNEL, (int)-ret, "can't read the queue of %s: %s", name,
			 strerror((int)-ret));
}

static int refuse_short(const char *name, struct ioasidctl_error **err)
{
	return error_new(err, ERROR_PROTOCOL, EPROTO,
			 "the kernel gave less than a whole record of the queue of %s", name);
}

static void decode_fault(const struct iommufd_pgfault *raw, struct io_fault *out)
{
	*out = (struct io_fault){
		.device = raw->dev_id,
		.pasid = raw->flags & IOMMUFD_PGFAULT_PASID_VALID ? raw->pasid : NO_PASID,
		.group = raw->grpid,
		.cookie = raw->cookie,
		.access = (raw->perm & IOMMUFD_PGFAULT_READ ? FAULT_READ : 0) |
			  (raw->perm & IOMMUFD_PGFAULT_WRITE ? FAULT_WRITE : 0) |
			  (raw->perm & IOMMUFD_PGFAULT_EXEC ? FAULT_EXEC : 0) |
			  (raw->perm & IOMMUFD_PGFAULT_PRIV ? FAULT_PRIVILEGED : 0),
		.last = raw->flags & IOMMUFD_PGFAULT_LAST_PAGE,
		.address = raw->addr,
		.length = raw->length,
	};
}

static struct iommufd_space *find_faults(const struct driver_fd *fd, uint32_t ioasid)
{
	struct iommufd_space *space = iommufd_find_space(fd, ioasid);

	return space && space->faults.id != NO_OBJECT ? space : NULL;
}

static int refuse_no_queue(struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_REFUSED, EOPNOTSUPP, "this IOASID has no fault queue");

	error_hint(err, "add fault_queue: true to it in the config");
	return ret;
}

int iommufd_faults_fd(const struct driver_fd *fd, uint32_t ioasid)
{
	const struct iommufd_space *space = find_faults(fd, ioasid);

	return space ? space->faults.fd : -1;
}

int iommufd_faults_read(struct driver_fd *fd, uint32_t ioasid, struct io_fault *out, size_t room,
			size_t *n, struct ioasidctl_error **err)
{
	struct iommufd_space *space = find_faults(fd, ioasid);

	*n = 0;
	if (!space)
		return refuse_no_queue(err);
	while (*n < room) {
		ssize_t there = fill(fd, &space->faults, sizeof(struct iommufd_pgfault), room - *n);
		struct iommufd_pgfault raw;
		const void *bytes;

		if (there < 0)
			return fail_read(there, space->name, err);
		if (!there)
			break;
		bytes = take(&space->faults, sizeof(raw));
		if (!bytes)
			return refuse_short(space->name, err);
		memcpy(&raw, bytes, sizeof(raw));
		decode_fault(&raw, &out[(*n)++]);
	}
	return 0;
}

int iommufd_fault_answer(struct driver_fd *fd, uint32_t ioasid, uint32_t cookie, bool success,
			 struct ioasidctl_error **err)
{
	const struct iommufd_space *space = find_faults(fd, ioasid);
	struct iommufd_page_response raw = {
		.cookie = cookie,
		.code = success ? IOMMUFD_RESPONSE_SUCCESS : IOMMUFD_RESPONSE_INVALID,
	};
	ssize_t written;
	int ret;

	if (!space)
		return refuse_no_queue(err);
	written = write(space->faults.fd, &raw, sizeof(raw));
	ret = written < 0 ? errno : written != sizeof(raw) ? EPROTO : 0;
	driver_trace(fd->env, "write queue=%u fd=%d cookie=%u code=%u = %s", space->faults.id,
		     space->faults.fd, cookie, raw.code, linux_result(-ret));
	if (!ret)
		return 0;
	error_new(err, ERROR_KERNEL, ret, "can't answer fault %u of %s: %s", cookie, space->name,
		  strerror(ret));
	if (ret == EINVAL)
		error_cause(err, "no fault waits with that cookie: it was answered, or its device "
				 "has left");
	return -ret;
}

static struct iommufd_viommu *find_events(const struct driver_fd *fd, uint32_t events)
{
	struct iommufd_viommu *v = fd->viommus;

	while (v && (events == NO_OBJECT || v->events.id != events))
		v = v->next;
	return v;
}

/* What follows the header of an event, bytes. */
static size_t event_size(enum viommu_type type)
{
	switch (type) {
	case VIOMMU_ARM_SMMUV3:
		return sizeof(struct iommufd_vevent_arm_smmuv3);
	case VIOMMU_TEGRA241_CMDQV:
		return sizeof(struct iommufd_vevent_tegra241_cmdqv);
	default:
		return sizeof(struct iommufd_vevent_mock);
	}
}

static uint32_t event_type(enum viommu_type type)
{
	switch (type) {
	case VIOMMU_ARM_SMMUV3:
		return IOMMUFD_VEVENTQ_ARM_SMMUV3;
	case VIOMMU_TEGRA241_CMDQV:
		return IOMMUFD_VEVENTQ_TEGRA241_CMDQV;
	default:
		return IOMMUFD_VEVENTQ_MOCK;
	}
}

int iommufd_events_make(struct driver_fd *fd, uint32_t viommu, uint32_t depth, uint32_t *id,
			struct ioasidctl_error **err)
{
	struct iommufd_viommu *v = iommufd_find_viommu(fd, viommu);
	struct iommufd_veventq_alloc args = {.viommu_id = viommu, .veventq_depth = depth};
	int ret;

	if (!v)
		return error_new(err, ERROR_KERNEL, ENOENT, "there is no viommu %u", viommu);
	args.type = event_type(v->type);
	ret = iommufd_veventq_alloc(fd, &args);
	if (ret)
		return iommufd_fail(err, "IOMMU_VEVENTQ_ALLOC", ret,
				    "can't make the event queue of %s", v->name);
	v->events.id = args.out_veventq_id;
	v->events.fd = (int)args.out_veventq_fd;
	*id = v->events.id;
	return 0;
}

int iommufd_events_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err)
{
	struct iommufd_viommu *v = find_events(fd, id);
	int ret;

	if (!v)
		return error_new(err, ERROR_KERNEL, ENOENT, "there is no event queue %u", id);
	ret = iommufd_queue_free(fd, &v->events);
	if (!ret)
		return 0;
	iommufd_fail(err, "IOMMU_DESTROY", ret, "can't free the event queue of %s", v->name);
	if (ret == -EBUSY)
		error_cause(err, "a process that it was handed to has it open");
	return ret;
}

int iommufd_events_fd(const struct driver_fd *fd, uint32_t events)
{
	const struct iommufd_viommu *v = find_events(fd, events);

	return v ? v->events.fd : -1;
}

/* One event from what fill() found: 0 or -EPROTO. */
static int take_event(struct iommufd_viommu *v, struct viommu_event *out)
{
	struct iommufd_event_header head;
	const void *bytes = take(&v->events, sizeof(head));

	if (!bytes)
		return -EPROTO;
	memcpy(&head, bytes, sizeof(head));
	*out = (struct viommu_event){.lost = head.flags & IOMMUFD_VEVENT_LOST,
				     .sequence = head.sequence};
	if (out->lost)
		return 0;
	out->size = (uint32_t)event_size(v->type);
	bytes = take(&v->events, out->size);
	if (!bytes)
		return -EPROTO;
	memcpy(out->data, bytes, out->size);
	return 0;
}

int iommufd_events_read(struct driver_fd *fd, uint32_t events, struct viommu_event *out,
			size_t room, size_t *n, struct ioasidctl_error **err)
{
	struct iommufd_viommu *v = find_events(fd, events);

	*n = 0;
	if (!v)
		return error_new(err, ERROR_KERNEL, ENOENT, "there is no event queue %u", events);
	while (*n < room) {
		ssize_t there =
			fill(fd, &v->events,
			     sizeof(struct iommufd_event_header) + event_size(v->type), room - *n);

		if (there < 0)
			return fail_read(there, v->name, err);
		if (!there)
			break;
		if (take_event(v, &out[*n]))
			return refuse_short(v->name, err);
		(*n)++;
	}
	return 0;
}
