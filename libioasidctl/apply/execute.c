// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>

#include "apply/execution.h"
#include "base/cleanup.h"

/* Adds to the newest error what was being done, and where the config asked for it. */
static void explain_failure(const struct execution *x, const struct operation *op,
			    struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = operation_text(x->plan, op);
	const struct topology *t = op->old ? x->live : x->desired;
	struct position at = {0};

	if (!err || !*err)
		return;
	if (text)
		error_object(err, "%s: %s", t->name, text);
	if (op->fd == NO_INDEX)
		at = t->memories[op->object].at;
	else if (op->kind == OPERATION_MAP || op->kind == OPERATION_COPY)
		at = t->fds[op->fd].ioasids[op->object].maps[op->item].at;
	else if (op->kind == OPERATION_ATTACH || op->kind == OPERATION_REPLACE)
		at = t->fds[op->fd].ioasids[op->object].attach[op->item].at;
	else if (op->kind == OPERATION_ALLOC || op->kind == OPERATION_ALLOW)
		at = t->fds[op->fd].ioasids[op->object].at;
	else if (op->kind == OPERATION_OPEN_FD)
		at = t->fds[op->fd].at;
	else if (op->kind == OPERATION_SET_DRIVER || op->kind == OPERATION_OPEN_DEVICE ||
		 op->kind == OPERATION_BIND_DEVICE)
		at = t->devices[op->object].at;
	if (at.line && !op->old)
		error_position(err, t->file, at.line, at.column);
}

static void name_leftover(const struct execution *x, const struct operation *op, const char *what,
			  struct ioasidctl_error *why, struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = operation_text(x->plan, op);

	error_new(err, ERROR_KERNEL, why ? why->errnum : EIO, "%s: %s", what, text ? text : "");
	if (why)
		error_cause(err, "%s", why->message);
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
