/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptors that tell of something: device events, requests to give a device up, timers, queues
 * of faults and events. The worker owns them and reads them; the loop only waits for one of them,
 * through the descriptor of the whole. They are borrowed: whoever closes one removes it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct watch {
	int fd;
	const char *topology; /* whose object it belongs to; NULL: nobody's */
	uint32_t fd_index, object; /* where in the topology; what they mean is up to `ready` */
	bool patient; /* can wait while any topology is being changed */
	/* It is readable. `data` is what watches_run() was given. It may add and remove watches. */
	void (*ready)(void *data, const struct watch *watch);
};

struct watches;

int watches_new(struct watches **out, struct ioasidctl_error **err);
void watches_free(struct watches *w); /* NULL is fine */
/* Readable while watches_run() has something to do. */
int watches_fd(const struct watches *w);

/* Copies the watch. 0 or -errno. */
int watches_add(struct watches *w, const struct watch *watch);
/* Of that topology; NULL: those of nobody. Also when descriptors have been closed. */
void watches_remove(struct watches *w, const char *topology);
void watches_remove_one(struct watches *w, int fd);

/*
 * Calls `ready` of what is readable. What belongs to the topology `busy` (NULL: none), which is
 * being changed, and what is patient is put off until watches_run() without it.
 */
void watches_run(struct watches *w, const char *busy, void *data);
/* Whether something was put off. */
bool watches_put_off(const struct watches *w);
