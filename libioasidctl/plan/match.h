/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which desired object is which live one: fills the `prev` links. */
#pragma once

#include "model/topology.h"

/*
 * Sets every `prev` of `desired`: the live object of the same name where it can be kept (changed in
 * place if need be), NO_INDEX where a new object is needed. `live` may be NULL. -ENOMEM.
 */
int match_topologies(const struct topology *live, struct topology *desired);

/* Whether a device that is bound in `live` stays bound to the same fd in `desired`. */
bool device_keeps_binding(const struct topology *live, const struct topology *desired,
			  const struct device *device);

/*
 * match_placements.c: gives the mappings of a desired ioasid that have no IOVA yet that of the live
 * mapping of the same memory, where nothing else claims it. -ENOMEM.
 */
int match_placements(const struct ioasid *live, const struct topology *desired,
		     struct ioasid *ioasid);
