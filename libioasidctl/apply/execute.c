// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "apply/execution.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "host/raise_memlock.h"

#define SMALLEST_PAGE 4096

/*
 * An IOASID without devices takes mappings at any address; the first device brings the IOMMU's page
 * size, and the kernel then says the same as for a reserved region.
 */
static void explain_alignment(const struct ioasid *ioasid, struct ioasidctl_error **err)
{
	if ((*err)->errnum != EADDRINUSE && (*err)->errnum != EINVAL)
		return;
	for (size_t i = 0; i < ioasid->n_maps; i++) {
		const struct mapping *m = &ioasid->maps[i];

		if (!((m->iova | m->length | m->offset) & (SMALLEST_PAGE - 1)))
			continue;
		error_cause(err,
			    "the mapping of 0x%" PRIx64 " bytes at IOVA 0x%" PRIx64
			    " of %s is not made of whole pages of 4 KiB",
			    m->length, m->iova, ioasid->name);
		error_hint(err, "align iova, length and offset to the IOMMU's pages");
		return;
	}
}

static bool is_beyond(uint64_t first, uint64_t end, uint64_t last, struct range *out)
{
	*out = (struct range){first > last ? first : last + 1, end};
	return end > last;
}

/* What of the IOASID, mapped or allowed, lies beyond `last`; false: nothing. */
static bool find_beyond(const struct ioasid *ioasid, uint64_t last, struct range *out)
{
	for (size_t i = 0; i < ioasid->n_maps; i++) {
		const struct mapping *m = &ioasid->maps[i];

		if (is_beyond(m->iova, range_last(m->iova, m->length), last, out))
			return true;
	}
	for (size_t i = 0; i < ioasid->n_allow; i++)
		if (is_beyond(ioasid->allow[i].first, ioasid->allow[i].last, last, out))
			return true;
	return false;
}

/* The same number again, for addresses that the device's IOMMU has too few bits for. */
static void explain_reach(const struct topology *t, const struct operation *op,
			  struct ioasidctl_error **err)
{
	const struct iommu_fd *fd = &t->fds[op->fd];
	const struct ioasid *ioasid = &fd->ioasids[op->object];
	const struct device *d = &t->devices[ioasid->attach[op->item].device];
	struct device_info info = {0};
	struct range beyond;
	uint64_t last;

	if (((*err)->errnum != EADDRINUSE && (*err)->errnum != EINVAL) || !d->live.handle ||
	    fd->ops->device_info(fd->live.handle, d->live.handle, &info, NULL) || !info.iova_bits ||
	    info.iova_bits >= 64)
		return;
	last = ((uint64_t)1 << info.iova_bits) - 1;
	if (!find_beyond(ioasid, last, &beyond))
		return;
	error_cause(err,
		    "the IOMMU of %s (%s) translates addresses of %u bits, up to 0x%" PRIx64
		    "; 0x%" PRIx64 "-0x%" PRIx64 " of %s is beyond",
		    d->name, d->address, info.iova_bits, last, beyond.first, beyond.last,
		    ioasid->name);
	error_hint(err,
		   "keep `map` and `allow` below that, or give the device an IOASID of its own");
}

/* The first device pins all that is mapped: only here is known how much that is. */
static void explain_pinning(const struct execution *x, const struct topology *t,
			    const struct operation *op, struct ioasidctl_error **err)
{
	const struct iommu_fd *fd = &t->fds[op->fd];
	const struct ioasid *ioasid = &fd->ioasids[op->object];
	_cleanup_free_ char *cause = NULL, *hint = NULL;
	uint64_t length = 0;

	if ((*err)->errnum != ENOMEM || fd->ops->choice == DRIVER_IOASID)
		return;
	for (size_t i = 0; i < ioasid->n_maps; i++)
		if (ioasid->maps[i].memory != NO_INDEX)
			length += ioasid->maps[i].length;
	if (memlock_explain(x->env->root, length, &cause, &hint))
		return;
	error_cause(err, "%s", cause);
	if (hint)
		error_hint(err, "%s", hint);
}

