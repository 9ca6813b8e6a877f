/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How to raise the limit of locked memory, which depends on what set it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Why `length` bytes (0: not known how many) couldn't be pinned: the limit, what is used of it, how
 * to raise it; or that no limit applies. *hint NULL: there is none. Both owned. 0 or -errno.
 */
int memlock_explain(const char *root, uint64_t length, char **cause, char **hint);

/*
 * What to do so that `needed` bytes can be locked by this process: for a systemd unit, a container
 * or a user, whichever it runs in; `exemptible`: whoever has CAP_IPC_LOCK isn't limited. Owned by
 * the caller; NULL: out of memory.
 */
char *memlock_way_out(const char *root, uint64_t needed, bool exemptible);
