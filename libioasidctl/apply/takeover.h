/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A live topology goes on in another process: what that has to know of it, beside the config that
 * it was made from, is its descriptors and a record of what they stand for. Nothing is asked of the
 * kernel and nothing changes until the pinned memory is adopted, and that can be taken back.
 */
#pragma once

#include "apply/engine.h"
#include "base/descriptors.h"

/* ERROR_REFUSED: the topology is bound to this process; why, and what to do. */
int takeover_check(const struct topology *t, struct ioasidctl_error **err);

/*
 * Adds the topology's descriptors, borrowed, each with a name of its own ("fd/main",
 * "fd/main/faults.7", "device/nic0", "memory/ram"). *record: a new reference.
 */
int takeover_record(const struct topology *t, struct descriptors *out, json_t **record,
		    struct ioasidctl_error **err);

/*
 * The other way: makes `t`, as its config describes it, a live topology of the engine, which takes
 * it over. Its descriptors are taken out of `given`. On failure nothing of it stays, and all its
 * objects are as they were. -EINVAL (ERROR_PROTOCOL): the record doesn't belong to that config.
 */
int engine_restore(struct engine *engine, struct topology *t, const json_t *record,
		   struct descriptors *given, struct ioasidctl_error **err);

/*
 * Accounts what is pinned by all live topologies that could be taken over to this process. Also
 * the way back for the process that had it before. The first failure ends it.
 */
int engine_adopt(struct engine *engine, struct ioasidctl_error **err);

/* Calls `said` for each object that isn't there any more: "IOASID main/gpa". */
void engine_probe(const struct engine *engine, const char *topology,
		  void (*said)(void *data, const char *what), void *data);

/* The engine lets go of all that it holds; the objects stay, for those who have the descriptors. */
void engine_leave(struct engine *engine);
