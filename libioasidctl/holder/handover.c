// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "driver/driver.h"
#include "holder/handover_child.h"

#define OPEN_MARK "{fd:"

/* If there is such a descriptor; the name is taken over. */
static int add_one(struct handover *h, struct handover_fd one, struct ioasidctl_error **err)
{
	if (!one.name)
		return error_nomem(err);
	if (one.fd < 0)
		free(one.name);
	else
		h->fds[h->n_fds++] = one;
	return 0;
}

static int add(struct handover *h, int fd, char *name, struct ioasidctl_error **err)
{
	return add_one(h, (struct handover_fd){.name = name, .fd = fd}, err);
}

static char *name_in(const char *outer, const char *inner)
{
	char *name;

	return asprintf(&name, "%s/%s", outer, inner) < 0 ? NULL : name;
}

/*
 * The descriptor of a queue can be read by whoever has it. That of the reference device in this
 * process only tells that there is something to be read here.
 */
static enum handover_kind queue_kind(const struct iommu_fd *fd)
{
	return fd->ops->fd_number(fd->live.handle) < 0 ? HANDOVER_SHARED : HANDOVER_QUEUE;
}

/* A container of its own, or its queue of page faults: no interface has both. */
static struct handover_fd ioasid_fd(const struct iommu_fd *fd, const struct ioasid *ioasid)
{
	struct handover_fd one = {.fd = -1, .id = ioasid->live.id};

	if (ioasid->live.exists && fd->ops->ioasid_fd_number) {
		one.fd = fd->ops->ioasid_fd_number(fd->live.handle, ioasid->live.id);
	} else if (ioasid->live.exists && fd->ops->faults_fd &&
		   ioasid->flags & IOASID_FLAG_FAULT_QUEUE) {
		one.fd = fd->ops->faults_fd(fd->live.handle, ioasid->live.id);
		one.kind = queue_kind(fd);
	}
	one.name = name_in(fd->name, ioasid->name);
	return one;
}

static struct handover_fd events_fd(const struct iommu_fd *fd, const struct viommu *viommu)
{
	struct handover_fd one = {.fd = -1, .id = viommu->live_events.id};

	if (viommu->live_events.exists) {
		one.fd = fd->ops->events_fd(fd->live.handle, viommu->live_events.id);
		one.kind = queue_kind(fd);
	}
	one.name = name_in(fd->name, viommu->name);
	return one;
}

static int collect_fd(const struct iommu_fd *fd, struct handover *h, struct ioasidctl_error **err)
{
	int ret;

	if (!fd->live.handle)
		return 0;
	ret = add(h, fd->ops->fd_number(fd->live.handle), strdup(fd->name), err);
	for (size_t i = 0; !ret && i < fd->n_ioasids; i++)
		ret = add_one(h, ioasid_fd(fd, &fd->ioasids[i]), err);
	for (size_t i = 0; !ret && i < fd->n_viommus; i++)
		ret = add_one(h, events_fd(fd, &fd->viommus[i]), err);
	return ret;
}

static const struct driver *ops_of_open(const struct topology *t, const struct device *d)
{
	return d->live.handle ? device_ops(t, d) : NULL;
}

static int collect_device(const struct topology *t, const struct device *d, struct handover *h,
			  struct ioasidctl_error **err)
{
	const struct driver *ops = ops_of_open(t, d);

	return ops ? add(h, ops->device_fd_number(d->live.handle), strdup(d->name), err) : 0;
}

/* Members of a group share its descriptor. */
static int collect_group(const struct topology *t, const struct device *d, struct handover *h,
			 struct ioasidctl_error **err)
{
	const struct driver *ops = ops_of_open(t, d);
	char number[16];
	int fd;

	if (!ops || !ops->group_fd_number)
		return 0;
	fd = ops->group_fd_number(d->live.handle);
	for (size_t i = 0; i < h->n_fds; i++)
		if (h->fds[i].fd == fd)
			return 0;
	snprintf(number, sizeof(number), "%u", d->iommu_group);
	return add(h, fd, name_in("group", number), err);
}

static size_t room_for(const struct topology *t)
{
	size_t n = t->n_fds + 2 * t->n_devices + t->n_memories + 1;

	for (size_t i = 0; i < t->n_fds; i++)
		n += t->fds[i].n_ioasids + t->fds[i].n_viommus;
	return n;
}

int handover_collect(const struct topology *t, struct handover *out, struct ioasidctl_error **err)
{
	_cleanup_(handover_done)
	struct handover h = {.fds = calloc(room_for(t), sizeof(*h.fds))};
	int ret = h.fds ? 0 : error_nomem(err);

	*out = (struct handover){0};
	for (size_t i = 0; !ret && i < t->n_fds; i++)
		ret = collect_fd(&t->fds[i], &h, err);
	for (size_t i = 0; !ret && i < t->n_devices; i++)
		ret = collect_device(t, &t->devices[i], &h, err);
	for (size_t i = 0; !ret && i < t->n_devices; i++)
		ret = collect_group(t, &t->devices[i], &h, err);
	for (size_t i = 0; !ret && i < t->n_memories; i++)
		ret = add(&h, t->memories[i].live.fd, strdup(t->memories[i].name), err);
	if (ret)
		return ret;
	*out = h;
	h = (struct handover){0};
	return 0;
}

static void release(struct handover_fd *one)
{
	if (one->owned)
		close(one->fd);
	free(one->name);
}

void handover_done(struct handover *h)
{
	for (size_t i = 0; i < h->n_fds; i++)
		release(&h->fds[i]);
	free(h->fds);
	*h = (struct handover){0};
}

