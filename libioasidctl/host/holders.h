/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has a device node open. */
#pragma once

#include <sys/types.h>

/*
 * The processes that have one of `nodes` (paths as in /dev, without root; NULL-terminated) open:
 * "pid 1234 (qemu-system-x86)", several with commas; `except` (0: nobody) is left out. *text owned;
 * NULL: none that this process may look into. 0 or -errno.
 */
int holders_text(const char *root, const char *const nodes[], pid_t except, char **text);
