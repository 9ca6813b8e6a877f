// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/handover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "driver/driver.h"
#include "holder/handover_child.h"

#define OPEN_MARK "{fd:"

static void add(struct handover *h, const char *name, int fd)
{
	if (fd >= 0)
		h->fds[h->n_fds++] = (struct handover_fd){name, fd};
}

int handover_collect(const struct topology *t, struct handover *out, struct ioasidctl_error **err)
{
	*out = (struct handover){0};
	out->fds = calloc(t->n_fds + t->n_devices + t->n_memories + 1, sizeof(*out->fds));
	if (!out->fds)
		return error_nomem(err);
	for (size_t i = 0; i < t->n_fds; i++)
		if (t->fds[i].live.handle)
			add(out, t->fds[i].name, t->fds[i].ops->fd_number(t->fds[i].live.handle));
	for (size_t i = 0; i < t->n_devices; i++) {
		const struct device *d = &t->devices[i];

		if (d->live.handle && d->fd != NO_INDEX)
			add(out, d->name, t->fds[d->fd].ops->device_fd_number(d->live.handle));
	}
	for (size_t i = 0; i < t->n_memories; i++)
		add(out, t->memories[i].name, t->memories[i].live.fd);
	return 0;
}

void handover_done(struct handover *h)
{
	free(h->fds);
	*h = (struct handover){0};
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

static int refuse_name(const struct handover *h, const char *name, size_t length,
		       struct ioasidctl_error **err)
{
	_cleanup_free_ char *names = list_names(h);

	error_new(err, ERROR_USAGE, EINVAL, "{fd:%.*s}: nothing of that name has a descriptor",
		  (int)length, name);
	if (h->n_fds)
		error_hint(err, "these have: %s", names ? names : "(out of memory)");
	else
		error_hint(err, "nothing in this topology has; on the reference device only "
				"memories do");
	return -EINVAL;
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
