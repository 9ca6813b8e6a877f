// SPDX-License-Identifier: LGPL-2.1-or-later
#include "apply/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apply/execution.h"
#include "apply/memory.h"
#include "apply/takeover.h"
#include "base/cleanup.h"

struct engine {
	struct driver_env env;
	struct topology **topologies;
	size_t n_topologies;
};

int engine_new(const struct driver_env *env, struct engine **out, struct ioasidctl_error **err)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return error_nomem(err);
	engine->env = *env;
	*out = engine;
	return 0;
}

static void close_topology(struct topology *t)
{
	for (size_t i = 0; i < t->n_devices; i++)
		if (t->devices[i].live.handle)
			device_ops(t, &t->devices[i])->device_close(t->devices[i].live.handle);
	for (size_t i = 0; i < t->n_fds; i++)
		if (t->fds[i].live.handle)
			t->fds[i].ops->close(t->fds[i].live.handle);
	for (size_t i = 0; i < t->n_memories; i++)
		memory_destroy(&t->memories[i]);
	topology_free(t);
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	for (size_t i = 0; i < engine->n_topologies; i++)
		close_topology(engine->topologies[i]);
	free(engine->topologies);
	free(engine);
}

const struct driver_env *engine_env(const struct engine *engine)
{
	return &engine->env;
}

size_t engine_count(const struct engine *engine)
{
	return engine->n_topologies;
}

const struct topology *engine_topology_at(const struct engine *engine, size_t index)
{
	return engine->topologies[index];
}

static struct topology **find_slot(const struct engine *engine, const char *name)
{
	for (size_t i = 0; i < engine->n_topologies; i++)
		if (!strcmp(engine->topologies[i]->name, name))
			return &engine->topologies[i];
	return NULL;
}

const struct topology *engine_topology(const struct engine *engine, const char *name)
{
	struct topology **slot = find_slot(engine, name);

	return slot ? *slot : NULL;
}

/* A slot for one more, so that nothing can fail once the kernel's state is the new one. */
static int reserve_slot(struct engine *engine, struct ioasidctl_error **err)
{
	struct topology **grown = reallocarray(engine->topologies, engine->n_topologies + 1,
					       sizeof(*engine->topologies));

	if (!grown)
		return error_nomem(err);
	engine->topologies = grown;
	return 0;
}

/* Without an fd nothing opens a device, so nobody has it. */
static bool is_same_device(const struct topology *t, const struct device *d,
			   const struct topology *u, const struct device *e)
{
	const bool named_alike = d->selector == e->selector && !strcmp(d->address, e->address);
	/* A VF may be known by its address in one, and by its number in the other. */
	const bool found_alike = (d->vf_of != NO_INDEX || e->vf_of != NO_INDEX) && d->found.name &&
				 e->found.name && !strcmp(d->found.name, e->found.name);

	return (named_alike || found_alike) && d->fd != NO_INDEX && e->fd != NO_INDEX &&
	       drivers_share_machine(t->fds[d->fd].ops, u->fds[e->fd].ops);
}

/* The group has one owner, and each topology opens fds of its own. */
static bool is_of_same_group(const struct topology *t, const struct device *d,
			     const struct topology *u, const struct device *e)
{
	return d->iommu_group != NO_INDEX && d->iommu_group == e->iommu_group &&
	       d->fd != NO_INDEX && e->fd != NO_INDEX && !e->absent &&
	       drivers_share_machine(t->fds[d->fd].ops, u->fds[e->fd].ops);
}

static int taken(const struct topology *desired, const struct device *d,
		 const struct topology *other, const struct device *e, struct ioasidctl_error **err)
{
	const bool itself = is_same_device(other, e, desired, d);
	int ret;

	if (itself)
		ret = error_new(err, ERROR_BUSY, EBUSY, "device %s (%s) is held by topology %s",
				d->name, d->address, other->name);
	else
		ret = error_new(err, ERROR_BUSY, EBUSY,
				"device %s (%s) can't be handed out: topology %s holds %s (%s), "
				"which is in the same IOMMU group %u",
				d->name, d->address, other->name, e->name, e->address,
				d->iommu_group);
	error_object(err, "%s", d->name);
	if (d->at.line)
		error_position(err, desired->file, d->at.line, d->at.column);
	error_hint(err,
		   itself ? "delete %s, or take the device out of it"
			  : "a group goes to one topology; delete %s, or declare the device there",
		   other->name);
	return ret;
}

