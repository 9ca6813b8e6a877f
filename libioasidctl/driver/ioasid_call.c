// SPDX-License-Identifier: LGPL-2.1-or-later
/* How calls reach the device, in this process or behind a node, and how they look in a trace. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "driver/ioasid.h"
#include "host/root.h"

#define LIST_PAGE 256
#define ENTRY_MAX sizeof(struct ioasid_entry_member)

_Static_assert((int)IOASID_SELECT_PCI == (int)SELECTOR_PCI, "one numbering");
_Static_assert((int)IOASID_SELECT_MDEV == (int)SELECTOR_MDEV, "one numbering");
_Static_assert((int)IOASID_SELECT_PLATFORM == (int)SELECTOR_PLATFORM, "one numbering");
_Static_assert((int)IOASID_SELECT_VDPA == (int)SELECTOR_VDPA, "one numbering");
_Static_assert((int)IOASID_SELECT_MOCK == (int)SELECTOR_MOCK, "one numbering");
_Static_assert((int)IOASID_MAP_READ == (int)ACCESS_READ, "one numbering");
_Static_assert((int)IOASID_MAP_WRITE == (int)ACCESS_WRITE, "one numbering");
_Static_assert(IOASID_NONE == NO_INDEX && IOASID_NO_PASID == NO_PASID, "one numbering");

/* Arguments of a call for people; each of these writes one struct. */
#define DESCRIBE(function, type, ...)                                \
	static void describe_##function(FILE *out, const void *args) \
	{                                                            \
		const struct type *a = args;                         \
                                                                     \
		fprintf(out, __VA_ARGS__);                           \
	}

DESCRIBE(extension, ioasid_extension_args, "extension %u", a->extension)
static void describe_alloc(FILE *out, const void *args)
{
	const struct ioasid_alloc_args *a = args;

	fprintf(out, "kind %u flags 0x%x parent %d", a->kind, a->flags, (int)a->parent);
	if (a->kind == IOASID_KIND_NESTED)
		fprintf(out, " viommu %u cookie %" PRIu64 " format %u address 0x%" PRIx64,
			a->viommu, (uint64_t)a->cookie, a->table.format,
			(uint64_t)a->table.address);
}

DESCRIBE(free, ioasid_free_args, "object %u", a->ioasid)
DESCRIBE(info, ioasid_info_args, "ioasid %u", a->ioasid)
DESCRIBE(map, ioasid_map_args,
	 "ioasid %u iova 0x%" PRIx64 " size 0x%" PRIx64 " vaddr 0x%" PRIx64 " %s", a->ioasid,
	 (uint64_t)a->iova, (uint64_t)a->size, (uint64_t)a->vaddr, access_names[a->flags & 3])
DESCRIBE(unmap, ioasid_unmap_args, "ioasid %u iova 0x%" PRIx64 " size 0x%" PRIx64, a->ioasid,
	 (uint64_t)a->iova, (uint64_t)a->size)
DESCRIBE(copy, ioasid_copy_args,
	 "ioasid %u iova 0x%" PRIx64 " size 0x%" PRIx64 " from ioasid %u iova 0x%" PRIx64 " %s",
	 a->ioasid, (uint64_t)a->iova, (uint64_t)a->size, a->source, (uint64_t)a->source_iova,
	 access_names[a->flags & 3])
DESCRIBE(allowed, ioasid_allowed_args, "ioasid %u ranges %u", a->ioasid, a->n_ranges)
DESCRIBE(query, ioasid_query_args, "%s %.*s", selector_names[a->device.selector], IOASID_NAME_SIZE,
	 a->device.name)
DESCRIBE(bind, ioasid_bind_args, "%s %.*s cookie %" PRIu64, selector_names[a->device.selector],
	 IOASID_NAME_SIZE, a->device.name, (uint64_t)a->cookie)
DESCRIBE(unbind, ioasid_unbind_args, "cookie %" PRIu64, (uint64_t)a->cookie)
DESCRIBE(device_info, ioasid_device_info_args, "cookie %" PRIu64, (uint64_t)a->cookie)
DESCRIBE(attach, ioasid_attach_args, "cookie %" PRIu64 " ioasid %u pasid %d", (uint64_t)a->cookie,
	 a->ioasid, (int)a->pasid)
DESCRIBE(detach, ioasid_detach_args, "cookie %" PRIu64 " pasid %d", (uint64_t)a->cookie,
	 (int)a->pasid)