/* Where the config asks for what the operation does. */
static struct position position_of(const struct topology *t, const struct operation *op)
{
	switch ((enum operation_kind)op->kind) {
	case OPERATION_CREATE_MEMORY:
	case OPERATION_GROW_MEMORY:
		return t->memories[op->object].at;
	case OPERATION_CREATE_VDPA:
	case OPERATION_SET_DRIVER:
	case OPERATION_SET_VFS:
	case OPERATION_OPEN_DEVICE:
	case OPERATION_BIND_DEVICE:
		return t->devices[op->object].at;
	case OPERATION_OPEN_FD:
		return t->fds[op->fd].at;
	case OPERATION_ALLOC:
	case OPERATION_ALLOW:
		return t->fds[op->fd].ioasids[op->object].at;
	case OPERATION_ALLOC_VIOMMU:
	case OPERATION_ALLOC_EVENTS:
		return t->fds[op->fd].viommus[op->object].at;
	case OPERATION_ALLOC_VDEVICE:
		return t->fds[op->fd].viommus[op->object].vdevices[op->item].at;
	case OPERATION_ALLOC_QUEUE:
		return t->fds[op->fd].viommus[op->object].queues[op->item].at;
	case OPERATION_SET_COMPAT:
		return t->fds[op->fd].at;
	case OPERATION_MAP:
	case OPERATION_COPY:
		return t->fds[op->fd].ioasids[op->object].maps[op->item].at;
	case OPERATION_ATTACH:
	case OPERATION_REPLACE:
		return t->fds[op->fd].ioasids[op->object].attach[op->item].at;
	default:
		return (struct position){0};
	}
}

void explain_failure(const struct execution *x, const struct operation *op,
		     struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = operation_text(x->plan, op);
	const struct topology *t = op->old ? x->live : x->desired;
	struct position at;

	if (!err || !*err)
		return;
	if (text)
		error_object(err, "%s: %s", t->name, text);
	if (op->kind == OPERATION_ATTACH || op->kind == OPERATION_REPLACE) {
		explain_reach(t, op, err);
		explain_pinning(x, t, op, err);
		explain_alignment(&t->fds[op->fd].ioasids[op->object], err);
	}
	at = position_of(t, op);
	if (at.line && !op->old)
		error_position(err, t->file, at.line, at.column);
}

static void name_leftover(const struct execution *x, const struct operation *op, const char *what,
			  struct ioasidctl_error *why, struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = operation_text(x->plan, op);

	error_new(err, ERROR_KERNEL, why ? why->errnum : EIO, "%s: %s", what, text ? text : "");
	if (why)
		error_cause(err, "%s%s%s", why->message, why->cause ? ": " : "",
			    why->cause ? why->cause : "");
	if (why && why->hint)
		error_hint(err, "%s", why->hint);
	error_object(err, "%s", (op->old ? x->live : x->desired)->name);
}

static void undo_until(struct execution *x, size_t done, struct ioasidctl_error **err)
{
	while (done-- > 0) {
		const struct operation *op = &x->plan->operations[done];
		_cleanup_error_ struct ioasidctl_error *why = NULL;

		if (undo_operation(x, op, &why))
			name_leftover(x, op, "this could not be undone and is left as it is", why,
				      err);
	}
}

static int interrupted(struct ioasidctl_error **err)
{
	return error_new(err, ERROR_INTERRUPTED, EINTR, "interrupted; everything was undone");
}

/* The last operations can't fail the whole: what they leave behind is named, the rest goes on. */
static int run_final(struct execution *x, size_t from, struct ioasidctl_error **err)
{
	int ret = 0;

	for (size_t i = from; i < x->plan->n_operations; i++) {
		const struct operation *op = &x->plan->operations[i];
		_cleanup_error_ struct ioasidctl_error *why = NULL;
		int failed;

		if (x->between)
			x->between(x->between_data);
		failed = run_operation(x, op, &why);
		if (!failed)
			continue;
		name_leftover(x, op, "done, but for this, which is left behind", why, err);
		ret = ret ? ret : failed;
	}
	return ret;
}

static int run_undoable(struct execution *x, size_t *done, struct ioasidctl_error **err)
{
	const struct plan *plan = x->plan;

	for (; *done < plan->n_operations; (*done)++) {
		const struct operation *op = &plan->operations[*done];
		int ret;

		if (operation_is_final(op->kind))
			break;
		if (x->cancel && *x->cancel)
			return interrupted(err);
		if (x->between)
			x->between(x->between_data);
		ret = run_operation(x, op, err);
		if (ret) {
			explain_failure(x, op, err);
			return ret;
		}
	}
	return 0;
}

int execute_plan(struct execution *x, bool verify, bool *committed, struct ioasidctl_error **err)
{
	size_t done = 0;
	int ret;

	*committed = false;
	ret = run_undoable(x, &done, err);
	if (!ret && verify && x->desired)
		ret = verify_topology(x->desired, err);
	if (!ret && x->cancel && *x->cancel)
		ret = interrupted(err);
	if (ret) {
		undo_until(x, done, err);
		return ret;
	}
	*committed = true;
	return run_final(x, done, err);
}
