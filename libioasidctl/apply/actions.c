// SPDX-License-Identifier: LGPL-2.1-or-later
/* What each operation does. The inverse of an operation is run by the action of its inverse. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply/execution.h"
#include "apply/memory.h"
#include "apply/mirror.h"
#include "apply/step.h"

typedef int (*action)(const struct step *s);

/* Handles of an object that both topologies know must stay the same on both sides. */
static void sync_device(const struct step *s, uint32_t i)
{
	struct topology *live = s->x->live, *desired = s->x->desired;

	if (!live || !desired)
		return;
	if (s->t == desired) {
		if (desired->devices[i].prev != NO_INDEX)
			live->devices[desired->devices[i].prev].live = desired->devices[i].live;
		return;
	}
	for (size_t j = 0; j < desired->n_devices; j++)
		if (desired->devices[j].prev == i)
			desired->devices[j].live = live->devices[i].live;
}

static void sync_memory(const struct step *s, struct memory *m)
{
	if (s->t == s->x->desired && m->prev != NO_INDEX)
		s->x->live->memories[m->prev].live = m->live;
}

static int open_fd(const struct step *s)
{
	return s->fd->ops->open(s->x->env, s->fd, &s->fd->live.handle, s->err);
}

static int close_fd(const struct step *s)
{
	s->fd->ops->close(s->fd->live.handle);
	s->fd->live.handle = NULL;
	return 0;
}

static int export_bar(const struct step *s, struct memory *m, int *out)
{
	const struct device *d = &s->t->devices[m->device];
	int ret = need_handle(s, d); /* also of one that no fd's driver opens */

	return ret ? ret
		   : s->t->fds[d->fd].ops->device_bar_fd(d->live.handle, m->bar, 0, m->size, out,
							 s->err);
}

static int create_memory(const struct step *s)
{
	struct memory *m = &s->t->memories[s->op->object];

	return m->backing == BACKING_DMABUF ? export_bar(s, m, &m->live.fd)
					    : memory_create(m, s->x->cancel, s->err);
}

/* What was exported of a device is dead once it has been closed; what an undo binds again is not.
 */
static int renew_memories(const struct step *s, uint32_t device)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < s->t->n_memories; i++) {
		struct memory *m = &s->t->memories[i];
		int fd;

		if (m->backing != BACKING_DMABUF || m->device != device || m->live.fd < 0)
			continue;
		ret = export_bar(s, m, &fd);
		if (ret)
			break;
		close(m->live.fd);
		m->live.fd = fd;
	}
	return ret;
}

static int resize_memory(const struct step *s)
{
	struct memory *m = &s->t->memories[s->op->object];
	uint64_t size = s->undo ? s->x->live->memories[m->prev].size : m->size;

	return memory_resize(m, size, s->undo ? NULL : s->x->cancel, s->err);
}

static int destroy_memory(const struct step *s)
{
	memory_destroy(&s->t->memories[s->op->object]);
	return 0;
}

/* What was unplugged, or deleted by somebody else, has nothing left to give back. */
static bool is_gone(const struct step *s, const struct device *d)
{
	struct device_facts facts = {.group = NO_INDEX, .vfs = NO_INDEX};
	bool gone = !device_ops(s->t, d)->device_find(s->x->env, d, &facts, NULL) && !facts.present;

	device_facts_done(&facts);
	return gone;
}

static int create_vdpa(const struct step *s)
{
	struct device *d = &s->t->devices[s->op->object];
	int ret = device_ops(s->t, d)->device_create(s->x->env, d, s->err);

	if (!ret)
		d->live.made = true;
	return ret;
}

static int delete_vdpa(const struct step *s)
{
	struct device *d = &s->t->devices[s->op->object];
	int ret = is_gone(s, d) ? 0 : device_ops(s->t, d)->device_delete(s->x->env, d, s->err);

	if (!ret)
		d->live.made = false;
	return ret;
}

