/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Open files with names, on their way from one process to another. */
#pragma once

#include <stddef.h>

struct descriptor {
	char *name; /* owned */
	int fd; /* -1: taken */
};

/* Zeroed: empty. */
struct descriptors {
	struct descriptor *list;
	size_t n;
};

/* Adds one; whose the descriptor is, is between the list's maker and its user. 0 or -ENOMEM. */
int descriptors_add(struct descriptors *d, int fd, const char *name);

/* Takes the one of that name out of the list; -1: there is none, or it was taken before. */
int descriptors_take(struct descriptors *d, const char *name);

/* Forgets the list; the descriptors stay open. */
void descriptors_done(struct descriptors *d);
/* Closes what nobody has taken, too. */
void descriptors_close(struct descriptors *d);
