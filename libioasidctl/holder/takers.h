/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who has been handed descriptors of topologies, and has them still. What tells is a lease: one
 * end of a pipe that goes with the descriptors, and wherever they are inherited. When the last
 * process that has it open closes it or ends, our end says so; and when we close ours, they can
 * see that the topology has been let go.
 */
#pragma once

#include "base/descriptors.h"
#include "holder/handover.h"
#include "holder/job.h"

struct taken {
	char *name;
	enum handover_kind kind;
	uint32_t id; /* QUEUE: of the object on its fd */
};

struct taker {
	struct taker *next; /* in the order in which they came */
	char *topology;
	struct peer peer;
	int process; /* pidfd of who took it; -1: unknown */
	int lease; /* our end */
	bool raw;
	struct taken *taken;
	size_t n_taken;
};

/* At most so many have descriptors of one topology, for each costs some here. */
#define TAKERS_MAX 64

/* *lease: the other end, owned by the caller. *out: borrowed, the last of the list. */
int takers_add(struct taker **list, const char *topology, const struct peer *peer, bool raw,
	       const struct handover *h, int *lease, const struct taker **out,
	       struct ioasidctl_error **err);

/* The first of that topology, or the next one after `after`; NULL: none. */
const struct taker *takers_of(const struct taker *list, const char *topology);
const struct taker *takers_next(const struct taker *after);
/* Whose lease has that number here; NULL: nobody's. */
const struct taker *takers_find(const struct taker *list, int lease);

/* Whether the last copy of its lease has been closed. */
bool taker_is_gone(const struct taker *taker);
void takers_remove(struct taker **list, const struct taker *taker);

/* Who reads that queue, or has that device for itself; NULL: nobody. */
const struct taker *takers_with_queue(const struct taker *list, const char *topology,
				      const char *name, uint32_t id);
const struct taker *takers_with_device(const struct taker *list, const char *topology,
				       const char *name);

/*
 * All of them for another process, NULL: out of memory; the descriptors are added to `out`,
 * borrowed. And there, into an empty list. -EINVAL, -ENOMEM.
 */
json_t *takers_record(const struct taker *list, struct descriptors *out);
int takers_restore(const json_t *json, struct descriptors *given, struct taker **list);

/* The name of the process that took them, as it calls itself now; owned; NULL: it has ended. */
char *taker_program(const struct taker *taker, const char *root);
/*
 * Who has them now: "pid 12 (qemu-system-x86)"; if who took them has ended, those that have the
 * lease from him. Owned; NULL: out of memory.
 */
char *taker_text(const struct taker *taker, const char *root);
