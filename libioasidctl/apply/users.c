// SPDX-License-Identifier: LGPL-2.1-or-later
/* Devices that somebody else still has open can't leave their drivers. */
#include <errno.h>
#include <stdlib.h>

#include "apply/execution.h"
#include "base/cleanup.h"

static int refuse(const struct topology *t, const struct device *d, const char *address,
		  const char *users, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_BUSY, EBUSY,
			    "device %s (%s) can't be given back: it is open", d->name, address);

	error_cause(err, "held by %s", users);
	error_hint(err, "end that process or have it give the device up, then do this again; "
			"nothing has changed");
	error_object(err, "%s: %s", t->name, d->name);
	return ret;
}

static int refuse_if_used(const struct driver_env *env, const struct topology *t,
			  const struct device *d, const struct device *spec,
			  struct ioasidctl_error **err)
{
	_cleanup_free_ char *users = NULL;

	if (device_ops(t, d)->device_users(env, spec, &users, NULL) || !users)
		return 0;
	return refuse(t, d, spec->address, users, err);
}

static int refuse_used_vfs(const struct driver_env *env, const struct topology *t,
			   const struct device *d, struct ioasidctl_error **err)
{
	int ret = 0;

	for (uint32_t i = 0; !ret && i < d->vfs && d->vfs != NO_INDEX; i++) {
		_cleanup_free_ char *address = NULL;
		struct device vf;

		if (asprintf(&address, "%s/virtfn%u", d->address, i) < 0) {
			address = NULL;
			return error_nomem(err);
		}
		device_init(&vf);
		vf.selector = SELECTOR_VF;
		vf.address = address;
		ret = refuse_if_used(env, t, d, &vf, err);
	}
	return ret;
}

int refuse_used_devices(const struct driver_env *env, const struct plan *plan,
			struct ioasidctl_error **err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < plan->n_operations; i++) {
		const struct operation *op = &plan->operations[i];
		const struct topology *t = op->old ? plan->live : plan->desired;
		const struct device *d;

		if (op->kind != OPERATION_RESTORE_DRIVER && op->kind != OPERATION_RESTORE_VFS &&
		    op->kind != OPERATION_DELETE_VDPA)
			continue;
		d = &t->devices[op->object];
		if (!device_ops(t, d) || !device_ops(t, d)->device_users)
			continue;
		ret = op->kind == OPERATION_RESTORE_VFS ? refuse_used_vfs(env, t, d, err)
							: refuse_if_used(env, t, d, d, err);
	}
	return ret;
}
