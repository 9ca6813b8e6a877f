// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is done with vIOMMUs and with what belongs to them. */
#include "apply/step.h"

static struct viommu *viommu_of(const struct step *s)
{
	return &s->fd->viommus[s->op->object];
}

/* The outcome of an allocation or of a freeing. */
static int note(struct live_object *live, bool exists, int ret)
{
	if (!ret)
		live->exists = exists;
	return ret;
}

/* An undo that failed has left it unmade. */
static bool is_gone(const struct live_object *live)
{
	return !live->exists;
}

int alloc_viommu(const struct step *s)
{
	struct viommu *v = viommu_of(s);
	const struct device *d = &s->t->devices[v->device];
	int ret = need_handle(s, d);

	if (ret)
		return ret;
	ret = s->fd->ops->viommu_alloc(s->fd->live.handle, v, s->fd->ioasids[v->parent].live.id,
				       d->live.handle, &v->live.id, s->err);
	return note(&v->live, true, ret);
}

int free_viommu(const struct step *s)
{
	struct viommu *v = viommu_of(s);

	if (is_gone(&v->live))
		return 0;
	return note(&v->live, false,
		    s->fd->ops->viommu_free(s->fd->live.handle, v->live.id, s->err));
}

int alloc_events(const struct step *s)
{
	struct viommu *v = viommu_of(s);

	return note(&v->live_events, true,
		    s->fd->ops->events_alloc(s->fd->live.handle, v->live.id, v->events_depth,
					     &v->live_events.id, s->err));
}

int free_events(const struct step *s)
{
	struct viommu *v = viommu_of(s);

	if (is_gone(&v->live_events))
		return 0;
	return note(&v->live_events, false,
		    s->fd->ops->events_free(s->fd->live.handle, v->live_events.id, s->err));
}

int alloc_queue(const struct step *s)
{
	const struct viommu *v = viommu_of(s);
	struct hw_queue *q = &v->queues[s->op->item];

	return note(
		&q->live, true,
		s->fd->ops->queue_alloc(s->fd->live.handle, v->live.id, q, &q->live.id, s->err));
}

int free_queue(const struct step *s)
{
	struct hw_queue *q = &viommu_of(s)->queues[s->op->item];

	if (is_gone(&q->live))
		return 0;
	return note(&q->live, false,
		    s->fd->ops->queue_free(s->fd->live.handle, q->live.id, s->err));
}

int alloc_vdevice(const struct step *s)
{
	const struct viommu *v = viommu_of(s);
	struct vdevice *vdevice = &v->vdevices[s->op->item];
	const struct device *d = &s->t->devices[vdevice->device];
	int ret = need_handle(s, d);

	if (ret)
		return ret;
	ret = s->fd->ops->vdevice_alloc(s->fd->live.handle, v->live.id, d->live.handle, vdevice->id,
					&vdevice->live.id, s->err);
	return note(&vdevice->live, true, ret);
}

int free_vdevice(const struct step *s)
{
	struct vdevice *vdevice = &viommu_of(s)->vdevices[s->op->item];

	if (is_gone(&vdevice->live))
		return 0;
	return note(&vdevice->live, false,
		    s->fd->ops->vdevice_free(s->fd->live.handle, vdevice->live.id, s->err));
}
