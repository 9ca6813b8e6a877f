// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/descriptors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

int descriptors_add(struct descriptors *d, int fd, const char *name)
{
	struct descriptor *grown = reallocarray(d->list, d->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	d->list = grown;
	grown[d->n] = (struct descriptor){.name = strdup(name), .fd = fd};
	if (!grown[d->n].name)
		return -ENOMEM;
	d->n++;
	return 0;
}

int descriptors_take(struct descriptors *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->list[i].fd >= 0 && !strcmp(d->list[i].name, name))
			return steal_fd(&d->list[i].fd);
	return -1;
}

void descriptors_done(struct descriptors *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->list[i].name);
	free(d->list);
	*d = (struct descriptors){0};
}

void descriptors_close(struct descriptors *d)
{
	for (size_t i = 0; i < d->n; i++)
		cleanup_close(&d->list[i].fd);
	descriptors_done(d);
}
