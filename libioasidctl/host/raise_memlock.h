/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How to raise the limit of locked memory, which depends on what set it. */
#pragma once

#include <stdint.h>

/*
 * What to do so that `needed` bytes can be locked by this process: for a systemd unit, a container
 * or a user, whichever it runs in. Owned by the caller; NULL: out of memory.
 */
char *memlock_way_out(const char *root, uint64_t needed);
