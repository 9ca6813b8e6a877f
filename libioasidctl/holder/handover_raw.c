// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a program gets that sets up its address spaces itself: everything is opened for it alone. A
 * device is bound as long as anybody has the open file that it was bound by, so one that is shared
 * would stay bound after the program's end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "holder/handover.h"
#include "holder/handover_child.h"

static int add_copy(struct handover *h, int fd, const char *name, enum handover_kind kind,
		    struct ioasidctl_error **err)
{
	struct handover_fd one = {.name = strdup(name), .owned = true, .kind = kind};

	if (!one.name)
		return error_nomem(err);
	one.fd = fcntl(fd, F_DUPFD_CLOEXEC, HANDOVER_FIRST);
	if (one.fd < 0) {
		free(one.name);
		return error_new(err, ERROR_MEMORY, errno, "duplicate the descriptor of %s: %s",
				 name, strerror(errno));
	}
	h->fds[h->n_fds++] = one;
	return 0;
}

static int refuse_driver(const char *what, const char *name, const struct driver *ops,
			 struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_REFUSED, EOPNOTSUPP, "%s %s can't be handed over raw", what,
			    name);

	error_cause(err, "driver %s hands no devices over unbound: %s", ops->name,
		    ops->missing[CAP_RAW]);
	error_object(err, "%s", name);
	return ret;
}

/* Where it is attached; NULL: nowhere, so something else needs it bound. */
static const struct ioasid *place_of(const struct topology *t, uint32_t device)
{
	const struct iommu_fd *fd = &t->fds[t->devices[device].fd];

	for (size_t i = 0; i < fd->n_ioasids; i++)
		for (size_t j = 0; j < fd->ioasids[i].n_attach; j++)
			if (fd->ioasids[i].attach[j].device == device)
				return &fd->ioasids[i];
	return NULL;
}

static int refuse_bound(const struct topology *t, uint32_t device, struct ioasidctl_error **err)
{
	const struct device *d = &t->devices[device];
	const struct ioasid *place = place_of(t, device);
	const char *fd = t->fds[d->fd].name;
	int ret = error_new(err, ERROR_REFUSED, EBUSY,
			    "device %s can't be handed over raw: it is bound to %s", d->name, fd);

	if (place)
		error_cause(err, "it is attached to %s/%s", fd, place->name);
	else
		error_cause(err, "a viommu or a memory of the config needs it");
	error_hint(err,
		   "without --raw it is handed over as it is; to have it unbound, take it out of "
		   "every `attach`, leave it in `devices`, and apply again");
	error_object(err, "%s", d->name);
	return ret;
}

static int refuse_unopened(const struct device *d, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_REFUSED, ENODEV, "device %s can't be handed over raw",
			    d->name);

	error_object(err, "%s", d->name);
	if (d->fd == NO_INDEX) {
		error_cause(err, "the config declares no fd, so nothing says how to open it");
		error_hint(err, "add `fds: [{name: main}]` and apply again");
	} else if (d->host_only) {
		error_cause(err, "it stays with its host driver");
	} else {
		error_cause(err, "the holder doesn't have it: it isn't there, or had to be let go");
		error_hint(err, "`ioasidctl show` says which; `ioasidctl apply` takes it back");
	}
	return ret;
}

/* Why the device can't be had, as an error; 0: it can. */
static int check_device(const struct topology *t, uint32_t index, struct ioasidctl_error **err)
{
	const struct device *d = &t->devices[index];

	if (!d->live.handle)
		return refuse_unopened(d, err);
	if (device_ops(t, d)->missing[CAP_RAW])
		return refuse_driver("device", d->name, device_ops(t, d), err);
	if (d->live.bound)
		return refuse_bound(t, index, err);
	if (device_ops(t, d)->device_fd_number(d->live.handle) < 0)
		return error_new(err, ERROR_REFUSED, EOPNOTSUPP,
				 "device %s can't be handed over raw: it has no node of its own",
				 d->name);
	return 0;
}

static int add_device(struct handover *h, const struct driver_env *env, const struct topology *t,
		      const struct device *d, struct ioasidctl_error **err)
{
	const struct driver *ops = device_ops(t, d);
	struct driver_device *opened;
	int ret = ops->device_open(env, d, &opened, err);

	if (ret)
		return ret;
	ret = add_copy(h, ops->device_fd_number(opened), d->name, HANDOVER_RAW_DEVICE, err);
	ops->device_close(opened);
	return ret;
}

static int add_fd(struct handover *h, const struct driver_env *env, const struct iommu_fd *fd,
		  struct ioasidctl_error **err)
{
	struct driver_fd *opened;
	int ret;

