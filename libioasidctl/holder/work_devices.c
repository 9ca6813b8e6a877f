// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Devices that come, go, change drivers, or are wanted back by the kernel. Events only say where to
 * look; what is done depends on what is there at the time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "holder/work_state.h"
#include "host/device.h"

/* Before other work gets its turn; what is left makes the socket readable again. */
#define EVENTS_AT_ONCE 256

/* The members of a declared device's group, as they were last seen. */
struct seen_group {
	char *topology, *device, *members;
};

/* The reference machine has devices of its own. */
static bool is_of_this_machine(const struct topology *t, const struct device *d)
{
	const struct driver *ops = device_ops(t, d);

	return ops && ops->choice != DRIVER_IOASID;
}

static void drop_seen(struct work *work, size_t i)
{
	free(work->seen[i].topology);
	free(work->seen[i].device);
	free(work->seen[i].members);
	work->seen[i] = work->seen[--work->n_seen];
}

void devices_forget(struct work *work, const char *topology)
{
	for (size_t i = work->n_seen; i-- > 0;)
		if (!topology || !strcmp(work->seen[i].topology, topology))
			drop_seen(work, i);
	if (topology)
		return;
	free(work->seen);
	work->seen = NULL;
}

static struct seen_group *find_seen(const struct work *work, const char *topology,
				    const char *device)
{
	for (size_t i = 0; i < work->n_seen; i++)
		if (!strcmp(work->seen[i].topology, topology) &&
		    !strcmp(work->seen[i].device, device))
			return &work->seen[i];
	return NULL;
}

static void add_seen(struct work *work, const char *topology, const char *device,
		     const char *members)
{
	struct seen_group *grown = reallocarray(work->seen, work->n_seen + 1, sizeof(*grown));
	struct seen_group *s;

	if (!grown)
		return;
	work->seen = grown;
	s = &grown[work->n_seen++];
	*s = (struct seen_group){strdup(topology), strdup(device), strdup(members)};
	if (!s->topology || !s->device || !s->members)
		drop_seen(work, work->n_seen - 1);
}

/* "7 0000:01:00.0 0000:01:00.1"; owned. */
static char *members_text(const struct device_facts *facts)
{
	char *text = NULL;
	size_t length;
	FILE *f = open_memstream(&text, &length);

	if (!f)
		return NULL;
	fprintf(f, "%u", facts->group);
	for (size_t i = 0; i < facts->members.n_members; i++)
		fprintf(f, " %s", facts->members.members[i].address);
	return fclose(f) ? NULL : text;
}

static void publish_group(struct work *work, const struct topology *t, const struct device *d,
			  const struct device_facts *facts)
{
	const size_t n = facts->members.n_members;
	_cleanup_free_ const char **addresses = calloc(n + 1, sizeof(*addresses));
	struct event_record record = event_record(EVENT_GROUP_CHANGED);

	if (!addresses)
		return;
	for (size_t i = 0; i < n; i++)
		addresses[i] = facts->members.members[i].address;
	record.group = facts->group;
	record.members = addresses;
	record.n_members = n;
	record.driver = facts->driver;
	work_publish_device(work, t, d, record);
}

static void look_at_group(struct work *work, const struct topology *t, const struct device *d)
{
	struct seen_group *seen = find_seen(work, t->name, d->name);
	_cleanup_(device_facts_done)
	struct device_facts facts = {.group = NO_INDEX};
	_cleanup_free_ char *members = NULL;

	if (device_ops(t, d)->device_find(engine_env(work->world->engine), d, &facts, NULL) ||
	    facts.group == NO_INDEX)
		return;
	members = members_text(&facts);
	if (!members || (seen && !strcmp(seen->members, members)))
		return;
	if (seen) {
		drop_seen(work, (size_t)(seen - work->seen));
		publish_group(work, t, d, &facts);
	}
	add_seen(work, t->name, d->name, members);
}