static int set_driver(const struct step *s)
{
	struct device *d = &s->t->devices[s->op->object];
	char *original = NULL;
	int ret;

	ret = device_ops(s->t, d)->device_set_driver(s->x->env, d, d->driver, &original, s->err);
	if (ret)
		return ret;
	/* Nothing to restore where the driver was the right one all along. */
	if (original && strcmp(original, d->driver) && !d->live.original_driver) {
		d->live.original_driver = original;
		return 0;
	}
	free(original);
	return 0;
}

static int restore_driver(const struct step *s)
{
	struct device *d = &s->t->devices[s->op->object];
	int ret;

	if (!d->live.original_driver)
		return 0;
	ret = is_gone(s, d) ? 0
			    : device_ops(s->t, d)->device_set_driver(
				      s->x->env, d, d->live.original_driver, NULL, s->err);
	if (ret)
		return ret;
	free(d->live.original_driver);
	d->live.original_driver = NULL;
	return 0;
}

static int set_vfs(const struct step *s)
{
	struct device *d = &s->t->devices[s->op->object];
	int ret = s->fd->ops->device_set_vfs(s->x->env, d, d->vfs, false, &d->live.vfs_before,
					     s->err);

	if (!ret && d->live.vfs_before != d->vfs && d->live.original_vfs == NO_INDEX)
		d->live.original_vfs = d->live.vfs_before;
	return ret;
}

static int restore_vfs(const struct step *s)
{
	struct device *d = &s->t->devices[s->op->object];
	uint32_t number = s->undo ? d->live.vfs_before : d->live.original_vfs;
	int ret = 0;

	if (s->undo || !is_gone(s, d))
		ret = s->fd->ops->device_set_vfs(s->x->env, d, number, true, NULL, s->err);
	if (ret || s->undo)
		return ret;
	d->live.original_vfs = NO_INDEX;
	sync_device(s, s->op->object);
	return 0;
}

static int open_device(const struct step *s)
{
	struct device *d = &s->t->devices[s->op->object];
	int ret = device_ops(s->t, d)->device_open(s->x->env, d, &d->live.handle, s->err);

	sync_device(s, s->op->object);
	return ret;
}

static int close_device(const struct step *s)
{
	struct device *d = &s->t->devices[s->op->object];

	if (d->live.handle)
		device_ops(s->t, d)->device_close(d->live.handle);
	d->live.handle = NULL;
	d->live.bound = false;
	sync_device(s, s->op->object);
	return 0;
}

int need_handle(const struct step *s, const struct device *d)
{
	return d->live.handle ? 0
			      : error_new(s->err, ERROR_UNAVAILABLE, ENODEV,
					  "device %s is not open", d->name);
}

static int bind_device(const struct step *s)
{
	struct device *d = &s->t->devices[s->op->object];
	int ret = need_handle(s, d);

	if (!ret)
		ret = device_ops(s->t, d)->device_bind(s->fd->live.handle, d->live.handle,
						       &d->live.id, s->err);
	if (ret)
		return ret;
	d->live.bound = true;
	sync_device(s, s->op->object);
	return s->undo ? renew_memories(s, s->op->object) : 0;
}

/* No kernel interface unbinds an open device, so it's closed and opened anew. */
static int unbind_device(const struct step *s)
{
	bool goes_altogether =
		s->undo && s->t == s->x->desired && s->t->devices[s->op->object].prev == NO_INDEX;
	struct step again = *s;
	int ret;

	close_device(s);
	if (goes_altogether)
		return 0;
	ret = open_device(s);
	if (!ret || s->undo)
		return ret;
	/* Half of it is done: back to what it was. */
	again.err = NULL;
	again.undo = true;
	if (!open_device(&again))
		bind_device(&again);
	return ret;
}

static int alloc_ioasid(const struct step *s)
{
	struct ioasid *i = &s->fd->ioasids[s->op->object];
	struct nesting on = {.viommu = NO_INDEX};
	int ret;

	if (i->kind == IOASID_NESTED) {
		on.parent = s->fd->ioasids[i->parent].live.id;
		if (i->viommu != NO_INDEX)
			on.viommu = s->fd->viommus[i->viommu].live.id;
	}
	if (i->kind == IOASID_NESTED && s->op->item != NO_INDEX) {
		const struct device *d = &s->t->devices[s->op->item];

		ret = need_handle(s, d);
		if (ret)
			return ret;
		on.device = d->live.handle;
	}
	ret = s->fd->ops->ioasid_alloc(s->fd->live.handle, i, i->kind == IOASID_NESTED ? &on : NULL,
				       &i->live.id, s->err);
	if (!ret)
		i->live.exists = true;
	return ret;
}