static int refuse_taken(const struct engine *engine, const struct topology *desired,
			const struct device *d, struct ioasidctl_error **err)
{
	for (size_t i = 0; i < engine->n_topologies; i++) {
		const struct topology *other = engine->topologies[i];

		if (!strcmp(other->name, desired->name))
			continue;
		for (size_t j = 0; j < other->n_devices; j++) {
			if (is_same_device(other, &other->devices[j], desired, d) ||
			    is_of_same_group(other, &other->devices[j], desired, d))
				return taken(desired, d, other, &other->devices[j], err);
		}
	}
	return 0;
}

/*
 * `auto` stays with the driver that the fd of that name already has: a second apply of the same
 * file must change nothing, even if a better driver has come up meanwhile.
 */
static int resolve_driver(const struct engine *engine, const struct topology *live,
			  struct iommu_fd *fd, enum driver_choice override,
			  struct ioasidctl_error **err)
{
	enum driver_choice choice = override == DRIVER_AUTO ? fd->driver : override;
	uint32_t was = live ? topology_find_fd(live, fd->name) : NO_INDEX;
	int ret;

	if (was != NO_INDEX && (choice == DRIVER_AUTO || live->fds[was].ops->choice == choice)) {
		fd->ops = live->fds[was].ops;
	} else {
		ret = driver_resolve(&engine->env, choice, fd->node, &fd->ops, err);
		if (ret) {
			error_object(err, "%s", fd->name);
			return ret;
		}
	}
	fd->driver = fd->ops->choice;
	return 0;
}

static int prepare(const struct engine *engine, const struct topology *live,
		   struct topology *desired, const struct transaction *how,
		   struct ioasidctl_error **err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < desired->n_fds; i++)
		ret = resolve_driver(engine, live, &desired->fds[i], how->driver, err);
	for (size_t i = 0; i < desired->n_devices; i++)
		if (desired->devices[i].fd != NO_INDEX)
			desired->devices[i].node = desired->fds[desired->devices[i].fd].node;
	for (size_t i = 0; !ret && i < desired->n_devices; i++)
		ret = refuse_taken(engine, desired, &desired->devices[i], err);
	return ret ? ret : refuse_unsupported(desired, err);
}

static void adopt_viommu(const struct viommu *live, struct viommu *desired)
{
	desired->live = live->live;
	/* With another depth it is another queue. */
	if (desired->events_depth == live->events_depth)
		desired->live_events = live->live_events;
	for (size_t i = 0; i < desired->n_vdevices; i++)
		if (desired->vdevices[i].prev != NO_INDEX)
			desired->vdevices[i].live = live->vdevices[desired->vdevices[i].prev].live;
	for (size_t i = 0; i < desired->n_queues; i++)
		if (desired->queues[i].prev != NO_INDEX)
			desired->queues[i].live = live->queues[desired->queues[i].prev].live;
}

static void adopt_members(const struct iommu_fd *live, struct iommu_fd *desired)
{
	for (size_t i = 0; i < desired->n_ioasids; i++)
		if (desired->ioasids[i].prev != NO_INDEX)
			desired->ioasids[i].live = live->ioasids[desired->ioasids[i].prev].live;
	for (size_t i = 0; i < desired->n_viommus; i++)
		if (desired->viommus[i].prev != NO_INDEX)
			adopt_viommu(&live->viommus[desired->viommus[i].prev],
				     &desired->viommus[i]);
}

/* The desired topology starts with the handles of everything that it keeps. */
static void adopt_handles(const struct topology *live, struct topology *desired)
{
	for (size_t i = 0; i < desired->n_memories; i++)
		if (desired->memories[i].prev != NO_INDEX)
			desired->memories[i].live = live->memories[desired->memories[i].prev].live;
	for (size_t i = 0; i < desired->n_devices; i++)
		if (desired->devices[i].prev != NO_INDEX)
			desired->devices[i].live = live->devices[desired->devices[i].prev].live;
	for (size_t i = 0; i < desired->n_fds; i++) {
		struct iommu_fd *fd = &desired->fds[i];

		if (fd->prev == NO_INDEX)
			continue;
		fd->live.handle = live->fds[fd->prev].live.handle;
		adopt_members(&live->fds[fd->prev], fd);
	}
}

/* Rolled back: what was adopted belongs to the live topology alone again. */
static void return_handles(struct topology *desired)
{
	for (size_t i = 0; i < desired->n_devices; i++)
		if (desired->devices[i].prev != NO_INDEX)
			desired->devices[i].live.original_driver = NULL;
}