void devices_look_at_groups(struct work *work, const struct topology *t)
{
	for (size_t i = 0; i < t->n_devices; i++)
		if (is_of_this_machine(t, &t->devices[i]) && !t->devices[i].absent)
			look_at_group(work, t, &t->devices[i]);
}

static void look_at_all_groups(struct work *work)
{
	const struct engine *engine = work->world->engine;

	for (size_t i = 0; i < engine_count(engine); i++)
		devices_look_at_groups(work, engine_topology_at(engine, i));
}

static void release(struct work *work, const struct topology *t, uint32_t device, bool gone,
		    const char *why)
{
	const struct device *d = &t->devices[device];
	struct event_record record = event_record(EVENT_DEVICE_RELEASED);
	const bool held = d->live.handle;

	engine_release_device(work->world->engine, t->name, device, gone);
	record_refresh(work, t);
	work_follow(work, t->name);
	if (!held)
		return;
	work_log(work, "topology %s: device %s (%s) was given up: %s", t->name, d->name, d->address,
		 why);
	record.message = why;
	work_publish_device(work, t, d, record);
}

/* Its node, which the kernel takes away first, then waits until we have closed it. */
static bool has_lost_node(const struct work *work, const struct topology *t, const struct device *d)
{
	_cleanup_free_ char *dir = NULL, *node = NULL;

	return device_ops(t, d)->choice == DRIVER_IOMMUFD &&
	       (host_device_dir(work->options->root, d->selector, d->address, &dir, NULL) ==
			-ENODEV ||
		(dir && host_device_vfio(dir, &node) == -ENOENT));
}

/* Comes from what is there to what has to be done. */
static void reconcile(struct work *work, const struct topology *t, uint32_t device)
{
	const struct device *d = &t->devices[device];
	_cleanup_(device_facts_done)
	struct device_facts facts = {.group = NO_INDEX};

	if (device_ops(t, d)->device_find(engine_env(work->world->engine), d, &facts, NULL))
		return;
	if (d->live.handle && !facts.present)
		release(work, t, device, true, "it has gone");
	else if (d->live.handle && has_lost_node(work, t, d))
		release(work, t, device, false, "its VFIO driver lets it go");
	else if (d->absent && !facts.present && d->live.original_driver)
		release(work, t, device, true, "it has gone");
	if (d->absent && !facts.present)
		engine_set_trouble(work->world->engine, t->name, device, NULL);
}

void devices_recheck(struct work *work)
{
	const struct engine *engine = work->world->engine;

	for (size_t i = 0; i < engine_count(engine); i++) {
		const struct topology *t = engine_topology_at(engine, i);

		for (uint32_t j = 0; j < t->n_devices; j++)
			if (is_of_this_machine(t, &t->devices[j])) {
				reconcile(work, t, j);
				if (work->reconsider)
					hotplug_consider(work, t, &t->devices[j]);
			}
	}
	work->recheck = work->reconsider = false;
	look_at_all_groups(work);
}

static bool is_about(const struct uevent *e, const struct device *d)
{
	/* A virtual function is declared by its number, and is a PCI device. */
	const enum selector selector = d->selector == SELECTOR_VF ? SELECTOR_PCI : d->selector;
	const char *name = d->found.name ? d->found.name : d->address;

	return (e->node || e->selector == selector) && !strcmp(e->address, name);
}

static struct event_record record_of(const struct uevent *e)
{
	static const enum event_kind kinds[] = {
		[UEVENT_ADD] = EVENT_DEVICE_ADDED,
		[UEVENT_REMOVE] = EVENT_DEVICE_REMOVED,
		[UEVENT_BIND] = EVENT_DRIVER_CHANGED,
		[UEVENT_UNBIND] = EVENT_DRIVER_CHANGED,
	};
	struct event_record record = event_record(kinds[e->action]);

	/* One that goes, or loses its driver, may still name it. */
	if (*e->driver && (e->action == UEVENT_ADD || e->action == UEVENT_BIND))
		record.driver = e->driver;
	return record;
}

