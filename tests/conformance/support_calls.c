// SPDX-License-Identifier: GPL-2.0-or-later
/* Single calls of the driver on the objects of a live topology. */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"

void act_nonsense(const struct act *a)
{
	fprintf(stderr, "%s: no action that makes sense\n", a->text);
	exit(1);
}

uint64_t act_number(const struct act *a, size_t i)
{
	uint64_t value;

	if (i >= a->n || number_parse(a->words[i], &value))
		act_nonsense(a);
	return value;
}

const struct memory *act_memory(const struct act *a, size_t i)
{
	uint32_t index = topology_find_memory(a->topology, a->words[i]);

	if (index == NO_INDEX)
		act_nonsense(a);
	return &a->topology->memories[index];
}

struct device *act_device(const struct act *a, size_t i)
{
	uint32_t index = topology_find_device(a->topology, a->words[i]);

	if (index == NO_INDEX || !a->topology->devices[index].live.handle)
		act_nonsense(a);
	return &a->topology->devices[index];
}

struct live_call act_live(const struct act *a, size_t i)
{
	return (struct live_call){
		.engine = a->scene->engine, .topology = "case", .object = a->words[i]};
}

struct live_target act_target(const struct act *a, size_t i)
{
	const struct live_call call = act_live(a, i);
	struct live_target target;

	if (live_find(&call, &target, NULL))
		act_nonsense(a);
	return target;
}

static uint32_t pasid_of(const struct act *a, size_t i)
{
	return i && i < a->n ? (uint32_t)act_number(a, i) : NO_PASID;
}

struct agent act_agent(const struct act *a, size_t i, size_t pasid)
{
	const struct device *d = act_device(a, i);
	const struct iommu_fd *fd = &a->topology->fds[d->fd];

	return (struct agent){.ops = fd->ops,
			      .fd = fd->live.handle,
			      .device = d->live.handle,
			      .pasid = pasid_of(a, pasid)};
}

static int map_memory(struct act *a, const struct memory *m, struct map_args *args)
{
	const struct live_target t = act_target(a, 1);
	char *va = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_SHARED, m->live.fd, 0);
	int ret;

	if (va == MAP_FAILED)
		abort();
	args->access = ACCESS_RW;
	args->fd = m->live.fd;
	if (t.fd->ops->wants_va(t.fd->live.handle, m))
		args->va = va + args->offset;
	ret = t.fd->ops->map(t.fd->live.handle, t.ioasid->live.id, args, a->err);
	/* What was mapped has to stay where it is. */
	if (ret)
		munmap(va, m->size);
	return ret;
}

int try_map(struct act *a)
{
	struct map_args args = {
		.iova = act_number(a, 2), .length = act_number(a, 3), .offset = act_number(a, 5)};

	return map_memory(a, act_memory(a, 4), &args);
}

int try_place(struct act *a)
{
	uint64_t placed;
	struct map_args args = {
		.length = act_number(a, 2), .offset = act_number(a, 4), .placed = &placed};

	return map_memory(a, act_memory(a, 3), &args);
}

int try_unmap(struct act *a)
{
	const struct live_target t = act_target(a, 1);

	return t.fd->ops->unmap(t.fd->live.handle, t.ioasid->live.id, act_number(a, 2),
				act_number(a, 3), a->err);
}

/* Neither do configs come so far. */
static int lacks_call(const struct act *a, const struct iommu_fd *fd, enum capability cap)
{
	return error_new(a->err, ERROR_REFUSED, EOPNOTSUPP, "%s: %s", a->text,
			 fd->ops->missing[cap]);
}

int try_copy(struct act *a)
{
	const struct live_target t = act_target(a, 1), source = act_target(a, 4);

	if (!t.fd->ops->copy)
		return lacks_call(a, t.fd, CAP_COPY);
	return t.fd->ops->copy(t.fd->live.handle, t.ioasid->live.id, act_number(a, 2),
			       act_number(a, 3), ACCESS_RW, source.ioasid->live.id,
			       act_number(a, 5), a->err);
}

int try_allow(struct act *a)
{
	const struct live_target t = act_target(a, 1);
	const struct range range = {act_number(a, 2), act_number(a, 3)};

	return t.fd->ops->allow(t.fd->live.handle, t.ioasid->live.id, &range, 1, a->err);
}

int try_free(struct act *a)
{
	const struct live_target t = act_target(a, 1);

	if (t.viommu)
		return t.fd->ops->viommu_free(t.fd->live.handle, t.viommu->live.id, a->err);
	return t.fd->ops->ioasid_free(t.fd->live.handle, t.ioasid->live.id, a->err);
}

int try_probe(struct act *a)
{
	const struct live_target t = act_target(a, 1);

	if (t.viommu)
		return t.fd->ops->viommu_probe(t.fd->live.handle, t.viommu->live.id);
	return t.fd->ops->ioasid_probe(t.fd->live.handle, t.ioasid->live.id);
}