/* Committed: a kept device's driver to restore lives on in the new topology. */
static void hand_down(struct topology *live, struct topology *desired)
{
	for (size_t i = 0; i < desired->n_devices; i++) {
		struct device *d = &desired->devices[i], *was;

		if (d->prev != NO_INDEX) {
			live->devices[d->prev].live.original_driver = NULL;
		} else if (d->successor_of != NO_INDEX) {
			was = &live->devices[d->successor_of];
			if (d->vfs != NO_INDEX && was->live.original_vfs != NO_INDEX)
				d->live.original_vfs = was->live.original_vfs;
			d->live.made = d->live.made || was->live.made;
			if (!was->live.original_driver)
				continue;
			free(d->live.original_driver);
			d->live.original_driver = steal_pointer(was->live.original_driver);
		}
	}
}

/* Mappings that the kernel has placed come into their order; until now the plan counted on it. */
static void settle_placements(struct topology *t)
{
	for (size_t i = 0; i < t->n_fds; i++)
		for (size_t j = 0; j < t->fds[i].n_ioasids; j++)
			ioasid_sort_mappings(&t->fds[i].ioasids[j]);
}

static void commit(struct engine *engine, struct topology **slot, struct topology *desired)
{
	struct topology *live = slot ? *slot : NULL;

	if (live && desired)
		hand_down(live, desired);
	if (desired)
		settle_placements(desired);
	topology_free(live);
	if (slot && desired)
		*slot = desired;
	else if (slot)
		*slot = engine->topologies[--engine->n_topologies];
	else
		engine->topologies[engine->n_topologies++] = desired;
}

static int run_plan(struct engine *engine, struct topology **slot, struct topology **desired,
		    const struct plan *plan, const struct transaction *how,
		    struct ioasidctl_error **err)
{
	struct execution x = {.env = &engine->env,
			      .live = slot ? *slot : NULL,
			      .desired = *desired,
			      .plan = plan,
			      .cancel = how->cancel,
			      .between = how->between,
			      .between_data = how->between_data};
	bool committed;
	int ret;

	if (x.live && x.desired)
		adopt_handles(x.live, x.desired);
	ret = execute_plan(&x, !how->no_verify, &committed, err);
	if (committed)
		commit(engine, slot, steal_pointer(*desired));
	else if (*desired)
		return_handles(*desired);
	return ret;
}

static int transact(struct engine *engine, struct topology **slot, struct topology **desired,
		    const struct transaction *how, json_t **result, struct ioasidctl_error **err)
{
	_cleanup_plan_ struct plan plan = {0};
	json_t *outcome;
	int ret;

	ret = plan_make(slot ? *slot : NULL, *desired, &plan, err);
	if (!ret && !how->dry_run && !how->regardless)
		ret = refuse_used_devices(&engine->env, &plan, err);
	if (ret)
		return ret;
	outcome = plan_json(&plan, how->list);
	if (!outcome)
		return error_nomem(err);
	if (!how->dry_run && how->intend && *desired && plan.n_operations)
		how->intend(how->intend_data, *desired);
	if (!how->dry_run)
		ret = run_plan(engine, slot, desired, &plan, how, err);
	if (ret)
		json_decref(outcome);
	else
		*result = outcome;
	return ret;
}

/* Traces go to whoever asked for this transaction, so drivers must see its listener. */
void engine_listen(struct engine *engine, const struct transaction *how)
{
	engine->env.trace = how ? how->trace : NULL;
	engine->env.trace_data = how ? how->trace_data : NULL;
}

int engine_apply(struct engine *engine, struct topology *desired, const struct transaction *how,
		 json_t **result, struct ioasidctl_error **err)
{
	_cleanup_topology_ struct topology *owned = desired;
	struct topology **slot;
	int ret = reserve_slot(engine, err);

	if (ret)
		return ret;
	slot = find_slot(engine, desired->name);
	engine_listen(engine, how);
	ret = prepare(engine, slot ? *slot : NULL, desired, how, err);
	if (!ret)
		ret = survey_devices(&engine->env, slot ? *slot : NULL, desired,
				     &(struct survey){how->may_wait, how->attempt}, err);
	for (size_t i = 0; !ret && i < desired->n_devices; i++)
		ret = refuse_taken(engine, desired, &desired->devices[i], err);
	if (!ret)
		ret = transact(engine, slot, &owned, how, result, err);
	engine_listen(engine, NULL);
	return ret;
}