DESCRIBE(list, ioasid_list_args, "kind %u object %d start 0x%" PRIx64, a->kind, (int)a->object,
	 (uint64_t)a->start)
DESCRIBE(accounting, ioasid_accounting_args, "%s",
	 a->accounting == IOASID_ACCOUNT_USER ? "user" : "process")
DESCRIBE(host_driver, ioasid_host_driver_args, "%s %.*s driver \"%.*s\"",
	 selector_names[a->device.selector], IOASID_NAME_SIZE, a->device.name, IOASID_NAME_SIZE,
	 a->driver)

DESCRIBE(invalidate, ioasid_invalidate_args, "object %u entries %u", a->object, a->n_entries)
DESCRIBE(set_dirty, ioasid_set_dirty_args, "ioasid %u %s", a->ioasid,
	 a->flags &IOASID_DIRTY_ON ? "on" : "off")
DESCRIBE(read_dirty, ioasid_read_dirty_args,
	 "ioasid %u iova 0x%" PRIx64 " length 0x%" PRIx64 " page size 0x%" PRIx64 "%s", a->ioasid,
	 (uint64_t)a->iova, (uint64_t)a->length, (uint64_t)a->page_size,
	 a->flags &IOASID_DIRTY_KEEP ? " keep" : "")
DESCRIBE(eventfd, ioasid_eventfd_args, "object %u eventfd %d", a->object, a->eventfd)
DESCRIBE(read_faults, ioasid_read_faults_args, "ioasid %u room %u", a->ioasid, a->count)
DESCRIBE(answer, ioasid_answer_fault_args, "ioasid %u fault %u %s", a->ioasid, a->cookie,
	 a->response ? "invalid" : "success")
DESCRIBE(viommu, ioasid_viommu_args, "type %u parent %u cookie %" PRIu64, a->type, a->parent,
	 (uint64_t)a->cookie)
DESCRIBE(vdevice, ioasid_vdevice_args, "viommu %u cookie %" PRIu64 " id 0x%" PRIx64, a->viommu,
	 (uint64_t)a->cookie, (uint64_t)a->virt_id)
DESCRIBE(hw_queue, ioasid_hw_queue_args, "viommu %u index %u iova 0x%" PRIx64 " length 0x%" PRIx64,
	 a->viommu, a->index, (uint64_t)a->iova, (uint64_t)a->length)
DESCRIBE(event_queue, ioasid_event_queue_args, "viommu %u depth %u", a->viommu, a->depth)
DESCRIBE(read_events, ioasid_read_events_args, "queue %u room %u", a->queue, a->count)

static void describe_nothing(FILE *out, const void *args)
{
	(void)args;
	(void)out;
}

/* What a call that succeeded has to tell. */
#define RESULT DESCRIBE
RESULT(new_ioasid, ioasid_alloc_args, " ioasid %u", a->ioasid)
RESULT(ranges, ioasid_info_args, " ranges %u domains %u", a->n_ranges, a->domains)
RESULT(state, ioasid_query_args, " present %d group %d driver \"%.*s\"",
       !!(a->device_flags & IOASID_DEVICE_PRESENT), (int)a->group, IOASID_NAME_SIZE, a->driver)
RESULT(count, ioasid_list_args, " entries %u", a->count)

static void describe_place(FILE *out, const void *args)
{
	const struct ioasid_map_args *a = args;

	if (a->flags & IOASID_MAP_ANYWHERE)
		fprintf(out, " iova 0x%" PRIx64, (uint64_t)a->iova);
}

RESULT(faults, ioasid_read_faults_args, " faults %u", a->count)
RESULT(new_viommu, ioasid_viommu_args, " viommu %u", a->viommu)
RESULT(new_vdevice, ioasid_vdevice_args, " vdevice %u", a->vdevice)
RESULT(new_queue, ioasid_hw_queue_args, " queue %u", a->queue)
RESULT(new_event_queue, ioasid_event_queue_args, " queue %u", a->queue)
RESULT(events, ioasid_read_events_args, " events %u", a->count)