static int free_ioasid(const struct step *s)
{
	struct ioasid *i = &s->fd->ioasids[s->op->object];
	int ret = s->fd->ops->ioasid_free(s->fd->live.handle, i->live.id, s->err);

	if (!ret)
		i->live.exists = false;
	return ret;
}

static int allow_ranges(const struct step *s)
{
	const struct ioasid *i = &s->fd->ioasids[s->op->object], *spec = i;

	if (s->undo) {
		if (i->prev == NO_INDEX)
			return 0; /* it goes altogether */
		spec = &s->x->live->fds[s->fd->prev].ioasids[i->prev];
	}
	return s->fd->ops->allow(s->fd->live.handle, i->live.id, spec->allow, spec->n_allow,
				 s->err);
}

static int map_memory(const struct step *s, const struct ioasid *i, struct mapping *m)
{
	struct memory *memory = &s->t->memories[m->memory];
	struct map_args args = {.iova = m->iova,
				.length = m->length,
				.access = m->access,
				.fd = memory->live.fd,
				.offset = m->offset};
	uint64_t placed;
	int ret;

	if (!mapping_is_placed(m))
		args.placed = &placed;

	if (s->fd->ops->wants_va(s->fd->live.handle, memory)) {
		ret = memory_window(memory, m->offset, m->length, &args.va, s->err);
		if (ret)
			return ret;
		sync_memory(s, memory);
	}
	ret = s->fd->ops->map(s->fd->live.handle, i->live.id, &args, s->err);
	if (!ret && args.placed) {
		m->iova = placed;
		m->placed = true;
	}
	return ret;
}

static int map_or_copy(const struct step *s)
{
	const struct ioasid *i = &s->fd->ioasids[s->op->object];
	struct mapping *m = &i->maps[s->op->item];
	int ret;

	if (m->source == NO_INDEX)
		ret = map_memory(s, i, m);
	else
		ret = s->fd->ops->copy(s->fd->live.handle, i->live.id, m->iova, m->length,
				       m->access, s->fd->ioasids[m->source].live.id, m->offset,
				       s->err);
	if (ret)
		return ret;
	ret = mirror_map(s, i, m);
	if (!ret)
		return 0;
	s->fd->ops->unmap(s->fd->live.handle, i->live.id, m->iova, m->length, NULL);
	if (m->auto_iova && !s->undo)
		m->placed = false;
	return ret;
}

static int unmap(const struct step *s)
{
	const struct ioasid *i = &s->fd->ioasids[s->op->object];
	const struct mapping *m = &i->maps[s->op->item];

	int ret = mirror_unmap(s, i, m);

	if (ret)
		return ret;
	ret = s->fd->ops->unmap(s->fd->live.handle, i->live.id, m->iova, m->length, s->err);
	if (ret)
		mirror_map(&(struct step){s->x, s->op, s->undo, s->t, s->fd, NULL}, i, m);
	return ret;
}

static int set_compat(const struct step *s)
{
	const struct topology *t = s->undo && s->fd->prev != NO_INDEX ? s->x->live : s->t;
	const struct iommu_fd *fd = t == s->t ? s->fd : &t->fds[s->fd->prev];
	const uint32_t ioasid = s->undo && t == s->t ? NO_INDEX : fd->vfio_compat;

	return s->fd->ops->set_vfio_compat(
		s->fd->live.handle, ioasid == NO_INDEX ? NO_INDEX : fd->ioasids[ioasid].live.id,
		s->err);
}

static int attach_to(const struct step *s, const struct mirrored *to, const struct mirrored *from)
{
	const struct attachment *a = &s->fd->ioasids[s->op->object].attach[s->op->item];
	const struct device *d = &s->t->devices[a->device];
	int ret = need_handle(s, d);

	if (ret)
		return ret;
	if (device_has_iotlb(s->t, d))
		return mirror_attach(s, d, a, to, from);
	return s->fd->ops->attach(s->fd->live.handle, d->live.handle,
				  to->t->fds[to->fd].ioasids[to->ioasid].live.id, a->pasid, s->err);
}