static void forget_nodes(struct topology *t)
{
	for (size_t i = 0; i < t->n_fds; i++) {
		free(t->fds[i].node);
		t->fds[i].node = NULL;
	}
}

int engine_rehearse(struct engine *engine, struct topology *desired, const struct transaction *how,
		    struct ioasidctl_error **err)
{
	struct transaction on_reference = *how;
	_cleanup_plan_ struct plan plan = {0};
	struct execution x = {.env = &engine->env, .desired = desired, .plan = &plan};
	int ret;

	on_reference.driver = DRIVER_IOASID;
	engine_listen(engine, how);
	forget_nodes(desired);
	ret = prepare(engine, NULL, desired, &on_reference, err);
	if (!ret)
		ret = survey_devices(&engine->env, NULL, desired,
				     &(struct survey){.may_wait = true}, err);
	if (!ret)
		ret = plan_make(NULL, desired, &plan, err);
	if (!ret) {
		rehearse_without_memory(desired);
		ret = rehearse_plan(&x, err);
	}
	engine_listen(engine, NULL);
	close_topology(desired);
	return ret;
}

int engine_delete(struct engine *engine, const char *name, const struct transaction *how,
		  json_t **result, struct ioasidctl_error **err)
{
	struct topology **slot = find_slot(engine, name), *nothing = NULL;
	int ret;

	if (!slot) {
		ret = error_new(err, ERROR_UNAVAILABLE, ENOENT, "there is no topology %s", name);
		error_object(err, "%s", name);
		return ret;
	}
	engine_listen(engine, how);
	ret = transact(engine, slot, &nothing, how, result, err);
	engine_listen(engine, NULL);
	return ret;
}

int engine_set_original(struct engine *engine, const char *topology, const char *device,
			const char *driver, uint32_t vfs)
{
	struct topology **slot = find_slot(engine, topology);
	uint32_t i = slot ? topology_find_device(*slot, device) : NO_INDEX;
	char *copy;

	if (i == NO_INDEX)
		return -ENOENT;
	(*slot)->devices[i].live.original_vfs = vfs;
	if (!driver)
		return 0;
	copy = strdup(driver);
	if (!copy)
		return -ENOMEM;
	free((*slot)->devices[i].live.original_driver);
	(*slot)->devices[i].live.original_driver = copy;
	return 0;
}
struct topology *engine_live(struct engine *engine, const char *name)
{
	struct topology **slot = find_slot(engine, name);

	return slot ? *slot : NULL;
}

void engine_release_device(struct engine *engine, const char *topology, uint32_t device, bool gone)
{
	struct topology **slot = find_slot(engine, topology);
	const struct driver_env env = engine->env;

	if (!slot || device >= (*slot)->n_devices)
		return;
	/* Not into the trace of a transaction on another topology that this comes between. */
	engine_listen(engine, NULL);
	release_device(*slot, device, gone);
	engine->env = env;
}

void engine_set_trouble(struct engine *engine, const char *topology, uint32_t device,
			const char *text)
{
	struct topology **slot = find_slot(engine, topology);

	if (!slot || device >= (*slot)->n_devices)
		return;
	free((*slot)->devices[device].trouble);
	(*slot)->devices[device].trouble = text ? strdup(text) : NULL;
}

int engine_restore(struct engine *engine, struct topology *t, const json_t *record,
		   struct descriptors *given, struct ioasidctl_error **err)
{
	int ret = find_slot(engine, t->name) ? error_new(err, ERROR_PROTOCOL, EEXIST,
							 "topology %s comes twice", t->name)
					     : reserve_slot(engine, err);

	if (!ret)
		ret = restore_topology(&engine->env, t, record, given, err);
	if (ret)
		leave_topology(t);
	else
		engine->topologies[engine->n_topologies++] = t;
	return ret;
}

int engine_adopt(struct engine *engine, struct ioasidctl_error **err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < engine->n_topologies; i++)
		ret = adopt_topology(engine->topologies[i], err);
	return ret;
}

void engine_probe(const struct engine *engine, const char *topology,
		  void (*said)(void *data, const char *what), void *data)
{
	const struct topology *t = engine_topology(engine, topology);

	if (t)
		probe_topology(t, said, data);
}

void engine_leave(struct engine *engine)
{
	while (engine->n_topologies)
		leave_topology(engine->topologies[--engine->n_topologies]);
}