static const struct call_text {
	unsigned long command;
	const char *name;
	void (*arguments)(FILE *out, const void *args);
	void (*result)(FILE *out, const void *args);
} texts[] = {
#define TEXT(command, arguments, result)                                                      \
	{                                                                                     \
		IOASID_##command, "IOASID_" #command, describe_##arguments, describe_##result \
	}
	TEXT(CHECK_EXTENSION, extension, nothing),
	TEXT(ALLOC, alloc, new_ioasid),
	TEXT(FREE, free, nothing),
	TEXT(GET_INFO, info, ranges),
	TEXT(MAP_DMA, map, place),
	TEXT(UNMAP_DMA, unmap, nothing),
	TEXT(COPY_DMA, copy, nothing),
	TEXT(SET_ALLOWED, allowed, nothing),
	TEXT(QUERY_DEVICE, query, state),
	TEXT(BIND_DEVICE, bind, nothing),
	TEXT(UNBIND_DEVICE, unbind, nothing),
	TEXT(DEVICE_GET_INFO, device_info, nothing),
	TEXT(ATTACH, attach, nothing),
	TEXT(DETACH, detach, nothing),
	TEXT(LIST, list, count),
	TEXT(GET_FD_INFO, nothing, nothing),
	TEXT(SET_ACCOUNTING, accounting, nothing),
	TEXT(SET_HOST_DRIVER, host_driver, nothing),
	TEXT(INVALIDATE_CACHE, invalidate, nothing),
	TEXT(SET_DIRTY, set_dirty, nothing),
	TEXT(READ_DIRTY, read_dirty, nothing),
	TEXT(SET_EVENTFD, eventfd, nothing),
	TEXT(READ_FAULTS, read_faults, faults),
	TEXT(ANSWER_FAULT, answer, nothing),
	TEXT(VIOMMU_ALLOC, viommu, new_viommu),
	TEXT(VDEVICE_ALLOC, vdevice, new_vdevice),
	TEXT(HW_QUEUE_ALLOC, hw_queue, new_queue),
	TEXT(EVENT_QUEUE_ALLOC, event_queue, new_event_queue),
	TEXT(READ_EVENTS, read_events, events),
#undef TEXT
};

static const struct call_text *find_text(unsigned long command)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].command == command)
			return &texts[i];
	return NULL;
}

const char *ioasid_call_name(unsigned long command)
{
	const struct call_text *text = find_text(command);

	return text ? text->name : "ioctl";
}

/* Written down before the call: what goes in and what comes out share fields. */
static char *describe(const struct call_text *text, const void *args)
{
	char *line = NULL;
	size_t size;
	FILE *out = open_memstream(&line, &size);

	if (!out)
		return NULL;
	text->arguments(out, args);
	if (fclose(out)) {
		free(line);
		return NULL;
	}
	return line;
}

static void trace(const struct driver_fd *fd, const struct call_text *text, const char *before,
		  const void *args, int ret)
{
	const struct call_text results = {.arguments = text->result};
	_cleanup_free_ char *after = ret ? NULL : describe(&results, args);
	const char *number = ret ? strerrorname_np(-ret) : "0";

	driver_trace(fd->env, "ioctl(%s, %s%s%s) = %s%s%s", fd->name, text->name,
		     before && *before ? ", " : "", before ? before : "", ret ? "-" : "",
		     number ? number : "?", after ? after : "");
}

int ioasid_call(struct driver_fd *fd, unsigned long command, void *args, uint32_t argsz)
{
	const struct call_text *text;
	char *before;
	int ret;

	memcpy(args, &argsz, sizeof(argsz));
	if (!fd->env->trace)
		return fd->ioctl(fd->ioctl_data, command, args);
	text = find_text(command);
	before = describe(text, args);
	ret = fd->ioctl(fd->ioctl_data, command, args);
	trace(fd, text, before, args, ret);
	free(before);
	return ret;
}

static int call_refdev(void *data, unsigned long command, void *args)
{
	return refdev_ioctl(data, command, args);
}

static int call_node(void *data, unsigned long command, void *args)
{
	const struct driver_fd *fd = data;

	return ioctl(fd->fd, command, args) < 0 ? -errno : 0;
}

static int open_refdev(struct driver_fd *fd, struct ioasidctl_error **err)
{
	int ret = refdev_open(fd->env->refdev, &fd->file);

	if (ret)
		return error_nomem(err);
	fd->ioctl = call_refdev;
	fd->ioctl_data = fd->file;
	driver_trace(fd->env, "open(%s, reference device) = 0", fd->name);
	return 0;
}

