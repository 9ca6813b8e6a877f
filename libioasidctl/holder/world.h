/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What topologies live in: an engine, and the reference machine behind its ioasid driver. */
#pragma once

#include <stdbool.h>

#include "apply/engine.h"
#include "refdev/refdev.h"

struct world {
	char *machine; /* its description; NULL: the default machine */
	struct refdev *refdev;
	struct engine *engine;
};

/* `root` is borrowed, `machine` copied. */
int world_new(const char *root, const char *machine, struct world **out,
	      struct ioasidctl_error **err);
/* Closes everything in it; undoes nothing. NULL is fine. */
void world_free(struct world *world);
void world_freep(struct world **world);
#define _cleanup_world_ __attribute__((cleanup(world_freep)))

/* Whether that description is of this world's machine, whatever the spacing and order of keys. */
bool world_has_machine(const struct world *world, const char *machine);