	if (fd->ops->missing[CAP_RAW])
		return refuse_driver("fd", fd->name, fd->ops, err);
	ret = fd->ops->open(env, fd, &opened, err);
	if (ret)
		return ret;
	ret = add_copy(h, fd->ops->fd_number(opened), fd->name, HANDOVER_SHARED, err);
	fd->ops->close(opened);
	return ret;
}

static int refuse_unknown(const struct topology *t, const char *name, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_USAGE, EINVAL, "topology %s has no fd, device or memory %s",
			    t->name, name);

	error_object(err, "%s", name);
	error_hint(err, "`ioasidctl show %s` lists what it has", t->name);
	return ret;
}

static int add_named(struct handover *h, const struct driver_env *env, const struct topology *t,
		     const char *name, struct ioasidctl_error **err)
{
	const uint32_t fd = topology_find_fd(t, name), device = topology_find_device(t, name),
		       memory = topology_find_memory(t, name);
	int ret;

	for (size_t i = 0; i < h->n_fds; i++)
		if (!strcmp(h->fds[i].name, name))
			return error_new(err, ERROR_USAGE, EINVAL, "%s is wanted twice", name);
	if (fd != NO_INDEX)
		return add_fd(h, env, &t->fds[fd], err);
	if (memory != NO_INDEX)
		return add_copy(h, t->memories[memory].live.fd, name, HANDOVER_SHARED, err);
	if (device == NO_INDEX)
		return refuse_unknown(t, name, err);
	ret = check_device(t, device, err);
	return ret ? ret : add_device(h, env, t, &t->devices[device], err);
}

static int refuse_all(const struct topology *t, struct ioasidctl_error **err)
{
	/* The reason why the first one can't be had stands for all. */
	for (uint32_t i = 0; i < t->n_devices; i++)
		if (t->devices[i].taken_for == NO_INDEX)
			return check_device(t, i, err);
	error_new(err, ERROR_REFUSED, ENODEV, "topology %s has no device to hand over raw",
		  t->name);
	error_hint(err, "name what is wanted of it, or leave --raw out");
	return -ENODEV;
}

/* As they are declared. */
static int add_all(struct handover *h, const struct driver_env *env, const struct topology *t,
		   struct ioasidctl_error **err)
{
	size_t n_free = 0;
	int ret = 0;

	for (uint32_t i = 0; i < t->n_devices; i++)
		n_free += !check_device(t, i, NULL);
	if (!n_free)
		return refuse_all(t, err);
	for (size_t i = 0; !ret && i < t->n_fds; i++)
		if (!t->fds[i].ops->missing[CAP_RAW])
			ret = add_fd(h, env, &t->fds[i], err);
	for (uint32_t i = 0; !ret && i < t->n_devices; i++)
		if (!check_device(t, i, NULL))
			ret = add_device(h, env, t, &t->devices[i], err);
	for (size_t i = 0; !ret && i < t->n_memories; i++)
		ret = add_copy(h, t->memories[i].live.fd, t->memories[i].name, HANDOVER_SHARED,
			       err);
	return ret;
}

int handover_renew(const struct driver_env *env, const struct topology *t, struct handover *h,
		   struct ioasidctl_error **err)
{
	_cleanup_(handover_done)
	struct handover opened = {0};
	int ret = 0;

	opened.fds = calloc(t->n_devices + 1, sizeof(*opened.fds));
	if (!opened.fds)
		return error_nomem(err);
	for (size_t i = 0; !ret && i < h->n_fds; i++) {
		const uint32_t device = topology_find_device(t, h->fds[i].name);

		if (device == NO_INDEX || h->fds[i].owned || check_device(t, device, NULL))
			continue;
		ret = add_device(&opened, env, t, &t->devices[device], err);
		if (ret)
			break;
		h->fds[i].fd = opened.fds[opened.n_fds - 1].fd;
		h->fds[i].owned = true;
		opened.fds[opened.n_fds - 1].owned = false;
	}
	return ret;
}

int handover_collect_raw(const struct driver_env *env, const struct topology *t,
			 const char *const *wanted, struct handover *out,
			 struct ioasidctl_error **err)
{
	_cleanup_(handover_done)
	struct handover h = {0};
	size_t room = t->n_fds + t->n_devices + t->n_memories + 1;
	int ret = 0;

	*out = (struct handover){0};
	h.fds = calloc(room, sizeof(*h.fds));
	if (!h.fds)
		return error_nomem(err);
	if (!wanted)
		ret = add_all(&h, env, t, err);
	for (size_t i = 0; !ret && wanted && wanted[i]; i++)
		ret = add_named(&h, env, t, wanted[i], err);
	if (ret)
		return ret;
	*out = h;
	h = (struct handover){0};
	return 0;
}