static int fail_open(const char *node, int ret, bool asked, struct ioasidctl_error **err)
{
	bool denied = ret == -EACCES || ret == -EPERM;

	error_new(err, denied ? ERROR_PERMISSION : ERROR_UNAVAILABLE, -ret, "can't open %s: %s",
		  node, strerror(-ret));
	if (denied)
		error_hint(err, "run as a user who may read and write %s", node);
	else if (asked)
		error_hint(err, "leave `node` out of the config to use the reference device that "
				"is built in");
	else
		error_hint(err, "this process has no reference device of its own: apply through "
				"a holder or with `ioasidctl run`, or give a `node`");
	return ret;
}

/* Any file can be opened: only the device answers. */
static int check_device(struct driver_fd *fd, const char *node, struct ioasidctl_error **err)
{
	struct ioasid_extension_args args = {.extension = IOASID_EXT_GPA};
	int ret = ioasid_call(fd, IOASID_CHECK_EXTENSION, &args, sizeof(args));

	if (!ret && args.supported)
		return 0;
	ret = error_new(err, ERROR_UNAVAILABLE, ret ? -ret : EOPNOTSUPP,
			"%s is not an ioasid device: %s", node,
			ret ? strerror(-ret) : "it has no address spaces");
	error_ioctl(err, "IOASID_CHECK_EXTENSION");
	error_hint(err, "give the path of an ioasid device as `node`, or leave `node` out");
	return ret;
}

static int open_node(struct driver_fd *fd, const char *node, struct ioasidctl_error **err)
{
	_cleanup_free_ char *path =
		root_path(fd->env->root ? fd->env->root : "", "%s", node ? node : IOASID_NODE);

	if (!path)
		return error_nomem(err);
	fd->fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd->fd < 0)
		return fail_open(path, -errno, node, err);
	fd->ioctl = call_node;
	fd->ioctl_data = fd;
	driver_trace(fd->env, "open(%s, %s) = fd %d", fd->name, path, fd->fd);
	return check_device(fd, path, err);
}

int ioasid_open(const struct driver_env *env, const char *node, const char *name,
		struct driver_fd **out, struct ioasidctl_error **err)
{
	_cleanup_(ioasid_closep)
	struct driver_fd *fd = calloc(1, sizeof(*fd));
	int ret;

	if (!fd)
		return error_nomem(err);
	*fd = (struct driver_fd){.env = env, .fd = -1, .name = strdup(name), .next_cookie = 1};
	if (!fd->name)
		return error_nomem(err);
	ret = node || !env->refdev ? open_node(fd, node, err) : open_refdev(fd, err);
	if (ret)
		return ret;
	*out = steal_pointer(fd);
	return 0;
}

void ioasid_close(struct driver_fd *fd)
{
	for (struct driver_device *d = fd->devices; d; d = d->next)
		d->owner = NULL;
	if (fd->file || fd->fd >= 0)
		driver_trace(fd->env, "close(%s) = 0", fd->name);
	while (fd->listeners)
		ioasid_unlisten(fd, fd->listeners->object);
	refdev_close(fd->file);
	if (fd->fd >= 0)
		close(fd->fd);
	free(fd->name);
	free(fd);
}

void ioasid_closep(struct driver_fd **fd)
{
	if (*fd)
		ioasid_close(*fd);
}

int ioasid_list(struct driver_fd *fd, struct ioasid_list_args *args, size_t entry_size,
		int (*each)(void *data, const void *entry), void *data)
{
	_cleanup_free_ char *entries = calloc(LIST_PAGE, ENTRY_MAX);
	uint64_t start = args->start;
	int ret;

	if (!entries)
		return -ENOMEM;
	for (;;) {
		args->start = start;
		args->flags = 0;
		args->count = LIST_PAGE;
		args->entries = (uintptr_t)entries;
		ret = ioasid_call(fd, IOASID_LIST, args, sizeof(*args));
		if (ret)
			return ret;
		if (args->count > LIST_PAGE)
			return -EPROTO;
		for (uint32_t i = 0; i < args->count; i++) {
			ret = each(data, entries + i * entry_size);
			if (ret)
				return ret;
		}
		if (!(args->flags & IOASID_LIST_MORE))
			return 0;
		/* A device that doesn't get on would keep us here for ever. */
		if (args->next <= start)
			return -EPROTO;
		start = args->next;
	}
}
