/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which devices are bound to another host driver because of a topology, in the journal's terms.
 * Bindings outlive the process, so they must be known to the next one however this one ends.
 */
#pragma once

#include "apply/engine.h"
#include "holder/journal.h"

/* What is bound now. 0 or -ENOMEM. */
int bindings_add_live(struct journal_entry *entry, const struct topology *t);

/*
 * What applying `desired` will bind, as the survey found the devices, beside what the entry has
 * already. For the journal before the first change: a crash in the middle must not leak a binding.
 * 0 or -ENOMEM.
 */
int bindings_add_intended(struct journal_entry *entry, const struct topology *desired);

/*
 * Adds the members of groups that were taken: bound already, they aren't in anybody's way, and the
 * survey wouldn't take them again. 0 or -ENOMEM.
 */
int bindings_take(const struct journal_entry *entry, struct topology *desired);

/*
 * Deletes the devices that were made (vDPA), so that they can be made again. Calls `said` with a
 * line for each.
 */
void bindings_delete_made(const struct journal_entry *entry, const struct driver_env *env,
			  void (*said)(void *data, const char *line), void *data);

/* Tells the engine which drivers to give back: it found the devices bound already. */
int bindings_hand_down(const struct journal_entry *entry, struct engine *engine);

/*
 * Gives devices their drivers back, and driver_override where a change was cut off in the middle;
 * those that somebody has bound elsewhere meanwhile are left alone. Calls `said` with a line for
 * each device. False: somebody still has one open, and it can be tried again later.
 */
bool bindings_restore(const struct journal_entry *entry, const struct driver_env *env,
		      void (*said)(void *data, const char *line), void *data);