int handover_own(struct handover *h, struct ioasidctl_error **err)
{
	for (size_t i = 0; i < h->n_fds; i++) {
		int copy;

		if (h->fds[i].owned)
			continue;
		copy = fcntl(h->fds[i].fd, F_DUPFD_CLOEXEC, HANDOVER_FIRST);
		if (copy < 0)
			return error_new(err, ERROR_MEMORY, errno,
					 "duplicate the descriptor of %s: %s", h->fds[i].name,
					 strerror(errno));
		h->fds[i].fd = copy;
		h->fds[i].owned = true;
	}
	return 0;
}

/* "main, nic0, ram"; owned. */
static char *list_names(const struct handover *h)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	FILE *f = open_memstream(&text, &length);

	if (!f)
		return NULL;
	for (size_t i = 0; i < h->n_fds; i++)
		fprintf(f, "%s%s", i ? ", " : "", h->fds[i].name);
	if (fclose(f))
		return NULL;
	return steal_pointer(text);
}

static void hint_at_names(const struct handover *h, struct ioasidctl_error **err)
{
	_cleanup_free_ char *names = list_names(h);

	if (h->n_fds)
		error_hint(err, "these have: %s", names ? names : "(out of memory)");
	else
		error_hint(err, "nothing in this topology has; on the reference device only "
				"memories do");
}

static int refuse_name(const struct handover *h, const char *name, size_t length,
		       struct ioasidctl_error **err)
{
	error_new(err, ERROR_USAGE, EINVAL, "{fd:%.*s}: nothing of that name has a descriptor",
		  (int)length, name);
	hint_at_names(h, err);
	return -EINVAL;
}

/* The first of that name that isn't taken out yet. */
static struct handover_fd *find(const struct handover *h, const char *name)
{
	for (size_t i = 0; i < h->n_fds; i++)
		if (h->fds[i].name && !strcmp(h->fds[i].name, name))
			return &h->fds[i];
	return NULL;
}

static int check_wanted(const struct handover *h, const char *const *wanted, size_t i,
			struct ioasidctl_error **err)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(wanted[i], wanted[j]))
			return error_new(err, ERROR_USAGE, EINVAL, "%s is wanted twice", wanted[i]);
	if (find(h, wanted[i]))
		return 0;
	error_new(err, ERROR_USAGE, EINVAL, "%s: nothing of that name has a descriptor", wanted[i]);
	hint_at_names(h, err);
	return -EINVAL;
}

int handover_select(struct handover *h, const char *const *wanted, struct ioasidctl_error **err)
{
	_cleanup_(handover_done)
	struct handover chosen = {0};
	size_t n = 0;
	int ret = 0;

	for (; !ret && wanted[n]; n++)
		ret = check_wanted(h, wanted, n, err);
	if (ret)
		return ret;
	chosen.fds = calloc(n + 1, sizeof(*chosen.fds));
	if (!chosen.fds)
		return error_nomem(err);
	for (size_t i = 0; i < n; i++) {
		struct handover_fd *from = find(h, wanted[i]);

		chosen.fds[chosen.n_fds++] = *from;
		*from = (struct handover_fd){.fd = -1};
	}
	handover_done(h);
	*h = chosen;
	chosen = (struct handover){0};
	return 0;
}

static int refuse_ambiguous(const char *name, struct ioasidctl_error **err)
{
	error_new(err, ERROR_USAGE, EINVAL,
		  "{fd:%s}: several objects of that name have descriptors", name);
	error_hint(err, "give the fd, the device or the memory another name");
	return -EINVAL;
}

static int find_number(const struct handover *h, const char *name, size_t length, int *number,
		       struct ioasidctl_error **err)
{
	*number = -1;
	for (size_t i = 0; i < h->n_fds; i++) {
		if (strlen(h->fds[i].name) != length || memcmp(h->fds[i].name, name, length))
			continue;
		if (*number >= 0)
			return refuse_ambiguous(h->fds[i].name, err);
		*number = HANDOVER_FIRST + (int)i;
	}
	return *number < 0 ? refuse_name(h, name, length, err) : 0;
}

static int expand_into(FILE *f, const struct handover *h, const char *text,
		       struct ioasidctl_error **err)
{
	const char *mark, *end;

	while ((mark = strstr(text, OPEN_MARK)) && (end = strchr(mark, '}'))) {
		const char *name = mark + strlen(OPEN_MARK);
		int number, ret;

		ret = find_number(h, name, (size_t)(end - name), &number, err);
		if (ret)
			return ret;
		fprintf(f, "%.*s%d", (int)(mark - text), text, number);
		text = end + 1;
	}
	fputs(text, f);
	return 0;
}

static int expand(const struct handover *h, const char *text, char **out,
		  struct ioasidctl_error **err)
{
	size_t length;
	FILE *f = open_memstream(out, &length);
	int ret;

	if (!f)
		return error_nomem(err);
	ret = expand_into(f, h, text, err);
	if (fclose(f) && !ret)
		ret = error_nomem(err);
	return ret;
}

int handover_argv(const struct handover *h, char *const argv[], char ***out,
		  struct ioasidctl_error **err)
{
	size_t n = 0;
	char **made;
	int ret = 0;

	while (argv[n])
		n++;
	made = calloc(n + 1, sizeof(*made));
	if (!made)
		return error_nomem(err);
	for (size_t i = 0; !ret && i < n; i++)
		ret = expand(h, argv[i], &made[i], err);
	if (ret)
		handover_free_argv(made);
	else
		*out = made;
	return ret;
}

void handover_free_argv(char **argv)
{
	for (char **a = argv; a && *a; a++)
		free(*a);
	free(argv);
}