/* A topology that is being changed is looked at when that is done. */
static void handle_declared(struct work *work, const struct uevent *e, const struct topology *t,
			    uint32_t device)
{
	const struct device *d = &t->devices[device];
	/* What an attempt itself causes is no occasion for another one. */
	const bool occasion =
		e->action == UEVENT_ADD && (!work->attempting || strcmp(work->attempting, t->name));

	if (!e->node)
		work_publish_device(work, t, d, record_of(e));
	if (work->changing && !strcmp(work->changing, t->name)) {
		work->recheck = true;
		work->reconsider = work->reconsider || occasion;
		return;
	}
	reconcile(work, t, device);
	if (occasion)
		hotplug_consider(work, t, d);
}

static void handle_undeclared(struct work *work, const struct uevent *e)
{
	struct event_record record = record_of(e);

	if (e->node)
		return;
	record.selector = selector_names[e->selector];
	record.address = e->address;
	work_publish(work, NULL, record);
}

static void handle(struct work *work, const struct uevent *e)
{
	const struct engine *engine = work->world->engine;
	bool declared = false;

	for (size_t i = 0; i < engine_count(engine); i++) {
		const struct topology *t = engine_topology_at(engine, i);

		for (uint32_t j = 0; j < t->n_devices; j++)
			if (is_about(e, &t->devices[j]) && is_of_this_machine(t, &t->devices[j])) {
				declared = true;
				handle_declared(work, e, t, j);
			}
	}
	if (!declared)
		handle_undeclared(work, e);
}

void devices_read_events(struct work *work)
{
	bool membership = false;

	for (int i = 0; i < EVENTS_AT_ONCE; i++) {
		struct uevent e;
		int ret = uevent_next(work->uevents, &e);

		if (ret == -ENOBUFS) {
			work_publish_to_all(work, event_record(EVENT_KERNEL_LOST));
			work->recheck = work->reconsider = true;
			continue;
		}
		if (ret)
			break;
		handle(work, &e);
		membership = membership || e.action == UEVENT_ADD || e.action == UEVENT_REMOVE;
	}
	if (membership)
		look_at_all_groups(work);
}

static void on_events(void *data, const struct watch *watch)
{
	(void)watch;
	devices_read_events(data);
}

int devices_listen(struct work *work)
{
	_cleanup_error_ struct ioasidctl_error *why = NULL;
	int ret = uevent_open(&work->uevents, &why);

	if (!ret)
		return watches_add(work->watches, &(struct watch){.fd = uevent_fd(work->uevents),
								  .ready = on_events});
	work_log_error(work, "device events", why);
	/* Everything else works; those who follow are told. */
	if (why && asprintf(&work->no_uevents, "%s%s%s", why->message, why->cause ? ": " : "",
			    why->cause ? why->cause : "") < 0)
		work->no_uevents = NULL;
	return 0;
}

/* The kernel wants the device back. Its removal waits for us, so this comes before all else. */
static void on_request(void *data, const struct watch *watch)
{
	struct work *work = data;
	const struct topology *t = engine_topology(work->world->engine, watch->topology);
	const struct device *d =
		t && watch->object < t->n_devices ? &t->devices[watch->object] : NULL;

	if (!d || !d->live.handle || !device_ops(t, d)->device_requested(d->live.handle))
		return;
	release(work, t, watch->object, false,
		"the kernel asked for it: it is being removed, or taken from its driver");
}

void devices_watch_requests(struct work *work, const struct topology *t)
{
	for (uint32_t i = 0; i < t->n_devices; i++) {
		const struct device *d = &t->devices[i];
		const struct driver *ops = device_ops(t, d);
		int fd;

		if (!ops || !ops->device_request_fd || !d->live.handle)
			continue;
		fd = ops->device_request_fd(d->live.handle);
		if (fd >= 0)
			work_watch(work, t, d->fd, i, fd, on_request);
	}
}