static int attach(const struct step *s)
{
	return attach_to(s, &(struct mirrored){s->t, s->op->fd, s->op->object}, NULL);
}

static int replace(const struct step *s)
{
	const struct mirrored to = {s->t, s->op->fd, s->op->object},
			      from = {s->x->live, s->op->from_fd, s->op->from};

	return s->undo ? attach_to(s, &from, &to) : attach_to(s, &to, &from);
}

static int detach(const struct step *s)
{
	const struct attachment *a = &s->fd->ioasids[s->op->object].attach[s->op->item];
	const struct device *d = &s->t->devices[a->device];
	int ret = need_handle(s, d);

	if (ret)
		return ret;
	if (device_has_iotlb(s->t, d))
		return device_ops(s->t, d)->iotlb_detach(d->live.handle, a->vq_group, s->err);
	return s->fd->ops->detach(s->fd->live.handle, d->live.handle, a->pasid, s->err);
}

static const action actions[OPERATION_COUNT] = {
	[OPERATION_OPEN_FD] = open_fd,
	[OPERATION_CLOSE_FD] = close_fd,
	[OPERATION_CREATE_MEMORY] = create_memory,
	[OPERATION_GROW_MEMORY] = resize_memory,
	[OPERATION_SHRINK_MEMORY] = resize_memory,
	[OPERATION_DESTROY_MEMORY] = destroy_memory,
	[OPERATION_CREATE_VDPA] = create_vdpa,
	[OPERATION_DELETE_VDPA] = delete_vdpa,
	[OPERATION_SET_DRIVER] = set_driver,
	[OPERATION_SET_VFS] = set_vfs,
	[OPERATION_RESTORE_VFS] = restore_vfs,
	[OPERATION_RESTORE_DRIVER] = restore_driver,
	[OPERATION_OPEN_DEVICE] = open_device,
	[OPERATION_SUSPEND_DEVICE] = close_device,
	[OPERATION_CLOSE_DEVICE] = close_device,
	[OPERATION_BIND_DEVICE] = bind_device,
	[OPERATION_UNBIND_DEVICE] = unbind_device,
	[OPERATION_ALLOC] = alloc_ioasid,
	[OPERATION_FREE] = free_ioasid,
	[OPERATION_ALLOW] = allow_ranges,
	[OPERATION_ALLOC_VIOMMU] = alloc_viommu,
	[OPERATION_FREE_VIOMMU] = free_viommu,
	[OPERATION_ALLOC_EVENTS] = alloc_events,
	[OPERATION_FREE_EVENTS] = free_events,
	[OPERATION_ALLOC_QUEUE] = alloc_queue,
	[OPERATION_FREE_QUEUE] = free_queue,
	[OPERATION_ALLOC_VDEVICE] = alloc_vdevice,
	[OPERATION_FREE_VDEVICE] = free_vdevice,
	[OPERATION_SET_COMPAT] = set_compat,
	[OPERATION_MAP] = map_or_copy,
	[OPERATION_COPY] = map_or_copy,
	[OPERATION_UNMAP] = unmap,
	[OPERATION_ATTACH] = attach,
	[OPERATION_REPLACE] = replace,
	[OPERATION_DETACH] = detach,
};

static int run(struct execution *x, const struct operation *op, enum operation_kind kind, bool undo,
	       struct ioasidctl_error **err)
{
	struct topology *t = op->old ? x->live : x->desired;
	const struct step s = {.x = x,
			       .op = op,
			       .undo = undo,
			       .t = t,
			       .fd = op->fd == NO_INDEX ? NULL : &t->fds[op->fd],
			       .err = err};

	return actions[kind](&s);
}

int run_operation(struct execution *x, const struct operation *op, struct ioasidctl_error **err)
{
	return run(x, op, op->kind, false, err);
}

int undo_operation(struct execution *x, const struct operation *op, struct ioasidctl_error **err)
{
	return run(x, op, operation_inverse(op->kind), true, err);
}
