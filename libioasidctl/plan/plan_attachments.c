// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "plan/planner.h"

/* A live attachment, to be found by device and PASID. */
struct live_attachment {
	uint32_t device, pasid, vq_group;
	uint32_t fd, ioasid, item;
	bool kept;
};

struct live_attachments {
	struct live_attachment *sorted;
	size_t count;
};

static int compare_key(const void *a, const void *b)
{
	const struct live_attachment *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	if (x->pasid != y->pasid)
		return x->pasid < y->pasid ? -1 : 1;
	return x->vq_group < y->vq_group ? -1 : x->vq_group > y->vq_group;
}

static int collect(const struct topology *live, struct live_attachments *out)
{
	size_t total = 0;

	for (size_t i = 0; i < live->n_fds; i++)
		for (size_t j = 0; j < live->fds[i].n_ioasids; j++)
			total += live->fds[i].ioasids[j].n_attach;
	out->sorted = calloc(total + 1, sizeof(*out->sorted));
	if (!out->sorted)
		return -ENOMEM;
	for (uint32_t i = 0; i < live->n_fds; i++)
		for (uint32_t j = 0; j < live->fds[i].n_ioasids; j++) {
			const struct ioasid *ioasid = &live->fds[i].ioasids[j];

			for (uint32_t k = 0; k < ioasid->n_attach; k++)
				out->sorted[out->count++] =
					(struct live_attachment){ioasid->attach[k].device,
								 ioasid->attach[k].pasid,
								 ioasid->attach[k].vq_group,
								 i,
								 j,
								 k,
								 false};
		}
	qsort(out->sorted, out->count, sizeof(*out->sorted), compare_key);
	return 0;
}

static struct live_attachment *find(const struct live_attachments *all, uint32_t live_device,
				    const struct attachment *a)
{
	const struct live_attachment key = {
		.device = live_device, .pasid = a->pasid, .vq_group = a->vq_group};

	return live_device == NO_INDEX
		       ? NULL
		       : bsearch(&key, all->sorted, all->count, sizeof(key), compare_key);
}

static void plan_attachment(struct planner *p, const struct live_attachments *all, uint32_t fd,
			    uint32_t i, uint32_t item, enum operation_kind kind)
{
	const struct iommu_fd *f = &p->desired->fds[fd];
	const struct attachment *a = &f->ioasids[i].attach[item];
	const struct device *d = &p->desired->devices[a->device];
	struct live_attachment *was = find(all, d->prev, a);
	struct operation op = OPERATION(ATTACH, .fd = fd, .object = i, .item = item);

	if (was && !p->detached[was->device]) {
		was->kept = true;
		if (f->prev == was->fd && f->ioasids[i].prev == was->ioasid)
			return;
		op.kind = OPERATION_REPLACE;
		op.from_fd = was->fd;
		op.from = was->ioasid;
		op.from_item = was->item;
	}
	if (op.kind == kind)
		emit(p, PHASE_SWITCH, op);
}

static void plan_desired_attachments(struct planner *p, const struct live_attachments *all,
				     enum operation_kind kind)
{
	for (uint32_t i = 0; i < p->desired->n_fds; i++)
		for (uint32_t j = 0; j < p->desired->fds[i].n_ioasids; j++)
			for (uint32_t k = 0; k < p->desired->fds[i].ioasids[j].n_attach; k++)
				plan_attachment(p, all, i, j, k, kind);
}

/* A group moves with all that are in it, and none comes back alone: who leaves does so before. */
static void plan_detachments(struct planner *p, const struct live_attachments *all)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct live_attachment *a = &all->sorted[i];

		if (!a->kept && !p->detached[a->device])
			emit(p,
			     find_group_mate(p->live, p->desired, a->device) ? PHASE_LEAVE
									     : PHASE_REMOVE,
			     OPERATION(DETACH, .old = true, .fd = a->fd, .object = a->ioasid,
				       .item = a->item));
	}
}

int plan_attachments(struct planner *p)
{
	_cleanup_free_ struct live_attachment *owned = NULL;
	struct live_attachments all = {0};
	int ret = p->live ? collect(p->live, &all) : 0;

	owned = all.sorted;
	if (ret)
		return ret;
	/* A member that is in moves its group; only then can others join it there. */
	for (int replace = 1; p->desired && replace >= 0; replace--)
		plan_desired_attachments(p, &all, replace ? OPERATION_REPLACE : OPERATION_ATTACH);
	plan_detachments(p, &all);
	return 0;
}