int try_attach(struct act *a)
{
	const struct live_target t = act_target(a, 2);

	return t.fd->ops->attach(t.fd->live.handle, act_device(a, 1)->live.handle,
				 t.ioasid->live.id, pasid_of(a, 3), a->err);
}

int try_detach(struct act *a)
{
	const struct agent agent = act_agent(a, 1, 2);

	return agent.ops->detach(agent.fd, agent.device, agent.pasid, a->err);
}

/* The same table as that of the first nested IOASID there is. */
static const struct table *any_table(const struct act *a)
{
	for (size_t i = 0; i < a->topology->fds[0].n_ioasids; i++)
		if (a->topology->fds[0].ioasids[i].kind == IOASID_NESTED)
			return &a->topology->fds[0].ioasids[i].table;
	act_nonsense(a);
}

int try_nest(struct act *a)
{
	const struct live_target t = act_target(a, 1);
	const struct nesting on = {.parent = t.ioasid ? t.ioasid->live.id
						      : t.fd->ioasids[t.viommu->parent].live.id,
				   .viommu = t.viommu ? t.viommu->live.id : NO_INDEX,
				   .device = act_device(a, 2)->live.handle};
	struct ioasid spec;
	uint32_t id;

	ioasid_init(&spec);
	spec.name = (char *)"one-more";
	spec.kind = IOASID_NESTED;
	spec.table = *any_table(a);
	return t.fd->ops->ioasid_alloc(t.fd->live.handle, &spec, &on, &id, a->err);
}

int try_viommu(struct act *a)
{
	const struct live_target t = act_target(a, 1);
	struct viommu spec;
	uint32_t id;

	viommu_init(&spec);
	spec.name = (char *)"one-more";
	for (int i = 0; viommu_type_names[i]; i++)
		if (!strcmp(viommu_type_names[i], a->words[3]))
			spec.type = (enum viommu_type)i;
	return t.fd->ops->viommu_alloc(t.fd->live.handle, &spec, t.ioasid->live.id,
				       act_device(a, 2)->live.handle, &id, a->err);
}

int try_vdevice(struct act *a)
{
	const struct live_target t = act_target(a, 1);
	uint32_t id;

	return t.fd->ops->vdevice_alloc(t.fd->live.handle, t.viommu->live.id,
					act_device(a, 2)->live.handle, act_number(a, 3), &id,
					a->err);
}

int try_queue(struct act *a)
{
	const struct live_target t = act_target(a, 1);
	const struct hw_queue spec = {.index = (uint32_t)act_number(a, 2),
				      .iova = act_number(a, 3),
				      .length = act_number(a, 4)};
	uint32_t id;

	return t.fd->ops->queue_alloc(t.fd->live.handle, t.viommu->live.id, &spec, &id, a->err);
}

int try_event_queue(struct act *a)
{
	const struct live_target t = act_target(a, 1);
	uint32_t id;

	return t.fd->ops->events_alloc(t.fd->live.handle, t.viommu->live.id,
				       (uint32_t)act_number(a, 2), &id, a->err);
}

/* The same device for another fd. */
static int bind_again(struct act *a, struct ioasidctl_error **err)
{
	const struct device *d = act_device(a, 1);
	const struct driver *ops = a->topology->fds[d->fd].ops;
	const struct iommu_fd spec = {.name = (char *)"another"};
	struct driver_device *again = NULL;
	struct driver_fd *fd;
	uint32_t id;
	int ret = ops->open(&a->scene->env, &spec, &fd, err);

	if (ret)
		abort();
	ret = ops->device_open(&a->scene->env, d, &again, err);
	if (!ret)
		ret = ops->device_bind(fd, again, &id, err);
	if (again)
		ops->device_close(again);
	ops->close(fd);
	return ret;
}

struct report {
	int ret;
	enum error_kind kind;
	char message[256];
};

static struct report report_of(int ret, const struct ioasidctl_error *err)
{
	struct report r = {.ret = ret};

	if (err) {
		r.kind = err->kind;
		snprintf(r.message, sizeof(r.message), "%s", err->message);
	}
	return r;
}

/* By another process, where the kernel is between: one's own is told apart from others'. */
int try_rebind(struct act *a)
{
	struct report r = {.ret = -ECHILD};
	int ends[2];
	pid_t child;

	if (a->scene->backend->in_process)
		return bind_again(a, a->err);
	fflush(NULL);
	if (pipe2(ends, O_CLOEXEC) || (child = fork()) < 0)
		abort();
	if (!child) {
		struct ioasidctl_error *err = NULL;
		int ret = bind_again(a, &err);

		r = report_of(ret, err);
		_exit(write(ends[1], &r, sizeof(r)) != (ssize_t)sizeof(r));
	}
	close(ends[1]);
	if (read(ends[0], &r, sizeof(r)) != (ssize_t)sizeof(r))
		r.ret = -ECHILD;
	close(ends[0]);
	waitpid(child, NULL, 0);
	return r.ret ? error_new(a->err, r.kind, -r.ret, "%s", r.message) : 0;
}
